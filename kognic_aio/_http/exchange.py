"""One request and its answer over aiohttp."""

import logging
import platform
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
from attrs import define

from kognic_aio._frames import without_frames
from kognic_aio._http.deadline import Deadline, Deadlines
from kognic_aio._http.failures import harmless_cause, translated
from kognic_aio._http.protocol import SUNSET_NEAR, Answer, sunset
from kognic_aio._http.proxies import Proxy
from kognic_aio._http.reading import read
from kognic_aio._http.redaction import Redactor, quotable
from kognic_aio._http.request import Request
from kognic_aio._http.sending import Sending
from kognic_aio._http.sessions import middlewares
from kognic_aio._secret import Secret
from kognic_aio.errors import ClosedError, RequestError
from kognic_aio.version import __version__

log = logging.getLogger("kognic_aio")

MAX_HEADER = (64 << 10) + 1024
"""Bytes of a header's line. Proxies and stores add to what applications send; aiohttp would take 8 kB."""

MAX_HEADERS = 1024
"""Headers of an answer."""

OPTIONS: dict[str, Any] = {
    "auto_decompress": False,
    "allow_redirects": False,  # a token must not follow one to another host
    "raise_for_status": False,  # a session of the caller's may do otherwise
    "max_line_size": MAX_HEADER,
    "max_field_size": MAX_HEADER,
    "max_headers": MAX_HEADERS,
}
"""The same for all requests."""

USER_AGENT = f"kognic-aio/{__version__} python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


@define
class Exchange:
    """One request and its answer.

    Args:
        session: Sends the request.
        request: The request.
        token: The token to send along.
        deadlines: How long a server may take.
        proxy: The proxy to use.
        redactor: Knows the secrets of the client.
    """

    _session: Secret[aiohttp.ClientSession]
    _request: Request
    _token: Secret[str] | None
    _deadlines: Deadlines
    _proxy: Proxy | None
    _redactor: Redactor

    async def answer(self) -> Answer:
        """Send the request, and read its answer to the end.

        Raises:
            RequestError: If there is no answer.
            ClosedError: If the session is closed.
        """
        handled = sys.exception()
        failure: RequestError | ClosedError
        try:
            answer = await self._send()
        except Exception as error:  # aiohttp, and what it calls, raise what they like
            is_closed = self._session.reveal().closed
            closed = ClosedError("session: it is closed")
            failure = closed if is_closed else translated(error, self._request, self._proxy)
            cause = None if is_closed else harmless_cause(error)
        except BaseException as error:
            without_frames(error, handled)  # those of aiohttp have what is secret
            raise
        else:
            if log.isEnabledFor(logging.DEBUG):
                log.debug("%s: %d", str(self._request), answer.status)  # a handler would keep the request's body
            _warn_of_sunset(answer)
            return answer
        raise failure from cause  # out here, where aiohttp's error does not become its context

    async def _send(self) -> Answer:
        session, request, data = self._session.reveal(), self._request, self._request.data
        form = data.reveal() if isinstance(data, Secret) else None
        sending = None if data is None or isinstance(data, Secret) else Sending(data)
        with sending or nullcontext():
            async with (
                self._deadlines.of(sending) as deadline,
                session.request(
                    request.method,
                    request.url.reveal(),
                    data=form if sending is None else sending,
                    skip_auto_headers=None if data is not None else ("Content-Type",),  # it would claim a binary body
                    timeout=self._deadlines.timeout,
                    **self._options(session, deadline),
                ) as response,
            ):
                content = await read(response, request.max_answer, deadline)
        sent = response.request_info
        return Answer(
            request=request,
            status=response.status,
            headers=Secret(response.headers),
            body=Secret(content.body),
            unpack=content.unpack,
            received=content.received,
            secrets=Secret(partial(quotable, sent.headers, sent.url, form, self._redactor)),
        )

    def _options(self, session: aiohttp.ClientSession, deadline: Deadline) -> dict[str, Any]:
        """Headers and middlewares, and the proxy with headers for it alone: it does not read what a tunnel carries."""
        authorization: dict[str, str] = {}
        if self._token is not None:
            authorization["Authorization"] = f"Bearer {self._token.reveal()}"
        headers = {"User-Agent": USER_AGENT, **self._request.headers}
        options = OPTIONS | {
            "headers": headers if session.trust_env else headers | authorization,  # else a middleware adds it
            "middlewares": [*middlewares(session, self._request, authorization), partial(try_once, deadline)],
        }
        if self._proxy is not None:
            login = self._proxy.authorization
            own = {} if login is None else {"Proxy-Authorization": login.reveal()}
            options |= {"proxy": self._proxy.url, "proxy_headers": own}
        return options


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


def _warn_of_sunset(answer: Answer) -> None:
    date = sunset(answer.headers)
    if date is not None:
        level = logging.ERROR if date - datetime.now(UTC) < SUNSET_NEAR else logging.WARNING
        log.log(level, "%s will be removed on %s; update kognic_aio", str(answer.request), date.date())
