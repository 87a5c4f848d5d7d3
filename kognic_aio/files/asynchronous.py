"""Async iterators and generators of bytes, and objects with an async `read()`."""

import inspect
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio

from kognic_aio._threads import leased_worker
from kognic_aio.files.body import CHUNK
from kognic_aio.files.read_once import ReadOnce
from kognic_aio.files.source import Source, close_quietly
from kognic_aio.files.spool import LOOK_AGAIN, STARVED_AFTER, Intake, starved


class AsyncChunks(ReadOnce):
    """What is read in the event loop, many at once: an async iterable, or an object with an async `read()`."""

    async def _take_in(self) -> Source:
        try:
            with self.blamed(), self.sole_use(self._data), self._reading.buffer() as buffer:
                return await self._gather(Intake(self.name, buffer))
        finally:
            await close_quietly(self._data)

    async def _gather(self, intake: Intake) -> Source:
        chunks = _read(self._data) if hasattr(self._data, "read") else aiter(self._data)
        async for chunk in chunks:
            if not intake.fits(chunk):
                await self._spool(intake, chunk, chunks)
                break
            intake.take(chunk)
        return intake.result(self._reading)

    @staticmethod
    async def _spool(intake: Intake, chunk: Any, rest: AsyncIterator[Any]) -> None:
        """Take in what does not fit into memory, in a thread."""
        async with leased_worker() as worker:
            try:
                await worker.run(intake.take, chunk)
                async for later in rest:
                    await worker.run(intake.take, later)
            except BaseException:
                intake.abandon()
                worker.submit(intake.discard)
                raise


async def _read(stream: Any) -> AsyncIterator[Any]:
    """The chunks of a stream, from its start if it can go there."""
    if inspect.iscoroutinefunction(seek := getattr(stream, "seek", None)) and await _is_seekable(stream):
        await seek(0)
    deadline = time.monotonic() + STARVED_AFTER
    while (chunk := await stream.read(CHUNK)) != b"":
        if chunk is not None:
            yield chunk
            deadline = time.monotonic() + STARVED_AFTER
        elif time.monotonic() > deadline:
            raise starved()
        else:
            await anyio.sleep(LOOK_AGAIN)


async def _is_seekable(stream: Any) -> bool:
    seekable = getattr(stream, "seekable", lambda: True)()
    return bool(await seekable if inspect.isawaitable(seekable) else seekable)
