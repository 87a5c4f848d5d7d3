"""However a run is left, within a second nothing of it is left behind."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import kognic_aio.client
from kognic_aio import (
    FileData,
    InputCreation,
    InputCreationResult,
    InputCreationStatus,
    KognicIOClient,
    Limits,
    create_inputs,
)
from kognic_aio.emulator import Emulator
from kognic_aio.errors import ClosedError
from kognic_aio.files.source import CLOSING_TIME
from kognic_aio.model import Cameras, CamerasSequence, Image
from kognic_aio.pipeline.creation import ENDING_TIME
from kognic_aio.pipeline.source import RELEASING_TIME
from kognic_aio.scenes.abandon import ABANDONING_TIME
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

LARGE = 3 << 20
PATIENT: dict[str, Any] = {"visibility_timeout": HOUR, "timeout": HOUR}
"""Options of a client with which nothing ends because it has waited for long enough."""


class Watch:
    """Knows what was there before a run, and waits until nothing else is left."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._tasks = asyncio.all_tasks()

    async def nothing_left(self, *, closed: bool = False) -> None:
        with anyio.move_on_after(GENEROUS):
            while self._left(closed):
                await anyio.sleep(0.005)
        assert self._left(closed) == []

    def _left(self, closed: bool) -> list[object]:
        """The tasks that are not the server's, open files, uploads under way, and, of a closed client, connections."""
        tasks = [task for task in asyncio.all_tasks() - self._tasks if "RequestHandler" not in repr(task.get_coro())]
        files = [path for path in map(_target, Path("/proc/self/fd").iterdir()) if path.endswith(".jpg")]
        recorder = self._emulator.recorder
        uploads = ["upload"] * recorder.in_flight["uploads"]
        return [*tasks, *files, *uploads, *(["connection"] * recorder.connections_open if closed else [])]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """A file that is streamed, so that it is open while it is uploaded."""
    path = tmp_path / "large.jpg"
    path.write_bytes(bytes(LARGE))
    return path


@pytest.fixture
def endless(large_file: Path) -> Iterator[Cameras]:
    def scenes() -> Iterator[Cameras]:
        number = 0
        while True:
            streamed = Image(filename=str(large_file))
            small = cameras_scene("small", files=3).frame.images
            yield Cameras(external_id=f"scene-{number}", frame=Cameras.Frame(images=[streamed, *small]))
            number += 1

    return scenes()


async def first_of(run: InputCreation) -> InputCreationResult:
    return await anext(aiter(run))


async def leave_by_break(client: KognicIOClient, source: Any) -> None:
    async for result in create_inputs(client, source, "project-a", sleep_time=0.01):
        assert result.status is InputCreationStatus.CREATED
        break


async def leave_by_break_in_context(client: KognicIOClient, source: Any) -> None:
    async with create_inputs(client, source, "project-a", sleep_time=0.01) as results:
        async for _ in results:
            break


