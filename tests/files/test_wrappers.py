"""What reads otherwise than the file beneath it is read as it reads, and what cannot be closed harms nobody."""

import io
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator, faults
from tests.files.scenes import MIB, check_arrival, content_of, ingest, scene_of
from tests.waiting import cancelled_when, until

pytestmark = pytest.mark.anyio

TABLE = bytes(byte ^ 0x5A for byte in range(256))


class Wrapper:
    """Decrypts what it reads; all else it leaves to the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size).translate(TABLE)


class Reader(BufferedReader):
    """The same, derived from what `open` makes."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).translate(TABLE)


class RawReader(FileIO):
    """The same without a buffer."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).translate(TABLE)


WRAPPERS: dict[str, Callable[[Path], Any]] = {
    "delegating": lambda path: Wrapper(path.open("rb")),
    "buffered": lambda path: Reader(FileIO(path)),
    "raw": RawReader,
}


@pytest.mark.parametrize("as_callback", [False, True], ids=["data", "callback"])
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("size", [8000, 3 * MIB])
async def test_what_transforms_is_heard(
    size: int,
    wrap: Callable[[Path], Any],
    as_callback: bool,
    emulator: Emulator,
    client: KognicIOClient,
    tmp_path: Path,
) -> None:
    """A stream that decrypts as it reads gives decrypted bytes, of whatever size and from wherever it comes."""
    paths = [tmp_path / str(number) for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(content_of(number, size).translate(TABLE))
    scenes = [
        scene_of(number, callback=lambda _, path=path: wrap(path)) if as_callback else scene_of(number, data=wrap(path))
        for number, path in enumerate(paths)
    ]
    check_arrival(emulator, await ingest(client, scenes), lambda number: content_of(number, size))


class Shared:
    """A part of a file whose descriptor it tells, and whose position it has set when it was made."""

    def __init__(self, file: IO[bytes], number: int) -> None:
        self._file, self._left = file, 3 * MIB
        file.seek(number * 3 * MIB)

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        chunk = self._file.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk


async def test_callbacks_that_share_a_descriptor(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """What a callback returns is read in its turn, though it has a descriptor: that is another's as well."""
    path = tmp_path / "all"
    path.write_bytes(b"".join(content_of(number) for number in range(12)))
    with path.open("rb") as file:

        def whole(number: int) -> bytes:
            file.seek(number * 3 * MIB)
            return file.read(3 * MIB)

        def made(number: int) -> Any:
            return Shared(file, number) if number % 2 else whole(number)

        scenes = [scene_of(number, callback=lambda _, number=number: made(number)) for number in range(12)]
        check_arrival(emulator, await ingest(client, scenes))


