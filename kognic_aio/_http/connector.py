"""Connections: no more than the process may have descriptors for, to names that are looked up in our own threads."""

import asyncio
import socket
import sys
from asyncio import AbstractEventLoop
from functools import partial
from ssl import SSLContext
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from kognic_aio._threads import in_thread

MAX_CONNECTIONS = 1000
"""A bound against thousands of sockets; runs are bounded by their limits long before."""

MIN_CONNECTIONS = 4
SHARE = 3
"""Which part of the descriptors connections may take; open files and the application need the others."""


class Connector(aiohttp.TCPConnector):
    """Bounds all that it takes to connect: aiohttp waits without end for names, and for a proxy to answer CONNECT.

    If a proxy closes instead of an answer, that is no connection, and not one that has broken: nothing has been sent.
    """

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


def new_connector(ssl: SSLContext | bool) -> Connector:
    """The pool of connections of a client.

    Args:
        ssl: The context for TLS connections, True for aiohttp's own.
    """
    resolver = aiohttp.ThreadedResolver(cast("AbstractEventLoop", _Lookups()))
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
    """What aiohttp's resolver wants of an event loop, which would do it in the executor of the application."""

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        return await in_thread(partial(socket.getaddrinfo, host, port, **options))

    async def getnameinfo(self, address: Any, flags: int) -> Any:
        return await in_thread(socket.getnameinfo, address, flags)
