"""Where a run meets its consumer."""

from collections import deque
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Handoff(Generic[T]):
    """Hands over results one by one; each waits until its taker comes back, having dealt with it.

    An anyio memory object stream would do, but for that, and for one thing more: it loses the item if the receiver is
    cancelled, as by a timeout, between being given it and waking up.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[T, anyio.Event]] = deque()
        self._dealt_with = anyio.Event()
        self._changed = anyio.Event()
        self._closed = False

    async def give(self, result: T) -> None:
        """Wait until the result has been taken, and its taker has come back."""
        dealt_with = anyio.Event()
        self._waiting.append((result, dealt_with))
        self._changed.set()
        await dealt_with.wait()

    async def take(self) -> T | None:
        """Wait for the next result; None when there will be no more. What was taken before has been dealt with."""
        self._dealt_with.set()
        while not self._waiting:
            if self._closed:
                return None
            if self._changed.is_set():
                self._changed = anyio.Event()
            await self._changed.wait()
        result, self._dealt_with = self._waiting.popleft()
        return result

    def close(self) -> None:
        """No more results will be given."""
        self._closed = True
        self._changed.set()
