"""Several processes that share a platform with a limit on requests: simulated in virtual time.

Each process has the throttle and the retries of kognic_aio. None knows of the others.
"""

import asyncio
import random
import selectors
from contextlib import suppress

from attrs import define, field, frozen

from kognic_aio._http.retry import WRITE, Attempts
from kognic_aio._http.throttle import Throttle
from kognic_aio.config import API_RETRY_ATTEMPTS, Retry
from kognic_aio.emulator import RateLimit
from kognic_aio.errors import TooManyRequestsError, UnavailableError

SETTLING = 5.0
"""Seconds in which each process finds out what the platform accepts. Only later requests count."""

SECONDS = 30.0
"""Seconds that are simulated after that."""

LATENCY = 0.05
"""Seconds until the platform responds, on average."""

AT_ONCE = 32
"""Requests that each process would send at once, if none were refused."""


@frozen
class Share:
    """What processes get of the requests per second that a platform accepts.

    Args:
        granted: The share of them that they get together.
        refused: The share of their requests that is refused.
    """

    granted: float
    refused: float


def share(processes: int, accepted: float) -> Share:
    """Simulate processes that share a platform, which accepts so many requests per second."""
    random.seed(processes)
    with asyncio.Runner(loop_factory=_VirtualTime) as runner:
        return runner.run(_simulate(processes, accepted))


class _VirtualTime(asyncio.SelectorEventLoop):
    """An event loop that does not wait: when there is nothing to do, it sets its clock to the next timer."""

    def __init__(self) -> None:
        super().__init__(_Skipping(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: _VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += max(0.0, timeout or 0.0)
        return super().select(0)


def _now() -> float:
    return asyncio.get_running_loop().time()


@define
class _Platform:
    """A platform that counts what it grants and refuses. Requests of one second may come at once."""

    limit: RateLimit
    granted: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)

    async def respond(self) -> bool:
        """Respond to a request. Return whether it is granted."""
        await asyncio.sleep(LATENCY * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
        is_granted = not self.limit.take(_now())
        if _now() > SETTLING:
            self.granted += is_granted
            self.refused += not is_granted
        await asyncio.sleep(LATENCY * random.uniform(0.0, 0.5))  # noqa: S311
        return is_granted


@frozen
class _Process:
    """A process that sends requests as fast as it may."""

    platform: _Platform
    throttle: Throttle = field(factory=lambda: Throttle("platform", _now))

    async def work(self) -> None:
        """Send one request after another."""
        while True:
            attempts = Attempts(WRITE, Retry(attempts=API_RETRY_ATTEMPTS), self.throttle)
            with suppress(TooManyRequestsError, UnavailableError):  # after all retries
                await attempts.until_success(self._send)

    async def _send(self) -> None:
        started = await self.throttle.start_in_turn()
        try:
            if not await self.platform.respond():
                self.throttle.pushed_back(started)
                raise TooManyRequestsError("refused", status=429, method="POST", url="platform")
            self.throttle.succeeded(started)
        finally:
            self.throttle.end()


async def _simulate(processes: int, accepted: float) -> Share:
    platform = _Platform(RateLimit(accepted))
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLING + SECONDS), asyncio.TaskGroup() as tasks:
            for _ in range(processes):
                process = _Process(platform)
                for _ in range(AT_ONCE):
                    tasks.create_task(process.work())
    return Share(
        granted=platform.granted / accepted / SECONDS,
        refused=platform.refused / max(1, platform.granted + platform.refused),
    )
