"""Iterators and generators of bytes."""

from functools import partial

from kognic_aio._threads import Worker
from kognic_aio.errors import DataError
from kognic_aio.files.read_once import Blocking
from kognic_aio.files.source import Source
from kognic_aio.files.spool import END, gather


class Iteration(Blocking):
    """An iterator of bytes, which is read in its turn."""

    async def _take_in(self) -> Source:
        async with self._reading.turn() as worker:
            return await self.gathered_by(worker)

    async def _read(self, worker: Worker) -> Source:
        if getattr(self._data, "gi_frame", self) is None:
            problem = "has been read already; give each file its own, or a callback that makes it"
            raise DataError(f"the generator of {self.name!r} {problem}", filename=self.name)
        return await gather(self.name, partial(next, self._data, END), worker, self._reading)
