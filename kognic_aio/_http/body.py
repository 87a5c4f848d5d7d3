"""The bytes of a file, from wherever they come: opened anew for every attempt, read in threads, closed in the end."""

import asyncio
import inspect
import io
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope, move_on_after

from kognic_aio._http.tasks import in_thread, is_being_cancelled
from kognic_aio.errors import DataError, InvalidError, KognicError, MissingFileError
from kognic_aio.model.file_data import Source, Uploadable, check_bytes_source

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncBufferedReader

T = TypeVar("T")

CHUNK = 1 << 20
"""Bytes read at a time. Files of up to this size are read whole, which takes one thread hop instead of three."""

CLOSING_TIME = 0.5
"""Seconds to wait for the closing of a caller's stream."""

_in_use: set[int] = set()
"""The streams and generators that are being read now."""


class Body:
    """What one attempt sends.

    Attributes:
        size: How many bytes there are, None if nobody knows before the end.
        sent: How many have been handed out.
        failure: What went wrong in reading them; aiohttp would only say that the connection broke.
    """

    def __init__(self, content: bytes | AsyncIterable[bytes], size: int | None, filename: str) -> None:
        self.size = size
        self.sent = len(content) if isinstance(content, bytes) else 0
        self.failure: Exception | None = None
        self.payload = content if isinstance(content, bytes) else self._watched(content)
        self._filename = filename

    async def _watched(self, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in content:
                self.sent += len(chunk)
                yield chunk
            self._check_size()
        except Exception as error:
            self.failure = error
            raise

    def _check_size(self) -> None:
        if self.size not in (None, self.sent):
            problem = f"changed while it was sent: {self.size} bytes at the start, {self.sent} at the end"
            raise DataError(f"{self._filename!r} {problem}", filename=self._filename)


async def check_files(files: Iterable[Uploadable]) -> None:
    """Look at all local files.

    Raises:
        MissingFileError: If one is missing, empty, or not a file.
    """
    local = [file.filename for file in files if file.file_data is None]
    if local:
        await in_thread(_check_local, local)


def is_replayable(file: Uploadable) -> bool:
    """Whether the bytes can be had again for another attempt.

    Raises:
        DataError: If they are in a stream that is closed.
    """
    data = None if file.file_data is None else file.file_data.data
    if getattr(data, "closed", False) is True:
        problem = "is closed, as streams are after an upload; give each scene its own, or a callback that opens it"
        raise DataError(f"the stream of {file.client_filename!r} {problem}", filename=file.client_filename)
    return data is None or isinstance(data, bytes | bytearray | memoryview) or _is_seekable(data)


def open_body(file: Uploadable) -> AbstractAsyncContextManager[Body]:
    """The bytes of a file for one attempt.

    Raises:
        MissingFileError: If a local file is missing or empty.
        DataError: If there are no bytes, or their source fails.
    """
    if file.file_data is None:
        return _open_local(file)
    if file.file_data.callback is None:
        return _open_data(file.file_data.data, file)
    return _open_callback(file.file_data, file)


async def close_sources(files: Iterable[Uploadable]) -> None:
    """Close the streams and generators that were given as data, as the official client does after an upload."""
    for file in files:
        if file.file_data is not None:
            await _close(file.file_data.data)


@asynccontextmanager
async def _open_local(file: Uploadable) -> AsyncGenerator[Body, None]:
    with _blamed(file):
        content = await in_thread(_read_if_small, file.filename)
    if content is not None:
        yield Body(content, len(content), file.filename)
        return
    with _blamed(file):
        stream = await _opened(file.filename)
    try:
        size = (await in_thread(os.fstat, stream.fileno())).st_size
        yield Body(_chunks_of(stream, file), size, file.filename)
    finally:
        with CancelScope(shield=True):
            await stream.close()


async def _opened(filename: str) -> "AsyncBufferedReader":
    """Open a file even if the task is cancelled meanwhile: nobody would close it otherwise."""
    import aiofiles  # noqa: PLC0415 - imported when a client opens

    with CancelScope(shield=True):
        return await aiofiles.open(filename, "rb")
    raise AssertionError  # a shielded scope swallows nothing


@asynccontextmanager
async def _open_data(data: Any, file: Uploadable) -> AsyncGenerator[Body, None]:
    """The first chunk is read at once, so that a source that is empty or fails is found before anything is sent."""
    if isinstance(data, bytes | bytearray | memoryview):
        content = bytes(data)
        _check_not_empty(content, file)
        yield Body(content if len(content) <= CHUNK else _slices(content), len(content), file.filename)
        return
    with _sole_use(data, file):
        with _blamed(file):
            size = await in_thread(_rewound, data)
        async with aclosing(_chunks_of(data, file)) as chunks:
            first = await anext(chunks, b"")
            _check_not_empty(first, file)
            yield Body(_joined(first, chunks), size, file.filename)


@asynccontextmanager
async def _open_callback(file_data: Source, file: Uploadable) -> AsyncGenerator[Body, None]:
    with _blamed(file, "the callback for"):
        result = await _called(file_data.callback, file.client_filename)
        check_bytes_source(result, "its result")
    try:
        async with _open_data(result, file) as body:
            yield body
    finally:
        await _close(result)


async def _called(callback: Any, filename: str) -> Any:
    """An async callback is awaited; a sync one runs in a thread, where it may take its time."""
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(getattr(callback, "__call__", None)):  # noqa: B004 - an object with an async __call__
        return await callback(filename)
    result = await in_thread(callback, filename)
    return await result if inspect.isawaitable(result) else result


async def _chunks_of(data: Any, file: Uploadable) -> AsyncGenerator[bytes, None]:
    """Everything that a stream or generator gives, in non-empty chunks of bytes."""
    with _blamed(file):
        async for chunk in data if isinstance(data, AsyncIterable) and not hasattr(data, "read") else _pulled(data):
            if not isinstance(chunk, bytes | bytearray | memoryview):
                hint = "open files in binary mode ('rb')" if isinstance(chunk, str) else "bytes are needed"
                raise InvalidError(f"it gives {type(chunk).__name__}; {hint}")
            if chunk:
                yield bytes(chunk)


async def _pulled(data: Any) -> AsyncIterator[Any]:
    """The chunks of a stream or a generator, each fetched in a thread, unless the stream is an async one."""
    end = object()
    is_stream = hasattr(data, "read")
    if is_stream and inspect.iscoroutinefunction(data.read):
        pull = partial(data.read, CHUNK)
    else:
        pull = partial(in_thread, data.read, CHUNK) if is_stream else partial(in_thread, next, data, end)
    while True:
        chunk = await pull()
        if chunk is end or (is_stream and not chunk):
            return
        yield chunk


async def _joined(first: bytes, rest: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


async def _close(source: Any) -> None:
    """Close what can be closed, without waiting long: a stream that a thread still reads is closed by that thread.

    What goes wrong here changes nothing for the bytes that have arrived.
    """
    with move_on_after(CLOSING_TIME, shield=True), suppress(Exception):
        if hasattr(source, "aclose"):
            await source.aclose()
        elif inspect.iscoroutinefunction(getattr(source, "close", None)):
            await source.close()
        elif hasattr(source, "close"):
            await in_thread(source.close)


@contextmanager
def _sole_use(data: Any, file: Uploadable) -> Generator[None, None, None]:
    """See that nothing else reads a stream or generator meanwhile: each would get half of the bytes."""
    if id(data) in _in_use:
        problem = "is being uploaded already; give each file its own, or a callback that opens it"
        raise DataError(f"the data of {file.client_filename!r} {problem}", filename=file.client_filename)
    _in_use.add(id(data))
    try:
        yield
    finally:
        _in_use.discard(id(data))


@contextmanager
def _blamed(file: Uploadable, what: str = "reading") -> Generator[None, None, None]:
    """Raise whatever a source raises as an error of ours that names the file."""
    name = file.client_filename
    try:
        yield
    except (DataError, MissingFileError):
        raise
    except asyncio.CancelledError as error:
        if is_being_cancelled():
            raise
        raise DataError(f"{what} {name!r} was cancelled from elsewhere", filename=name) from error
    except FileNotFoundError as error:
        raise MissingFileError(f"{name!r} is missing", filename=name) from error
    except Exception as error:
        kind = "" if isinstance(error, KognicError) else f"{type(error).__name__}: "
        raise DataError(f"{what} {name!r} failed: {kind}{error}", filename=name) from error


def _check_not_empty(chunk: bytes, file: Uploadable) -> None:
    if not chunk:
        raise DataError(f"the data of {file.client_filename!r} is empty", filename=file.client_filename)


def _is_seekable(data: Any) -> bool:
    seekable = getattr(data, "seekable", None)
    return callable(seekable) and not inspect.iscoroutinefunction(seekable) and seekable() is True


def _rewound(data: Any) -> int | None:
    """Go to the start of a stream that can, and return its size."""
    if not _is_seekable(data):
        return None
    size: int = data.seek(0, io.SEEK_END)
    data.seek(0)
    return size


def _check_local(filenames: list[str]) -> None:
    for name in filenames:
        try:
            status = Path(name).stat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise MissingFileError(f"local file is missing: {name!r} ({reason})", filename=name) from error
        if not S_ISREG(status.st_mode):
            raise MissingFileError(f"not a file: {name!r}", filename=name)
        if status.st_size == 0:
            raise MissingFileError(f"local file contains no data: {name!r}", filename=name, empty=True)


def _read_if_small(filename: str) -> bytes | None:
    """The content of a file of at most one chunk, None for larger ones."""
    with Path(filename).open("rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size > CHUNK:
            return None
        content = stream.read()
    if not content:
        raise MissingFileError(f"local file contains no data: {filename!r}", filename=filename, empty=True)
    return content
