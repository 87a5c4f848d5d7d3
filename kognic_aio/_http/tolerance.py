"""Refusals that do not depend on the load, so that it would not help to send less.

Two loads are compared: if a host refuses the same share of requests with half as many in flight, or with twice as many,
it refuses them for other reasons. A small share is tolerated in any case, as BBR tolerates losses.
"""

from collections.abc import Callable
from math import inf, sqrt

from attrs import define

Clock = Callable[[], float]
"""Returns the time in seconds."""

TOLERATED = 0.015
"""Share of refusals that is always tolerated. Without any, the capacity of a host would never be found."""

MAX_STRAY = 0.2
"""Share of refusals above which two loads are not compared: hosts refuse so many when they count requests."""

ENOUGH = 5
"""Refusals, and as many successes, that it takes to judge a load."""

MANY = 25
"""Refusals after which a load is judged however few requests succeed."""

LONGEST = 1000
"""Successes after which a load is judged however few are refused."""

DIFFERENT = 2.0
"""Factor from which two loads are different."""

SIMILAR = 3.0
"""Factor up to which two shares of refusals are similar: such differences come from chance as well."""

SUSPICIOUS = 0.02
"""Share of refusals from which a higher load is tried. A host that takes a fixed number at once refuses no more, as the
bound of the concurrency limit is probed rarely."""

MAX_REST = 15
"""The most loads that are judged between two tries of a higher one, which double after each that was in vain."""

HOLDS = 30.0
"""Seconds for which a share is tolerated. Then it is found out again."""

MARGIN = 1.5
"""Factor on a share of refusals that does not depend on the load. So many are tolerated."""


@define
class _Outcomes:
    """The outcomes of requests, and the sum of the requests in flight at their ends."""

    accepted: int = 0
    refused: int = 0
    in_flight: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether they are enough to judge a load."""
        return min(self.accepted, self.refused) >= ENOUGH or self.refused >= MANY or self.accepted >= LONGEST

    @property
    def load(self) -> float:
        """The mean of the requests in flight."""
        return self.in_flight / max(1, self.accepted + self.refused)

    @property
    def refused_share(self) -> float:
        return self.refused / max(1, self.accepted + self.refused)

    def __add__(self, other: "_Outcomes") -> "_Outcomes":
        accepted, refused = self.accepted + other.accepted, self.refused + other.refused
        return _Outcomes(accepted, refused, self.in_flight + other.in_flight)


class Tolerance:
    """Finds out which share of refusals is to be tolerated.

    If a host refuses a suspicious share of two similar loads, a higher one is tried: until that can be judged, all
    refusals are tolerated.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget what is known of the host."""
        self._share, self._until = TOLERATED, inf
        self.forget_loads()

    def forget_loads(self) -> None:
        """Compare later loads with none before."""
        self._before, self._now = _Outcomes(), _Outcomes()
        self._tries_more = False
        self._rest = self._next_rest = 0  # loads to judge until the next try, and then until the one after that

    @property
    def lifts_bounds(self) -> bool:
        """Whether refusals are no reason to bound the load."""
        return self._tries_more or self._share > TOLERATED

    def learn(self, accepted: int, refused: int) -> None:
        """Note that the share of these outcomes does not depend on the load."""
        self.forget_loads()
        self._before = _Outcomes(accepted, refused)
        self._tolerate(self._before)

    def _tolerate(self, outcomes: _Outcomes) -> None:
        self._rest = self._next_rest = 0
        self._until = self._clock() + HOLDS
        self._share = max(TOLERATED, MARGIN * outcomes.refused_share)

    def accepted(self, in_flight: int) -> None:
        """Note that the host accepted a request, with so many in flight."""
        self._now.accepted += 1
        self._note(in_flight)

    def refused(self, in_flight: int) -> bool:
        """Note that the host refused a request, with so many in flight, and return whether that is tolerated."""
        if self._clock() > self._until:
            self.reset()
        self._now.refused += 1
        self._note(in_flight)
        return self._tries_more or (self._before + self._now).refused_share <= self._share

    def _note(self, in_flight: int) -> None:
        self._now.in_flight += in_flight
        if self._now.is_enough:
            self._before, self._now = self._compare(self._before, self._now), _Outcomes()

    def _compare(self, before: _Outcomes, now: _Outcomes) -> _Outcomes:
        """Learn from two loads, and return what to compare the next one with."""
        if self._tries_more:
            self._rest = self._next_rest = min(MAX_REST, 2 * self._next_rest + 1)  # unless it was not in vain
        self._tries_more = False
        if now.refused < ENOUGH:
            self._share = TOLERATED
        low, high = sorted((before, now), key=lambda outcomes: outcomes.load)
        smaller, larger = sorted((low.refused_share, high.refused_share))
        if not before.is_enough or not 0 < larger <= SIMILAR * smaller:
            return now
        factor = high.load / low.load if low.load else inf
        if factor < DIFFERENT:
            is_suspicious = max(SUSPICIOUS, self._share) < now.refused_share <= MAX_STRAY
            self._tries_more = is_suspicious and not self._rest
            self._rest = max(0, self._rest - 1)
            return high
        both = low + high
        # If it took a fixed number at once, it would accept a share of the low load that is larger by the factor; if
        # refusals did not depend on the load, the same share. The geometric mean of both decides.
        has_helped = 1 - low.refused_share > sqrt(factor) * (1 - high.refused_share)
        if has_helped or both.refused_share > MAX_STRAY:
            return now
        self._tolerate(both)
        return both
