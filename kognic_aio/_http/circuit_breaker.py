"""A circuit breaker: it opens when several requests in a row fail after all retries, and closes with a success."""

from collections.abc import Hashable
from copy import copy
from math import inf

from kognic_aio._http.rate_limiter import Clock
from kognic_aio.errors import UnavailableError

MAX_GIVEN_UP = 3
"""Different requests in a row that fail after all retries until the circuit opens."""

REST = 10.0
"""Seconds after which an open circuit lets one request through."""


class CircuitBreaker:
    """Keeps requests from a host that stays broken.

    Attributes:
        successes: How many requests have succeeded.
        given_up: Keys of the requests that failed after all retries since the last success.
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
        """A request starts. If the circuit is open, it probes the host, and the others go on waiting."""
        if self.is_open:
            self._rests_until = self._clock() + REST

    def succeeded(self) -> bool:
        """A request succeeded; return whether that closes the circuit."""
        was_open = self.is_open
        self.successes += 1
        if self.given_up:
            self.given_up.clear()
            self._broken_by = None
        return was_open

    def gave_up(self, request: Hashable, error: Exception, successes_before: int) -> UnavailableError | None:
        """A request failed after all retries; return the error of the host if the circuit is open now.

        Args:
            request: The key of the request.
            error: Its last error.
            successes_before: `successes` when it began.
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
        why = f"the last {len(self.given_up)} requests failed after all retries; last error: {self._broken_by}"
        return UnavailableError(f"{self._name} is unavailable: {why}", host=self._name)
