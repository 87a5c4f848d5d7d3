"""The time that an answer may take altogether.

aiohttp's clock (`sock_read`) starts afresh with every byte that comes. A byte now and then, more and more answers of
1xx, or the extensions of a chunk would be waited for without end.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import aiohttp
from attrs import define

from kognic_aio._http.sending import LOOKS, Sending

PATIENCE = 2
"""How many times `timeout` an answer may take, beside what its bytes may."""

MIN_RATE = 16 << 10
"""Bytes a second that an answer has to come with, at least."""

LONGEST = 3600.0
"""Seconds that an answer may take, however large it is."""


@define(eq=False)
class Deadline:
    """The time that one exchange may take.

    The wait for a connection is not counted, nor is an upload as long as it moves.

    Args:
        sending: The body, if there is one.

    Attributes:
        received: Bytes of the answer that have come.
        request: aiohttp's request, which tells when it is on its way.
    """

    sending: Sending | None
    received: int = 0
    request: aiohttp.ClientRequest | None = None
    _sent_at: float | None = None

    def is_over(self, now: float, timeout: float) -> bool:
        """Whether it has taken too long, by the loop's clock."""
        if self.request is None or self.request.response is None:
            return False  # nothing has been sent yet
        if self.sending is None:
            self._sent_at = self._sent_at or now
            return now - self._sent_at > self._allowed(timeout)
        if self.sending.waits_since is None:
            return False
        allowed = self._allowed(timeout + self.sending.extra) if self.sending.is_over else timeout
        return now - self.sending.waits_since > allowed

    def end(self) -> None:
        """End the exchange by the error with which aiohttp's own clock ends it."""
        response = None if self.request is None else self.request.response
        if response is None or response.connection is None or response.connection.protocol is None:
            return  # it has ended
        protocol, error = response.connection.protocol, aiohttp.SocketTimeoutError("the answer takes too long")
        protocol.set_exception(error)
        body = cast("aiohttp.StreamReader | None", response.content)  # none while the head is waited for
        if body is not None:
            body.set_exception(error)
        if protocol.transport is not None:
            protocol.transport.abort()

    def _allowed(self, timeout: float) -> float:
        return min(PATIENCE * timeout + self.received / MIN_RATE, max(LONGEST, PATIENCE * timeout))


class Deadlines:
    """Looks after all exchanges of a client, as a timer for each would cost as much as a part of its request.

    Args:
        timeout: How long a server may be silent.

    Attributes:
        timeout: The same.
    """

    def __init__(self, timeout: aiohttp.ClientTimeout) -> None:
        self.timeout = timeout
        self._running = set[Deadline]()
        self._next_look: asyncio.TimerHandle | None = None

    @contextmanager
    def of(self, sending: Sending | None) -> Generator[Deadline, None, None]:
        """Look after an exchange. Use it around the request.

        Args:
            sending: The body, if there is one.
        """
        deadline = Deadline(sending)
        self._running.add(deadline)
        if self._next_look is None:
            self._look_later()
        try:
            yield deadline
        finally:
            self._running.discard(deadline)

    def close(self) -> None:
        """Look no more."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None

    def _look_later(self) -> None:
        if (timeout := self.timeout.sock_read) is not None:
            self._next_look = asyncio.get_running_loop().call_later(timeout / LOOKS, self._look, timeout)

    def _look(self, timeout: float) -> None:
        self._next_look = None
        now = asyncio.get_running_loop().time()
        for deadline in self._running:
            if deadline.is_over(now, timeout):
                deadline.end()
        if self._running:
            self._look_later()
