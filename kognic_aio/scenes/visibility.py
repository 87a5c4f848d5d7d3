"""Not found is not yet: the platform does not show a scene for a short time after its creation."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from anyio import sleep

from kognic_aio._http.paging import Paged
from kognic_aio.errors import NotFoundError, ProjectNotFoundError
from kognic_aio.scenes.answers import plain_uuid

T = TypeVar("T")

FIRST_PAUSE = 0.15
"""Seconds until a scene that was not found is asked for again."""

GROWTH = 1.5
"""Factor by which each pause is longer than the one before."""

MAX_PAUSE = 2.0
"""Seconds; the longest pause."""

UUID = re.compile("[0-9a-f]{32}")


class Visibility:
    """Knows which scenes may exist although the platform does not show them yet, and asks again for those.

    A scene has a grace period from its creation on. During that, a 404 counts as "not yet", and so does a list without
    it. A scene is remembered until its grace period is over.

    Args:
        timeout: The grace period of a scene in seconds.
        clock: Tells the time in seconds.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = timeout
        self._clock = clock
        self._ends: dict[str, float] = {}

    def created(self, *names: str, timeout: float | None = None) -> None:
        """Begin the grace period of a scene that was created just now.

        Args:
            names: Its uuid, and its external id if it may be asked for by that.
            timeout: Its grace period in seconds, by default that of all scenes.
        """
        now = self._clock()
        self._forget(now)
        for name in map(_key, names):
            self._ends.pop(name, None)  # what is written last ends last
            self._ends[name] = now + (self.timeout if timeout is None else timeout)

    def expect(self, scene_uuid: str, *, at_least: float = 0.0) -> None:
        """Begin the grace period of a scene that was created at an unknown time, unless it is within one.

        Args:
            scene_uuid: Its uuid.
            at_least: Seconds that its grace period has if that of all scenes is shorter.
        """
        if not self.is_expected(scene_uuid):
            self.created(scene_uuid, timeout=max(self.timeout, at_least))

    def invalidated(self, *scene_uuids: str) -> None:
        """End the grace period of scenes that were seen, and are not shown any more."""
        for uuid in scene_uuids:
            self._ends.pop(_key(uuid), None)

    def is_expected(self, name: str) -> bool:
        """Whether a scene is within its grace period."""
        return self._seconds_left([name]) > 0

    async def wait(self, names: Collection[str], ask: Callable[[], Awaitable[T]]) -> T:
        """What the platform answers about scenes once it shows them.

        Args:
            names: The scenes. Those of other clients have no grace period.
            ask: Asks for them, or does something with them.

        Raises:
            NotFoundError: If the platform does not show them, and no grace period is left.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await ask()
            except ProjectNotFoundError:
                raise
            except NotFoundError:
                left = self._seconds_left(names)
                if left <= 0:
                    raise
            await sleep(min(pause, left))
            pause = min(pause * GROWTH, MAX_PAUSE)

    def paged(self, names: Collection[str], found: Paged[T]) -> Paged[T]:
        """What a query finds about scenes once the platform shows them, page by page."""

        async def pages() -> AsyncIterator[Sequence[T]]:
            further, page = await self.wait(names, lambda: _first_page(found))
            while page is not None:
                yield page
                page = await anext(further, None)

        return Paged(pages)

    def _seconds_left(self, names: Collection[str]) -> float:
        """Seconds until the last of some scenes has no grace period any more."""
        return max((self._ends.get(_key(name), 0.0) for name in names), default=0.0) - self._clock()

    def _forget(self, now: float) -> None:
        """Forget the scenes whose grace period is over. They come in the order of its end, or nearly so."""
        while self._ends and self._ends[oldest := next(iter(self._ends))] <= now:
            del self._ends[oldest]


def _key(name: str) -> str:
    """The name by which a scene is remembered: all spellings of a uuid have the same."""
    plain = plain_uuid(name)
    return plain if UUID.fullmatch(plain) else name


async def _first_page(found: Paged[T]) -> tuple[AsyncIterator[Sequence[T]], Sequence[T] | None]:
    """The first page of several, and what gives the others."""
    pages = found.pages()
    return pages, await anext(pages, None)
