"""One aiohttp session for everything: tokens, retries, proxies."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from math import inf
from ssl import SSLContext
from tempfile import gettempdir
from typing import Any, TypeVar

import aiohttp
from attrs import evolve
from yarl import URL

from kognic_aio._frames import discreet
from kognic_aio._http.auth import (
    MOST_OF_AN_ANSWER,
    TOKEN_PATH,
    Auth,
    Credentials,
    Token,
    TokenSource,
    resolve,
    rotated,
)
from kognic_aio._http.connector import new_connector
from kognic_aio._http.deadline import LONGEST, PATIENCE, Deadlines
from kognic_aio._http.exchange import carried_by, exchange
from kognic_aio._http.hosts import Hosts
from kognic_aio._http.protocol import Answer, api_headers, text
from kognic_aio._http.proxies import Proxies
from kognic_aio._http.reading import parsed
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.request import Request, shown_url
from kognic_aio._http.retries import LATE, had_no_effect, has_one_try, may_repeat, repeating
from kognic_aio._http.wire import to_json
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread, patiently
from kognic_aio.errors import ClosedError, CredentialsError, InvalidError
from kognic_aio.limits import TOKEN_RETRY, Retry
from kognic_aio.limits import Hosts as BaseUrls

JSON_HEADER = {"Content-Type": "application/json"}
MOST_RENEWALS = 5
"""New tokens for one request, each of which may be revoked before it arrives."""

log = logging.getLogger("kognic_aio")

T = TypeVar("T")
Value = str | int | Secret[str | int]
Query = Mapping[str, Value] | Sequence[tuple[str, Value]]


class Transport:
    """Sends requests. Nothing is bound to an event loop until `open`.

    Args:
        organization_id: The organization to act for.
        timeout: Seconds that a server may take to connect, and in which then some byte has to move, either way.
        retry: Bounds on repeated API requests.
        session: A session of the caller's, which is left open; it has cookies and headers of theirs.
        ssl: The context for TLS connections, by default aiohttp's own.
        trust_env: Whether to use the proxies that the environment names.

    Attributes:
        redactor: Cleans what servers say.
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
    ) -> None:
        # The wait for a free connection is not counted: nothing has been sent yet, and nobody is silent.
        seconds = timeout if timeout < inf else None
        # It has an end all the same: the connector of a caller's session waits for a proxy's answer without one.
        most = None if seconds is None else max(LONGEST, PATIENCE * seconds)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=most, sock_connect=seconds, sock_read=seconds)
        self._deadlines = Deadlines(self._timeout)
        self._token_url = ""
        self._headers = api_headers(organization_id)
        self._retry = retry
        self._session = session
        self._owns_session = session is None
        self._ssl: SSLContext | bool = True if ssl is None else ssl
        self._trust_env = trust_env
        self._proxies = Proxies()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._auth: Secret[Auth] | None = None
        self._scopes: tuple[str, ...] = ()
        self._credentials: Credentials | None = None
        self._tokens = TokenSource(self._fetch_token)
        self._hosts = Hosts(time.monotonic)
        self.redactor = Redactor()

    @property
    def grace(self) -> float:
        """Seconds to wait for an effect whose answer was lost; no longer than any pause may be."""
        return min(LATE, self._retry.max_wait)

    async def open(
        self, auth: Secret[Auth] | None, base_urls: BaseUrls, settings: Mapping[str, str], scopes: Sequence[str] = ()
    ) -> None:
        """Find the credentials and make the session.

        Args:
            auth: Where the credentials come from.
            base_urls: Where the platform is, the auth server for one.
            settings: What names each of them, for errors: by field, the client's argument or a variable.
            scopes: What to ask tokens for, instead of the scopes of the credentials.

        Raises:
            CredentialsError: If there are no usable credentials.
            InvalidError: If the caller's session is closed or has an authorization of its own, or if the environment
                names a proxy that cannot be used.
        """
        if not self._owns_session:
            self.redactor.beside = partial(carried_by, _checked(self._session))
        credentials = await in_thread(_prepare, auth, self._proxies if self._trust_env else None)
        self._auth, self._scopes = auth, tuple(scopes)
        self._credentials = self._scoped(credentials)
        self._token_url = shown_url(URL(f"{base_urls.auth.rstrip('/')}{TOKEN_PATH}"))  # as errors have it
        self._tokens = TokenSource(self._fetch_token)
        named = [(name, getattr(base_urls, api)) for api, name in settings.items()]
        self._hosts = Hosts(asyncio.get_running_loop().time, named)
        self._deadlines = Deadlines(self._timeout)
        if self._owns_session:
            given = {self._proxies.host, *(URL(url).raw_host for _, url in named)}
            self._session = Secret(_new_session(self._ssl, given))
        self._loop = asyncio.get_running_loop()

    async def aclose(self) -> None:
        """Close the session, if it is our own. Closing twice is harmless."""
        self._loop = None
        self._hosts.close()
        if self._owns_session and self._session is not None:
            session, self._session = self._session, None
            await session.reveal().close()

    async def call(
        self,
        method: str,
        url: str,
        *,
        query: Query | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
        read: Callable[[Answer], T],
    ) -> T:
        """What some function reads in an API's answer; repeated if need be and harmless.

        Args:
            method: The HTTP method.
            url: The full URL without a query string.
            query: What to put into the query string.
            json: The body; bytes are JSON already.
            headers: Headers beyond the usual ones.
            repeatable: Whether the request can be repeated at will, as reads can.
            read: What to make of the answer, in a thread if that is large.

        Raises:
            InvalidError: If the body is no JSON.
            ApiError: If the API answers with an error.
            RequestError: If there is no usable answer.
            UnavailableError: If the host does not answer anybody.
            CredentialsError: If there is no token to be had.
        """
        content = json if json is None or isinstance(json, bytes) else to_json(json)
        request = Request(
            method=method,
            url=Secret(URL(url).with_query(pairs(query)) if query else URL(url)),
            headers=self._headers | dict(headers or {}) | (JSON_HEADER if content is not None else {}),
            data=content,
            is_api=True,
        )

        async def attempt() -> T:
            return await parsed(read, await self._authorized(request))

        if has_one_try():
            return await attempt()
        # A task that asks the same again and again, as for a status, is one whose question may be what is wrong.
        question = (asyncio.current_task(), method, request.url, content) if repeatable else None
        return await self.repeating(may_repeat if repeatable else had_no_effect, attempt, request=question)

    async def repeating(
        self,
        rule: Callable[[Exception], bool],
        operation: Callable[[], Awaitable[T]],
        *,
        request: Hashable = None,
    ) -> T:
        """Repeat what asks an API, as `retries.repeating` does, within the client's bounds."""

        def worth_it(error: Exception) -> bool:
            """Asking for a token has tries of its own, which are not to be multiplied."""
            return getattr(error, "url", None) != self._token_url and rule(error)

        return await repeating(self._retry, worth_it, operation, request=request)

    async def exchange(self, request: Request, authorization: Secret[str] | None = None) -> Answer:
        """Send one request once, when its host takes it, and read its answer to the end.

        Args:
            request: The request.
            authorization: What to say in `Authorization`.

        Raises:
            RequestError: If there is no answer.
            UnavailableError: If the host does not answer anybody.
            ClosedError: If the client is not open.
        """
        self._open_session()

        async def send() -> Answer:
            session, proxy = self._open_session(), self._proxies.of(request.url.reveal())
            return await exchange(
                session,
                request,
                authorization,
                deadlines=self._deadlines,
                proxy=proxy,
                redactor=self.redactor,
            )

        # Without a descriptor for a connection nothing has been sent, and it is no fault of the host.
        return await self._hosts.of(request.url.reveal(), is_api=request.is_api).send(lambda: patiently(send))

    async def _authorized(self, request: Request) -> Answer:
        """Send a request with the current token; if that is refused, with a new one, which may be revoked as well."""

        async def send(token: Secret[str]) -> Answer:
            return await self.exchange(request, Secret(f"Bearer {token.reveal()}"))

        self._open_session()
        token = await self._tokens.get()
        answer = await send(token)
        for _ in range(MOST_RENEWALS):
            if answer.status != 401:
                break
            token = await self._tokens.get(refused=token)
            answer = await send(token)
        return answer

    async def _fetch_token(self) -> Token:
        """A token for the credentials. If they are refused, for those that have taken their place, if there are any.

        Raises:
            CredentialsError: If they are refused, and so are the others.
        """
        try:
            return await self._ask_for_token()
        except CredentialsError as error:
            if not await self._have_been_rotated(error):
                raise
        token = await self._ask_for_token()
        log.warning("the auth server refused the credentials; those that have replaced them are used from now on")
        return token

    async def _have_been_rotated(self, refusal: CredentialsError) -> bool:
        """Whether there are other credentials now where the refused ones came from."""
        try:
            found = self._credentials and await in_thread(rotated, self._auth, self._credentials)
        except CredentialsError as error:
            refusal.explain(f"read again: {error}")
            return False
        if found is None:
            return False
        self._credentials = self._scoped(found)
        return True

    def _scoped(self, credentials: Credentials) -> Credentials:
        return evolve(credentials, scopes=self._scopes) if self._scopes else credentials

    async def _ask_for_token(self) -> Token:
        """Ask for a token; that creates nothing, so it is repeated at will."""
        credentials, url = self._credentials, Secret(URL(self._token_url))
        if credentials is None:
            raise CredentialsError("no credentials: the client is not open")
        for secret in (credentials.client_secret, credentials.basic):
            self.redactor.learn(secret)
        form, most = credentials.form(), MOST_OF_AN_ANSWER
        request = Request(method="POST", url=url, headers=self._headers, data=form, is_api=True, most=most)

        async def attempt() -> Token:
            answer = await self.exchange(request)
            token = Token.parse(answer, time.monotonic())
            self.redactor.learn(token.access_token)
            return token

        return await repeating(TOKEN_RETRY, may_repeat, attempt)

    def _open_session(self) -> Secret[aiohttp.ClientSession]:
        if self._session is None or self._loop is None:
            raise ClosedError("the client is not open: use it inside `async with client:`, or `await client.open()`")
        if self._loop is not asyncio.get_running_loop():
            raise ClosedError("the client was opened in another event loop; each loop needs a client of its own")
        return self._session


