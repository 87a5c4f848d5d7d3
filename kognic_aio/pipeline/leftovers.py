"""What a run finds of a scene that is there already, and what it leaves of one that comes to nothing."""

import logging
from collections.abc import Sequence

from kognic_aio.errors import ENDS_RUN, InputExistsError, KognicError
from kognic_aio.pipeline.journal import Entry, Step
from kognic_aio.pipeline.record import Record
from kognic_aio.pipeline.run import Run
from kognic_aio.pipeline.source import Taken
from kognic_aio.scenes.inputs import find_inputs_anywhere
from kognic_aio.scenes.job import find_started
from kognic_aio.scenes.lookup import was_committed

log = logging.getLogger("kognic_aio")


async def look_up(taken: Taken, record: Record, run: Run) -> None:
    """Look up whether the platform has inputs of a scene of which the journal knows nothing, if the run is to.

    Raises:
        InputExistsError: If it has, and the scene is to fail for it.
    """
    if run.lookup is None or record.external_id is None or record.is_known:
        return
    found = await run.lookup.find(taken, record.external_id, record.targets.each)
    if found and run.lookup.fails:
        there = ", ".join(f"{target} has input {made.uuid}" for target, (made, *_) in found.items())
        raise InputExistsError(f"scene {record.external_id!r} exists already: {there}")
    if not found:
        return
    replaced, resumed = record.found.replaced, record.found.resumed
    if replaced is not None and await make_way(replaced, record, run) is not None:
        return  # it has inputs itself, and goes on
    if resumed is not None and resumed.scene_uuid is not None:  # it was only started
        await leave(resumed.scene_uuid, record, run)
    await record.take_up(found)


async def committed_earlier(record: Record, run: Run) -> str | None:
    """Resume a scene that an earlier run committed, and return its uuid. A scene that was only started is abandoned."""
    # A started scene is not finished, because its signed URLs are not in the journal: they are secrets, and expire.
    if record.found.replaced is not None:
        return await make_way(record.found.replaced, record, run)
    earlier = record.found.resumed
    if earlier is not None and earlier.scene_uuid is None and earlier.others is not None:
        return await unknown_scene(earlier.others, record, run)
    if earlier is None or earlier.scene_uuid is None:
        return None
    if await was_committed_earlier(earlier.step, earlier.scene_uuid, record):
        record.warn_of_calibration()
        return earlier.scene_uuid
    if record.scene_uuid is not None:  # unless the platform turned out never to have started it
        await leave(earlier.scene_uuid, record, run)
    return None


async def was_committed_earlier(step: Step, scene_uuid: str, record: Record) -> bool:
    """Return whether an earlier run, which came as far as this step, has committed a scene."""
    if step is not Step.COMMITTING:  # the only step after which the journal alone cannot tell
        return step is not Step.STARTING
    is_committed = await was_committed(record.backend, scene_uuid)
    if is_committed:
        await record.reached(Step.COMMITTED)
    elif is_committed is None:  # `was_committed` has waited a grace period, so the scene will not appear any more
        await record.never_started(scene_uuid)
    return bool(is_committed)


async def make_way(earlier: Entry, record: Record, run: Run) -> str | None:
    """Discard what an earlier run recorded of a scene, and abandon the scene unless it has inputs.

    With inputs, a scene of the same content goes on instead, and its uuid is returned.
    """
    scene_uuid, has_inputs = earlier.scene_uuid, earlier.has_inputs
    # The journal may not know of all inputs: responses may have been lost, and other runs may have created some.
    # Invalidating the scene would remove inputs that people may work on.
    if scene_uuid is not None and not has_inputs and earlier.step not in (Step.STARTING, Step.COMMITTING):
        inputs = await find_inputs_anywhere(record.backend, scene_uuid)
        if inputs and record.found.is_same:
            await record.reopen(earlier, None)
            return scene_uuid
        if has_inputs := bool(inputs):
            await record.became_input(earlier, inputs)
    if scene_uuid is None and earlier.others is not None:
        scene_uuid = await unknown_scene(earlier.others, record, run)
        has_inputs = False
    await record.make_way()
    if scene_uuid is not None and not has_inputs:
        await leave(scene_uuid, record, run)
    return None


async def leave(scene_uuid: str, record: Record, run: Run) -> None:
    """Invalidate a scene of an earlier run, in the background."""
    await record.abandoned(scene_uuid)
    run.orphans.invalidate_inherited(scene_uuid)


async def unknown_scene(others: Sequence[str], record: Record, run: Run) -> str | None:
    """Find the scene of a SceneRequest whose start an earlier run did not survive, and return its uuid.

    One that waits for files is invalidated, as its signed URLs are lost.
    """
    found = await find_started(record.backend, str(record.external_id), others)
    if found is None:
        return None
    if found.status.is_committed:
        await record.found_committed(found.uuid)
        return found.uuid
    await leave(found.uuid, record, run)
    return None


async def discard(record: Record, run: Run) -> None:
    """Invalidate a scene that has failed, in the background, unless it has inputs or is invalidated already."""
    scene_uuid = record.scene_uuid
    if scene_uuid is None or record.is_abandoned:
        return
    try:
        # Of any run, in any project: invalidating the scene would remove inputs that people may work on.
        if await find_inputs_anywhere(record.backend, scene_uuid):
            return
    except ENDS_RUN:
        raise
    except KognicError as error:
        log.warning("scene %s may have become an input, and is left as it is: %s", scene_uuid, error)
        return
    await record.abandoned(scene_uuid)
    run.orphans.invalidate(scene_uuid)
