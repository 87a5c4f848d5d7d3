"""Connections: within the descriptors of the process, with names looked up in threads of our own."""

import asyncio
import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Collection
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from kognic_aio._threads import in_thread
from kognic_aio.limits import is_this_machine

if TYPE_CHECKING:
    from aiohttp.http_parser import RawResponseMessage

MAX_CONNECTIONS = 1000
"""A bound against thousands of sockets; runs are bounded by their limits long before."""

MIN_CONNECTIONS = 4
"""Connections however few descriptors there are."""

SHARE = 3
"""Divisor of the descriptors: connections may take a third, open files and the application need the rest."""

OK = 200
"""The first status of a final answer; lower ones are interim."""

MAX_BESIDE = 1 << 20
"""Bytes of all headers, trailers and chunk extensions of an answer together."""

CHUNKED = 8
"""How many times its size a body has in chunks of one byte."""

NOT_HERE = "all its addresses are of this machine, where the platform has no business"


class Handler(ResponseHandler):
    """Bounds headers, trailers and chunk extensions together. aiohttp bounds their number and the length of each."""

    _came = 0
    _body: StreamReader | None = None

    def set_response_params(self, **params: Any) -> None:
        """An answer is expected."""
        self._came, self._body = 0, None
        super().set_response_params(**params)

    def feed_data(self, data: "tuple[RawResponseMessage, StreamReader]", size: int = 0) -> None:
        """A head has been read; that of an interim answer is not the one that is waited for."""
        message, body = data
        if message.code >= OK:
            self._body = body
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        of_body = 0 if self._body is None else self._body.total_bytes
        if self._came - CHUNKED * of_body <= MAX_BESIDE:
            self._came += len(data)
            super().data_received(data)
            return
        problem = HttpProcessingError(message=f"Got more than {MAX_BESIDE} bytes of headers")
        self.set_exception(problem)
        if self._body is not None and not self._body.is_eof():
            self._body.set_exception(aiohttp.ClientPayloadError(problem.message), problem)
        if self.transport is not None:
            self.transport.close()


class Connector(aiohttp.TCPConnector):
    """Bounds all that it takes to connect: aiohttp waits without end for names, and for a proxy to answer CONNECT.

    If a proxy closes the connection instead of answering, nothing has been sent: that is no lost connection but none.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = cast("partial[ResponseHandler]", partial(Handler, loop=self._loop))

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        try:
            async with asyncio.timeout(timeout.sock_connect):
                return await super()._create_connection(req, traces, timeout)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError) as error:
            cause = error if isinstance(error, OSError) else ConnectionResetError()
            raise aiohttp.ClientProxyConnectionError(req.connection_key, cause) from error.__cause__


def new_connector(ssl: SSLContext | bool, given: Collection[str | None] = ()) -> Connector:
    """The pool of connections of a client.

    Args:
        ssl: The context for TLS connections, True for aiohttp's own.
        given: Names of hosts that the user has given. They may lead to this machine. Names that the platform gives may
            not, unless they say so themselves, as `localhost` does.
    """
    resolver = aiohttp.ThreadedResolver(cast("AbstractEventLoop", _Lookups(given)))
    return Connector(limit=_limit(), ssl=ssl, resolver=resolver)


def _limit() -> int:
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource  # noqa: PLC0415 - there is none on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, soft // SHARE))


class _Lookups:
    """What aiohttp's resolver wants of an event loop. A real loop would use the executor of the application.

    Args:
        given: Names that may lead to this machine.
    """

    def __init__(self, given: Collection[str | None]) -> None:
        self._given = given

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        found = await in_thread(partial(socket.getaddrinfo, host, port, **options))
        if host.lower() in self._given or is_this_machine(host):  # of which signed URLs have been looked at
            return found
        elsewhere = [info for info in found if not is_this_machine(str(info[4][0]))]
        if not elsewhere:
            raise socket.gaierror(socket.EAI_NONAME, NOT_HERE)
        return elsewhere

    async def getnameinfo(self, address: Any, flags: int) -> Any:
        return await in_thread(socket.getnameinfo, address, flags)
