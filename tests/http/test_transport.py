"""What a request does when the server does not do what it should, over a real socket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest
from aiohttp import web
from attrs import evolve

from kognic_aio import FileData, InputCreationResult, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio._http.retry import READ
from kognic_aio._http.storage import Storage
from kognic_aio.client import backend_of
from kognic_aio.emulator import Emulator
from kognic_aio.errors import (
    ApiError,
    KognicError,
    LostAnswerError,
    MalformedAnswerError,
    ServerError,
    StorageError,
    TimedOutError,
    UnavailableError,
)
from kognic_aio.model import Cameras, Image
from kognic_aio.scenes.lookup import find_scenes
from tests.scripted import Server, Step, client_of, drop, ok, serving, status, text
from tests.uploads import put

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[KognicIOClient]:
    async with client_of(server) as client:
        yield client


@pytest.mark.parametrize(
    "trouble",
    [status(503), status(500), status(429), status(408), status(503, **{"Retry-After": "0"}), drop, text('{"data": [')],
    ids=["503", "500", "429", "408", "retry-after", "dropped", "truncated"],
)
async def test_reads_are_repeated(trouble: Step, server: Server, client: KognicIOClient) -> None:
    """A read is repeated after what may pass."""
    server.steps = [trouble, trouble, ok([])]
    assert await client.project.get_projects() == []
    assert len(server.requests) == 3


async def test_reads_are_not_repeated_for_ever(server: Server, client: KognicIOClient) -> None:
    """A read that goes on to fail ends with the last error."""
    server.steps = [status(503) for _ in range(9)]
    with pytest.raises(ServerError, match="status 503"):
        await client.project.get_projects()
    assert len(server.requests) == 5


@pytest.mark.parametrize("trouble", [status(503), status(429)], ids=["503", "429"])
async def test_what_creates_is_repeated_if_it_did_nothing(
    trouble: Step, server: Server, client: KognicIOClient
) -> None:
    """A request that creates something is repeated if it was turned away."""
    server.steps = [trouble, ok([])]
    assert await client.cameras.create_from_scene("scene", "project") == []


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (status(500), ServerError),
        (drop, LostAnswerError),
        (text("<html>"), MalformedAnswerError),
        (ok([{"uuid": "u"}]), MalformedAnswerError),
        (status(400), ApiError),
    ],
    ids=["500", "dropped", "html", "half-an-input", "400"],
)
async def test_what_creates_is_not_repeated_blindly(
    trouble: Step, error: type[KognicError], server: Server, client: KognicIOClient
) -> None:
    """A request that creates something is sent once if it may have had its effect."""
    server.steps = [trouble]
    with pytest.raises(error):
        await client.cameras.create_from_scene("scene", "project")
    assert [path for method, path, _, _ in server.requests if method == "POST"] == ["/v1/inputs"]


async def test_malformed_answers_name_the_place(server: Server, client: KognicIOClient) -> None:
    """An answer that does not fit is an error with the path of what is wrong."""
    server.steps = [ok([{"uuid": "u"}])]
    with pytest.raises(MalformedAnswerError, match=r"required field missing @ \$\[0\]\.scene_uuid") as caught:
        await client.cameras.create_from_scene("scene", "project")
    assert "required field missing @ $[0].scene_uuid" in caught.value.problems


async def test_no_answer_in_time(server: Server) -> None:
    """A server that is silent for too long is an error of ours; one that creates something is not asked again."""
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST")
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    options: dict[str, Any] = {"host": url, "auth_host": server.url, "write_workspace_id": "mine", "timeout": 0.2}
    async with listener, KognicIOClient(auth=("id", "secret"), **options) as client:
        with pytest.raises(TimedOutError, match="timed out waiting for the response"):
            await client.cameras.create_from_scene("scene", "project")
    assert asked == 1


async def test_redirects_are_not_followed(server: Server, client: KognicIOClient) -> None:
    """A redirect may pass, but is not followed: the token must not go to another host. The error says where to."""
    server.always = status(302, Location="http://me:secret@127.0.0.2:9/elsewhere?token=secret")
    with pytest.raises(
        ApiError, match=r"redirected to http://127\.0\.0\.2:9/elsewhere, which is not followed"
    ) as caught:
        await client.project.get_projects()
    assert caught.value.status == 302
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 5


async def test_sunset(server: Server, client: KognicIOClient, caplog: pytest.LogCaptureFixture) -> None:
    """An endpoint that will go is warned of, loudly when it will go soon."""
    soon, late = "2020-01-01T00:00:00.000000Z", "2999-01-01T00:00:00Z"
    server.steps = [status(200, [], **{"sunset-date": date}) for date in (late, soon)]
    with caplog.at_level(logging.WARNING, "kognic_aio"):
        await client.project.get_projects()
        await client.project.get_projects()
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "v1/projects will be removed on 2999-01-01" in caplog.text


def image(data: Any) -> Image:
    return Image(filename="a.jpg", file_data=FileData(format=FileData.Format.JPG, data=data))


def storage_of(client: KognicIOClient) -> Storage:
    return backend_of(client).storage


@pytest.mark.parametrize("trouble", [status(503), status(500), drop], ids=["503", "500", "dropped"])
async def test_uploads_are_repeated_whole(trouble: Step, server: Server, client: KognicIOClient) -> None:
    """Every attempt at an upload sends the whole file, to the URL as it was signed."""
    server.steps = [trouble, trouble, ok({})]
    signed = f"{server.url}/bucket/a%20file?X-Signature=a%2Bb%3D&X-Expires=1"
    assert await put(storage_of(client), signed, image(b"the whole image")) == 15
    assert [(path, body) for _, path, body, _ in server.requests] == [
        ("/bucket/a%20file?X-Signature=a%2Bb%3D&X-Expires=1", b"the whole image")
    ] * 3
    assert all("Authorization" not in headers for *_, headers in server.requests)


async def test_a_refused_upload_is_final(server: Server, client: KognicIOClient) -> None:
    """An upload that is refused is an error with the storage's words, and without the signature."""
    server.steps = [lambda request: web.Response(status=403, text="<Code>SignatureDoesNotMatch</Code>")]
    with pytest.raises(StorageError, match="SignatureDoesNotMatch") as caught:
        await put(storage_of(client), f"{server.url}/a?X-Signature=secret", image(b"image"))
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert len(server.requests) == 1


