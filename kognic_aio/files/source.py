"""The base of all sources of bytes, the body that one attempt sends, and the sources that are in memory."""

import asyncio
import inspect
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import partial
from io import BytesIO
from mmap import ACCESS_COPY, mmap
from typing import Any

from anyio import CapacityLimiter, move_on_after
from attrs import define, field

from kognic_aio._tasks import is_being_cancelled
from kognic_aio._threads import Worker, in_thread, leased_worker, thread_hint
from kognic_aio.errors import DataError, KognicError, MissingFileError

CHUNK = 1 << 20
"""Bytes read at a time. A file of at most one chunk is read and sent whole."""

MAX_IDLE = 8
"""Buffers kept for the next reads. More are made at a peak, and freed after it."""

CLOSING_TIME = 0.5
"""Seconds to wait for the closing of a stream."""

_in_use: set[int] = set()
"""The ids of the streams and iterators that any client reads now. Ids, because not all of them are hashable."""


@define(eq=False)
class ReadPool:
    """Turns and buffers that all uploads of a client share.

    Args:
        callbacks: Bounds how many calls of the caller's own code run concurrently. The default is one, as with the
            official client: callbacks and generators may share an object, such as an archive.
    """

    callbacks: CapacityLimiter
    _buffers: list[mmap] = field(factory=list[mmap])

    @contextmanager
    def buffer(self) -> Generator[mmap, None, None]:
        """A buffer of CHUNK + 1 bytes, straight from the system. The extra byte shows that a file is larger."""
        # mmaps are reused. Blocks that one thread allocates and another frees would leave holes in the arenas that
        # the C library has for each thread, and the process would grow for days.
        buffer = self._buffers.pop() if self._buffers else mmap(-1, CHUNK + 1, access=ACCESS_COPY)
        yield buffer
        # Not reached after an error or a cancellation: an abandoned thread may still fill the buffer.
        if len(self._buffers) < MAX_IDLE:
            self._buffers.append(buffer)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Worker, None]:
        """A turn to run the caller's own code, and a thread to run it in."""
        borrower = object()
        await self.callbacks.acquire_on_behalf_of(borrower)
        worker: Worker | None = None
        try:
            async with leased_worker() as worker:
                yield worker
        finally:
            release = partial(self.callbacks.release_on_behalf_of, borrower)
            if worker is not None and worker.is_busy:
                # Abandoned code keeps its turn until it ends: it may share an object with the next.
                worker.submit(asyncio.get_running_loop().call_soon_threadsafe, release)
            else:
                release()


