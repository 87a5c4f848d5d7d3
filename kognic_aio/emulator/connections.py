"""The connections of an emulator: how many there may be, and how slow and how large the head of a request.

Any process on the machine may open a connection and send nothing, or never read the response.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import attrs
from aiohttp import web

from kognic_aio.emulator.answers import error_response
from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.recorder import Recorder

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

MAX_CONNECTIONS = 700
"""Connections at once. Each may hold 256 KiB of an unfinished head. A client has at most 341 where a process may have
1,024 descriptors, as is usual."""

MAX_HEADERS = 32
"""Headers of a request. Browsers behind a proxy send about twenty."""

MAX_HEADER = 4096
"""Bytes of a header."""

FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@attrs.frozen
class Bounds:
    """What connections may take.

    Args:
        connections: How many there may be at once.
        patience: Seconds for the head of the next request to arrive, and for the client to read a response.
    """

    connections: int = MAX_CONNECTIONS
    patience: float = 75.0


class Server(web.Server):
    """An HTTP server that bounds its connections, and counts them in the recorder.

    It does not decompress bodies, because they could grow to any size.
    """

    def __init__(self, handle: Handle, recorder: Recorder, bounds: Bounds = Bounds()) -> None:
        super().__init__(handle)
        self._recorder = recorder
        self._bounds = bounds

    def __call__(self) -> web.RequestHandler:
        """The handler of the next connection."""
        heads = {"max_headers": MAX_HEADERS, "max_field_size": MAX_HEADER}
        options: dict[str, Any] = {"access_log": None, "auto_decompress": False, **heads}
        loop, patience = asyncio.get_running_loop(), self._bounds.patience
        return _Connection(self, loop=loop, keepalive_timeout=patience, **options)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count a connection."""
        super().connection_made(handler, transport)
        self._recorder.connection_made()

    @property
    def is_over(self) -> bool:
        """Whether there are too many connections."""
        return self._recorder.connections_open > self._bounds.connections

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Uncount a connection."""
        super().connection_lost(handler, exc)
        self._recorder.connection_lost()


class _Connection(web.RequestHandler):
    """A connection that responds to malformed HTTP with a refusal like any other, and does not log it.

    aiohttp itself bounds the time in which the head of a request arrives.
    """

    __slots__ = ("_giving_up", "_server")

    def __init__(self, manager: Server, *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
        self._server = manager
        self._giving_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn a connection away if there are too many."""
        super().connection_made(transport)
        if self._server.is_over and isinstance(transport, asyncio.WriteTransport):
            transport.write(FULL)  # whatever it asks for, so nothing has to be read
            transport.close()

    def pause_writing(self) -> None:
        """Start the time in which the client must read what it was sent."""
        super().pause_writing()
        self._giving_up = self._loop.call_later(self.keepalive_timeout, self._abort)

    def resume_writing(self) -> None:
        """Stop that time: the client has read most of it."""
        super().resume_writing()
        self._read_on()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop that time: the client has gone."""
        self._read_on()
        super().connection_lost(exc)

    def _read_on(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The response to a request that did not reach the handler, or broke it."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return super().handle_error(request, status, exc, message)
        response = error_response(BadRequestError(f"the request cannot be read: {message or exc}", status))
        response.force_close()
        return response
