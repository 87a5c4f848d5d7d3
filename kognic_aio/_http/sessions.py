"""Sessions: our own, and those of callers, which have headers, cookies and middlewares of their own."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from http.cookies import Morsel
from ssl import SSLContext

import aiohttp
from aiohttp.abc import AbstractCookieJar

from kognic_aio._http.connector import new_connector
from kognic_aio._http.redaction import carried
from kognic_aio._http.request import Request
from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError

OF_EVERY_REQUEST = frozenset({"host", "content-length", "transfer-encoding", "user-agent"})
"""Headers that aiohttp and we add to those of a request."""

MAX_LOOKS_AT_A_JAR = 10
"""How often to look at cookies that change meanwhile."""


def new_session(ssl: SSLContext | bool, given: Collection[str | None]) -> aiohttp.ClientSession:
    """A session of our own; see `new_connector`."""
    return aiohttp.ClientSession(connector=new_connector(ssl, given), cookie_jar=aiohttp.DummyCookieJar())


def checked_session(session: Secret[aiohttp.ClientSession] | None) -> Secret[aiohttp.ClientSession]:
    """A caller's session, if it can be used.

    Raises:
        InvalidError: If it is closed, or has an authorization of its own.
    """
    if session is None or session.reveal().closed:
        raise InvalidError("session: it is closed")
    if session.reveal().auth is not None or "Authorization" in session.reveal().headers:
        raise InvalidError("session: it has an authorization of its own, which signed URLs must not get")
    return session


def secrets_of(session: Secret[aiohttp.ClientSession]) -> Iterator[str]:
    """The secrets in the headers and cookies of a session."""
    yield from carried(session.reveal().headers)
    yield from (cookie.value for cookie in _cookies(session.reveal().cookie_jar))


def _cookies(jar: AbstractCookieJar) -> list[Morsel[str]]:
    """The cookies of a jar, which may change while a large answer is cleaned in a thread."""
    for _ in range(MAX_LOOKS_AT_A_JAR - 1):
        with suppress(RuntimeError):
            return [*jar]
    return [*jar]


def middlewares(
    session: aiohttp.ClientSession, request: Request, authorization: Mapping[str, str]
) -> Iterator[aiohttp.ClientMiddlewareType]:
    """The middlewares of a request. Those of a caller's session see requests to APIs only."""
    if not request.is_api:
        if session.headers or session.trust_env or not isinstance(session.cookie_jar, aiohttp.DummyCookieJar):
            yield partial(_send_bare, OF_EVERY_REQUEST.union(name.lower() for name in request.headers))
        return
    if authorization and session.trust_env:
        yield partial(_authorize, authorization)
    # Middlewares of a request replace those of its session, which nothing public gives.
    yield from session._middlewares  # pyright: ignore[reportPrivateUsage]


async def _authorize(
    authorization: Mapping[str, str], request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Replace what a caller's session has found in .netrc: given two authorizations, aiohttp would send nothing."""
    request.headers.update(authorization)
    return await send(request)


async def _send_bare(
    kept: frozenset[str], request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Leave out what a caller's session sends to all servers, such as a key or a cookie: storage is somebody else."""
    for name in {name.lower() for name in request.headers} - kept:
        del request.headers[name]
    return await send(request)
