import json
from pathlib import Path
from typing import Any

import pytest

from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET, Emulator
from tests.cli.support import kognicutil, looked, python

CREDENTIALS = {
    "clientId": CLIENT_ID,
    "clientSecret": CLIENT_SECRET,
    "email": "",
    "userId": 0,
    "issuer": "",
    "scopes": ["all"],
}
EXAMPLE = {"host": "app.example.com", "auth_server": "https://auth.example.com"}


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
    return {"host": url, "auth_server": url, "credentials": str(path), **more}


def options_of(folder: Path, content: object, name: str | None) -> dict[str, Any]:
    """What a client of an environment is made with."""
    code = f"import json; from kognic_aio.cli.environment import client_options as o; print(json.dumps(o({name!r})))"
    done = python(code, XDG_CONFIG_HOME=config(folder, content))
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_subdomains(tmp_path: Path) -> None:
    """The host of an environment is a domain, below which each API has its own."""
    assert options_of(tmp_path, {"environments": {"example": EXAMPLE}}, "example") == {
        "host": "https://input.app.example.com",
        "order_execution_api_host": "https://order-execution.app.example.com",
        "annotation_integration_api_host": "https://annotation-integration.app.example.com",
        "workspace_api_host": "https://workspace.app.example.com",
        "project_management_api_host": "https://project-management.app.example.com",
        "auth_host": "https://auth.example.com",
        "auth": None,
    }


@pytest.mark.parametrize(
    ("content", "host"),
    [
        ({}, "https://input.app.kognic.com"),
        ({"environments": {"example": EXAMPLE}}, "https://input.app.kognic.com"),
        ({"environments": {"example": EXAMPLE}, "default_environment": "example"}, "https://input.app.example.com"),
    ],
)
def test_default(tmp_path: Path, content: object, host: str) -> None:
    """Without a name it is the default environment, or the platform itself."""
    assert options_of(tmp_path, content, None)["host"] == host


@pytest.mark.anyio
@pytest.mark.parametrize(("scopes", "asked"), [({}, "all"), ({"scopes": ["a:read", "b:read"]}, "a%3Aread+b%3Aread")])
async def test_by_name(emulator: Emulator, tmp_path: Path, scopes: dict[str, Any], asked: str) -> None:
    """A URL as host is one server for everything; the environment's credentials are used, and its scopes if any."""
    folder = config(tmp_path, {"environments": {"local": local(tmp_path, emulator.url, **scopes)}})
    done = await looked(emulator, "projects", "--env", "local", XDG_CONFIG_HOME=folder, KOGNIC_CLIENT_SECRET="not this")

    assert done.returncode == 0
    (token,) = emulator.recorder.requests(path_prefix="/v1/auth")
    assert f"scope={asked}".encode() in token.content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"environments": {"b": EXAMPLE}}, "unknown environment 'a': {path} has 'b'"),
        ({}, "unknown environment 'a': {path} has none"),
        ("{", "{path} cannot be used: Expecting property name"),
        ([], "{path} cannot be used: "),
        ({"environments": {"a": {"host": "x"}}}, "{path} cannot be used: it lacks 'auth_server'"),
        ({"environments": {"a": {**EXAMPLE, "scopes": "all"}}}, "{path} cannot be used: in 'a', host and"),
        ({"environments": {"a": {**EXAMPLE, "auth_server": "auth"}}}, "auth host: expected a URL"),
        ({"environments": {"a": {**EXAMPLE, "credentials": "/no.json"}}}, "credentials cannot be used: "),
        ({"environments": {"a": EXAMPLE}}, "no credentials: "),
    ],
)
def test_unusable(tmp_path: Path, content: object, words: str) -> None:
    """An environment that is unknown or malformed, or lacks credentials, is one line and 1."""
    folder = config(tmp_path, content)
    done = kognicutil("projects", "--env", "a", XDG_CONFIG_HOME=folder, HOME=folder)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: " + words.format(path=f"{folder}/kognic/environments.json"))
    assert done.stderr.count("\n") == 1
