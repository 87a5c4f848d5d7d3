"""Which kind of source a file is: asked once, here. A callback is asked when its turn comes."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from io import BytesIO
from typing import Any

from anyio import CancelScope

from kognic_aio._tasks import for_each
from kognic_aio._threads import Worker, with_descriptors
from kognic_aio._validation.converters import argument
from kognic_aio.errors import DataError
from kognic_aio.files.body import Body
from kognic_aio.files.local import LocalFileSource, OpenFile, check_files
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Memory, MemoryStream, Source, close_now
from kognic_aio.files.spool import AsyncChunks, Blocking
from kognic_aio.files.streams import Iteration, Stream, is_open_file
from kognic_aio.model.resource import Uploadable, bytes_source


def _source_of(file: Uploadable, reading: Reading) -> Source:
    """The source of a file's bytes; a DataError if it is a stream that is closed."""
    if file.file_data is None:
        return LocalFileSource(file.filename, reading)
    if file.file_data.callback is None:
        return _source_of_data(file.client_filename, file.file_data.data, reading)
    return CallbackSource(file.client_filename, file.file_data.callback, reading)


def _source_of_data(name: str, data: Any, reading: Reading) -> Source:
    if isinstance(data, bytes | bytearray | memoryview):
        return Memory(name, data)
    if getattr(data, "closed", False) is True:
        problem = "is closed, as streams are after an upload; give each scene its own, or a callback that opens it"
        raise DataError(f"the stream of {name!r} {problem}", filename=name)
    if type(data) is BytesIO:  # what derives from it may read otherwise
        return MemoryStream(name, data)
    return _kind_of(data)(name, data, reading)


def _kind_of(data: Any) -> type[AsyncChunks] | type[OpenFile] | type[Stream] | type[Iteration]:
    if hasattr(data, "read"):
        if inspect.iscoroutinefunction(data.read):
            return AsyncChunks
        return OpenFile if is_open_file(data) else Stream
    return AsyncChunks if isinstance(data, AsyncIterable) else Iteration


class CallbackSource(Source):
    """A function that gets the filename and returns any other source's data. Each attempt calls it anew.

    A synchronous one runs in a thread, in its turn. Asynchronous ones overlap.
    """

    def __init__(self, name: str, callback: Callable[[str], Any], reading: Reading) -> None:
        super().__init__(name)
        self._callback = callback
        self._reading = reading

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes that it gives this time."""
        source = await with_descriptors(self._result)
        try:
            async with source.open() as body:
                yield body
        finally:
            await source.close()

    async def _result(self) -> Source:
        function, is_async = self._callback, inspect.iscoroutinefunction
        if is_async(function) or is_async(getattr(function, "__call__", None)):  # noqa: B004  # an object with one
            return await self._awaited(function(self.name))
        async with self._reading.turn() as worker:
            result = await self._called(worker)
            if not inspect.isawaitable(result):
                source = self._source_of_result(result)
                # Members of an archive and generators may share something with the results of other callbacks, so they
                # are read to their end in the same turn, and by the same thread.
                return await source.gathered_by(worker) if isinstance(source, Blocking) else source
        return await self._awaited(result)

    async def _called(self, worker: Worker) -> Any:
        """What the callback returns. If nobody waits for that any more, it is closed when it comes."""
        unclaimed = ExitStack()

        def call() -> Any:
            result = self._callback(self.name)
            unclaimed.callback(close_now, result)
            return result

        try:
            with self.blamed("the callback for"):
                return await worker.run(call)
        except BaseException:
            worker.submit(unclaimed.close)
            raise

    async def _awaited(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            result = await result
        return self._source_of_result(result)

    def _source_of_result(self, result: Any) -> Source:
        with self.blamed("the callback for"):
            return _source_of_data(self.name, argument("its result", result, bytes_source), self._reading)


@asynccontextmanager
async def sources_at_hand(
    files: Mapping[str, Uploadable], reading: Reading, *, keep: bool = False
) -> AsyncGenerator[Mapping[str, Source], None]:
    """The sources of the files of a scene, by name. In the end they are closed.

    Args:
        files: The files of a scene, by name.
        reading: What all reading for the client shares.
        keep: Whether to leave the streams and generators open that were given as data, for a later run.

    Raises:
        MissingFileError: If a local file is missing, empty or not a file.
        DataError: If a stream is closed.
    """
    sources = {name: _source_of(file, reading) for name, file in files.items()}
    try:
        await check_files([source for source in sources.values() if isinstance(source, LocalFileSource)], reading)
        yield sources
    finally:
        if not keep:
            await _close_all([source for source in sources.values() if type(source).close is not Source.close])


async def _close_all(sources: list[Source]) -> None:
    with CancelScope(shield=True):
        await for_each(sources, lambda source: source.close(), workers=len(sources))
