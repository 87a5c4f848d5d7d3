"""How much a host takes, learnt from how it answers: pure, with a clock that is given."""

from collections.abc import Callable
from math import inf, sqrt

from attrs import define

Clock = Callable[[], float]

CALM = 30.0
"""Seconds without a push-back after which starts are no longer paced."""

FIRST_RATE = 10.0
SLOWEST = 0.5
"""Requests per second with which to begin at least when a host first pushes back, and that are tried of any."""

SETTLING = 1.0
ENOUGH = 10
"""Seconds and answers from which to tell what a rate leads to."""

TOLERATED = 0.02
"""The share of refusals for which a rate is not lowered, lest it never finds out what the host takes."""

BACKOFF = 0.95
"""Which share of what the host has granted to go on with."""

GOOD = 0.85
"""Which share of what it granted while it took requests at all to grow back to quickly."""

RECOVERY = 2.0
"""Requests per second that each success adds up to there: e-fold in half a second."""

PROBING = 0.01
"""The same beyond, at first: 1 % in a second."""

PATIENCE = 7.0
"""Seconds since a push-back in which that doubles; it grows with the square of them."""

SLACK = 0.005
"""Seconds that a start may be late, as timers are, without those behind it being so too."""

FADING = 0.9
"""What a success leaves of the memory of timeouts and broken connections."""

RISE = 2.5
"""Where that memory is a rise: three in a row, or one request in four."""


