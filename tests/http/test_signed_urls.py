"""Files and contents go where the rule of hosts lets them: over https, or to this machine if the platform is there."""

import socket
from collections.abc import Iterator

import pytest
from aiohttp import web

from kognic_aio import FileData, KognicIOClient
from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio.errors import ConnectError, MalformedAnswerError
from kognic_aio.limits import Retry, is_this_machine
from kognic_aio.model import Image
from tests.scripted import client_of, serving
from tests.uploads import put

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
]
ELSEWHERE = [
    "10.0.0.1",
    "192.0.2.1",
    "storage.googleapis.com",
    "localhost.example.com",
    "127.example.com",
    "[2001:db8::1]",
]


@pytest.fixture
def port() -> Iterator[int]:
    """Of a service of this machine that must not be reached: nobody accepts there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def storage_of(client: KognicIOClient, *, is_local: bool) -> Storage:
    return Storage(client._transport, Retry(attempts=1), lambda: is_local)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HERE)
async def test_this_machine_is_not_for_others(host: str, scheme: str, port: int) -> None:
    """A platform elsewhere cannot aim uploads and downloads at services of this machine."""
    url = f"{scheme}://{host}:{port}/bucket/a?X-Signature=secret"
    async with serving() as server, client_of(server) as client:
        storage = storage_of(client, is_local=False)
        for attempt in (put(storage, url, IMAGE), storage.get_json(Secret(url))):
            with pytest.raises(MalformedAnswerError, match="of this machine") as caught:
                await attempt
            assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("is_local", [True, False])
async def test_nothing_goes_out_in_clear(host: str, is_local: bool) -> None:
    """No file goes to another machine in clear, wherever the platform is."""
    url = f"http://{host}/bucket/a?X-Signature=secret"
    async with serving() as server, client_of(server) as client:
        storage = storage_of(client, is_local=is_local)
        for attempt in (put(storage, url, IMAGE), storage.get_json(Secret(url))):
            with pytest.raises(MalformedAnswerError, match="plain http") as caught:
                await attempt
            assert "secret" not in str(caught.value)


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


@pytest.mark.parametrize("host", ELSEWHERE)
def test_other_machines(host: str) -> None:
    """Names that only look like this machine are others."""
    assert not is_this_machine(host.strip("[]"))
