"""Scenes that were started and left: they are invalidated beside the run that goes on, or before one fails."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from anyio import Semaphore
from attrs import evolve, frozen

from kognic_aio._http.retry import NO_RETRY
from kognic_aio.errors import DOOM, KognicError
from kognic_aio.pipeline.journal import Entry, Journal, Step
from kognic_aio.scenes.abandon import invalidate_orphan
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.lookup import was_committed

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

log = logging.getLogger("kognic_aio")


@frozen
class Orphans:
    """Invalidates what this run or earlier ones have left behind.

    The platform may not show a scene yet, or may never have heard of it, so that it may take a whole grace period until
    it is known what became of it. No scene of the run waits for that, only the end of the run. Meanwhile the orphan is
    in the journal, if the run has one.

    Args:
        backend: The platform.
        limiter: Bounds the requests.
        journal: Has the orphans, if the run has a journal.
        tasks: Has a task for each orphan.
        guarded: What is done in it ends when the run fails, and may make the run fail.
    """

    _backend: Backend
    _limiter: Semaphore
    _journal: Journal | None
    _tasks: "TaskGroup"
    _guarded: Callable[[], AbstractContextManager[None]]

    def invalidate(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of this run, within the grace period that it has."""
        self._tasks.start_soon(self._invalidate, self._backend, scene_uuid)

    def invalidate_inherited(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of an earlier run. Its grace period begins now."""
        self._backend.visibility.expect(scene_uuid)
        # That the platform does not know it is no reason to wait, nor to find the platform broken.
        unhurried = evolve(self._backend, api=self._backend.api.with_policy(NO_RETRY))
        self._tasks.start_soon(self._invalidate, unhurried, scene_uuid)

    def give_up(self, entry: Entry) -> None:
        """Begin to give up a scene that was started, unless it turns out to be committed."""
        self._tasks.start_soon(self._give_up, entry)

    async def _give_up(self, entry: Entry) -> None:
        scene_uuid = entry.scene_uuid
        with self._guarded():
            if scene_uuid is None or (entry.step is Step.COMMITTING and await self._may_be_committed(scene_uuid)):
                return
            if self._journal is not None:
                await self._journal.abandon(entry.key)
            self.invalidate_inherited(scene_uuid)

    async def _may_be_committed(self, scene_uuid: str) -> bool:
        """Tell whether the platform has the scene committed, or does not say."""
        try:
            return bool(await was_committed(self._backend.api, self._backend.visibility, scene_uuid))
        except DOOM:
            raise
        except KognicError as error:
            log.warning("scene %s may be committed, and is left as it is: %s", scene_uuid, error)
            return True

    async def _invalidate(self, backend: Backend, scene_uuid: str) -> None:
        with self._guarded():
            if await invalidate_orphan(backend, scene_uuid, self._limiter) and self._journal is not None:
                await self._journal.invalidated([scene_uuid])
