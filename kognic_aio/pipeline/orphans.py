"""Scenes that earlier runs have started and left: they are invalidated beside the run that goes on."""

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from kognic_aio.pipeline.flow import Run
    from kognic_aio.pipeline.journal import Journal


@frozen
class Orphans:
    """Invalidates what earlier runs have left behind.

    The platform may not show a scene yet, or may never have heard of it, so that it may take a whole grace period until
    it is known what became of it. No scene of the run waits for that, only the end of the run.

    Args:
        run: The run that goes on.
        journal: Knows the orphans, and forgets each once it is invalidated.
        tasks: Has a task for each.
    """

    _run: "Run"
    _journal: "Journal"
    _tasks: "TaskGroup"

    def invalidate(self, scene_uuid: str) -> None:
        """Begin to invalidate a scene. It stays in the journal until that is done."""
        self._tasks.start_soon(self._invalidate, scene_uuid)

    async def _invalidate(self, scene_uuid: str) -> None:
        with self._run.alive():
            if await self._run.client.scene.discard(scene_uuid):
                await self._journal.invalidated([scene_uuid])
