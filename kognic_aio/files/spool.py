"""What can be read only once is taken in before it is sent: into memory if it is short, else into a temporary file."""

import inspect
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import FileIO
from tempfile import TemporaryFile
from threading import Event
from typing import IO, Any, Final, TypeAlias

import anyio

from kognic_aio._threads import MAX_SHORTAGE, Worker, is_shortage, leased_worker
from kognic_aio.errors import DataError, InvalidError
from kognic_aio.files.body import CHUNK, Body, check_size
from kognic_aio.files.local import OpenFile
from kognic_aio.files.reading import Buffer, Reading
from kognic_aio.files.source import Memory, Source, close_now, close_quietly

END: Final = object()
"""What a source gives after its last chunk."""

NOTHING_YET: Final = object()
"""What a source gives in the place of a chunk when it has none for the moment."""

LOOK_AGAIN = 0.02
"""Seconds between two looks at a stream that has nothing yet."""

STARVED_AFTER = 60.0
"""Seconds after which a stream that has nothing is given up."""

Pull: TypeAlias = Callable[[], Any]
"""Gives the next chunk of a source, END or NOTHING_YET."""


class ReadOnce(Source):
    """What is read once. Each attempt to send it is served from what was taken in."""

    def __init__(self, name: str, data: Any, reading: Reading) -> None:
        super().__init__(name)
        self._data = data
        self._reading = reading
        self._taken_in: Source | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        if self._taken_in is None:
            self._taken_in = await self._take_in()
        async with self._taken_in.open() as body:
            yield body

    @abstractmethod
    async def _take_in(self) -> Source:
        """All that it gives, in memory or in a temporary file."""

    async def close(self) -> None:
        """Close what the caller gave, as the official client does, or what was taken in of it."""
        if self._taken_in is None:
            await close_quietly(self._data)
        else:
            await self._taken_in.close()


class Blocking(ReadOnce):
    """What blocks when it is read: one thread reads and closes it."""

    async def gathered_by(self, worker: Worker) -> Source:
        """All that it gives, read and closed in the thread of a worker."""
        try:
            with self.blamed(), self.sole_use(self._data):
                return await self._read(worker)
        finally:
            worker.submit(close_now, self._data)

    @abstractmethod
    async def _read(self, worker: Worker) -> Source:
        """All that it gives, read in the thread of a worker."""


class Intake:
    """Takes in all that a source gives: into a buffer as long as it fits, then into a temporary file."""

    def __init__(self, name: str, buffer: Buffer, size: int | None = None) -> None:
        self._name = name
        self._buffer = buffer
        self._expected = size  # None if nobody knows
        self._abandoned = Event()
        self._file: FileIO | None = None
        self._size = 0

    def take_all(self, pull: Pull) -> None:
        """Take in everything, in the thread that this is called in."""
        try:
            while (chunk := self._next(pull)) is not END:
                self.take(chunk)
            check_size(self._name, self._expected, self._size)
        except BaseException:
            self._discard()
            raise

    def _next(self, pull: Pull) -> Any:
        deadline = time.monotonic() + STARVED_AFTER
        while not self._abandoned.is_set():
            if (chunk := pull()) is not NOTHING_YET:
                return chunk
            if time.monotonic() > deadline:
                raise _starved()
            self._abandoned.wait(LOOK_AGAIN)
        raise InvalidError("it was left before its end")

    def fits(self, chunk: Any) -> bool:
        """Whether a chunk would still be kept in memory."""
        return self._file is None and isinstance(chunk, bytes) and self._size + len(chunk) <= CHUNK

    def take(self, chunk: Any) -> None:
        """Take in a chunk. Writing it to the temporary file may block."""
        if not isinstance(chunk, bytes | bytearray | memoryview):
            hint = "open files in binary mode ('rb')" if isinstance(chunk, str) else "bytes are needed"
            raise InvalidError(f"it gives {type(chunk).__name__}; {hint}")
        with memoryview(chunk).cast("B") as view:
            self._put(view)
        if self._expected is not None and self._size > self._expected:
            check_size(self._name, self._expected, self._size)

    def _put(self, view: memoryview) -> None:
        end = self._size + len(view)
        if self._file is None and end <= CHUNK:
            self._buffer[self._size : end] = view
        else:
            if self._file is None:
                self._file = self._new_file()
                _write(self._file, memoryview(self._buffer)[: self._size])
            _write(self._file, view)
        self._size = end

    def _new_file(self) -> FileIO:
        """A temporary file. It waits for a descriptor, because what has been taken in cannot be had again."""
        deadline = time.monotonic() + MAX_SHORTAGE
        while True:
            try:
                return TemporaryFile(buffering=0)
            except OSError as error:
                if is_shortage(error) and time.monotonic() < deadline and not self._abandoned.wait(LOOK_AGAIN):
                    continue
                problem = f"no temporary file for the data of {self._name!r}: {error}"
                raise DataError(problem, filename=self._name) from error

    def result(self, reading: Reading) -> Source:
        """What was taken in, in memory or in a temporary file."""
        if self._file is not None:
            return OpenFile(self._name, self._file, reading)
        return Memory(self._name, bytes(memoryview(self._buffer)[: self._size]))

    def abandon(self, worker: Worker) -> None:
        """Take in no more, as nobody waits for it. The temporary file is closed behind what the worker does now."""
        self._abandoned.set()
        worker.submit(self._discard)

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()


