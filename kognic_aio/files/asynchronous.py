"""Async iterators and generators of bytes, and objects with an async `read()`."""

import inspect
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from kognic_aio._threads import leased_worker
from kognic_aio.files.body import CHUNK, Body
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source, close_quietly
from kognic_aio.files.spool import LOOK_AGAIN, STARVED_AFTER, Intake, starved


class AsyncChunks(Source):
    """What is read in the event loop. It is read once and to its end before any of it is sent, many at once.

    Args:
        name: The filename.
        data: An async iterable, or an object with an async `read()`; it is closed in the end.
        reading: What all reading shares.
    """

    def __init__(self, name: str, data: Any, reading: Reading) -> None:
        super().__init__(name)
        self._data = data
        self._reading = reading
        self._gathered: Source | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        if self._gathered is None:
            with self.blamed(), self.sole_use(self._data):
                self._gathered = await self._gather()
        async with self._gathered.open() as body:
            yield body

    async def _gather(self) -> Source:
        with self._reading.buffer() as buffer:
            intake = Intake(self.name, buffer)
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

    async def close(self) -> None:
        """Close what was given, if it can be closed."""
        if self._gathered is not None:
            await self._gathered.close()
        await close_quietly(self._data)


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
