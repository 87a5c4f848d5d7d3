"""Sources that can be read only once. They are spooled before they are sent: in memory, or in a temporary file."""

import inspect
import os
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from io import SEEK_END, BufferedRandom, BufferedReader, FileIO, UnsupportedOperation
from mmap import mmap
from socket import SocketIO
from stat import S_ISREG
from tempfile import SpooledTemporaryFile, TemporaryFile
from threading import Event
from typing import IO, Any

import anyio

from kognic_aio._threads import MAX_SHORTAGE, Worker, is_shortage, leased_worker
from kognic_aio.errors import DataError, InvalidError
from kognic_aio.files.local import OpenFile
from kognic_aio.files.source import CHUNK, Body, FileSource, Memory, ReadPool, check_size, close_now, close_quietly

POLL_INTERVAL = 0.02
"""Seconds between two reads of a stream that has no data yet."""

STARVED_AFTER = 60.0
"""Seconds without data after which a stream is given up."""


class ReadOnce(FileSource):
    """A source that is read once. It is spooled, and each attempt sends the spooled bytes."""

    def __init__(self, name: str, data: Any, pool: ReadPool) -> None:
        super().__init__(name)
        self._data = data
        self._pool = pool
        self._spooled: FileSource | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first one."""
        if self._spooled is None:
            self._spooled = await self._spool()
        async with self._spooled.open() as body:
            yield body

    @abstractmethod
    async def _spool(self) -> FileSource:
        """The spooled bytes, in memory or in a temporary file."""

    async def close(self) -> None:
        """Close the caller's data, as the official client does, or the spooled bytes."""
        if self._spooled is None:
            await close_quietly(self._data)
        else:
            await self._spooled.close()


class Blocking(ReadOnce):
    """An object with a `read()` that blocks, or an iterator or generator of bytes. One thread reads and closes it."""

    async def _spool(self) -> FileSource:
        # It is read in its turn, unless it shares nothing: the members of an archive move the one position of its file.
        async with leased_worker() if _shares_nothing(self._data) else self._pool.turn() as worker:
            return await self.spooled_by(worker)

    async def spooled_by(self, worker: Worker) -> FileSource:
        """The spooled bytes, read in the thread of a worker. The data is closed in it too."""
        try:
            with self.naming_file(), self.exclusive(self._data):
                return await self._read(worker)
        finally:
            worker.submit(close_now, self._data)

    async def _read(self, worker: Worker) -> FileSource:
        data, is_stream = self._data, hasattr(self._data, "read")
        if not is_stream and getattr(data, "gi_frame", self) is None:
            problem = "has been read already; pass a new one for each file, or a callback that makes it"
            raise DataError(f"the generator of {self.name!r} {problem}", filename=self.name)
        with self._pool.buffer() as buffer:
            intake = Intake(self.name, buffer)
            try:
                await worker.run(intake.take_stream if is_stream else intake.take_all, data)
            except BaseException:
                intake.abandon(worker)
                raise
            return intake.result(self._pool)


class Intake:
    """Spools chunks: into a buffer as long as they fit, then into a temporary file."""

    def __init__(self, name: str, buffer: mmap) -> None:
        self._name = name
        self._buffer = buffer
        self._expected: int | None = None  # the size, unless it is unknown
        self._abandoned = Event()
        self._file: IO[bytes] | None = None
        self._size = 0

    def take_stream(self, stream: Any) -> None:
        """Spool a stream from its start, in the calling thread, until it is abandoned."""
        self._expected = _rewound(stream)
        self.take_all(self._chunks(stream))

    def _chunks(self, stream: Any) -> Iterator[Any]:
        """The chunks of a stream that blocks. It waits while the stream has no data yet, unless it is abandoned."""
        deadline = time.monotonic() + STARVED_AFTER
        while (chunk := _read(stream)) or chunk is None:
            if chunk is not None:
                yield chunk
                deadline = time.monotonic() + STARVED_AFTER
            elif time.monotonic() > deadline:
                raise _starved()
            elif self._abandoned.wait(POLL_INTERVAL):
                return

    def take_all(self, chunks: Iterable[Any]) -> None:
        """Spool everything, in the calling thread, until it is abandoned."""
        try:
            for chunk in chunks:
                self.take(chunk)
                if self._abandoned.is_set():
                    return
            check_size(self._name, self._expected, self._size)
        except BaseException:
            self._discard()
            raise

    def fits(self, chunk: Any) -> bool:
        """Whether a chunk still fits into memory."""
        return self._file is None and isinstance(chunk, bytes) and self._size + len(chunk) <= CHUNK

    def take(self, chunk: Any) -> None:
        """Spool a chunk. Writing it to the temporary file may block."""
        if not isinstance(chunk, bytes | bytearray | memoryview):
            hint = "; open files in binary mode ('rb')" if isinstance(chunk, str) else ""
            raise InvalidError(f"expected bytes, got {type(chunk).__name__}{hint}")
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
                self._file.write(memoryview(self._buffer)[: self._size])
            self._file.write(view)
        self._size = end

    def _new_file(self) -> IO[bytes]:
        """A temporary file. It waits for a descriptor, because the chunks so far cannot be read again."""
        deadline = time.monotonic() + MAX_SHORTAGE
        while True:
            try:
                return TemporaryFile()
            except OSError as error:
                if is_shortage(error) and time.monotonic() < deadline and not self._abandoned.wait(POLL_INTERVAL):
                    continue
                problem = f"no temporary file for the data of {self._name!r}: {error}"
                raise DataError(problem, filename=self._name) from error

    def result(self, pool: ReadPool) -> FileSource:
        """The spooled bytes, in memory or in a temporary file."""
        if self._file is not None:
            return OpenFile(self._name, self._file, pool)
        return Memory(self._name, bytes(memoryview(self._buffer)[: self._size]))

    def abandon(self, worker: Worker) -> None:
        """Stop, because nobody waits for it. The temporary file is closed after the current job of the worker."""
        self._abandoned.set()
        worker.submit(self._discard)

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()


