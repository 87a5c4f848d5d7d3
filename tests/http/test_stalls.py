"""A server that stops reading or answering is given up in time; one that is slow but steady is not."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from typing import Any, TypeAlias

import aiohttp
import anyio
import pytest
from attrs import define, field

from kognic_aio import FileData, KognicIOClient
from kognic_aio.client import backend_of
from kognic_aio.errors import ConnectError, KognicError, TimedOutError
from kognic_aio.model import Image
from tests.certificates import Certificates
from tests.scripted import serving
from tests.uploads import put
from tests.waiting import GENEROUS, HOUR

pytestmark = pytest.mark.anyio

MIB = 1 << 20
TIMEOUT = 0.4
LARGE = bytes(range(256)) * (4096 * 24)
"""24 MiB: more than the sockets between two ends hold."""

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@define
class Slow:
    """A server that takes its time.

    Args:
        pause: Seconds before each read of a body.
        piece: Bytes of a read.
        stops_after: Bytes of a body after which it reads no more, None if it reads all.
        silent_for: Seconds between a body and its answer.
    """

    pause: float = 0.0
    piece: int = 256 << 10
    stops_after: float = float("inf")
    silent_for: float = 0.0
    attempts: int = 0
    digests: list[str] = field(factory=list)
    _read: int = 0

    async def serve(self, reader: Reader, writer: Writer) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.attempts += 1
                self._read, digest = 0, hashlib.sha256()
                async for chunk in self._body(reader, head.lower()):
                    digest.update(chunk)
                self.digests.append(digest.hexdigest())
                await anyio.sleep(self.silent_for)
                writer.write(OK)
        except (OSError, asyncio.IncompleteReadError):
            pass

    async def _body(self, reader: Reader, head: bytes) -> AsyncIterator[bytes]:
        if b"content-length:" in head:
            async for piece in self._pieces(reader, int(head.split(b"content-length:")[1].split(b"\r\n")[0])):
                yield piece
            return
        while size := int(await reader.readline(), 16):
            async for piece in self._pieces(reader, size):
                yield piece
            await reader.readline()
        await reader.readline()

    async def _pieces(self, reader: Reader, size: int) -> AsyncIterator[bytes]:
        while size:
            if self._read >= self.stops_after:
                await anyio.sleep_forever()
            await anyio.sleep(self.pause)
            piece = await reader.readexactly(min(self.piece, size))
            self._read += len(piece)
            size -= len(piece)
            yield piece


@asynccontextmanager
async def listening(
    serve: Callable[[Reader, Writer], Awaitable[None]], context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: Reader, writer: Writer) -> None:
        tasks.add(task := asyncio.current_task())  # type: ignore[arg-type]  # this runs in one
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            pass  # at the end of the test; asyncio would log it
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context, limit=1 << 16)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def client_with(timeout: float = TIMEOUT, attempts: int = 2, **options: Any) -> AsyncIterator[KognicIOClient]:
    async with serving() as server:
        options = {"auth_host": server.url, "host": server.url, "write_workspace_id": "mine"} | options
        client = KognicIOClient(
            auth=("id", "secret"),
            timeout=timeout,
            max_retry_attempts=attempts,
            max_retry_wait_time=0.001,
            **options,
        )
        async with client:
            yield client


def image(data: Any) -> Image:
    return Image(filename="a.jpg", file_data=FileData(format="jpg", data=data))


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(LARGE), MIB):
        yield LARGE[start : start + MIB]


BODIES: dict[str, Callable[[], Any]] = {"bytes": lambda: LARGE, "stream": lambda: BytesIO(LARGE), "generator": pieces}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("scheme", "form", "stops_after"),
    [*((("http", form, 3 * MIB)) for form in BODIES), ("http", "bytes", 0), *(("https", form, MIB) for form in BODIES)],
)
async def test_a_store_that_stops_reading(form: str, stops_after: int, scheme: str, certificates: Certificates) -> None:
    """An upload to a store that stops reading is out of time, and repeated."""
    slow = Slow(stops_after=stops_after)
    context = certificates.server("127.0.0.1") if scheme == "https" else None
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve, context) as port, client_with(ssl=certificates.client()) as client:
            with pytest.raises(TimedOutError, match="timed out waiting for the response to PUT"):
                await put(
                    backend_of(client).storage,
                    f"{scheme}://127.0.0.1:{port}/a?X-Signature=secret",
                    image(BODIES[form]()),
                )
    assert slow.attempts == 2
    assert slow.digests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_api_that_stops_reading(scheme: str, certificates: Certificates) -> None:
    """A large request to an API that stops reading is out of time, and is sent once, as it creates something."""
    slow = Slow(stops_after=MIB)
    annotation = {"openlabel": {"objects": {"1": {"name": "x" * len(LARGE)}}}}
    context = certificates.server("127.0.0.1") if scheme == "https" else None
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve, context) as port:
            host = f"{scheme}://127.0.0.1:{port}"
            async with client_with(host=host, ssl=certificates.client()) as client:
                with pytest.raises(TimedOutError, match="timed out waiting for the response to POST"):
                    await backend_of(client).api.command("v1/pre-annotations", json=annotation)
    assert slow.attempts == 1


@pytest.mark.parametrize(("scheme", "form"), [*(("http", form) for form in BODIES), ("https", "bytes")])
async def test_a_store_that_reads_slowly(form: str, scheme: str, certificates: Certificates) -> None:
    """An upload may take many times the timeout, as long as the store goes on reading."""
    slow = Slow(pause=0.015)  # 1.5 s altogether
    context = certificates.server("127.0.0.1") if scheme == "https" else None
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve, context) as port, client_with(ssl=certificates.client()) as client:
            await put(backend_of(client).storage, f"{scheme}://127.0.0.1:{port}/a", image(BODIES[form]()))
    assert slow.digests == [hashlib.sha256(LARGE).hexdigest()]
    assert slow.attempts == 1


async def test_what_kernels_still_hold() -> None:
    """What was handed over may still be read for many times the timeout: the kernels of both ends hold megabytes."""
    slow = Slow(pause=0.05, piece=128 << 10)
    content = LARGE[: 12 * MIB]  # 5 s, and 2 s after the last byte has been acknowledged
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve) as port, client_with() as client:
            await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(content))
    assert slow.digests == [hashlib.sha256(content).hexdigest()]
    assert slow.attempts == 1


async def test_a_store_that_never_answers() -> None:
    """A store that has read everything and says nothing is out of time as well."""
    slow = Slow(silent_for=HOUR)
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve) as port, client_with() as client:
            with pytest.raises(TimedOutError, match="timed out waiting for the response to PUT"):
                await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(LARGE))
    assert slow.digests == [hashlib.sha256(LARGE).hexdigest()] * 2


async def test_a_source_that_is_slow() -> None:
    """The time that a source takes is its own: the store is not at fault."""

    async def source() -> AsyncIterator[bytes]:
        for start in range(0, 4 * MIB, MIB):
            await anyio.sleep(2 * TIMEOUT)
            yield LARGE[start : start + MIB]

    slow = Slow()
    with anyio.fail_after(GENEROUS):
        async with listening(slow.serve) as port, client_with() as client:
            await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(source()))
    assert slow.digests == [hashlib.sha256(LARGE[: 4 * MIB]).hexdigest()]


async def test_a_slow_source_of_a_store_that_stopped() -> None:
    """A store that stopped reading is noticed also if the source pauses between its chunks."""

    async def source() -> AsyncIterator[bytes]:
        async for chunk in pieces():
            await anyio.sleep(0.01)
            yield chunk

    with anyio.fail_after(GENEROUS):
        async with listening(Slow(stops_after=MIB).serve) as port, client_with() as client:
            with pytest.raises(TimedOutError):
                await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(source()))


async def test_nothing_is_left_of_a_stalled_upload() -> None:
    """A stalled upload is reset: the store gets no more of it, and no socket goes on trying."""
    is_gone = anyio.Event()

    async def stop(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await anyio.sleep(4 * TIMEOUT)
        with pytest.raises(ConnectionResetError):
            while await reader.read(MIB):
                pass
        is_gone.set()

    with anyio.fail_after(GENEROUS):
        async with listening(stop) as port, client_with(attempts=1) as client:
            with pytest.raises(TimedOutError):
                await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(LARGE))
            await is_gone.wait()


@pytest.mark.parametrize("session", ["own", "the caller's"])
async def test_closing_while_a_store_does_not_read(session: str) -> None:
    """A client that closes while an upload stalls has closed soon, and the upload ends with an error."""
    slow = Slow(stops_after=3 * MIB)
    with anyio.fail_after(GENEROUS):
        async with aiohttp.ClientSession() as theirs, listening(slow.serve) as port, AsyncExitStack() as stack:
            given: dict[str, Any] = {} if session == "own" else {"session": theirs}
            client = await stack.enter_async_context(client_with(**given))
            upload = asyncio.create_task(put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(LARGE)))
            while not slow._read:
                await anyio.sleep(0.01)
            await client.aclose()
            with pytest.raises(KognicError):
                await upload


async def test_a_cancelled_upload_is_reset() -> None:
    """Nothing goes on being sent of an upload that was cancelled."""
    has_begun, is_gone = anyio.Event(), anyio.Event()

    async def stop(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        has_begun.set()
        await anyio.sleep(TIMEOUT)
        with pytest.raises(ConnectionResetError):
            while await reader.read(MIB):
                pass
        is_gone.set()

    with anyio.fail_after(GENEROUS):
        async with listening(stop) as port, client_with(timeout=HOUR) as client, anyio.create_task_group() as group:
            group.start_soon(put, backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(LARGE))
            await has_begun.wait()
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await is_gone.wait()


async def test_connections_are_used_again() -> None:
    """The watch over an upload leaves its connection as it was: the next one uses it, also after the timeout."""
    connections = 0
    slow = Slow()

    async def serve(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        await slow.serve(reader, writer)

    with anyio.fail_after(GENEROUS):
        async with listening(serve) as port, client_with() as client:
            for size in (10, MIB, len(LARGE), 10):
                await put(backend_of(client).storage, f"http://127.0.0.1:{port}/a", image(LARGE[:size]))
                await anyio.sleep(1.5 * TIMEOUT)
    assert (connections, len(slow.digests)) == (1, 4)


async def test_a_proxy_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that says nothing to CONNECT is no connection in time."""
    asked = 0

    async def silent(reader: Reader, writer: Writer) -> None:
        nonlocal asked
        asked += (await reader.readuntil(b"\r\n\r\n")).startswith(b"CONNECT")
        await reader.read()

    with anyio.fail_after(GENEROUS):
        async with listening(silent) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with client_with() as client:
                with pytest.raises(ConnectError, match=f"in time for PUT .* through the proxy http://127.0.0.1:{port}"):
                    await put(backend_of(client).storage, "https://storage.invalid/a", image(b"image"))
    assert asked == 2


async def test_a_proxy_that_stops_reading(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that stops reading an upload is out of time, as a store is."""
    slow = Slow(stops_after=MIB)

    async def proxy(reader: Reader, writer: Writer) -> None:
        """The proxy, and the store behind it."""
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"CONNECT storage.invalid:443 ")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.start_tls(certificates.server("storage.invalid"))
        await slow.serve(reader, writer)

    with anyio.fail_after(GENEROUS):
        async with listening(proxy) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            async with client_with(ssl=certificates.client()) as client:
                with pytest.raises(TimedOutError, match=f"through the proxy http://127.0.0.1:{port}"):
                    await put(backend_of(client).storage, "https://storage.invalid/a", image(LARGE))
    assert slow.attempts == 2
