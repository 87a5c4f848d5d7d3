"""The journal of a run: opened for it, and cleared if the run cannot go on."""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import move_on_after

from kognic_aio._tasks import task_group
from kognic_aio._threads import in_thread
from kognic_aio.errors import JournalError
from kognic_aio.pipeline.journal import Destination, Journal
from kognic_aio.pipeline.run import Run

CLEARING_TIME = 5.0
"""Seconds beyond a grace period that it takes at most to clear a journal."""

log = logging.getLogger("kognic_aio")


@asynccontextmanager
async def recording(run: Run, path: str | os.PathLike[str] | None) -> AsyncGenerator[None, None]:
    """Have the run record its steps in the journal, if it has one."""
    if path is None:
        yield
        return
    async with Journal(path, _destination(run)) as journal:
        run.records.journal = journal
        yield


async def clear(run: Run, path: str | os.PathLike[str] | None) -> None:
    """Invalidate what earlier runs have left behind, as this one cannot go on, and no later one may.

    What is committed stays. What cannot be invalidated in time stays in the journal. If there is no journal yet, none
    is created: it would belong to a destination that may be misspelt.
    """
    if path is None or not await in_thread(os.path.exists, path):
        return
    timeout = run.backend.visibility.timeout + CLEARING_TIME
    with move_on_after(timeout) as time:
        try:
            async with Journal(path, _destination(run)) as journal, task_group() as tasks:
                orphans = run.orphans_of(journal, tasks)
                for scene_uuid in await journal.abandoned():
                    orphans.invalidate_inherited(scene_uuid)
                for entry in await journal.unfinished():
                    orphans.give_up(entry)
        except JournalError as error:
            log.warning("what earlier runs have left could not be invalidated: %s", error)
    if time.cancelled_caught:
        log.warning("journal %s: some of what earlier runs have left is not invalidated after %g s", path, timeout)


def _destination(run: Run) -> Destination:
    return Destination(run.backend.api.url("").rstrip("/"), run.backend.workspace_id(), run.project, run.batch)
