"""Configurations that name environments, as `~/.config/kognic/environments.json` does."""

import json
from pathlib import Path
from typing import Any

from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET

CREDENTIALS = {
    "clientId": CLIENT_ID,
    "clientSecret": CLIENT_SECRET,
    "email": "",
    "userId": 0,
    "issuer": "",
    "scopes": ["all"],
}
EXAMPLE = {"host": "app.example.com", "auth_server": "https://auth.example.com"}

UNUSABLE = [
    ({"environments": {"b": EXAMPLE}}, "env: unknown environment 'a': {path} has 'b'"),
    ({}, "env: unknown environment 'a': {path} has none"),
    ("{", "{path} cannot be used: Expecting property name enclosed in double quotes: line 1 column 2"),
    ([], "{path} cannot be used: expected "),
    ({"environments": []}, "{path} cannot be used: environments is not a dict"),
    ({"environments": {"a": "app.example.com"}}, "{path}, environment 'a': expected an object"),
    ({"environments": {"a": {"host": "x"}}}, "{path}, environment 'a': it lacks 'auth_server'"),
    ({"environments": {"a": {**EXAMPLE, "host": 3}}}, "{path}, environment 'a': host: expected a string"),
    ({"environments": {"a": {**EXAMPLE, "scopes": "all"}}}, "{path}, environment 'a': scopes: expected a list"),
    ({"environments": {"a": {**EXAMPLE, "credentials": 3}}}, "{path}, environment 'a': credentials: expected a string"),
    ({"environments": {"a": {**EXAMPLE, "auth_server": "auth"}}}, "{path}, environment 'a': auth_host: expected a URL"),
]
"""Contents of the file, and what is said when environment `a` is asked for."""


def config(folder: Path, content: object) -> str:
    """A folder of configurations with an environments.json; its path."""
    (folder / "kognic").mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "kognic" / "environments.json").write_text(text)
    return str(folder)


def local(folder: Path, url: str, **more: Any) -> dict[str, Any]:
    """The environment of an emulator, its credentials in a file."""
    path = folder / "credentials.json"
    path.write_text(json.dumps(CREDENTIALS))
    return {"host": url, "auth_server": url, "credentials": str(path)} | more