async def test_what_can_be_read_once_is_sent_again(server: Server, client: KognicIOClient) -> None:
    """Data that can be read only once is sent again as any other."""
    server.steps = [status(503), ok({})]
    assert await put(storage_of(client), f"{server.url}/a", image(iter([b"a", b"b"]))) == 2
    assert [body for _, _, body, _ in server.requests] == [b"ab"] * 2


async def test_large_bodies(server: Server, client: KognicIOClient) -> None:
    """A body of megabytes is sent without a warning, and anew for each try."""
    server.steps = [status(503), ok({"id": "uuid"})]
    annotation = {"openlabel": {"objects": {"1": {"name": "x" * (3 << 20)}}}}
    await client.pre_annotation.create("scene", annotation)
    assert [json.loads(body)["preAnnotation"] for _, _, body, _ in server.requests] == [annotation] * 2


@pytest.mark.parametrize(("attempts", "attempts_at_a_token"), [(3, 3), (10, 4)])
async def test_an_auth_server_that_nobody_hears(attempts: int, attempts_at_a_token: int) -> None:
    """A token has tries of its own, four at most: they are not multiplied by those of the request that needs it."""
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    bounds: dict[str, Any] = {"max_retry_attempts": attempts, "max_retry_wait_time": 0.001}
    async with listener:
        with pytest.raises(LostAnswerError, match="/v1/auth/oauth/token"):
            await KognicIOClient(auth=("id", "secret"), auth_host=url, workspace_api_host=url, **bounds).open()
    assert asked == attempts_at_a_token


@pytest.mark.parametrize(("counts_as", "error"), [("the same", ServerError), (None, UnavailableError)])
async def test_an_auth_server_that_fails_one_question(
    counts_as: str | None, error: type[KognicError], server: Server
) -> None:
    """If only requests that count as one get no token, the auth server is not taken to be broken."""

    async def fail(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=500)

    server.token = fail
    async with client_of(server, attempts=1) as client:
        api = backend_of(client).api.with_policy(evolve(READ, breaker_key=counts_as))
        for _ in range(3):
            with pytest.raises((ServerError, UnavailableError)):
                await find_scenes(api, ["uuid"])
        with pytest.raises(error):
            await find_scenes(api, ["uuid"])


class Platform(Server):
    """A server of which only the latest token is valid, and which answers to the first wishes for one as it is told."""

    def __init__(self, *troubles: Step) -> None:
        super().__init__()
        self.troubles = list(troubles)
        self.tokens = 0
        self.is_revoked = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/token"):
            if self.troubles:
                return self.troubles.pop(0)(request)
            self.tokens += 1
            self.is_revoked = False
            return web.json_response({"access_token": f"token-{self.tokens}", "expires_in": 3600})
        is_valid = not self.is_revoked and request.headers["Authorization"] == f"Bearer token-{self.tokens}"
        return web.json_response([]) if is_valid else status(401)(request)

    async def __aenter__(self) -> Self:
        self.runner = web.ServerRunner(web.Server(self.handle), shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()


async def test_a_token_that_is_revoked() -> None:
    """A token that is refused in the middle is renewed once, for all tasks; their requests are repeated."""
    async with Platform() as platform, client_of(platform) as client:
        assert await client.project.get_projects() == []
        platform.is_revoked = True
        assert await asyncio.gather(*(client.project.get_projects() for _ in range(100))) == [[]] * 100
    assert platform.tokens == 2


@pytest.mark.parametrize("trouble", [status(503), status(429), drop], ids=["503", "429", "dropped"])
async def test_an_auth_server_in_trouble(trouble: Step) -> None:
    """A token that cannot be had at once is asked for again."""
    async with Platform(trouble, trouble) as platform, client_of(platform, attempts=3) as client:
        assert await client.project.get_projects() == []
    assert platform.tokens == 1


async def test_a_host_that_goes_away_ends_a_run() -> None:
    """When the platform is gone, a run ends with one error that says so, and what had settled is delivered."""
    emulator = Emulator()
    await emulator.start()
    options = emulator.client_options() | {"max_retry_wait_time": 0.001, "max_retry_attempts": 3}
    first_has_settled = asyncio.Event()
    results: list[InputCreationResult] = []

    async def scenes() -> AsyncIterator[Cameras]:
        yield cameras("first")
        await first_has_settled.wait()
        await emulator.stop()
        for i in range(10_000):
            yield cameras(f"later-{i}")

    async with KognicIOClient(**options) as client:
        with pytest.raises(UnavailableError, match="is unavailable: the last 3 requests failed after all retries"):
            async for result in create_inputs(client, scenes(), "project-b", sleep_time=0.001):
                results.append(result)
                first_has_settled.set()
    assert (results[0].external_id, results[0].status) == ("first", InputCreationStatus.CREATED)
    assert len(results) < 20


def cameras(external_id: str) -> Cameras:
    return Cameras(external_id=external_id, frame=Cameras.Frame(images=[image(b"image")]))
