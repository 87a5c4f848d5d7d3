"""A session of the caller's own: what it says to servers by itself is for the platform, not for storage."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from attrs import define

from kognic_aio import FileData, KognicIOClient
from kognic_aio._http.protocol import MAX_ANSWER
from kognic_aio._secret import Secret
from kognic_aio.client import backend_of
from kognic_aio.errors import ClosedError, InvalidError, TooLargeError, TooManyRequestsError
from kognic_aio.model import Image
from tests.http.attacks import PROJECT
from tests.scripted import Server, serving
from tests.uploads import put
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

IMAGE = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"image"))
MINE = "only-for-the-platform"


@define
class Stage:
    """A server that is platform and storage, and a client of it that has a session of the caller's."""

    server: Server
    client: KognicIOClient
    session: aiohttp.ClientSession

    async def sent(self) -> tuple[Sequence[dict[str, str]], Sequence[dict[str, str]]]:
        """The headers of requests to APIs, and to storage."""
        await self.client.project.get_projects()
        await put(backend_of(self.client).storage, f"{self.server.url}/storage/a?X-Signature=secret", IMAGE)
        await backend_of(self.client).storage.get_json(Secret(f"{self.server.url}/storage/b?X-Signature=secret"))
        requests = self.server.requests
        to_storage = [headers for _, path, _, headers in requests if path.startswith("/storage/")]
        return [headers for _, path, _, headers in requests if not path.startswith("/storage/")], to_storage


def answer(request: web.BaseRequest) -> web.Response:
    return web.json_response({} if request.path.startswith("/storage/") else {"data": [PROJECT], "metadata": {}})


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    with anyio.fail_after(GENEROUS):
        async with serving() as server, aiohttp.ClientSession(**options) as session:
            server.always = answer
            client = KognicIOClient(
                auth=("id", "secret"),
                env=server.url,
                write_workspace_id="mine",
                session=session,
                max_retry_attempts=1,
                timeout=GENEROUS,
            )
            async with client:
                yield Stage(server, client, session)


