"""Sends requests that must take effect at most once, where a response may get lost."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from kognic_aio._http.api import Api
from kognic_aio._http.retry import NO_RETRY, READ, may_come_late, may_have_had_effect, may_repeat

T = TypeVar("T")


async def at_most_once(api: Api, act: Callable[[Api], Awaitable[T]], find: Callable[[Api], Awaitable[T | None]]) -> T:
    """Send a request that must take effect at most once: after an ambiguous failure, `find` it before repeating.

    Both functions get an API whose requests have one attempt each, as the whole is repeated.
    """
    single = api.with_policy(NO_RETRY)
    is_uncertain = is_late = False

    async def found_by(api: Api) -> T | None:
        return await (find_late(api, find) if is_late else find(api))

    async def attempt() -> T:
        nonlocal is_uncertain, is_late
        if is_uncertain and (found := await found_by(single)) is not None:
            return found
        is_uncertain = False
        try:
            return await act(single)
        except Exception as error:
            is_uncertain, is_late = may_have_had_effect(error), may_come_late(error)
            raise

    try:
        return await api.attempts(READ).until_success(attempt)
    except Exception as error:  # of the last attempt, whose effect is still unknown
        if is_uncertain and may_repeat(error) and (found := await found_by(api)) is not None:
            return found
        raise


async def find_late(api: Api, find: Callable[[Api], Awaitable[T | None]]) -> T | None:
    """Find the effect of a request whose response was lost just now. It may still come."""
    if (found := await find(api)) is not None:
        return found
    await anyio.sleep(api.late_effect_seconds)
    return await find(api)
