"""Threads are ours: nobody else's are needed, and none keeps a process alive."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from kognic_aio import KognicIOClient
from kognic_aio._threads import in_thread
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras, Image
from tests.files.scenes import MIB, check_arrival, content_of, ingest
from tests.waiting import GENEROUS, until

pytestmark = pytest.mark.anyio


def local_scene(number: int, folder: Path, size: int = 3 * MIB) -> Cameras:
    path = folder / f"{number}.jpg"
    path.write_bytes(content_of(number, size))
    return Cameras(external_id=str(number), frame=Cameras.Frame(images=[Image(filename=str(path))]))


async def test_an_executor_that_is_full(emulator: Emulator, tmp_path: Path) -> None:
    """A client opens, looks names up and uploads files while the application has filled its own executor."""
    release = threading.Event()
    executor = ThreadPoolExecutor(max_workers=2)
    asyncio.get_running_loop().set_default_executor(executor)
    blocked = [asyncio.get_running_loop().run_in_executor(None, release.wait) for _ in range(4)]
    scenes = [local_scene(number, tmp_path, 8 << number * 4) for number in range(6)]
    hosts = {name: str(value).replace("127.0.0.1", "localhost") for name, value in emulator.client_options().items()}
    try:
        async with KognicIOClient(**hosts | {"auth": emulator.client_options()["auth"]}) as client:
            results = await ingest(client, scenes)
    finally:
        release.set()
        await asyncio.gather(*blocked)
    check_arrival(emulator, results, lambda number: content_of(number, 8 << number * 4))


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """Have every `open` of a file block, as on a dead mount: another process has a lease on it."""
    code = (
        "import fcntl, signal, sys; signal.signal(signal.SIGIO, signal.SIG_IGN)\n"
        "file = open(sys.argv[1], 'r+b'); fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        holder.communicate(timeout=GENEROUS)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")
@pytest.mark.parametrize(("size", "started"), [(1000, 0), (3 * MIB, 1)], ids=["small", "large"])
async def test_open_that_hangs(size: int, started: int, emulator: Emulator, tmp_path: Path) -> None:
    """A run whose files cannot be opened ends when it is left, though they still cannot, and leaves nothing pending."""
    scenes = [local_scene(number, tmp_path, size) for number in range(3)]
    with held_open(tmp_path / "0.jpg"), held_open(tmp_path / "1.jpg"), held_open(tmp_path / "2.jpg"):
        async with KognicIOClient(**emulator.client_options()) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(ingest, client, scenes)
            await until(lambda: emulator.recorder.in_flight["scene-jobs"] == started * len(scenes))
            await anyio.sleep(0.3)  # in which the files are being opened
            tasks.cancel_scope.cancel()
        assert "pending" not in emulator.platform.summary()["scenes"]
        assert len(emulator.platform.scenes.with_external_id("0")) == started
    # The threads that hung close what they opened.
    await until(lambda: not any(str(tmp_path) in name for name in open_files()))


def open_files() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:  # that of the listing itself
            continue
    return found


CHILD = """
import asyncio, json, sys, threading
from kognic_aio import KognicIOClient, create_inputs
from tests.files.scenes import scene_of

def block(*_):
    print("blocked", flush=True)
    threading.Event().wait()
    yield b""

def block_now(*_):
    print("blocked", flush=True)
    threading.Event().wait()

def source():
    yield scene_of(1, data=b"image")
    block_now()

KINDS = {
    "callback": lambda: [scene_of(1, callback=block_now)],
    "generator": lambda: [scene_of(1, data=block())],
    "source": source,
}

async def main():
    options = json.loads(sys.argv[1])
    async with KognicIOClient(**options | {"auth": tuple(options["auth"])}) as client:
        async for result in create_inputs(client, KINDS[sys.argv[2]](), "project-b"):
            print(result.status.value, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["callback", "generator", "source"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
async def test_a_process_that_is_told_to_end(kind: str, sent: signal.Signals, emulator: Emulator) -> None:
    """A process ends when it is told to, though code of the caller blocks in a thread for ever."""
    code = CHILD if sent == signal.SIGINT else f"import signal\nsignal.signal(15, signal.default_int_handler){CHILD}"
    options = json.dumps(emulator.client_options())
    process = await anyio.open_process([sys.executable, "-c", code, options, kind], stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with anyio.fail_after(GENEROUS):
        seen = b""
        while b"blocked" not in seen:
            seen += await process.stdout.receive()
        await anyio.sleep(0.2)  # asyncio may sleep through a signal that comes as its loop begins to wait
        process.send_signal(sent)
        await process.wait()
        await process.stdout.aclose()
    assert "pending" not in emulator.platform.summary()["scenes"]


async def test_few_threads(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Threads live on and are used again: a run of many files starts no more than its limits let work at once."""
    before = threading.active_count()
    results = await ingest(client, (local_scene(number, tmp_path, 8000) for number in range(200)))
    check_arrival(emulator, results, lambda number: content_of(number, 8000))
    assert threading.active_count() - before <= client.limits.uploads + 2
    names = [thread for thread in threading.enumerate() if thread.name == "kognic_aio"]
    assert all(thread.daemon for thread in names)


async def test_a_forked_process(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A process that was forked from one that uses threads of ours starts its own."""
    await ingest(client, [local_scene(1, tmp_path)])
    child = os.fork()
    if not child:
        try:
            asyncio.set_event_loop(None)
            os._exit(0 if asyncio.new_event_loop().run_until_complete(in_thread(os.getpid)) == os.getpid() else 1)
        finally:
            os._exit(2)
    with anyio.fail_after(GENEROUS):
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert status == 0
