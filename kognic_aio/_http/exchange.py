"""One request and its response over aiohttp, within bounds of time.

aiohttp's own clock (`sock_read`) is not used. It restarts with every byte: a server that sends a byte now and then,
endless responses of 1xx or endless extensions of a chunk would never time out. And it sets a timer whenever bytes come,
which costs more than reading them.
"""

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from typing import Any

import aiohttp

from kognic_aio._frames import without_frames
from kognic_aio._http.failures import CLOSED, TooLarge, harmless_cause, translated
from kognic_aio._http.protocol import MAX_ERROR, Answer, Request, sunset
from kognic_aio._http.proxies import Proxies, Proxy
from kognic_aio._http.redaction import Redactor, secrets_of_request
from kognic_aio._http.sending import CHECKS, WatchedBody
from kognic_aio._http.sessions import headers_and_middlewares
from kognic_aio._secret import Secret
from kognic_aio._tasks import retrieve_exception
from kognic_aio.errors import ClosedError, RequestError

log = logging.getLogger("kognic_aio")

RESPONSE_TIMEOUTS = 2
"""How many times `timeout` a response may take, besides the time for its bytes."""

MIN_RATE = 16 << 10
"""Bytes per second of the slowest response."""

MAX_SECONDS = 3600.0
"""Seconds that a response may take, however large it is."""

MAX_HEADERS = 1024
"""Headers of a response."""

MAX_HEADER = (64 << 10) + 1024
"""Bytes of a header's line. Proxies and stores add to what applications send; aiohttp would take 8 kB."""


