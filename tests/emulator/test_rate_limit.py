"""The limit of requests per second."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kognic_aio.emulator import Emulator, Platform, RateLimit

from .support import Caller, Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def emulator(platform: Platform) -> AsyncIterator[Emulator]:
    async with Emulator(platform=platform, rate_limit=2) as running:
        yield running


async def statuses(caller: Caller, count: int) -> list[int]:
    return [(await caller.get("v1/projects")).status for _ in range(count)]


async def test_bucket(caller: Caller, clock: Clock) -> None:
    """Requests beyond those of a second are refused until the bucket has filled again, and never more than full."""
    assert await statuses(caller, 4) == [200, 200, 429, 429]
    clock.advance(0.5)
    assert await statuses(caller, 2) == [200, 429]
    clock.advance(1000)
    assert await statuses(caller, 3) == [200, 200, 429]


async def test_no_effect(caller: Caller, platform: Platform) -> None:
    """A request that is refused has changed nothing."""
    await statuses(caller, 2)
    answer = await caller.post("v1/projects/project-a/batches/new", {"publishPreviousBatches": False})
    assert (answer.status, answer.message) == (429, "more than 2 requests per second")
    assert "new" not in platform.projects.project("project-a").batches


async def test_other_hosts(caller: Caller) -> None:
    """Tokens and signed URLs are not limited: they are of other hosts."""
    url = (await caller.create()).data["files"]["0.jpg"]
    assert await statuses(caller, 1) == [429]
    assert (await caller.put(url)).status == 200
    assert (await caller.token()).status == 200


async def test_retry_after(caller: Caller, emulator: Emulator, platform: Platform) -> None:
    """The refusal tells when to come again if it is to."""
    for tells in (False, True):
        platform.rate_limit = RateLimit(0.25, retry_after=tells)
        await statuses(caller, 1)
        async with caller.session.get(f"{emulator.url}/v1/projects", headers=caller.headers) as answer:
            assert (answer.status, answer.headers.get("Retry-After")) == (429, "4" if tells else None)


async def test_it_may_change(caller: Caller, platform: Platform) -> None:
    """The limit may be lifted and set again while the emulator runs; what was refused stays counted."""
    assert await statuses(caller, 3) == [200, 200, 429]
    platform.rate_limit = None
    assert await statuses(caller, 10) == [200] * 10
    platform.rate_limit = RateLimit(1, burst=5)
    assert await statuses(caller, 6) == [200] * 5 + [429]
    assert (await caller.get("emulator/report")).json["rate_limited"] == 2


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0)])
async def test_no_limit_at_all(per_second: float, burst: float) -> None:
    """A limit that would let nothing pass is an error."""
    with pytest.raises(ValueError, match="must be"):
        RateLimit(per_second, burst=burst)


async def test_without_limit(platform: Platform) -> None:
    """Nothing is limited by default."""
    async with Emulator() as emulator, aiohttp.ClientSession() as session:
        caller = Caller(emulator, session)
        await caller.log_in()
        assert await statuses(caller, 50) == [200] * 50
