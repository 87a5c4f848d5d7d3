"""A concurrency limit that finds out how many requests at once a host serves well.

A gradient limit, as in Netflix's concurrency-limits: the time of responses is compared with what they take when the
host is not busy. By Little's law, the ratio of the two tells how many of the requests in flight only wait. The base
time is measured anew now and then, as in BBR, with few requests in flight. The limit grows as in TCP's slow start.
Refusals bound it, and the bound is probed as in CUBIC: after a while, and in growing steps.
"""

from collections.abc import Hashable
from math import inf

from attrs import define

from kognic_aio._http.rate_limiter import CALM
from kognic_aio._http.tolerance import Clock

FIRST_LIMIT = 8
"""Requests in flight at first, and while the base time is measured."""

STARTUP_STEP = 3.0
"""What a success adds to the limit until the host gets busy for the first time: the limit quadruples in a round."""

STEP = 1.0
"""What a success adds later: the limit doubles in a round."""

HEADROOM = 2.0
"""Factor from the requests that are served at once to the limit: as many may wait, so that the host never does."""

UNHINDERED = 1.5
"""Factor on the base time up to which a response counts as unhindered, and raises the limit."""

BUSY = 1.3
"""Factor on the base time below which the host is not busy, so that there is nothing to measure anew: such differences
come from chance as well."""

MEASURED_FOR = 10.0
"""Seconds for which a base time holds at least."""

WORTH = 20.0
"""For how many times as long as it took to measure a base time holds at least, so that measuring costs little."""

REDUCTION = 0.7
"""Factor on the limit after a refusal."""

FIRST_HOLD = 0.5
"""Seconds for which the bound is not probed after a refusal. They double with each refusal of a probe."""

MAX_HOLD = 5.0
"""The most of these seconds."""

MIN_ACCEPTED = 50
"""Successes between two probes, so that a host refuses few requests however slow they are."""

FADING = 0.9
"""Factor that a success puts on the memory of timeouts and broken connections."""

MAX_TIMEOUTS = 2.5
"""Bound of that memory. Three in a row, or one request in four, exceed it."""


@define
class _Times:
    """The times of one kind of responses in seconds: the base time, the mean of a round, and the sum in this round."""

    base: float = inf
    mean: float = 0.0
    seconds: float = 0.0
    count: int = 0


class Slowness:
    """How much longer responses take than when the host is not busy, in a round of requests.

    Each kind of request is compared with itself: some take much longer than others.
    """

    def __init__(self) -> None:
        self._times: dict[Hashable, _Times] = {}

    def base(self, kind: Hashable) -> float:
        """The base time of a kind in seconds, infinite if none is known."""
        return self._times[kind].base if kind in self._times else inf

    def add(self, kind: Hashable, seconds: float) -> None:
        """Add a response to this round."""
        times = self._times.setdefault(kind, _Times())
        times.seconds += seconds
        times.count += 1

    def end_round(self, *, is_base: bool = False) -> float:
        """End the round, and return how many times the base times its responses took.

        With `is_base`, few requests were in flight. Their times become the base times, and the return value is about
        the round before.
        """
        seconds = base_seconds = 0.0
        for times in self._times.values():
            if times.count:
                mean = times.seconds / times.count
                if is_base:
                    # If they were hardly faster, the mean of more responses is more accurate.
                    times.mean = times.mean or mean
                    times.base = mean if BUSY * mean < times.mean else times.mean
                else:
                    times.mean, times.base = mean, min(times.base, mean)
                seconds += times.mean * times.count
                base_seconds += times.base * times.count
        self.forget_round()
        return seconds / base_seconds if base_seconds else 1.0

    def forget_round(self) -> None:
        """Begin the round anew."""
        for times in self._times.values():
            times.seconds, times.count = 0.0, 0


class Bound:
    """The most requests in flight that are worth a try, as the host refuses more: infinite until it does."""

    def __init__(self) -> None:
        self._forget()
        self._hold = FIRST_HOLD
        self._held_until = -inf

    def _forget(self) -> None:
        self.value = self._refused = inf
        self._step = self._accepted = 0

    def accepted(self) -> None:
        """Note that the host accepted a request."""
        self._accepted += 1

    def probe(self, now: float) -> None:
        """Raise the bound, which has been reached, if it is time. At twice what was refused, there is none."""
        if now < self._held_until or self._accepted < MIN_ACCEPTED:
            return
        self._step = max(1, 2 * self._step)
        self.value += self._step
        if self.value > 2 * self._refused:
            self._forget()

    def refused(self, in_flight: float, now: float) -> float:
        """Note that the host refused one of the requests in flight, and return how many should be."""
        if self._step:  # the last step of the probe was too large
            self._hold = min(MAX_HOLD, 2 * self._hold)
            self.value -= self._step
            limit = self.value
        else:
            self._hold = FIRST_HOLD
            self.value = max(1, in_flight - 1)
            limit = max(1, REDUCTION * self.value)
        self._refused, self._step, self._accepted = self.value + 1, 0, 0
        self._held_until = now + self._hold
        return limit


