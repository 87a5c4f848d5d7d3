"""Whoever opens connections and says nothing, or little, keeps neither memory nor others from being answered."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import anyio
import pytest
from aiohttp import web

from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET
from kognic_aio.emulator.bodies import MAX_ARRIVING, MAX_JSON, BodyReader, Pace, arriving
from kognic_aio.emulator.connections import MAX_HEADER, MAX_HEADERS, Bounds, Server
from kognic_aio.emulator.errors import SlowBodyError
from kognic_aio.emulator.recorder import Recorder
from tests.cost import MEGABYTES
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
FORM = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], bounds: Bounds
) -> AsyncIterator[int]:
    """The port of a server with other bounds than those of an emulator."""
    server = Server(handle, Recorder(), bounds)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await server.shutdown(0.1)


@asynccontextmanager
async def connected(port: int, count: int = 1) -> AsyncIterator[list[Stream]]:
    """Connections to a port."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield streams
    finally:
        for _, writer in streams:
            writer.transport.abort()


async def answer(request: web.BaseRequest) -> web.Response:
    return web.Response(text="well")


async def test_a_head_that_never_ends() -> None:
    """A connection is closed on which the head of a request does not come to its end, however it trickles."""
    with anyio.fail_after(GENEROUS):
        async with serving(answer, Bounds(patience=0.3)) as port, connected(port) as [(reader, writer)]:
            writer.write(HEAD + b"X-Endless: ")
            with suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"x")
                    with anyio.move_on_after(0.05):
                        assert await reader.read(100) == b""


async def test_a_connection_that_says_nothing() -> None:
    """A connection is closed on which nothing comes at all, and one that has been answered and then is silent."""
    with anyio.fail_after(GENEROUS):
        async with serving(answer, Bounds(patience=0.3)) as port, connected(port, 2) as [silent, answered]:
            answered[1].write(HEAD + b"Content-Length: 0\r\n\r\n")
            assert (await answered[0].read()).endswith(b"well")
            assert await silent[0].read() == b""


async def test_an_answer_that_nobody_reads() -> None:
    """A connection is closed whose client does not read what it asked for."""
    lost = asyncio.Event()

    async def much(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(2**20))
        except ConnectionError:
            lost.set()
            raise

    with anyio.fail_after(GENEROUS):
        async with serving(much, Bounds(patience=0.3)) as port, connected(port) as [(_, writer)]:
            writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
            await lost.wait()


async def test_too_many_connections() -> None:
    """One connection too many is told so at once; when another has gone, there is room again."""
    with anyio.fail_after(GENEROUS):
        async with serving(answer, Bounds(connections=2)) as port, connected(port, 3) as streams:
            assert b" 503 " in await streams[2][0].read()
            for reader, writer in streams[:2]:
                writer.write(HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
                assert b" 200 " in await reader.read()
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}") as again:
                assert again.status == 200


@pytest.mark.parametrize("pace", [Pace(0.1, 1.0), Pace(60.0, 1e9)], ids=["silent", "trickling"])
async def test_a_body_that_comes_too_slowly(pace: Pace) -> None:
    """A body is given up if nothing comes for a while, or if it is too little."""
    refused = asyncio.Event()

    async def read(request: web.BaseRequest) -> web.Response:
        with pytest.raises(SlowBodyError, match=r"the body comes too slowly: \d+ bytes have arrived"):
            async for _ in arriving(request, Pace(min(pace.patience, 0.2), pace.rate)):
                pass
        refused.set()
        return web.Response()

    with anyio.fail_after(GENEROUS):
        async with serving(read, Bounds()) as port, connected(port) as [(_, writer)]:
            writer.write(HEAD + b"Content-Length: 1000000\r\n\r\n")
            while not refused.is_set():
                if pace.patience > 1:
                    writer.write(b"x")
                with anyio.move_on_after(0.02):
                    await refused.wait()


async def test_a_body_that_comes_at_its_pace() -> None:
    """A body that is slow, but fast enough, arrives whole."""
    reader = BodyReader(Pace(patience=1.0, rate=1.0))

    async def read(request: web.BaseRequest) -> web.Response:
        return web.Response(body=await reader.read(request, 100))

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(15):
            yield b"x"
            await anyio.sleep(0.1)

    with anyio.fail_after(GENEROUS):
        async with (
            serving(read, Bounds()) as port,
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{port}", data=chunks()) as done,
        ):
            assert await done.read() == b"x" * 15


async def crowd(port: int, first: bytes, second: bytes, count: int) -> None:
    """Open many connections, and send on each what will never be whole."""
    async with connected(port, count) as streams:
        for part in (first, second):
            for _, writer in streams:
                writer.write(part)
            for _, writer in streams:
                with suppress(ConnectionError):
                    await writer.drain()
        await anyio.sleep(0.5)


async def token(port: int) -> str:
    url = f"http://127.0.0.1:{port}/v1/auth/oauth/token"
    async with aiohttp.ClientSession() as session, session.post(url, data=FORM) as granted:
        return str((await granted.json())["access_token"])


@pytest.mark.parametrize("kind", ["heads", "bodies"])
async def test_a_crowd(kind: str) -> None:
    """Many who each send half a request, with a token or without, do not fill the memory."""
    command = [sys.executable, "-m", "tests.emulator.served"]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        with anyio.fail_after(GENEROUS):
            port = int(await process.stdout.readline())
            if kind == "heads":
                headers = b"".join(
                    b"X-%d: %s\r\n" % (number, b"x" * (MAX_HEADER - 10)) for number in range(MAX_HEADERS - 2)
                )
                await crowd(port, HEAD, headers, 900)
            else:
                head = f"POST /v1/pre-annotations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {MAX_JSON}"
                first = f"{head}\r\nAuthorization: Bearer {await token(port)}\r\n\r\n".encode()
                await crowd(port, first, bytes(MAX_JSON - 1), 3 * MAX_ARRIVING // MAX_JSON)
            output, _ = await process.communicate(b"")
        assert float(output) < MEGABYTES
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
