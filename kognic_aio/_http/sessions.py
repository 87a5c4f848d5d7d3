"""Sessions: our own with its pool of connections, and those of callers, with headers, cookies and middlewares."""

import asyncio
import platform
import socket
from asyncio import AbstractEventLoop
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http.cookies import Morsel
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

from kognic_aio._http.protocol import Request
from kognic_aio._http.redaction import secrets_in_headers
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread
from kognic_aio.config import is_this_machine, max_descriptors
from kognic_aio.errors import InvalidError
from kognic_aio.version import __version__

if TYPE_CHECKING:
    from aiohttp.http_parser import RawResponseMessage

MAX_CONNECTIONS = 1000
"""A bound against thousands of sockets; runs are bounded by their limits long before."""

MAX_HEAD_BYTES = 1 << 20
"""Bytes of all headers, trailers and chunk extensions of a response together."""

USER_AGENT = f"kognic-aio/{__version__} python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


class Handler(ResponseHandler):
    """Bounds headers, trailers and chunk extensions together. aiohttp bounds their number and the length of each."""

    _came = 0
    _body: StreamReader | None = None

    def set_response_params(self, **params: Any) -> None:
        """Reset the count for the next response."""
        self._came, self._body = 0, None
        super().set_response_params(**params)

    def feed_data(self, data: "tuple[RawResponseMessage, StreamReader]", size: int = 0) -> None:
        """Keep the body whose head has been read. An interim response (1xx) has none."""
        message, body = data
        if message.code >= 200:
            self._body = body
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Count the bytes, and close the connection when the headers are too large."""
        of_body = 0 if self._body is None else self._body.total_bytes
        if self._came - 8 * of_body <= MAX_HEAD_BYTES:  # a body in chunks of one byte has eight times its size
            self._came += len(data)
            super().data_received(data)
            return
        problem = HttpProcessingError(message=f"Got more than {MAX_HEAD_BYTES} bytes of headers")
        self.set_exception(problem)
        if self._body is not None and not self._body.is_eof():
            self._body.set_exception(aiohttp.ClientPayloadError(problem.message), problem)
        if self.transport is not None:
            self.transport.close()


class Connector(aiohttp.TCPConnector):
    """Applies `sock_connect` to DNS and CONNECT, which aiohttp does not time out.

    A proxy that closes the connection during CONNECT is a connection error: nothing has been sent.
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


class _Lookups:
    """Looks names up in threads of ours, for aiohttp's resolver. A loop would use the executor of the application."""

    def __init__(self, given: Collection[str | None]) -> None:
        self._given = given

    async def getaddrinfo(self, host: str, port: int, **options: Any) -> Any:
        found = await in_thread(partial(socket.getaddrinfo, host, port, **options))
        if host.lower() in self._given or is_this_machine(host):  # `storage` checks signed URLs
            return found
        elsewhere = [info for info in found if not is_this_machine(str(info[4][0]))]
        if not elsewhere:
            problem = "it resolves only to addresses of this machine, which the platform may not use"
            raise socket.gaierror(socket.EAI_NONAME, problem)
        return elsewhere

    async def getnameinfo(self, address: Any, flags: int) -> Any:
        return await in_thread(socket.getnameinfo, address, flags)


def new_session(ssl: SSLContext | bool, given: Collection[str | None]) -> aiohttp.ClientSession:
    """A session of our own, with aiohttp's own TLS context if `ssl` is True.

    The hosts that the user has `given` may lead to this machine. Names from the platform may not, except those that say
    so themselves, such as `localhost`.
    """
    resolver = aiohttp.ThreadedResolver(cast("AbstractEventLoop", _Lookups(given)))
    connector = Connector(limit=_max_connections(), ssl=ssl, resolver=resolver)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _max_connections() -> int:
    """A third of the process's descriptors; open files and the application need the rest."""
    return int(max(4, min(MAX_CONNECTIONS, max_descriptors() // 3)))


def checked_session(session: Secret[aiohttp.ClientSession] | None) -> Secret[aiohttp.ClientSession]:
    """A caller's session. Raises an InvalidError if it cannot be used."""
    if session is None or session.reveal().closed:
        raise InvalidError("session: it is closed")
    if session.reveal().auth is not None or "Authorization" in session.reveal().headers:
        raise InvalidError("session: has its own Authorization, which must not be sent to signed URLs")
    return session


def secrets_of_session(session: Secret[aiohttp.ClientSession]) -> Iterator[str]:
    """The secrets in the headers and cookies of a session."""
    yield from secrets_in_headers(session.reveal().headers)
    yield from (cookie.value for cookie in _cookies(session.reveal()))


def _cookies(session: aiohttp.ClientSession) -> list[Morsel[str]]:
    """The cookies of a session."""
    # They may change meanwhile, as large responses are cleaned in a thread. A copy takes microseconds, so that it
    # succeeds at once or at the next attempt; nine failures are a broken cookie jar.
    for _ in range(9):
        with suppress(RuntimeError):
            return [*session.cookie_jar]
    return [*session.cookie_jar]


def headers_and_middlewares(
    session: aiohttp.ClientSession, request: Request, token: Secret[str] | None
) -> tuple[dict[str, str], Sequence[aiohttp.ClientMiddlewareType]]:
    """The headers of a request and its middlewares. Those of a caller's session see requests to APIs only."""
    headers = {"User-Agent": USER_AGENT, **request.headers}
    if not request.is_api:
        adds_own = session.headers or session.trust_env or not isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        return headers, [partial(_send_bare, request)] if adds_own else []
    # Middlewares of a request replace those of its session, which have no public accessor.
    of_session = session._middlewares  # pyright: ignore[reportPrivateUsage]
    if token is None:
        return headers, of_session
    authorization = {"Authorization": f"Bearer {token.reveal()}"}
    if session.trust_env:  # it may find another one in .netrc, and given two, aiohttp would send nothing
        return headers, [partial(_authorize, authorization), *of_session]
    return headers | authorization, of_session


async def _authorize(
    authorization: Mapping[str, str], request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Replace the authorization that a caller's session has found in .netrc."""
    request.headers.update(authorization)
    return await send(request)


async def _send_bare(
    ours: Request, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Remove what a caller's session sends to all servers, such as a key or a cookie. Storage must not get it."""
    kept = {"host", "content-length", "transfer-encoding", "user-agent", *(name.lower() for name in ours.headers)}
    for name in {name.lower() for name in request.headers} - kept:
        del request.headers[name]
    return await send(request)
