"""One request and its answer over aiohttp."""

import logging
import re
import sys
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from http.cookies import Morsel
from typing import Any

import aiohttp
from aiohttp.abc import AbstractCookieJar

from kognic_aio._frames import without_frames
from kognic_aio._http.deadline import Deadline, Deadlines
from kognic_aio._http.failures import harmless_cause, translated
from kognic_aio._http.protocol import SUNSET_NEAR, Answer, sunset
from kognic_aio._http.proxies import Proxy
from kognic_aio._http.reading import read
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.request import Data, Request
from kognic_aio._http.sending import Sending
from kognic_aio._secret import Secret
from kognic_aio.errors import ClosedError, RequestError

log = logging.getLogger("kognic_aio")

MAX_HEADER = (64 << 10) + 1024
"""Bytes of a header's line. Proxies and stores add to what applications send; aiohttp would take 8 kB."""

MAX_HEADERS = 1024

SCHEMES = frozenset({"", "basic", "bearer"})
"""What in a header that carries secrets is none."""

OF_THE_PROTOCOL = frozenset({"host", "content-length", "transfer-encoding"})
"""Headers that aiohttp adds to those that it is given."""

LOOKS_AT_A_JAR = 10
"""How often to look at cookies that change meanwhile."""

_CARRYING = re.compile(r"(?i)auth|cookie|credential|token|password|secret|key|session")
"""Names of headers that carry secrets, as those of a caller's session may."""

_HARMLESS = re.compile(
    r"(?i)^(?:x-(?:amz|goog)-)?(?:algorithm|content-sha256|date|expires|signedheaders)$|^uploads?$|^part-?number$"
)
"""Names of parameters of signed URLs that are no secrets. All others are, as far as anybody knows."""

_WORDS = re.compile(r'[\s;="]+')


async def exchange(
    session: Secret[aiohttp.ClientSession],
    request: Request,
    authorization: Secret[str] | None = None,
    *,
    deadlines: Deadlines,
    proxy: Proxy | None,
    redactor: Redactor,
) -> Answer:
    """Send one request, and read its answer to the end.

    Args:
        session: Sends it.
        request: The request.
        authorization: What to say in `Authorization`.
        deadlines: How long a server may take.
        proxy: The proxy to use.
        redactor: Knows the secrets of the client.

    Raises:
        RequestError: If there is no answer.
    """
    handled = sys.exception()
    failure: RequestError | ClosedError
    try:
        answer = await _exchange(
            session.reveal(), request, authorization, deadlines=deadlines, proxy=proxy, redactor=redactor
        )
    except Exception as error:  # aiohttp, and what it calls, raise what they like
        is_closed = session.reveal().closed
        failure = ClosedError("session: it is closed") if is_closed else translated(error, request, proxy)
        cause = None if is_closed else harmless_cause(error)
    except BaseException as error:
        without_frames(error, handled)  # those of aiohttp have what is secret
        raise
    else:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %d", str(request), answer.status)  # and not the request, whose body a handler would keep
        _warn_of_sunset(answer)
        return answer
    raise failure from cause  # out here, where aiohttp's error does not become its context


async def _exchange(
    session: aiohttp.ClientSession,
    request: Request,
    authorization: Secret[str] | None,
    *,
    deadlines: Deadlines,
    proxy: Proxy | None,
    redactor: Redactor,
) -> Answer:
    url, data = request.url.reveal(), request.data
    sending = Sending(data) if isinstance(data, bytes | AsyncIterable) else None
    form = data.reveal() if isinstance(data, Secret) else None
    with sending or nullcontext():
        async with (
            deadlines.of(sending) as deadline,
            session.request(
                request.method,
                url,
                data=form if sending is None else sending,
                skip_auto_headers=None if data is not None else ("Content-Type",),  # it would claim a binary body
                auto_decompress=False,
                timeout=deadlines.timeout,
                middlewares=[*_middlewares(session, request, authorization), partial(try_once, deadline)],
                **_headers(request, None if session.trust_env else authorization, proxy),
                allow_redirects=False,  # a token must not follow one to another host
                raise_for_status=False,  # a session of the caller's may do otherwise
                max_line_size=MAX_HEADER,
                max_field_size=MAX_HEADER,
                max_headers=MAX_HEADERS,
            ) as response,
        ):
            content = await read(response, request.most, deadline)
    return Answer(
        request=request,
        status=response.status,
        headers=Secret(response.headers),
        body=Secret(content.body),
        unpack=content.unpack,
        received=content.received,
        secrets=Secret(partial(_secrets, response.request_info, data, redactor)),
    )


