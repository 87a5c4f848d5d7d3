"""Calls a callback with the events of a run, in a thread of its own."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio

from kognic_aio._tasks import is_being_cancelled
from kognic_aio._threads import Worker, leased_worker
from kognic_aio.events import Event

log = logging.getLogger("kognic_aio")

MAX_WAITING = 10_000
"""Events that wait for the callback. What comes beyond them is dropped."""

GATHERING = 0.02
"""Seconds in which events are gathered for the thread: to wake it for each would cost more than the events do."""

ENDING_TIME = 1.0
"""Seconds that the end of a run waits for the callback."""


class Callback:
    """Calls a callback with one event after another. A slow one loses events, one that raises is called again.

    Args:
        function: The callback.
        dropped: Called in the event loop when an event is dropped.
    """

    def __init__(self, function: Callable[[Event], object], dropped: Callable[[], object]) -> None:
        self._function = function
        self._dropped = dropped
        self._gathered: list[Event] = []
        self._put = self._called = 0  # each is changed by one thread only
        self._has_raised = False
        self._worker: Worker | None = None

    def put(self, event: Event) -> None:
        """Have the callback called with an event, soon."""
        if self._put - self._called >= MAX_WAITING:
            self._dropped()
            return
        self._put += 1
        self._gathered.append(event)
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHERING, self._hand_over)

    @asynccontextmanager
    async def calling(self) -> AsyncGenerator[None, None]:
        """Call the callback in the body of this context, and with what is left for a short time after it."""
        async with leased_worker() as self._worker:
            try:
                yield
            finally:
                self._hand_over()
                if not is_being_cancelled():
                    with anyio.move_on_after(ENDING_TIME):
                        await self._worker.run(_nothing)  # comes after all events

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered and self._worker is not None:
            self._worker.submit(self._call, gathered)

    def _call(self, events: Sequence[Event]) -> None:
        for event in events:
            try:
                self._function(event)
            except Exception:
                if not self._has_raised:
                    log.exception("on_event raised, which is logged once: %s", type(event).__name__)
                self._has_raised = True
            self._called += 1


def _nothing() -> None:
    """Take its turn in the thread."""
