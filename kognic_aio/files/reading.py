"""What all reading for one client shares, turns and buffers, and how large files are read with them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from io import FileIO
from mmap import ACCESS_COPY, mmap
from typing import Any, TypeAlias

from anyio import CapacityLimiter
from attrs import define, field

from kognic_aio._tasks import retrieve_exception
from kognic_aio._threads import Worker, leased_worker
from kognic_aio.files.body import CHUNK

MAX_IDLE = 8
"""Buffers kept for the next reads. A peak may need more, which are given back."""

PIECE = 1 << 18
"""Bytes handed out at a time. Larger blocks would leave larger holes in the heap, and the process would grow."""

Buffer: TypeAlias = mmap
"""Memory straight from the system, of which only the pages that were written to are there."""

ReadInto: TypeAlias = Callable[[memoryview], Coroutine[Any, Any, int]]
"""Fills a part of a buffer and returns how much that was; 0 at the end."""


@define(eq=False)
class Reading:
    """What all reading for one client shares.

    Args:
        callbacks: Bounds how much of the caller's own code runs at once. By default it is one call after another, as
            with the official client, so callbacks and generators that share something, as an archive, are right.
    """

    callbacks: CapacityLimiter
    _buffers: list[Buffer] = field(factory=list[Buffer])

    @contextmanager
    def buffer(self) -> Generator[Buffer, None, None]:
        """A buffer of one byte more than is sent whole, for one read."""
        # Buffers are used again and again. Blocks that one thread allocates and another frees would leave holes in the
        # arenas that the C library has for each thread, and the process would grow for days.
        buffer = self._buffers.pop() if self._buffers else mmap(-1, CHUNK + 1, access=ACCESS_COPY)
        yield buffer
        # After an error or a cancellation it is not used again: a thread that nobody waits for may still fill it.
        if len(self._buffers) < MAX_IDLE:
            self._buffers.append(buffer)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Worker, None]:
        """A turn to run the caller's own code, and a thread to run it in."""
        borrower = object()
        await self.callbacks.acquire_on_behalf_of(borrower)
        give_back: Callable[[], None] = partial(self.callbacks.release_on_behalf_of, borrower)
        try:
            async with leased_worker() as worker:
                try:
                    yield worker
                finally:
                    if worker.is_busy:
                        # Code that nobody waits for any more keeps its turn: it may share something with the next.
                        worker.submit(asyncio.get_running_loop().call_soon_threadsafe, give_back)
                        give_back = _nothing
        finally:
            give_back()


def _nothing() -> None:
    """Nothing is left to be given back."""


def readinto_of(file: FileIO, worker: Worker) -> ReadInto:
    """What reads on from the position of a file, in one thread."""
    from aiofiles.threadpool import wrap  # noqa: PLC0415  # imported when a client opens

    readinto: ReadInto = wrap(file, executor=worker).readinto
    return readinto


async def chunks(readinto: ReadInto, reading: Reading) -> AsyncIterator[bytes]:
    """What a file holds. One buffer is filled while what is in the other is being sent."""
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
    """A reading that has begun. If nobody waits for it in the end, nobody misses its error."""
    task = asyncio.ensure_future(reading)
    task.add_done_callback(retrieve_exception)
    return task
