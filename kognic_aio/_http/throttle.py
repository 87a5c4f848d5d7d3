"""The throttle of a host, shared by all requests to it: rate limiter, concurrency limit and circuit breaker."""

import asyncio
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from typing import TypeAlias

from yarl import URL

from kognic_aio._event_log import Tell, log_event
from kognic_aio._http.circuit_breaker import CircuitBreaker
from kognic_aio._http.concurrency_limit import ConcurrencyLimit
from kognic_aio._http.protocol import GATEWAY_TIMED_OUT, RETRYABLE_STATUSES, WITHOUT_EFFECT, Answer, retry_after
from kognic_aio._http.rate_limiter import RateLimiter
from kognic_aio._http.tolerance import Clock, Tolerance
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
from kognic_aio.events import LimitsChanged, PushedBack

MAX_STORAGES = 1000
"""Storage hosts that are remembered: the platform may name another one for each file."""

FEW_IN_FLIGHT = 4
"""Requests in flight below which fewer of them cannot be expected to help a host that refuses some."""

MUCH = 2.0
"""Factor from which a change of the concurrency limit is told."""

HostKey: TypeAlias = tuple[bool, str, str | None, int | None]
"""Key of a host, however its URL is written. APIs and storage are separate even on one machine."""


class Throttle:
    """Starts the requests to one host when the host can be expected to accept them, in the order of their arrival.

    Those that give way start when no others wait.

    Whoever calls `start_in_turn` calls `learn_from_answer` or `learn_from_error`, and `end` in any case. `settings` are
    those of the client that name the host, such as `auth_host`; none if the platform names it.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        settings: Iterable[str] = (),
        tell: Tell = log_event,
        *,
        adapts: bool = True,
    ) -> None:
        self.name = name
        self._clock = clock
        self._tell = tell
        self._settings = [*settings]
        self._adapts = adapts
        self._has_responded = False
        self._queue = deque[asyncio.Future[float]]()
        self._giving_way = deque[asyncio.Future[float]]()
        self._timer: asyncio.TimerHandle | None = None
        self._reset()

    def _reset(self) -> None:
        self._tolerance = Tolerance(self._clock)
        self.rate_limiter = RateLimiter(self._clock, self._tolerance)
        self.concurrency_limit = ConcurrencyLimit(self._clock, adapts=self._adapts)
        self._told = self.concurrency_limit.limit
        self.circuit_breaker = CircuitBreaker(self.name, self._clock, self._tell)

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._queue) + len(self._giving_way)

    @property
    def is_idle(self) -> bool:
        """Whether no request is waiting or in flight."""
        return not self.concurrency_limit.in_flight and not self.waiting

    @property
    def is_calm(self) -> bool:
        """Whether the host accepts whatever is sent, as far as is known."""
        return self.concurrency_limit.is_calm and self.rate_limiter.rate == inf

    async def start_in_turn(self, *, gives_way: bool = False) -> float:
        """Start a request as soon as it may start, and return when that was, unless the host is broken."""
        if self.waiting or self.circuit_breaker.is_open or self.delay() > 0:
            return await self._turn(self._giving_way if gives_way else self._queue)
        return self.start()

    async def _turn(self, queue: "deque[asyncio.Future[float]]") -> float:
        """Wait in a queue until the request has been started, and return when that was."""
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._start_waiting()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # it may have left the queue already
                    queue.remove(turn)
            elif turn.exception() is None:  # it was cancelled right after its start
                self.end()
            raise

    def _start_waiting(self) -> None:
        """Start the waiting requests that may start now, and come back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
        while queue := self._queue or self._giving_way:
            error = self.circuit_breaker.refusal()
            if error is None and (seconds := self.delay()) > 0:
                if seconds < inf:
                    self._timer = asyncio.get_running_loop().call_later(seconds, self._start_waiting)
                return
            turn = queue.popleft()
            if turn.done():  # cancelled
                continue
            if error is None:
                turn.set_result(self.start())
            else:
                turn.set_exception(error)

    def delay(self) -> float:
        """Seconds until the next request may start; infinite if another one has to end first."""
        seconds = self.rate_limiter.delay()
        return inf if self.concurrency_limit.is_reached else seconds

    def start(self) -> float:
        """Start a request at once, and return when that was."""
        now = self._clock()
        self.concurrency_limit.started()
        self.rate_limiter.started(now)
        self.circuit_breaker.started()
        return now

    def end(self) -> None:
        """Note the end of a request."""
        self.concurrency_limit.ended()
        self._start_waiting()

    def learn_from_answer(self, answer: Answer, started: float) -> None:
        """Learn from the response to a request, and from when that started."""
        self._has_responded = True
        if answer.status in WITHOUT_EFFECT:
            asked, why = retry_after(answer.headers, datetime.now(UTC)) or 0.0, f"status {answer.status}"
            self._tell(PushedBack(host=self.name, why=why, seconds=asked))
            # A request that is asked for a longer pause fails. The others have to find out for themselves.
            self.pushed_back(started, asked if asked <= DEFAULT_RETRY_TIME else 0.0, why)
        elif answer.status in GATEWAY_TIMED_OUT:
            self.timed_out(started, f"status {answer.status} repeatedly")
        elif answer.status not in RETRYABLE_STATUSES:
            self.succeeded(started, answer.request.kind, answer.source_seconds)

    def learn_from_error(self, error: RequestError, started: float) -> None:
        """Learn from the error of a request, and from when that started."""
        self._has_responded |= not isinstance(error, ConnectError)
        if isinstance(error, ConnectError | LostAnswerError | TimedOutError) and not isinstance(error, FINAL):
            self.timed_out(started, f"{type(error).__name__} repeatedly")

    def succeeded(self, started: float, kind: Hashable = None, source_seconds: float = 0.0) -> None:
        """Note the success of a request of a kind, which waited for its own source for so many seconds."""
        if self.rate_limiter.rate == inf:
            self._tolerance.accepted(self.concurrency_limit.in_flight)
        self.concurrency_limit.succeeded(started, self._clock() - started - source_seconds, kind)
        self.rate_limiter.succeeded(started)
        self.circuit_breaker.succeeded()
        limit = self.concurrency_limit.limit
        if limit != self._told and not self._told / MUCH < limit < self._told * MUCH:
            self._tell_limits()

    def pushed_back(self, started: float, asked: float = 0.0, why: str = "") -> bool:
        """Note that the host refused a request and asks for a pause. Return whether that reduces the concurrency."""
        was_calm = self.is_calm
        if not asked and self._note_refusal():
            return False
        fewer_may_help = self.concurrency_limit.limit >= FEW_IN_FLIGHT
        self.rate_limiter.pushed_back(started, asked, fewer_may_help=fewer_may_help)
        return self._reduce(started, why, was_calm=was_calm)

    def timed_out(self, started: float, why: str = "") -> bool:
        """Note that a request timed out or lost its connection. Return whether that reduces the concurrency limit."""
        was_calm = self.is_calm
        if not self.concurrency_limit.timed_out() or self._note_refusal():
            return False
        return self._reduce(started, why, was_calm=was_calm)

    def _note_refusal(self) -> bool:
        """Note a refusal for the tolerance, and return whether it is tolerated."""
        if self.rate_limiter.rate < inf:  # with paced starts, the requests in flight are no measure of the load
            self._tolerance.forget_loads()
            return False
        is_tolerated = self._tolerance.refused(self.concurrency_limit.in_flight)
        if is_tolerated and self._tolerance.lifts_bounds:
            self.concurrency_limit.lift_bound()
        return is_tolerated

    def _reduce(self, started: float, why: str, *, was_calm: bool) -> bool:
        """Reduce the concurrency limit, once for all requests that a push-back meets. Return whether it is reduced."""
        is_reduced = self.concurrency_limit.pushed_back(started)
        if is_reduced and (was_calm or self.concurrency_limit.limit != self._told):  # at 1, it stays what it was
            self._tell_limits(why, is_first=was_calm)
        return is_reduced

    def _tell_limits(self, why: str = "", *, is_first: bool = False) -> None:
        self._told, rate = self.concurrency_limit.limit, self.rate_limiter.rate
        event = LimitsChanged(
            host=self.name,
            concurrency=None if self._told == inf else int(self._told),
            rate=None if rate == inf else rate,
            pause=self.rate_limiter.pause,
            waiting=self.waiting,
            why=why,
            is_first=is_first,
        )
        self._tell(event)

    def gave_up(self, request: Hashable, error: Exception, successes_before: int) -> None:
        """A request failed after all retries, with a last error. Raises an UnavailableError if that breaks the host.

        Requests of one key count once, and only if the circuit breaker has had no success since they began.
        """
        if isinstance(error, KognicError) and self.may_be_mistyped(error) and not isinstance(error, ProxyConnectError):
            settings = " and ".join(f"`{name}`" for name in self._settings)
            error.explain(f"{self.name} has never responded; check the setting {settings}")
        try:
            self.circuit_breaker.gave_up(request, error, successes_before)
        finally:
            self._start_waiting()  # or let them fail, if that has opened the circuit

    def may_be_mistyped(self, error: Exception) -> bool:
        """Whether a host that the user named could never be reached.

        The platform chooses its storages: an unreachable one is not mistyped, and may come back.
        """
        is_unheard_of = bool(self._settings) and not self._has_responded
        return is_unheard_of and isinstance(error, ConnectError) and not is_shortage(error)

    def close(self) -> None:
        """Let all waiting requests start: they will find the client closed."""
        self._reset()
        self._start_waiting()


