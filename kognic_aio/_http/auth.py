"""Credentials and tokens: fetched once for all tasks, renewed before they expire and when refused."""

import logging
import os
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias, Union, cast

import anyio
from attrs import define, evolve, frozen
from yarl import URL

from kognic_aio._frames import hide_frames
from kognic_aio._http.protocol import RETRYABLE_STATUSES, TOKEN_PATH, Answer, Request, api_error
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.retry import RetryPolicy, may_repeat
from kognic_aio._json import read_json
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread
from kognic_aio.config import Retry
from kognic_aio.errors import CredentialsError, MalformedAnswerError, RequestError, StatusError, UnavailableError

if TYPE_CHECKING:
    from kognic.auth.credentials import ApiCredentials

Auth: TypeAlias = Union[str, PathLike[str], tuple[str, str], Mapping[str, object], "ApiCredentials", None]
"""A credentials file, its content, `(client_id, client_secret)` or `keyring://profile`; None searches for them."""

RENEW_BEFORE = 60.0
"""Seconds before its end at which a token is renewed; a tenth of its life if that is shorter."""

RENEW_AGAIN = 10.0
"""Seconds until the next attempt to get a new token while the current one lasts."""

MAX_TOKEN = 16 << 10
"""Characters of a token, which every request sends in a header."""

log = logging.getLogger("kognic_aio")


@frozen
class Credentials:
    """Credentials for a token."""

    client_id: str
    client_secret: Secret[str]
    scopes: tuple[str, ...] = ()

    @property
    @hide_frames
    def basic(self) -> Secret[str]:
        """Id and secret as in HTTP basic authentication. An auth server may quote them so."""
        return Secret(b64encode(f"{self.client_id}:{self.client_secret.reveal()}".encode()).decode())

    @hide_frames
    def form(self) -> Secret[dict[str, str]]:
        """The fields of the request for a token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
        }
        return Secret(form | {"scope": " ".join(self.scopes)} if self.scopes else form)


@hide_frames
def resolve(auth: Secret[Auth] | None) -> Credentials:
    """Find the credentials: those given, else from the environment, else from the keyring. Reads files."""
    from kognic.auth.credentials_parser import (  # noqa: PLC0415  # imported when a client opens
        get_credentials_from_system,
        resolve_any_credentials,
    )

    given = os.environ.get("KOGNIC_CREDENTIALS") if auth is None else auth.reveal()
    if isinstance(given, str) and given.lstrip().startswith(("{", "[")):
        raise CredentialsError("credentials cannot be used: expected the path of a file, got its content")
    try:
        known: Any = dict(given) if isinstance(given, Mapping) else given  # kognic-auth knows no other mappings
        return _usable(get_credentials_from_system() if auth is None else resolve_any_credentials(known))
    except CredentialsError:
        raise
    except Exception as error:  # kognic-auth, keyrings and JSON raise what they like
        # A KeyError would put quotes around its words.
        problem = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    raise CredentialsError(f"credentials cannot be used: {problem}")  # out here: the error may have all of the file


def _usable(found: "ApiCredentials | None") -> Credentials:
    """Check what was found. Raises a CredentialsError if it is unusable or has expired."""
    if found is None:
        raise CredentialsError(
            "no credentials: set KOGNIC_CREDENTIALS to the path of a credentials file, or KOGNIC_CLIENT_ID and"
            " KOGNIC_CLIENT_SECRET; a program may pass auth= instead"
        )
    expires = found.expires
    if expires is not None and (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) <= datetime.now(UTC):
        raise CredentialsError(f"credentials of {found.client_id!r} expired at {expires.isoformat()}")
    for name in ("client_id", "client_secret"):
        if not _is_text(getattr(found, name)):
            raise CredentialsError(f"credentials cannot be used: {name} is not a non-empty string")
    scopes = cast("object", found.scopes)  # of a file, in which anything may be
    if not isinstance(scopes, list | tuple) or not all(map(_is_text, scopes)):
        raise CredentialsError("credentials cannot be used: scopes is not a list of strings")
    return Credentials(found.client_id, Secret(found.client_secret), tuple(scopes))


def _is_text(value: object) -> bool:
    """Whether it is a non-empty string that UTF-8 can encode."""
    return isinstance(value, str) and value != "" and not any("\ud800" <= character <= "\udfff" for character in value)


@define
class Token:
    """An access token, and by the monotonic clock when to renew it and when it ends."""

    access_token: Secret[str]
    renew_at: float
    ends_at: float = inf

    @classmethod
    @hide_frames
    def parse(cls, answer: Answer, now: float) -> "Token":
        """Read the auth server's response, received at the monotonic time `now`. Refused credentials are an error."""
        if answer.status in RETRYABLE_STATUSES:
            raise api_error(answer)
        if not answer.is_success:
            error = api_error(answer)
            raise CredentialsError(f"the auth server refused the credentials: {error}") from error
        with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError):
            data = read_json(answer.body)
            token, life = data["access_token"], float(data.get("expires_in", 3600.0))
            is_header = isinstance(token, str) and token.isascii() and token.isprintable()
            if is_header and len(token) <= MAX_TOKEN and 0 <= life < inf:  # false for NaN
                return cls(Secret(token), now + life - min(RENEW_BEFORE, life / 10), now + life)
        method, url = answer.request.method, answer.request.shown
        raise MalformedAnswerError(f"{url} did not return a token", method=method, url=url)


