"""A circuit breaker: it opens when several requests in a row gave up, and closes with the next success."""

from collections.abc import Hashable
from copy import copy
from math import inf

from kognic_aio._http.rate_limiter import Clock
from kognic_aio.errors import UnavailableError

MAX_GIVEN_UP = 3
"""Different requests in a row that give up until the circuit opens."""

REST = 10.0
"""Seconds after which an open circuit lets one request through."""


class CircuitBreaker:
    """Keeps requests from a host that stays broken.

    Attributes:
        successes: Requests that the host has answered.
        given_up: Requests that gave up since the last success.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._broken_by: Exception | None = None
        self._rests_until = -inf
        self.successes = 0
        self.given_up: set[Hashable] = set()

    @property
    def is_open(self) -> bool:
        """Whether the host is taken to be broken."""
        return self._broken_by is not None

    def check(self) -> None:
        """Raise an UnavailableError while the circuit is open and rests."""
        if self._broken_by is not None and self._clock() < self._rests_until:
            raise self._unavailable() from self._broken_by

    def started(self) -> None:
        """A request starts. If the circuit is open, it tries for all, and the others go on resting."""
        if self.is_open:
            self._rests_until = self._clock() + REST

    def succeeded(self) -> bool:
        """The host has answered; tell whether that closes the circuit."""
        was_open = self.is_open
        self.successes += 1
        if self.given_up:
            self.given_up.clear()
            self._broken_by = None
        return was_open

    def gave_up(self, request: Hashable, error: Exception, successes_before: int) -> UnavailableError | None:
        """A request gave up; return the error of the host if the circuit is open now.

        Args:
            request: What tells it from other requests.
            error: Its last error.
            successes_before: The successes when it began.
        """
        if self.successes > successes_before:
            return None
        self.given_up.add(request)
        if len(self.given_up) < MAX_GIVEN_UP:
            return None
        self._broken_by = copy(error)  # without its traceback, which would keep all that was to be sent
        self._rests_until = self._clock() + REST
        return self._unavailable()

    def _unavailable(self) -> UnavailableError:
        why = f"{len(self.given_up)} different requests in a row gave up, the last with: {self._broken_by}"
        return UnavailableError(f"{self._name} is unavailable: {why}", host=self._name)
