"""A circuit breaker that keeps requests from a host that stays broken."""

from collections.abc import Hashable
from copy import copy
from math import inf

from kognic_aio._event_log import Tell
from kognic_aio._http.tolerance import Clock
from kognic_aio.errors import UnavailableError
from kognic_aio.events import CircuitClosed, CircuitOpened

MAX_GIVEN_UP = 3
"""Different requests in a row that fail after all retries until the circuit opens."""

REST = 10.0
"""Seconds after which an open circuit lets one request through."""


class CircuitBreaker:
    """Opens when several requests in a row fail, and closes with a success."""

    def __init__(self, name: str, clock: Clock, tell: Tell) -> None:
        self._name = name
        self._clock = clock
        self._tell = tell
        self._broken_by: Exception | None = None
        self._rests_until = -inf
        self.successes = 0
        self.given_up: set[Hashable] = set()  # keys of requests since the last success

    @property
    def is_open(self) -> bool:
        """Whether the host is taken to be broken."""
        return self._broken_by is not None

    def refusal(self) -> UnavailableError | None:
        """The error of a request that would start now, while the circuit is open and rests."""
        if self._broken_by is None or self._clock() >= self._rests_until:
            return None
        return self._unavailable(self._broken_by)

    def started(self) -> None:
        """Note the start of a request. If the circuit is open, it probes the host, and the others go on waiting."""
        if self.is_open:
            self._rests_until = self._clock() + REST

    def succeeded(self) -> None:
        """Note the success of a request."""
        self.successes += 1
        if self.is_open:
            self._tell(CircuitClosed(host=self._name))
        if self.given_up:
            self.given_up.clear()
            self._broken_by = None

    def gave_up(self, request: Hashable, error: Exception, successes_before: int) -> None:
        """Note that a request failed after all retries; see `Throttle.gave_up`."""
        if self.successes > successes_before:
            return
        self.given_up.add(request)
        if len(self.given_up) >= MAX_GIVEN_UP:
            self._broken_by = copy(error)  # without its traceback, which would keep all that was to be sent
            self._rests_until = self._clock() + REST
            self._tell(CircuitOpened(host=self._name, failed=len(self.given_up)))
            raise self._unavailable(error)

    def _unavailable(self, cause: Exception) -> UnavailableError:
        why = f"the last {len(self.given_up)} requests failed after all retries; last error: {self._broken_by}"
        error = UnavailableError(f"{self._name} is unavailable: {why}", host=self._name)
        error.__cause__ = cause
        return error
