"""Whole answers over a real socket, and signed URLs up to it: a client has a result or an error of ours."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import anyio

from kognic_aio import KognicIOClient
from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio.config import Retry
from kognic_aio.errors import KognicError
from tests.fuzz.answers import body
from tests.fuzz.pieces import Pieces
from tests.waiting import GENEROUS, HOUR

PATIENCE = 0.05
"""Seconds to wait for a token: who answers oddly is asked again after a pause, or when it has said."""

LOGIN = ("id", "the-secret")
TOKEN = b'HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{"access_token": "a", "expires_in": 3600 }'

STARTS = (
    b"HTTP/1.1 ",
    b"HTTP/1.0 ",
    b"HTTP/9.9 ",
    b"http/1.1 ",
    b"HTTP/1.1",
    b"\r\n\r\nHTTP/1.1 ",
    b"<html>",
    b"\x16\x03",
)
STATUSES = (
    *(b"200 OK", b"404 Not Found", b"200", b"204 No Content", b"100 Continue", b"101 Switching Protocols"),
    *(b"302 Found", b"407 Proxy", b"000 A", b"-1 A", b"99999999999999999999 A", b"429 A", b"200 \xff\0", b"304 A"),
)
HEADERS = (
    *(b"Content-Length: ", b"Transfer-Encoding: ", b"Content-Encoding: ", b"Content-Type: ", b"Connection: "),
    *(b"Retry-After: ", b"Location: ", b"Set-Cookie: ", b"sunset-date: ", b"X-Request-Id: ", b"x-goog-hash: "),
    *(b"", b" ", b"\xff: ", b"A\0: ", b"Content-Length : ", b"Upgrade: "),
)
VALUES = (
    *(b"5", b"0", b"-1", b"99999999999999999999", b"+5", b"5, 5", b"0x5", b"chunked", b"gzip", b"deflate", b"br"),
    *(b"zstd", b"gzip, chunked", b"close", b"keep-alive", b"upgrade", b"text/html; charset=\xff", b"application/json"),
    *(b"crc32c=AAAAAA==", b"Mon, 01 Jan 2035 00:00:00 GMT", b"a" * 9000, b"\xff\x80", b"a=b; expires=Mon, 99"),
    *(b"http://[::1",),
)
BODIES = (
    *(b"5\r\n[1,2]\r\n0\r\n\r\n", b"ffffffffffffffffffff\r\n", b"-1\r\n", b'1;a="\r\n', b"0\r\nA: b\r\n\r\n"),
    *(b"g\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x1f\x8b", b"x\x9c", b"(\xb5/\xfd", b"{}"),
)


def http_answers(data: bytes) -> None:
    """Any bytes as the answer to a question, an upload or a download, and to one for a token."""
    pieces = Pieces(data)
    ask = pieces.one_of((_get, _put, _download, _token))
    answers = [_http(pieces) for _ in range(1 + pieces.number(2))]
    asyncio.run(_answered(answers, ask))


def signed_urls(data: bytes) -> None:
    """What the platform has signed, which may be no URL. Nothing is connected to."""
    pieces = Pieces(data)
    scheme = pieces.one_of(("https://", "http://", "", "HTTPS://", "https:", "//", "ftp://", "https://\\"))
    host = pieces.one_of(("storage.googleapis.com", "127.1", "[::1]", "[::1", "[fe80::1%25a]", "xn--a", "a" * 300, ""))
    port = pieces.one_of(
        ("", ":443", ":0", ":99999", ":-1", ":", ":a", "@b", ":b@c", "\udc80", "\u0131", "\uff0e", "%41", " ")
    )
    url = scheme + host + port + "/" + pieces.text() + "?" + pieces.rest().decode(errors="surrogateescape")
    asyncio.run(_unconnected(url, is_local=bool(pieces.number(2))))


def _http(pieces: Pieces) -> bytes:
    """What may be an answer: of its parts, some are odd."""
    if pieces.is_odd():
        return pieces.rest()
    start = pieces.one_of(STARTS) + pieces.one_of(STATUSES) + b"\r\n"
    lines = pieces.several(lambda: pieces.one_of(HEADERS) + pieces.one_of(VALUES) + pieces.raw(pieces.number(4)), 4)
    made = pieces.number(4)
    content = body(pieces) if made < 2 else b"".join(pieces.several(lambda: pieces.one_of(BODIES), 3)) + pieces.raw(8)
    length = [b"Content-Length: %d" % len(content)] if made % 2 == 0 else []
    return start + b"".join(line + b"\r\n" for line in [*lines, *length]) + b"\r\n" + content


async def _get(client: KognicIOClient, _: str) -> None:
    await client.project.get_projects()


async def _put(client: KognicIOClient, url: str) -> None:
    await _storage(client, is_local=True).put_json(Secret(f"{url}/storage?signature=secret"), b"{}", "a.json")


async def _download(client: KognicIOClient, url: str) -> None:
    await _storage(client, is_local=True).get_json(Secret(f"{url}/storage?signature=secret"))


async def _token(client: KognicIOClient, _: str) -> None:
    with anyio.move_on_after(PATIENCE):
        await client.project.get_projects()


Ask = Callable[[KognicIOClient, str], Awaitable[None]]


async def _answered(answers: Sequence[bytes], ask: Ask) -> None:
    """Ask a server that has such answers and then closes, each for a connection."""
    with anyio.fail_after(GENEROUS):
        async with _serving(answers, tokens_too=ask is _token) as url, _client(url) as client:
            with suppress(KognicError):
                await ask(client, url)


def _client(url: str) -> KognicIOClient:
    """A client that does not end a request by itself: it has to see that the answer has ended, or can be none."""
    return KognicIOClient(
        auth=LOGIN, host=url, auth_host=url, write_workspace_id="mine", max_retry_attempts=1, timeout=HOUR
    )


@asynccontextmanager
async def _serving(answers: Sequence[bytes], *, tokens_too: bool) -> AsyncIterator[str]:
    left = [*answers]

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            is_token = b"/token" in head.partition(b"\r\n")[0] and not tokens_too
            writer.write(TOKEN if is_token or not left else left.pop(0))
            await writer.drain()
            writer.write_eof()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _unconnected(url: str, *, is_local: bool) -> None:
    async with (
        aiohttp.ClientSession(connector=NoConnections()) as session,
        KognicIOClient(auth=LOGIN, write_workspace_id="mine", session=session, timeout=HOUR) as client,
    ):
        storage = _storage(client, is_local=is_local)
        for ask in (storage.get_json(Secret(url)), storage.put_json(Secret(url), b"{}", "a.json")):
            with suppress(KognicError), anyio.fail_after(GENEROUS):
                await ask


def _storage(client: KognicIOClient, *, is_local: bool) -> Storage:
    return Storage(client._transport, Retry(attempts=1), lambda: is_local)


class NoConnections(aiohttp.BaseConnector):
    """Connects to nobody."""

    async def _create_connection(self, *_: object, **__: object) -> None:  # type: ignore[override]
        raise aiohttp.ClientConnectionError("not connected")
