"""Where the scenes of a run come from: any iterable or async iterable."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from typing import TypeAlias

from kognic_aio._threads import leased_worker
from kognic_aio.errors import KognicError
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.result import SceneWithPreAnnotation
from kognic_aio.pipeline.taken import Taken

Item: TypeAlias = SceneWithPreAnnotation | BaseScene
Source: TypeAlias = Iterable[Item] | AsyncIterable[Item]


async def items(source: Source) -> AsyncGenerator[Item, None]:
    """What the source gives. What is not in memory is asked for in a thread, always the same, as it may read files.

    A source that is left before its end is not closed: it is its owner's, who may go on with it.
    """
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    elif isinstance(source, list | tuple | set | frozenset | deque):
        for item in source:
            yield item
    else:
        pulling = _Pulling(source)
        del source  # a generator that nobody else has ends in the thread that has read it
        async with leased_worker() as worker:
            try:
                while await worker.run(pulling.pull):
                    yield pulling.given.popleft()
            finally:
                worker.submit(pulling.forget)
                await pulling.leave()


class _Pulling:
    """Takes items from an iterable in a thread. One that comes when nobody wants it any more is released.

    Args:
        source: Gives the items.

    Attributes:
        given: What it has given: an item, until that is taken.
    """

    def __init__(self, source: Iterable[Item]) -> None:
        self.given: deque[Item] = deque()
        self._source: Iterable[Item] = source
        self._iterator: Iterator[Item] | None = None
        self._loop = asyncio.get_running_loop()
        self._is_left = False

    def pull(self) -> bool:
        """Take the next item, and tell whether there was one."""
        if self._iterator is None:
            self._iterator = iter(self._source)
        try:
            self.given.append(next(self._iterator))
        except StopIteration:
            return False
        if self._is_left:
            for taken in self._unwanted():
                taken.release_late(self._loop)
        return True

    def forget(self) -> None:
        """Let go of the source."""
        self._source, self._iterator = (), None

    async def leave(self) -> None:
        """Take no more items."""
        self._is_left = True
        for taken in self._unwanted():
            await taken.release()

    def _unwanted(self) -> Iterator[Taken]:
        """The scenes that nobody will take. Both threads may ask, one of them gets it."""
        while self.given:
            try:
                yield Taken(self.given.popleft())
            except IndexError:
                return


def explain_failure(error: Exception, taken: int, last: str | None) -> None:
    """Say in the error of a source where it failed.

    Args:
        error: What the source raised.
        taken: How many scenes it gave before.
        last: The external id of the last of them, None if that was no scene.
    """
    scenes = "1 scene" if taken == 1 else f"{taken} scenes"
    place = f"after {scenes}" if taken else "at its first scene"
    named = "" if last is None else f", the last one {last!r}"
    problem = f"the source of scenes failed {place}{named}"
    if isinstance(error, KognicError):
        error.explain(problem)
    else:
        error.add_note(problem)
