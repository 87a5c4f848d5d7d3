"""One request and its answer over aiohttp, within bounds of time.

aiohttp's own clock (`sock_read`) restarts with every byte. A server that sends a byte now and then, endless answers of
1xx or endless extensions of a chunk would never time out.
"""

import asyncio
import logging
import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp

from kognic_aio._frames import without_frames
from kognic_aio._http.failures import CLOSED, harmless_cause, translated
from kognic_aio._http.protocol import Answer, Request, sunset
from kognic_aio._http.proxies import Proxy
from kognic_aio._http.reading import MAX_ERROR, body_of
from kognic_aio._http.redaction import Redactor, quotable
from kognic_aio._http.sending import LOOKS, Sending
from kognic_aio._http.sessions import middlewares
from kognic_aio._secret import Secret
from kognic_aio._tasks import take_note
from kognic_aio.errors import ClosedError, RequestError
from kognic_aio.version import __version__

log = logging.getLogger("kognic_aio")

PATIENCE = 2
"""How many times `timeout` an answer may take, beside the time for its bytes."""

MIN_RATE = 16 << 10
"""Bytes per second of the slowest answer."""

MAX_SECONDS = 3600.0
"""Seconds that an answer may take, however large it is."""

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
"""aiohttp's options of all requests."""

USER_AGENT = f"kognic-aio/{__version__} python/{platform.python_version()} aiohttp/{aiohttp.__version__}"


class Exchange:
    """A request on its way, with a deadline: use it around aiohttp's request. It ends with a TimeoutError.

    The wait for a connection does not count, nor does an upload as long as it moves.

    Attributes:
        received: Bytes of the answer that have come.
        request: aiohttp's request, which tells when it is on its way.
    """

    def __init__(self, sending: Sending | None, running: "set[Exchange]") -> None:
        self.received = 0
        self.request: aiohttp.ClientRequest | None = None
        self._sending = sending
        self._running = running
        self._sent_at: float | None = None
        self._scope = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._running.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.discard(self)
        if self._sending is not None:
            self._sending.end(has_failed=error is not None)
        await self._scope.__aexit__(kind, error, traceback)

    async def send_once(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """As a middleware, keep aiohttp from sending again by itself when the connection broke: our rules do that."""
        self.request = request
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

    async def receive(self, response: aiohttp.ClientResponse, max_answer: int) -> bytes | bytearray:
        """The body as it comes; of one that is too large or an error's, which may be anything, the beginning."""
        if response.content.is_eof():  # it has come already, as most do
            whole = response.content.read_nowait()
            self.received = len(whole)
            return whole
        content, limit = bytearray(), max_answer if response.status < 300 else MAX_ERROR
        with _hearing_of_the_end(response):
            async for chunk in response.content.iter_any():
                content += chunk
                self.received += len(chunk)
                if len(content) > limit:
                    response.close()  # so that the connection is not used again
                    break
        return content

    def look(self, now: float, timeout: float) -> None:
        """End the exchange if it has taken too long, by the loop's clock."""
        if self.request is None or self.request.response is None:
            return  # nothing has been sent yet
        if self._sending is None:
            self._sent_at = self._sent_at or now
            since, patience = self._sent_at, PATIENCE * timeout
        else:
            since, patience = self._sending.waits_since or now, PATIENCE * (timeout + self._sending.extra)
        max_seconds = min(patience + self.received / MIN_RATE, max(MAX_SECONDS, patience))
        if self._sending is not None and self._sending.sent_at is None:
            max_seconds = timeout  # for bytes of the body to move
        if now - since > max_seconds:
            self._scope.reschedule(now)


class Exchanges:
    """Sends the requests of a client, each once. One timer watches them all: one for each would cost too much."""

    def __init__(self, timeout: aiohttp.ClientTimeout, redactor: Redactor) -> None:
        self.timeout = timeout
        self._redactor = redactor
        self._running = set[Exchange]()
        self._is_looking = False

    async def send(
        self, session: Secret[aiohttp.ClientSession], request: Request, token: Secret[str] | None, proxy: Proxy | None
    ) -> Answer:
        """Send a request, and read its answer to the end. Whatever aiohttp raises becomes an error of ours."""
        handled = sys.exception()
        failure: RequestError | ClosedError
        try:
            answer = await self._send(session.reveal(), request, token, proxy)
        except Exception as error:  # aiohttp, and what it calls, raise what they like
            is_closed = session.reveal().closed
            failure = ClosedError("session: it is closed") if is_closed else translated(error, request, proxy)
            cause = None if is_closed else harmless_cause(error)
        except BaseException as error:
            without_frames(error, handled)  # those of aiohttp have what is secret
            raise
        else:
            if log.isEnabledFor(logging.DEBUG):
                log.debug("%s: %d", str(request), answer.status)  # a handler would keep the request's body
            _warn_of_sunset(answer)
            return answer
        raise failure from cause  # out here, where aiohttp's error does not become its context

    async def _send(
        self, session: aiohttp.ClientSession, request: Request, token: Secret[str] | None, proxy: Proxy | None
    ) -> Answer:
        data, login = request.data, None if proxy is None else proxy.authorization
        form = data.reveal() if isinstance(data, Secret) else None
        sending = None if data is None or isinstance(data, Secret) else Sending(data)
        authorization = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}
        headers = {"User-Agent": USER_AGENT, **request.headers}
        if not self._is_looking:
            self._look_later()
        async with (
            Exchange(sending, self._running) as exchange,
            session.request(
                request.method,
                request.url.reveal(),
                headers=headers if session.trust_env else headers | authorization,  # else a middleware adds it
                data=form if sending is None else sending,
                skip_auto_headers=None if data is not None else ("Content-Type",),  # it would claim a binary body
                proxy=None if proxy is None else proxy.url,
                # For the proxy alone, which does not read what a tunnel carries.
                proxy_headers={} if login is None else {"Proxy-Authorization": login.reveal()},
                middlewares=[*middlewares(session, request, authorization), exchange.send_once],
                timeout=self.timeout,
                **OPTIONS,
            ) as response,
        ):
            content = await exchange.receive(response, request.max_answer)
            body, unpack = body_of(response, content, request.max_answer)
        sent = response.request_info
        return Answer(
            request=request,
            status=response.status,
            headers=Secret(response.headers),
            body=Secret(body),
            unpack=unpack,
            received=exchange.received,
            secrets=Secret(partial(quotable, sent.headers, sent.url, form, self._redactor)),
        )

    def _look_later(self) -> None:
        """Look again, even after the client was closed: an exchange may still have to be ended."""
        if (timeout := self.timeout.sock_read) is not None:
            self._is_looking = True
            # In a context of its own, as that of the task may be large and would be kept.
            asyncio.get_running_loop().call_later(timeout / LOOKS, self._look, timeout, context=Context())

    def _look(self, timeout: float) -> None:
        self._is_looking = False
        now = asyncio.get_running_loop().time()
        for exchange in self._running:
            exchange.look(now, timeout)
        if self._running:
            self._look_later()


def _warn_of_sunset(answer: Answer) -> None:
    date = sunset(answer.headers)
    if date is not None:
        is_near = date - datetime.now(UTC) < timedelta(days=14)
        log.log(
            logging.ERROR if is_near else logging.WARNING,
            "%s will be removed on %s; update kognic_aio",
            str(answer.request),
            date.date(),
        )


@contextmanager
def _hearing_of_the_end(response: aiohttp.ClientResponse) -> Generator[None, None, None]:
    """Wake the reader when the connection ends: aiohttp does not tell it of a bad chunk, and it would hang."""
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
