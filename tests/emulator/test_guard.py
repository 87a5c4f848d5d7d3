"""Who is answered: requests for the emulator itself, and from no page of another origin."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET, Emulator, Platform

from .raw import Raw, ask
from .support import Caller

pytestmark = pytest.mark.anyio

PROXY = "gateway.test"
REBOUND = "evil.test:{port}"

OWN = [
    "127.0.0.1:{port}",
    "localhost:{port}",
    "LocalHost:{port}",
    "localhost.:{port}",
    "[::1]:{port}",
    "[0:0::1]:{port}",
]
FOREIGN = [
    "",
    "evil.test",
    REBOUND,
    "localhost",
    "localhost:1",
    "127.0.0.1",
    "127.0.0.2:{port}",
    "[::2]:{port}",
    "127.1:{port}",
    "localhost.evil.test:{port}",
    "localhost:{port}.evil.test",
    "evil.test@localhost:{port}",
    "localhost..:{port}",
    "localhost:{port} evil.test",
    "localhost:{port},evil.test",
    "localhost:\u0663{port}",
    "localhost:0{port}",
    "::1:{port}",
    "0.0.0.0:{port}",
    "x" * 300,
]
ENDPOINTS = [
    ("GET", "/emulator/report"),
    ("POST", "/v1/auth/oauth/token"),
    ("GET", "/v1/projects"),
    ("POST", "/v1/inputs/initialize"),
    ("PUT", "/storage/a/b/c?X-Expires=1&X-Signature=2"),
    ("GET", "/storage/a/b/c"),
    ("GET", "/nowhere"),
    ("OPTIONS", "/v1/projects"),
]


@pytest.mark.parametrize("host", OWN)
async def test_its_own_hosts(emulator: Emulator, host: str) -> None:
    """It serves each name of this machine's loopback, however it is written."""
    answer = await ask(emulator, Raw(host=host))
    assert answer.status == 200


@pytest.mark.parametrize("host", FOREIGN)
async def test_other_hosts(emulator: Emulator, host: str) -> None:
    """Another name, another port or what is no host is refused, with the hosts that are and how to allow one."""
    answer = await ask(emulator, Raw(host=host))
    assert answer.status in (400, 421)
    if answer.status == 421:
        message = json.loads(answer.body)["message"]
        port = emulator.url.rpartition(":")[2]
        assert f"only the hosts 127.0.0.1:{port}, localhost:{port}, [::1]:{port}" in message
        assert "Emulator(allowed_hosts=" in message
        assert "--allow-host" in message


@pytest.mark.parametrize("lines", [[], ["Host: localhost:{port}", "Host: evil.test"]])
async def test_not_one_host(emulator: Emulator, lines: list[str]) -> None:
    """Without a Host, or with two, it is not known for whom a request is."""
    answer = await ask(emulator, Raw(host=None, headers=lines))
    assert answer.status in (400, 421)


@pytest.mark.parametrize(("method", "target"), ENDPOINTS)
async def test_every_endpoint(emulator: Emulator, platform: Platform, method: str, target: str) -> None:
    """Nothing is recorded or done for another host or origin, whichever endpoint it is for."""
    headers = ["Content-Type: application/x-www-form-urlencoded"]
    body = f"grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}".encode()
    request = Raw(method, target, host=REBOUND, headers=headers, body=body)
    assert (await ask(emulator, request)).status == 421
    request = Raw(method, target, headers=[*headers, "Origin: http://evil.test"], body=body)
    assert (await ask(emulator, request)).status == 403
    assert emulator.recorder.requests() == []
    assert platform.accounts.tokens_issued == 0
    assert not emulator.recorder.requests_by_endpoint


async def test_an_answer_before_the_body(emulator: Emulator) -> None:
    """A request for another host is refused at once, though its body never comes."""
    request = Raw("PUT", "/storage/a/b/c", host=REBOUND, headers=["Content-Length: 1000000000000"], body=b"x")
    assert (await ask(emulator, request)).status == 421