async def leave_by_exception(client: KognicIOClient, source: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async for _ in create_inputs(client, source, "project-a", sleep_time=0.01):
            raise ZeroDivisionError


async def leave_by_dropping(client: KognicIOClient, source: Any) -> None:
    run = create_inputs(client, source, "project-a", sleep_time=0.01)
    await first_of(run)


async def leave_by_dropping_in_a_thread(client: KognicIOClient, source: Any) -> None:
    runs = [create_inputs(client, source, "project-a", sleep_time=0.01)]
    await first_of(runs[0])
    thread = threading.Thread(target=runs.clear)
    thread.start()
    await anyio.to_thread.run_sync(thread.join)


async def leave_by_cancelling_the_consumer(client: KognicIOClient, source: Any) -> None:
    begun = anyio.Event()

    async def consume() -> None:
        async for _ in create_inputs(client, source, "project-a", sleep_time=0.01):
            begun.set()

    consumer = asyncio.create_task(consume())
    with anyio.fail_after(GENEROUS):
        await begun.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer


async def leave_by_cancelling_the_scope(client: KognicIOClient, source: Any) -> None:
    with anyio.CancelScope() as scope:
        async with create_inputs(client, source, "project-a", sleep_time=0.01) as results:
            async for _ in results:
                scope.cancel()


async def leave_by_closing_the_run(client: KognicIOClient, source: Any) -> None:
    run = create_inputs(client, source, "project-a", sleep_time=0.01)
    await first_of(run)
    await run.aclose()
    await run.aclose()
    assert [result async for result in run] == []


async def leave_by_asking_with_a_timeout(client: KognicIOClient, source: Any) -> None:
    run = create_inputs(client, source, "project-a", sleep_time=0.01)
    with anyio.fail_after(GENEROUS), pytest.raises(TimeoutError):
        while True:
            await asyncio.wait_for(anext(run), 0.0005)


WAYS = [way for name, way in globals().items() if name.startswith("leave_by_")]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_nothing_is_left_of_a_run(
    way: Callable[[KognicIOClient, Any], Awaitable[None]], endless: Iterator[Cameras], emulator: Emulator
) -> None:
    """Whichever way a run is left, its tasks, files and uploads are gone soon, and it can be left again."""
    async with KognicIOClient(**emulator.client_options(), **PATIENT) as client:
        watch = Watch(emulator)
        await way(client, endless)
        await watch.nothing_left()
        assert (await client.cameras.create(cameras_scene("after"))).scene_uuid
    await watch.nothing_left(closed=True)


async def test_a_source_that_hangs_in_a_thread(client: KognicIOClient, emulator: Emulator) -> None:
    """A run whose file waits in a thread for bytes that do not come ends all the same, and the loop goes on."""
    reading, writing = os.pipe()
    watch = Watch(emulator)
    stream = os.fdopen(reading, "rb")
    run = create_inputs(client, [cameras_scene("one", data=stream)], "project-a")
    waiting = asyncio.ensure_future(anext(run))
    await until(lambda: emulator.recorder.in_flight["scene-jobs"])
    with anyio.fail_after(GENEROUS):
        await run.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting
    os.close(writing)
    await until(lambda: stream.closed)
    await watch.nothing_left()


async def test_closing_the_client_ends_its_runs(endless: Iterator[Cameras], emulator: Emulator) -> None:
    """A client that closes ends its runs; their consumers are told, and nothing is left."""
    client = await KognicIOClient(**emulator.client_options(), **PATIENT).open()
    watch = Watch(emulator)
    run = create_inputs(client, endless, "project-a", sleep_time=0.01)
    await anext(run)
    await client.aclose()
    with anyio.fail_after(GENEROUS), pytest.raises(ClosedError, match="closed"):
        while True:
            await anext(run)
    await watch.nothing_left(closed=True)


async def test_closing_the_client_inside_the_loop(endless: Iterator[Cameras], emulator: Emulator) -> None:
    """The consumer itself may close the client."""
    client = await KognicIOClient(**emulator.client_options(), **PATIENT).open()
    watch = Watch(emulator)
    with pytest.raises(ClosedError):
        async for _ in create_inputs(client, endless, "project-a", sleep_time=0.01):
            await client.aclose()
    await watch.nothing_left(closed=True)


async def test_a_run_that_never_began(client: KognicIOClient, emulator: Emulator) -> None:
    """A run that nobody asks for a result does nothing; whoever entered or closed it wants it so."""
    watch = Watch(emulator)
    async with create_inputs(client, [cameras_scene("one")], "project-a"):
        pass
    await create_inputs(client, [cameras_scene("one")], "project-a").aclose()
    await watch.nothing_left()
    assert not emulator.recorder.requests("GET", "/v1/projects")


async def test_a_run_that_is_closed_as_it_begins(client: KognicIOClient, emulator: Emulator) -> None:
    """Who waits for the first result of a run that is closed at once waits no longer."""
    watch = Watch(emulator)
    run = create_inputs(client, [cameras_scene("one")], "project-a")
    waiting = asyncio.ensure_future(anext(run))
    await anyio.lowlevel.checkpoint()
    await run.aclose()
    with anyio.fail_after(GENEROUS), pytest.raises(StopAsyncIteration):
        await waiting
    await watch.nothing_left()


async def test_two_consumers_of_a_run_that_fails(client: KognicIOClient) -> None:
    """Each one who waits for a result is told why there are no more."""

    async def broken() -> AsyncIterator[Cameras]:
        await anyio.sleep(0.05)
        raise ZeroDivisionError
        yield cameras_scene("never")

    run = create_inputs(client, broken(), "project-a")
    ends = await asyncio.gather(anext(run), anext(run), return_exceptions=True)
    assert [type(end) for end in ends] == [ZeroDivisionError] * 2


@pytest.mark.parametrize("times", [1, 2])
async def test_a_client_whose_task_is_cancelled(times: int, endless: Iterator[Cameras], emulator: Emulator) -> None:
    """A client closes, however often the task that uses it is cancelled meanwhile."""
    watch, begun = Watch(emulator), anyio.Event()

    async def ingest() -> None:
        async with KognicIOClient(**emulator.client_options(), **PATIENT) as client:
            async for _ in create_inputs(client, endless, "project-a", sleep_time=0.01):
                begun.set()

    task = asyncio.create_task(ingest())
    with anyio.fail_after(GENEROUS):
        await begun.wait()
    for _ in range(times):
        task.cancel()
        await anyio.lowlevel.checkpoint()
    await asyncio.wait([task], timeout=GENEROUS)
    await watch.nothing_left(closed=True)


async def test_files_that_hang(client: KognicIOClient, emulator: Emulator) -> None:
    """Many streams that do not give anything are left together: one after another would take more than a minute."""
    pipes = [os.pipe() for _ in range(160)]
    streams = [os.fdopen(reading, "rb") for reading, _ in pipes]
    images = [Image(filename=f"{n}.jpg", file_data=FileData(data=s, format="jpg")) for n, s in enumerate(streams)]
    frames = [
        CamerasSequence.Frame(frame_id=str(start), relative_timestamp=start, images=images[start : start + 8])
        for start in range(0, len(images), 8)
    ]
    scene, limits = CamerasSequence(external_id="one", frames=frames), Limits(uploads=len(pipes))
    run = create_inputs(client, [scene], "project-a", limits=limits)
    waiting = asyncio.ensure_future(anext(run))
    await until(lambda: sum(thread.name == "kognic_aio" for thread in threading.enumerate()) >= len(pipes))
    await run.aclose()
    await until(lambda: run._task is not None and run._task.done())
    for _, writing in pipes:
        os.close(writing)
    with pytest.raises(StopAsyncIteration):
        await waiting
    await until(lambda: all(stream.closed for stream in streams))


async def test_a_timeout_while_waiting_loses_no_result(client: KognicIOClient) -> None:
    """A consumer that waits for results with timeouts gets every one of them."""
    run = create_inputs(client, [cameras_scene(str(number)) for number in range(40)], "project-a", sleep_time=0.01)
    seen = []
    with anyio.fail_after(GENEROUS):
        while True:
            try:
                seen.append((await asyncio.wait_for(anext(run), 0.001)).external_id)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert sorted(seen, key=lambda name: int(name or 0)) == [str(number) for number in range(40)]


async def test_a_slow_consumer_slows_the_feeder(client: KognicIOClient) -> None:
    """Scenes are taken from the source only as their results are fetched, within the limits."""
    taken = 0

    def source() -> Iterator[Cameras]:
        nonlocal taken
        while True:
            taken += 1
            yield cameras_scene(str(taken))

    limits = Limits(in_flight=4)
    async with create_inputs(client, source(), "project-a", sleep_time=0.01, limits=limits) as run:
        for _ in range(3):
            await anext(run)
        await until(lambda: run.progress.settled == 2 + 4)  # of the third nobody has come back yet
        assert taken <= 2 + 4 + 1


def test_a_second() -> None:
    """What cannot be ended at once is waited for within the second that the README promises."""
    assert max(ENDING_TIME, kognic_aio.client.CLOSING_TIME) == 1.0
    assert ABANDONING_TIME + RELEASING_TIME < 1.0
    assert CLOSING_TIME < 1.0
