"""What all kinds of sources have in common."""

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any

from anyio import move_on_after

from kognic_aio._tasks import is_being_cancelled
from kognic_aio._threads import Worker, in_thread, thread_hint
from kognic_aio.errors import DataError, KognicError, MissingFileError
from kognic_aio.files.body import Body, check_size

CLOSING_TIME = 0.5
"""Seconds to wait for the closing of a stream."""

_in_use: set[int] = set()
"""The ids of the streams and iterators that are being read now, for whichever client; not all of them are hashable."""


class Source(ABC):
    """Where the bytes of one file come from. They can be had again for each attempt to send them.

    Args:
        name: The filename, as its owner gave it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Body]:
        """The bytes for one attempt.

        Raises:
            MissingFileError: If a local file is missing or empty.
            DataError: If there are no bytes, or their source fails.
        """

    async def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what the caller gave: no further attempt will be made."""

    def whole(self, content: bytes, size: int | None = None) -> Body:
        """The body of a source that has been read to its end, if it is not empty, nor of another size than it told.

        Raises:
            DataError: If it is.
        """
        if not content:
            raise DataError(f"the data of {self.name!r} is empty", filename=self.name)
        check_size(self.name, size, len(content))
        return Body(content, len(content), self.name)

    @contextmanager
    def sole_use(self, data: Any) -> Generator[None, None, None]:
        """See that nothing else reads a stream or iterator meanwhile: each would get half of the bytes."""
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


def close_now(data: Any) -> None:
    """Close what can be closed, in this thread. What goes wrong changes nothing for the bytes that were read."""
    close = getattr(data, "close", None)
    if callable(close) and not inspect.iscoroutinefunction(close):
        with suppress(Exception):
            close()


async def close_after(worker: Worker | None, data: Any) -> None:
    """Close what a worker has read: at once, or when its thread reads it no more.

    As long as a thread reads it nobody else may close it: its descriptor would be another file's at once.
    """
    if worker is not None and worker.is_busy:
        worker.submit(close_now, data)
    else:
        await close_quietly(data)


async def close_quietly(data: Any) -> None:
    """Close what can be closed, without waiting long. What goes wrong changes nothing for the bytes that were read."""
    with move_on_after(CLOSING_TIME, shield=True), suppress(Exception):
        if hasattr(data, "aclose"):
            await data.aclose()
        elif inspect.iscoroutinefunction(getattr(data, "close", None)):
            await data.close()
        else:
            await in_thread(close_now, data)
