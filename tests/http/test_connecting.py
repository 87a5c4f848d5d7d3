"""What keeps a connection from being made: certificates, handshakes, proxies, hosts that are not there."""

import asyncio
import base64
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import pytest
from attrs import define, field

from kognic_aio import FileData, KognicIOClient
from kognic_aio.client import backend_of
from kognic_aio.emulator import Emulator
from kognic_aio.errors import (
    CertificateError,
    ConnectError,
    InvalidError,
    KognicError,
    ProxyConnectError,
    ProxyError,
    StorageError,
)
from kognic_aio.model import Image
from tests.certificates import Certificates
from tests.quick import SPEED, quick
from tests.scripted import serving
from tests.uploads import put
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CONTENT = b"an image" * 1000
ALERT = bytes.fromhex("15030300020250")
"""The alert `internal_error` of TLS, as a whole record."""

PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of these tests names no proxies."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)


def status_line(line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def image() -> Image:
    return Image(filename="a.jpg", file_data=FileData(format="jpg", data=CONTENT))


@asynccontextmanager
async def client_with(**options: Any) -> AsyncIterator[KognicIOClient]:
    """An open client that needs nobody but an auth server."""
    async with serving() as server:
        given: dict[str, Any] = {
            "auth_host": server.url,
            "host": server.url,  # stores are on this machine only if the API is
            "max_retry_attempts": 4,
            "max_retry_wait_time": 0.001,
            "timeout": GENEROUS,
        } | options
        async with KognicIOClient(auth=("id", "secret"), write_workspace_id="mine", **given) as client:
            yield client


@define
class Store:
    """A store behind TLS, whose first connections get other bytes instead of a handshake.

    Args:
        context: Its certificate.
        instead: What the first connections get; None ends one.
        status: What it answers.
        heads: What it was asked.
    """

    context: ssl.SSLContext | None
    instead: list[bytes | None] = field(factory=list)
    status: str = "200 OK"
    heads: list[str] = field(factory=list)
    stored: list[str] = field(factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.instead:
                await reader.read(1)
                writer.write(self.instead.pop(0) or b"")
                return
            if self.context is not None:
                await writer.start_tls(self.context)
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            self.stored.append(hashlib.sha256(await reader.readexactly(len(CONTENT))).hexdigest())
            writer.write(status_line(self.status))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def at(handler: Handler) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


HANDSHAKES = {
    "an alert": (ALERT, "no TLS connection for PUT .*alert internal error"),
    "plain HTTP": (PLAIN, "no TLS connection for PUT .* the server may speak plain HTTP"),
    "garbage": (b"\x00" * 100, "no TLS connection for PUT"),
    "the end": (None, "no connection for PUT .*: the other end closed it"),
}


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_a_handshake_that_fails_once(name: str, certificates: Certificates) -> None:
    """A handshake that fails may succeed the next time: nothing has been sent yet."""
    store = Store(certificates.server("127.0.0.1"), [HANDSHAKES[name][0]] * 2)
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as port, client_with(ssl=certificates.client()) as client:
            await put(backend_of(client).storage, f"https://127.0.0.1:{port}/a", image())
    assert store.stored == [hashlib.sha256(CONTENT).hexdigest()]
    assert store.connections == 3


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_handshakes_that_always_fail(name: str, certificates: Certificates) -> None:
    """In the end the error says what came instead of a handshake."""
    instead, told = HANDSHAKES[name]
    store = Store(None, [instead] * 9)
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as port, client_with(ssl=certificates.client()) as client:
            with pytest.raises(ConnectError, match=told) as caught:
                await put(backend_of(client).storage, f"https://127.0.0.1:{port}/a", image())
    assert not isinstance(caught.value, CertificateError)
    assert store.connections == 4


@pytest.mark.parametrize(
    ("name", "trusts", "is_expired", "told"),
    [
        ("127.0.0.1", False, False, "is not trusted: unable to get"),
        ("127.0.0.1", True, True, "is not trusted: certificate has expired"),
        ("elsewhere.example", True, False, "is not trusted: IP address mismatch"),
    ],
    ids=["unknown authority", "expired", "of another host"],
)
async def test_a_certificate_that_is_not_trusted(
    name: str, trusts: bool, is_expired: bool, told: str, certificates: Certificates
) -> None:
    """A certificate that cannot be trusted stays so: it is looked at once, and the error says what is wrong with it."""
    store = Store(certificates.server(name, is_expired=is_expired))
    context = certificates.client() if trusts else ssl.create_default_context()
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as port, client_with(ssl=context) as client:
            with pytest.raises(CertificateError, match=f"the certificate of 127.0.0.1 {told}"):
                await put(backend_of(client).storage, f"https://127.0.0.1:{port}/a", image())
    assert (store.connections, store.stored) == (1, [])


@define
class Proxy:
    """A proxy that opens a tunnel to one port, wherever to it is asked for one, or refuses.

    Args:
        port: Where it leads to.
        answers: What it says to the first requests instead.
        heads: What it was asked.
    """

    port: int = 0
    answers: list[bytes] = field(factory=list)
    heads: list[str] = field(factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode())
            if self.answers:
                writer.write(self.answers.pop(0))
                return
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await asyncio.gather(_pump(reader, to_writer), _pump(to_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    @property
    def logins(self) -> set[str]:
        """What came in Proxy-Authorization."""
        lines = [line for head in self.heads for line in head.split("\r\n")]
        found = [line.split()[-1] for line in lines if line.lower().startswith("proxy-authorization: basic ")]
        return {base64.b64decode(login).decode() for login in found}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


LOGINS = {
    "me:secret": "me:secret",
    "CORP\\me:secret": "CORP\\me:secret",
    "CORP%5Cme:secret": "CORP\\me:secret",
    "me:p@ss:50%off%": "me:p@ss:50%off%",
    "me%40corp:p%40ss%3A100%25": "me@corp:p@ss:100%",
    "me:a/b?c#d": "me:a/b?c#d",
    "mé:pässword": "mé:pässword",
    "me": "me:",
}


@pytest.mark.parametrize("login", LOGINS)
async def test_logins_of_proxies(login: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy gets the user and the password that the environment has for it, and the storage behind it does not."""
    store, proxy = Store(certificates.server("storage.invalid")), Proxy()
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as proxy.port, at(proxy.serve) as port:
            monkeypatch.setenv("https_proxy", f"http://{login}@127.0.0.1:{port}")
            async with client_with(ssl=certificates.client()) as client:
                await put(backend_of(client).storage, "https://storage.invalid/a", image())
    assert store.stored == [hashlib.sha256(CONTENT).hexdigest()]
    assert proxy.logins == {LOGINS[login]}
    assert [head.lower().count("proxy-") for head in store.heads] == [0]


@pytest.mark.parametrize(
    ("variables", "is_used"),
    [
        ({"https_proxy": "127.0.0.1:{port}"}, True),
        ({"https_proxy": " http://127.0.0.1:{port}/ "}, True),
        ({"https_proxy": "HTTP://localhost:{port}"}, True),
        ({"HTTPS_PROXY": "127.0.0.1:{port}"}, True),
        ({"all_proxy": "127.0.0.1:{port}"}, True),
        ({"https_proxy": "127.0.0.1:{port}", "all_proxy": "127.0.0.1:1"}, True),
        ({"http_proxy": "127.0.0.1:{port}"}, False),
        ({"https_proxy": "127.0.0.1:{port}", "HTTPS_PROXY": "127.0.0.1:1"}, True),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "elsewhere.invalid, example.com"}, True),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "invalid"}, False),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "a.example,.invalid"}, False),
        ({"https_proxy": "127.0.0.1:{port}", "NO_PROXY": "*.invalid"}, False),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "storage.invalid:443"}, False),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "storage.invalid:444"}, True),
        ({"https_proxy": "127.0.0.1:{port}", "no_proxy": "*"}, False),
    ],
    ids=str,
)
async def test_which_proxy_is_used(
    variables: dict[str, str], is_used: bool, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies are read as curl reads them: `http://` is assumed, small letters win, `no_proxy` has domains."""
    store, proxy = Store(certificates.server("storage.invalid")), Proxy()
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as proxy.port, at(proxy.serve) as port:
            for name, value in variables.items():
                monkeypatch.setenv(name, value.format(port=port))
            async with client_with(max_retry_attempts=1, ssl=certificates.client()) as client:
                if is_used:
                    await put(backend_of(client).storage, "https://storage.invalid/a", image())
                else:
                    with pytest.raises(ConnectError, match="unknown name"):
                        await put(backend_of(client).storage, "https://storage.invalid/a", image())
    assert len(store.stored) == len(proxy.heads) == is_used


@pytest.mark.parametrize("networks", ["10.0.0.0/8", "10.1.2.3", "fd00::/8,10.1.0.0/16"])
async def test_networks_without_a_proxy(networks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`no_proxy` may have addresses and networks."""
    proxy = Proxy(answers=[PLAIN] * 9)
    with anyio.fail_after(GENEROUS):
        async with at(proxy.serve) as port:
            monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
            monkeypatch.setenv("no_proxy", networks)
            async with client_with(max_retry_attempts=1, timeout=0.2) as client:
                with pytest.raises(KognicError):
                    await put(backend_of(client).storage, "https://10.1.2.3/a", image())
                with pytest.raises(KognicError):
                    await put(backend_of(client).storage, "https://11.1.2.3/a", image())
    assert [head.split()[1] for head in proxy.heads] == ["11.1.2.3:443"]


async def test_a_proxy_at_an_ipv6_address(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may be at an IPv6 address, with or without a scheme."""
    store, proxy = Store(certificates.server("storage.invalid")), Proxy()
    server = await asyncio.start_server(proxy.serve, "::1", 0)
    with anyio.fail_after(GENEROUS):
        async with server, at(store.serve) as proxy.port:
            port = server.sockets[0].getsockname()[1]
            for value in (f"[::1]:{port}", f"http://me:secret@[::1]:{port}"):
                monkeypatch.setenv("https_proxy", value)
                async with client_with(ssl=certificates.client()) as client:
                    await put(backend_of(client).storage, "https://storage.invalid/a", image())
    assert len(store.stored) == 2
    assert proxy.logins == {"me:secret"}


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("socks5://me:s3cret@proxy.corp:1080", "socks5://proxy.corp:1080 is not a supported kind of proxy"),
        ("SOCKS4://proxy.corp", "socks4://proxy.corp is not a supported kind of proxy"),
        ("ftp://me:s3cret@proxy.corp", "ftp://proxy.corp is not a supported kind of proxy"),
        ("http://me:s3cret@proxy.corp:port", "http://proxy.corp is not the URL of a proxy"),
        ("me:s3cret", "http://me is not the URL of a proxy"),
        ("proxy.corp:99999", "http://proxy.corp:99999 is not the URL of a proxy"),
        ("http://", "http:// is not the URL of a proxy"),
    ],
)
async def test_a_proxy_that_cannot_be_used(
    name: str, value: str, shown: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one error when the client opens, which names the proxy without its password. `trust_env` avoids it."""
    monkeypatch.setenv(name, value)
    with anyio.fail_after(GENEROUS):
        with pytest.raises(InvalidError, match=f"{name.lower()}: {shown}; use http://") as caught:
            await KognicIOClient(**emulator.client_options()).open()
        assert "s3cret" not in str(caught.value) + repr(caught.value)
        async with KognicIOClient(**emulator.client_options(), trust_env=False) as client:
            assert await client.project.get_projects()


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
@pytest.mark.parametrize("value", ["socks5://proxy.corp:1080", "http://proxy.corp:port", "127.0.0.1:1"])
async def test_a_proxy_for_plain_http(
    name: str, value: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not matter what proxy there is for plain http, which does not leave this machine."""
    monkeypatch.setenv(name, value)
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**emulator.client_options()) as client:
            assert await client.project.get_projects()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "0.0.0.0", "[::1]", "0x7f.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_this_machine_without_a_proxy(host: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is reached without a proxy, however it is written: for a proxy it would be another one."""
    proxy = Proxy(answers=[PLAIN] * 9)
    with anyio.fail_after(GENEROUS):
        async with at(proxy.serve) as port:
            for name in ("http_proxy", "https_proxy", "all_proxy"):
                monkeypatch.setenv(name, f"127.0.0.1:{port}")
            async with client_with(max_retry_attempts=1) as client:
                with pytest.raises(ConnectError) as caught:
                    await put(backend_of(client).storage, f"{scheme}://{host}:1/a", image())
    assert "proxy" not in str(caught.value)
    assert proxy.heads == []


CHECK = "check the proxy, which the environment names in `https_proxy`"
LONG_HEADER = b"HTTP/1.1 200 OK\r\nVia: " + b"s3cret" * 2000 + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "error", "told", "tries"),
    [
        (
            status_line("407 No"),
            ProxyError,
            r"the proxy requires valid credentials \(407\); check the user and password in `https_proxy`",
            1,
        ),
        (status_line("403 No"), ProxyError, "the proxy responded to CONNECT with 403", 1),
        (status_line("502 No"), ConnectError, f"the proxy responded to CONNECT with 502; {CHECK}", 4),
        (status_line("429 No"), ConnectError, "the proxy responded to CONNECT with 429", 4),
        (
            b"220 ftp s3cret ready\r\n\r\n",
            ProxyConnectError,
            f"the proxy's response to CONNECT is not valid HTTP .*; {CHECK}",
            4,
        ),
        (LONG_HEADER, ProxyConnectError, f"the proxy's response to CONNECT has too long a header .*; {CHECK}", 4),
        (b"", ProxyConnectError, f"the other end closed it .*; {CHECK}", 4),
    ],
    ids=["407", "403", "502", "429", "no HTTP", "a long header", "nothing"],
)
async def test_a_proxy_that_leads_nowhere(
    answer: bytes, error: type[KognicError], told: str, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the proxy without its password. What would stay as it is is asked once: some lock users out."""
    proxy = Proxy(answers=[answer] * 9)
    with anyio.fail_after(GENEROUS):
        async with at(proxy.serve) as port:
            monkeypatch.setenv("https_proxy", f"http://me:s3cret@127.0.0.1:{port}")
            async with client_with() as client:
                with pytest.raises(error, match=told) as caught:
                    await put(backend_of(client).storage, "https://storage.invalid/a?X-Signature=s3cret", image())
    assert f"PUT https://storage.invalid/a through the proxy http://127.0.0.1:{port}: " in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert len(proxy.heads) == tries


async def test_a_407_out_of_a_tunnel(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 407 that comes through the tunnel is the storage's own answer, and no refusal of the proxy."""
    store, proxy = Store(certificates.server("storage.invalid"), status="407 No"), Proxy()
    with anyio.fail_after(GENEROUS):
        async with at(store.serve) as proxy.port, at(proxy.serve) as port:
            monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
            async with client_with(ssl=certificates.client()) as client:
                with pytest.raises(StorageError, match="407") as caught:
                    await put(backend_of(client).storage, "https://storage.invalid/a", image())
    assert caught.value.status == 407
    assert len(proxy.heads) == 1


async def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that it is the proxy that nobody listens at."""
    monkeypatch.setenv("https_proxy", "http://me:s3cret@127.0.0.1:1")
    with anyio.fail_after(GENEROUS):
        async with client_with() as client:
            with pytest.raises(
                ConnectError, match=r"no connection to the proxy for PUT .* http://127\.0\.0\.1:1: Connect"
            ):
                await put(backend_of(client).storage, "https://storage.invalid/a", image())


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_proxy_behind_tls(
    is_trusted: bool, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy may be spoken to over TLS; if its certificate is not trusted, the error says whose it is."""
    store, proxy = Store(certificates.server("storage.invalid")), Proxy()
    context = certificates.server("127.0.0.1" if is_trusted else "elsewhere.example")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
    with anyio.fail_after(GENEROUS):
        async with server, at(store.serve) as proxy.port:
            monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with client_with(ssl=certificates.client()) as client:
                if is_trusted:
                    await put(backend_of(client).storage, "https://storage.invalid/a", image())
                else:
                    with pytest.raises(CertificateError, match=r"the certificate of 127\.0\.0\.1 is not trusted"):
                        await put(backend_of(client).storage, "https://storage.invalid/a", image())
    assert len(store.stored) == is_trusted


ARGUMENTS: dict[str, Callable[[KognicIOClient], Awaitable[object]]] = {
    "host": lambda client: client.project.get_projects(),
    "workspace_api_host": lambda client: client.workspace.get_workspaces(),
    "auth_host": lambda client: client.project.get_projects(),
}
APIS = (
    "host",
    "order_execution_api_host",
    "annotation_integration_api_host",
    "workspace_api_host",
    "project_management_api_host",
    "auth_host",
)
NOWHERE = {"refused": "https://127.0.0.1:1", "unknown": "https://input.app.kognik.invalid"}


def pauses(caplog: pytest.LogCaptureFixture) -> float:
    """The pauses before further attempts together, in seconds."""
    told = [record.args for record in caplog.records if record.msg.startswith("trying again in ")]
    return sum(seconds for seconds, _ in told)  # type: ignore[misc]


@contextmanager
def given_up(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See that a host is given up within 5 s: so long are the pauses at most, and on a busy machine there are fewer."""
    with anyio.fail_after(GENEROUS * SPEED), caplog.at_level(logging.INFO, "kognic_aio"):
        yield
    assert pauses(caplog) <= 5


@quick
@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("kind", NOWHERE)
async def test_a_typing_error_in_a_host(argument: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A host that has never answered is given up within 5 s, with default patience; the error says what to look at."""
    url = NOWHERE[kind]
    async with serving() as server:
        hosts: dict[str, Any] = {"auth_host": server.url, "host": server.url, "workspace_api_host": server.url} | {
            argument: url
        }
        client = KognicIOClient(auth=("id", "secret"), write_workspace_id="mine", **hosts)
        told = f"{url} has never responded; check the setting `{argument}`"
        with given_up(caplog):
            async with client:
                with pytest.raises(ConnectError, match=told) as caught:
                    await ARGUMENTS[argument](client)
    assert f"{url}/v1/" in str(caught.value)


HOW_IT_IS_WRITTEN = ["HTTPS://127.0.0.1:1", "https://X.invalid", "https://x.invalid:443", "https://bücher.invalid"]


@quick
@pytest.mark.parametrize("url", [*HOW_IT_IS_WRITTEN, "http://LOCALHOST:1", "http://localhost:1//"])
async def test_a_typing_error_however_it_is_written(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """An auth server is given up within 5 s, in whatever form its URL is written."""
    client = KognicIOClient(auth=("id", "secret"), auth_host=url)
    with given_up(caplog), pytest.raises(ConnectError, match="check the setting `auth_host`"):
        await client.open()


WAYS_OF_A_PROXY: dict[str, tuple[bytes | None, str]] = {
    "not there": (None, "no connection to the proxy"),
    "closes": (b"", "no connection to the proxy"),
    "no HTTP": (b"220 ftp ready\r\n\r\n", "is not valid HTTP"),
}


@quick
@pytest.mark.parametrize("way", WAYS_OF_A_PROXY)
@pytest.mark.parametrize("variable", ["https_proxy", "all_proxy"])
async def test_a_typing_error_in_a_proxy(
    way: str, variable: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that gives no answer is given up within 5 s too, and the error says where it is named, not the host."""
    answer, told = WAYS_OF_A_PROXY[way]
    proxy = Proxy(answers=[answer or b""] * 99)
    async with at(proxy.serve) as port:
        monkeypatch.setenv(variable, f"127.0.0.1:{1 if answer is None else port}")
        client = KognicIOClient(auth=("id", "secret"))
        with given_up(caplog), pytest.raises(ProxyConnectError, match=f"{told}.*in `{variable}`$") as caught:
            await client.open()
    assert "auth_host" not in str(caught.value)


@quick
async def test_a_typing_error_when_a_client_opens(caplog: pytest.LogCaptureFixture) -> None:
    """Opening a client fails as soon, if it needs the host."""
    async with serving() as server:
        client = KognicIOClient(auth=("id", "secret"), auth_host=server.url, workspace_api_host="https://127.0.0.1:1")
        with given_up(caplog), pytest.raises(ConnectError, match="setting `workspace_api_host`"):
            await client.open()


@quick
async def test_one_host_for_everything(caplog: pytest.LogCaptureFixture) -> None:
    """The error names all arguments that give the host."""
    hosts: dict[str, Any] = dict.fromkeys(("host", "auth_host", "workspace_api_host"), "http://127.0.0.1:1/")
    client = KognicIOClient(auth=("id", "secret"), **hosts)
    with given_up(caplog), pytest.raises(ConnectError, match="`host` and `workspace_api_host` and `auth_host`"):
        await client.open()


@quick
async def test_a_host_that_was_there(caplog: pytest.LogCaptureFixture) -> None:
    """A host that has answered once is waited for as long as any: a service sees its platform restart."""
    async with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        options = emulator.client_options() | {"max_retry_wait_time": 8.0}
        async with KognicIOClient(**options) as client:
            assert await client.project.get_projects()
            await emulator.stop()
            with anyio.fail_after(GENEROUS * SPEED), caplog.at_level(logging.INFO, "kognic_aio"):
                asking = asyncio.ensure_future(client.project.get_projects())
                while pauses(caplog) <= 5 and not asking.done():
                    await anyio.sleep(0.1)
                async with Emulator(port=port):
                    assert await asking


async def test_a_storage_that_is_not_there() -> None:
    """A storage is the platform's choice, and no typing error: it is waited for, and the error blames no argument."""
    with anyio.fail_after(GENEROUS):
        async with client_with() as client:
            with pytest.raises(ConnectError, match=r"no connection for PUT http://127\.0\.0\.1:1/a") as caught:
                await put(backend_of(client).storage, "http://127.0.0.1:1/a", image())
    assert "setting" not in str(caught.value)


@pytest.mark.parametrize("argument", APIS)
@pytest.mark.parametrize("suffix", ["/v1", "/v1/", "/a/b", "?a=b", "#top", "/?", "/#"])
def test_a_host_with_a_path(argument: str, suffix: str) -> None:
    """A host is a scheme, a name and a port: anything beyond is refused, and the error says what to give."""
    hosts: dict[str, Any] = {argument: f"https://platform.example:444{suffix}"}
    with pytest.raises(InvalidError, match=f"^{argument}: .*: pass 'https://platform.example:444', not"):
        KognicIOClient(**hosts)


@pytest.mark.parametrize(
    "host", ["https://platform.example/", "https://platform.example//", "HTTPS://Platform.example"]
)
def test_a_host_with_a_slash(host: str) -> None:
    """A slash at the end of a host is fine, and so are capital letters."""
    KognicIOClient(host=host)


@pytest.mark.parametrize(
    "host",
    ["https://a:port", "https://a:99999", "https://a\\v1", "https:// a", "https://a\n", "https:a", "a", "", 5],
)
def test_a_host_that_is_none(host: Any) -> None:
    """What is no URL is refused when the client is made."""
    with pytest.raises(InvalidError, match=r"^host: "):
        KognicIOClient(host=host)


@pytest.mark.parametrize("argument", APIS)
@pytest.mark.parametrize("name", ["x..com", ".x", "a" * 300, f"{'a' * 64}.com", "bü..com"])
def test_a_host_that_no_name_can_be(argument: str, name: str) -> None:
    """A name that cannot be looked up is refused when the client is made."""
    hosts: dict[str, Any] = {argument: f"https://{name}"}
    with pytest.raises(InvalidError, match=f"^{argument}: "):
        KognicIOClient(**hosts)
