"""Tokens: one fetch at a time, renewed before they end and when they are refused."""

import json
import time

import anyio
import pytest

from kognic_aio._http.auth import RENEW_AGAIN, Token, TokenSource
from kognic_aio._secret import Secret
from kognic_aio.errors import CredentialsError, MalformedAnswerError, ServerError
from tests.answers import answer_with

pytestmark = pytest.mark.anyio


class AuthServer:
    """Gives numbered tokens; each answer waits until others have had their turn."""

    def __init__(self, *, life: float = 3600.0, status: int = 200, body: bytes | None = None) -> None:
        self.asked = 0
        self._life = life
        self._status = status
        self._body = body

    async def __call__(self, counts_as: object) -> Token:
        self.asked += 1
        token = {"access_token": f"token-{self.asked}", "expires_in": self._life}
        await anyio.lowlevel.checkpoint()
        body = json.dumps(token).encode() if self._body is None else self._body
        return Token.parse(answer_with(body, status=self._status, method="POST"), time.monotonic())


async def test_one_fetch_for_all() -> None:
    """Tasks that need a token at the same time share one request for it."""
    server = AuthServer()
    tokens = TokenSource(server)
    got: list[str] = []

    async def get() -> None:
        got.append((await tokens.get()).reveal())

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(get)
    assert got == ["token-1"] * 20
    assert server.asked == 1


async def test_a_token_that_is_about_to_end() -> None:
    """A token is renewed before it ends."""
    server = AuthServer(life=0.0)
    tokens = TokenSource(server)
    assert [(await tokens.get()).reveal() for _ in range(3)] == ["token-1", "token-2", "token-3"]


async def test_a_refused_token_is_renewed_once() -> None:
    """Tasks whose token was refused share one renewal, also those that hear of it late."""
    server = AuthServer()
    tokens = TokenSource(server)
    first = await tokens.get()
    assert [await tokens.get(refused=first) for _ in range(5)] == [Secret("token-2")] * 5
    assert server.asked == 2


@pytest.mark.parametrize(("status", "error"), [(401, CredentialsError), (503, ServerError)])
async def test_the_old_token_while_there_is_no_new_one(status: int, error: type[Exception]) -> None:
    """A token that lasts a while yet is used on when no new one is to be had; one that was refused is not."""
    server = AuthServer()
    tokens = TokenSource(server)
    first = await tokens.get()
    assert tokens._token is not None
    tokens._token.renew_at = time.monotonic()
    server._status = status
    assert [await tokens.get() for _ in range(3)] == [first] * 3
    assert server.asked == 2
    with pytest.raises(error):
        await tokens.get(refused=first)
    tokens._token.renew_at = tokens._token.ends_at = time.monotonic()
    with pytest.raises(error):
        await tokens.get()
    server._status = 200
    assert await tokens.get() == Secret("token-5")


async def test_the_old_token_is_not_used_beyond_its_end() -> None:
    """When the token before ends sooner than it would be asked again for a new one, that is asked for at its end."""
    server = AuthServer(life=RENEW_AGAIN)
    tokens = TokenSource(server)
    first = await tokens.get()
    server._status = 401
    assert tokens._token is not None
    tokens._token.renew_at = time.monotonic()
    assert await tokens.get() == first
    assert tokens._token.renew_at == tokens._token.ends_at


NO_TOKENS = [
    b"",
    b"[]",
    b"{}",
    b"<html>",
    b'{"access_token": null}',
    b'{"access_token": "a\\r\\nb"}',
    b'{"access_token": "a", "expires_in": "soon"}',
]


@pytest.mark.parametrize("body", NO_TOKENS)
async def test_no_token_in_the_answer(body: bytes) -> None:
    """An answer without a token is an error of ours."""
    with pytest.raises(MalformedAnswerError, match="did not return a token"):
        await TokenSource(AuthServer(body=body)).get()


@pytest.mark.parametrize(("status", "error"), [(400, CredentialsError), (401, CredentialsError), (503, ServerError)])
async def test_error_statuses(status: int, error: type[Exception]) -> None:
    """Refused credentials are told apart from a server in trouble."""
    with pytest.raises(error):
        await TokenSource(AuthServer(status=status)).get()