@pytest.mark.parametrize(
    "header",
    [
        "Origin: http://evil.test",
        "Origin: null",
        "Origin: ",
        "Origin: http://localhost:1",
        "Origin: http://localhost",
        "Origin: http://127.0.0.1:{port}.evil.test",
        "Origin: http://127.0.0.1:{port}/",
        "Origin: file://127.0.0.1:{port}",
        "Origin: 127.0.0.1:{port}",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ],
)
async def test_other_origins(emulator: Emulator, header: str) -> None:
    """What a page of another origin sends is refused."""
    answer = await ask(emulator, Raw(headers=[header]))
    assert (answer.status, b"pages of another origin" in answer.body) == (403, True)


@pytest.mark.parametrize(
    "header",
    [
        "Origin: http://127.0.0.1:{port}",
        "Origin: http://localhost:{port}",
        "Sec-Fetch-Site: none",
        "Sec-Fetch-Site: same-origin",
    ],
)
async def test_its_own_origin(emulator: Emulator, header: str) -> None:
    """What a page of its own sends, or people ask for themselves, is answered."""
    assert (await ask(emulator, Raw(headers=[header]))).status == 200


async def test_preflight(emulator: Emulator) -> None:
    """No page of another origin is told that it may send anything."""
    headers = ["Origin: http://evil.test", "Access-Control-Request-Method: POST"]
    answer = await ask(emulator, Raw("OPTIONS", "/v1/auth/oauth/token", headers=headers))
    assert answer.status == 403
    assert b"access-control" not in answer.head.lower()


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ("emulator", "emulator", 200),
        ("emulator", "EMULATOR.:9000", 200),
        ("emulator", "emulator.evil.test", 421),
        ("emulator:9000", "emulator:9000", 200),
        ("emulator:9000", "emulator:9001", 421),
        ("my_service.internal", "my_service.internal:80", 200),
        ("10.0.0.7", "10.0.0.7:1234", 200),
        ("[fd00::7]", "[fd00:0::7]", 200),
        ("localhost", "localhost:9000", 200),
    ],
)
async def test_allowed_hosts(platform: Platform, allowed: str, host: str, status: int) -> None:
    """It answers to what it was told of, at any port unless it was told one."""
    async with Emulator(platform=platform, allowed_hosts=[allowed]) as emulator:
        assert (await ask(emulator, Raw(host=host))).status == status


async def test_an_allowed_host_is_one_origin(platform: Platform) -> None:
    """A page of an allowed host at another port is of another origin."""
    async with Emulator(platform=platform, allowed_hosts=["localhost"]) as emulator:
        own = Raw(host="localhost:9000", headers=["Origin: https://localhost:9000"])
        assert (await ask(emulator, own)).status == 200
        other = Raw(host="localhost:9000", headers=["Origin: http://localhost:3000"])
        assert (await ask(emulator, other)).status == 403


async def test_all_addresses(platform: Platform) -> None:
    """On all addresses it answers to the one at which it was reached, and to no name that it was not told of."""
    async with Emulator(platform=platform, host="0.0.0.0") as emulator:
        assert (await ask(emulator, Raw(), at="127.0.0.2")).status == 200
        assert (await ask(emulator, Raw(host="127.0.0.2:{port}"), at="127.0.0.2")).status == 200
        assert (await ask(emulator, Raw(host="127.0.0.2:{port}"))).status == 421
        assert (await ask(emulator, Raw(host="machine:{port}"))).status == 421


@pytest.fixture
async def proxy(emulator: Emulator) -> AsyncIterator[str]:
    """A proxy in front of the emulator that passes on the Host with which it was asked for."""
    async with aiohttp.ClientSession() as session:

        async def forward(request: web.BaseRequest) -> web.Response:
            url = f"{emulator.url}{request.rel_url}"
            headers = {**request.headers, "Host": PROXY}
            async with session.request(request.method, url, data=await request.read(), headers=headers) as answer:
                return web.Response(body=await answer.read(), status=answer.status, content_type=answer.content_type)

        server = web.Server(forward)
        listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        listener.close()
        await server.shutdown(0.1)


@pytest.mark.parametrize(("emulator", "status"), [((PROXY,), 200), ((), 421)], indirect=["emulator"])
async def test_behind_a_proxy(caller: Caller, proxy: str, status: int) -> None:
    """A proxy that passes on its own name gets through if the emulator was told of it."""
    assert (await caller.request("GET", f"{proxy}/v1/projects", headers=caller.headers)).status == status


@pytest.fixture
async def emulator(platform: Platform, request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    async with Emulator(platform=platform, allowed_hosts=getattr(request, "param", ())) as running:
        yield running
