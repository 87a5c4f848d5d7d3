"""When a request is sent again, and how long to wait before it is."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import ParamSpec, TypeVar

from attrs import frozen

from kognic_aio import errors
from kognic_aio._http.protocol import GATEWAY_TIMED_OUT, RETRYABLE_STATUSES, TOKEN_PATH, WITHOUT_EFFECT, Request
from kognic_aio._http.throttle import Throttle
from kognic_aio.config import Retry

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger("kognic_aio")

MAX_FIRST_PAUSE = 0.5
"""Seconds of the longest first pause. The bound doubles with every further one."""

MISTYPED_TIME = 5.0
"""Seconds after which to give up on a host that has never answered: its name may be mistyped."""

MAX_UNREADABLE = 6
"""Attempts of a request whose answer is no HTTP: each may have had its effect, and a file may be large."""


def may_repeat(error: Exception) -> bool:
    """Whether another attempt may succeed, for a request that may be repeated at will."""
    if isinstance(error, errors.StatusError):
        return error.status in RETRYABLE_STATUSES
    may_pass = isinstance(
        error, errors.ConnectError | errors.LostAnswerError | errors.TimedOutError | errors.MalformedAnswerError
    )
    return may_pass and not isinstance(error, errors.FINAL)


def had_no_effect(error: Exception) -> bool:
    """Whether the request has provably done nothing, so that repeating it cannot double anything."""
    if isinstance(error, errors.StatusError):
        return error.status in WITHOUT_EFFECT
    return isinstance(error, errors.ConnectError) and not isinstance(error, errors.FINAL)


def may_have_had_effect(error: Exception) -> bool:
    """Whether the request may have done what it asked for, so that the platform has to be asked.

    Where it can be asked, not even a 503 is believed: proxies answer it for a connection that broke behind them.
    """
    return may_repeat(error) and not isinstance(error, errors.ConnectError | errors.TooManyRequestsError)


def may_come_late(error: Exception) -> bool:
    """Whether the effect may still come: whoever works on the request has not answered."""
    if isinstance(error, errors.StatusError):
        return error.status in GATEWAY_TIMED_OUT
    return isinstance(error, errors.LostAnswerError | errors.TimedOutError)


def _is_for_token(error: Exception) -> bool:
    """Whether the request for a token failed. It has had attempts of its own, which are not to be multiplied."""
    return str(getattr(error, "url", "")).endswith(TOKEN_PATH)


@frozen(kw_only=True)
class RetryPolicy:
    """After which errors a request is sent again, and within which bounds.

    Args:
        is_worth_it: Whether another attempt may succeed after an error, and is harmless.
        bounds: Bounds on attempts, pauses and time; None for the client's.
        is_question: Whether the request only asks. The circuit breaker counts the same question of a task once.
        counts_as: What it counts as for the circuit breaker, if several requests count as one.
    """

    is_worth_it: Callable[[Exception], bool]
    bounds: Retry | None = None
    is_question: bool = False
    counts_as: Hashable = None


READ = RetryPolicy(is_worth_it=lambda error: may_repeat(error) and not _is_for_token(error), is_question=True)
"""For requests that may be repeated at will."""

WRITE = RetryPolicy(is_worth_it=lambda error: had_no_effect(error) and not _is_for_token(error))
"""For requests whose effect must not be doubled."""

NO_RETRY = RetryPolicy(is_worth_it=lambda _: False)
"""For a single attempt, such as a part of something that is repeated as a whole."""


class Attempts:
    """Counts the attempts of one request, and tells how long to wait before the next one.

    The pause is what the server asked for in Retry-After, else random up to a bound that doubles each time: full jitter
    keeps clients that failed together from coming back together.

    Args:
        policy: When to try again.
        bounds: The bounds of a policy that has none.
        throttle: Of the host; hears of it when the bounds are reached.
        request: What is sent; None for something that takes several requests.
    """

    def __init__(self, policy: RetryPolicy, bounds: Retry, throttle: Throttle, request: Request | None = None) -> None:
        self._policy = policy
        self._bounds = policy.bounds or bounds
        self._throttle = throttle
        self._request = request
        self._began = asyncio.get_running_loop().time()
        self._successes_before = throttle.circuit_breaker.successes
        self._failed = self._unreadable = 0
        self._max_pause = MAX_FIRST_PAUSE

    def pause_after(self, error: Exception) -> float | None:
        """Seconds until the next attempt, None if there is none. Raises an UnavailableError if the host is broken."""
        if not self._policy.is_worth_it(error):
            return None
        pause = self._next_pause(error)
        if pause is None:
            self._throttle.gave_up(self._key(), error, self._successes_before)
        else:
            log.info("trying again in %.2g s: %s", pause, error)
        return pause

    def _next_pause(self, error: Exception) -> float | None:
        max_pause = min(self._bounds.max_wait, self._max_pause)
        self._max_pause = 2 * max_pause
        self._failed += 1
        self._unreadable += isinstance(error, errors.UnreadableAnswerError)
        asked: float | None = getattr(error, "retry_after", None)
        if self._unreadable >= MAX_UNREADABLE or (asked is not None and asked > self._bounds.max_time):
            return None
        pause = random.uniform(0, max_pause) if asked is None else asked  # noqa: S311  # spreads load only
        passed = asyncio.get_running_loop().time() - self._began
        if self._failed >= self._bounds.attempts or passed >= self._bounds.max_time:
            return None
        is_too_late = passed + pause > MISTYPED_TIME and self._throttle.may_be_mistyped(error)
        return None if is_too_late else pause

    def _key(self) -> Hashable:
        """What tells this request from others. A task that keeps asking the same may have a bad question."""
        if self._policy.counts_as is not None:
            return self._policy.counts_as
        if self._request is None or not self._policy.is_question:
            return object()
        return asyncio.current_task(), self._request.method, self._request.url, self._request.data


async def repeat(attempts: Attempts, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something until it succeeds or there is no further attempt: then the last error is raised."""
    while True:
        try:
            return await operation(*args, **kwargs)
        except Exception as error:
            pause = attempts.pause_after(error)
            if pause is None:
                raise
        await asyncio.sleep(pause)  # out here: an error that is handled would become the context of a cancellation
