"""When a request may be repeated, and how long to wait before it is."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from kognic_aio._http.hosts import GATEWAY_TIMED_OUT, Step, step
from kognic_aio._http.protocol import RETRYABLE_STATUSES, WITHOUT_EFFECT
from kognic_aio.errors import (
    CertificateError,
    ConnectError,
    LostAnswerError,
    MalformedAnswerError,
    ProxyError,
    StatusError,
    TimedOutError,
    TooManyRequestsError,
    UnreadableAnswerError,
)
from kognic_aio.limits import Retry

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
log = logging.getLogger("kognic_aio")

LATE = 5.0
"""Seconds in which an effect comes whose answer was lost, if it comes at all."""

FIRST_WAIT = 0.5
"""Seconds; the bound of the first pause, doubled with every further one."""

PATIENCE_WITH_A_NAME = 5.0
"""Seconds after which to give up on a host that has never been heard of: it may be a typing error."""

MAX_UNREADABLE = 6
"""Tries of a request whose answer is no HTTP: it may have had its effect each time, and a file may be large."""


def may_repeat(error: Exception) -> bool:
    """Whether a request that can be repeated at will, such as a read, is worth another try after this error."""
    match error:
        case CertificateError() | ProxyError():
            return False
        case StatusError():
            return error.status in RETRYABLE_STATUSES
        case _:
            return isinstance(error, ConnectError | LostAnswerError | TimedOutError | MalformedAnswerError)


def had_no_effect(error: Exception) -> bool:
    """Whether the request has provably done nothing, so that repeating it cannot double anything."""
    match error:
        case CertificateError() | ProxyError():
            return False
        case StatusError():
            return error.status in WITHOUT_EFFECT
        case _:
            return isinstance(error, ConnectError)


def may_have_had_effect(error: Exception) -> bool:
    """Whether the request may have done what it asked for, though it failed, so that the platform is to be asked.

    If it can be asked, not even a 503 is believed: proxies answer it for a connection that broke behind them.
    """
    return may_repeat(error) and not isinstance(error, ConnectError | TooManyRequestsError)


def may_come_late(error: Exception) -> bool:
    """Whether the platform may still be about to do it: whoever works on it has not answered."""
    if isinstance(error, StatusError):
        return error.status in GATEWAY_TIMED_OUT
    return isinstance(error, LostAnswerError | TimedOutError)


_one_try: ContextVar[bool] = ContextVar("one_try", default=False)


@contextmanager
def one_try_each() -> Generator[None, None, None]:
    """Have requests that are made in here tried once, as what they are part of is repeated as a whole."""
    token = _one_try.set(True)
    try:
        yield
    finally:
        _one_try.reset(token)


def has_one_try() -> bool:
    """Whether requests are tried once here."""
    return _one_try.get()


async def repeating(
    retry: Retry,
    worth_it: Callable[[Exception], bool],
    operation: Callable[[], Awaitable[T]],
    *,
    request: Hashable = None,
) -> T:
    """Do something until it succeeds, its error is not worth another try, or the bounds are reached.

    The pause between two tries is what the server asked for in Retry-After, else random up to a bound that doubles each
    time: full jitter keeps clients that failed together from coming back together.

    Args:
        retry: Bounds on count, pause and time.
        worth_it: Whether an error may go away if the operation is repeated.
        operation: One try.
        request: What tells this request from others; by default it is like no other.

    Raises:
        UnavailableError: If the host has answered nothing to several requests until they reached their bounds.
        Exception: The last try's error.
    """
    with step(request) as this:
        try:
            return await operation()
        except Exception as error:
            if not worth_it(error):
                raise
            failed = [error]

        import tenacity  # noqa: PLC0415 - imported when a client opens

        # Most requests succeed at once, and the loop costs as much as a request: it begins with the first error.
        async def attempt() -> T:
            if failed:
                raise failed.pop()
            return await operation()

        pauses = _Pauses(retry, worth_it, this)
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(pauses.is_worth_another_try),
            wait=pauses.seconds,
            stop=tenacity.stop_after_attempt(retry.attempts) | tenacity.stop_after_delay(retry.max_time),
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except Exception as error:
            if worth_it(error):
                this.gave_up(error)
            raise


class _Pauses:
    """Tells whether to try again after an error, and after how many seconds.

    Args:
        retry: Bounds on pause and time.
        worth_it: Whether an error may go away if the operation is repeated.
        this: The request with all its tries.
    """

    def __init__(self, retry: Retry, worth_it: Callable[[Exception], bool], this: Step) -> None:
        self._retry = retry
        self._worth_it = worth_it
        self._this = this
        self._unreadable = 0
        self._bound = FIRST_WAIT
        self._seconds = 0.0

    def is_worth_another_try(self, error: BaseException) -> bool:
        """Whether to try again; if so, `seconds` tells when."""
        if not isinstance(error, Exception) or not self._worth_it(error):
            return False
        self._unreadable += isinstance(error, UnreadableAnswerError)
        asked: float | None = getattr(error, "retry_after", None)
        if self._unreadable >= MAX_UNREADABLE or (asked is not None and asked > self._retry.max_time):
            return False
        bound = min(self._retry.max_wait, self._bound)
        self._bound = 2 * bound
        self._seconds = random.uniform(0, bound) if asked is None else asked  # noqa: S311 - spreads load only
        is_early = asyncio.get_running_loop().time() + self._seconds - self._this.began <= PATIENCE_WITH_A_NAME
        return is_early or not self._this.may_be_mistyped(error)

    def seconds(self, _: "RetryCallState") -> float:
        """The pause until the next try."""
        return self._seconds


def _log_retry(state: "RetryCallState") -> None:
    """One line for a retry. The library's own hooks would be those of all the process."""
    if state.outcome is not None:
        log.info("trying again in %.2g s: %s", state.upcoming_sleep, state.outcome.exception())
