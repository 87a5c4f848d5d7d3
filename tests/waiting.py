"""How tests wait: for a condition, and never without end."""

from collections.abc import Callable

import anyio


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Let the event loop run until something holds, which has to be within some seconds."""
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.001)
