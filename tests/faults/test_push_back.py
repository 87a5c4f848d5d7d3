"""A platform that takes 50 requests a second, over a real socket; `tests/http/test_pressure.py` has other servers."""

import time

import pytest

from kognic_aio.emulator import Emulator, RateLimit
from tests.faults.conftest import Row
from tests.faults.ingestion import Ingestion

pytestmark = pytest.mark.anyio

SCENES = 100
RATE = 50
FIRST_SECONDS = 3.0
"""Seconds from the first request on in which the rate is learned."""
LATENCY = 0.005
PATIENCE = 1.0
"""Seconds of the longest pause between two attempts. To learn a rate takes a second or two, and 23 attempts with pauses
of 50 ms may all fall into them."""


@pytest.mark.parametrize("retry_after", [False, True], ids=["plain", "retry-after"])
async def test_fifty_requests_a_second(retry_after: bool, table: list[Row]) -> None:
    """Nothing fails, and after the first seconds fewer than one request in twenty is refused."""
    limit = RateLimit(RATE, retry_after=retry_after)
    ingestion = Ingestion(SCENES)
    async with Emulator(api_latency=LATENCY, storage_latency=LATENCY, rate_limit=limit) as emulator:
        began = time.monotonic()
        results = await ingestion.run(emulator, max_retry_wait_time=PATIENCE)
        seconds = time.monotonic() - began
    ingestion.check(emulator.platform, results)
    requests = [request for request in emulator.recorder.requests() if "Authorization" in request.headers]
    taken = [request for request in requests if request.status != 429]
    learned = min(request.started for request in requests) + FIRST_SECONDS
    later = [request.status == 429 for request in requests if request.started > learned]
    demanded = (len(taken) - limit.burst) / RATE
    table.append(
        {
            "Retry-After": "1" if retry_after else "none",
            "requests": len(requests),
            "refused": len(requests) - len(taken),
            "of those later": f"{sum(later) / len(later):.1%}",
            "seconds": f"{seconds:.1f}",
            "times what the rate demands": f"{seconds / demanded:.2f}",
        }
    )
    assert sum(later) < 0.05 * len(later)