class Pressure:
    """What a host takes: so many requests at once, so many a second, and none before its `Retry-After` is over.

    It is taken to bear anything until it pushes back. Then the number in flight is halved, and grows by one with every
    so many successes until it is what it was. Requests that had started before it was halved do not halve it again. The
    rate is the `Pace`'s.

    Attributes:
        in_flight: Requests that are on their way.
        limit: How many may be.
        pace: How many may start a second.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._halved_at = -inf
        self._not_before = 0.0
        self._next_start = 0.0
        self._trouble = 0.0
        self._enough = 0
        self.in_flight = 0
        self.limit = inf
        self.pace = Pace(clock())

    @property
    def is_calm(self) -> bool:
        """Whether requests may start as they like."""
        return self.limit == inf and self.pace.rate == inf

    def wait(self) -> float:
        """Seconds until the next request may start; without end if another one has to come back first."""
        now = self._clock()
        if self.pace.rate < inf and now - max(self.pace.pushed_at, self._not_before) > CALM:
            self.pace = Pace(now)
        if self.in_flight + 1 > self.limit:
            return inf
        return max(0.0, self._not_before - now, self._next_start - now)

    def held(self) -> float:
        """Seconds for which the host has asked for peace."""
        return max(0.0, self._not_before - self._clock())

    def start(self) -> float:
        """A request starts; tell when."""
        now = self._clock()
        self.in_flight += 1
        if self.pace.rate < inf:
            self._next_start = max(self._next_start, now - SLACK) + 1 / self.pace.rate
        return now

    def end(self) -> None:
        """A request has ended, however it did."""
        self.in_flight -= 1

    def succeeded(self, started: float) -> None:
        """The host has done what it was asked for by a request that started then."""
        self._trouble *= FADING
        self.pace.granted(started, self._clock())
        if self.limit < inf and started >= self._halved_at:
            self.limit += 1 / self.limit
            if self.limit >= self._enough:
                self.limit = inf

    def pushed_back(self, started: float, retry_after: float | None = None) -> bool:
        """The host has turned away a request that started then; tell whether less is taken now."""
        now = self._clock()
        held_before = max(now, self._not_before)
        self._not_before = max(held_before, now + (retry_after or 0.0))
        self.pace.refused(started, now, self._not_before - held_before)
        return self._halve(started)

    def troubled(self, started: float) -> bool:
        """A request that started then timed out or lost its connection; tell whether less is taken now."""
        self._trouble += 1
        is_halved = self._trouble > RISE and self._halve(started)
        if is_halved:
            self._trouble = 0.0
        return is_halved

    def _halve(self, started: float) -> bool:
        if started < self._halved_at:
            return False
        if self.limit == inf:
            self._enough = self.in_flight
        self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
        self._halved_at = self._clock()
        return True


@define
class _Tally:
    """What has come of requests.

    Attributes:
        since: The time from which on they were counted.
        granted: Successes.
        refused: Refusals.
        held: Seconds for which the host has asked for peace.
    """

    since: float
    granted: int = 0
    refused: int = 0
    held: float = 0.0

    @property
    def share(self) -> float:
        """The share of requests that were refused."""
        return self.refused / max(1, self.granted + self.refused)

    def tells(self, now: float) -> bool:
        """Whether it is enough to judge by."""
        return now - self.since >= SETTLING and self.granted + self.refused >= ENOUGH

    def __add__(self, later: "_Tally") -> "_Tally":
        granted, refused, held = self.granted + later.granted, self.refused + later.refused, self.held + later.held
        return _Tally(self.since, granted, refused, held)


class Pace:
    """How many requests may start a second: any number until there is a push-back.

    What the host grants while it refuses is what it takes: the rate falls to a little less. If the host asks for peace
    each time, what it takes is between what it has granted in all that time and in what was left of it. Successes raise
    the rate again, quickly up to what has surely been granted, then slowly at first, as long as all goes well faster.
    If going slower does not help twice, refusals are not about the rate: as many as there are are put up with.

    Args:
        now: The time.

    Attributes:
        rate: How many.
        pushed_at: When there was a push-back last.
    """

    def __init__(self, now: float) -> None:
        self.rate = inf
        self.pushed_at = -inf
        self._good_rate = inf
        self._tolerated = TOLERATED
        self._without_help = 0
        self._rate_before = self._share_before = 0.0
        self._set_at = now
        self._older, self._newer = _Tally(now), _Tally(now)

    def granted(self, started: float, now: float) -> None:
        """A request that started then has succeeded."""
        if self._newer.tells(now):
            self._older, self._newer = self._newer, _Tally(now)
        self._newer.granted += started >= self._set_at
        if self.rate < self._good_rate:
            self.rate = min(self.rate + RECOVERY, self._good_rate)
        elif self.rate < inf:
            self.rate += PROBING * (1 + ((now - self.pushed_at) / PATIENCE) ** 2)

    def refused(self, started: float, now: float, held: float) -> None:
        """A request that started then has been turned away, and the host has asked for so many seconds of peace."""
        self.pushed_at = now
        if started < self._set_at:  # it says nothing of this rate
            return
        self._newer.refused += 1
        seen = self._older + self._newer
        if self._tolerated > TOLERATED and seen.share <= self._tolerated:
            pass
        elif self.rate == inf:
            self._set(max(FIRST_RATE, 2 * seen.granted / max(SETTLING, now - seen.since)), inf, now)
        elif seen.tells(now):
            self._judge(seen, now, is_held=held > 0)
        self._newer.held += held

    def _judge(self, seen: _Tally, now: float, *, is_held: bool) -> None:
        if seen.share <= TOLERATED:
            self.rate *= BACKOFF if is_held else 1  # one refusal may cost a second
            self._good_rate = min(self._good_rate, self.rate)
            return
        self._without_help = self._without_help + 1 if self._has_not_helped(seen) else 0
        rate = self.rate
        if not seen.granted:
            self._set(rate / 2, self._good_rate, now)  # so nothing tells what it takes when it takes anything
        elif self._without_help > 1:
            self._tolerated = 1.5 * seen.share
            self._set(4 * self._rate_before, inf, now)
        else:
            seconds = now - seen.since
            at_least, at_most = seen.granted / seconds, min(rate, seen.granted / max(seconds - seen.held, SLACK))
            going_on = BACKOFF * sqrt(at_least * at_most)
            self._set(going_on, max(going_on, GOOD * at_most), now)
        self._rate_before, self._share_before = rate, seen.share

    def _has_not_helped(self, seen: _Tally) -> bool:
        """Whether about as many are refused as before, though the rate has not grown beyond what was granted then."""
        is_about_as_many = seen.share > max(2 * TOLERATED, 0.7 * self._share_before)
        return is_about_as_many and self.rate <= 1.03 * self._good_rate

    def _set(self, rate: float, good_rate: float, now: float) -> None:
        self.rate, self._good_rate = max(SLOWEST, rate), good_rate
        self._set_at = now
        self._older, self._newer = _Tally(now), _Tally(now)
