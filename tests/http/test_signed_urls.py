"""Files and contents go where the rule of hosts lets them: over https, or to this machine if the platform is there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from aiohttp import web

from kognic_aio import FileData, KognicIOClient
from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio.client import backend_of
from kognic_aio.config import Retry, is_this_machine
from kognic_aio.errors import ConnectError, MalformedAnswerError, ProxyError
from kognic_aio.model import Image
from tests.certificates import Certificates
from tests.scripted import client_of, serving
from tests.uploads import put
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

IMAGE = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"image"))

HERE = [
    "127.0.0.1",
    "127.9.9.9",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "localhost",
    "LocalHost.",
    "api.localhost",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::1%25lo]",
    "[0:0:0:0:0:0:0:1]",
    "127.0.0.1.",
    "2130706433.",
    "LOCALHOST",
    "a.b.localhost",
    "localhost6",
    "ip6-localhost",
    "localhost.localdomain",
    "\uff11\uff12\uff17.0.0.1",  # full-width digits
    "127\u30020\u30020\uff0e1",  # ideographic and full-width dots
    "\uff10\uff587f.1",
]
ELSEWHERE = [
    "10.0.0.1",
    "192.0.2.1",
    "storage.googleapis.com",
    "localhost.example.com",
    "127.example.com",
    "[2001:db8::1]",
    "169.254.169.254",
    "[fe80::1%25lo]",
    "minio.localdomain",
    "localhosts",
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of these tests names no proxies."""
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def port() -> Iterator[int]:
    """Of a service of this machine that must not be reached: nobody accepts there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def storage_of(client: KognicIOClient, *, is_local: bool) -> Storage:
    return Storage(client._transport, Retry(attempts=1), lambda: is_local)


async def refusals(storage: Storage, url: str, why: str) -> list[str]:
    """See that nothing is sent to a URL, nor asked of it; what the errors say."""
    told: list[str] = []
    for attempt in (put(storage, url, IMAGE), storage.get_json(Secret(url))):
        with pytest.raises(MalformedAnswerError, match=why) as caught:
            await attempt
        told.append(str(caught.value))
    return told


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HERE)
async def test_this_machine_is_not_for_others(host: str, scheme: str, port: int) -> None:
    """A platform elsewhere cannot aim uploads and downloads at services of this machine."""
    url = f"{scheme}://{host}:{port}/bucket/a?X-Signature=secret"
    async with serving() as server, client_of(server) as client:
        for told in await refusals(storage_of(client, is_local=False), url, "leads to this machine"):
            assert "secret" not in told


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("is_local", [True, False])
async def test_nothing_goes_out_in_clear(host: str, is_local: bool) -> None:
    """No file goes to another machine in clear, wherever the platform is."""
    url = f"http://{host}/bucket/a?X-Signature=secret"
    async with serving() as server, client_of(server) as client:
        for told in await refusals(storage_of(client, is_local=is_local), url, "plain http"):
            assert "secret" not in told


NO_URLS = {
    "a space": "/a b",
    "an end of a line": "/a\r\nX-Evil: 1",
    "an end of a line in the query": "/a?b=\nHost: evil",
    "a tab": "/a\tb",
    "half a surrogate": "/\udcff",
    "a zero": "/\0",
    "a no-break space": "/a\xa0b",
    "too long a path": "/" + "a" * 20_000,
    "too long a query": "/?" + "a=b&" * 5_000,
}


@pytest.mark.parametrize("name", NO_URLS)
async def test_what_is_no_url(name: str) -> None:
    """What would break a request's first line, or is longer than any server takes, is not sent."""
    async with serving() as server, client_of(server) as client:
        url = server.url + NO_URLS[name]
        for told in await refusals(storage_of(client, is_local=True), url, "returned an invalid signed URL"):
            assert len(told) < 1000
    assert server.requests == []


async def test_a_long_name_of_a_host() -> None:
    """An error shows a part of a URL, however long it is."""
    async with serving() as server, client_of(server) as client:
        with pytest.raises(ConnectError) as caught:
            await put(storage_of(client, is_local=False), f"https://{'a.' * 5000}invalid/", IMAGE)
    assert len(f"{caught.value} {vars(caught.value)}") < 2000


