"""The client opens late, closes all of its own, and keeps credentials to itself."""

import asyncio
import json
import pickle
import ssl
import threading
import traceback
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kognic.auth.credentials import ApiCredentials

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.errors import (
    ClosedError,
    ConnectError,
    CredentialsError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ProjectNotFoundError,
    UnauthorizedError,
    WorkspaceError,
)
from tests.scenes import cameras_scene
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def options(emulator: Emulator) -> dict[str, Any]:
    return emulator.client_options()


def credentials_of(emulator: Emulator, **more: Any) -> dict[str, Any]:
    """The content of a credentials file."""
    id_, secret = emulator.client_options()["auth"]
    return {"clientId": id_, "clientSecret": secret, "email": "a@b", "userId": 1, "issuer": "emulator"} | more


@pytest.mark.parametrize("form", ["tuple", "file", "path", "dict", "model", "variables", "variable"])
async def test_forms_of_credentials(
    form: str, emulator: Emulator, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials are found wherever kognic-auth finds them."""
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(credentials_of(emulator)))
    id_, secret = options["auth"]
    forms: dict[str, Any] = {
        "tuple": (id_, secret),
        "file": str(path),
        "path": path,
        "dict": credentials_of(emulator),
        "model": ApiCredentials(id_, secret, "a@b", 1, "emulator"),
    }
    if form == "variables":
        monkeypatch.setenv("KOGNIC_CLIENT_ID", id_)
        monkeypatch.setenv("KOGNIC_CLIENT_SECRET", secret)
    if form == "variable":
        monkeypatch.setenv("KOGNIC_CREDENTIALS", str(path))
    async with KognicIOClient(**options | {"auth": forms.get(form)}) as client:
        assert [project.project for project in await client.project.get_projects()] == ["project-a", "project-b"]


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("nowhere.json", "Could not find API Credentials file at nowhere.json"),
        ("credentials.yaml", "must be json"),
        ({"clientId": "a"}, "^credentials cannot be used: Missing key clientSecret"),
        (("a",), "tuple of"),
        (7, "Unsupported auth type"),
        ("expired", "expired at 2020-01-01"),
        ("broken", "credentials cannot be used"),
        (None, "no credentials: set KOGNIC_CREDENTIALS .*; a program may pass auth= instead$"),
    ],
)
async def test_credentials_that_cannot_be_used(
    auth: Any,
    words: str,
    emulator: Emulator,
    options: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Credentials that are missing, malformed or expired are an error that says so, before anything is sent."""
    for name in ("KOGNIC_CREDENTIALS", "KOGNIC_CLIENT_ID", "KOGNIC_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    contents = {
        "expired": json.dumps(credentials_of(emulator, expires="2020-01-01T00:00:00Z")),
        "broken": "{",
    }
    if isinstance(auth, str) and auth in contents:
        path = tmp_path / "credentials.json"
        path.write_text(contents[auth])
        auth = path
    with pytest.raises(CredentialsError, match=words):
        await KognicIOClient(**options | {"auth": auth}).open()
    assert emulator.recorder.connections_opened == 0


async def test_an_error_of_opening_is_short(emulator: Emulator, options: dict[str, Any]) -> None:
    """Whoever has wrong credentials sees what is wrong, and not how we found out."""
    with pytest.raises(CredentialsError) as caught:
        await KognicIOClient(**options | {"auth": ("nobody", "wrong")}).open()
    ours = [frame for frame in traceback.extract_tb(caught.value.__traceback__) if "kognic_aio" in frame.filename]
    assert {frame.name for frame in ours} <= {"open", "_open", "test_an_error_of_opening_is_short"}
    assert caught.value.__cause__ is None or caught.value.__cause__.__traceback__ is None


async def test_the_token_is_fetched_once_for_all_tasks(emulator: Emulator, client: KognicIOClient) -> None:
    """Many tasks share one token, and one renewal when it is revoked."""
    await asyncio.gather(*(client.project.get_projects() for _ in range(30)))
    assert emulator.platform.accounts.tokens_issued == 1
    emulator.platform.revoke_tokens()
    await asyncio.gather(*(client.project.get_projects() for _ in range(30)))
    assert emulator.platform.accounts.tokens_issued == 2


async def test_a_token_that_is_refused_again(emulator: Emulator, client: KognicIOClient) -> None:
    """If the renewed token is refused too, that is the error."""
    emulator.platform.timing.token_lifetime = 0.0
    emulator.platform.revoke_tokens()
    with pytest.raises(UnauthorizedError) as caught:
        await client.project.get_projects()
    assert caught.value.status == 401
    assert caught.value.method == "GET"


async def test_one_workspace_is_found(emulator: Emulator, client: KognicIOClient) -> None:
    """The only workspace is the one to write to."""
    assert client.workspace_id == emulator.platform.workspace_id


async def test_a_named_workspace_is_not_asked_for(emulator: Emulator, options: dict[str, Any]) -> None:
    """A workspace that is named is taken as it is."""
    async with KognicIOClient(**options, write_workspace_id="mine") as client:
        assert client.workspace_id == "mine"
    assert not emulator.recorder.requests("GET", "/v1/workspaces")


async def test_several_workspaces(emulator: Emulator, options: dict[str, Any]) -> None:
    """With several workspaces, or none, the client says that one must be named, and which there are."""
    workspaces = emulator.platform.accounts.workspaces
    (one,) = workspaces.values()
    workspaces["second"] = type(one)(id="second", external_id="second", name="Second", organization=one.organization)
    with pytest.raises(WorkspaceError, match=r"pass write_workspace_id: .* 2 workspaces: .*Second"):
        await KognicIOClient(**options).open()
    workspaces.clear()
    with pytest.raises(WorkspaceError, match="0 workspaces: none"):
        await KognicIOClient(**options).open()


async def test_a_failed_opening_leaves_nothing(emulator: Emulator, options: dict[str, Any]) -> None:
    """A client that could not be opened has closed its connections."""
    emulator.platform.accounts.workspaces.clear()
    with pytest.raises(WorkspaceError):
        await KognicIOClient(**options).open()
    await until(lambda: not emulator.recorder.connections_open)


async def test_an_organization_is_named_in_every_request(emulator: Emulator, options: dict[str, Any]) -> None:
    """`client_organization_id` goes into the headers, and into the query for the workspace."""
    async with KognicIOClient(**options, client_organization_id=1) as client:
        await client.project.get_projects()
    (workspaces,) = emulator.recorder.requests("GET", "/v1/workspaces")
    assert workspaces.query["organizationIds"] == "1"
    (projects,) = emulator.recorder.requests("GET", "/v1/projects")
    assert projects.headers["X-Organization-Id"] == "1"


async def test_a_client_that_is_not_open(options: dict[str, Any]) -> None:
    """Using a client before it is opened, or after it was closed, says what to do."""
    client = KognicIOClient(**options)
    with pytest.raises(ClosedError, match="async with client"):
        await client.project.get_projects()
    with pytest.raises(ClosedError, match="async with client"):
        await client.cameras.create(cameras_scene("scene"))
    async with client:
        await client.project.get_projects()
    with pytest.raises(ClosedError):
        await client.project.get_projects()
    await client.aclose()
    async with client:
        await client.project.get_projects()


async def test_a_session_of_the_callers_own(options: dict[str, Any]) -> None:
    """A session that was given is used and left open."""
    async with aiohttp.ClientSession() as session:
        async with KognicIOClient(**options, session=session) as client:
            await client.cameras.create(cameras_scene("scene"))
        assert not session.closed


async def test_a_session_that_raises_by_itself(options: dict[str, Any]) -> None:
    """A session that would raise for error statuses does not come between an error and its words."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        KognicIOClient(**options, session=session) as client,
    ):
        with pytest.raises(NotFoundError, match="no-such-project"):
            await client.project.get_project_batches("no-such-project")


async def test_sessions_that_cannot_be_used(options: dict[str, Any]) -> None:
    """A session with an authorization of its own, or that is closed, is refused when the client opens."""
    async with aiohttp.ClientSession(headers={"Authorization": "mine"}) as session:
        with pytest.raises(InvalidError, match="has its own Authorization"):
            await KognicIOClient(**options, session=session).open()
    with pytest.raises(InvalidError, match="it is closed"):
        await KognicIOClient(**options, session=session).open()


async def test_opening_twice(emulator: Emulator, options: dict[str, Any]) -> None:
    """Opening an open client, also at the same time, does nothing."""
    client = KognicIOClient(**options)
    await asyncio.gather(client.open(), client.open())
    await client.open()
    assert emulator.platform.accounts.tokens_issued == 1
    await client.aclose()


async def test_a_small_pool_of_the_callers_own(options: dict[str, Any]) -> None:
    """Waiting for a connection of a small pool takes time, but no scene fails of it."""
    connector = aiohttp.TCPConnector(limit=1)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        KognicIOClient(**options, session=session, timeout=1.0) as client,
    ):
        scenes = [cameras_scene(str(number), files=3) for number in range(20)]
        results = [result.status async for result in create_inputs(client, scenes, "project-a", sleep_time=0.01)]
    assert results == [InputCreationStatus.CREATED] * 20


async def test_loops_of_several_threads(options: dict[str, Any]) -> None:
    """Clients that were made in one thread work in others, with a loop each."""
    clients = [KognicIOClient(**options) for _ in range(3)]
    done: list[str] = []

    async def work(client: KognicIOClient) -> None:
        async with client:
            done.append((await client.cameras.create(cameras_scene("scene"))).scene_uuid)

    threads = [threading.Thread(target=lambda client=client: asyncio.run(work(client))) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(set(done)) == 3


async def test_another_loop(client: KognicIOClient) -> None:
    """A client that is used in another loop than its own says so."""

    def use() -> None:
        with pytest.raises(ClosedError, match="another event loop"):
            asyncio.run(client.project.get_projects())

    await asyncio.to_thread(use)


@pytest.mark.parametrize(
    "argument",
    [
        "host",
        "order_execution_api_host",
        "annotation_integration_api_host",
        "workspace_api_host",
        "project_management_api_host",
        "auth_host",
    ],
)
def test_no_credentials_over_plain_http(argument: str) -> None:
    """Plain http is refused save to this machine, for every host, before anything is sent."""

    def made(host: str) -> KognicIOClient:
        arguments: dict[str, Any] = {argument: host}
        return KognicIOClient(**arguments)

    with pytest.raises(InvalidError, match="credentials are not sent over plain http"):
        made("http://input.example.com")
    with pytest.raises(InvalidError, match="expected a URL such as https://"):
        made("input.example.com")
    for host in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://input.example.com"):
        made(host)


async def test_nobody_listens(options: dict[str, Any], emulator: Emulator) -> None:
    """When nobody listens, the error names the request."""
    await emulator.stop()
    options |= {"max_retry_attempts": 1, "write_workspace_id": "mine"}
    async with KognicIOClient(**options) as client:
        with pytest.raises(ConnectError, match="no connection for") as caught:
            await client.project.get_projects()
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_proxy_of_the_environment(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go through the proxy of the environment, but for those to this machine, whose token is in clear."""
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("no_proxy", "exempt.invalid")
    async with server:
        for host, trust_env in (("proxied", True), ("exempt", True), ("distrusted", False)):
            elsewhere: dict[str, Any] = options | {"host": f"https://{host}.invalid", "write_workspace_id": "mine"}
            async with KognicIOClient(**elsewhere, trust_env=trust_env, max_retry_attempts=1) as client:
                with pytest.raises(ConnectError):
                    await client.project.get_projects()
    assert asked == [b"CONNECT proxied.invalid:443 HTTP/1.1\r\n"]


async def test_errors_carry_the_platforms_words(emulator: Emulator, client: KognicIOClient) -> None:
    """An error of the platform has its words, its status and its request on attributes."""
    emulator.platform.refuse("scene", "scene", "not for you", status=403)
    with pytest.raises(ForbiddenError, match="not for you") as caught:
        await client.cameras.create(cameras_scene("scene"))
    assert caught.value.status == 403
    assert caught.value.message == "not for you"
    assert caught.value.url.endswith("/v1/inputs/cameras")


async def test_errors_travel_between_processes(client: KognicIOClient) -> None:
    """Errors can be pickled, with all their data."""
    with pytest.raises(NotFoundError) as caught:
        await client.project.get_project_batches("no-such-project")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is ProjectNotFoundError
    assert str(copy) == str(caught.value)
    assert copy.status == 404


@pytest.mark.parametrize("timeout", [-1, "5", None, True, float("nan")])
def test_a_timeout_that_is_none(timeout: Any) -> None:
    """A timeout must be a number of seconds."""
    with pytest.raises(InvalidError, match="timeout: expected seconds"):
        KognicIOClient(timeout=timeout)


async def test_secrets_stay_secret(
    emulator: Emulator, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """No secret, token or signature is logged, in an error, or in a repr."""
    caplog.set_level("DEBUG")
    emulator.platform.timing.url_lifetime = -1.0
    async with KognicIOClient(**options) as client:
        with pytest.raises(Exception, match="refused") as caught:
            await client.cameras.create(cameras_scene("scene"))
        held = (caught.value, client, vars(client._transport._auth_server), vars(client._transport._tokens))
        shown = caplog.text + str(caught.value) + repr(held)
    creation, *_ = [r for r in emulator.recorder.requests("POST") if r.path.endswith("/cameras")]
    token = creation.headers["Authorization"].removeprefix("Bearer ")
    assert "PUT" in shown
    for secret in (options["auth"][1], token, "X-Signature"):
        assert secret not in shown


def test_making_a_client_does_nothing() -> None:
    """A client can be made without a loop, and with credentials that are not there."""
    KognicIOClient(auth="nowhere.json", ssl=ssl.create_default_context())
