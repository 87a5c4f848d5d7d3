from pathlib import Path
from typing import Any

import pytest

from kognic_aio.emulator import Emulator
from tests.cli.support import kognicutil, looked
from tests.environments import EXAMPLE, UNUSABLE, config, local

MORE_UNUSABLE = [
    ({"environments": {"a": {**EXAMPLE, "credentials": "/no.json"}}}, "credentials cannot be used: "),
    ({"environments": {"a": EXAMPLE}}, "no credentials: set KOGNIC_CREDENTIALS to the path of a credentials file, or "),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("scopes", "asked"), [({}, "all"), ({"scopes": ["a:read", "b:read"]}, "a%3Aread+b%3Aread")])
async def test_by_name(emulator: Emulator, tmp_path: Path, scopes: dict[str, Any], asked: str) -> None:
    """A URL as host is one server for everything; the environment's credentials are used, and its scopes if any."""
    folder = config(tmp_path, {"environments": {"local": local(tmp_path, emulator.url, **scopes)}})
    done = await looked(emulator, "projects", "--env", "local", XDG_CONFIG_HOME=folder, KOGNIC_CLIENT_SECRET="not this")

    assert done.returncode == 0
    (token,) = emulator.recorder.requests(path_prefix="/v1/auth")
    assert f"scope={asked}".encode() in token.content


@pytest.mark.anyio
async def test_default(emulator: Emulator, tmp_path: Path) -> None:
    """Without a name, the command line looks at the file's default environment."""
    environments = {"local": local(tmp_path, emulator.url), "other": EXAMPLE}
    folder = config(tmp_path, {"environments": environments, "default_environment": "local"})
    done = await looked(emulator, "projects", XDG_CONFIG_HOME=folder, KOGNIC_ENV="")

    assert done.returncode == 0
    assert "project-a" in done.stdout


def test_unknown_to_the_shell(tmp_path: Path) -> None:
    """What KOGNIC_ENV names wrongly is said to come from there."""
    folder = config(tmp_path, {"environments": {"b": EXAMPLE}})
    done = kognicutil("projects", XDG_CONFIG_HOME=folder, HOME=folder, KOGNIC_ENV="a")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: KOGNIC_ENV: unknown environment 'a'")


@pytest.mark.parametrize(("content", "words"), [*UNUSABLE, *MORE_UNUSABLE])
def test_unusable(tmp_path: Path, content: object, words: str) -> None:
    """An environment that is unknown or malformed, or lacks credentials, is one line and 1."""
    folder = config(tmp_path, content)
    done = kognicutil("projects", "--env", "a", XDG_CONFIG_HOME=folder, HOME=folder)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: " + words.format(path=f"{folder}/kognic/environments.json"))
    assert done.stderr.count("\n") == 1