class Throttles:
    """The throttle of each host. `base_urls` has the name of the setting of each API, and its base URL."""

    def __init__(
        self,
        clock: Clock,
        base_urls: Sequence[tuple[str, str]] = (),
        tell: Tell = log_event,
        *,
        adapts: bool = True,
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._adapts = adapts
        self._named = [(name, _host_key(URL(url), is_api=True)) for name, url in base_urls]
        self._throttles: dict[HostKey, Throttle] = {}
        self._last_concurrency: Mapping[str, int] | None = None

    def of(self, url: URL, *, is_api: bool) -> Throttle:
        """The throttle of a URL's host."""
        key = _host_key(url, is_api=is_api)
        if key not in self._throttles:
            self._make_room()
            settings = dict.fromkeys(name for name, named in self._named if named == key)
            name = str(url.origin())
            self._throttles[key] = Throttle(name, self._clock, settings, self._tell, adapts=self._adapts)
        return self._throttles[key]

    def _make_room(self) -> None:
        """Forget idle storages if there are many; those in trouble only if all are."""
        if len(self._throttles) < MAX_STORAGES:
            return
        idle = {key: each for key, each in self._throttles.items() if not key[0] and each.is_idle}
        well = [key for key, each in idle.items() if each.is_calm and not each.circuit_breaker.given_up]
        for key in well or idle:
            del self._throttles[key]

    @property
    def concurrency(self) -> Mapping[str, int]:
        """How many requests may be in flight to each host that has a limit, by its URL, or could until it was closed.

        If a storage has the URL of an API, as with an emulator, its key ends in `(storage)`.
        """
        if self._last_concurrency is not None:
            return self._last_concurrency
        apis = {each.name for (is_api, *_), each in self._throttles.items() if is_api}
        limits = {
            f"{each.name} (storage)" if not is_api and each.name in apis else each.name: each.concurrency_limit.limit
            for (is_api, *_), each in self._throttles.items()
        }
        return {name: int(limit) for name, limit in sorted(limits.items()) if limit < inf}

    def close(self) -> None:
        """Let all waiting requests start."""
        self._last_concurrency = self.concurrency
        for throttle in self._throttles.values():
            throttle.close()


def _host_key(url: URL, *, is_api: bool) -> HostKey:
    return is_api, url.scheme, url.host, url.port
