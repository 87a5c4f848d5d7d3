import asyncio
import hashlib
import logging
import runpy
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator

pytestmark = pytest.mark.anyio

EXAMPLE = Path(__file__).parents[2] / "examples" / "inside_a_service.py"
JPG = b"\xff\xd8\xff\xe0 as good as any image"


class Lines(logging.Handler):
    """The service's log, to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.queue.put_nowait(record.getMessage())


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, log = Lines(), logging.getLogger("service")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


@pytest.fixture
async def service(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """The example as a running service, and a session with its address."""
    client = KognicIOClient(**emulator.client_options())
    runner = web.AppRunner(runpy.run_path(str(EXAMPLE))["make_app"](client, "project-a"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await runner.cleanup()


async def test_a_request_creates_a_scene(service: aiohttp.ClientSession, emulator: Emulator) -> None:
    """A request is answered with the uuid of the scene, which has the bytes that were posted."""
    async with service.post("/scenes/one", data=JPG) as response:
        answer = await response.json()

    assert response.status == 200
    (stored,) = emulator.platform.scene(answer["sceneUuid"]).files.values()
    assert stored is not None
    assert stored.sha256 == hashlib.sha256(JPG).hexdigest()


async def test_a_request_with_nothing_in_it(service: aiohttp.ClientSession) -> None:
    """A request without an image is answered as a bad one, with what is wrong."""
    async with service.post("/scenes/one") as response:
        answer = await response.json()

    assert response.status == 400
    assert "it is empty" in answer["message"]


async def test_queued_scenes_become_inputs(service: aiohttp.ClientSession, emulator: Emulator, lines: Lines) -> None:
    """Requests are answered at once; the inputs come while the service runs, bad ones among them."""
    emulator.platform.refuse("processing", "bad", "no image")
    for name in ("good", "bad", "also-good"):
        async with service.post(f"/inputs/{name}", data=JPG) as response:
            assert response.status == 202

    results = sorted([await lines.queue.get() for _ in range(3)])
    assert [result.partition(":")[0] for result in results] == [
        "also-good is created",
        "bad is failed",
        "good is created",
    ]


async def test_nothing_is_queued_in_vain(emulator: Emulator, lines: Lines) -> None:
    """When inputs can no longer be created, as in an unknown project, the service says so."""
    client = KognicIOClient(**emulator.client_options())
    runner = web.AppRunner(runpy.run_path(str(EXAMPLE))["make_app"](client, "no-such-project"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    assert "no further inputs are created" in await lines.queue.get()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/inputs/one"
    async with aiohttp.ClientSession() as session, session.post(url, data=JPG) as response:
        assert response.status == 503
    await runner.cleanup()
