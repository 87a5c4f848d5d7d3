"""Takes the scenes of a run from any iterable or async iterable."""

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
    """Yield the items of a source.

    A source that is left before its end is not closed: its owner may continue with it.
    """
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    elif isinstance(source, list | tuple | set | frozenset | deque):  # in memory: they cannot block
        for item in source:
            yield item
    else:
        # Anything else may read files, so it is iterated in a thread. It is always the same one, because objects such
        # as SQLite connections only work in the thread that created them.
        pulling = _Pulling(source)
        del source  # so that a generator without another owner is finalized in its thread, by `forget`
        async with leased_worker() as worker:
            try:
                while await worker.run(pulling.pull):
                    yield pulling.given.popleft()
            finally:
                worker.submit(pulling.forget)  # not awaited: the thread may be blocked in the source
                await pulling.leave()


class _Pulling:
    """Takes items from an iterable in a thread. An item that comes after the run has left is released.

    Args:
        source: The iterable.

    Attributes:
        given: At most one item: the one that was pulled and not yet taken.
    """

    def __init__(self, source: Iterable[Item]) -> None:
        self.given: deque[Item] = deque()
        self._source: Iterable[Item] = source
        self._iterator: Iterator[Item] | None = None
        self._loop = asyncio.get_running_loop()
        self._is_left = False

    def pull(self) -> bool:
        """Pull the next item into `given`. Return whether there was one."""
        if self._iterator is None:
            self._iterator = iter(self._source)
        try:
            self.given.append(next(self._iterator))
        except StopIteration:
            return False
        # A race with `leave` in the other thread: that sets the flag before it reads `given`, this appends before it
        # reads the flag. So at least one of them sees an item that comes at the same time.
        if self._is_left:
            for taken in self._unwanted():
                taken.release_late(self._loop)
        return True

    def forget(self) -> None:
        """Drop the source."""
        self._source, self._iterator = (), None

    async def leave(self) -> None:
        """Take no more items."""
        self._is_left = True
        for taken in self._unwanted():
            await taken.release()

    def _unwanted(self) -> Iterator[Taken]:
        """Yield the scene that nobody will take. Both threads may ask: only one of them gets it."""
        while self.given:
            try:
                yield Taken(self.given.popleft())
            except IndexError:
                return


def explain_failure(error: Exception, taken: int, last: str | None) -> None:
    """Add to the error of a source where it failed.

    Args:
        error: The error that the source raised.
        taken: How many scenes it gave before.
        last: The external id of the last of them, None if that was not a scene.
    """
    scenes = "1 scene" if taken == 1 else f"{taken} scenes"
    place = f"after {scenes}" if taken else "at its first scene"
    named = "" if last is None else f", the last one {last!r}"
    problem = f"the source of scenes failed {place}{named}"
    if isinstance(error, KognicError):
        error.explain(problem)
    else:
        error.add_note(problem)  # the message of an error that is not ours stays as it is
