"""Files of this machine, by name or open."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from io import FileIO, UnsupportedOperation
from mmap import mmap
from stat import S_ISREG
from typing import Any

from anyio import move_on_after

from kognic_aio._regular import opened_at_once
from kognic_aio._tasks import retrieve_exception
from kognic_aio._threads import Worker, in_thread, leased_worker, with_descriptors
from kognic_aio.errors import MissingFileError
from kognic_aio.files.source import (
    CHUNK,
    CLOSING_TIME,
    Body,
    FileSource,
    ReadPool,
    changed,
    check_size,
    close_now,
    close_quietly,
)

PIECE = 1 << 18
"""Bytes handed out at a time. Larger blocks would leave larger holes in the heap, and the process would grow."""

# Files are opened by name, without pathlib: it interns every part of a path, and after 40,000 names the interpreter
# rehashes that table (2 MB, in the arena of whichever thread).


class LocalFileSource(FileSource):
    """A local file, opened anew for each attempt. A DataError is raised if it changes during an attempt.

    Attributes:
        ahead: Its bytes for the first attempt if they were read when it was checked, otherwise none.
    """

    def __init__(self, filename: str, pool: ReadPool) -> None:
        super().__init__(filename)
        self.ahead = b""
        self._pool = pool

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes. A small file is read at once, a large one while it is sent."""
        content, self.ahead = self.ahead, b""
        if not content:
            with self.naming_file(), self._pool.buffer() as buffer:
                size = await with_descriptors(in_thread, _read_if_fits, self.name, buffer)
                content = bytes(memoryview(buffer)[:size])
        if content:
            yield self.whole(content)
            return
        from aiofiles.threadpool import wrap  # noqa: PLC0415  # imported when a client opens

        file = Handle(self.name)
        async with leased_worker() as worker:
            try:
                with self.naming_file():
                    await with_descriptors(worker.run, file.open)
                content_chunks = _chunks(wrap(file.stream, executor=worker).readinto, self._pool)
                yield Body(content_chunks, file.before.st_size, self.name, lambda: worker.run(file.check_unchanged))
            finally:
                ended = worker.submit(file.close)  # in that thread, after an `open` that may still hang there
                with move_on_after(CLOSING_TIME, shield=True):
                    await asyncio.wrap_future(ended)


class Handle:
    """An open file, `stream`, and its status when it was opened, `before`. All methods may block."""

    def __init__(self, filename: str) -> None:
        self._filename = filename

    def open(self) -> None:
        """Open the file; raise a MissingFileError if it is not a regular file any more."""
        self.stream = FileIO(self._filename, opener=opened_at_once)
        self.before = os.fstat(self.stream.fileno())
        if not S_ISREG(self.before.st_mode):  # reading a FIFO may block for ever
            raise _no_file(self._filename)

    def close(self) -> None:
        """Close the file, if it was opened."""
        if hasattr(self, "stream"):
            self.stream.close()

    def read_whole(self, buffer: mmap | memoryview) -> int:
        """Read the file into a larger buffer, and return its size; raise a DataError if it changes meanwhile."""
        size = _fill(self.stream.readinto, buffer)
        check_size(self._filename, self.before.st_size, size)
        self.check_unchanged()
        return size

    def check_unchanged(self) -> None:
        """Raise a DataError if the file was written to, removed or replaced."""
        # The status of the open file is compared, not that of its name: on some mounts, opening a file changes the
        # modification time or the inode number of its name.
        name, now = self._filename, os.fstat(self.stream.fileno())
        check_size(name, self.before.st_size, now.st_size)
        if self.before.st_nlink and not now.st_nlink:
            raise changed(name, _why_unlinked(name))
        if self.before.st_mtime_ns != now.st_mtime_ns:
            raise changed(name, "it was written to")


def _why_unlinked(filename: str) -> str:
    try:
        os.stat(filename)  # noqa: PTH116  # no pathlib, as said above
    except OSError as error:
        return f"it is gone ({error.strerror})"
    return "another file has taken its name"


