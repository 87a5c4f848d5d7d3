"""The life of one scene, in a straight line."""

import logging
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from kognic_aio._frames import without_frames
from kognic_aio._tasks import is_being_cancelled, map_in_order
from kognic_aio.errors import ENDS_RUN, KognicError, RunError
from kognic_aio.events import (
    FileSent,
    InputCreated,
    PreAnnotated,
    SceneChecked,
    SceneCommitted,
    SceneCreated,
    SceneRestarted,
)
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.journal import Step
from kognic_aio.pipeline.leftovers import committed_earlier, discard, look_up
from kognic_aio.pipeline.outcomes import Made
from kognic_aio.pipeline.pre_annotations import checked_pre_annotations
from kognic_aio.pipeline.record import Record
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage
from kognic_aio.pipeline.run import Run
from kognic_aio.pipeline.source import Taken
from kognic_aio.pipeline.targets import Targets, place_of
from kognic_aio.scenes.abandon import abandoned_on_failure
from kognic_aio.scenes.inputs import (
    create_inputs_once,
    create_pre_annotation_once,
    post_input,
    post_inputs,
)
from kognic_aio.scenes.job import Restarts, check_type, commit, reserve, start, upload, validate

log = logging.getLogger("kognic_aio")

K = TypeVar("K")
R = TypeVar("R")


class StageError(Exception):
    """Marks its cause as an error of a later stage than the scene itself."""

    def __init__(self, stage: InputCreationStage) -> None:
        super().__init__(stage)
        self.stage = stage


@contextmanager
def failing_at(stage: InputCreationStage) -> Generator[None, None, None]:
    """Set the stage at which a scene fails if the body of this context does. By default that is the scene itself."""
    try:
        yield
    except ENDS_RUN:
        raise
    except Exception as error:
        raise StageError(stage) from error


async def settle_scene(taken: Taken, run: Run) -> tuple[InputCreationResult, Record]:
    """Run a scene to its result. An error of its own makes it FAILED.

    Raises:
        KognicError: If the error ends the whole run.
    """
    record = Record(
        run.records,
        taken.external_id,
        taken.targets or run.targets,
        backend=run.backend_for(taken),
        tell=run.teller(taken),
    )
    try:
        async with taken:
            result = await result_of(taken, record, run)
            if run.discards_failed and result.status is InputCreationStatus.FAILED:
                await discard(record, run)
            return result, record
    finally:
        run.left_jobs(taken)
        record.close()


async def result_of(taken: Taken, record: Record, run: Run) -> InputCreationResult:
    """Take a scene through its steps, again if it has to be started afresh, and turn its errors into a result."""
    steps, restarts = dry_run_scene if run.dryrun else run_scene, Restarts()
    while True:
        try:
            return await steps(taken, record, run)
        except ENDS_RUN:
            raise
        except StageError as error:
            failure = failure_of(error.stage, error.__cause__ or error)
        except CancelledError:
            # Unless somebody cancels this task, the caller's code raised it. The task group would treat it as its own
            # cancellation, and end the run without an error.
            if is_being_cancelled():
                raise
            failure = failure_of(InputCreationStage.SCENE, KognicError("the scene was cancelled by other code"))
        except Exception as error:  # also what the caller's own objects raise
            if restarts.may_follow(error):
                record.tell(SceneRestarted, why=str(error))
                continue
            failure = failure_of(InputCreationStage.SCENE, error)
        return await record.settle_failed(failure)


def failure_of(stage: InputCreationStage, error: BaseException) -> InputCreationError:
    """Describe an error of a scene. It is kept without frames, which have the scene and its files."""
    return InputCreationError(stage=stage, message=str(error) or type(error).__name__, exception=without_frames(error))


async def run_scene(taken: Taken, record: Record, run: Run) -> InputCreationResult:
    """Take a scene from its source to its inputs.

    Each step is recorded before it is taken, and steps that an earlier run took are not repeated.
    """
    annotations = await check(taken, record.targets, run)
    record.tell(SceneChecked)
    await record.open(taken, annotations)
    await look_up(taken, record, run)
    if record.earlier_result is not None:
        record.warn_of_calibration()
        return record.earlier_result
    async with run.scene_job(taken):
        scene_uuid = await committed_earlier(record, run)
        if scene_uuid is None:
            sources = await taken.sources(run.limiters.read_pool)
            job = await reserve(record.backend, taken.scene)
            await record.starting(job)
            async with abandoned_on_failure(record.backend, job, record, run.orphans.invalidate):
                await start(record.backend, job, taken.scene, sources, run.feature_flags)
                await record.started(job)
                await upload(job.uploads, run.limiters.uploads, partial(tell_of_file, record))
                await record.reached(Step.COMMITTING)
            # A cancelled commit may have had its effect. With a journal, the next run finds out, and keeps the uploads.
            # Without one, nobody will ever ask, so the scene is invalidated.
            async with abandoned_on_failure(
                record.backend, job, record, run.orphans.invalidate, if_cancelled=not record.has_journal
            ):
                await commit(record.backend, job)
            await record.reached(Step.COMMITTED)
            scene_uuid = job.scene_uuid
            del sources, job  # or the files would stay in memory while the scene is processed
        record.tell(SceneCommitted, scene_uuid=scene_uuid)
    if not await is_created_in_time(scene_uuid, record, run):
        return record.processing()
    pre_annotations = await pre_annotate(scene_uuid, annotations, record, run)
    return await record.settle(await create_target_inputs(scene_uuid, pre_annotations, record, run))


