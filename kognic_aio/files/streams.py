"""What blocks when it is read: open files, other objects with a `read()`, iterators and generators."""

import inspect
import os
from contextlib import suppress
from functools import partial
from io import SEEK_END, BufferedRandom, BufferedReader, FileIO, UnsupportedOperation
from socket import SocketIO
from stat import S_ISREG
from tempfile import SpooledTemporaryFile
from typing import Any

from kognic_aio._threads import Worker, leased_worker
from kognic_aio.errors import DataError, InvalidError
from kognic_aio.files.body import CHUNK
from kognic_aio.files.source import Source
from kognic_aio.files.spool import END, NOTHING_YET, Blocking, gather

ANSWERS = frozenset({("http.client", "HTTPResponse"), ("urllib3.response", "HTTPResponse")})
"""Answers of servers, as `urlopen` and requests give them. Each has a socket of its own."""


class Stream(Blocking):
    """An object with a `read()` that blocks. It is read in its turn, unless it is known to share nothing."""

    async def _take_in(self) -> Source:
        # The members of an archive, for one, move the one position that the archive has.
        async with leased_worker() if _is_alone(self._data) else self._reading.turn() as worker:
            return await self.gathered_by(worker)

    async def _read(self, worker: Worker) -> Source:
        size = await worker.run(_rewound, self._data)
        return await gather(self.name, partial(_pull, self._data), worker, self._reading, size)


class Iteration(Blocking):
    """An iterator or generator of bytes, which is read in its turn."""

    async def _take_in(self) -> Source:
        async with self._reading.turn() as worker:
            return await self.gathered_by(worker)

    async def _read(self, worker: Worker) -> Source:
        if getattr(self._data, "gi_frame", self) is None:
            problem = "has been read already; give each file its own, or a callback that makes it"
            raise DataError(f"the generator of {self.name!r} {problem}", filename=self.name)
        return await gather(self.name, partial(next, self._data, END), worker, self._reading)


def is_open_file(stream: Any) -> bool:
    """Whether it is a regular file that `open` has opened, and nothing that may read it otherwise."""
    if not hasattr(os, "preadv"):
        return False
    file = _file_of(stream)
    return file is not None and not file.closed and S_ISREG(os.fstat(file.fileno()).st_mode)


def _is_alone(stream: Any) -> bool:
    """Whether it is known to share nothing: a pipe or socket of its own, a server's answer, a temporary file."""
    kind = type(stream.raw) if type(stream) is BufferedReader else type(stream)
    if kind in (SocketIO, SpooledTemporaryFile) or (kind.__module__, kind.__name__) in ANSWERS:
        return True
    return _file_of(stream) is not None


def _file_of(stream: Any) -> FileIO | None:
    """The file beneath what `open` has made. What derives from it, or wraps it, may read otherwise."""
    if type(stream).__name__ == "_TemporaryFileWrapper" and type(stream).__module__ == "tempfile":
        stream = stream.file
    if type(stream) in (BufferedReader, BufferedRandom):
        stream = stream.raw
    return stream if type(stream) is FileIO else None


def _rewound(stream: Any) -> int | None:
    """Go to the start of a stream that can, and return its size, if it can tell."""
    seekable = getattr(stream, "seekable", None)
    if not callable(seekable) or inspect.iscoroutinefunction(seekable) or seekable() is not True:
        return None
    try:
        size: int = stream.seek(0, SEEK_END)
    except (ValueError, UnsupportedOperation):  # compressed streams know no end before they are there
        size = -1
    stream.seek(0)
    return None if size < 0 else size


def _pull(stream: Any) -> Any:
    chunk = stream.read(CHUNK)
    if chunk is None:
        return NOTHING_YET
    if inspect.isawaitable(chunk):
        with suppress(AttributeError):
            chunk.close()  # type: ignore[attr-defined]  # a coroutine, which would complain of not being awaited
        raise InvalidError("its read() has to be awaited, though it is no coroutine function; give an async generator")
    return chunk or END
