"""Iterators and generators of bytes."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from kognic_aio._threads import Worker
from kognic_aio.errors import DataError
from kognic_aio.files.body import Body
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source, close_now, close_quietly
from kognic_aio.files.spool import END, gather


class Iteration(Source):
    """An iterator of bytes. It is read once, in its turn and to its end, before any of it is sent.

    Args:
        name: The filename.
        iterator: The iterator, which is closed when it has been read.
        reading: What all reading shares.
    """

    def __init__(self, name: str, iterator: Iterator[Any], reading: Reading) -> None:
        super().__init__(name)
        self._iterator = iterator
        self._reading = reading
        self._gathered: Source | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        if self._gathered is None:
            async with self._reading.turn() as worker:
                self._gathered = await self.gathered_by(worker)
        async with self._gathered.open() as body:
            yield body

    async def gathered_by(self, worker: Worker) -> Source:
        """All that it gives, read in the thread of a worker, which closes it too."""
        if getattr(self._iterator, "gi_frame", self) is None:
            problem = "has been read already; give each file its own, or a callback that makes it"
            raise DataError(f"the generator of {self.name!r} {problem}", filename=self.name)
        try:
            with self.blamed(), self.sole_use(self._iterator):
                return await gather(self.name, partial(next, self._iterator, END), worker, self._reading)
        finally:
            worker.submit(close_now, self._iterator)

    async def close(self) -> None:
        """Close the iterator, unless it has been read and closed."""
        if self._gathered is None:
            await close_quietly(self._iterator)
        else:
            await self._gathered.close()
