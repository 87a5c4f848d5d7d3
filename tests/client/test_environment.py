"""Which platform a client talks to: its arguments, else `env`, else KOGNIC_ENV, else the platform itself."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import asdict

from kognic_aio import KognicIOClient
from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET, Emulator
from kognic_aio.errors import ConnectError, CredentialsError, InvalidError
from tests.environments import EXAMPLE, UNUSABLE, config, local
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """No test of this file takes longer."""
    with anyio.fail_after(GENEROUS):
        yield


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The variables of a shell in which nothing of Kognic's is set."""
    for name in ("KOGNIC_ENV", "KOGNIC_CREDENTIALS", "KOGNIC_CLIENT_ID", "KOGNIC_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return monkeypatch


@pytest.fixture
async def other() -> AsyncIterator[Emulator]:
    """A second platform."""
    async with Emulator() as running:
        yield running


def asked(emulator: Emulator) -> list[str]:
    """The paths of all requests that a platform has got."""
    return [request.path for request in emulator.recorder.requests()]


@pytest.mark.parametrize("by", ["argument", "variable"])
@pytest.mark.parametrize(("scopes", "scope"), [({}, "all"), ({"scopes": ["a:read", "b:read"]}, "a%3Aread+b%3Aread")])
async def test_a_named_environment(
    emulator: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path, by: str, scopes: dict[str, Any], scope: str
) -> None:
    """A client talks to the environment that is named, with its credentials, and its scopes if it has any."""
    config(tmp_path, {"environments": {"local": local(tmp_path, emulator.url, **scopes), "other": EXAMPLE}})
    shell.setenv("KOGNIC_ENV", "local" if by == "variable" else "other")
    async with KognicIOClient(env="local" if by == "argument" else None) as client:
        await client.project.get_projects()
        assert set(asdict(client.hosts).values()) == {emulator.url}

    (token,) = emulator.recorder.requests(path_prefix="/v1/auth")
    assert f"scope={scope}".encode() in token.content
    assert "/v1/projects" in asked(emulator)


@pytest.mark.parametrize("by", ["argument", "variable"])
async def test_a_url(emulator: Emulator, shell: pytest.MonkeyPatch, by: str) -> None:
    """A URL is one server for everything, with the credentials of the process."""
    shell.setenv("KOGNIC_CLIENT_ID", CLIENT_ID)
    shell.setenv("KOGNIC_CLIENT_SECRET", CLIENT_SECRET)
    shell.setenv("KOGNIC_ENV", emulator.url if by == "variable" else NOWHERE)
    async with KognicIOClient(env=emulator.url if by == "argument" else None) as client:
        await client.project.get_projects()

    assert "/v1/projects" in asked(emulator)


async def test_arguments_win(emulator: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host or credentials that are given go before those of the environment, each for itself."""
    config(tmp_path, {"environments": {"nowhere": local(tmp_path, NOWHERE, scopes=["a:read"])}})
    shell.setenv("KOGNIC_ENV", "nowhere")
    options = emulator.client_options()
    del options["order_execution_api_host"]
    async with KognicIOClient(**options) as client:
        await client.project.get_projects()
        assert client.hosts.order_execution == NOWHERE

    assert "/v1/projects" in asked(emulator)
    (token,) = emulator.recorder.requests(path_prefix="/v1/auth")
    assert b"a%3Aread" not in token.content


async def test_credentials_of_ones_own_in_an_environment(emulator: Emulator, tmp_path: Path) -> None:
    """Credentials that are given are used on the hosts of the environment, whose own need not be there."""
    environment = local(tmp_path, emulator.url, credentials="/no-such-file")
    config(tmp_path, {"environments": {"local": environment}})
    async with KognicIOClient(env="local", auth=(CLIENT_ID, CLIENT_SECRET)) as client:
        await client.project.get_projects()

    assert "/v1/projects" in asked(emulator)


async def test_arguments_that_say_all_need_no_environment(emulator: Emulator, shell: pytest.MonkeyPatch) -> None:
    """If all hosts and credentials are given, it does not matter what the shell names."""
    shell.setenv("KOGNIC_ENV", "no such environment")
    async with KognicIOClient(**emulator.client_options()) as client:
        await client.project.get_projects()

    assert "/v1/projects" in asked(emulator)


async def test_a_client_that_opens_again_looks_again(
    emulator: Emulator, other: Emulator, shell: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment is found when a client opens, and never before."""
    client = KognicIOClient()
    for platform in (emulator, other):
        config(tmp_path, {"environments": {"local": local(tmp_path, platform.url)}})
        shell.setenv("KOGNIC_ENV", "local")
        async with client:
            await client.project.get_projects()
        assert "/v1/projects" in asked(platform)


async def test_a_domain(shell: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The host of an environment is a domain, below which each API has its own."""
    config(tmp_path, {"environments": {"example": EXAMPLE}})
    client = KognicIOClient(env="example", host="https://input.example.com")
    with pytest.raises(CredentialsError):
        await client.open()

    assert asdict(client.hosts) == {
        "input": "https://input.example.com",
        "order_execution": "https://order-execution.app.example.com",
        "annotation_integration": "https://annotation-integration.app.example.com",
        "workspace": "https://workspace.app.example.com",
        "project_management": "https://project-management.app.example.com",
        "auth": "https://auth.example.com",
    }


async def test_without_a_name(tmp_path: Path) -> None:
    """Without a name it is the platform itself, whatever environment is the command line's default."""
    config(tmp_path, {"environments": {"example": EXAMPLE}, "default_environment": "example"})
    client = KognicIOClient()
    with pytest.raises(CredentialsError):
        await client.open()

    assert client.hosts.input == "https://input.app.kognic.com"
    assert client.hosts.auth == "https://auth.app.kognic.com"


@pytest.mark.parametrize(("content", "words"), UNUSABLE)
async def test_unusable(tmp_path: Path, content: object, words: str) -> None:
    """An environment that is unknown or malformed is an error with the file's path and the place in it."""
    config(tmp_path, content)
    with pytest.raises(InvalidError) as caught:
        await KognicIOClient(env="a").open()

    assert str(caught.value).startswith(words.format(path=tmp_path / "kognic" / "environments.json"))


@pytest.mark.parametrize("kind", ["pipe", "large"])
async def test_a_file_without_end(tmp_path: Path, kind: str) -> None:
    """A pipe in the place of the file is not waited for, and a file that is too large is not read to its end."""
    path = tmp_path / "kognic" / "environments.json"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    with (
        anyio.fail_after(GENEROUS),
        pytest.raises(InvalidError, match=r"environments\.json cannot be used: .*(regular|more)"),
    ):
        await KognicIOClient(env="a").open()


@pytest.mark.parametrize("by", ["env", "KOGNIC_ENV"])
@pytest.mark.parametrize("is_url", [True, False])
async def test_a_server_that_is_not_there(shell: pytest.MonkeyPatch, tmp_path: Path, by: str, is_url: bool) -> None:
    """The error says to check what named the environment, and an argument only if one was given."""
    config(tmp_path, {"environments": {"gone": local(tmp_path, NOWHERE)}})
    name = NOWHERE if is_url else "gone"
    if by == "KOGNIC_ENV":
        shell.setenv(by, name)
    env = name if by == "env" else None
    with pytest.raises(ConnectError, match=f"check the setting `{by}`$"):
        await KognicIOClient(env=env, auth=("id", "secret"), max_retry_attempts=1).open()
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:1 has never responded; check the setting `auth_host`$"):
        await KognicIOClient(
            env=env, auth=("id", "secret"), auth_host="http://127.0.0.1:1", max_retry_attempts=1
        ).open()


async def test_no_name(tmp_path: Path) -> None:
    """What is no text names nothing."""
    path: Any = tmp_path
    with pytest.raises(InvalidError, match=r"^env: expected the name of an environment or a URL, got PosixPath"):
        await KognicIOClient(env=path).open()


async def test_the_error_says_who_named_it(shell: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What KOGNIC_ENV names wrongly is said to come from there; a URL among it."""
    config(tmp_path, {"environments": {"b": EXAMPLE}})
    shell.setenv("KOGNIC_ENV", "a")
    with pytest.raises(InvalidError, match=r"^KOGNIC_ENV: unknown environment 'a'"):
        await KognicIOClient().open()
    shell.setenv("KOGNIC_ENV", "http://input.example.com")
    with pytest.raises(InvalidError, match=r"^KOGNIC_ENV: .* credentials are not sent over plain http"):
        await KognicIOClient().open()