def _headers(request: Request, authorization: Secret[str] | None, proxy: Proxy | None) -> dict[str, Any]:
    """The headers, and the proxy with those for it alone: the request goes through a tunnel, unread."""
    headers = {**request.headers}
    if authorization is not None:
        headers["Authorization"] = authorization.reveal()
    if proxy is None:
        return {"headers": headers}
    own = {"Proxy-Authorization": proxy.authorization.reveal()} if proxy.authorization else {}
    return {"headers": headers, "proxy": proxy.url, "proxy_headers": own}


def _middlewares(
    session: aiohttp.ClientSession, request: Request, authorization: Secret[str] | None
) -> Iterator[aiohttp.ClientMiddlewareType]:
    """What stands between us and the connection: of a caller's session what it has, but only for the APIs."""
    if not request.is_api:
        if session.headers or session.trust_env or not isinstance(session.cookie_jar, aiohttp.DummyCookieJar):
            yield partial(_send_bare, frozenset(name.lower() for name in request.headers))
        return
    if authorization is not None and session.trust_env:
        yield partial(_authorize, authorization)
    # Those of a request replace them, and there is no other way to them.
    yield from session._middlewares  # pyright: ignore[reportPrivateUsage]


async def _authorize(
    authorization: Secret[str], request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Say who asks, instead of what a caller's session has found in .netrc: given two, aiohttp would send nothing."""
    request.headers["Authorization"] = authorization.reveal()
    return await send(request)


async def _send_bare(
    given: frozenset[str], request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Leave out what a caller's session says to all servers, such as a key or a cookie: storage is somebody else."""
    for name in {name.lower() for name in request.headers} - given - OF_THE_PROTOCOL:
        del request.headers[name]
    return await send(request)


async def try_once(
    deadline: Deadline, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself when the connection broke: that is for our own rules."""
    deadline.request = request
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except aiohttp.ServerDisconnectedError:
        await request.close()  # until its writer no longer reads the body
        raise aiohttp.ServerConnectionError from None
    except aiohttp.ClientOSError as error:
        await request.close()
        raise aiohttp.ClientConnectionError(type(error).__name__) from error.__cause__


def _secrets(request: aiohttp.RequestInfo, data: Data, redactor: Redactor) -> tuple[str, ...]:
    """What an answer may quote: what lets its request in, by headers, a signed URL or a form, or the client at all."""
    secrets = [*redactor.known(), *_carried(request.headers)]
    if "Authorization" not in request.headers:
        parameters = (part.partition("=") for part in request.url.raw_query_string.split("&"))
        secrets += [value for name, _, value in parameters if not _HARMLESS.search(name)]
    secrets += [data.reveal()["client_secret"]] if isinstance(data, Secret) else []
    return tuple(word for word in secrets if word.lower() not in SCHEMES)


def _carried(headers: Mapping[str, str]) -> Iterator[str]:
    """What is secret in headers: the values of cookies, else what stands behind a scheme, and each word of it."""
    for name, value in headers.items():
        if name.lower() == "cookie":
            yield from (part.partition("=")[2].strip(' "') for part in value.split(";"))
        elif _CARRYING.search(name):
            yield from (value.partition(" ")[2] or value, *_WORDS.split(value))


def carried_by(session: Secret[aiohttp.ClientSession]) -> Iterator[str]:
    """What is secret in what a session says to servers: its headers and cookies."""
    yield from _carried(session.reveal().headers)
    yield from (cookie.value for cookie in _cookies(session.reveal().cookie_jar))


def _cookies(jar: AbstractCookieJar) -> list[Morsel[str]]:
    """The cookies of a jar, which may change while a large answer is cleaned in a thread."""
    for _ in range(LOOKS_AT_A_JAR - 1):
        with suppress(RuntimeError):
            return [*jar]
    return [*jar]


def _warn_of_sunset(answer: Answer) -> None:
    date = sunset(answer.headers)
    if date is not None:
        level = logging.ERROR if date - datetime.now(UTC) < SUNSET_NEAR else logging.WARNING
        log.log(level, "%s will be removed on %s; update kognic_aio", str(answer.request), date.date())
