"""Answers that a platform or a store does not give: they count for nothing, and the error says what they were."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import aiohttp
import anyio
import pytest
from aiohttp import web
from attrs import define, field

from kognic_aio import FileData, KognicIOClient
from kognic_aio._secret import Secret
from kognic_aio.client import backend_of
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import (
    KognicError,
    LostAnswerError,
    MalformedAnswerError,
    StatusError,
    StorageError,
    UnreadableAnswerError,
)
from kognic_aio.model import Image
from tests.scenes import KINDS, SOURCES, build
from tests.scripted import Server, Step, client_of, ok, serving
from tests.uploads import put
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

CONTENT = b"an image" * 1000
SIGNED = "bucket/a?X-Signature=abcdefghijklmnopqrstuvwxyz"
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"


P = ParamSpec("P")


def in_time(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """A test that does not hang."""

    @wraps(test)
    async def bounded(*args: P.args, **kwargs: P.kwargs) -> None:
        with anyio.fail_after(GENEROUS):
            await test(*args, **kwargs)

    return bounded


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[KognicIOClient]:
    async with client_of(server, attempts=8) as client:
        yield client


def image(data: Any = CONTENT) -> Image:
    return Image(filename="a.jpg", file_data=FileData(format="jpg", data=data))


def page(text: str, **options: Any) -> Step:
    return lambda _: web.Response(text=text, **options)


def stored(_: web.BaseRequest) -> web.Response:
    return web.Response()


PAGES: dict[str, Step] = {
    "HTML": page(PAGE, content_type="text/html"),
    "HTML in disguise": page(PAGE, content_type="application/octet-stream"),
    "HTML without a doctype": page("\n <HTML lang='en'><body>Sign in</body></HTML>", content_type="text/plain"),
    "XHTML": page(f'\ufeff<?xml version="1.0"?>\n<!-- page -->\n{PAGE}', content_type="application/xml"),
    "a fragment": page("<p>Sign in</p>", content_type="text/html"),
    "201": page(PAGE, content_type="text/html", status=201),
    "UTF-16": page(PAGE, content_type="text/plain", charset="utf-16"),
    "UTF-16, as bytes": lambda _: web.Response(body=PAGE.encode("utf-16-be")),
    **{
        text: page(f"\n{text}Sign in", content_type="text/plain")
        for text in (
            '<form action="/login">',
            '<meta http-equiv=refresh content="0; /login">',
            "<title>",
            "<script>",
            "<STYLE>",
            "<center>",
            "<h1>",
            "<frameset>",
            "<div class='a'>",
            '<a href="/login">',
            "<p>",
        )
    },
}
STORES: dict[str, Step] = {
    "nothing": stored,
    "nothing, as HTML": page("", content_type="text/html"),
    "204": page("", status=204),
    "XML": page(
        '<?xml version="1.0"?><PutObjectResult><ETag>a</ETag></PutObjectResult>', content_type="application/xml"
    ),
    "XML without a type": page("<CopyObjectResult><ETag>body</ETag></CopyObjectResult>"),
    "JSON": page('{"name": "<html>"}', content_type="application/json"),
    "text": page("OK"),
    "other XML": page("<PostResponse><Location>a</Location></PostResponse>", content_type="application/xml"),
    "XML of a namespace": page('<a:Result xmlns:a="b"/>', content_type="application/xml"),
    "XML whose names begin as tags": page("<Parts><Part>1</Part></Parts>"),
    "UTF-16 XML": page("<Result/>", content_type="application/xml", charset="utf-16"),
}


@in_time
async def test_an_upload_that_is_switched_over() -> None:
    """101 is no answer to an upload: it has not arrived."""

    async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(CONTENT))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        writer.close()

    async with serving() as server, client_of(server, attempts=2) as client:
        listener = await asyncio.start_server(switch, "127.0.0.1", 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            with pytest.raises(StorageError) as caught:
                await put(backend_of(client).storage, f"http://127.0.0.1:{port}/{SIGNED}", image())
    assert caught.value.status == 101


@pytest.mark.parametrize("status", [300, 305])
@in_time
async def test_rarer_redirects(status: int, server: Server, client: KognicIOClient) -> None:
    """They may pass as the others do: an upload is tried again, and arrives."""
    server.steps = [page("", status=status, headers={"Location": "http://login.example/a?token=b"}), stored]
    assert await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image()) == len(CONTENT)
    assert len(server.requests) == 2


@pytest.mark.parametrize("name", PAGES)
@in_time
async def test_a_page_instead_of_the_store(name: str, server: Server, client: KognicIOClient) -> None:
    """An upload that is answered with a page has not arrived: it is sent again, whole, until the store answers."""
    server.steps = [PAGES[name], PAGES[name], stored]
    assert await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image()) == len(CONTENT)
    assert [hashlib.sha256(body).digest() for _, _, body, _ in server.requests] == [
        hashlib.sha256(CONTENT).digest()
    ] * 3


@pytest.mark.parametrize("name", PAGES)
@in_time
async def test_nothing_but_pages(name: str, server: Server, client: KognicIOClient) -> None:
    """In the end the error says that a page came."""
    server.always = PAGES[name]
    page = r"status 20\d with an HTML page, such as a proxy's login, for 'a\.jpg'"
    with pytest.raises(MalformedAnswerError, match=page) as caught:
        await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image())
    assert f"unexpected response to PUT {server.url}/bucket/a: status 20" in str(caught.value)
    assert "abcdefghijklmnopqrstuvwxyz" not in str(caught.value)
    assert len(server.requests) == 8


@pytest.mark.parametrize("name", STORES)
@in_time
async def test_what_stores_answer(name: str, server: Server, client: KognicIOClient) -> None:
    """Whatever a store answers that is no page, the upload has arrived."""
    server.steps = [STORES[name]]
    assert await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image()) == len(CONTENT)


def calls(client: KognicIOClient, url: str) -> dict[str, Callable[[], Any]]:
    return {
        "upload": lambda: put(backend_of(client).storage, f"{url}/{SIGNED}", image()),
        "download": lambda: backend_of(client).storage.get_json(Secret(f"{url}/{SIGNED}")),
        "read": client.project.get_projects,
    }


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ["upload", "download", "read"])
@in_time
async def test_redirects_that_pass(code: int, name: str, server: Server, client: KognicIOClient) -> None:
    """A redirect is not followed; the request is repeated, as a login of a proxy may be done with then."""
    async with serving() as elsewhere:
        redirect = page("", status=code, headers={"Location": elsewhere.url})
        server.steps = [redirect, redirect, ok([])]
        await calls(client, server.url)[name]()
        assert elsewhere.requests == []
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://login.invalid/portal?token=abcdefghij#top", "redirected to https://login.invalid/portal, which"),
        ("https://me:abcdefghij@login.invalid", "redirected to https://login.invalid, which"),
        ("/login?token=abcdefghij", "redirected to /login, which"),
        ("http://[abcdefghij", "redirected to no URL, which"),
        (None, "redirected to no URL, which"),
    ],
)
@pytest.mark.parametrize("name", ["upload", "download", "read"])
@in_time
async def test_redirects_that_stay(
    location: str | None, told: str, name: str, server: Server, client: KognicIOClient
) -> None:
    """In the end the error says where a redirect leads to, without what may be secret in it."""
    server.always = page("", status=302, headers={"Location": location} if location else {})
    with pytest.raises(StatusError, match=told) as caught:
        await calls(client, server.url)[name]()
    assert f"(302 from {caught.value.method} {server.url}/" in str(caught.value)
    assert "abcdefghij" not in str(caught.value)


@in_time
async def test_what_creates_is_not_redirected(server: Server, client: KognicIOClient) -> None:
    """A request that creates something is sent once, as nobody knows what whoever redirects has done with it."""
    server.always = page("", status=307, headers={"Location": "https://login.invalid"})
    with pytest.raises(StatusError, match=r"redirected to https://login\.invalid"):
        await client.cameras.create_from_scene("scene", "project")
    assert len(server.requests) == 1


@define
class Raw:
    """A server that answers with bytes as they are, in pieces with a pause between, and hears requests whole."""

    pieces: list[bytes]
    bodies: list[bytes] = field(factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length:" in head:
                size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(size))
            else:
                self.bodies.append(b"")
            for piece in self.pieces:
                writer.write(piece)
                await writer.drain()
                await anyio.sleep(0.02)
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def raw(*pieces: bytes) -> AsyncIterator[Raw]:
    running = Raw(list(pieces))
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield running


OK = b"HTTP/1.1 200 OK\r\n"
LONG = {
    "one header": b"X-Long: " + b"x" * 65536 + b"\r\n",
    "9 kB": b"X-Long: " + b"x" * 9000 + b"\r\n",
    "many headers": b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(500)),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("has_own_session", [False, True])
@in_time
async def test_long_headers(name: str, has_own_session: bool) -> None:
    """An answer may have headers of 64 KiB, also through a session of the caller's."""
    async with (
        aiohttp.ClientSession() as session,
        serving() as server,
        raw(OK, LONG[name], b"Content-Length: 0\r\n\r\n") as store,
    ):
        options: dict[str, Any] = {"session": session} if has_own_session else {}
        client = KognicIOClient(
            auth=("id", "secret"), host=server.url, auth_host=server.url, write_workspace_id="mine", **options
        )
        async with client:
            await put(backend_of(client).storage, f"{store.url}/{SIGNED}", image())
    assert store.bodies == [CONTENT]


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNREADABLE = {
    "no HTTP": ([b"220 ftp.example.com ready abcdefghij\r\n\r\n"], "Bad status line: Expected HTTP/"),
    "a bad status": ([b"HTTP/1.1 2x0 abcdefghij\r\n\r\n"], "Bad status line: Invalid status code"),
    "a bad header": ([OK + b"abcdefghij and more\r\n\r\n"], "Invalid header token"),
    "two lengths": ([OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"], "Duplicate Content-Length"),
    "too long a header": (
        [OK + b"X: " + b"abcdefghij" * 10_000 + b"\r\n\r\n"],
        r"Got more than \d+ bytes when reading",
    ),
    "too long a status": ([b"HTTP/1.1 200 " + b"abcdefghij" * 10_000 + b"\r\n\r\n"], "Got more than"),
    "too many headers": ([OK + b"X: 1\r\n" * 3000 + b"\r\n"], "Too many headers"),
    "a bad chunk": ([CHUNKED + b"abcdefghij\r\n"], "chunk size"),
    "a bad chunk later": ([CHUNKED, b"3\r\nabc\r\n", b"ZZabcdefghij\r\n"], "chunk size"),
    "bad compression": (
        [OK + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabcdefghij"],
        "invalid gzip data",
    ),
}
CUT_OFF = {
    "nothing": ([b""], "the connection broke during PUT"),
    "half a head": ([OK + b"X: abcdefghij"], "the connection broke during PUT"),
    "half a body": ([OK + b"Content-Length: 20\r\n\r\n", b"abcdefghij"], "received 10 of 20 bytes"),
    "half a chunk": ([CHUNKED, b"20\r\nabcdefghij"], "the connection broke during the response to PUT"),
}


@pytest.mark.parametrize("name", UNREADABLE)
@in_time
async def test_answers_that_are_no_http(name: str, client: KognicIOClient) -> None:
    """The error says what could not be read, but does not quote it. The file is sent six times at most."""
    pieces, told = UNREADABLE[name]
    async with raw(*pieces) as store:
        with pytest.raises(UnreadableAnswerError, match=told) as caught:
            await put(backend_of(client).storage, f"{store.url}/{SIGNED}", image())
    assert f"the response to PUT {store.url}/bucket/a cannot be read: " in str(caught.value)
    assert "abcdefghij" not in str(caught.value)
    assert "ClientResponseError" not in str(caught.value)
    assert store.bodies == [CONTENT] * 6


@pytest.mark.parametrize("name", CUT_OFF)
@in_time
async def test_answers_that_are_cut_off(name: str, client: KognicIOClient) -> None:
    """An answer that breaks off is a connection that broke, and its request is repeated as those are."""
    pieces, told = CUT_OFF[name]
    async with raw(*pieces) as store:
        with pytest.raises(LostAnswerError, match=told) as caught:
            await put(backend_of(client).storage, f"{store.url}/{SIGNED}", image())
    assert "abcdefghij" not in str(caught.value)
    assert store.bodies == [CONTENT] * 8


@in_time
async def test_a_long_header_through_the_emulator() -> None:
    """Each file is sent once to a store that answers with long headers."""
    async with Emulator() as emulator, KognicIOClient(**emulator.client_options()) as client:
        emulator.faults.add(faults.LongHeader(9000), on=faults.UPLOADS, times=4)
        kind = next(iter(KINDS))
        built = build(kind, SOURCES["bytes"], Path())
        await getattr(client, KINDS[kind][0]).create(built.scene, project="project-a", batch="batch-2")
        puts = emulator.recorder.requests("PUT")
    assert len(puts) == len({request.path for request in puts}) == len(built.contents)


@in_time
async def test_a_redirect_that_quotes_the_request(server: Server, client: KognicIOClient) -> None:
    """A signature that a redirect has in its path is not shown."""
    server.always = page("", status=302, headers={"Location": "https://login.invalid/abcdefghijklmnopqrstuvwxyz"})
    with pytest.raises(StorageError, match=r"redirected to https://login\.invalid/\.\.\., which"):
        await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image())


@pytest.mark.parametrize(
    "answer", [page("{", status=500), page(PAGE), page("", status=404)], ids=["500", "page", "404"]
)
@pytest.mark.parametrize("name", ["upload", "download", "read"])
@in_time
async def test_errors_name_the_url(name: str, answer: Step, server: Server, client: KognicIOClient) -> None:
    """Whatever an API or a store answers, the error names the URL, without its query."""
    server.always = answer
    with pytest.raises(KognicError, match=f"{server.url}/") as caught:
        await calls(client, server.url)[name]()
    assert "X-Signature" not in str(caught.value)


@in_time
async def test_a_refused_upload_says_so(server: Server, client: KognicIOClient) -> None:
    """A page with an error status is the store's refusal, as before."""
    server.always = page(PAGE, status=403, content_type="text/html")
    with pytest.raises(StorageError, match="was refused"):
        await put(backend_of(client).storage, f"{server.url}/{SIGNED}", image())
    assert len(server.requests) == 1
