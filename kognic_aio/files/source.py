"""What all kinds of sources have in common, and those that are in memory."""

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from io import BytesIO
from typing import Any

from anyio import move_on_after

from kognic_aio._tasks import is_being_cancelled
from kognic_aio._threads import Worker, in_thread, thread_hint
from kognic_aio.errors import DataError, KognicError, MissingFileError
from kognic_aio.files.body import Body

CLOSING_TIME = 0.5
"""Seconds to wait for the closing of a stream."""

_in_use: set[int] = set()
"""The ids of the streams and iterators that any client reads now. Ids, because not all of them are hashable."""


class Source(ABC):
    """Where the bytes of one file come from. Each attempt to send them opens it anew."""

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
        """Let go of what the caller gave: no further attempt will be made."""

    def whole(self, content: bytes) -> Body:
        """The body of bytes that have all been read."""
        if not content:
            raise DataError(f"the data of {self.name!r} is empty", filename=self.name)
        return Body(content, len(content), self.name)

    @contextmanager
    def sole_use(self, data: Any) -> Generator[None, None, None]:
        """Raise a DataError if something else reads a stream or iterator now: each would get a part of the bytes."""
        if id(data) in _in_use:
            problem = "is being uploaded already; give each file its own, or a callback that opens it"
            raise DataError(f"the data of {self.name!r} {problem}", filename=self.name)
        _in_use.add(id(data))
        try:
            yield
        finally:
            _in_use.discard(id(data))

    @contextmanager
    def blamed(self, what: str = "reading") -> Generator[None, None, None]:
        """Raise whatever a source raises as an error of ours that names the file."""
        try:
            yield
        except (DataError, MissingFileError):
            raise
        except asyncio.CancelledError as error:
            if is_being_cancelled():
                raise
            raise DataError(f"{what} {self.name!r} was cancelled from elsewhere", filename=self.name) from error
        except Exception as error:
            if isinstance(error, FileNotFoundError) and error.filename == self.name:
                raise MissingFileError(f"{self.name!r} is missing", filename=self.name) from error
            kind = "" if isinstance(error, KognicError) else f"{type(error).__name__}: "
            message = f"{what} {self.name!r} failed: {kind}{error}{thread_hint(error)}"
            raise DataError(message, filename=self.name) from error


class Memory(Source):
    """Bytes, in one of the forms that are no stream."""

    def __init__(self, name: str, data: bytes | bytearray | memoryview) -> None:
        super().__init__(name)
        self._data = data

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """All of them."""
        yield self.whole(bytes(self._data))


class MemoryStream(Source):
    """A BytesIO, which needs no thread to be read."""

    def __init__(self, name: str, stream: BytesIO) -> None:
        super().__init__(name)
        self._stream = stream

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """All of its bytes, wherever its position is."""
        with self.sole_use(self._stream):
            with self.blamed():
                body = self.whole(self._stream.getvalue())
            yield body

    async def close(self) -> None:
        """Close the stream, as the official client does after an upload."""
        with suppress(BufferError):  # somebody else still looks at its memory
            self._stream.close()


def close_now(data: Any) -> None:
    """Close what can be closed, in this thread. The bytes have been read, so it does not matter if this fails."""
    close = getattr(data, "close", None)
    if callable(close) and not inspect.iscoroutinefunction(close):
        with suppress(Exception):
            close()


async def close_quietly(data: Any) -> None:
    """Close what can be closed, without waiting long. It does not matter if this fails."""
    with move_on_after(CLOSING_TIME, shield=True), suppress(Exception):
        if hasattr(data, "aclose"):
            await data.aclose()
        elif inspect.iscoroutinefunction(getattr(data, "close", None)):
            await data.close()
        else:
            await in_thread(close_now, data)


async def close_after(worker: Worker | None, data: Any) -> None:
    """Close what a worker has read: at once, or when its thread reads it no more."""
    if worker is not None and worker.is_busy:
        # If it were closed while that thread reads it, the next file to be opened would get its descriptor.
        worker.submit(close_now, data)
    else:
        await close_quietly(data)
