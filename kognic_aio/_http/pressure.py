"""How much a host takes, learnt from how it answers: pure, with a clock that is given."""

from collections import deque
from collections.abc import Callable
from math import inf

from attrs import define

Clock = Callable[[], float]

CALM = 30.0
"""Seconds without a push-back after which starts are no longer paced."""

FIRST_RATE = 10.0
"""Requests per second with which to begin if a host pushes back before a rate can be told."""

SLOWEST = 0.5
"""Requests per second that are tried of any host."""

ENOUGH = 10
"""Successes from which a rate can be told."""

BACKOFF = 0.85
"""Which share of the rate that was refused to go on with at most."""

GOOD = 0.9
"""Which share of it to grow back to quickly."""

RECOVERY = 2.0
"""Requests per second that each success adds up to there: e-fold in half a second."""

PROBING = 0.01
"""The same beyond, at first: 1 % in a second."""

PATIENCE = 7.0
"""Seconds since a push-back in which that doubles; it grows with the square of them."""

SLOWER = 0.9
"""From which share of the rate before a lower one should have helped."""

SLACK = 0.005
"""Seconds that a start may be late, as timers are, without those behind it being so too."""

FADING = 0.9
"""What a success leaves of the memory of timeouts and broken connections."""

RISE = 2.5
"""Where that memory is a rise: three in a row, or one request in four."""


