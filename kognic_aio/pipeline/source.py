"""The caller's side of a run: scenes from any iterable, each with its files, for as long as the run needs them."""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Self, TypeAlias

from anyio import Semaphore, move_on_after

from kognic_aio._tasks import for_each, is_async_callable
from kognic_aio._threads import Worker, in_thread, leased_worker
from kognic_aio._validation.official import refuse_official
from kognic_aio.config import Limits
from kognic_aio.errors import InvalidError, KognicError, OfficialModelError
from kognic_aio.files import FileSource, ReadPool, opened_sources
from kognic_aio.model import BaseScene, PreAnnotation
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.pipeline.result import InvalidScene, Release, SceneWithPreAnnotation
from kognic_aio.pipeline.targets import Targets
from kognic_aio.scenes.job import AnyScene, files_of

Item: TypeAlias = SceneWithPreAnnotation | BaseScene | SceneRequest | InvalidScene
SceneSource: TypeAlias = Iterable[Item] | AsyncIterable[Item]

log = logging.getLogger("kognic_aio")

INTERNAL = ("kognic_aio", "anyio", "asyncio", "concurrent", "threading", "contextlib")
"""Packages whose frames lie between a run and the code of its source."""

IN_MEMORY = (list, tuple, set, frozenset, deque)
"""Sources that cannot block, and so need no thread."""

MAX_AHEAD = 16
"""Scenes that a thread reads ahead at most. Each may have its files in memory."""

RELEASING_TIME = 0.4
"""Seconds that a cancelled task waits for a release. It may have to abandon its scene within the same second."""


