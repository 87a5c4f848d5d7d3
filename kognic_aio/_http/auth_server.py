"""The auth server: gives tokens for credentials, which may be replaced meanwhile."""

import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from attrs import evolve
from yarl import URL

from kognic_aio._http.auth import MAX_TOKEN_ANSWER, Auth, Credentials, Token, rotated
from kognic_aio._http.protocol import Answer
from kognic_aio._http.redaction import Redactor
from kognic_aio._http.request import TOKEN_PATH, Request
from kognic_aio._http.retry import RetryPolicy, may_repeat
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread
from kognic_aio.errors import CredentialsError
from kognic_aio.limits import TOKEN_RETRY

log = logging.getLogger("kognic_aio")

Send: TypeAlias = Callable[[Request, Callable[[Answer], Awaitable[Token]], RetryPolicy], Awaitable[Token]]
"""Sends a request, repeats it by a policy, and gives what a function reads in the answer."""


class AuthServer:
    """Gives tokens for credentials; if it refuses them, for those that have replaced them.

    Args:
        send: Sends requests.
        headers: Those of every request.
        redactor: Learns the secrets.
    """

    def __init__(self, send: Send, headers: Mapping[str, str], redactor: Redactor) -> None:
        self._send = send
        self._headers = headers
        self._redactor = redactor
        self._url = ""
        self._auth: Secret[Auth] | None = None
        self._scopes: tuple[str, ...] = ()
        self._credentials: Credentials | None = None

    def open(self, base_url: str, auth: Secret[Auth] | None, credentials: Credentials, scopes: Sequence[str]) -> None:
        """Use credentials from now on, with other scopes than their own if some are given.

        Args:
            base_url: Where the server is.
            auth: Where the credentials come from, and those that replace them.
            credentials: The credentials.
            scopes: The other scopes.
        """
        self._url = f"{base_url.rstrip('/')}{TOKEN_PATH}"
        self._auth, self._scopes = auth, tuple(scopes)
        self._credentials = self._scoped(credentials)

    async def fetch_token(self, counts_as: Hashable) -> Token:
        """A new token. For the circuit breaker, the request counts as what it is told.

        Raises:
            CredentialsError: If the credentials are refused, and so are those that have replaced them.

        Endpoint: `POST /v1/auth/oauth/token`
        """
        try:
            return await self._ask(counts_as)
        except CredentialsError as error:
            if not await self._have_been_rotated(error):
                raise
        token = await self._ask(counts_as)
        log.warning("the auth server refused the credentials; those that have replaced them are used from now on")
        return token

    async def _ask(self, counts_as: Hashable) -> Token:
        if self._credentials is None:
            raise CredentialsError("no credentials: the client is not open")
        for secret in (self._credentials.client_secret, self._credentials.basic):
            self._redactor.learn(secret)
        request = Request(
            method="POST",
            url=Secret(URL(self._url)),
            headers=self._headers,
            data=self._credentials.form(),
            is_api=True,
            max_answer=MAX_TOKEN_ANSWER,
        )
        # To ask for a token creates nothing, so it is repeated at will.
        policy = RetryPolicy(is_worth_it=may_repeat, bounds=TOKEN_RETRY, counts_as=counts_as)
        return await self._send(request, self._read, policy)

    async def _read(self, answer: Answer) -> Token:
        token = Token.parse(answer, time.monotonic())
        self._redactor.learn(token.access_token)
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
