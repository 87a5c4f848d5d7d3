"""A concurrency limit by AIMD, as in TCP: halved on push-back, and raised by one for each `limit` successes."""

from math import inf

from kognic_aio._http.rate_limiter import Clock

FADING = 0.9
"""Factor that a success puts on the memory of timeouts and broken connections."""

MAX_TIMEOUTS = 2.5
"""Bound of that memory. Three in a row, or one request in four, exceed it."""


class ConcurrencyLimit:
    """How many requests may be in flight: any number until the host pushes back.

    Then the limit is half of what is in flight, and grows back until it is what it was. Requests that started before
    it was halved do not halve it again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._halved_at = -inf
        self._before = 0
        self._timeouts = 0.0
        self.in_flight = 0
        self.limit = inf

    @property
    def is_reached(self) -> bool:
        """Whether another request has to wait until one ends."""
        return self.in_flight + 1 > self.limit

    def succeeded(self, started: float) -> None:
        """A request succeeded that started at this time."""
        self._timeouts *= FADING
        if self.limit < inf and started >= self._halved_at:
            self.limit += 1 / self.limit
            if self.limit >= self._before:
                self.limit = inf

    def pushed_back(self, started: float) -> bool:
        """The host turned away a request that started at this time; return whether that halves the limit."""
        if started < self._halved_at:
            return False
        if self.limit == inf:
            self._before = self.in_flight
        self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
        self._halved_at = self._clock()
        return True

    def timed_out(self, started: float) -> bool:
        """A request timed out or lost its connection; return whether that halves the limit."""
        self._timeouts += 1
        is_halved = self._timeouts > MAX_TIMEOUTS and self.pushed_back(started)
        if is_halved:
            self._timeouts = 0.0
        return is_halved
