"""A rate limiter that learns from responses how many requests per second a host accepts."""

from math import inf, sqrt

from attrs import define

from kognic_aio._http.tolerance import TOLERATED, Clock, Tolerance

CALM = 30.0
"""Seconds without a push-back after which starts are no longer paced."""

FIRST_RATE = 10.0
"""The lowest rate in requests per second after the first push-back."""

SLOWEST_RATE = 0.5
"""Requests per second that are always tried."""

FEW_REFUSALS = 5
"""Refusals from which a first rate is set."""

MUCH_REFUSED = 0.2
"""Share of refusals from which a first rate is set although fewer requests in flight may help."""

MIN_SECONDS = 1.0
"""Seconds for which a rate is kept before it is judged."""

MIN_RESPONSES = 10
"""Responses that it takes to judge a rate."""

SIMILAR_RATE = 1.03
"""Factor on the last granted rate up to which a rate counts as no higher."""

BACKOFF = 0.95
"""Share of the granted rate to continue with."""

RECOVERY = 2.0
"""Requests per second that each success adds up to the last granted rate: a factor of e in half a second."""

PROBING = 0.01
"""Requests per second that each success adds beyond, at first: 1 % in a second."""

PROBING_DOUBLES = 7.0
"""Seconds after a push-back in which probing doubles; it grows with their square."""

SLACK = 0.005
"""Seconds that a start may be late, as timers are, without delaying the starts behind it."""


@define
class _Outcomes:
    """The outcomes of requests from a point in time on, and the seconds of pause that the host asked for."""

    since: float
    granted: int = 0
    refused: int = 0
    paused: float = 0.0

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.granted + self.refused)

    def is_enough(self, now: float) -> bool:
        """Whether they are enough to judge a rate by."""
        return now - self.since >= MIN_SECONDS and self.granted + self.refused >= MIN_RESPONSES

    def __add__(self, later: "_Outcomes") -> "_Outcomes":
        granted, refused = self.granted + later.granted, self.refused + later.refused
        return _Outcomes(self.since, granted, refused, self.paused + later.paused)


class RateLimiter:
    """How many requests may start per second: any number until the host pushes back.

    On push-back, the rate drops slightly below the rate of accepted requests. If the host also sets Retry-After, its
    capacity lies between that rate with and without the pauses, and the geometric mean of both is used. Successes raise
    the rate again: quickly up to the last granted rate, then slowly, and faster the longer there is no push-back. If a
    lower rate does not help twice, the refusals are not about the rate. Then starts are no longer paced.

    Args:
        clock: Returns the time in seconds.
        tolerance: Learns which share of refusals lower rates do not reduce.
    """

    def __init__(self, clock: Clock, tolerance: Tolerance) -> None:
        self._clock = clock
        self._tolerance = tolerance
        self._reset(clock())

    def _reset(self, now: float) -> None:
        self._not_before = self._next_start = 0.0
        self._pushed_at = -inf
        self._without_help = 0
        self._set(inf, inf, now)

    def _set(self, rate: float, granted_rate: float, now: float) -> None:
        self.rate, self._granted_rate, self._set_at = max(SLOWEST_RATE, rate), granted_rate, now
        self._older, self._newer = _Outcomes(now), _Outcomes(now)

    @property
    def pause(self) -> float:
        """Seconds that are left of the pause that the host asked for."""
        return max(0.0, self._not_before - self._clock())

    def delay(self) -> float:
        """Seconds until the next request may start."""
        now = self._clock()
        if self.rate < inf and now - max(self._pushed_at, self._not_before) > CALM:
            self._reset(now)
        return max(0.0, self._not_before - now, self._next_start - now)

    def started(self, now: float) -> None:
        """Note the start of a request."""
        if self.rate < inf:
            self._next_start = max(self._next_start, now - SLACK) + 1 / self.rate

    def succeeded(self, started: float) -> None:
        """Note the success of a request that started at `started`."""
        now = self._clock()
        if self._newer.is_enough(now):
            self._older, self._newer = self._newer, _Outcomes(now)
        self._newer.granted += started >= self._set_at
        if self.rate < self._granted_rate:
            self.rate = min(self.rate + RECOVERY, self._granted_rate)
        elif self.rate < inf:
            self.rate += PROBING * (1 + ((now - self._pushed_at) / PROBING_DOUBLES) ** 2)

    def pushed_back(self, started: float, retry_after: float = 0.0, *, fewer_may_help: bool = False) -> None:
        """Note that the host refused a request that started at `started`, and asks for a pause.

        With `fewer_may_help`, fewer requests in flight may be all that it needs.
        """
        now = self._clock()
        paused_before = max(now, self._not_before)
        self._not_before = max(paused_before, now + retry_after)
        self._pushed_at = now
        if started < self._set_at:  # it says nothing about this rate
            return
        self._newer.refused += 1
        seen, pause = self._older + self._newer, self._not_before - paused_before
        is_rate_likely = seen.refused >= FEW_REFUSALS and not (fewer_may_help and seen.refused_share < MUCH_REFUSED)
        if self.rate == inf and (pause or is_rate_likely):
            self._set(max(FIRST_RATE, 2 * seen.granted / max(MIN_SECONDS, now - seen.since)), inf, now)
        elif self.rate < inf and seen.is_enough(now):
            self._judge(seen, now, asks_for_pause=pause > 0)
        self._newer.paused += pause

    def _judge(self, seen: _Outcomes, now: float, *, asks_for_pause: bool) -> None:
        if seen.refused_share <= TOLERATED:
            self.rate *= BACKOFF if asks_for_pause else 1  # one refusal may cost a second
            self._granted_rate = min(self._granted_rate, self.rate)
            return
        is_no_higher = self.rate <= SIMILAR_RATE * self._granted_rate
        has_not_helped = seen.refused_share > 2 * TOLERATED and is_no_higher
        self._without_help = self._without_help + 1 if has_not_helped else 0
        if not seen.granted:
            self._set(self.rate / 2, self._granted_rate, now)  # nothing is known of its capacity
        elif self._without_help > 1:
            self._without_help = 0
            self._tolerance.learn(seen.granted, seen.refused)
            self._set(inf, inf, now)
        else:
            seconds = now - seen.since
            at_least = seen.granted / seconds
            at_most = min(self.rate, seen.granted / max(seconds - seen.paused, SLACK))
            granted = BACKOFF * sqrt(at_least * at_most)
            self._set(granted, granted, now)