class Body:
    """The bytes of one attempt.

    The last chunk is handed out only after everything has been read and checked. A source that turns out to be wrong is
    never sent whole, so no storage keeps it.

    Args:
        content: The bytes, or an iterable of them in chunks.
        size: The expected number of bytes.
        filename: The name of the file in errors.
        check: Called when everything has been read; raises if the source has changed.
    """

    def __init__(
        self,
        content: bytes | AsyncIterable[bytes],
        size: int,
        filename: str,
        check: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        if isinstance(content, bytes) and len(content) > CHUNK:
            content = _slices(content)
        self.payload = content if isinstance(content, bytes) else self._watched(content)
        self.size = size
        self.sent = len(content) if isinstance(content, bytes) else 0  # bytes that have been handed out
        self.is_complete = isinstance(content, bytes)  # whether those were all
        self.failure: Exception | None = None  # in reading; aiohttp would only say that the connection broke
        self._filename = filename
        self._check = check
        self._crc = 0

    def crc32c(self) -> str:
        """The CRC-32C of the bytes handed out so far, in base64 as in `x-goog-hash`."""
        if isinstance(self.payload, bytes):
            self._crc = _crc32c()(0, self.payload)
        return b64encode(self._crc.to_bytes(4, "big")).decode()

    async def _watched(self, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        try:
            extend = _crc32c()
            async for chunk in self._checked(content):
                self.sent += len(chunk)
                self._crc = extend(self._crc, chunk)
                yield chunk
        except Exception as error:
            self.failure = error
            raise

    async def _checked(self, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The chunks. The last one is held back until the size and the source have been checked."""
        read, last = 0, b""
        async for chunk in content:
            read += len(chunk)
            if read > self.size:
                break
            if read == self.size:
                last = chunk
            else:
                yield chunk
        check_size(self._filename, self.size, read)
        if self._check is not None:
            await self._check()
        self.is_complete = True
        yield last


class FileSource(ABC):
    """The source of the bytes of one file. Each attempt to send them opens it anew."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Body]:
        """The bytes for one attempt.

        Raises:
            MissingFileError: If a local file is missing or empty.
            DataError: If there are no bytes, or their source fails.
        """

    async def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Close the caller's stream: no further attempt will be made."""

    def whole(self, content: bytes) -> Body:
        """The body of content that has been read completely."""
        if not content:
            raise DataError(f"the data of {self.name!r} is empty", filename=self.name)
        return Body(content, len(content), self.name)

    @contextmanager
    def exclusive(self, data: Any) -> Generator[None, None, None]:
        """Raise a DataError if the data is already being read: each reader would get a part of the bytes."""
        if id(data) in _in_use:
            problem = "is being uploaded already; pass a new one for each file, or a callback that opens it"
            raise DataError(f"the data of {self.name!r} {problem}", filename=self.name)
        _in_use.add(id(data))
        try:
            yield
        finally:
            _in_use.discard(id(data))

    @contextmanager
    def naming_file(self, what: str = "reading") -> Generator[None, None, None]:
        """Translate errors of a source into a DataError or MissingFileError that names the file."""
        try:
            yield
        except (DataError, MissingFileError):
            raise
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            raise DataError(f"{what} {self.name!r} was cancelled by other code", filename=self.name) from error
        except Exception as error:
            if isinstance(error, FileNotFoundError) and error.filename == self.name:
                raise MissingFileError(f"{self.name!r} is missing", filename=self.name) from error
            kind = "" if isinstance(error, KognicError) else f"{type(error).__name__}: "
            message = f"{what} {self.name!r} failed: {kind}{error}{thread_hint(error)}"
            raise DataError(message, filename=self.name) from error


class Memory(FileSource):
    """Bytes in memory."""

    def __init__(self, name: str, data: bytes | bytearray | memoryview) -> None:
        super().__init__(name)
        self._data = data

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes."""
        yield self.whole(bytes(self._data))


class MemoryStream(FileSource):
    """A BytesIO. Reading it needs no thread."""

    def __init__(self, name: str, stream: BytesIO) -> None:
        super().__init__(name)
        self._stream = stream

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """All of its bytes, whatever its position."""
        with self.exclusive(self._stream):
            with self.naming_file():
                body = self.whole(self._stream.getvalue())
            yield body

    async def close(self) -> None:
        """Close the stream, as the official client does after an upload."""
        with suppress(BufferError):  # a memoryview of it is still in use
            self._stream.close()


def close_now(data: Any) -> None:
    """Close data that has a synchronous close, in this thread. Its bytes have been read, so errors are ignored."""
    close = getattr(data, "close", None)
    if callable(close) and not inspect.iscoroutinefunction(close):
        with suppress(Exception):
            close()


async def close_quietly(data: Any) -> None:
    """Close data that has a close or aclose, and wait for it briefly. Errors are ignored."""
    with move_on_after(CLOSING_TIME, shield=True), suppress(Exception):
        if hasattr(data, "aclose"):
            await data.aclose()
        elif inspect.iscoroutinefunction(getattr(data, "close", None)):
            await data.close()
        else:
            await in_thread(close_now, data)


def check_size(filename: str, expected: int | None, got: int) -> None:
    """Raise a DataError unless a source returned the expected number of bytes; None expects any."""
    if expected not in (None, got):
        raise changed(filename, f"{expected} bytes at the start, {got} at the end")


def changed(filename: str, how: str) -> DataError:
    """The error for a source that is not what it was at the start."""
    return DataError(f"{filename!r} changed during its upload: {how}; pass files that are complete", filename=filename)


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def _crc32c() -> Callable[[int, bytes], int]:
    """The function that extends a CRC-32C by more bytes."""
    import google_crc32c  # noqa: PLC0415  # imported when a client opens

    extend: Callable[[int, bytes], int] = google_crc32c.extend
    return extend
