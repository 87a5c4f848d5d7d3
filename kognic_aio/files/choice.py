"""Which kind of source a file is: asked once, here."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from anyio import CancelScope

from kognic_aio._tasks import for_each
from kognic_aio._validation.converters import argument
from kognic_aio.errors import DataError
from kognic_aio.files.asynchronous import AsyncChunks
from kognic_aio.files.callback import Callback
from kognic_aio.files.iterators import Iteration
from kognic_aio.files.local import LocalFile, check_files
from kognic_aio.files.memory import Memory, MemoryStream
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source
from kognic_aio.files.stream import OpenFile, Stream, is_open_file
from kognic_aio.model.file_data import Uploadable, bytes_source


def choose_source(file: Uploadable, reading: Reading) -> Source:
    """The source of a file's bytes.

    Args:
        file: The file.
        reading: What all reading shares.

    Raises:
        DataError: If it is a stream that is closed.
    """
    if file.file_data is None:
        return LocalFile(file.filename, reading)
    if file.file_data.callback is None:
        return _source_of_data(file.client_filename, file.file_data.data, reading)

    def choose(result: Any) -> Source:
        return _source_of_data(file.client_filename, argument("its result", result, bytes_source), reading)

    return Callback(file.client_filename, file.file_data.callback, choose, reading)


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


@asynccontextmanager
async def sources_at_hand(
    files: Mapping[str, Uploadable], reading: Reading, *, keep: bool = False
) -> AsyncGenerator[Mapping[str, Source], None]:
    """The sources of files, with local files looked at; in the end they are closed.

    Args:
        files: The files of a scene, by name.
        reading: What all reading shares.
        keep: Whether to leave the streams and generators open that were given as data, for a later run.

    Raises:
        MissingFileError: If a local file is missing, empty or not a file.
        DataError: If a stream is closed.
    """
    sources = {name: choose_source(file, reading) for name, file in files.items()}
    try:
        await check_files(source.name for source in sources.values() if isinstance(source, LocalFile))
        yield sources
    finally:
        if not keep:
            await _close_all([source for source in sources.values() if type(source).close is not Source.close])


async def _close_all(sources: list[Source]) -> None:
    with CancelScope(shield=True):
        await for_each(sources, lambda source: source.close(), workers=len(sources))
