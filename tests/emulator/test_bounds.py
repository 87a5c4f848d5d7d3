"""What anybody can send does not fill the memory, and what is configured oddly answers as well."""

import asyncio
import math
import subprocess
import sys

import aiohttp
import pytest

from kognic_aio.emulator import ANNOTATION_ID, CLIENT_ID, CLIENT_SECRET, Emulator, Platform, RateLimit
from kognic_aio.emulator.recorder import MAX_KEPT
from kognic_aio.emulator.state.accounts import MAX_TOKENS

from .raw import Raw, ask
from .support import Caller

pytestmark = pytest.mark.anyio

MOST_MEMORY = 300 * 1024  # KiB, as getrusage counts on Linux
FLOOD = """
import asyncio, resource, sys
import aiohttp
from kognic_aio.emulator import Emulator

async def flood():
    async with Emulator() as emulator, aiohttp.ClientSession() as session:
        for index in range({requests}):
            async with session.request({method!r}, emulator.url + {path!r} + str(index), {options}) as answer:
                assert answer.status in (400, 401, 403, 404, 413), answer.status
                await answer.read()
        assert emulator.recorder.requests()

asyncio.run(flood())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units")
@pytest.mark.parametrize(
    ("method", "path", "requests", "options"),
    [
        ("GET", "/v1/projects?", 3_000, "headers={f'X-{n}': 'x' * 8000 for n in range(10)}"),
        ("GET", "/v1/projects?" + "a&" * 3000, 500, ""),
        ("POST", "/v1/auth/oauth/token?", 5_000, "data='x' * 60_000"),
        ("POST", "/v1/auth/oauth/token?", 500, "data={'a': 'x' * 1_000_000}"),
        ("POST", "/v1/inputs?", 50, "data=iter([b'x' * 65536] * 160)"),
        ("PUT", "/storage/a/b/c?", 50, "data=iter([b'x' * 65536] * 160)"),
    ],
    ids=["headers", "queries", "forms", "large forms", "bodies", "files"],
)
async def test_a_flood(method: str, path: str, requests: int, options: str) -> None:
    """Whatever is sent without a token, the memory has a bound."""
    if "iter" in options:
        options = "data=chunks()"
    code = FLOOD.format(method=method, path=path, requests=requests, options=options)
    code = "async def chunks():\n    for _ in range(160):\n        yield b'x' * 65536\n" + code
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < MOST_MEMORY


async def test_what_is_recorded_has_a_bound(emulator: Emulator) -> None:
    """The oldest requests are forgotten when all take too much, and the latest stay."""
    form = b"x" * 65_000
    count = MAX_KEPT // len(form) + 100
    async with aiohttp.ClientSession(emulator.url) as session:
        for _ in range(count):
            async with session.post("/v1/auth/oauth/token", data=form) as answer:
                assert answer.status == 401
    kept = emulator.recorder.requests()
    assert sum(len(request.content) for request in kept) <= MAX_KEPT
    assert MAX_KEPT // len(form) - 100 < len(kept) < count
    assert emulator.recorder.requests_by_endpoint["POST v1/auth/oauth/token"] == count


async def test_tokens_have_a_bound(caller: Caller, platform: Platform) -> None:
    """The oldest token is forgotten when there are too many; the latest is valid."""
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    for _ in range(MAX_TOKENS):
        platform.accounts.grant(form)
    assert (await caller.get("v1/projects")).status == 401
    await caller.log_in()
    assert (await caller.get("v1/projects")).status == 200


@pytest.mark.parametrize("lifetime", [math.inf, 1e300, -math.inf])
async def test_endless_lifetimes(platform: Platform, lifetime: float) -> None:
    """Tokens and URLs that never expire, or always have, can be had."""
    async with Emulator(platform=platform, url_lifetime=lifetime) as emulator, aiohttp.ClientSession() as session:
        caller = Caller(emulator, session)
        await caller.log_in()
        link = (await caller.get(f"v1/annotations/{ANNOTATION_ID}")).data
        assert (await caller.request("GET", link["signedUrl"])).status == (200 if lifetime > 0 else 400)
        platform.timing.token_lifetime = lifetime
        assert (await caller.token()).status == 200


async def test_an_endless_wait(caller: Caller, platform: Platform) -> None:
    """A rate that is next to nothing has a refusal that can be written."""
    platform.rate_limit = RateLimit(5e-324, retry_after=True)
    await caller.get("v1/projects")
    assert (await caller.get("v1/projects")).status == 429


async def test_a_head_that_is_too_large(emulator: Emulator) -> None:
    """A header is refused that is longer than any."""
    answer = await ask(emulator, Raw(headers=["X-Long: " + "x" * 100_000]))
    assert (answer.status, b"cannot be read" in answer.body) == (400, True)
