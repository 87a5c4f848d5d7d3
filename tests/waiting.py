"""How tests wait: for a condition, and never without end."""

from collections.abc import Callable, Coroutine

import anyio


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Let the event loop run until something holds, which has to be within some seconds."""
    with anyio.fail_after(seconds):
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
