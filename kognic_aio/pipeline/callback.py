"""Calls a callback with the events of a run, in a thread of its own."""

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from queue import SimpleQueue
from weakref import ref

import anyio

from kognic_aio._tasks import is_async_callable
from kognic_aio.errors import InvalidError
from kognic_aio.events import Event

log = logging.getLogger("kognic_aio")

MAX_WAITING = 10_000
"""Events that wait for the callback. What comes beyond them is dropped."""

GATHERING = 0.02
"""Seconds in which events are gathered for the thread: to wake it for each would cost more than the events do."""

HANGING_TIME = 1.0
"""Seconds for one event after which the end of a run waits for the callback no longer."""

ENDING_TIME = 10.0
"""Seconds after which it waits no longer in any case."""


class OnEvent:
    """The callback as the caller's iterator holds it.

    The run has only a weak reference: a callback that refers to the iterator, as to look at its progress, must not keep
    a run alive whose iterator is dropped.

    Args:
        function: The callback.

    Raises:
        InvalidError: If it cannot be called, or calling it would not run it.
    """

    def __init__(self, function: object) -> None:
        if not callable(function) or is_async_callable(function) or inspect.isgeneratorfunction(function):
            raise InvalidError(f"on_event: expected a function, neither async nor a generator, got {function!r}")
        self.function: Callable[[Event], object] = function


class Callback:
    """Calls a callback with one event after another, in the context of its creation.

    A slow one loses events; after an error it goes on with the next event. Neither holds up the run.
    """

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = ref(on_event)
        self._context = copy_context()
        self._gathered: list[Event] = []
        # A thread that is not of the pool: a callback that hangs would take one from it for good.
        self._handed_over = SimpleQueue[Sequence[Event] | None]()
        self._put = self._called = 0  # each is changed by one thread only
        self._is_over = self._has_raised = False

    def put(self, event: Event) -> bool:
        """Queue an event. Return False if it is dropped."""
        if self._is_over or self._put - self._called >= MAX_WAITING:
            return False
        self._put += 1
        self._gathered.append(event)
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHERING, self._hand_over)
        return True

    @asynccontextmanager
    async def calling(self, dropped: Callable[[int], object]) -> AsyncGenerator[None, None]:
        """Call the callback in the body of this context. After it, only an unfinished call goes on.

        Unless the body is cancelled, the callback gets the rest of its events, or as many as it takes before it hangs.
        `dropped` is called with the number of the others.
        """
        is_cancelled = False
        threading.Thread(target=self._context.run, args=(self._work,), name="kognic_aio events", daemon=True).start()
        try:
            yield
        except asyncio.CancelledError:
            is_cancelled = True
            raise
        finally:
            if not is_cancelled:
                self._hand_over()
                with suppress(asyncio.CancelledError):  # all is done: whoever cancels the run now only ends the wait
                    await self._finished()
            self._is_over = True
            self._handed_over.put(None)
            dropped(self._put - self._called)

    async def _finished(self) -> None:
        """Wait until all events have been told, or the callback hangs."""
        until = time.monotonic() + ENDING_TIME
        called, since = self._called, time.monotonic()
        while self._called < self._put and time.monotonic() < min(until, since + HANGING_TIME):
            await anyio.sleep(GATHERING)
            if self._called > called:
                called, since = self._called, time.monotonic()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._handed_over.put(gathered)

    def _work(self) -> None:
        while (events := self._handed_over.get()) is not None:
            for event in events:
                if self._is_over:
                    return
                self._call(event)

    def _call(self, event: Event) -> None:
        try:
            if (on_event := self._on_event()) is not None:
                on_event.function(event)
        except BaseException:  # a SystemExit would only end this thread
            if not self._has_raised:
                log.exception("on_event raised, which is logged once: %s", type(event).__name__)
            self._has_raised = True
        finally:
            self._called += 1