async def test_duplicated_descriptors(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Open files that share one position are each read whole, as data and from callbacks."""
    path = tmp_path / "image"
    path.write_bytes(content_of(7))
    with path.open("rb") as base:

        def another() -> IO[bytes]:
            return os.fdopen(os.dup(base.fileno()), "rb")

        scenes = [scene_of(number, data=another()) for number in range(8)]
        scenes += [scene_of(number, callback=lambda _: another()) for number in range(8, 16)]
        check_arrival(emulator, await ingest(client, scenes), lambda _: content_of(7))


class OnlyReads:
    """A stream that has nothing but `read`."""

    def __init__(self, content: bytes) -> None:
        self._stream = BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


async def test_streams_that_cannot_be_closed(emulator: Emulator, client: KognicIOClient) -> None:
    """A stream without `close`, and one whose memory is in use, become inputs as any other."""
    looked_at = BytesIO(content_of(30))
    view = looked_at.getbuffer()
    scenes = [scene_of(number, data=OnlyReads(content_of(number))) for number in range(20)]
    check_arrival(emulator, await ingest(client, [*scenes, scene_of(30, data=looked_at)]))
    view.release()


async def test_temporary_files(emulator: Emulator, client: KognicIOClient) -> None:
    """Temporary files are read from their start, with what was not yet written to the disk."""

    def filled(file: Any, number: int) -> Any:
        file.write(content_of(number))
        return file

    with (
        tempfile.NamedTemporaryFile() as named,
        tempfile.TemporaryFile() as unnamed,
        tempfile.SpooledTemporaryFile(max_size=100 * MIB) as spooled,
    ):
        scenes = [scene_of(number, data=filled(file, number)) for number, file in enumerate([named, unnamed, spooled])]
        check_arrival(emulator, await ingest(client, scenes))


class AsyncStream:
    """An async stream that can go back to its start."""

    def __init__(self, content: bytes) -> None:
        self._stream = BytesIO(content)

    async def seek(self, offset: int) -> int:
        return self._stream.seek(offset)

    async def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)


async def test_an_async_stream_that_was_read_before(emulator: Emulator, client: KognicIOClient) -> None:
    """An async stream whose start somebody has read already is read from its start."""
    stream = AsyncStream(content_of(1))
    await stream.read(10)
    check_arrival(emulator, await ingest(client, [scene_of(1, data=stream)]))


async def test_a_callback_that_goes_on_after_its_end(
    emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A callback that nobody waits for any more keeps its turn until it has ended: the next one shares its file."""
    path = tmp_path / "all"
    path.write_bytes(b"".join(content_of(number) for number in range(2)))
    with path.open("rb") as file:
        has_begun, may_go_on = threading.Event(), anyio.Event()
        loop_thread = anyio.lowlevel.current_token()

        def slowly(_: str) -> bytes:
            has_begun.set()
            file.seek(0)
            start = file.read(MIB)
            anyio.from_thread.run(may_go_on.wait, token=loop_thread)
            return start + file.read(2 * MIB)

        def quickly(_: str) -> bytes:
            file.seek(3 * MIB)
            return file.read(3 * MIB)

        await cancelled_when(has_begun.is_set, client.cameras.create(scene_of(0, callback=slowly)))
        async with anyio.create_task_group() as group:
            results: list[Any] = []

            async def second() -> None:
                results.extend(await ingest(client, [scene_of(1, callback=quickly)]))

            group.start_soon(second)
            await until(lambda: emulator.platform.scenes.with_external_id("1"))
            may_go_on.set()
        check_arrival(emulator, results)


async def test_what_a_cancelled_callback_opens_is_closed(client: KognicIOClient, tmp_path: Path) -> None:
    """A file that a callback opens when nobody waits for it any more is closed."""
    path = tmp_path / "image"
    path.write_bytes(b"image")
    opened: list[IO[bytes]] = []
    has_begun, may_go_on = threading.Event(), anyio.Event()
    token = anyio.lowlevel.current_token()

    def open_late(_: str) -> IO[bytes]:
        has_begun.set()
        anyio.from_thread.run(may_go_on.wait, token=token)
        opened.append(path.open("rb"))
        return opened[0]

    await cancelled_when(has_begun.is_set, client.cameras.create(scene_of(0, callback=open_late)))
    may_go_on.set()
    await until(lambda: opened and opened[0].closed)


@pytest.mark.parametrize("status", [411, 501])
async def test_storages_that_cannot_take_it(status: int, emulator: Emulator, client: KognicIOClient) -> None:
    """What a storage cannot take in the way it is sent is neither sent again as it is, nor started afresh."""
    emulator.faults.add(faults.Status(status), on=faults.UPLOADS, times=100)
    (result,) = await ingest(client, [scene_of(1, data=b"image")])
    assert result.error is not None
    assert str(status) in result.error.message
    assert len(emulator.recorder.requests("PUT")) == 1
    assert len(emulator.platform.scenes.with_external_id("1")) == 1


async def test_a_missing_file_of_a_callback(client: KognicIOClient) -> None:
    """A file that a callback or generator misses is named, not the label of the image."""

    def chunks() -> Iterator[bytes]:
        yield Path("/no/such/chunk").read_bytes()

    scenes = [scene_of(1, callback=lambda _: Path("/no/such/file").read_bytes()), scene_of(2, data=chunks())]
    messages = {result.external_id: str(result.error) for result in await ingest(client, scenes)}
    assert "/no/such/file" in messages["1"]
    assert "/no/such/chunk" in messages["2"]


async def test_an_exhausted_generator(client: KognicIOClient) -> None:
    """A generator that has been read already is said to be so."""
    generator = (chunk for chunk in [b"image"])
    first, second = await ingest(client, [scene_of(1, data=generator), scene_of(2, data=generator)])
    failed = first if first.error else second
    assert failed.error is not None
    assert "pass a new one for each" in failed.error.message


async def test_a_descriptor_that_blocks(emulator: Emulator, client: KognicIOClient) -> None:
    """Nothing of a stranger's stream is asked in the event loop."""

    class Lazy(io.RawIOBase):
        def __init__(self) -> None:
            self._stream: BytesIO | None = None

        def fileno(self) -> int:
            raise AssertionError("asked for a descriptor")

        def read(self, size: int = -1, /) -> bytes:
            self._stream = self._stream or BytesIO(content_of(3))
            return self._stream.read(size)

    async def answers() -> AsyncIterator[Any]:
        yield scene_of(3, data=Lazy())

    check_arrival(emulator, await ingest(client, answers()))
