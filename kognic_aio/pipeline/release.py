"""Giving the files of a scene back to their owner."""

import asyncio
import inspect
import logging
from functools import partial
from types import TracebackType
from typing import Self

from anyio import move_on_after

from kognic_aio._threads import in_thread
from kognic_aio.pipeline.result import Release, SceneWithPreAnnotation

log = logging.getLogger("kognic_aio")

RELEASING_TIME = 0.4
"""Seconds that a cancelled task waits at most for a release. It may have to abandon its scene in the same second."""


class Files:
    """The files of a scene, as long as a run needs them: leaving this async context manager releases them.

    They are released once, whoever leaves it first.

    Args:
        item: What the source gave.
    """

    def __init__(self, item: object) -> None:
        self._release: Release | None = item.release if isinstance(item, SceneWithPreAnnotation) else None
        self._external_id = external_id_of(item)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        release, self._release = self._release, None
        if release is None:
            return
        # A task of its own, as it goes on for a while when this one is cancelled.
        releasing = asyncio.create_task(_call(release, self._external_id), name="release")
        try:
            # Of a task that is cancelled already nothing may interrupt this wait: some cancel only once.
            if not isinstance(error, asyncio.CancelledError):
                await asyncio.wait([releasing])
        finally:
            if not releasing.done():
                with move_on_after(RELEASING_TIME, shield=True):
                    await asyncio.wait([releasing])
                releasing.cancel()

    def release_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Release the files from the thread of the source, which gave them when nobody wanted them any more."""
        release, self._release = self._release, None
        if release is None:
            return
        calling = _call(release, self._external_id)
        try:
            asyncio.run_coroutine_threadsafe(calling, loop).result()
        except RuntimeError:  # the loop is closed
            asyncio.run(calling)


def external_id_of(item: object) -> str | None:
    """The external id of what a source gave, None if it is no scene."""
    scene = item.scene if isinstance(item, SceneWithPreAnnotation) else item
    external_id: object = getattr(scene, "external_id", None)
    return external_id if isinstance(external_id, str) else None


async def _call(release: Release, external_id: str | None) -> None:
    """Call it, wherever it belongs. It cannot make a scene fail, so what it raises is logged."""
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
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - an object with an async __call__
