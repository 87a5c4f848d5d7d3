"""What one attempt sends."""

import sys
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from importlib import import_module

from kognic_aio._threads import in_thread
from kognic_aio.errors import DataError

CHUNK = 1 << 20
"""Bytes read at a time. What has no more is read and sent whole."""


class Body:
    """The bytes of one attempt.

    The last chunk is handed out only after everything has been read and checked. A source that turns out to be wrong is
    never sent whole, so no storage keeps it.

    Args:
        content: The bytes, or what gives them in chunks.
        size: How many there should be.
        filename: What to call them in errors.
        check: Called when all have been read; raises if they have turned out to be wrong.
    """

    def __init__(
        self,
        content: bytes | AsyncIterable[bytes],
        size: int,
        filename: str,
        check: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        if isinstance(content, bytes) and len(content) > CHUNK:
            content = _slices(content)
        self.payload = content if isinstance(content, bytes) else self._watched(content)
        self.size = size
        self.sent = len(content) if isinstance(content, bytes) else 0  # bytes that have been handed out
        self.is_complete = isinstance(content, bytes)  # whether those were all
        self.failure: Exception | None = None  # in reading; aiohttp would only say that the connection broke
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
        """The chunks. The last one comes when it is known to be the last, and all is well."""
        read, last = 0, b""
        async for chunk in content:
            read += len(chunk)
            if read > self.size:
                break
            if read == self.size:
                last = chunk
            else:
                yield chunk
        check_size(self._filename, self.size, read)
        if self._check is not None:
            await self._check()
        self.is_complete = True
        yield last


def check_size(filename: str, expected: int | None, got: int) -> None:
    """Raise a DataError unless a source has given as many bytes as expected."""
    if expected not in (None, got):
        raise changed(filename, f"{expected} bytes at the start, {got} at the end")


def changed(filename: str, how: str) -> DataError:
    """The error for a source that is not what it was at the start."""
    return DataError(f"{filename!r} changed while it was sent: {how}; give files that are complete", filename=filename)


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


async def _crc32c() -> Callable[[int, bytes], int]:
    """What extends a CRC-32C by further bytes."""
    if "google_crc32c" not in sys.modules:
        await in_thread(import_module, "google_crc32c")  # which reads files, and blocks
    import google_crc32c  # noqa: PLC0415  # imported just now

    extend: Callable[[int, bytes], int] = google_crc32c.extend
    return extend