class TokenSource:
    """The current token, the same for all tasks.

    Refresh tokens are not used: the client credentials grant gives a fresh token in one request at any time.
    """

    def __init__(self, fetch: Callable[[Hashable], Awaitable[Token]]) -> None:
        self._fetch = fetch
        self._lock = anyio.Lock()
        self._token: Token | None = None

    async def get(self, refused: Secret[str] | None = None, breaker_key: Hashable = None) -> Secret[str]:
        """A token that remains valid for a while, and is not the one that a server has just refused."""
        token = self._token
        if token is not None and self._is_good(token, refused):
            return token.access_token
        async with self._lock:
            token = self._token
            if token is None or not self._is_good(token, refused):
                token = self._token = await self._renewed(token, refused, breaker_key)
            return token.access_token

    async def _renewed(self, token: Token | None, refused: Secret[str] | None, breaker_key: Hashable) -> Token:
        """Fetch a new token. If that fails, keep the current one as long as it lasts.

        This includes refused credentials: they may be about to be replaced, and are read again next time.
        """
        try:
            return await self._fetch(breaker_key)
        except (CredentialsError, RequestError, StatusError, UnavailableError) as error:
            now = time.monotonic()
            if token is None or token.access_token == refused or now >= token.ends_at:
                raise
            seconds = token.ends_at - now
            log.warning("could not renew the token; the current one is used for another %.0f s: %s", seconds, error)
            return evolve(token, renew_at=min(now + RENEW_AGAIN, token.ends_at))

    @staticmethod
    def _is_good(token: Token, refused: Secret[str] | None) -> bool:
        return token.access_token != refused and time.monotonic() < token.renew_at


@define(slots=False)
class AuthServer:
    """Fetches tokens. If the credentials are refused, reads them again from `auth`, in case they were rotated.

    The redactor learns credentials and tokens. `scopes` replace those of the credentials, unless they are empty.
    """

    _send: Callable[[Request, Callable[[Answer], Token], RetryPolicy], Awaitable[Token]]
    _url: str
    _headers: Mapping[str, str]
    _redactor: Redactor
    _auth: Secret[Auth] | None
    _credentials: Credentials
    _scopes: Sequence[str]
    _retry: Retry

    async def fetch_token(self, breaker_key: Hashable) -> Token:
        """Fetch a new token, with a key for the circuit breaker.

        Endpoint: `POST /v1/auth/oauth/token`
        """
        try:
            return await self._ask(breaker_key)
        except CredentialsError as error:
            if not await self._have_been_rotated(error):
                raise
        token = await self._ask(breaker_key)
        log.warning("the auth server refused the credentials; using the rotated ones from now on")
        return token

    def _ask(self, breaker_key: Hashable) -> Awaitable[Token]:
        credentials = evolve(self._credentials, scopes=tuple(self._scopes or self._credentials.scopes))
        for secret in (credentials.client_secret, credentials.basic):
            self._redactor.learn(secret)
        request = Request(
            method="POST",
            url=Secret(URL(f"{self._url.rstrip('/')}{TOKEN_PATH}")),
            headers=self._headers,
            data=credentials.form(),
            is_api=True,
            max_answer=64 << 10,  # a token is short
        )
        # A token request creates nothing, so it is harmless to repeat.
        policy = RetryPolicy(is_retryable=may_repeat, bounds=self._retry, breaker_key=breaker_key)
        return self._send(request, self._read, policy)

    def _read(self, answer: Answer) -> Token:
        token = Token.parse(answer, time.monotonic())
        self._redactor.learn(token.access_token)
        return token

    async def _have_been_rotated(self, refusal: CredentialsError) -> bool:
        """Read the credentials again, and return whether others have replaced the refused ones."""
        if not (self._auth is None or isinstance(self._auth.reveal(), str | PathLike)):
            return False  # given as a pair or as the content of a file, they cannot have changed
        try:
            found = await in_thread(resolve, self._auth)
        except CredentialsError as error:
            refusal.explain(f"read again: {error}")
            return False
        refused = self._credentials
        if (found.client_id, found.client_secret) == (refused.client_id, refused.client_secret):
            return False
        self._credentials = found
        return True