class Deadline:
    """Ends a request that takes too long with a TimeoutError. Use its `scope` around aiohttp's request.

    The wait for a connection does not count, nor does an upload as long as it moves.
    """

    response: aiohttp.ClientResponse  # once it has begun

    def __init__(self, body: WatchedBody | None) -> None:
        self.received = 0  # bytes of the response's body that were read
        self.body = body
        self.request: aiohttp.ClientRequest | None = None
        self.scope = asyncio.timeout(None)
        self._waits_since: float | None = None
        self._heard, self._heard_at = 0, -inf  # how much of the response had come at the last check, and since when

    async def send_once(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """A middleware that keeps aiohttp from repeating a request by itself. Our own rules decide that."""
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

    async def read(self, max_size: int) -> bytes:
        """Read the response's body as it comes. Raises a TooLarge beyond `max_size` bytes; an error's is cut."""
        content, is_error = self.response.content, self.response.status >= 300
        chunks, limit = list[bytes](), MAX_ERROR if is_error else max_size
        if content.is_eof():  # it has come already, as most do
            chunks.append(content.read_nowait())
            self.received = len(chunks[0])
        else:
            with _wake_reader_on_close(self.response):
                async for chunk in content.iter_any():
                    chunks.append(chunk)
                    self.received += len(chunk)
                    if self.received > limit:
                        self.response.close()  # so that the connection is not used again
                        break
        if self.received > limit and not is_error:
            raise TooLarge(f"more than {limit} bytes")
        return b"".join(chunks)[:limit]

    def reset(self) -> None:
        """Drop what is left of the request's body."""
        if self.body is not None:
            self.body.reset()

    def check(self, now: float, timeout: float) -> None:
        """End the request if it has taken too long, by the loop's clock. Called `CHECKS` times within `timeout`."""
        if self.request is None or self.request.response is None:
            return  # it waits for a connection, and nothing has been sent
        if self.body is None:
            self._waits_since = self._waits_since or now
        else:
            self.body.check_progress()
            self._waits_since = self.body.waits_since
        if self._waits_since is not None and self._is_over(now, self._waits_since, timeout):
            self.scope.reschedule(now)

    def _is_over(self, now: float, waits_since: float, timeout: float) -> bool:
        body = self.body
        if body is not None and body.sent_at is None:
            return now - waits_since > timeout
        silence = timeout + (0 if body is None else body.extra)
        return now - max(waits_since, self._last_heard(now)) > silence or now - waits_since > self._max_seconds(silence)

    def _last_heard(self, now: float) -> float:
        """About when the last bytes of the response came."""
        heard = 1 + self.response.content.total_bytes if hasattr(self, "response") else 0
        if heard > self._heard:
            self._heard, self._heard_at = heard, now
        return self._heard_at

    def _max_seconds(self, silence: float) -> float:
        """Time for the response: to begin, and for the bytes that have come. A long timeout may exceed the bound."""
        to_begin = RESPONSE_TIMEOUTS * silence
        return max(to_begin, min(to_begin + self.received / MIN_RATE, MAX_SECONDS))


class Sender:
    """Sends the requests of a client, each once. One timer checks all deadlines: one for each would cost too much.

    Args:
        timeout: aiohttp's own timeouts, those of connecting.
        silence: Seconds without a byte in either direction that a request survives.
        redactor: Knows what is secret.
        proxies: The proxies to use.
    """

    def __init__(self, timeout: aiohttp.ClientTimeout, silence: float, redactor: Redactor, proxies: Proxies) -> None:
        self._timeout = timeout
        self._silence = silence
        self._redactor = redactor
        self._proxies = proxies
        self._running = set[Deadline]()
        self._is_timer_set = False

    async def send(self, session: Secret[aiohttp.ClientSession], request: Request, token: Secret[str] | None) -> Answer:
        """Send a request, and read its response to the end. Whatever aiohttp raises becomes an error of ours."""
        handled, proxy = sys.exception(), self._proxies.of(request.url.reveal())
        deadline = Deadline(WatchedBody.of(request.data))
        failure: RequestError | ClosedError
        self._running.add(deadline)
        self._set_timer()
        try:
            async with (
                deadline.scope,
                session.reveal().request(
                    **_arguments(session.reveal(), request, token, proxy, deadline), timeout=self._timeout
                ) as deadline.response,
            ):
                answer = await self._read(request, deadline)
        except Exception as error:  # aiohttp, and what it calls, raise what they like
            deadline.reset()
            is_closed = session.reveal().closed
            failure = ClosedError("session: it is closed") if is_closed else translated(error, request, proxy)
            cause = None if is_closed else harmless_cause(error)
        except BaseException as error:
            deadline.reset()
            without_frames(error, handled)  # those of aiohttp have what is secret
            raise
        else:
            _log(answer)
            return answer
        finally:
            self._running.discard(deadline)
            del deadline  # its request and response have what is secret
        # Out here and in no context manager: raised while aiohttp's error is handled, it would have that as context.
        raise failure from cause

    async def _read(self, request: Request, deadline: Deadline) -> Answer:
        body, response = await deadline.read(request.max_answer), deadline.response
        sent, form = response.request_info, request.data.reveal() if isinstance(request.data, Secret) else None
        return Answer(
            request=request,
            status=response.status,
            headers=Secret(response.headers),
            body=Secret(body),
            secrets=Secret(partial(secrets_of_request, sent.headers, sent.url, form, self._redactor)),
            source_seconds=0.0 if deadline.body is None else deadline.body.source_seconds,
        )

    def _set_timer(self) -> None:
        """Set it also after the client was closed: a request may still have to be ended."""
        if self._silence < inf and not self._is_timer_set:
            self._is_timer_set = True
            # In a context of its own: that of the task may be large, and would be kept.
            asyncio.get_running_loop().call_later(self._silence / CHECKS, self._check, context=Context())

    def _check(self) -> None:
        self._is_timer_set = False
        now = asyncio.get_running_loop().time()
        for deadline in self._running:
            deadline.check(now, self._silence)
        if self._running:
            self._set_timer()


def _arguments(
    session: aiohttp.ClientSession, request: Request, token: Secret[str] | None, proxy: Proxy | None, deadline: Deadline
) -> dict[str, Any]:
    """The arguments of aiohttp's request."""
    headers, middlewares = headers_and_middlewares(session, request, token)
    login = None if proxy is None else proxy.authorization
    return {
        "method": request.method,
        "url": request.url.reveal(),
        "headers": headers,
        "data": request.data.reveal() if isinstance(request.data, Secret) else deadline.body,
        # aiohttp would say of an empty body that it is binary.
        "skip_auto_headers": ("Content-Type",) if request.data is None else None,
        "proxy": None if proxy is None else proxy.url,
        # For the proxy alone, which does not read what a tunnel carries.
        "proxy_headers": {} if login is None else {"Proxy-Authorization": login.reveal()},
        "middlewares": [*middlewares, deadline.send_once],
        "allow_redirects": False,  # a token must not follow one to another host
        "auto_decompress": False,  # this and the next replace those of a caller's session
        "raise_for_status": False,
        "max_line_size": MAX_HEADER,
        "max_field_size": MAX_HEADER,
        "max_headers": MAX_HEADERS,
    }


def _log(answer: Answer) -> None:
    if log.isEnabledFor(logging.DEBUG):
        log.debug("%s: %d", str(answer.request), answer.status)  # a handler would keep the request's body
    if (date := sunset(answer.headers)) is not None:
        level = logging.ERROR if date - datetime.now(UTC) < timedelta(days=14) else logging.WARNING
        log.log(level, "%s will be removed on %s; update kognic_aio", str(answer.request), date.date())


@contextmanager
def _wake_reader_on_close(response: aiohttp.ClientResponse) -> Generator[None, None, None]:
    """Wake the reader when the connection ends: aiohttp does not do so after a bad chunk, and it would hang."""
    content = response.content
    protocol = None if response.connection is None else response.connection.protocol
    closed = None if protocol is None else protocol.closed
    if protocol is None or closed is None:
        yield
        return

    def wake(_: asyncio.Future[None]) -> None:
        if content.exception() is None and not content.is_eof():
            cause = protocol.exception() or ConnectionError()
            content.set_exception(aiohttp.ClientPayloadError(CLOSED), cause)

    closed.remove_done_callback(retrieve_exception)  # of an earlier response on the same connection
    closed.add_done_callback(retrieve_exception)
    closed.add_done_callback(wake)
    try:
        yield
    finally:
        closed.remove_done_callback(wake)
