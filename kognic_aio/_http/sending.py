"""The body of a request, and its progress while it is sent.

A server that stops reading must time out, and a slow but steady one must not. When this process has sent the last byte,
kernels may hold megabytes that are still on their way.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import cast

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import StreamWriter

from kognic_aio._secret import Secret

SLICE = 1 << 20
"""Bytes that are handed to the socket at a time."""

SMALL = 64 << 10
"""Bytes that the kernel takes at once. So few are not watched."""

CHECKS = 4
"""How often within `timeout` to check for progress. A silence lasts at most 1.25 times `timeout`."""

MIN_MOVED = 1000
"""Bytes that an upload has to move within `timeout`."""

HELD = 32 << 20
"""Bytes that the other end's kernel may acknowledge before its server reads them: 6 MB by default, 32 MB if tuned."""

TCP_INFO = struct.Struct("=120xQ100xI")
"""Of Linux's `struct tcp_info`: bytes_acked, since 4.2, and snd_wnd, since 5.4."""


class WatchedBody(aiohttp.Payload):
    """A body that is sent once. Its server may be slow but not silent.

    The time that the source of the bytes takes does not count.
    """

    _value: bytes | AsyncIterable[bytes]
    _autoclose = True  # whoever has opened the source closes it
    _writer: StreamWriter
    _transport: asyncio.Transport | None
    _protocol: ResponseHandler

    def __init__(self, content: bytes | AsyncIterable[bytes]) -> None:
        super().__init__(content)
        self.sent_at: float | None = None  # when all had been handed over; only the response is still to come
        self.waits_since: float | None = None  # when bytes last moved or the wait began; None while there is no wait
        self.source_seconds = 0.0  # that the source of the bytes took
        self.extra = 0.0  # seconds beyond `timeout` in which the other end may still read what its kernel holds
        self._size = len(content) if isinstance(content, bytes) else None
        self._is_watched = False

    @classmethod
    def of(cls, data: bytes | AsyncIterable[bytes] | Secret[dict[str, str]] | None) -> "WatchedBody | None":
        """The body of a request's data. Forms are short and need no watch."""
        return None if data is None or isinstance(data, Secret) else cls(data)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:  # noqa: ARG002  # aiohttp's
        """Refuse: a stream is not there as a whole."""
        raise TypeError("a body is sent, not shown")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send all of it. aiohttp calls this, once: it must not send half of a source again by itself."""
        self._consumed = True
        if self._size is not None and self._size <= SMALL:
            self.sent_at = self.waits_since = _now()  # long headers may be ahead of it in the queue
            await writer.write(cast("bytes", self._value))
            return
        self._start_watch(cast("StreamWriter", writer))
        try:
            asked = _now()
            async for chunk in _slices(self._value) if isinstance(self._value, bytes) else self._value:
                self.source_seconds += _now() - asked
                await self._send(chunk)
                asked = _now()
        except BaseException:
            self.reset()
            raise
        self.sent_at = _now()
        self._wait()

    def _start_watch(self, writer: StreamWriter) -> None:
        self._is_watched = True
        self._writer = writer
        self._transport = writer.transport  # the connection forgets it when it closes
        self._protocol = cast("ResponseHandler", writer.protocol)
        self._waited = 0.0
        self._seen = (0, 0, 0)

    async def _send(self, chunk: bytes | memoryview) -> None:
        """Hand a chunk to the socket, and wait until it takes more."""
        await self._writer.write(chunk, drain=False)
        if self._protocol.writing_paused:
            began = _now()
            self._wait()
            try:
                await self._writer.drain()
            finally:
                self.waits_since = None
                self._waited += _now() - began

    def _wait(self) -> None:
        """Wait for the server from now on, to read or to respond."""
        self._moved, self.waits_since = 0, _now()
        self._seen = self._progress()
        if self.sent_at is not None:
            # The server may still have to read what its kernel holds, at most `HELD`, and as slowly as the rest so far.
            waited = self._waited + _now() - self.sent_at
            self.extra = waited * min(1, HELD / self._writer.output_size)

    def check_progress(self) -> None:
        """Wait anew if enough bytes have moved since the wait began. Called four times within `timeout`."""
        if not self._is_watched or self.waits_since is None:
            return
        seen, self._seen = self._seen, self._progress()
        self._moved += sum(abs(now - before) for now, before in zip(self._seen, seen, strict=True))
        if self._moved >= MIN_MOVED:
            self._wait()

    def reset(self) -> None:
        """Reset the connection: nothing more of a body that is not whole may arrive or wait to be sent."""
        if not self._is_watched or self._transport is None:
            return
        no_linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # closing drops what the kernel holds
        with suppress(OSError, AttributeError, TypeError):  # other event loops have other sockets
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        self._transport.abort()

    def _progress(self) -> tuple[int, int, int]:
        """Numbers that change when bytes of the body move: those that left this process, and the kernel's.

        Linux reports for every TCP socket, below TLS and proxies, what the other end has acknowledged, and its free
        room, which grows when it reads.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return self._seen
        room = acknowledged = 0
        if sys.platform == "linux":
            with suppress(OSError, AttributeError, TypeError, struct.error):  # other event loops have other sockets
                wire = transport.get_extra_info("socket")
                info = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
                acknowledged, room = TCP_INFO.unpack(info)
        return self._writer.output_size - transport.get_write_buffer_size(), room, acknowledged


async def _slices(content: bytes) -> AsyncIterator[memoryview]:
    """Cut a large body into pieces, so that no other task waits while all of it is copied."""
    view = memoryview(content)
    for start in range(0, len(view), SLICE):
        yield view[start : start + SLICE]


def _now() -> float:
    return asyncio.get_running_loop().time()
