"""Streams and iterators are read to their end, by one thread, whatever they have for the moment."""

import hashlib
import io
import os
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kognic_aio import KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.model import Cameras, Image
from tests.files.scenes import MIB, PROJECT, check_arrival, content_of, ingest, scene_of
from tests.waiting import GENEROUS, cancelled_when, until

pytestmark = pytest.mark.anyio


def fill(descriptor: int, content: bytes) -> None:
    """Write to a pipe bit by bit, with pauses, and close it."""
    with os.fdopen(descriptor, "wb", buffering=0) as pipe:
        for start in range(0, len(content), 400_000):
            view = memoryview(content[start : start + 400_000])
            while view:
                view = view[pipe.write(view) :]
            threading.Event().wait(0.005)


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
async def test_a_pipe_that_does_not_block(buffering: int, emulator: Emulator, client: KognicIOClient) -> None:
    """A non-blocking pipe that has nothing for the moment is waited for."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    writer = threading.Thread(target=fill, args=(writing, content_of(1)))
    writer.start()
    scene = scene_of(1, data=os.fdopen(reading, "rb", buffering=buffering))
    check_arrival(emulator, await ingest(client, [scene]))
    writer.join(GENEROUS)
    assert not writer.is_alive()


class Hesitant(io.RawIOBase):
    """A stream that has nothing every other time it is asked."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)
        self._hesitates = False

    def read(self, size: int = -1, /) -> bytes | None:
        self._hesitates = not self._hesitates
        return None if self._hesitates else self._stream.read(size)


class AsyncHesitant:
    """The same, asynchronously."""

    def __init__(self, content: bytes) -> None:
        self._stream = Hesitant(content)

    async def read(self, size: int = -1) -> bytes | None:
        return self._stream.read(size)


@pytest.mark.parametrize("stream", [Hesitant, AsyncHesitant])
async def test_a_stream_that_has_nothing_yet(stream: Any, emulator: Emulator, client: KognicIOClient) -> None:
    """None from a stream is no end, of a sync stream as of an async one."""
    check_arrival(emulator, await ingest(client, [scene_of(1, data=stream(content_of(1)))]))


def database(folder: Path) -> Path:
    """A database with the contents of ten images."""
    path = folder / "images.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE image (number INTEGER PRIMARY KEY, content BLOB)")
        for number in range(10):
            connection.execute("INSERT INTO image VALUES (?, ?)", (number, content_of(number)))
    connection.close()
    return path


