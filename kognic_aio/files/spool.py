"""What has to be read at once is: into memory if it is short, else into a temporary file."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from io import FileIO
from tempfile import TemporaryFile
from threading import Event
from typing import IO, Any, Final

from kognic_aio._tasks import take_note
from kognic_aio._threads import PATIENCE, Worker, is_shortage, leased_worker
from kognic_aio.errors import DataError, InvalidError
from kognic_aio.files.body import CHUNK, Body, check_size
from kognic_aio.files.memory import Memory
from kognic_aio.files.reading import Buffer, Reading
from kognic_aio.files.source import Source, close_after

END: Final = object()
NOTHING_YET: Final = object()
"""What a source gives in the place of a chunk when there will be none, and when there is none for the moment."""

PIECE = 1 << 18
"""Bytes handed out at a time. Larger blocks would leave larger holes in the heap, which grows for days by them."""

LOOK_AGAIN = 0.02
STARVED_AFTER = 60.0
"""Seconds between two looks at a stream that has nothing yet, and after which it is given up."""

Pull = Callable[[], Any]
"""Gives the next chunk of a source, or one of the above."""


class Spooled(Source):
    """A temporary file with what can be read only once. It can be sent again, and its size is known.

    Args:
        name: The filename.
        file: The temporary file, which is closed in the end.
        size: Its bytes.
        reading: What all reading shares.
    """

    def __init__(self, name: str, file: FileIO, size: int, reading: Reading) -> None:
        super().__init__(name)
        self._file = file
        self._size = size
        self._reading = reading
        self._worker: Worker | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        async with leased_worker() as worker:
            with self.blamed():
                await worker.run(self._file.seek, 0)
            try:
                yield Body(chunks(readinto_of(self._file, worker), self._reading), self._size, self.name)
            finally:
                self._worker = worker if worker.is_busy else None

    async def close(self) -> None:
        """Close the temporary file, which removes it."""
        await close_after(self._worker, self._file)


def readinto_of(file: FileIO, worker: Worker) -> "ReadInto":
    """What reads from where a file stands, in one thread."""
    from aiofiles.threadpool import wrap  # noqa: PLC0415 - imported when a client opens

    readinto: ReadInto = wrap(file, executor=worker).readinto
    return readinto


ReadInto = Callable[[memoryview], Coroutine[Any, Any, int]]
"""Fills a part of a buffer, and tells how much; nothing at the end."""


async def chunks(readinto: ReadInto, reading: Reading) -> AsyncIterator[bytes]:
    """What a file holds, read in one thread: into one buffer while what is in the other is being sent."""
    with reading.buffer() as one, reading.buffer() as other:
        full, spare = memoryview(one)[:CHUNK], memoryview(other)[:CHUNK]
        ahead = _begun(readinto(full))
        try:
            while size := await ahead:
                ahead = _begun(readinto(spare))
                for start in range(0, size, PIECE):
                    yield bytes(full[start : min(start + PIECE, size)])
                full, spare = spare, full
        finally:
            ahead.cancel()


def _begun(reading: Coroutine[Any, Any, int]) -> "asyncio.Task[int]":
    """A reading that is begun. If nobody waits for it in the end, nobody misses its error."""
    task = asyncio.ensure_future(reading)
    task.add_done_callback(take_note)
    return task


class Intake:
    """Takes in all that a source gives: into a buffer as long as it fits, then into a temporary file.

    Args:
        name: The filename.
        buffer: What is filled first.
        size: How many bytes there should be, None if nobody knows.
    """

    def __init__(self, name: str, buffer: Buffer, size: int | None = None) -> None:
        self._name = name
        self._buffer = buffer
        self._expected = size
        self._abandoned = Event()
        self._file: FileIO | None = None
        self._size = 0

    def abandon(self) -> None:
        """Take in no more: nobody waits for it."""
        self._abandoned.set()

    def take_all(self, pull: Pull) -> None:
        """Take in everything, in the thread that this is called in.

        Raises:
            InvalidError: If the source gives something else than bytes, or nothing for a minute.
            DataError: If it gives more or fewer bytes than it should.
        """
        try:
            while (chunk := self._next(pull)) is not END:
                self.take(chunk)
            check_size(self._name, self._expected, self._size)
        except BaseException:
            self.discard()
            raise

    def _next(self, pull: Pull) -> Any:
        deadline = time.monotonic() + STARVED_AFTER
        while not self._abandoned.is_set():
            if (chunk := pull()) is not NOTHING_YET:
                return chunk
            if time.monotonic() > deadline:
                raise starved()
            self._abandoned.wait(LOOK_AGAIN)
        raise InvalidError("it was left before its end")

    def fits(self, chunk: Any) -> bool:
        """Whether a chunk would still be kept in memory."""
        return self._file is None and isinstance(chunk, bytes) and self._size + len(chunk) <= CHUNK

    def take(self, chunk: Any) -> None:
        """Take in a chunk; writing to the temporary file may block."""
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
        """A temporary file, when there is a descriptor for it: what has been taken in cannot be had again."""
        deadline = time.monotonic() + PATIENCE
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
            return Spooled(self._name, self._file, self._size, reading)
        return Memory(self._name, bytes(memoryview(self._buffer)[: self._size]))

    def discard(self) -> None:
        """Close the temporary file, if there is one."""
        if self._file is not None:
            self._file.close()


def starved() -> InvalidError:
    """The error for a stream that has nothing, and does not end."""
    return InvalidError(f"read() has given None, which means that there is nothing yet, for {STARVED_AFTER:g} s")


def _write(file: IO[bytes], view: memoryview) -> None:
    """Write all: an unbuffered file may take less at a time."""
    while view:
        view = view[file.write(view) :]


async def gather(name: str, pull: Pull, worker: Worker, reading: Reading, size: int | None = None) -> Source:
    """Everything that a source gives, read in one thread.

    Args:
        name: The filename.
        pull: Gives the next chunk.
        worker: Whose thread to read in.
        reading: What all reading shares.
        size: How many bytes there should be, None if nobody knows.
    """
    with reading.buffer() as buffer:
        intake = Intake(name, buffer, size)
        try:
            await worker.run(intake.take_all, pull)
        except BaseException:
            intake.abandon()
            worker.submit(intake.discard)
            raise
        return intake.result(reading)
