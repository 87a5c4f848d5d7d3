"""Retries: which errors are worth another attempt, and how long to wait before it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import ParamSpec, TypeVar

from attrs import frozen

from kognic_aio import errors
from kognic_aio._event_log import TellRetried, log_event
from kognic_aio._http.protocol import GATEWAY_TIMED_OUT, RETRYABLE_STATUSES, TOKEN_PATH, WITHOUT_EFFECT, Request
from kognic_aio._http.throttle import Throttle
from kognic_aio.config import Retry
from kognic_aio.events import Retried

P = ParamSpec("P")
T = TypeVar("T")

MAX_FIRST_PAUSE = 0.5
"""Seconds of the longest first pause. The bound doubles with every further one."""

MISTYPED_TIME = 5.0
"""Seconds after which to give up on a host that has never responded: its name may be mistyped."""

MAX_UNREADABLE = 6
"""Attempts of a request whose response is not HTTP: each may have had its effect, and a file may be large."""


def may_repeat(error: Exception) -> bool:
    """Whether another attempt of a harmless request may succeed."""
    if isinstance(error, errors.StatusError):
        return error.status in RETRYABLE_STATUSES
    may_pass = isinstance(
        error, errors.ConnectError | errors.LostAnswerError | errors.TimedOutError | errors.MalformedAnswerError
    )
    return may_pass and not isinstance(error, errors.FINAL)


def had_no_effect(error: Exception) -> bool:
    """Whether the request provably had no effect, so that repeating it cannot double anything."""
    if isinstance(error, errors.StatusError):
        return error.status in WITHOUT_EFFECT
    return isinstance(error, errors.ConnectError) and not isinstance(error, errors.FINAL)


def may_have_had_effect(error: Exception) -> bool:
    """Whether the request may have had its effect, so that the platform has to be asked.

    A 503 proves nothing here: proxies also respond with it if a connection broke behind them.
    """
    return may_repeat(error) and not isinstance(error, errors.ConnectError | errors.TooManyRequestsError)


def may_come_late(error: Exception) -> bool:
    """Whether the effect may still come: the server may still work on the request."""
    if isinstance(error, errors.StatusError):
        return error.status in GATEWAY_TIMED_OUT
    return isinstance(error, errors.LostAnswerError | errors.TimedOutError)


def _is_for_token(error: Exception) -> bool:
    """Whether the request for a token failed. It had attempts of its own, which must not be multiplied."""
    # Its errors have the types of all errors, and callers should see them as they are. Only the URL tells them apart.
    return str(getattr(error, "url", "")).endswith(TOKEN_PATH)


@frozen(kw_only=True)
class RetryPolicy:
    """After which errors a request is repeated, and within which bounds: by default those of the client.

    The circuit breaker counts requests of one `breaker_key` once, and identical reads of one task.
    """

    is_retryable: Callable[[Exception], bool]
    bounds: Retry | None = None
    is_read: bool = False
    breaker_key: Hashable = None


READ = RetryPolicy(is_retryable=lambda error: may_repeat(error) and not _is_for_token(error), is_read=True)
"""For requests that are harmless to repeat."""

WRITE = RetryPolicy(is_retryable=lambda error: had_no_effect(error) and not _is_for_token(error))
"""For requests whose effect must not be doubled."""

NO_RETRY = RetryPolicy(is_retryable=lambda _: False)
"""For requests that are part of something that is repeated as a whole."""


class Attempts:
    """Counts the attempts of a request, and chooses the pause before the next one.

    The pause is the server's Retry-After, else random up to a bound that doubles each time. Full jitter keeps clients
    that failed together from coming back together. The host's throttle learns when there are no more attempts.

    Args:
        bounds: The bounds of a policy that has none.
        request: The request; None for something that takes several requests.
        tell: Is told of each further attempt.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        bounds: Retry,
        throttle: Throttle,
        request: Request | None = None,
        tell: TellRetried = log_event,
    ) -> None:
        self._tell = tell
        self._policy = policy
        self._bounds = policy.bounds or bounds
        self._throttle = throttle
        self._request = request
        self._began = asyncio.get_running_loop().time()
        self._successes_before = throttle.circuit_breaker.successes
        self._failed = self._unreadable = 0
        self._max_pause = MAX_FIRST_PAUSE

    @property
    def is_first(self) -> bool:
        """Whether no attempt has failed yet."""
        return not self._failed

    async def until_success(self, operation: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call an operation until it succeeds. When there is no further attempt, its last error is raised."""
        while True:
            try:
                return await operation(*args, **kwargs)
            except Exception as error:
                pause = self.pause_after(error)
                if pause is None:
                    raise
            await asyncio.sleep(pause)  # out here: an error that is handled would become the context of a cancellation

    def pause_after(self, error: Exception) -> float | None:
        """Seconds until the next attempt, None if there is none. Raises an UnavailableError if the host is broken."""
        if not self._policy.is_retryable(error):
            return None
        self._failed += 1
        self._unreadable += isinstance(error, errors.UnreadableAnswerError)
        asked: float | None = getattr(error, "retry_after", None)
        pause = self._next_pause(asked)
        if self._is_over(error, asked, pause):
            self._throttle.gave_up(self._key(), error, self._successes_before)
            return None
        what = str(self._request or " ".join(getattr(error, name, "") for name in ("method", "url")))
        self._tell(Retried(what=what, why=str(error), seconds=pause))
        return pause

    def _next_pause(self, asked: float | None) -> float:
        max_pause = min(self._bounds.max_wait, self._max_pause)
        self._max_pause = 2 * max_pause
        return random.uniform(0, max_pause) if asked is None else asked  # noqa: S311  # spreads load only

    def _is_over(self, error: Exception, asked: float | None, pause: float) -> bool:
        """Whether there is no further attempt: there were too many, or it would come too late."""
        passed = asyncio.get_running_loop().time() - self._began
        return (
            self._failed >= self._bounds.attempts
            or self._unreadable >= MAX_UNREADABLE
            or passed >= self._bounds.max_time
            or (asked is not None and asked > self._bounds.max_time)
            or (passed + pause > MISTYPED_TIME and self._throttle.may_be_mistyped(error))
        )

    def _key(self) -> Hashable:
        """The key of this request for the circuit breaker. Identical reads of one task have the same."""
        if self._policy.breaker_key is not None:
            return self._policy.breaker_key
        if self._request is None or not self._policy.is_read:
            return object()
        return asyncio.current_task(), self._request.method, self._request.url, self._request.data
