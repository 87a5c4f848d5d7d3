"""How tests wait: for a condition, and never without end."""

from collections.abc import Callable, Coroutine

import anyio

GENEROUS = 60
"""Seconds within which whatever a test waits for has come, however busy the machine is: it keeps a test from hanging.

Whether something comes soon is no question of seconds: what would keep it waiting is held until it has come, or takes
an `HOUR`.
"""

HOUR = 3600.0
"""Seconds that no test lasts."""


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until something holds."""
    with anyio.fail_after(GENEROUS):
        while not condition():
            await anyio.sleep(0.001)


async def cancelled_when(condition: Callable[[], object], work: Coroutine[object, object, object]) -> None:
    """Run a coroutine, cancel it as soon as something holds, and wait until it has ended."""
    async with anyio.create_task_group() as group:
        group.start_soon(_awaited, work)
        await until(condition)
        group.cancel_scope.cancel()


async def _awaited(work: Coroutine[object, object, object]) -> None:
    await work