class Pressure:
    """What a host takes: so many requests at once, so many a second, and none before its `Retry-After` is over.

    It is taken to bear anything until it pushes back. Then less is taken at once, and only once a round: requests that
    had been started before the last push-back say nothing new. The number in flight is halved, and grows by one with
    every so many successes until it is what it was. The rate is the `Pace`'s.

    Attributes:
        in_flight: Requests that are on their way.
        limit: How many may be.
        pace: How many may start a second.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._round = 0
        self._not_before = 0.0
        self._next_start = 0.0
        self._trouble = 0.0
        self._enough = 0
        self.in_flight = 0
        self.limit = inf
        self.pace = Pace()

    @property
    def is_calm(self) -> bool:
        """Whether requests may start as they like."""
        return self.limit == inf and self.pace.rate == inf

    def wait(self) -> float:
        """Seconds until the next request may start; without end if another one has to come back first."""
        now = self._clock()
        if self.pace.rate < inf and now - max(self.pace.pushed_at, self._not_before) > CALM:
            self.pace = Pace()
        if self.in_flight + 1 > self.limit:
            return inf
        return max(0.0, self._not_before - now, self._next_start - now)

    def held(self) -> float:
        """Seconds for which the host has asked for peace."""
        return max(0.0, self._not_before - self._clock())

    def start(self) -> int:
        """A request starts; tell in which round."""
        self.in_flight += 1
        if self.pace.rate < inf:
            self._next_start = max(self._next_start, self._clock() - SLACK) + 1 / self.pace.rate
        return self._round

    def end(self) -> None:
        """A request has ended, however it did."""
        self.in_flight -= 1

    def succeeded(self, started: int) -> None:
        """The host has done what it was asked for by a request of this round."""
        self._trouble *= FADING
        is_of_now = started == self._round
        self.pace.granted(started, self._clock(), is_of_now=is_of_now)
        if is_of_now and self.limit < inf:
            self.limit += 1 / self.limit
            if self.limit >= self._enough:
                self.limit = inf

    def pushed_back(self, started: int, retry_after: float | None = None) -> bool:
        """The host has turned away a request of this round; tell whether less is taken now."""
        now = self._clock()
        if retry_after is not None:
            self._not_before = max(self._not_before, now + retry_after)
        is_of_now = started == self._round
        self.pace.refused(started, now, is_of_now=is_of_now, told_when=retry_after is not None)
        if is_of_now:
            self._halve()
        return is_of_now

    def troubled(self, started: int) -> bool:
        """A request of this round timed out or lost its connection; tell whether less is taken now."""
        self._trouble += 1
        is_rise = self._trouble > RISE and started == self._round
        if is_rise:
            self._trouble = 0.0
            self._halve()
        return is_rise

    def _halve(self) -> None:
        if self.limit == inf:
            self._enough = self.in_flight
        self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
        self._round += 1


@define
class _Spell:
    """From one push-back to another, with enough successes between to tell a rate.

    Attributes:
        round: Its first round; requests of earlier ones do not count.
        began: When it began.
        granted: Its successes.
        refused: Its refusals.
        told_when: Whether a refusal told when to come again.
    """

    round: int
    began: float
    granted: int = 0
    refused: int = 0
    told_when: bool = False

    @property
    def share(self) -> float:
        """The share of requests that were refused."""
        return self.refused / (self.granted + self.refused)


class Pace:
    """How many requests may start a second: any number until there is a push-back.

    A push-back at a rate drops it to between that and what the host has granted since an earlier one, which it surely
    grants again. Successes raise it, quickly up to a little less than what was refused, then slowly at first, as long
    as all goes well faster and faster. If going slower has not helped, refusals are not about the rate: it rises again.

    Attributes:
        rate: How many.
        pushed_at: When there was a push-back last.
    """

    def __init__(self) -> None:
        self.rate = inf
        self.pushed_at = 0.0
        self._good_rate = inf
        self._successes = deque[float](maxlen=ENOUGH)
        self._spell = _Spell(0, 0.0)
        self._share_before = 0.0
        self._rate_before = 0.0

    def granted(self, started: int, now: float, *, is_of_now: bool) -> None:
        """A request has succeeded."""
        self._spell.granted += started >= self._spell.round
        if not is_of_now:
            return
        self._successes.append(now)
        if self.rate < self._good_rate:
            self.rate = min(self.rate + RECOVERY, self._good_rate)
        elif self.rate < inf:
            self.rate += PROBING * (1 + ((now - self.pushed_at) / PATIENCE) ** 2)

    def refused(self, started: int, now: float, *, is_of_now: bool, told_when: bool) -> None:
        """A request has been turned away."""
        self.pushed_at = now
        self._spell.refused += started >= self._spell.round
        self._spell.told_when |= told_when
        if is_of_now:
            self._slow_down(now, started + 1)
            self._successes.clear()

    def _slow_down(self, now: float, next_round: int) -> None:
        refused = min(self.rate, self._latest_rate(now))
        spell = self._spell
        if self.rate == inf:  # what the host has granted until now it had perhaps saved up
            self._reduce(refused, refused / 4)
            self._spell = _Spell(next_round, now)
        elif spell.granted < ENOUGH:
            self._reduce(refused, refused * max(0.25, 1 - spell.share))
        else:
            if self._has_not_helped(refused):
                self.rate = self._good_rate = 2 * self._rate_before
            else:
                self._reduce(refused, spell.granted / max(now - spell.began, SLACK))
            self._share_before, self._rate_before = spell.share, refused
            self._spell = _Spell(next_round, now)

    def _has_not_helped(self, refused: float) -> bool:
        """Whether as many are refused as in the spell before, though the rate is lower. Who tells when means it."""
        is_lower = refused < SLOWER * self._rate_before
        return is_lower and self._spell.share >= self._share_before and not self._spell.told_when

    def _reduce(self, refused: float, granted: float) -> None:
        """Go on between two rates, at most twice the granted one: at their harmonic mean."""
        if refused == inf:
            self.rate = FIRST_RATE
            return
        between = 2 / (1 / granted + 1 / refused)
        self.rate = max(SLOWEST, min(between, BACKOFF * refused))
        if self._spell.granted:  # a host that grants nothing at all tells nothing of how much it grants when it does
            self._good_rate = GOOD * refused

    def _latest_rate(self, now: float) -> float:
        """The rate of the last successes in this round, if there were enough."""
        times = self._successes
        return ENOUGH / (now - times[0]) if len(times) == ENOUGH and now > times[0] else inf
