"""When a request may be repeated, and how long to wait before it is."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TypeVar

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

        # Most requests succeed at once, and the loop costs as much as a request: it begins with the first error.
        async def attempt() -> T:
            if failed:
                raise failed.pop()
            return await operation()

        import stamina  # noqa: PLC0415 - imported when a client opens

        caller = stamina.AsyncRetryingCaller(attempts=retry.attempts, timeout=retry.max_time)
        try:
            return await caller(_pause(retry, worth_it, this), attempt)
        except Exception as error:
            if worth_it(error):
                this.gave_up(error)
            raise


def _pause(retry: Retry, worth_it: Callable[[Exception], bool], this: Step) -> Callable[[Exception], bool | float]:
    """Tell whether to try again after an error, and after how many seconds."""
    failures = count()
    unreadable = count(1)
    now = asyncio.get_running_loop().time

    def pause(error: Exception) -> bool | float:
        if not worth_it(error):
            return False
        if isinstance(error, UnreadableAnswerError) and next(unreadable) >= MAX_UNREADABLE:
            return False
        asked: float | None = getattr(error, "retry_after", None)
        if asked is not None and asked > retry.max_time:
            return False
        bound = min(retry.max_wait, FIRST_WAIT * 2.0 ** min(next(failures), 16))
        seconds = random.uniform(0, bound) if asked is None else asked  # noqa: S311 - spreads load, guards nothing
        if this.may_be_mistyped(error) and now() + seconds - this.began > PATIENCE_WITH_A_NAME:
            return False
        log.info("tried again in %.2g s: %s", seconds, error)
        return seconds

    return pause