class OpenFile(FileSource):
    """A file that the caller opened, or a temporary file. It is read from its start, whatever its position."""

    def __init__(self, name: str, stream: Any, pool: ReadPool) -> None:
        super().__init__(name)
        self._stream = stream
        self._pool = pool
        self._worker: Worker | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes. A small file is read at once, a large one while it is sent."""
        async with leased_worker() as worker:
            try:
                with self.naming_file(), self._pool.buffer() as buffer:
                    part, size = await worker.run(_begin_part, self._stream, buffer)
                    content = bytes(memoryview(buffer)[:size])
                if part.size > CHUNK:
                    with self.exclusive(self._stream):
                        yield Body(_chunks(partial(worker.run, part.readinto), self._pool), part.size, self.name)
                    return
                check_size(self.name, part.size, size)
            finally:
                self._worker = worker if worker.is_busy else None
        yield self.whole(content)

    async def close(self) -> None:
        """Close the file, as the official client does after an upload."""
        if self._worker is not None and self._worker.is_busy:
            # If it were closed while that thread reads it, the next file to be opened would get its descriptor.
            self._worker.submit(close_now, self._stream)
        else:
            await close_quietly(self._stream)


class _Part:
    """Reads an open file from its start, without its position, which other descriptors may share."""

    def __init__(self, stream: Any) -> None:
        with suppress(UnsupportedOperation):
            stream.flush()
        self._descriptor: int = stream.fileno()
        self._offset = 0
        self.size = os.fstat(self._descriptor).st_size

    def readinto(self, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            read = os.preadv(self._descriptor, [view], self._offset)
        else:  # Windows, where only our own temporary files are read this way
            os.lseek(self._descriptor, self._offset, os.SEEK_SET)
            chunk = os.read(self._descriptor, len(view))
            read = len(chunk)
            view[:read] = chunk
        self._offset += read
        return read


def _begin_part(stream: Any, buffer: mmap) -> tuple[_Part, int]:
    """Begin to read an open file: whole if it is smaller than the buffer. Return how many bytes were read."""
    part = _Part(stream)
    return part, _fill(part.readinto, buffer) if part.size < len(buffer) else 0


def _fill(readinto: Callable[[memoryview], int], buffer: mmap | memoryview) -> int:
    """Read to the end, or until the buffer is full, and return the number of bytes read."""
    size = 0
    with memoryview(buffer) as view:
        while read := readinto(view[size:]):
            size += read
    return size


def _read_if_fits(filename: str, buffer: mmap | memoryview) -> int:
    """Read a file that is smaller than the buffer, and return its size; 0 if it is not smaller."""
    with closing(Handle(filename)) as file:
        file.open()
        if file.before.st_size >= len(buffer):
            return 0
        if size := file.read_whole(buffer):
            return size
    raise _empty(filename)


async def _chunks(readinto: Callable[[memoryview], Coroutine[Any, Any, int]], pool: ReadPool) -> AsyncIterator[bytes]:
    """The content of a file. One buffer is filled while the other is being sent."""
    with pool.buffer() as one, pool.buffer() as other:
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
    """Start a read. Its error is not reported if nobody awaits it."""
    task = asyncio.ensure_future(reading)
    task.add_done_callback(retrieve_exception)
    return task


async def check_files(files: Sequence[LocalFileSource]) -> None:
    """Raise a MissingFileError if a local file is missing, empty, or not a file."""
    if files:
        await in_thread(_check_all, files)


async def read_ahead(files: Sequence[LocalFileSource], pool: ReadPool) -> None:
    """Check local files as `check_files` does, and read them for their first attempt if all fit into one buffer.

    Waking a thread again for the upload would cost more than reading a small file does.

    Raises:
        DataError: If a file cannot be read, or changes meanwhile.
    """
    if not files:
        return
    with pool.buffer() as buffer:
        sizes, start = await with_descriptors(in_thread, _check_and_read_all, files, buffer), 0
        for file, size in zip(files, sizes, strict=True):
            file.ahead = bytes(memoryview(buffer)[start : start + size])
            start += size


def _check_and_read_all(files: Sequence[LocalFileSource], buffer: mmap) -> list[int]:
    """Check files, and read one after another into a buffer. Return how many bytes were read of each."""
    if _check_all(files) >= len(buffer):
        return [0] * len(files)
    sizes, rest = list[int](), memoryview(buffer)
    for file in files:
        with file.naming_file():
            sizes.append(_read_if_fits(file.name, rest))
        rest = rest[sizes[-1] :]
    return sizes


def _check_all(files: Sequence[LocalFileSource]) -> int:
    """Check files, and return their total size in bytes."""
    return sum(_checked_size(file.name) for file in files)


def _checked_size(filename: str) -> int:
    try:
        status = os.stat(filename)  # noqa: PTH116  # no pathlib, as said above
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MissingFileError(f"local file is missing: {filename!r} ({reason})", filename=filename) from error
    if not S_ISREG(status.st_mode):
        raise _no_file(filename)
    if status.st_size == 0:
        raise _empty(filename)
    return status.st_size


def _no_file(filename: str) -> MissingFileError:
    return MissingFileError(f"not a file: {filename!r}", filename=filename)


def _empty(filename: str) -> MissingFileError:
    return MissingFileError(f"local file contains no data: {filename!r}", filename=filename, empty=True)
