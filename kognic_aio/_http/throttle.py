"""What all requests to one host share: a rate limiter, a concurrency limit and a circuit breaker."""

import logging
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime
from math import inf
from types import TracebackType
from typing import Self, TypeAlias

import anyio
from yarl import URL

from kognic_aio._http.circuit_breaker import CircuitBreaker
from kognic_aio._http.concurrency_limit import ConcurrencyLimit
from kognic_aio._http.protocol import GATEWAY_TIMED_OUT, RETRYABLE_STATUSES, WITHOUT_EFFECT, Answer, retry_after
from kognic_aio._http.rate_limiter import Clock, RateLimiter
from kognic_aio._threads import is_shortage
from kognic_aio.config import DEFAULT_RETRY_TIME
from kognic_aio.errors import (
    FINAL,
    ConnectError,
    KognicError,
    LostAnswerError,
    ProxyConnectError,
    RequestError,
    TimedOutError,
)

log = logging.getLogger("kognic_aio")

MAX_STORAGES = 1000
"""Hosts of storage that are remembered: the platform may name another one for each file."""

Place: TypeAlias = tuple[bool, str, str | None, int | None]
"""What tells a host from others, however it is written, and an API from storage on it."""


class Turn:
    """The turn of one request: use it around the request, and set `answer`. The throttle learns from how it ends."""

    answer: Answer | None = None

    def __init__(self, throttle: "Throttle") -> None:
        self._throttle = throttle
        self._started = 0.0

    async def __aenter__(self) -> Self:
        self._started = await self._throttle.start_in_turn()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self.answer is not None:
                self._throttle.learn_from_answer(self.answer, self._started)
            elif isinstance(error, RequestError):
                self._throttle.learn_from_error(error, self._started)
        finally:
            self._throttle.end()


