"""Where a run meets its consumer."""

from collections import deque

import anyio

from kognic_aio.pipeline.result import InputCreationResult


class Handoff:
    """Hands over results one by one; each waits until somebody takes it.

    An anyio memory object stream would do, but for one thing: it loses the item if the receiver is cancelled, as by a
    timeout, between being given it and waking up.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[InputCreationResult, anyio.Event]] = deque()
        self._changed = anyio.Event()
        self._closed = False

    async def give(self, result: InputCreationResult) -> None:
        """Wait until the result has been taken."""
        taken = anyio.Event()
        self._waiting.append((result, taken))
        self._changed.set()
        await taken.wait()

    async def take(self) -> InputCreationResult | None:
        """Wait for the next result; None when there will be no more."""
        while not self._waiting:
            if self._closed:
                return None
            if self._changed.is_set():
                self._changed = anyio.Event()
            await self._changed.wait()
        result, taken = self._waiting.popleft()
        taken.set()
        return result

    def close(self) -> None:
        """No more results will be given."""
        self._closed = True
        self._changed.set()
