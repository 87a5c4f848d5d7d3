"""Ask, then repeat: what must not happen twice, where an answer may get lost."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from kognic_aio._http.api import Api
from kognic_aio._http.retry import NO_RETRY, READ, may_come_late, may_have_had_effect, may_repeat, repeat

T = TypeVar("T")


async def once(api: Api, act: Callable[[Api], Awaitable[T]], look: Callable[[Api], Awaitable[T | None]]) -> T:
    """Do what must not happen twice. After a failure that may have had its effect, ask the platform.

    Args:
        api: The API. What is called gets one whose requests have one attempt each, as the whole is repeated.
        act: What to do.
        look: What came of it: its result if it has happened, None if it has not and is to be done again.
    """
    tried = api.with_policy(NO_RETRY)
    is_uncertain = is_late = False

    async def attempt() -> T:
        nonlocal is_uncertain, is_late
        if is_uncertain and (found := await (look_late(tried, look) if is_late else look(tried))) is not None:
            return found
        is_uncertain = False
        try:
            return await act(tried)
        except Exception as error:
            is_uncertain, is_late = may_have_had_effect(error), may_come_late(error)
            raise

    try:
        return await repeat(api.attempts(READ), attempt)
    except Exception as error:  # of the last attempt, whose effect is still to be found out
        if is_uncertain and may_repeat(error) and (found := await look(api)) is not None:
            return found
        raise


async def look_late(api: Api, look: Callable[[Api], Awaitable[T | None]]) -> T | None:
    """What came of a request whose answer was lost just now: the platform may still be about to do it."""
    if (found := await look(api)) is not None:
        return found
    await anyio.sleep(api.grace)
    return await look(api)
