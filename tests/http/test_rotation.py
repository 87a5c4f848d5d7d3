"""Credentials that are replaced while a client is open are found where the old ones came from."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio._http.auth import Token
from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET, Emulator
from kognic_aio.errors import CredentialsError
from kognic_aio.model import Cameras
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

SECRET = "the-secret-after-the-rotation"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    write(path, CLIENT_SECRET)
    return path


def write(path: Path, secret: str, **fields: Any) -> None:
    """What the platform's website offers for download."""
    content = {"clientId": CLIENT_ID, "clientSecret": secret, "email": "", "userId": 1, "issuer": ""}
    path.write_text(json.dumps(content | fields))


def rotate(emulator: Emulator, secret: str = SECRET) -> None:
    """The platform takes another secret from now on, and none of the tokens that it gave."""
    emulator.platform.accounts.credentials[CLIENT_ID] = secret
    emulator.platform.revoke_tokens()


def client_of(emulator: Emulator, auth: Any) -> KognicIOClient:
    return KognicIOClient(**(emulator.client_options() | {"auth": auth}))


async def test_a_file_that_is_replaced(emulator: Emulator, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A run goes on when its credentials are rotated and their file is replaced; the log says so, without a secret."""

    def scenes() -> Iterator[Cameras]:
        yield cameras_scene("before")
        write(path, SECRET)
        rotate(emulator)
        for number in range(20):
            yield cameras_scene(f"after-{number}")

    with anyio.fail_after(GENEROUS), caplog.at_level(logging.WARNING, "kognic_aio"):
        async with client_of(emulator, path) as client:
            results = [result async for result in create_inputs(client, scenes(), "project-a", sleep_time=0.01)]
    assert [result.status for result in results] == [InputCreationStatus.CREATED] * 21
    (record,) = [record for record in caplog.records if "using the rotated ones" in record.message]
    assert "refused the credentials" in record.message
    assert not any(secret in caplog.text for secret in (SECRET, CLIENT_SECRET))
    refused = [
        request for request in emulator.recorder.requests("POST", "/v1/auth/oauth/token") if request.status == 401
    ]
    assert len(refused) == 1


@pytest.mark.parametrize("way", ["secret", "file"])
async def test_an_environment_that_changes(
    way: str, emulator: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables of the environment are read again, and the file that one of them names."""
    monkeypatch.delenv("KOGNIC_CREDENTIALS", raising=False)
    if way == "file":
        monkeypatch.setenv("KOGNIC_CREDENTIALS", str(path))
    else:
        monkeypatch.setenv("KOGNIC_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("KOGNIC_CLIENT_SECRET", CLIENT_SECRET)
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, None) as client:
            write(path, SECRET)
            monkeypatch.setenv("KOGNIC_CLIENT_SECRET", SECRET)
            rotate(emulator)
            assert [project.project for project in await client.project.get_projects()]


async def test_again_and_again(emulator: Emulator, path: Path) -> None:
    """Credentials may be rotated any number of times."""
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, path) as client:
            for number in range(3):
                write(path, f"secret-{number}")
                rotate(emulator, f"secret-{number}")
                await client.project.get_projects()
    assert emulator.platform.accounts.tokens_issued == 4


async def test_the_same_credentials_are_not_tried_again(emulator: Emulator, path: Path) -> None:
    """If nothing has changed where the credentials came from, the refusal is the error, after one request."""
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, path) as client:
            rotate(emulator)
            asked = len(emulator.recorder.requests("POST", "/v1/auth/oauth/token"))
            with pytest.raises(CredentialsError, match="refused the credentials"):
                await client.project.get_projects()
    assert len(emulator.recorder.requests("POST", "/v1/auth/oauth/token")) == asked + 1


async def test_other_credentials_that_are_refused_too(emulator: Emulator, path: Path) -> None:
    """Credentials that have been replaced are tried once: if they are refused as well, that is the error."""
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, path) as client:
            rotate(emulator)
            write(path, "wrong")
            asked = len(emulator.recorder.requests("POST", "/v1/auth/oauth/token"))
            with pytest.raises(CredentialsError, match="refused the credentials"):
                await client.project.get_projects()
    assert len(emulator.recorder.requests("POST", "/v1/auth/oauth/token")) == asked + 2


def missing(path: Path) -> None:
    path.unlink()


def half_written(path: Path) -> None:
    path.write_text(path.read_text()[:20])


def expired(path: Path) -> None:
    write(path, SECRET, expires="2020-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(missing, "cannot be used"), (half_written, "cannot be used"), (expired, "expired at 2020")],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_file_that_cannot_be_used(spoil: Any, words: str, emulator: Emulator, path: Path) -> None:
    """If the credentials cannot be read again, the error says that they were refused, and why there are no others."""
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, path) as client:
            rotate(emulator)
            spoil(path)
            with pytest.raises(CredentialsError, match=f"refused the credentials.*read again: .*{words}"):
                await client.project.get_projects()


@pytest.mark.parametrize("given", ["pair", "content"])
async def test_explicit_credentials(given: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that were given as they are cannot be read again, and others in the environment are not taken."""
    monkeypatch.setenv("KOGNIC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("KOGNIC_CLIENT_SECRET", SECRET)
    content = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "email": "", "userId": 1, "issuer": ""}
    auth = (CLIENT_ID, CLIENT_SECRET) if given == "pair" else content
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, auth) as client:
            rotate(emulator)
            with pytest.raises(CredentialsError, match="refused the credentials"):
                await client.project.get_projects()


def unchanged(path: Path) -> None:
    assert path.is_file()


def replaced_too_early(path: Path) -> None:
    write(path, "the-secret-after-the-next-rotation")


def token_of(client: KognicIOClient) -> Token:
    token = client._transport._tokens._token
    assert token is not None
    return token


@pytest.mark.parametrize("spoil", [unchanged, replaced_too_early, missing, half_written, expired])
async def test_a_rotation_in_progress(
    spoil: Any, emulator: Emulator, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that has to be renewed while its credentials are being rotated is used on; the next try renews it."""

    def refused() -> int:
        requests = emulator.recorder.requests("POST", "/v1/auth/oauth/token")
        return sum(request.status == 401 for request in requests)

    with anyio.fail_after(GENEROUS), caplog.at_level(logging.WARNING, "kognic_aio"):
        async with client_of(emulator, path) as client:
            await client.project.get_projects()
            emulator.platform.accounts.credentials[CLIENT_ID] = SECRET
            spoil(path)
            token_of(client).renew_at = time.monotonic()
            made = create_inputs(client, [cameras_scene(f"{n}") for n in range(5)], "project-a", sleep_time=0.01)
            assert {result.status async for result in made} == {InputCreationStatus.CREATED}
            assert refused() == (2 if spoil is replaced_too_early else 1)
            assert emulator.platform.accounts.tokens_issued == 1
            assert "the current one is used" in caplog.text
            assert "from now on" not in caplog.text
            write(path, SECRET)
            token_of(client).renew_at = time.monotonic()
            await client.project.get_projects()
    assert emulator.platform.accounts.tokens_issued == 2
    assert caplog.text.count("from now on") == 1
