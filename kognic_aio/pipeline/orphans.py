"""Invalidates scenes that were started and left, in the background of a run."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from anyio import Semaphore
from attrs import evolve, frozen

from kognic_aio._http.retry import NO_RETRY
from kognic_aio.errors import ENDS_RUN, KognicError
from kognic_aio.pipeline.journal import Entry, Journal, Step
from kognic_aio.pipeline.journal.facts import Change, Invalidated
from kognic_aio.scenes.abandon import invalidate_orphan
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.inputs import find_inputs_anywhere
from kognic_aio.scenes.lookup import was_committed

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

log = logging.getLogger("kognic_aio")


@frozen
class Orphans:
    """Invalidates scenes that this run and earlier ones left behind.

    It may take a whole grace period to find out whether an orphan exists. No scene waits for that, only the end of the
    run. Meanwhile the journal, if any, keeps the orphan. `guarded` is a context that is cancelled when the run fails,
    and that may fail the run.
    """

    _backend: Backend
    _limiter: Semaphore
    _journal: Journal | None
    _tasks: "TaskGroup"
    _guarded: Callable[[], AbstractContextManager[None]]

    def invalidate(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of this run, within the rest of its grace period."""
        self._tasks.start_soon(self._invalidate, self._backend, scene_uuid)

    def invalidate_inherited(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of an earlier run. Its grace period begins now."""
        self._backend.visibility.ensure_grace_period(scene_uuid)
        # No retries: if this fails, the journal keeps the orphan for the next run. Nor do these requests decide whether
        # the host is broken: the platform may never have known the scene.
        unhurried = evolve(self._backend, api=self._backend.api.with_policy(NO_RETRY))
        self._tasks.start_soon(self._invalidate_childless, unhurried, scene_uuid)

    def give_up(self, entry: Entry) -> None:
        """Begin to abandon a scene that an earlier run started, unless it turns out to be committed."""
        self._tasks.start_soon(self._give_up, entry)

    async def _give_up(self, entry: Entry) -> None:
        scene_uuid = entry.scene_uuid
        with self._guarded():
            if scene_uuid is None or (entry.step is Step.COMMITTING and await self._may_be_committed(scene_uuid)):
                return
            # Recorded first, so that after a crash the next run does not resume a scene that is invalidated.
            if self._journal is not None:
                await self._journal.add(entry.key, Change.ABANDONED)
            self.invalidate_inherited(scene_uuid)

    async def _may_be_committed(self, scene_uuid: str) -> bool:
        """Return whether the scene is committed, or its status cannot be had."""
        try:
            return bool(await was_committed(self._backend, scene_uuid))
        except ENDS_RUN:
            raise
        except KognicError as error:  # in doubt, keep it: uploads that are committed are worth more than an orphan
            log.warning("scene %s may be committed, and is left as it is: %s", scene_uuid, error)
            return True

    async def _invalidate_childless(self, backend: Backend, scene_uuid: str) -> None:
        """Invalidate a scene of an earlier run, unless it has inputs: people may work on them.

        The journal may not know of them: responses may have been lost, and other runs may have created some.
        """
        with self._guarded():
            try:
                has_inputs = bool(await find_inputs_anywhere(backend, scene_uuid, wait=False))
            except ENDS_RUN:
                raise
            except KognicError as error:
                log.warning("scene %s may have inputs, and is left as it is: %s", scene_uuid, error)
                return
            if not has_inputs:
                await self._invalidate(backend, scene_uuid)
            elif self._journal is not None:
                await self._journal.add("", Invalidated(scene_uuid))

    async def _invalidate(self, backend: Backend, scene_uuid: str) -> None:
        with self._guarded():
            if await invalidate_orphan(backend, scene_uuid, self._limiter) and self._journal is not None:
                await self._journal.add("", Invalidated(scene_uuid))
