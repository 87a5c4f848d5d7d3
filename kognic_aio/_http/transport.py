"""Sends requests with their token, in their turn at the host, and retries them. One session for everything."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from math import inf
from ssl import SSLContext
from tempfile import gettempdir
from typing import TypeVar

import aiohttp
from attrs import evolve
from yarl import URL

from kognic_aio._event_log import Tell, TellRetried, log_event
from kognic_aio._frames import hide_frames, without_frames
from kognic_aio._http.auth import Auth, AuthServer, Credentials, TokenSource, resolve
from kognic_aio._http.exchange import MAX_SECONDS, RESPONSE_TIMEOUTS, Sender
from kognic_aio._http.protocol import Answer, Request
from kognic_aio._http.proxies import Proxies
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.retry import Attempts, RetryPolicy
from kognic_aio._http.sessions import checked_session, new_session, secrets_of_session
from kognic_aio._http.throttle import Throttles
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread, one_at_a_time, with_descriptors
from kognic_aio.config import TOKEN_RETRY, Hosts, Retry
from kognic_aio.errors import ClosedError, RequestError
from kognic_aio.events import Event

MAX_RENEWALS = 5
"""New tokens for one request. Each may be revoked before it arrives."""

T = TypeVar("T")


class Transport:
    """Sends requests. Nothing is bound to an event loop until `open`.

    Args:
        timeout: Seconds to connect, and then the longest time without a byte in either direction.
        retry: Bounds on repeated API requests. Requests for a token have narrower ones.
        session: A session of the caller's with their cookies and headers. It is left open.
        trust_env: Whether to use the proxies that the environment names.
        adaptive: Whether to find out how many requests at once pay.
    """

    def __init__(
        self,
        *,
        organization_id: int | None,
        timeout: float,
        retry: Retry,
        session: Secret[aiohttp.ClientSession] | None,
        ssl: SSLContext | None,
        trust_env: bool,
        adaptive: bool,
    ) -> None:
        seconds = timeout if timeout < inf else None
        # Includes the wait for a free connection, so it is long: a busy pool is not a silent server. It is not endless,
        # because the connector of a caller's session would wait for ever for a proxy to respond to CONNECT.
        connect = None if seconds is None else max(MAX_SECONDS, RESPONSE_TIMEOUTS * seconds)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=seconds)
        self._silence = timeout
        self._retry = retry
        self._session = session
        self._owns_session = session is None
        self._ssl: SSLContext | bool = True if ssl is None else ssl
        self._trust_env = trust_env
        self._adaptive = adaptive
        self._proxies = Proxies()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._throttles = Throttles(time.monotonic)  # this and the next three are made anew whenever the client opens
        self._sender: Sender
        self._auth_server: AuthServer
        self._tokens: TokenSource
        self.redactor = Redactor()
        self.listeners = set[Tell]()
        self.headers: Mapping[str, str] = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if organization_id is not None:
            self.headers = {**self.headers, "X-Organization-Id": str(organization_id)}

    @property
    def late_effect_seconds(self) -> float:
        """Seconds to wait for the effect of a request whose response was lost. No longer than any pause."""
        return min(5.0, self._retry.max_wait)

    @property
    def concurrency(self) -> Mapping[str, int]:
        """How many requests at once each host was found to serve well, by its URL."""
        return self._throttles.concurrency

    async def open(
        self, auth: Secret[Auth] | None, base_urls: Hosts, settings: Mapping[str, str], scopes: Sequence[str] = ()
    ) -> None:
        """Find the credentials and make the session.

        Errors name a host by its setting: the client's argument or the variable that names it. `scopes` of tokens
        replace those of the credentials.
        """
        if not self._owns_session:
            self.redactor.session_secrets = partial(secrets_of_session, checked_session(self._session))
        credentials = await in_thread(_prepare, auth, self._proxies if self._trust_env else None)
        loop = asyncio.get_running_loop()
        attempts, max_wait = self._retry.attempts, self._retry.max_wait
        retry = evolve(
            TOKEN_RETRY, attempts=min(TOKEN_RETRY.attempts, attempts), max_wait=min(TOKEN_RETRY.max_wait, max_wait)
        )
        self._auth_server = AuthServer(
            self.send, base_urls.auth, self.headers, self.redactor, auth, credentials, scopes, retry
        )
        self._tokens = TokenSource(self._auth_server.fetch_token)
        named = [(name, getattr(base_urls, api)) for api, name in settings.items()]
        self._throttles = Throttles(loop.time, named, self._tell, adapts=self._adaptive)
        self._sender = Sender(self._timeout, self._silence, self.redactor, self._proxies)
        if self._owns_session:
            given = {self._proxies.host, *(URL(url).raw_host for _, url in named)}
            self._session = Secret(new_session(self._ssl, given))
        self._loop = loop

    async def aclose(self) -> None:
        """Close the session, if it is our own. Closing twice is harmless."""
        self._loop = None
        self._throttles.close()
        if self._owns_session and self._session is not None:
            session, self._session = self._session, None
            await session.reveal().close()

    def send(
        self, request: Request, read: Callable[[Answer], T], policy: RetryPolicy, tell: TellRetried = log_event
    ) -> Awaitable[T]:
        """Send a request, retry by its policy, and return what `read` makes of the response.

        An error in `read` fails the attempt. `tell` is told of retries.
        """
        attempts = self.attempts(policy, request.url, is_api=request.is_api, request=request, tell=tell)

        def attempt() -> Awaitable[T]:
            # Only at first: otherwise, on a host that refuses all, none would come to its last attempt for a long time.
            gives_way = request.gives_way and attempts.is_first
            return self.attempt(request, read, policy.breaker_key, gives_way=gives_way)

        return attempts.until_success(attempt)

    def attempts(
        self,
        policy: RetryPolicy,
        url: Secret[URL],
        *,
        is_api: bool,
        request: Request | None = None,
        tell: TellRetried = log_event,
    ) -> Attempts:
        """The attempts of a request to a host, or of something that takes several requests."""
        throttle = self._throttles.of(url.reveal(), is_api=is_api)
        return Attempts(policy, self._retry, throttle, request, tell)

    def _tell(self, event: Event) -> None:
        """Tell all listeners of what has happened to a host, and log it."""
        log_event(event)
        for listen in self.listeners:
            listen(event)

    async def attempt(
        self, request: Request, read: Callable[[Answer], T], breaker_key: Hashable = None, *, gives_way: bool = False
    ) -> T:
        """Send a request once in its turn at the host, and again with a new token if the token is refused."""
        self._open_session()
        throttle, token = self._throttles.of(request.url.reveal(), is_api=request.is_api), None
        renewals = 0
        while True:
            if request.needs_token:
                token = await self._tokens.get(token, breaker_key)
            started = await throttle.start_in_turn(gives_way=gives_way)
            try:
                # Without a descriptor for a connection, nothing was sent, and the host is not to blame.
                answer = await with_descriptors(self._send_now, request, token)
                throttle.learn_from_answer(answer, started)
            except RequestError as error:
                throttle.learn_from_error(error, started)
                raise
            finally:
                throttle.end()
            if answer.status != 401 or token is None or renewals == MAX_RENEWALS:
                try:
                    return await parsed(read, answer)
                finally:
                    del answer  # or the traceback of an error would keep all of it
            renewals += 1

    def _send_now(self, request: Request, token: Secret[str] | None) -> Awaitable[Answer]:
        """Send a request, unless the client was closed while the request waited for its turn."""
        return self._sender.send(self._open_session(), request, token)

    def _open_session(self) -> Secret[aiohttp.ClientSession]:
        if self._session is None or self._loop is None:
            raise ClosedError("the client is not open: use it inside `async with client:`, or `await client.open()`")
        if self._loop is not asyncio.get_running_loop():
            raise ClosedError("the client was opened in another event loop; each loop needs a client of its own")
        return self._session


async def parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    """Return what `parse` makes of a response. Large responses are parsed in a thread, one at a time.

    A parsed response takes many times the memory of its body, so there are never two at once.
    """
    handled = sys.exception()
    try:
        return await one_at_a_time(parse, answer) if answer.is_large else parse(answer)
    except Exception as error:  # whatever `parse` raises
        failure = without_frames(error, handled)  # they have all of the response, and what was made of it
    failure.__context__ = None
    del answer
    raise failure


def _prepare(auth: Secret[Auth] | None, proxies: Proxies | None) -> Credentials:
    """Do what blocks when a client opens: import what only an open one needs, read environment and credentials."""
    # All of this now: it needs descriptors, and there may be none later.
    with suppress(OSError):
        gettempdir()
    for module in ("aiofiles", "google_crc32c", "kognic_aio._http.converter"):
        import_module(module)
    if proxies is not None:
        hide_frames(proxies.read_environment)()  # it has their passwords
    return resolve(auth)
