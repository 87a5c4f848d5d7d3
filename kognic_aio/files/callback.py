"""Callbacks, which give the bytes when their turn comes."""

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from kognic_aio._threads import leased_worker, patiently
from kognic_aio.files.body import Body
from kognic_aio.files.iterators import Iteration
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source
from kognic_aio.files.stream import Stream


class Callback(Source):
    """A function that gets the filename, and is called anew for each attempt.

    A synchronous one runs in a thread, in its turn. If its result may share something with those of others, as members
    of an archive and generators do, that is read to its end in the same turn, and by the same thread. Asynchronous
    ones overlap.

    Args:
        name: The filename.
        callback: The function or coroutine function.
        choose: Makes a source of what it returns.
        reading: What all reading shares.
    """

    def __init__(self, name: str, callback: Any, choose: Callable[[Any], Source], reading: Reading) -> None:
        super().__init__(name)
        self._callback = callback
        self._choose = choose
        self._reading = reading

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes that it gives this time."""
        source = await patiently(self._result)
        try:
            async with source.open() as body:
                yield body
        finally:
            await source.close()

    async def _result(self) -> Source:
        function, is_async = self._callback, inspect.iscoroutinefunction
        if is_async(function) or is_async(getattr(function, "__call__", None)):  # noqa: B004 - an object with one
            return await self._awaited(function(self.name))
        return await self._called()

    async def _called(self) -> Source:
        async with self._reading.callbacks, leased_worker() as worker:
            with self.blamed("the callback for"):
                result = await worker.run(self._callback, self.name)
            if not inspect.isawaitable(result):
                source = self._source_of(result)
                if not isinstance(source, Iteration) and not (isinstance(source, Stream) and source.needs_turn):
                    return source
                try:
                    return await source.gathered_by(worker)
                finally:
                    worker.submit(source.close_now)
        return await self._awaited(result)

    async def _awaited(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            result = await result
        return self._source_of(result)

    def _source_of(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            return self._choose(result)
