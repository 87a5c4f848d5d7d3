"""One request and its answer over aiohttp."""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterable, Generator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
from yarl import URL

from kognic_aio._frames import without_frames
from kognic_aio._http.failures import CLOSED, harmless_cause, proxy_refusal, translated
from kognic_aio._http.protocol import SUNSET_NEAR, Answer, sunset
from kognic_aio._http.proxies import Proxy
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.request import Data, Request
from kognic_aio._http.sending import Sending
from kognic_aio._secret import Secret
from kognic_aio._tasks import take_note
from kognic_aio.errors import ClosedError, RequestError

log = logging.getLogger("kognic_aio")

MOST_OF_AN_ERROR = 64 << 10
"""Bytes that are read of an error's answer, which may be anything."""

MAX_HEADER = (64 << 10) + 1024
"""Bytes of a header's line. Proxies and stores add to what applications send; aiohttp would take 8 kB."""

MAX_HEADERS = 1024

CARRYING = ("Authorization", "Proxy-Authorization", "Cookie")
SCHEMES = frozenset({"", "basic", "bearer"})
"""Headers that carry secrets, and what in them is none."""

LONG = 17
"""Characters of a secret in a signed URL, at least, if its name says nothing; dates and algorithms have fewer."""

_WORDS = re.compile(r'[\s;="]+')
_SECRET_NAME = re.compile(r"(?i)signature|credential|token|password|secret|accesskeyid|googleaccessid|^sig$|^key$")


async def exchange(
    session: Secret[aiohttp.ClientSession],
    request: Request,
    *,
    timeout: aiohttp.ClientTimeout,  # it is aiohttp's
    proxy: Proxy | None,
    redactor: Redactor,
) -> Answer:
    """Send one request, and read its answer to the end.

    Args:
        session: Sends it.
        request: The request.
        timeout: How long a server may take.
        proxy: The proxy to use.
        redactor: Knows the secrets of the client.

    Raises:
        RequestError: If there is no answer.
    """
    method, shown, handled = request.method, request.shown, sys.exception()
    failure: RequestError | ClosedError
    try:
        answer = await _exchange(session.reveal(), request, timeout=timeout, proxy=proxy, redactor=redactor)
    except Exception as error:  # aiohttp, and what it calls, raise what they like
        is_closed = session.reveal().closed
        failure = ClosedError("session: it is closed") if is_closed else translated(error, method, shown, proxy)
        cause = None if is_closed else harmless_cause(error)
    except BaseException as error:
        without_frames(error, handled)  # those of aiohttp have what is secret
        raise
    else:
        log.debug("%s %s: %d", method, shown, answer.status)
        if proxy is not None and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise proxy_refusal(method, shown, proxy)
        _warn_of_sunset(answer)
        return answer
    raise failure from cause  # out here, where aiohttp's error does not become its context


async def _exchange(
    session: aiohttp.ClientSession,
    request: Request,
    *,
    timeout: aiohttp.ClientTimeout,  # it is aiohttp's
    proxy: Proxy | None,
    redactor: Redactor,
) -> Answer:
    url, data = request.url.reveal(), request.data
    with Sending(data) if isinstance(data, bytes | AsyncIterable) else nullcontext(data and data.reveal()) as body:
        async with session.request(
            request.method,
            url,
            data=body,
            skip_auto_headers=None if data is not None else ("Content-Type",),  # it would claim a binary body
            timeout=timeout,
            **_headers(request, url, proxy),
            allow_redirects=False,  # a token must not follow one to another host
            raise_for_status=False,  # a session of the caller's may do otherwise
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            max_headers=MAX_HEADERS,
        ) as response:
            content = await _read(response, request.most)
    return Answer(
        method=request.method,
        url=request.shown,
        status=response.status,
        headers=response.headers,
        body=content,
        secrets=partial(_secrets, response.request_info, data, redactor),
    )


def _headers(request: Request, url: URL, proxy: Proxy | None) -> dict[str, Any]:
    """The headers, and the proxy with those for it: in a tunnel it gets its own, else it reads the request's."""
    headers = {**request.headers}
    if request.authorization is not None:
        headers["Authorization"] = request.authorization.reveal()
    if proxy is None:
        return {"headers": headers}
    own = {"Proxy-Authorization": proxy.authorization.reveal()} if proxy.authorization else {}
    if url.scheme == "https":
        return {"headers": headers, "proxy": proxy.url, "proxy_headers": own}
    return {"headers": headers | own, "proxy": proxy.url}


async def try_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself when the connection broke: that is for our own rules."""
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


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of an answer. Of an error's, which may be anything, no more than people read."""
    is_error = response.status >= 300
    limit = MOST_OF_AN_ERROR if is_error else most
    if response.content.is_eof():  # it has come already, as most do
        content = response.content.read_nowait()
    else:
        with _hearing_of_the_end(response):
            content = await _read_up_to(limit, response)
    if len(content) > limit:
        response.close()
        if not is_error:
            raise aiohttp.ClientPayloadError(f"it is larger than {most} bytes")
    return content


async def _read_up_to(limit: int, response: aiohttp.ClientResponse) -> bytes:
    """The body of an answer, and hardly more of it than the limit."""
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > limit:
            break
    return bytes(content)


@contextmanager
def _hearing_of_the_end(response: aiohttp.ClientResponse) -> Generator[None, None, None]:
    """Have who reads hear when the connection ends: of a bad chunk aiohttp does not tell them, and they would hang."""
    content = response.content
    protocol = None if response.connection is None else response.connection.protocol
    closed = None if protocol is None else protocol.closed
    if protocol is None or closed is None:
        yield
        return

    def tell(_: asyncio.Future[None]) -> None:
        if content.exception() is None and not content.is_eof():
            cause = protocol.exception() or ConnectionError()
            content.set_exception(aiohttp.ClientPayloadError(CLOSED), cause)

    closed.remove_done_callback(take_note)  # of an earlier answer on the same connection
    closed.add_done_callback(take_note)
    closed.add_done_callback(tell)
    try:
        yield
    finally:
        closed.remove_done_callback(tell)


def _secrets(request: aiohttp.RequestInfo, data: Data, redactor: Redactor) -> tuple[str, ...]:
    """What an answer may quote: what lets its request in, by headers, a signed URL or a form, or the client at all."""
    secrets = [*redactor.known()]
    secrets += [word for name in CARRYING for word in _WORDS.split(request.headers.get(name, ""))]
    if "Authorization" not in request.headers:
        parameters = (part.partition("=") for part in request.url.raw_query_string.split("&"))
        secrets += [value for name, _, value in parameters if len(value) >= LONG or _SECRET_NAME.search(name)]
    secrets += [data.reveal()["client_secret"]] if isinstance(data, Secret) else []
    return tuple(word for word in secrets if word.lower() not in SCHEMES)


def _warn_of_sunset(answer: Answer) -> None:
    date = sunset(answer.headers)
    if date is not None:
        level = logging.ERROR if date - datetime.now(UTC) < SUNSET_NEAR else logging.WARNING
        log.log(level, "%s %s will be removed on %s; update kognic_aio", answer.method, answer.url, date.date())