async def test_https_elsewhere() -> None:
    """Over https files go where the platform says: here it is tried, and nobody is there."""
    async with serving() as server, client_of(server) as client:
        with pytest.raises(ConnectError):
            await put(storage_of(client, is_local=False), "https://nobody.invalid/a?X-Signature=secret", IMAGE)


async def test_this_machine_for_an_emulator() -> None:
    """A platform on this machine has its storage there."""
    async with serving() as server, client_of(server) as client:
        server.always = lambda request: web.Response()
        assert await put(storage_of(client, is_local=True), f"{server.url}/bucket/a?X-Signature=secret", IMAGE) == 5
        assert client.hosts.is_local


def resolve(name: str, *addresses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a name lead to addresses, as a name server may at any time."""
    ask = socket.getaddrinfo

    def answer(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if str(host).lower() != name:
            return ask(host, port, *arguments, **options)
        return [info for address in addresses for info in ask(address, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@asynccontextmanager
async def service(certificates: Certificates) -> AsyncIterator[tuple[int, list[str]]]:
    """A service of this machine, with a certificate of a store: its port, and the paths that it is asked for."""
    paths: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\nimage")
            paths.append(head.split()[1].decode())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificates.server("store.example"))
    async with server:
        yield server.sockets[0].getsockname()[1], paths


def client_at(name: str, port: int, certificates: Certificates, timeout: float = GENEROUS) -> KognicIOClient:
    """A client whose input API is at a name."""
    return KognicIOClient(
        auth=("id", "secret"),
        host=f"https://{name}:{port}",
        write_workspace_id="mine",
        ssl=certificates.client(),
        max_retry_attempts=1,
        timeout=timeout,
    )


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("127.9.9.9", "::1"), ("0.0.0.0",), ("::ffff:127.0.0.1",)])
async def test_a_name_that_leads_here(
    addresses: tuple[str, ...], certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform elsewhere cannot reach services of this machine by a name that leads here either."""
    resolve("store.example", *addresses, monkeypatch=monkeypatch)
    with anyio.fail_after(GENEROUS):
        async with service(certificates) as (port, paths), client_at("platform.example", port, certificates) as client:
            with pytest.raises(ConnectError, match="unknown name: it resolves only to addresses of this machine"):
                await put(backend_of(client).storage, f"https://Store.example:{port}/a?X-Signature=secret", IMAGE)
    assert paths == []


async def test_a_name_that_leads_here_too(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the addresses of a name those of this machine are left out."""
    resolve("store.example", "127.0.0.1", "192.0.2.1", monkeypatch=monkeypatch)
    with anyio.fail_after(GENEROUS):
        async with (
            service(certificates) as (port, paths),
            client_at("platform.example", port, certificates, 0.2) as client,
        ):
            with pytest.raises(ConnectError):
                await put(backend_of(client).storage, f"https://store.example:{port}/a?X-Signature=secret", IMAGE)
    assert paths == []


async def test_a_name_that_the_user_has_given(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that was given by a name that leads here, as of a container, has its storage there too."""
    resolve("store.example", "127.0.0.1", monkeypatch=monkeypatch)
    with anyio.fail_after(GENEROUS):
        async with service(certificates) as (port, paths), client_at("STORE.example", port, certificates) as client:
            await put(backend_of(client).storage, f"https://store.example:{port}/a?X-Signature=secret", IMAGE)
    assert paths == ["/a?X-Signature=secret"]


async def test_a_proxy_whose_name_leads_here(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment may be on this machine, by whatever name."""
    resolve("proxy.example", "127.0.0.1", monkeypatch=monkeypatch)
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    with anyio.fail_after(GENEROUS):
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
            monkeypatch.setenv("https_proxy", f"proxy.example:{proxy.sockets[0].getsockname()[1]}")
            async with client_at("platform.example", 443, certificates) as client:
                with pytest.raises(ProxyError, match="403"):
                    await put(backend_of(client).storage, "https://store.example/a", IMAGE)
    assert asked == [b"CONNECT store.example:443 HTTP/1.1\r\n"]


@pytest.mark.parametrize("host", [*ELSEWHERE, "b\u00fccher.example", "a\x00b", "a..b", "\udc80", ""])
def test_other_machines(host: str) -> None:
    """Names that only look like this machine are others."""
    assert not is_this_machine(host.strip("[]"))
