"""Scenes that earlier runs have started and left: they are invalidated beside a run, or before it fails."""

import logging
from typing import TYPE_CHECKING

from attrs import frozen

from kognic_aio.errors import DOOM, KognicError
from kognic_aio.pipeline.journal import Step

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from kognic_aio.pipeline.flow import Run
    from kognic_aio.pipeline.journal import Entry, Journal

log = logging.getLogger("kognic_aio")


@frozen
class Orphans:
    """Invalidates what earlier runs have left behind.

    The platform may not show a scene yet, or may never have heard of it, so that it may take a whole grace period until
    it is known what became of it. No scene of the run waits for that, only the end of the run.

    Args:
        run: The run that goes on, or cannot.
        journal: Knows the orphans, and forgets each once it is invalidated.
        tasks: Has a task for each.
    """

    _run: "Run"
    _journal: "Journal"
    _tasks: "TaskGroup"

    def invalidate(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene. It stays in the journal until that is done."""
        self._tasks.start_soon(self._invalidate, scene_uuid)

    def give_up(self, entry: "Entry") -> None:
        """Begin to give up a scene that was started, unless it turns out to be committed."""
        self._tasks.start_soon(self._give_up, entry)

    async def _give_up(self, entry: "Entry") -> None:
        scene_uuid = entry.scene_uuid
        with self._run.alive():
            if scene_uuid is None or (entry.step is Step.COMMITTING and await self._may_be_committed(scene_uuid)):
                return
            await self._journal.abandon(entry.key)
            await self._invalidate(scene_uuid)

    async def _may_be_committed(self, scene_uuid: str) -> bool:
        """Whether the platform has the scene committed, or does not tell."""
        try:
            return bool(await self._run.client.scene.was_committed(scene_uuid))
        except DOOM:
            raise
        except KognicError as error:
            log.warning("scene %s may be committed, and is left as it is: %s", scene_uuid, error)
            return True

    async def _invalidate(self, scene_uuid: str) -> None:
        with self._run.alive():
            if await self._run.client.scene.discard(scene_uuid):
                await self._journal.invalidated([scene_uuid])
