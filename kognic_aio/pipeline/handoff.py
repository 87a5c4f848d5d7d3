"""Hands results over from the run to its consumer."""

from collections import deque
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Handoff(Generic[T]):
    """Hands over results one by one. Each giver waits until the taker comes back, and so has handled the result.

    An anyio memory object stream does not wait for that. It also loses an item if the receiver is cancelled, as by a
    timeout, between being given the item and waking up.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[T, anyio.Event]] = deque()
        self._dealt_with = anyio.Event()
        self._changed = anyio.Event()
        self._closed = False

    async def give(self, result: T) -> None:
        """Give a result, and wait until the taker has taken it and come back."""
        dealt_with = anyio.Event()
        self._waiting.append((result, dealt_with))
        self._changed.set()
        await dealt_with.wait()

    async def take(self) -> T | None:
        """Wait for the next result; None when there are no more. The previous result counts as handled."""
        self._dealt_with.set()
        while not self._waiting:
            if self._closed:
                return None
            if self._changed.is_set():  # replaced only then: another taker may be waiting for it
                self._changed = anyio.Event()
            await self._changed.wait()
        # No await from here on, so that a cancellation cannot lose the result.
        result, self._dealt_with = self._waiting.popleft()
        return result

    def close(self) -> None:
        """Declare that no more results will come."""
        self._closed = True
        self._changed.set()