def tell_of_file(record: Record, name: str, size: int, seconds: float) -> None:
    """Tell that a file of the scene was uploaded."""
    record.tell(FileSent, name=name, size=size, seconds=seconds)


async def is_created_in_time(scene_uuid: str, record: Record, run: Run) -> bool:
    """Wait until the platform has processed the scene, and return whether it did so in time."""
    began = time.monotonic()
    is_created = await run.watcher.wait_until_created(scene_uuid)
    if is_created:
        record.tell(SceneCreated, scene_uuid=scene_uuid, seconds=time.monotonic() - began)
    return is_created


async def dry_run_scene(taken: Taken, record: Record, run: Run) -> InputCreationResult:
    """Validate a scene, and create nothing. Its streams stay open for a later run."""
    await check(taken, record.targets, run)
    record.tell(SceneChecked)
    await look_up(taken, record, run)
    if record.earlier_result is not None:
        return record.earlier_result
    async with run.limiters.scene_jobs:
        taken.leave_room()
        await taken.sources(run.limiters.read_pool, dryrun=True)
        await validate(record.backend, taken.scene, run.feature_flags)
    return record.result(InputCreationStatus.VALIDATED)


async def check(taken: Taken, targets: Targets, run: Run) -> Mapping[str | None, bytes]:
    """Check that the source gave a scene, that its own targets exist, and that its pre-annotations fit it.

    Returns:
        The pre-annotations as JSON, by name.
    """
    check_type(taken.scene)
    if targets is not run.targets:
        await check_own_targets(targets, run)
    with failing_at(InputCreationStage.PRE_ANNOTATION):
        return await checked_pre_annotations(taken.pre_annotations, taken.scene, targets, run.dryrun)


async def check_own_targets(targets: Targets, run: Run) -> None:
    """Check the targets that a scene has of its own. A missing project or batch is its own failure, not the run's."""
    try:
        await run.check_targets(targets)
    except RunError as error:
        raise StageError(InputCreationStage.INPUT_FROM_SCENE) from error


async def pre_annotate(
    scene_uuid: str, annotations: Mapping[str | None, bytes], record: Record, run: Run
) -> Mapping[str | None, str | InputCreationError]:
    """Create the scene's pre-annotations, unless an earlier run has done so. One that fails stops no other.

    Returns:
        By name, the uuid of each pre-annotation, or why there is none.
    """
    left = [name for name in annotations if name not in record.preannotation_uuids]
    if not left:
        return record.preannotation_uuids
    may_exist = record.has_come_to(Step.PRE_ANNOTATING)
    if not may_exist:
        await record.reached(Step.PRE_ANNOTATING)

    async def create(name: str | None) -> str:
        async with run.limiters.inputs:
            created = await create_pre_annotation_once(
                record.backend, scene_uuid, annotations[name], name, may_exist=may_exist
            )
        record.tell(PreAnnotated, name=name, preannotation_uuid=created.id)
        return created.id

    made = await attempt_each(InputCreationStage.PRE_ANNOTATION, left, create)
    await record.pre_annotated({name: uuid for name, uuid in made.items() if isinstance(uuid, str)})
    for name in made.keys() - {target.pre_annotation for target in record.targets.each}:
        if isinstance(failure := made[name], InputCreationError) and not record.targets.is_project:
            log.warning("scene %r has no pre-annotation %r: %s", record.external_id, name, failure.message)
    return {**made, **record.preannotation_uuids}


async def create_target_inputs(
    scene_uuid: str, pre_annotations: Mapping[str | None, str | InputCreationError], record: Record, run: Run
) -> Mapping[InputTarget, Made]:
    """Create the inputs of the scene's targets, unless an earlier run has done so. A target that fails stops no other.

    Returns:
        By target, its inputs, or why it has none.
    """
    await record.creating_inputs()

    async def create(target: InputTarget) -> Made:
        pre_annotation = pre_annotations.get(target.pre_annotation)
        if isinstance(pre_annotation, InputCreationError):
            return pre_annotation
        create_now = post_inputs if record.targets.is_project else partial(post_input, pre_annotation=pre_annotation)
        async with run.limiters.inputs:
            inputs = await create_inputs_once(
                record.backend, scene_uuid, *place_of(target), create_now, may_exist=record.may_have(target)
            )
        record.tell(InputCreated, target=target, input_uuid=inputs[0].uuid)
        return inputs

    return await attempt_each(InputCreationStage.INPUT_FROM_SCENE, record.targets_left, create)


async def attempt_each(
    stage: InputCreationStage, items: Sequence[K], action: Callable[[K], Awaitable[R | InputCreationError]]
) -> dict[K, R | InputCreationError]:
    """Call an action with every item concurrently, and return its results. An error of an item's own is its result."""

    async def attempt(item: K) -> R | InputCreationError:
        try:
            return await action(item)
        except ENDS_RUN:
            raise
        except Exception as error:
            return failure_of(stage, error)

    return dict(zip(items, await map_in_order(items, attempt, workers=len(items)), strict=True))
