"""Files of this machine, by name or open."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from io import FileIO, UnsupportedOperation
from itertools import accumulate
from stat import S_ISREG
from typing import Any

from anyio import move_on_after

from kognic_aio._regular import opened_at_once, opened_without_waiting
from kognic_aio._threads import Worker, in_thread, leased_worker, with_descriptors
from kognic_aio.errors import DataError, MissingFileError
from kognic_aio.files.body import CHUNK, Body, changed, check_size
from kognic_aio.files.reading import Buffer, Reading, chunks, readinto_of
from kognic_aio.files.source import CLOSING_TIME, Source, close_after

MAX_PREFETCHED = 1 << 17
"""Bytes of the largest file that is read when it is looked at."""

# Files are opened by name, without pathlib. It interns each part of a path, and every 40,000 of them the interpreter
# builds its table of such strings anew: 2 MB in the arena of whichever thread that is, until all arenas have had it.


class LocalFileSource(Source):
    """A file of this machine, opened anew for each attempt. It is an error to write to it while it is sent."""

    def __init__(self, filename: str, reading: Reading) -> None:
        super().__init__(filename)
        self._reading = reading
        self.prefetched = b""  # for the first attempt

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes: a small file is read at once, a large one as it is sent."""
        prefetched, self.prefetched = self.prefetched, b""
        if prefetched:
            yield Body(prefetched, len(prefetched), self.name)
            return
        with self._reading.buffer() as buffer:
            with self.blamed():
                size = await with_descriptors(in_thread, _read_if_small, self.name, buffer)
            content = None if size is None else bytes(memoryview(buffer)[:size])
        if content is not None:
            yield Body(content, len(content), self.name)
            return
        async with self._opened_large() as body:
            yield body

    @asynccontextmanager
    async def _opened_large(self) -> AsyncGenerator[Body, None]:
        file = Handle(self.name)
        async with leased_worker() as worker:
            try:
                with self.blamed():
                    await with_descriptors(worker.run, file.open)
                content = chunks(readinto_of(file.stream, worker), self._reading)
                yield Body(content, file.before.st_size, self.name, lambda: worker.run(file.check_unchanged))
            finally:
                closing = worker.submit(file.close)  # in that thread, behind an `open` that may still hang there
                with move_on_after(CLOSING_TIME, shield=True):
                    await asyncio.wrap_future(closing)


class Handle:
    """A file that is open, as `stream`, and its status at that time, as `before`. Everything it does may block."""

    def __init__(self, filename: str) -> None:
        self._filename = filename

    def open(self, opener: Callable[[str, int], int] = opened_at_once) -> None:
        """Open it; a MissingFileError if it is no file any more."""
        self.stream = FileIO(self._filename, opener=opener)
        self.before = os.fstat(self.stream.fileno())
        if not S_ISREG(self.before.st_mode):  # to wait for what a FIFO gives could take for ever
            raise _no_file(self._filename)

    def close(self) -> None:
        """Close it, if it was opened."""
        if hasattr(self, "stream"):
            self.stream.close()

    def read_whole(self, buffer: Buffer | memoryview) -> int:
        """Read all of it into a larger buffer, and return how much that was; a DataError if it changes meanwhile."""
        size = _fill(self.stream.readinto, buffer)
        check_size(self._filename, self.before.st_size, size)
        self.check_unchanged()
        return size

    def check_unchanged(self) -> None:
        """Raise a DataError if somebody has written to it, or it has lost its name."""
        # The status of the open file is compared, not that of its name: there are mounts on which a name gets another
        # time of modification, or another inode number, by being opened.
        name, now = self._filename, os.fstat(self.stream.fileno())
        check_size(name, self.before.st_size, now.st_size)
        if self.before.st_nlink and not now.st_nlink:
            self._look_for_another()
            raise changed(name, "another file has taken its name")
        if self.before.st_mtime_ns != now.st_mtime_ns:
            raise changed(name, "it was written to")

    def _look_for_another(self) -> None:
        try:
            os.stat(self._filename)  # noqa: PTH116  # no pathlib, as said above
        except OSError as error:
            raise changed(self._filename, f"it is gone ({error.strerror})") from error


