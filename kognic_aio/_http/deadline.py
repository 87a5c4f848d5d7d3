"""The time that an answer may take altogether.

aiohttp's clock (`sock_read`) restarts with every byte. A server that sends a byte now and then, endless answers of 1xx
or endless extensions of a chunk would never time out.
"""

import asyncio
from contextvars import Context
from types import TracebackType
from typing import Self

import aiohttp

from kognic_aio._http.sending import LOOKS, Sending

PATIENCE = 2
"""How many times `timeout` an answer may take, beside the time for its bytes."""

MIN_RATE = 16 << 10
"""Bytes per second of the slowest answer."""

LONGEST = 3600.0
"""Seconds that an answer may take, however large it is."""


class Deadline:
    """Ends an exchange that takes too long, by a TimeoutError. Use it around the request.

    The wait for a connection does not count, nor does an upload as long as it moves.

    Args:
        sending: The body, if there is one.
        running: All deadlines that run; this one while it does.

    Attributes:
        received: Bytes of the answer that have come.
        request: aiohttp's request, which tells when it is on its way.
    """

    def __init__(self, sending: Sending | None, running: "set[Deadline]") -> None:
        self.received = 0
        self.request: aiohttp.ClientRequest | None = None
        self._sending = sending
        self._running = running
        self._sent_at: float | None = None
        self._scope = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._running.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.discard(self)
        await self._scope.__aexit__(kind, error, traceback)

    def look(self, now: float, timeout: float) -> None:
        """End the exchange if it has taken too long, by the loop's clock."""
        if self._is_over(now, timeout):
            self._scope.reschedule(now)

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


class Deadlines:
    """Watches all exchanges of a client by one timer: a timer for each would cost much of its request.

    Args:
        timeout: How long a server may be silent.
    """

    def __init__(self, timeout: aiohttp.ClientTimeout) -> None:
        self.timeout = timeout
        self._running = set[Deadline]()
        self._is_looking = False

    def of(self, sending: Sending | None) -> Deadline:
        """The deadline of an exchange that is about to begin, with its body if it has one."""
        if not self._is_looking:
            self._look_later()
        return Deadline(sending, self._running)

    def _look_later(self) -> None:
        """Look again, even after the client was closed: an exchange may still have to be ended."""
        if (timeout := self.timeout.sock_read) is not None:
            self._is_looking = True
            # In a context of its own, as that of the task may be large and would be kept.
            asyncio.get_running_loop().call_later(timeout / LOOKS, self._look, timeout, context=Context())

    def _look(self, timeout: float) -> None:
        self._is_looking = False
        now = asyncio.get_running_loop().time()
        for deadline in self._running:
            deadline.look(now, timeout)
        if self._running:
            self._look_later()
