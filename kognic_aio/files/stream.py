"""Objects with a `read()` that blocks: open files, members of archives, pipes, answers of servers."""

import inspect
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from io import SEEK_END, FileIO, UnsupportedOperation
from typing import Any

from kognic_aio._threads import Worker, leased_worker
from kognic_aio.files.body import CHUNK, Body
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source, close_quietly
from kognic_aio.files.spool import END, NOTHING_YET, chunks_of_file, gather


class Stream(Source):
    """An object with a `read()` that blocks, read from its start if it can go there.

    A large file that is open is sent as it is read. Anything else is read to its end first: in its turn, unless it has
    a descriptor of its own, as the members of an archive move the one position that the archive has.

    Args:
        name: The filename.
        stream: The stream, which is closed in the end.
        reading: What all reading shares.
    """

    def __init__(self, name: str, stream: Any, reading: Reading) -> None:
        super().__init__(name)
        self._stream = stream
        self._reading = reading
        self._kept: Source | None = None
        self._descriptor = _descriptor(stream)
        self._worker: Worker | None = None

    @property
    def needs_turn(self) -> bool:
        """Whether its reads may move a position that others use."""
        return self._descriptor is None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        if self._kept is not None:
            async with self._kept.open() as body:
                yield body
            return
        async with self._turn(), leased_worker() as worker:
            self._worker = worker
            with self.blamed():
                size = await worker.run(_rewound, self._stream)
            file = _file_of(self._stream)
            if file is not None and size is not None and size > CHUNK:
                with self.sole_use(self._stream):
                    yield Body(chunks_of_file(file, worker, self._reading), size, self.name)
                return
            gathered = await self._gathered(worker, size)
        if size is None:
            self._kept = gathered
        try:
            async with gathered.open() as body:
                yield body
        finally:
            if size is not None:
                await gathered.close()

    async def gathered_by(self, worker: Worker) -> Source:
        """All that it gives, read in the thread of a worker."""
        with self.blamed():
            size = await worker.run(_rewound, self._stream)
        return await self._gathered(worker, size)

    async def _gathered(self, worker: Worker, size: int | None) -> Source:
        with self.blamed(), self.sole_use(self._stream):
            return await gather(self.name, partial(_pull, self._stream), worker, self._reading, size)

    def _turn(self) -> AbstractAsyncContextManager[object]:
        return self._reading.callbacks if self._descriptor is None else self._reading.descriptor(self._descriptor)

    def close_now(self) -> None:
        """Close the stream in this thread, if it can be closed."""
        if hasattr(self._stream, "close"):
            self._stream.close()

    async def close(self) -> None:
        """Close the stream, as the official client does after an upload."""
        if self._kept is not None:
            await self._kept.close()
        await close_quietly(self._stream, self._worker)


def _descriptor(stream: Any) -> int | None:
    """The descriptor of a stream that has one of its own, or at least one that can be told from others."""
    with suppress(Exception):
        number = stream.fileno()
        return number if isinstance(number, int) else None
    return None


def _file_of(stream: Any) -> FileIO | None:
    """The file itself that an open file reads, beneath its buffer."""
    file = stream if isinstance(stream, FileIO) else getattr(stream, "raw", None)
    return file if isinstance(file, FileIO) else None


def _rewound(stream: Any) -> int | None:
    """Go to the start of a stream that can, and return its size; None if it can be read only once."""
    seekable = getattr(stream, "seekable", None)
    if not callable(seekable) or inspect.iscoroutinefunction(seekable) or seekable() is not True:
        return None
    try:
        size: int = stream.seek(0, SEEK_END)
    except (ValueError, UnsupportedOperation):  # compressed streams know no end before they are there
        stream.seek(0)
        return None
    stream.seek(0)
    return size


def _pull(stream: Any) -> Any:
    chunk = stream.read(CHUNK)
    if chunk is None:
        return NOTHING_YET
    return chunk or END