async def gather(name: str, pull: Pull, worker: Worker, reading: Reading, size: int | None = None) -> Source:
    """Everything that a source gives, read in the thread of a worker; `size` is what it should be, if that is known."""
    with reading.buffer() as buffer:
        intake = Intake(name, buffer, size)
        try:
            await worker.run(intake.take_all, pull)
        except BaseException:
            intake.abandon(worker)
            raise
        return intake.result(reading)


class AsyncChunks(ReadOnce):
    """What is read in the event loop, many at once: an async iterable, or an object with an async `read()`."""

    async def _take_in(self) -> Source:
        try:
            with self.blamed(), self.sole_use(self._data), self._reading.buffer() as buffer:
                return await self._gather(Intake(self.name, buffer))
        finally:
            await close_quietly(self._data)

    async def _gather(self, intake: Intake) -> Source:
        given = _read_async(self._data) if hasattr(self._data, "read") else aiter(self._data)
        async for chunk in given:
            if not intake.fits(chunk):
                await self._spool(intake, chunk, given)
                break
            intake.take(chunk)
        return intake.result(self._reading)

    @staticmethod
    async def _spool(intake: Intake, chunk: Any, rest: AsyncIterator[Any]) -> None:
        """Take in what does not fit into memory, in a thread."""
        async with leased_worker() as worker:
            try:
                await worker.run(intake.take, chunk)
                async for later in rest:
                    await worker.run(intake.take, later)
            except BaseException:
                intake.abandon(worker)
                raise


def _starved() -> InvalidError:
    """The error for a stream that has nothing, and does not end."""
    return InvalidError(f"read() has given None, which means that there is nothing yet, for {STARVED_AFTER:g} s")


def _write(file: IO[bytes], view: memoryview) -> None:
    """Write all: an unbuffered file may take less at a time."""
    while view:
        view = view[file.write(view) :]


async def _read_async(stream: Any) -> AsyncIterator[Any]:
    """The chunks of a stream, from its start if it can go there."""
    if inspect.iscoroutinefunction(seek := getattr(stream, "seek", None)) and await _is_seekable(stream):
        await seek(0)
    deadline = time.monotonic() + STARVED_AFTER
    while (chunk := await stream.read(CHUNK)) != b"":
        if chunk is not None:
            yield chunk
            deadline = time.monotonic() + STARVED_AFTER
        elif time.monotonic() > deadline:
            raise _starved()
        else:
            await anyio.sleep(LOOK_AGAIN)


async def _is_seekable(stream: Any) -> bool:
    seekable = getattr(stream, "seekable", lambda: True)()
    return bool(await seekable if inspect.isawaitable(seekable) else seekable)
