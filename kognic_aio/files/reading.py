"""What all reading for one client shares: turns, descriptors and buffers."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from mmap import ACCESS_COPY, mmap
from typing import TypeAlias

import anyio
from anyio import CapacityLimiter
from attrs import define, field

from kognic_aio.files.body import CHUNK

Buffer: TypeAlias = mmap
"""Memory straight from the system, of which only the pages that were written to are there."""


@define(eq=False)
class Reading:
    """What all reading for one client shares.

    Args:
        callbacks: Bounds how much of the caller's own code runs at once. By default it is one call after another, as
            with the official client: callbacks and generators that share something, as an archive, are right then.
    """

    callbacks: CapacityLimiter
    _buffers: list[Buffer] = field(factory=list[Buffer])
    _descriptors: dict[int, "_Descriptor"] = field(factory=dict[int, "_Descriptor"])

    @contextmanager
    def buffer(self) -> Generator[Buffer, None, None]:
        """A buffer of more bytes than are sent whole, for one read.

        Buffers are used again and again. Blocks that a thread allocates and another one frees would leave holes in the
        arenas that the C library has for each thread, and the process would grow for days.
        """
        buffer = self._buffers.pop() if self._buffers else mmap(-1, CHUNK + 1, access=ACCESS_COPY)
        yield buffer
        # After an error or a cancellation it is not used again: a thread that nobody waits for may still fill it.
        self._buffers.append(buffer)

    @asynccontextmanager
    async def descriptor(self, number: int) -> AsyncGenerator[None, None]:
        """Hold a file descriptor: two streams over the same one move the same position."""
        held = self._descriptors.setdefault(number, _Descriptor())
        held.users += 1
        try:
            async with held.lock:
                yield
        finally:
            held.users -= 1
            if not held.users:
                del self._descriptors[number]


@define(eq=False)
class _Descriptor:
    lock: anyio.Lock = field(factory=anyio.Lock)
    users: int = 0
