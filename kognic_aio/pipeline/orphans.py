"""Scenes that were started and left: they are invalidated beside the run that goes on, or before one fails."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import frozen

from kognic_aio.errors import DOOM, KognicError
from kognic_aio.pipeline.journal import Step

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from kognic_aio.pipeline.flow import Run
    from kognic_aio.pipeline.journal import Entry

log = logging.getLogger("kognic_aio")


@frozen
class Orphans:
    """Invalidates what this run or earlier ones have left behind.

    The platform may not show a scene yet, or may never have heard of it, so that it may take a whole grace period until
    it is known what became of it. No scene of the run waits for that, only the end of the run. Meanwhile the orphan is
    in the journal, if the run has one.

    Args:
        run: The run that goes on, or cannot.
        tasks: Has a task for each.
    """

    _run: "Run"
    _tasks: "TaskGroup"

    def invalidate(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of this run, within the grace period that it has."""
        self._tasks.start_soon(self._discard, self._run.client.scene.discard, scene_uuid)

    def invalidate_inherited(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene of an earlier run. Its grace period begins now."""
        self._tasks.start_soon(self._discard, self._run.client.scene.discard_inherited, scene_uuid)

    def give_up(self, entry: "Entry") -> None:
        """Begin to give up a scene that was started, unless it turns out to be committed."""
        self._tasks.start_soon(self._give_up, entry)

    async def _give_up(self, entry: "Entry") -> None:
        scene_uuid = entry.scene_uuid
        with self._run.alive():
            if scene_uuid is None or (entry.step is Step.COMMITTING and await self._may_be_committed(scene_uuid)):
                return
            if (journal := self._run.records.journal) is not None:
                await journal.abandon(entry.key)
            await self._discard(self._run.client.scene.discard_inherited, scene_uuid)

    async def _may_be_committed(self, scene_uuid: str) -> bool:
        """Whether the platform has the scene committed, or does not tell."""
        try:
            return bool(await self._run.client.scene.was_committed(scene_uuid))
        except DOOM:
            raise
        except KognicError as error:
            log.warning("scene %s may be committed, and is left as it is: %s", scene_uuid, error)
            return True

    async def _discard(self, discard: Callable[[str], Awaitable[bool]], scene_uuid: str) -> None:
        with self._run.alive():
            journal = self._run.records.journal
            if await discard(scene_uuid) and journal is not None:
                await journal.invalidated([scene_uuid])
