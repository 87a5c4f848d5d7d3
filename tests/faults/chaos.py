"""A platform in a process of its own, where now and then something goes wrong with everything."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.child import child, give_answer, take_order
from benchmarks.server import Server
from kognic_aio.emulator import Emulator, faults

LATENCY = 0.002
SLOW = 3.0

CHAOS: tuple[tuple[faults.RequestFault, str, float], ...] = (
    (faults.Status(429), faults.APIS, 0.002),
    (faults.Status(503, retry_after=1), faults.EVERYTHING, 0.0002),
    (faults.Status(500), faults.APIS, 0.01),
    (faults.Status(500, after_effect=True), faults.APIS, 0.01),
    (faults.Html(), faults.APIS, 0.005),
    (faults.Html(502, after_effect=True), faults.APIS, 0.005),
    (faults.Drop(), faults.EVERYTHING, 0.01),
    (faults.Drop(after_effect=True), faults.EVERYTHING, 0.01),
    (faults.ResetRequest(), faults.UPLOADS, 0.01),
    (faults.ResetAnswer(), faults.EVERYTHING, 0.005),
    (faults.TruncatedJson(), faults.APIS, 0.005),
    (faults.SlowAnswer(SLOW), faults.EVERYTHING, 0.0005),
    (faults.CorruptUpload(), faults.UPLOADS, 0.01),
    (faults.ExpiredUrl(), faults.UPLOADS, 0.00005),  # a scene whose URLs expire a second time has failed, as it should
    (faults.RevokeTokens(), faults.APIS, 0.0005),
)
"""What goes wrong, with which requests, and how likely."""


@contextmanager
def platform(seed: int) -> Iterator[Server]:
    """One that ends with the context."""
    with child(__name__, seed) as running:
        yield Server(running.pid, running.answer)


async def serve(seed: int) -> None:
    """In the child: be that platform until the parent is gone."""
    async with Emulator(api_latency=LATENCY, storage_latency=LATENCY, processing_time=0.2, keep_requests=0) as running:
        for number, (fault, on, probability) in enumerate(CHAOS):
            running.faults.add(fault, on=on, probability=probability, seed=seed + number)
        give_answer(running.client_options())
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(take_order()))