async def note(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware that signs requests."""
    request.headers["X-Signed-By"] = MINE
    return await send(request)


OPTIONS: dict[str, Any] = {
    "a header": lambda: {"headers": {"X-Api-Key": MINE}},
    "several headers": lambda: {"headers": [("X-Api-Key", MINE), ("x-api-key", MINE), ("X-Other", MINE)]},
    "a header of proxies": lambda: {"headers": {"Proxy-Authorization": MINE}},
    "a cookie": lambda: {"cookies": {"key": MINE}, "cookie_jar": aiohttp.CookieJar(unsafe=True)},
    "a cookie as a header": lambda: {"headers": {"Cookie": f"key={MINE}"}},
    "a middleware": lambda: {"middlewares": [note]},
}


@pytest.mark.parametrize("name", OPTIONS)
async def test_what_a_session_says_by_itself(name: str) -> None:
    """The platform hears it, and storage does not."""
    async with stage(**OPTIONS[name]()) as set_up:
        to_apis, to_storage = await set_up.sent()
    assert to_apis
    assert all(MINE in str(headers) for headers in to_apis)
    assert len(to_storage) == 2
    assert MINE not in str(to_storage)


async def test_our_own_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What we say ourselves is not taken from anybody, whatever the session says of it."""
    async with stage(headers={"user-agent": MINE, "ACCEPT": MINE, "content-type": MINE}) as set_up:
        to_apis, to_storage = await set_up.sent()
    assert MINE not in str([headers["User-Agent"] for headers in [*to_apis, *to_storage]])
    assert [headers.get("Content-Type") for headers in to_storage] == ["image/jpeg", None]


async def test_passwords_of_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that reads .netrc sends nothing of it to storage, and our tokens go before it at APIs."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login me password {MINE}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with stage(trust_env=True) as set_up:
        to_apis, to_storage = await set_up.sent()
    assert [headers["Authorization"] for headers in to_apis] == ["Bearer the-token"]
    assert all("Authorization" not in headers for headers in to_storage)


async def test_a_user_in_a_signed_url() -> None:
    """A user and a password in a signed URL are not sent, and not told."""
    async with stage() as set_up:
        url = set_up.server.url.replace("http://", f"http://me:{MINE}@")
        await put(backend_of(set_up.client).storage, f"{url}/storage/a", IMAGE)
        assert "Authorization" not in set_up.server.requests[-1][3]
        set_up.server.always = lambda _: web.Response(status=403)
        with pytest.raises(Exception, match="403") as caught:
            await put(backend_of(set_up.client).storage, f"{url}/storage/a", IMAGE)
    assert MINE not in f"{caught.value} {vars(caught.value)}"


async def test_cookies_of_storage() -> None:
    """A cookie of the storage is not sent to it again."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with stage(cookie_jar=jar) as set_up:
        set_up.server.always = lambda _: web.Response(headers={"Set-Cookie": f"key={MINE}"}, body=b"{}")
        for _ in range(2):
            await put(backend_of(set_up.client).storage, f"{set_up.server.url}/storage/a", IMAGE)
    assert MINE not in str(set_up.server.requests)


@pytest.mark.parametrize("auto_decompress", [True, False])
async def test_a_session_that_unpacks_by_itself(auto_decompress: bool) -> None:
    """We unpack what comes, whatever the session would do."""
    packed = gzip.compress(b'{"data": []}')
    async with stage(auto_decompress=auto_decompress) as set_up:
        set_up.server.always = lambda _: web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        assert await set_up.client.project.get_projects() == []
        assert await backend_of(set_up.client).storage.get_json(Secret(f"{set_up.server.url}/storage/a")) == {
            "data": []
        }


async def test_compressed_bytes_that_stand_for_less() -> None:
    """A response is no longer than it may be before it is unpacked either, should that make it shorter."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # gzip
    start = packer.compress(b"[") + packer.flush(zlib.Z_SYNC_FLUSH)
    space = 20_000 * b"\0\0\0\xff\xff" + b"\0\1\0\xfe\xff "  # empty blocks, and one of a space
    sent = 0

    async def much(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await response.prepare(request)
        await response.write(start)
        while sent < 2 * MAX_ANSWER:
            await response.write(space)
            sent += len(space)
        return response

    async with stage() as set_up:
        set_up.server.streaming = much
        with pytest.raises(TooLargeError, match="more than"):
            await set_up.client.project.get_projects()
    assert sent < 2 * MAX_ANSWER


async def test_a_client_that_is_closed_before_its_turn() -> None:
    """A request that waits for its turn when the client closes is not sent, though the session stays open."""
    sent: list[str] = []

    def refuse(request: web.BaseRequest) -> web.StreamResponse:
        sent.append(request.path)
        return web.json_response({}, status=429, headers={"Retry-After": "60"})

    async with stage() as set_up:
        set_up.server.always = refuse
        with pytest.raises(TooManyRequestsError):
            await set_up.client.project.create_batch("project", "first")
        waiting = asyncio.create_task(set_up.client.project.create_batch("project", "second"))
        await anyio.sleep(0.1)
        await set_up.client.aclose()
        with pytest.raises(ClosedError, match="the client is not open"):
            await waiting
    assert [path for path in sent if path.endswith("second")] == []


async def test_a_session_with_a_base_url() -> None:
    """A session's base URL does not lead our requests astray."""
    async with stage(base_url="http://nobody.invalid/") as set_up:
        to_apis, to_storage = await set_up.sent()
    assert len([*to_apis, *to_storage]) == 3


async def test_a_session_that_is_closed_meanwhile() -> None:
    """Who closes a session that is in use is told so, in the requests that are on their way and in later ones."""
    async with stage() as set_up:
        asked = anyio.Event()

        async def never(_: web.BaseRequest) -> web.StreamResponse:
            asked.set()
            await anyio.sleep_forever()
            raise AssertionError

        set_up.server.streaming = never
        asking = asyncio.create_task(set_up.client.project.get_projects())
        with anyio.fail_after(GENEROUS):
            await asked.wait()
        await set_up.session.close()
        for call in (
            asking,
            set_up.client.project.get_projects(),
            put(backend_of(set_up.client).storage, "http://[::1]:1/", IMAGE),
        ):
            with pytest.raises(ClosedError, match="session"):
                await call


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_session_with_an_authorization() -> None:
    """One that would be sent with everything is refused."""
    for options in ({"headers": {"authorization": MINE}}, {"auth": aiohttp.BasicAuth("me", MINE)}):
        with pytest.raises(InvalidError, match="Authorization"):
            async with stage(**options):
                pass
