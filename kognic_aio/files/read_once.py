"""What is read once: to its end, and before any of it is sent."""

from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from kognic_aio._threads import Worker
from kognic_aio.files.body import Body
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source, close_now, close_quietly


class ReadOnce(Source):
    """What is read once. Each attempt to send it is served from what was taken in.

    Args:
        name: The filename.
        data: What the caller gave, which is closed when it has been read.
        reading: What all reading shares.
    """

    def __init__(self, name: str, data: Any, reading: Reading) -> None:
        super().__init__(name)
        self._data = data
        self._reading = reading
        self._taken_in: Source | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        if self._taken_in is None:
            self._taken_in = await self._take_in()
        async with self._taken_in.open() as body:
            yield body

    @abstractmethod
    async def _take_in(self) -> Source:
        """All that it gives, in memory or in a temporary file."""

    async def close(self) -> None:
        """Close what the caller gave, as the official client does, or what was taken in of it."""
        if self._taken_in is None:
            await close_quietly(self._data)
        else:
            await self._taken_in.close()


class Blocking(ReadOnce):
    """What blocks when it is read: one thread reads and closes it."""

    async def gathered_by(self, worker: Worker) -> Source:
        """All that it gives, read in the thread of a worker, which closes it too."""
        try:
            with self.blamed(), self.sole_use(self._data):
                return await self._read(worker)
        finally:
            worker.submit(close_now, self._data)

    @abstractmethod
    async def _read(self, worker: Worker) -> Source:
        """All that it gives, read in the thread of a worker."""