async def test_a_generator_of_scenes_with_a_database(
    emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A generator of scenes may open a database, which only the thread that opened it may use."""

    def scenes() -> Iterator[Cameras]:
        connection = sqlite3.connect(database(tmp_path))
        try:
            for number, content in connection.execute("SELECT number, content FROM image"):
                yield scene_of(number, data=content)
        finally:
            connection.close()

    results = await ingest(client, scenes())
    assert len(results) == 10
    check_arrival(emulator, results)


async def test_generators_of_bytes_with_a_database(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A generator of a file's bytes may open a database too, and so may one that a callback returns."""
    path = database(tmp_path)

    def chunks(number: int) -> Iterator[bytes]:
        connection = sqlite3.connect(path)
        try:
            (content,) = connection.execute("SELECT content FROM image WHERE number = ?", (number,)).fetchone()
            for start in range(0, len(content), MIB):
                connection.execute("SELECT 1")
                yield content[start : start + MIB]
        finally:
            connection.close()

    scenes = [scene_of(number, data=chunks(number)) for number in range(5)]
    scenes += [scene_of(number, callback=lambda name: chunks(int(name.partition(".")[0]))) for number in range(5, 10)]
    check_arrival(emulator, await ingest(client, scenes))


async def test_a_database_of_another_thread(client: KognicIOClient, tmp_path: Path) -> None:
    """What was opened in the caller's thread cannot be used by a generator, and the errors say what to do."""
    connection = sqlite3.connect(database(tmp_path))

    def rows() -> Iterator[bytes]:
        for _ in range(10):
            connection.cursor().close()
            yield b"image"

    def scenes() -> Iterator[Cameras]:
        for number, _ in enumerate(rows()):
            yield scene_of(number, data=b"image")

    async def scenes_here() -> AsyncIterator[Cameras]:
        for scene in scenes():
            yield scene

    with pytest.raises(sqlite3.ProgrammingError) as caught:
        await ingest(client, scenes())
    assert (
        "create the objects that it uses inside the generator or callback, or pass an async generator"
        in caught.value.__notes__[0]
    )
    (result,) = await ingest(client, [scene_of(1, data=rows())])
    assert result.error is not None
    assert (
        "create the objects that it uses inside the generator or callback, or pass an async generator"
        in result.error.message
    )
    assert len(await ingest(client, scenes_here())) == 10
    connection.close()


async def test_a_generator_that_is_cancelled(client: KognicIOClient) -> None:
    """A generator of bytes that is left in the middle is closed by the thread that has read it."""
    threads: list[int] = []
    has_begun, may_go_on = threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        threads.append(threading.get_ident())
        try:
            while True:
                yield bytes(1000)
                has_begun.set()
                may_go_on.wait(0.01)
        finally:
            threads.append(threading.get_ident())
            may_go_on.set()

    await cancelled_when(has_begun.is_set, client.cameras.create(scene_of(1, data=chunks())))
    await until(may_go_on.is_set)
    assert threads[0] == threads[1] != threading.get_ident()


async def test_a_scene_is_taken_when_it_is_wanted(emulator: Emulator, client: KognicIOClient) -> None:
    """What a source gives is let go of before it is asked for the next one."""
    alive: set[int] = set()

    class Scene(SceneWithPreAnnotation):
        def __del__(self) -> None:
            alive.discard(id(self))

    def scenes() -> Iterator[SceneWithPreAnnotation]:
        for number in range(50):
            scene = Scene(scene_of(number, data=b"image"))
            alive.add(id(scene))
            yield scene
            del scene

    await ingest(client, scenes())
    assert not alive


async def test_bytes_of_an_async_generator(emulator: Emulator, client: KognicIOClient) -> None:
    """A large async generator arrives whole, with its length."""

    async def chunks(number: int) -> AsyncIterator[bytes]:
        content = content_of(number)
        for start in range(0, len(content), 300_000):
            yield content[start : start + 300_000]

    check_arrival(emulator, await ingest(client, [scene_of(number, data=chunks(number)) for number in range(4)]))
    puts = emulator.recorder.requests("PUT")
    assert {put.sha256 for put in puts} == {hashlib.sha256(content_of(number)).hexdigest() for number in range(4)}


async def test_a_generator_of_scenes_that_is_left(client: KognicIOClient) -> None:
    """A generator of scenes that is left before its end, and that nobody else has, ends in the thread that read it."""
    threads: list[int] = []
    has_ended = threading.Event()

    def scenes() -> Iterator[Cameras]:
        connection = sqlite3.connect(":memory:")
        threads.append(threading.get_ident())
        try:
            for number in range(1000):
                yield scene_of(number, data=b"image")
        finally:
            threads.append(threading.get_ident())
            connection.close()
            has_ended.set()

    async with create_inputs(client, scenes(), PROJECT) as results:
        async for _ in results:
            break
    del results
    await until(has_ended.is_set)
    assert threads[0] == threads[1] != threading.get_ident()


class Lazy:
    """A stream that opens its database when it is first read, and so belongs to that thread."""

    def __init__(self, path: Path, number: int) -> None:
        self._path, self._number = path, number
        self._connection: sqlite3.Connection | None = None
        self._stream = io.BytesIO()
        self.closed_by: int | None = None
        self.read_by: set[int] = set()

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._open()
        return self._stream.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        self._open().execute("SELECT 1")
        self.read_by.add(threading.get_ident())
        return self._stream.read(size)

    def close(self) -> None:
        self._open().close()
        self.closed_by = threading.get_ident()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path)
            query = "SELECT content FROM image WHERE number = ?"
            self._stream = io.BytesIO(self._connection.execute(query, (self._number,)).fetchone()[0])
        return self._connection


async def test_a_stream_of_a_database(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A stream is read and closed by one thread, however often its upload has to be tried."""
    path = database(tmp_path)
    emulator.faults.add(faults.Status(500), on=faults.UPLOADS, times=8)
    streams = [Lazy(path, number) for number in range(10)]
    results = await ingest(client, [scene_of(number, data=stream) for number, stream in enumerate(streams)])
    check_arrival(emulator, results)
    assert all(stream.read_by == {stream.closed_by} for stream in streams)


TOUCHED: set[str] = set()
"""Files whose time of modification changes whenever they are opened, as on some mounts."""


def touch_when_opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and str(arguments[0]) in TOUCHED:
        later = Path(arguments[0]).stat().st_mtime_ns + 1_000_000_000
        os.utime(arguments[0], ns=(later, later))


@pytest.mark.parametrize("size", [8000, 3 * MIB])
async def test_files_that_are_only_opened(
    size: int, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A mount that sets the time of modification of a file that is opened has not changed it."""
    sys.addaudithook(touch_when_opened)  # for good, but only for what is in the set
    path = tmp_path / "1.jpg"
    path.write_bytes(content_of(1, size))
    scene = Cameras(external_id="1", frame=Cameras.Frame(images=[Image(filename=path)]))
    before = path.stat().st_mtime_ns
    TOUCHED.add(str(path))
    try:
        results = await ingest(client, [scene])
    finally:
        TOUCHED.clear()
    assert path.stat().st_mtime_ns > before
    check_arrival(emulator, results, lambda number: content_of(number, size))
