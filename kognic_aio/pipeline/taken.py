"""A scene that a run has taken from its source, and has to release."""

import asyncio
import inspect
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self

from anyio import Semaphore, move_on_after

from kognic_aio._threads import in_thread
from kognic_aio.errors import InvalidError
from kognic_aio.files import FileSource, ReadPool, opened_sources
from kognic_aio.model import BaseScene, PreAnnotation
from kognic_aio.pipeline.result import Release, SceneWithPreAnnotation

log = logging.getLogger("kognic_aio")

RELEASING_TIME = 0.4
"""Seconds that a cancelled task waits for a release. It may have to abandon its scene within the same second."""


class Taken:
    """A scene with its pre-annotation and files, for as long as a run needs them: an async context manager.

    Releasing it drops the scene, closes its files, and calls `release`, once.

    Args:
        item: The item from the source.
        room: Holds a place for the scene until it has one among the scene jobs.

    Attributes:
        external_id: The scene's external id, None if the source gave no scene.
    """

    def __init__(self, item: object, room: Semaphore | None = None) -> None:
        self.external_id = external_id_of(item)
        self._item = item
        self._room = room
        self._release: Release | None = item.release if isinstance(item, SceneWithPreAnnotation) else None
        self._sources: Mapping[str, FileSource] | None = None
        self._files = AsyncExitStack()

    @property
    def scene(self) -> BaseScene:
        """The scene.

        Raises:
            InvalidError: If the source gave something else.
        """
        match self._item:
            case SceneWithPreAnnotation(scene=BaseScene() as scene) | (BaseScene() as scene):
                return scene
            case SceneWithPreAnnotation(scene=other):
                raise InvalidError(f"SceneWithPreAnnotation.scene: expected a scene, got {type(other).__name__}")
            case other:
                raise InvalidError(f"expected a scene or a SceneWithPreAnnotation, got {type(other).__name__}")

    @property
    def pre_annotation(self) -> PreAnnotation | None:
        """The pre-annotation, if there is one."""
        return self._item.pre_annotation if isinstance(self._item, SceneWithPreAnnotation) else None

    async def sources(self, pool: ReadPool, *, keep: bool = False) -> Mapping[str, FileSource]:
        """Check the local files of the scene, and return the source of each file by filename.

        Args:
            pool: Turns and buffers that all uploads of the client share.
            keep: Whether to leave streams open that were passed as data, for a later run.

        Raises:
            InvalidError: If a local file is missing, empty or not a file.
            DataError: If a stream is closed.
        """
        if self._sources is None:  # a scene that is started afresh reads its spooled data again
            at_hand = opened_sources(self.scene.resources, pool, keep=keep)
            self._sources = await self._files.enter_async_context(at_hand)
        return self._sources

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


def external_id_of(item: object) -> str | None:
    """The external id of an item from a source; None if the item is not a scene."""
    scene = item.scene if isinstance(item, SceneWithPreAnnotation) else item
    return scene.external_id if isinstance(scene, BaseScene) else None


async def _call(release: Release, external_id: str | None) -> None:
    """Call `release`, in the loop or in a thread. Log what it raises: its scene may have succeeded already."""
    try:
        result = release() if _is_async(release) else await in_thread(release)
        if inspect.isawaitable(result):
            await result
    except asyncio.CancelledError:
        log.warning("release of scene %r was cancelled before it had ended", external_id)
    except Exception as error:
        log.warning("release of scene %r failed: %s: %s", external_id, type(error).__name__, error)


def _is_async(function: Release) -> bool:
    if isinstance(function, partial):
        return _is_async(function.func)
    is_async = inspect.iscoroutinefunction
    return is_async(function) or is_async(getattr(function, "__call__", None))  # noqa: B004  # an object with one
