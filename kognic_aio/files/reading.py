"""What all reading for one client shares: turns and buffers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from mmap import ACCESS_COPY, mmap
from typing import TypeAlias

from anyio import CapacityLimiter
from attrs import define, field

from kognic_aio._threads import Worker, leased_worker
from kognic_aio.files.body import CHUNK

Buffer: TypeAlias = mmap
"""Memory straight from the system, of which only the pages that were written to are there."""

MAX_IDLE = 8
"""Buffers that are kept for the next reads; what was needed beyond them at a peak is given back."""


@define(eq=False)
class Reading:
    """What all reading for one client shares.

    Args:
        callbacks: Bounds how much of the caller's own code runs at once. By default it is one call after another, as
            with the official client: callbacks and generators that share something, as an archive, are right then.
    """

    callbacks: CapacityLimiter
    _buffers: list[Buffer] = field(factory=list[Buffer])

    @contextmanager
    def buffer(self) -> Generator[Buffer, None, None]:
        """A buffer of more bytes than are sent whole, for one read.

        Buffers are used again and again. Blocks that a thread allocates and another one frees would leave holes in the
        arenas that the C library has for each thread, and the process would grow for days.
        """
        buffer = self._buffers.pop() if self._buffers else mmap(-1, CHUNK + 1, access=ACCESS_COPY)
        yield buffer
        # After an error or a cancellation it is not used again: a thread that nobody waits for may still fill it.
        if len(self._buffers) < MAX_IDLE:
            self._buffers.append(buffer)

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Worker, None]:
        """A turn to run the caller's own code, and a thread to run it in.

        Code that nobody waits for any more keeps its turn until it has ended: it may share something with the next.
        """
        borrower = object()
        await self.callbacks.acquire_on_behalf_of(borrower)
        give_back: Callable[[], None] = partial(self.callbacks.release_on_behalf_of, borrower)
        try:
            async with leased_worker() as worker:
                try:
                    yield worker
                finally:
                    if worker.is_busy:
                        worker.submit(asyncio.get_running_loop().call_soon_threadsafe, give_back)
                        give_back = _nothing
        finally:
            give_back()


def _nothing() -> None:
    """Nothing is left to be given back."""