class AsyncChunks(ReadOnce):
    """An async iterable, or an object with an async `read()`. Many are read concurrently, in the event loop."""

    async def _spool(self) -> FileSource:
        try:
            with self.naming_file(), self.exclusive(self._data), self._pool.buffer() as buffer:
                return await self._gather(Intake(self.name, buffer))
        finally:
            await close_quietly(self._data)

    async def _gather(self, intake: Intake) -> FileSource:
        given = _read_async(self._data) if hasattr(self._data, "read") else aiter(self._data)
        async for chunk in given:
            if not intake.fits(chunk):
                await self._to_file(intake, chunk, given)
                break
            intake.take(chunk)
        return intake.result(self._pool)

    @staticmethod
    async def _to_file(intake: Intake, chunk: Any, rest: AsyncIterator[Any]) -> None:
        """Spool the chunks that do not fit into memory, in a thread."""
        async with leased_worker() as worker:
            try:
                await worker.run(intake.take, chunk)
                async for later in rest:
                    await worker.run(intake.take, later)
            except BaseException:
                intake.abandon(worker)
                raise


def _starved() -> InvalidError:
    """The error for a stream that has no data, and does not end."""
    return InvalidError(f"read() returned None (no data yet) for {STARVED_AFTER:g} s")


async def _read_async(stream: Any) -> AsyncIterator[Any]:
    """The chunks of a stream, from its start if it is seekable."""
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
            await anyio.sleep(POLL_INTERVAL)


async def _is_seekable(stream: Any) -> bool:
    seekable = getattr(stream, "seekable", lambda: True)()
    return bool(await seekable if inspect.isawaitable(seekable) else seekable)


def is_open_file(stream: Any) -> bool:
    """Whether it is a regular file from `open`, without a wrapper that may change what is read."""
    if not hasattr(os, "preadv"):
        return False
    file = _file_of(stream)
    return file is not None and not file.closed and S_ISREG(os.fstat(file.fileno()).st_mode)


def _shares_nothing(stream: Any) -> bool:
    """Whether nothing else moves the position of a stream: a pipe or socket, a server's response, a temporary file."""
    kind = type(stream.raw) if type(stream) is BufferedReader else type(stream)
    if kind in (SocketIO, SpooledTemporaryFile):
        return True
    # The responses of `urlopen` and requests.
    if kind.__name__ == "HTTPResponse" and kind.__module__ in ("http.client", "urllib3.response"):
        return True
    return _file_of(stream) is not None


def _file_of(stream: Any) -> FileIO | None:
    """The file of an object from `open`. Subclasses and wrappers are excluded: they may change what is read."""
    if type(stream).__name__ == "_TemporaryFileWrapper" and type(stream).__module__ == "tempfile":
        stream = stream.file
    if type(stream) in (BufferedReader, BufferedRandom):
        stream = stream.raw
    return stream if type(stream) is FileIO else None


def _rewound(stream: Any) -> int | None:
    """Go to the start of a seekable stream, and return its size, None if unknown."""
    seekable = getattr(stream, "seekable", None)
    if not callable(seekable) or inspect.iscoroutinefunction(seekable) or seekable() is not True:
        return None
    try:
        size: int = stream.seek(0, SEEK_END)
    except (ValueError, UnsupportedOperation):  # compressed streams do not know their size
        size = -1
    stream.seek(0)
    return None if size < 0 else size


def _read(stream: Any) -> Any:
    chunk = stream.read(CHUNK)
    if inspect.isawaitable(chunk):
        with suppress(AttributeError):
            chunk.close()  # type: ignore[attr-defined]  # a coroutine, which would complain of not being awaited
        raise InvalidError("read() returned an awaitable but is not `async def`; pass an async generator instead")
    return chunk