def _new_session(ssl: SSLContext | bool, given: Collection[str | None]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=new_connector(ssl, given), cookie_jar=aiohttp.DummyCookieJar())


def pairs(query: Query | None) -> list[tuple[str, str]]:
    """Names and values of a query as strings, secret ones too; yarl would write a UUID as a number."""
    items = query.items() if isinstance(query, Mapping) else query or ()
    return [(name, text(value.reveal() if isinstance(value, Secret) else value)) for name, value in items]


def _checked(session: Secret[aiohttp.ClientSession] | None) -> Secret[aiohttp.ClientSession]:
    if session is None or session.reveal().closed:
        raise InvalidError("session: it is closed")
    if session.reveal().auth is not None or "Authorization" in session.reveal().headers:
        raise InvalidError("session: it has an authorization of its own, which signed URLs must not get")
    return session


def _prepare(auth: Secret[Auth] | None, proxies: Proxies | None) -> Credentials:
    """What blocks when a client opens: import what only an open one needs, and read environment and credentials."""
    with suppress(OSError):
        gettempdir()  # which looks for it once, with a descriptor that there may not be later
    for module in ("aiofiles", "tenacity", "kognic_aio._http.converter"):
        import_module(module)
    if proxies is not None:
        discreet(proxies.read_environment)()  # which may name their passwords
    return resolve(auth)