class Throttle:
    """Starts the requests to one host when it can be expected to take them.

    Requests start in the order in which they came: only the first in the queue looks at the clock.

    Args:
        name: The host's scheme, name and port.
        settings: The client's settings that name the host, such as `auth_host`; none if the platform names it.
    """

    def __init__(self, name: str, clock: Clock, settings: Iterable[str] = ()) -> None:
        self.name = name
        self._clock = clock
        self._settings = [*settings]
        self._has_answered = False
        self._queue = anyio.Lock()
        self._waiting = 0
        self._change = anyio.Event()
        self._reset()

    def _reset(self) -> None:
        self.rate_limiter = RateLimiter(self._clock)
        self.concurrency_limit = ConcurrencyLimit(self._clock)
        self.circuit_breaker = CircuitBreaker(self.name, self._clock)

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it."""
        return not self.concurrency_limit.in_flight and not self._waiting

    @property
    def is_calm(self) -> bool:
        """Whether requests may start as they like."""
        return self.concurrency_limit.limit == inf and self.rate_limiter.rate == inf

    def turn(self) -> Turn:
        """The turn of one request. Entering it raises an UnavailableError if the host is broken."""
        return Turn(self)

    async def start_in_turn(self) -> float:
        """Start a request as soon as it may, and return when that was."""
        if self.is_calm and not self.circuit_breaker.is_open:
            return self.start()
        self._waiting += 1
        try:
            async with self._queue:
                await self._wait()
                return self.start()
        finally:
            self._waiting -= 1

    async def _wait(self) -> None:
        self.circuit_breaker.check()
        while (seconds := self.delay()) > 0:
            self._change = anyio.Event()
            with anyio.move_on_after(seconds):
                await self._change.wait()
            self.circuit_breaker.check()

    def delay(self) -> float:
        """Seconds until the next request may start; infinite if another one has to end first."""
        seconds = self.rate_limiter.delay()
        return inf if self.concurrency_limit.is_reached else seconds

    def start(self) -> float:
        """Start a request, and return when that was."""
        now = self._clock()
        self.concurrency_limit.in_flight += 1
        self.rate_limiter.started(now)
        self.circuit_breaker.started()
        return now

    def end(self) -> None:
        """A request has ended."""
        self.concurrency_limit.in_flight -= 1
        if self._waiting:
            self._change.set()

    def learn_from_answer(self, answer: Answer, started: float) -> None:
        """Learn from what the host answered to a request that started then."""
        self._has_answered = True
        if answer.status in WITHOUT_EFFECT:
            asked = retry_after(answer.headers, datetime.now(UTC)) or 0.0
            # Whoever is asked for a longer pause gives up; the others are to find out for themselves.
            self.pushed_back(started, asked if asked <= DEFAULT_RETRY_TIME else 0.0, f"status {answer.status}")
        elif answer.status in GATEWAY_TIMED_OUT:
            self.timed_out(started, f"status {answer.status} repeatedly")
        elif answer.status not in RETRYABLE_STATUSES:
            self.succeeded(started)

    def learn_from_error(self, error: RequestError, started: float) -> None:
        """Learn from the error of a request that started then."""
        self._has_answered |= not isinstance(error, ConnectError)
        if isinstance(error, ConnectError | LostAnswerError | TimedOutError) and not isinstance(error, FINAL):
            self.timed_out(started, f"{type(error).__name__} repeatedly")

    def succeeded(self, started: float) -> None:
        """The host has done what a request asked for that started then."""
        self.concurrency_limit.succeeded(started)
        self.rate_limiter.succeeded(started)
        if self.circuit_breaker.succeeded():
            log.info("%s answers again", self.name)

    def pushed_back(self, started: float, asked: float = 0.0, why: str = "") -> bool:
        """The host turned away a request that started then; return whether that halves the concurrency limit.

        Args:
            started: When it started.
            asked: Seconds for which the host asks to be left alone.
            why: What it answered, for the log.
        """
        was_calm = self.is_calm
        self.rate_limiter.pushed_back(started, asked)
        return self._told(self.concurrency_limit.pushed_back(started), why, was_calm=was_calm)

    def timed_out(self, started: float, why: str = "") -> bool:
        """A request that started then timed out or lost its connection; return what `pushed_back` does."""
        was_calm = self.is_calm
        return self._told(self.concurrency_limit.timed_out(started), why, was_calm=was_calm)

    def _told(self, is_less: bool, why: str, *, was_calm: bool) -> bool:
        """Log a push-back that changes something, in one line for all requests. The first one is news."""
        if is_less:
            rate, pause, limit = self.rate_limiter.rate, self.rate_limiter.pause, int(self.concurrency_limit.limit)
            log.log(
                logging.WARNING if was_calm else logging.INFO,
                "%s pushes back (%s): at most %d %s at once%s%s; %d wait",
                self.name,
                why,
                limit,
                "request" if limit == 1 else "requests",
                "" if rate == inf else f", {rate:.3g} a second",
                f", none for {pause:.3g} s" if pause else "",
                self._waiting,
            )
        return is_less

    def gave_up(self, request: Hashable, error: Exception, successes_before: int) -> None:
        """A request has reached the bounds of its retries. Raise an UnavailableError if that makes the host broken."""
        if isinstance(error, KognicError) and self.may_be_mistyped(error) and not isinstance(error, ProxyConnectError):
            settings = " and ".join(f"`{name}`" for name in self._settings)
            error.explain(f"nothing has ever answered at {self.name}; check the setting {settings}")
        if unavailable := self.circuit_breaker.gave_up(request, error, successes_before):
            self._change.set()
            given_up = len(self.circuit_breaker.given_up)
            log.warning("%s is unavailable: %d requests in a row gave up", self.name, given_up)
            raise unavailable from error

    def may_be_mistyped(self, error: Exception) -> bool:
        """Whether there is no connection to a host that a user has named, and never was one.

        The platform chooses its storages: an unreachable one is no typing error, and may come back.
        """
        is_unheard_of = bool(self._settings) and not self._has_answered
        return is_unheard_of and isinstance(error, ConnectError) and not is_shortage(error)

    def close(self) -> None:
        """Let all waiting requests start: they will find the client closed."""
        self._reset()
        self._change.set()


class Throttles:
    """The throttle of each host. APIs and storage have different ones, even on the same machine.

    Args:
        clock: Tells the time.
        base_urls: The base URL of each API, after the name of the setting that gives it.
    """

    def __init__(self, clock: Clock, base_urls: Sequence[tuple[str, str]] = ()) -> None:
        self._clock = clock
        self._named = [(name, _place(URL(url), is_api=True)) for name, url in base_urls]
        self._throttles: dict[Place, Throttle] = {}

    def of(self, url: URL, *, is_api: bool) -> Throttle:
        """The throttle of a URL's host."""
        place = _place(url, is_api=is_api)
        if place not in self._throttles:
            self._make_room()
            settings = dict.fromkeys(name for name, named in self._named if named == place)
            self._throttles[place] = Throttle(str(url.origin()), self._clock, settings)
        return self._throttles[place]

    def _make_room(self) -> None:
        """Forget idle storages if there are many; those in trouble only if all are."""
        if len(self._throttles) < MAX_STORAGES:
            return
        idle = {place: each for place, each in self._throttles.items() if not place[0] and each.is_idle}
        well = [place for place, each in idle.items() if each.is_calm and not each.circuit_breaker.given_up]
        for place in well or idle:
            del self._throttles[place]

    def close(self) -> None:
        """Let all waiting requests start."""
        for throttle in self._throttles.values():
            throttle.close()


def _place(url: URL, *, is_api: bool) -> Place:
    return is_api, url.scheme, url.host, url.port