class OpenFile(Source):
    """A file that is open, such as one of its owner's. It is read from its start, wherever its position is moved to."""

    def __init__(self, name: str, stream: Any, reading: Reading) -> None:
        super().__init__(name)
        self._stream = stream
        self._reading = reading
        self._worker: Worker | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes: a small file is read at once, a large one as it is sent."""
        async with leased_worker() as worker:
            try:
                with self.blamed():
                    part = await worker.run(_Part, self._stream)
                if part.size > CHUNK:
                    with self.sole_use(self._stream):
                        yield Body(chunks(partial(worker.run, part.readinto), self._reading), part.size, self.name)
                    return
                with self.blamed(), self._reading.buffer() as buffer:
                    size = await worker.run(_fill, part.readinto, buffer)
                    check_size(self.name, part.size, size)
                    content = bytes(memoryview(buffer)[:size])
            finally:
                self._worker = worker if worker.is_busy else None
        yield self.whole(content)

    async def close(self) -> None:
        """Close the file, as the official client does after an upload."""
        await close_after(self._worker, self._stream)


class _Part:
    """Reads an open file from its start, without using the position, which other descriptors may share."""

    def __init__(self, stream: Any) -> None:
        with suppress(UnsupportedOperation):
            stream.flush()
        self._descriptor: int = stream.fileno()
        self._offset = 0
        self.size = os.fstat(self._descriptor).st_size

    def readinto(self, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            read = os.preadv(self._descriptor, [view], self._offset)
        else:  # on Windows, where only our own temporary files are read in this way
            os.lseek(self._descriptor, self._offset, os.SEEK_SET)
            chunk = os.read(self._descriptor, len(view))
            read = len(chunk)
            view[:read] = chunk
        self._offset += read
        return read


def _fill(readinto: Callable[[memoryview], int], buffer: Buffer | memoryview) -> int:
    """Read to the end, or until the buffer is full, and return how much that was."""
    size = 0
    with memoryview(buffer) as view:
        while read := readinto(view[size:]):
            size += read
    return size


def _read_if_small(filename: str, buffer: Buffer) -> int | None:
    """Read a file of at most one chunk into the buffer and return its size; None if it is larger."""
    file = Handle(filename)
    try:
        file.open()
        if file.before.st_size > CHUNK:
            return None
        if size := file.read_whole(buffer):
            return size
    finally:
        file.close()
    raise _empty(filename)


async def check_files(sources: Sequence[LocalFileSource], reading: Reading) -> None:
    """Raise a MissingFileError if a local file is missing, empty, or not a file.

    Small files are read in the same turn, for their first attempt: to wake a thread costs as much as a request.
    """
    if not sources:
        return
    with reading.buffer() as buffer:
        sizes = await in_thread(_check_all, [source.name for source in sources], buffer)
        with memoryview(buffer) as view:
            for source, size, end in zip(sources, sizes, accumulate(sizes), strict=True):
                source.prefetched = bytes(view[end - size : end])


def _check_all(filenames: Sequence[str], buffer: Buffer) -> Sequence[int]:
    """Look at files, and return how many bytes of each have been read into the buffer: all or none."""
    sizes: list[int] = []
    with memoryview(buffer) as view:
        for name in filenames:
            rest = view[sum(sizes) :]
            sizes.append(_prefetch(name, rest) if _checked_size(name) <= min(MAX_PREFETCHED, len(rest) - 1) else 0)
    return sizes


def _checked_size(name: str) -> int:
    try:
        status = os.stat(name)  # noqa: PTH116  # no pathlib, as said above
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MissingFileError(f"local file is missing: {name!r} ({reason})", filename=name) from error
    if not S_ISREG(status.st_mode):
        raise _no_file(name)
    if status.st_size == 0:
        raise _empty(name)
    return status.st_size


def _prefetch(name: str, rest: memoryview) -> int:
    file = Handle(name)
    try:
        file.open(opened_without_waiting)
        return file.read_whole(rest) if file.before.st_size < len(rest) else 0
    except (OSError, DataError, MissingFileError):
        return 0  # the attempt will meet the same problem, and say where it was
    finally:
        file.close()


def _no_file(filename: str) -> MissingFileError:
    return MissingFileError(f"not a file: {filename!r}", filename=filename)


def _empty(filename: str) -> MissingFileError:
    return MissingFileError(f"local file contains no data: {filename!r}", filename=filename, empty=True)