class Taken:
    """A scene with its pre-annotation and files, for as long as a run needs them: an async context manager.

    Releasing it drops the scene, closes its files, and calls `release`, once.

    Args:
        item: The item from the source.
        number: Its place in the source, from 1 on.
        room: Holds a place for the scene until it has one among the scene jobs.

    Attributes:
        external_id: The scene's external id, None if the source yielded no scene.
        targets: The targets of the scene, None if it has those of its run.
    """

    def __init__(self, item: object, number: int = 0, room: Semaphore | None = None) -> None:
        self.number = number
        self.external_id = external_id_of(item)
        self._item = item
        self._room = room
        self._release: Release | None = item.release if isinstance(item, SceneWithPreAnnotation) else None
        self.targets = Targets(item.targets) if isinstance(item, SceneWithPreAnnotation) and item.targets else None
        self._sources: Mapping[str, FileSource] | None = None
        self._files = AsyncExitStack()

    @property
    def scene(self) -> AnyScene:
        """The scene.

        Raises:
            InvalidError: If the source yielded something else, or an `InvalidScene`.
        """
        match self._item:
            case BaseScene() | SceneRequest() as scene:
                return scene
            case SceneWithPreAnnotation(scene=BaseScene() | SceneRequest() as scene):
                return scene
            case InvalidScene(error=error):
                raise error
            case SceneWithPreAnnotation(scene=other):
                raise InvalidError(f"SceneWithPreAnnotation.scene: expected a scene, got {type(other).__name__}")
            case other:
                raise InvalidError(f"expected a scene or a SceneWithPreAnnotation, got {type(other).__name__}")

    @property
    def pre_annotations(self) -> Mapping[str | None, PreAnnotation]:
        """The pre-annotations by name; a single one has none."""
        return annotations_of(self._item) if isinstance(self._item, SceneWithPreAnnotation) else {}

    async def sources(self, pool: ReadPool, *, dryrun: bool = False) -> Mapping[str, FileSource]:
        """Check the local files of the scene, and return the source of each file by filename.

        Args:
            pool: Turns and buffers that all uploads of the client share.
            dryrun: Whether nothing is sent. Streams that were passed as data stay open for a later run.

        Raises:
            MissingFileError: If a local file is missing, empty or not a file.
            DataError: If a stream is closed, or a small local file cannot be read.
        """
        if self._sources is None:  # a scene that is started afresh reads its spooled data again
            at_hand = opened_sources(files_of(self.scene), pool, dryrun=dryrun)
            self._sources = await self._files.enter_async_context(at_hand)
        return self._sources

    @property
    def has_room(self) -> bool:
        """Whether it still has the place of a scene that was taken ahead."""
        return self._room is not None

    def leave_room(self) -> None:
        """Make room for the next scene from the source."""
        room, self._room = self._room, None
        if room is not None:
            room.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave_room()
        await self.release(is_cancelled=isinstance(error, asyncio.CancelledError))

    async def release(self, *, is_cancelled: bool = False) -> None:
        """Release the scene, which the run no longer needs.

        Args:
            is_cancelled: Whether the task is already cancelled. Then the wait for `release` is bounded: asyncio may
                cancel a task only once, so no second cancellation would end it.
        """
        # Dropped first: scenes may carry their files in memory, and this one may wait hours for its processing.
        self._item = self._sources = None
        try:
            await self._files.aclose()
        finally:
            await self._tell_owner(is_cancelled=is_cancelled)

    async def _tell_owner(self, *, is_cancelled: bool) -> None:
        release, self._release = self._release, None
        if release is None:
            return
        # A task of its own, because it continues for a short time when this one is cancelled.
        releasing = asyncio.create_task(_call(release, self.external_id), name="release")
        try:
            if not is_cancelled:
                await asyncio.wait([releasing])
        finally:
            if not releasing.done():
                with move_on_after(RELEASING_TIME, shield=True):
                    await asyncio.wait([releasing])
                releasing.cancel()

    def release_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Release the scene from the thread of the source, after the run has stopped taking scenes."""
        release, self._release = self._release, None
        if release is None:
            return
        # In the loop if it still runs: an async `release` may use objects that belong to it.
        calling = _call(release, self.external_id)
        try:
            asyncio.run_coroutine_threadsafe(calling, loop).result()
        except RuntimeError:  # the loop is closed
            asyncio.run(calling)


def annotations_of(item: SceneWithPreAnnotation) -> Mapping[str | None, PreAnnotation]:
    """The pre-annotations of a scene by name; a single one has none."""
    if item.pre_annotation is not None:
        return {None: item.pre_annotation}
    return {name: each for name, each in item.pre_annotations.items()}  # noqa: C416  # other keys than theirs


def external_id_of(item: object) -> str | None:
    """The external id of an item from a source; None if the item is not a scene."""
    if isinstance(item, InvalidScene):
        return item.external_id
    scene = item.scene if isinstance(item, SceneWithPreAnnotation) else item
    # A scene whose class did not initialize it has none. That is its own failure, not that of the source.
    external_id: object = getattr(scene, "external_id", None) if isinstance(scene, BaseScene | SceneRequest) else None
    return external_id if isinstance(external_id, str) else None


async def _call(release: Release, external_id: str | None) -> None:
    """Call `release`, in the loop or in a thread. Log what it raises: its scene may have succeeded already."""
    try:
        result = release() if is_async_callable(release) else await in_thread(release)
        if inspect.isawaitable(result):
            await result
    except asyncio.CancelledError:
        log.warning("release of scene %r was cancelled before it had ended", external_id)
    except Exception as error:
        log.warning("release of scene %r failed: %s: %s", external_id, type(error).__name__, error)


def check_source(source: object) -> None:
    """Check that a source can be iterated over."""
    # A single model of kognic-io would pass as a source: pydantic models are iterable.
    refuse_official(source, "scenes_with_pre_annotations")
    if isinstance(source, str | bytes) or not isinstance(source, Iterable | AsyncIterable):
        given = type(source).__name__
        raise InvalidError(f"scenes_with_pre_annotations: expected an iterable or async iterable, got {given}")


async def check_item(item: object) -> None:
    """Refuse a model of kognic-io, and release its files.

    Raises:
        OfficialModelError: Which ends the run, because the rest of the source would be the same.
    """
    try:
        refuse_official(item, "scenes_with_pre_annotations")
        if isinstance(item, SceneWithPreAnnotation):
            refuse_official(item.scene, "SceneWithPreAnnotation.scene")
    except OfficialModelError:
        async with Taken(item):
            raise


def scenes_ahead(source: SceneSource, limits: Limits) -> int:
    """How many scenes a run takes from a source before it has places for them among the scene jobs."""
    if isinstance(source, (AsyncIterable, *IN_MEMORY)):
        return 1
    return min(MAX_AHEAD, limits.scene_jobs // 4, limits.in_flight // 4) or 1


def items(source: SceneSource, room: Semaphore) -> AsyncGenerator[Item, None]:
    """Return a generator of the items of a source, which takes each when there is room for it.

    A source that is left before its end is not closed: its owner may continue with it.
    """
    if isinstance(source, AsyncIterable):
        return _async_items(source, room)
    if isinstance(source, IN_MEMORY):
        return _items_in_memory(source, room)
    return _items_from_thread(source, room)


async def _async_items(source: AsyncIterable[Item], room: Semaphore) -> AsyncGenerator[Item, None]:
    await room.acquire()
    async for item in source:
        yield item
        del item  # or it would stay in memory until the next one comes
        await room.acquire()


async def _items_in_memory(source: Iterable[Item], room: Semaphore) -> AsyncGenerator[Item, None]:
    await room.acquire()
    for item in source:
        yield item
        await room.acquire()


async def _items_from_thread(source: Iterable[Item], room: Semaphore) -> AsyncGenerator[Item, None]:
    """Iterate over a source in a thread, as it may block.

    It is always the same thread, because objects such as SQLite connections only work in the one that created them.
    """
    # Waking the thread costs more than all else that is done to take a scene. So it is woken only when half of the room
    # is free, for several scenes. Meanwhile those in the other half get the places among the scene jobs.
    several = ((room.max_value or 1) + 1) // 2
    async with leased_worker() as worker:
        pulling = _Pulling(source, worker)
        del source  # so that a generator without another owner is finalized in its thread
        try:
            has_more = True
            while has_more:
                for _ in range(several):
                    await room.acquire()
                job = pulling.begin(several)
                while await pulling.has_given(job):
                    yield pulling.given.popleft()
                has_more = job.result()
        finally:
            await pulling.leave()


class _Pulling:
    """Takes items from an iterable in a thread. An item that comes after the run has left is released.

    Args:
        source: The iterable.
        worker: The thread.

    Attributes:
        given: The items that were pulled and not yet taken.
    """

    def __init__(self, source: Iterable[Item], worker: Worker) -> None:
        self.given: deque[Item] = deque()
        self._source: Iterable[Item] = source
        self._iterator: Iterator[Item] | None = None
        self._worker = worker
        self._job: asyncio.Future[bool] | None = None
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._is_left = False

    def begin(self, count: int) -> "asyncio.Future[bool]":
        """Let the thread pull some items. The result is whether there may be more."""
        job = self._job = asyncio.wrap_future(self._worker.submit(self._pull, count))
        job.add_done_callback(lambda _: self._news.set())
        return job

    async def has_given(self, job: "asyncio.Future[bool]") -> bool:
        """Wait for an item. Return False if the job has ended, and all its items were taken."""
        while not self.given:
            if job.done():
                return False
            self._news.clear()
            await self._news.wait()
        return True

    def _pull(self, count: int) -> bool:
        if self._iterator is None:
            self._iterator = iter(self._source)
        for number in range(count):
            if number:
                self._announce()
            try:
                self.given.append(next(self._iterator))
            except StopIteration:
                return False
            # A race with `leave` in the other thread: that sets the flag before it reads `given`, this appends before
            # it reads the flag. So at least one of them sees an item that comes at the same time.
            if self._is_left:
                for taken in self._unwanted():
                    taken.release_late(self._loop)
                break
        return True

    def _announce(self) -> None:
        """Wake the loop for what was pulled, as the source may take long for the next item."""
        if len(self.given) == 1:  # otherwise it was woken already, and will take them all
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._news.set)

    def _forget(self) -> None:
        self._source, self._iterator = (), None

    async def leave(self) -> None:
        """Take no more items, and drop the source."""
        self._is_left = True
        self._worker.submit(self._forget)  # not awaited: the thread may be blocked in the source
        if self._job is not None:
            self._job.cancel()
        unwanted = [*self._unwanted()]
        await for_each(unwanted, partial(Taken.release, is_cancelled=True), workers=len(unwanted))

    def _unwanted(self) -> Iterator[Taken]:
        """Yield the scenes that nobody will take. Both threads may ask: only one of them gets each."""
        while self.given:
            try:
                yield Taken(self.given.popleft())
            except IndexError:
                return


def explain_failure(error: Exception, taken: int, last: str | None) -> None:
    """Add to the error of a source where it failed, and remove our own frames from its traceback.

    Args:
        error: The error that the source raised.
        taken: How many scenes it gave before.
        last: The external id of the last of them, None if that was not a scene.
    """
    frames = error.__traceback__
    while frames is not None and str(frames.tb_frame.f_globals.get("__name__")).partition(".")[0] in INTERNAL:
        frames = frames.tb_next
    if frames is not None:  # otherwise the error comes from our own code, and keeps its traceback
        error.__traceback__ = frames
    scenes = "1 scene" if taken == 1 else f"{taken} scenes"
    place = f"after {scenes}" if taken else "at its first scene"
    named = "" if last is None else f", the last one {last!r}"
    problem = f"the source of scenes failed {place}{named}"
    if isinstance(error, KognicError):
        error.explain(problem)
    else:
        error.add_note(problem)  # the message of an error that is not ours stays as it is
