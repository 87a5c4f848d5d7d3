"""The bytes of a file, from wherever they come: opened anew for every attempt, read in threads, closed in the end."""

import asyncio
import inspect
import io
import os
import sys
from base64 import b64encode
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope, move_on_after

from kognic_aio._http.tasks import for_each, in_thread, is_being_cancelled
from kognic_aio.errors import DataError, InvalidError, KognicError, MissingFileError
from kognic_aio.model.file_data import Source, Uploadable, check_bytes_source

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncBufferedReader

T = TypeVar("T")

CHUNK = 1 << 20
"""Bytes read at a time. What has no more is read and sent whole; for a file that is one thread hop, not four."""

CLOSING_TIME = 0.5
"""Seconds to wait for the closing of a caller's stream."""

_in_use: set[int] = set()
"""The streams and generators that are being read now."""


class Body:
    """What one attempt sends.

    The last chunk is handed out when everything has been read and checked: what is sent of a source that turns out to
    be wrong never looks complete, so that no storage keeps it.

    Args:
        content: The bytes, or what gives them in chunks.
        size: How many there should be, None if nobody knows before the end.
        filename: What to call them in errors.
        check: Called when all have been read; raises if they have turned out to be wrong.

    Attributes:
        size: As given.
        sent: How many have been handed out.
        is_complete: Whether those were all.
        failure: What went wrong in reading them; aiohttp would only say that the connection broke.
    """

    def __init__(
        self,
        content: bytes | AsyncIterable[bytes],
        size: int | None,
        filename: str,
        check: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        if isinstance(content, bytes) and len(content) > CHUNK:
            content = _slices(content)
        self.payload = content if isinstance(content, bytes) else self._watched(content)
        self.size = size
        self.sent = len(content) if isinstance(content, bytes) else 0
        self.is_complete = isinstance(content, bytes)
        self.failure: Exception | None = None
        self._filename = filename
        self._check = check
        self._crc = 0

    async def crc32c(self) -> str:
        """The CRC-32C of what has been handed out, as `x-goog-hash` writes it."""
        if isinstance(self.payload, bytes):
            self._crc = (await _crc32c())(0, self.payload)
        return b64encode(self._crc.to_bytes(4, "big")).decode()

    async def _watched(self, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        try:
            extend = await _crc32c()
            async for chunk in self._checked(content):
                self.sent += len(chunk)
                self._crc = extend(self._crc, chunk)
                yield chunk
        except Exception as error:
            self.failure = error
            raise

    async def _checked(self, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The chunks, the last of them when it is known to be the last, and all is well."""
        read, last = 0, b""
        async for chunk in content:
            read += len(chunk)
            if self.size is not None and read > self.size:
                break
            if last:
                yield last
            last = chunk
        _check_size(self._filename, self.size, read)
        if self._check is not None:
            await self._check()
        self.is_complete = True
        yield last


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
    given = [file.file_data.data for file in files if file.file_data is not None]
    closable = [source for source in given if hasattr(source, "close") or hasattr(source, "aclose")]
    with CancelScope(shield=True):
        await for_each(closable, _close, workers=len(closable))


@asynccontextmanager
async def _open_local(file: Uploadable) -> AsyncGenerator[Body, None]:
    with _blamed(file):
        before, content = await in_thread(_read_if_small, file.filename)
    if content is not None:
        yield Body(content, len(content), file.filename)
        return
    with _blamed(file):
        stream = await _opened(file.filename)
    try:
        unchanged = partial(in_thread, _check_unchanged, Path(file.filename), file.filename, before)
        yield Body(_chunks_of(stream, file), before.st_size, file.filename, unchanged)
    finally:
        with move_on_after(CLOSING_TIME, shield=True):
            await stream.close()


async def _opened(filename: str) -> "AsyncBufferedReader":
    """Open a file even if the task is cancelled meanwhile: nobody would close it otherwise."""
    import aiofiles  # noqa: PLC0415 - imported when a client opens

    with CancelScope(shield=True):
        return await aiofiles.open(filename, "rb")
    raise AssertionError  # a shielded scope swallows nothing


@asynccontextmanager
async def _open_data(data: Any, file: Uploadable) -> AsyncGenerator[Body, None]:
    """The start is read at once: a source that is short, empty or fails is known before anything is sent."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield _whole_body(bytes(data), None, file)
        return
    with _sole_use(data, file):
        with _blamed(file):
            size = await in_thread(_rewound, data)
        async with aclosing(_chunks_of(data, file)) as chunks:
            start, is_all = await _start_of(chunks)
            if is_all:
                yield _whole_body(b"".join(start), size, file)
            else:
                yield Body(_joined(start, chunks), size, file.filename)


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


async def _start_of(chunks: AsyncIterable[bytes]) -> tuple[deque[bytes], bool]:
    """The first chunks, with more bytes than are sent whole unless there are no more, and whether these are all."""
    start: deque[bytes] = deque()
    size = 0
    async for chunk in chunks:
        start.append(chunk)
        size += len(chunk)
        if size > CHUNK:
            return start, False
    return start, True


async def _joined(start: deque[bytes], rest: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    while start:
        yield start.popleft()
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


def _whole_body(content: bytes, size: int | None, file: Uploadable) -> Body:
    _check_not_empty(content, file)
    _check_size(file.client_filename, size, len(content))
    return Body(content, len(content), file.filename)


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


def _read_if_small(filename: str) -> tuple[os.stat_result, bytes | None]:
    """The state of a file, and its content if that is at most one chunk."""
    path = Path(filename)
    before = path.stat()
    if before.st_size > CHUNK:
        return before, None
    with path.open("rb", buffering=0) as stream:
        content = stream.read()
    if not content:
        raise MissingFileError(f"local file contains no data: {filename!r}", filename=filename, empty=True)
    _check_size(filename, before.st_size, len(content))
    _check_unchanged(path, filename, before)
    return before, content


def _check_unchanged(path: Path, filename: str, before: os.stat_result) -> None:
    """See that there is still the same file under the name, and that nobody has written to it."""
    try:
        now = path.stat()
    except OSError as error:
        raise _changed(filename, f"it is gone ({error.strerror})") from error
    _check_size(filename, before.st_size, now.st_size)
    if not os.path.samestat(before, now):
        raise _changed(filename, "another file has taken its name")
    if before.st_mtime_ns != now.st_mtime_ns:
        raise _changed(filename, "it was written to")


def _check_size(filename: str, expected: int | None, got: int) -> None:
    if expected not in (None, got):
        raise _changed(filename, f"{expected} bytes at the start, {got} at the end")


def _changed(filename: str, how: str) -> DataError:
    return DataError(f"{filename!r} changed while it was sent: {how}; give files that are complete", filename=filename)


async def _crc32c() -> Callable[[int, bytes], int]:
    """What extends a CRC-32C by further bytes; imported in a thread by the first who needs it."""
    if "google_crc32c" not in sys.modules:
        await in_thread(import_module, "google_crc32c")
    import google_crc32c  # noqa: PLC0415 - imported just now

    extend: Callable[[int, bytes], int] = google_crc32c.extend
    return extend
