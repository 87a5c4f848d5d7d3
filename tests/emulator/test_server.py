"""The server: what it records, how it answers what it does not know, how it starts and stops."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import anyio
import pytest

from kognic_aio.emulator import WORKSPACE_ID, Emulator, Platform
from tests.certificates import Certificates
from tests.waiting import GENEROUS, until

from .support import Caller, scene_body

pytestmark = pytest.mark.anyio


async def slowly(go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """A body whose second half comes when it is told to."""
    yield b"first half, "
    await go_on.wait()
    yield b"second half"


async def test_recorded_request(caller: Caller, emulator: Emulator) -> None:
    """Each request is recorded with all that it consisted of and what it was answered."""
    caller.headers["X-Organization-Id"] = "7"
    await caller.create(where="project/project-a/")
    *_, request = emulator.recorder.requests("POST", "/v1/inputs/project")
    assert (request.path, dict(request.query)) == (
        "/v1/inputs/project/project-a/cameras",
        {"workspaceId": WORKSPACE_ID},
    )
    assert request.endpoint == "POST v1/inputs/project/{project}/cameras"
    assert request.headers["x-organization-id"] == "7"
    assert request.body["frame"] == scene_body("cameras")["frame"]
    assert request.status == 200
    assert request.ended is not None
    assert request.started <= request.ended


async def test_recorded_upload(caller: Caller, emulator: Emulator) -> None:
    """An upload is recorded with size and digest in place of its bytes."""
    await caller.put((await caller.create()).data["files"]["0.jpg"], b"a file")
    (request,) = emulator.recorder.requests("PUT")
    assert (request.size, request.sha256) == (6, hashlib.sha256(b"a file").hexdigest())
    assert (request.body, request.content) == (None, b"")


async def test_refused_requests_are_recorded(caller: Caller, emulator: Emulator) -> None:
    """What was refused is recorded too, with its status."""
    await caller.get("v1/nowhere")
    await caller.post("v1/inputs", {"sceneUuid": "nobody", "project": "project-a"})
    caller.headers = {}
    await caller.get("v1/projects")
    statuses = [(request.endpoint, request.status) for request in emulator.recorder.requests()[-3:]]
    assert statuses == [("", 404), ("POST v1/inputs", 404), ("GET v1/projects", 401)]


async def test_only_the_latest_requests_are_kept(platform: Platform) -> None:
    """The recorder keeps as many requests as it is told to, and counts them all."""
    async with Emulator(platform=platform, keep_requests=2) as emulator, aiohttp.ClientSession() as session:
        for index in range(5):
            await Caller(emulator, session).get(f"v1/{index}")
        assert [request.path for request in emulator.recorder.requests()] == ["/v1/3", "/v1/4"]
        assert emulator.recorder.requests_by_endpoint[""] == 5


async def test_peak_of_uploads(caller: Caller, emulator: Emulator) -> None:
    """The recorder knows how many uploads are in flight, and the most there were."""
    url = (await caller.create()).data["files"]["0.jpg"]
    go_on = asyncio.Event()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(caller.put, url, slowly(go_on))
        await until(lambda: emulator.recorder.in_flight["uploads"] == 3)
        go_on.set()
    assert emulator.recorder.in_flight["uploads"] == 0
    assert emulator.recorder.peak["uploads"] == 3


async def test_peak_of_api_requests(platform: Platform) -> None:
    """API requests are counted apart from uploads."""
    async with Emulator(platform=platform, api_latency=0.001) as emulator, aiohttp.ClientSession() as session:
        caller = Caller(emulator, session)
        await asyncio.gather(*[caller.get("v1/projects") for _ in range(5)])
        assert emulator.recorder.peak == {"uploads": 0, "downloads": 0, "api": 5, "scene-jobs": 0}
        assert emulator.recorder.in_flight["api"] == 0


async def test_peak_of_scene_jobs(caller: Caller, emulator: Emulator) -> None:
    """A scene job lasts from the creation of a scene to its commit or its invalidation."""
    first, second = [(await caller.create()).data for _ in range(2)]
    assert emulator.recorder.in_flight["scene-jobs"] == 2
    await caller.upload_and_commit(first)
    body = {"sceneUuids": [first["internalId"], second["internalId"]], "reason": "duplicate"}
    await caller.post("v2/scenes/actions/invalidate", body)
    assert emulator.recorder.in_flight["scene-jobs"] == 0
    assert emulator.recorder.peak["scene-jobs"] == 2


async def test_connections(caller: Caller, emulator: Emulator) -> None:
    """Accepted connections are counted, those that are open and all that ever were."""
    recorder = emulator.recorder
    assert (recorder.connections_opened, recorder.connections_open) == (1, 1)
    async with aiohttp.ClientSession() as session:
        await Caller(emulator, session).get("v1/projects")
        assert (recorder.connections_opened, recorder.connections_open) == (2, 2)
    await until(lambda: recorder.connections_open == 1)
    assert (recorder.connections_opened, recorder.connections_peak) == (2, 2)
    await caller.get("v1/projects")
    assert recorder.connections_opened == 2


async def test_report(caller: Caller) -> None:
    """The report tells another process the counters without a token, and does not count itself."""
    await caller.make_scene(where="project/project-a/")
    caller.headers = {}
    first, second = [await caller.get("emulator/report") for _ in range(2)]
    assert first.json == second.json
    report = first.json
    assert report["requests"]["POST v1/inputs/{scene}/actions/commit"] == 1
    assert report["peak"] == {"uploads": 1, "downloads": 0, "api": 1, "scene-jobs": 1}
    assert (report["scenes"], report["inputs"], report["objects"]) == ({"created": 3}, 3, 1)
    assert (report["connections_opened"], report["tokens_issued"]) == (1, 1)


@pytest.mark.parametrize("path", ["", "v1", "v1/nowhere", "v1/inputs/", "v1/inputs/cameras/x", "v3/inputs"])
async def test_unknown_path(caller: Caller, path: str) -> None:
    """A path that no endpoint has is answered with 404 and a message."""
    answer = await caller.get(path)
    assert (answer.status, answer.message) == (404, f"there is no /{path}")


async def test_wrong_method(caller: Caller) -> None:
    """A path that another method has is answered with 405 and a message."""
    answer = await caller.get("v2/inputs/query")
    assert (answer.status, answer.message) == (405, "/v2/inputs/query does not take GET, only POST")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a": 1,}', b"[" * 100_000])
async def test_malformed_json(caller: Caller, content: bytes) -> None:
    """A body that is not JSON is refused."""
    answer = await caller.request("POST", "v1/inputs", data=content, headers=caller.headers)
    assert answer.status == 400
    assert "the body is not JSON" in answer.message


async def test_client_that_goes_away(caller: Caller, emulator: Emulator, platform: Platform) -> None:
    """An upload whose client goes away half-way stores nothing and does not stay in flight."""
    url = (await caller.create()).data["files"]["0.jpg"]
    upload = asyncio.create_task(caller.put(url, slowly(asyncio.Event())))
    await until(lambda: emulator.recorder.in_flight["uploads"] == 1)
    upload.cancel()
    await until(lambda: emulator.recorder.in_flight["uploads"] == 0)
    assert not platform.objects


async def test_options_name_every_host(emulator: Emulator) -> None:
    """The options of a client lead every API to the emulator."""
    options = emulator.client_options()
    assert options.pop("auth") == ("emulator-client-id", "emulator-client-secret")
    assert set(options.values()) == {emulator.url}
    assert "host" in options


async def test_start_and_stop_may_be_repeated(platform: Platform) -> None:
    """Starting twice is starting once, stopping twice is stopping once, and a restart keeps the state."""
    emulator = Emulator(platform=platform)
    await emulator.stop()
    await emulator.start()
    url = emulator.url
    await emulator.start()
    assert emulator.url == url
    async with aiohttp.ClientSession() as session:
        caller = Caller(emulator, session)
        await caller.log_in()
        uuid = await caller.make_scene()
        await emulator.stop()
        await emulator.stop()
        await emulator.start()
        assert await caller.status(uuid) == "created"
    await emulator.stop()


async def test_no_url_before_the_start() -> None:
    """An emulator that does not listen says so."""
    with pytest.raises(RuntimeError, match="the emulator is not started"):
        _ = Emulator().url


async def test_stop_with_open_connections(platform: Platform) -> None:
    """Stopping closes the connections of clients that are idle or in the middle of an upload."""
    async with AsyncExitStack() as stack:
        emulator = Emulator(platform=platform)
        await emulator.start()
        caller = Caller(emulator, await stack.enter_async_context(aiohttp.ClientSession()))
        await caller.log_in()
        url = (await caller.create()).data["files"]["0.jpg"]
        upload = asyncio.create_task(caller.put(url, slowly(asyncio.Event())))
        await until(lambda: emulator.recorder.in_flight["uploads"] == 1)
        with anyio.fail_after(GENEROUS):
            await emulator.stop()
            with pytest.raises(aiohttp.ClientError):
                await upload
        await until(lambda: emulator.recorder.connections_open == 0)
        assert emulator.recorder.in_flight["uploads"] == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "localhost", "::1"])
async def test_the_url_can_be_reached(host: str) -> None:
    """Whatever it listens on, its URL is one that clients on this machine can use."""
    async with Emulator(host=host) as emulator, aiohttp.ClientSession() as session:
        async with session.get(f"{emulator.url}/emulator/report") as answer:
            assert answer.status == 200
        assert "0.0.0.0" not in emulator.url


async def test_it_speaks_tls(tmp_path: Path) -> None:
    """With a certificate, the APIs and the signed URLs are https, and a scene is created as without."""
    certificates = Certificates(tmp_path)
    async with Emulator(ssl=certificates.server("127.0.0.1")) as emulator:
        connector = aiohttp.TCPConnector(ssl=certificates.client())
        async with aiohttp.ClientSession(connector=connector) as session:
            caller = Caller(emulator, session)
            await caller.log_in()
            assert emulator.url.startswith("https://127.0.0.1:")
            url = (await caller.create()).data["files"]["0.jpg"]
            assert url.startswith(f"{emulator.url}/storage/")
            assert (await caller.put(url, b"a file")).status == 200
