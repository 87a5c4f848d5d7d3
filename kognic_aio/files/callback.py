"""Callbacks, which give the bytes when their turn comes."""

import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from kognic_aio._threads import Worker, patiently
from kognic_aio.files.body import Body
from kognic_aio.files.read_once import Blocking
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source, close_now


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
        async with self._reading.turn() as worker:
            result = await self._called(worker)
            if not inspect.isawaitable(result):
                source = self._source_of(result)
                return await source.gathered_by(worker) if isinstance(source, Blocking) else source
        return await self._awaited(result)

    async def _called(self, worker: Worker) -> Any:
        """What the callback returns. If nobody waits for that any more, it is closed when it comes."""
        call = _Call(self._callback, self.name)
        try:
            with self.blamed("the callback for"):
                await worker.run(call.make)
        except BaseException:
            worker.submit(call.discard)
            raise
        return call.result

    async def _awaited(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            result = await result
        return self._source_of(result)

    def _source_of(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            return self._choose(result)


class _Call:
    """A call of a callback, and what it returned."""

    def __init__(self, callback: Callable[[str], Any], name: str) -> None:
        self._callback = callback
        self._name = name
        self.result: Any = None

    def make(self) -> None:
        self.result = self._callback(self._name)

    def discard(self) -> None:
        close_now(self.result)
