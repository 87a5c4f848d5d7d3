"""One request and its answer over aiohttp, whose errors become our own here."""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
from yarl import URL

from kognic_aio._http.protocol import SECRET_LENGTH, SUNSET_NEAR, Answer, sunset
from kognic_aio.errors import CertificateError, ConnectError, LostAnswerError, RequestError, TimedOutError

log = logging.getLogger("kognic_aio")

MOST_OF_AN_ERROR = 64 << 10
MOST_ANSWER = 64 << 20
MOST_CONTENT = 1 << 30
"""Bytes that are read of an answer to an API request, and of a content in storage, lest a server fills the memory."""


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    data: Any,
    *,
    timeout: aiohttp.ClientTimeout,  # it is aiohttp's
    proxy: str | None,
    most: int,
) -> Answer:
    """Send one request, and read its answer to the end.

    Args:
        session: Sends it.
        method: The HTTP method.
        url: The full URL.
        headers: All headers that are not aiohttp's.
        data: The body.
        timeout: How long a server may take.
        proxy: The URL of the proxy to use.
        most: Bytes of a good answer that are read at most.

    Raises:
        RequestError: If there is no answer.
    """
    shown = str(url.with_user(None).with_query(None).with_fragment(None))
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=data,
            skip_auto_headers=None if data is not None else ("Content-Type",),  # it would claim a binary body
            timeout=timeout,
            proxy=proxy,
            allow_redirects=False,  # a token must not follow one to another host
            raise_for_status=False,  # a session of the caller's may do otherwise
        ) as response:
            content = await _read(response, most)
    except (aiohttp.ClientError, TimeoutError, UnicodeError) as error:
        failure, cause = _translated(error, method, shown), _harmless_cause(error)
    else:
        log.debug("%s %s: %d", method, shown, response.status)
        answer = Answer(
            method=method,
            url=shown,
            status=response.status,
            headers=response.headers,
            body=content,
            secrets=partial(_secrets, response.request_info, data),
        )
        _warn_of_sunset(answer)
        return answer
    raise failure from cause  # out here, where aiohttp's error does not become its context


async def try_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself when the connection broke: that is for our own rules."""
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        await request.close()  # until its writer no longer reads the body
        raise aiohttp.ClientConnectionError(type(error).__name__) from error.__cause__


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of an answer. Of an error's, which may be anything, no more than people read."""
    is_error = response.status >= 300
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if is_error and len(content) > MOST_OF_AN_ERROR:
            response.close()
            break
        if len(content) > most:
            response.close()
            raise aiohttp.ClientPayloadError(f"more than {most} bytes")
    return bytes(content)


def _translated(error: Exception, method: str, url: str) -> RequestError:
    """Our own error for one of aiohttp's."""
    kind: type[RequestError]
    what = f"{method} {url}"
    match error:
        case aiohttp.ClientSSLError():
            kind, message = CertificateError, f"no TLS connection for {what}: {error}"
        case aiohttp.ConnectionTimeoutError():
            kind, message = ConnectError, f"no connection in time for {what}"
        case aiohttp.ClientConnectorError():
            kind, message = ConnectError, f"no connection for {what}: {error}"
        case aiohttp.ClientHttpProxyError():
            kind, message = ConnectError, f"no connection for {what}: the proxy answered {error.status}"
        case TimeoutError():
            kind, message = TimedOutError, f"no answer in time to {what}"
        case aiohttp.InvalidURL() | UnicodeError():
            kind, message = RequestError, f"not a URL for {method}: {url}"
        case _:
            kind, message = LostAnswerError, f"the connection broke during {what} ({type(error).__name__})"
    return kind(message, method=method, url=url)


def _harmless_cause(error: Exception) -> OSError | None:
    """What has failed below aiohttp, whose own errors carry the signed URL, the headers and the proxy's password."""
    return error.__cause__ if isinstance(error.__cause__, OSError) else None


def _secrets(request: aiohttp.RequestInfo, data: Any) -> tuple[str, ...]:
    """What lets a request in, which its answer may quote: in some headers, in a signed URL, in the form for a token."""
    shown = [request.headers.get(name, "") for name in ("Authorization", "Proxy-Authorization", "Cookie")]
    if "Authorization" not in request.headers:
        shown.append(request.url.raw_query_string)
    words = re.split(r'[\s&;="]+', " ".join(shown))
    words += [data["client_secret"]] if isinstance(data, dict) else []
    return tuple(word for word in words if len(word) >= SECRET_LENGTH)


def _warn_of_sunset(answer: Answer) -> None:
    date = sunset(answer.headers)
    if date is not None:
        level = logging.ERROR if date - datetime.now(UTC) < SUNSET_NEAR else logging.WARNING
        log.log(level, "%s %s will be removed on %s; update kognic_aio", answer.method, answer.url, date.date())
