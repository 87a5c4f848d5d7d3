"""The time that an answer may take altogether.

aiohttp's clock (`sock_read`) starts afresh with every byte that comes. A byte now and then, more and more answers of
1xx, or the extensions of a chunk would be waited for without end.
"""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp

from kognic_aio._http.sending import LOOKS, Sending

PATIENCE = 2
"""How many times `timeout` an answer may take, beside what its bytes may."""

MIN_RATE = 16 << 10
"""Bytes a second that an answer has to come with, at least."""

LONGEST = 3600.0
"""Seconds that an answer may take, however large it is."""


class Deadline:
    """Ends an exchange that takes too long, by a TimeoutError. Use it around the request.

    The wait for a connection is not counted, nor is an upload as long as it moves.

    Args:
        timeout: Seconds of the client's `timeout`; None is no bound.
        sending: The body, if there is one.

    Attributes:
        received: Bytes of the answer that have come.
        request: aiohttp's request, which tells when it is on its way.
    """

    def __init__(self, timeout: float | None, sending: Sending | None) -> None:
        self.received = 0
        self._timeout = timeout
        self._sending = sending
        self.request: aiohttp.ClientRequest | None = None
        self._sent_at: float | None = None
        self._scope = asyncio.timeout(None)
        self._next_look: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._look_later()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        await self._scope.__aexit__(kind, error, traceback)

    def _look_later(self) -> None:
        if self._timeout is not None:
            self._next_look = asyncio.get_running_loop().call_later(self._timeout / LOOKS, self._look, self._timeout)

    def _look(self, timeout: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._is_over(now, timeout):
            self._scope.reschedule(now)
        else:
            self._look_later()

    def _is_over(self, now: float, timeout: float) -> bool:
        if self.request is None or self.request.response is None:
            return False  # nothing has been sent yet
        if self._sending is None:
            self._sent_at = self._sent_at or now
            return now - self._sent_at > self._allowed(timeout)
        if self._sending.waits_since is None:
            return False
        allowed = self._allowed(timeout + self._sending.extra) if self._sending.is_over else timeout
        return now - self._sending.waits_since > allowed

    def _allowed(self, timeout: float) -> float:
        return min(PATIENCE * timeout + self.received / MIN_RATE, max(LONGEST, PATIENCE * timeout))
