"""Chooses the source class for a file: once, or when its turn comes if it has a callback."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from anyio import CancelScope

from kognic_aio._tasks import for_each, is_async_callable
from kognic_aio._threads import Worker, with_descriptors
from kognic_aio._validation.converters import argument
from kognic_aio.errors import DataError
from kognic_aio.files.local import LocalFileSource, OpenFile, check_files, read_ahead
from kognic_aio.files.source import Body, FileSource, Memory, MemoryStream, ReadPool, close_now
from kognic_aio.files.spool import AsyncChunks, Blocking, is_open_file
from kognic_aio.model.resource import bytes_source

if TYPE_CHECKING:
    from kognic_aio.model.scene_request import Uploadable


def _source_of(file: "Uploadable", pool: ReadPool) -> FileSource:
    """The source of a file's bytes; raises a DataError for a closed stream."""
    if file.file_data is None:
        return LocalFileSource(file.filename, pool)
    if file.file_data.callback is None:
        return _source_of_data(file.client_filename, file.file_data.data, pool)
    return CallbackSource(file.client_filename, file.file_data.callback, pool)


def _source_of_data(name: str, data: Any, pool: ReadPool) -> FileSource:
    if isinstance(data, bytes | bytearray | memoryview):
        return Memory(name, data)
    if getattr(data, "closed", False) is True:
        problem = "is closed: streams are closed after their upload"
        remedy = "pass a new one for each scene, or a callback that opens it"
        raise DataError(f"the stream of {name!r} {problem}; {remedy}", filename=name)
    if type(data) is BytesIO:  # not a subclass, which may read something else
        return MemoryStream(name, data)
    read = getattr(data, "read", None)
    if inspect.iscoroutinefunction(read) or (read is None and isinstance(data, AsyncIterable)):
        return AsyncChunks(name, data, pool)
    return (OpenFile if is_open_file(data) else Blocking)(name, data, pool)


class CallbackSource(FileSource):
    """A function that takes the filename and returns the data of any other source. Each attempt calls it anew.

    Synchronous ones take turns in threads. Asynchronous ones overlap.
    """

    def __init__(self, name: str, callback: Callable[[str], Any], pool: ReadPool) -> None:
        super().__init__(name)
        self._callback = callback
        self._pool = pool

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes that it returns this time."""
        source = await with_descriptors(self._result)
        try:
            async with source.open() as body:
                yield body
        finally:
            await source.close()

    async def _result(self) -> FileSource:
        if is_async_callable(self._callback):
            return await self._source_of_result(self._callback(self.name))
        async with self._pool.turn() as worker:
            result = await self._called(worker)
            if not inspect.isawaitable(result):
                source = await self._source_of_result(result)
                # Members of an archive and generators may share an object with the results of other callbacks, so they
                # are read to their end in the same turn, by the same thread.
                return await source.spooled_by(worker) if isinstance(source, Blocking) else source
        return await self._source_of_result(result)

    async def _called(self, worker: Worker) -> Any:
        """The result of the callback. If the task is cancelled, the result is closed when it comes."""
        unclaimed = ExitStack()

        def call() -> Any:
            result = self._callback(self.name)
            unclaimed.callback(close_now, result)
            return result

        try:
            with self.naming_file("the callback for"):
                return await worker.run(call)
        except BaseException:
            worker.submit(unclaimed.close)
            raise

    async def _source_of_result(self, result: Any) -> FileSource:
        with self.naming_file("the callback for"):
            data = await result if inspect.isawaitable(result) else result
            return _source_of_data(self.name, argument("its result", data, bytes_source), self._pool)


@asynccontextmanager
async def opened_sources(
    files: "Mapping[str, Uploadable]", pool: ReadPool, *, dryrun: bool = False
) -> AsyncGenerator[Mapping[str, FileSource], None]:
    """The sources of the files of a scene, by name. They are closed at exit.

    Args:
        files: The files of a scene, by name.
        pool: Turns and buffers that all uploads of the client share.
        dryrun: Whether nothing is sent. Streams and generators that were passed as data stay open for a later run.

    Raises:
        MissingFileError: If a local file is missing, empty or not a file.
        DataError: If a stream is closed, or a small local file cannot be read.
    """
    sources = {name: _source_of(file, pool) for name, file in files.items()}
    try:
        local = [source for source in sources.values() if isinstance(source, LocalFileSource)]
        await (check_files(local) if dryrun else read_ahead(local, pool))
        yield sources
    finally:
        closable = [source for source in sources.values() if type(source).close is not FileSource.close]
        if closable and not dryrun:
            with CancelScope(shield=True):
                await for_each(closable, lambda source: source.close(), workers=len(closable))