class ConcurrencyLimit:
    """How many requests may be in flight.

    Args:
        clock: Returns the time in seconds.
        adapts: Whether to find out how many pay. If not, any number may be in flight until the host pushes back.
    """

    def __init__(self, clock: Clock, *, adapts: bool = True) -> None:
        self._clock = clock
        self._adapts = adapts
        self.in_flight = self._peak = 0
        self.limit: float = FIRST_LIMIT if adapts else inf
        self._bound = Bound()
        self._slowness = Slowness()
        self._measuring_since: float | None = None  # when measuring the base time anew began
        self._usual = 0.0  # requests in flight before that
        self._measured_until = clock() + MEASURED_FOR
        self._reduced_at = -inf
        self._timeouts = 0.0
        self._step = STARTUP_STEP
        self._begin_round()

    def _begin_round(self) -> None:
        self._responses = 0
        self._round_size = max(FIRST_LIMIT, min(self.limit, self._peak))
        self._to_pass_over = self.in_flight  # their responses tell of the limit before
        self._peak = max(self.in_flight, self._peak // 2)  # responses come in bursts, after which few are in flight

    @property
    def _is_measuring(self) -> bool:
        """Whether the base time is measured anew."""
        return self._measuring_since is not None

    @property
    def is_reached(self) -> bool:
        """Whether another request has to wait until one ends."""
        return self.in_flight + 1 > self.limit

    @property
    def is_calm(self) -> bool:
        """Whether the host has not pushed back for some time."""
        return self._clock() > self._reduced_at + CALM

    def started(self) -> None:
        """Note the start of a request."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)

    def ended(self) -> None:
        """Note the end of a request."""
        self.in_flight -= 1

    def succeeded(self, started: float, seconds: float = 0.0, kind: Hashable = None) -> None:
        """Note the success of a request that started at `started`, and for which the host took `seconds`."""
        self._timeouts *= FADING
        if self.limit == inf or started < self._reduced_at:
            return
        is_hindered = self._adapts and (self._is_measuring or seconds > UNHINDERED * self._slowness.base(kind))
        if not is_hindered and self._peak > self.limit / 2:  # with fewer in flight, nobody waits for more
            self.limit = max(self.limit, min(self.limit + self._step, self._bound.value))
        self._bound.accepted()
        if self._to_pass_over:
            self._to_pass_over -= 1
            return
        self._slowness.add(kind, seconds)
        self._responses += 1
        if self._responses >= self._round_size:
            self._end_round(self._clock())

    def _end_round(self, now: float) -> None:
        slowness = self._slowness.end_round(is_base=self._is_measuring)
        if slowness > BUSY:
            self._step = STEP
        if self._measuring_since is not None:
            self._measured_until = now + max(MEASURED_FOR, WORTH * (now - self._measuring_since))
            self._measuring_since = None
            served = max(self._usual, min(self.limit, self._peak)) / slowness
            self.limit = min(self._bound.value, max(FIRST_LIMIT, HEADROOM * served))
        elif self._adapts and slowness > BUSY and now > self._measured_until:
            self._measuring_since = now
            self._usual = min(self.limit, self._peak)
            self.limit = min(FIRST_LIMIT, self.limit)
        if self.limit >= self._bound.value:
            self._bound.probe(now)
            if not self._adapts and self._bound.value == inf:
                self.limit = inf
        self._begin_round()

    def pushed_back(self, started: float) -> bool:
        """Note that the host refused a request that started at `started`. Return whether that reduces the limit."""
        if started < self._reduced_at:
            return False
        self._reduced_at = self._clock()
        self._step = STEP
        self._timeouts = 0.0
        reached = max(self.limit, self._usual) if self._is_measuring else self.limit
        self.limit = self._bound.refused(min(reached, self.in_flight), self._reduced_at)
        self._slowness.forget_round()
        self._begin_round()
        return True

    def timed_out(self) -> bool:
        """Note that a request timed out or lost its connection, and return whether too many did."""
        self._timeouts += 1
        return self._timeouts > MAX_TIMEOUTS

    def lift_bound(self) -> None:
        """Let the limit grow, whatever the host refused before."""
        self._bound = Bound()
        if not self._adapts:
            self.limit = inf
