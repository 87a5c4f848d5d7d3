"""What anybody can send does not fill the memory, and what is configured oddly answers as well."""

import math
import subprocess
import sys

import aiohttp
import pytest

from kognic_aio.emulator import ANNOTATION_ID, CLIENT_ID, CLIENT_SECRET, Emulator, Platform, RateLimit
from kognic_aio.emulator.recorder import MAX_KEPT
from kognic_aio.emulator.state.accounts import MAX_TOKENS
from tests.cost import MEGABYTES, SECONDS

from .flood import FLOODS
from .raw import Raw, ask
from .support import Caller

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood(kind: str) -> None:
    """Whatever is sent, with a token or without, memory has a bound and so has the work for an answer."""
    command = [sys.executable, "-m", "tests.emulator.flood", kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    memory, seconds = map(float, done.stdout.split())
    assert memory < MEGABYTES
    assert seconds < SECONDS


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


@pytest.mark.parametrize("lifetime", [math.inf, 1e300, 10**30, -math.inf])
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
