"""Turns and buffers that all uploads of a client share, and reading large files with them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from mmap import ACCESS_COPY, mmap
from typing import Any, TypeAlias

from anyio import CapacityLimiter
from attrs import define, field

from kognic_aio._tasks import retrieve_exception
from kognic_aio._threads import Worker, leased_worker
from kognic_aio.files.source import CHUNK

MAX_IDLE = 8
"""Buffers kept for the next reads. More are made at a peak, and freed after it."""

PIECE = 1 << 18
"""Bytes handed out at a time. Larger blocks would leave larger holes in the heap, and the process would grow."""

Buffer: TypeAlias = mmap
"""Memory straight from the system. Only pages that were written to take space."""

ReadInto: TypeAlias = Callable[[memoryview], Coroutine[Any, Any, int]]
"""Reads into a buffer and returns the number of bytes read; 0 at the end."""


@define(eq=False)
class ReadPool:
    """Turns and buffers that all uploads of a client share.

    Args:
        callbacks: Bounds how many calls of the caller's own code run concurrently. The default is one, as with the
            official client: callbacks and generators may share an object, such as an archive.
    """

    callbacks: CapacityLimiter
    _buffers: list[Buffer] = field(factory=list[Buffer])

    @contextmanager
    def buffer(self) -> Generator[Buffer, None, None]:
        """A buffer of CHUNK + 1 bytes for one read. The extra byte shows that a file is larger."""
        # Buffers are reused. Blocks that one thread allocates and another frees would leave holes in the arenas that
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


async def chunks(readinto: ReadInto, pool: ReadPool) -> AsyncIterator[bytes]:
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
