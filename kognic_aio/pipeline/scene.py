"""The life of one scene, in a straight line."""

from asyncio import CancelledError
from collections.abc import Generator
from contextlib import contextmanager

from kognic_aio._tasks import is_being_cancelled
from kognic_aio.errors import ENDS_RUN, KognicError
from kognic_aio.model import Input
from kognic_aio.pipeline.journal import Entry, Step
from kognic_aio.pipeline.pre_annotations import checked_pre_annotation
from kognic_aio.pipeline.record import Record
from kognic_aio.pipeline.result import InputCreationResult, InputCreationStage, InputCreationStatus
from kognic_aio.pipeline.run import Run
from kognic_aio.pipeline.source import Taken
from kognic_aio.scenes.abandon import abandoned_on_failure
from kognic_aio.scenes.inputs import create_only_inputs, create_only_pre_annotation, find_only_inputs
from kognic_aio.scenes.job import Restarts, check_type, commit, reserve, start, upload, validate
from kognic_aio.scenes.lookup import was_committed


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
    record = Record(run.records, taken.external_id)
    live, restarts = dry_run_scene if run.dryrun else run_scene, Restarts(taken.external_id)
    try:
        async with taken:
            while True:
                try:
                    return await live(taken, record, run), record
                except ENDS_RUN:
                    raise
                except StageError as error:
                    return await record.settle_failed(error.stage, error.__cause__ or error), record
                except Exception as error:  # also what the caller's own objects raise
                    if not restarts.may_follow(error):
                        return await record.settle_failed(InputCreationStage.SCENE, error), record
                except CancelledError:
                    # Unless somebody cancels this task, the caller's code raised it. The task group would treat it as
                    # its own cancellation, and end the run without an error.
                    if is_being_cancelled():
                        raise
                    cancelled = KognicError("the scene was cancelled by other code")
                    return await record.settle_failed(InputCreationStage.SCENE, cancelled), record
    finally:
        run.left_jobs(taken)
        record.close()


async def run_scene(taken: Taken, record: Record, run: Run) -> InputCreationResult:
    """Take a scene from its source to its inputs.

    Each step is recorded before it is taken, and steps that an earlier run took are not repeated.
    """
    annotation = await check(taken)
    await record.open(taken, annotation)
    if record.earlier_result is not None:
        record.warn_of_calibration()
        return record.earlier_result
    async with run.scene_job(taken):
        scene_uuid = await committed_earlier(record, run)
        if scene_uuid is None:
            sources = await taken.sources(run.limiters.read_pool)
            job = await reserve(run.backend)
            await record.starting(job.scene_uuid)
            async with abandoned_on_failure(run.backend, job, record, run.orphans.invalidate):
                await start(run.backend, job, taken.scene, sources, run.feature_flags)
                await upload(job.uploads, run.limiters.uploads, run.progress.sent)
                await record.reached(Step.COMMITTING)
            # A cancelled commit may have had its effect. With a journal, the next run finds out, and keeps the uploads.
            # Without one, nobody will ever ask, so the scene is invalidated.
            async with abandoned_on_failure(
                run.backend, job, record, run.orphans.invalidate, if_cancelled=not record.has_journal
            ):
                await commit(run.backend, job)
            await record.reached(Step.COMMITTED)
            scene_uuid = job.scene_uuid
            del sources, job  # or the files would stay in memory while the scene is processed
    if not await run.watcher.created(scene_uuid):
        return record.result(InputCreationStatus.PROCESSING)
    if annotation is not None:
        await pre_annotate(scene_uuid, annotation, record, run)
    return await record.settle_created(await create_scene_inputs(scene_uuid, record, run))


async def dry_run_scene(taken: Taken, record: Record, run: Run) -> InputCreationResult:
    """Validate a scene, and create nothing. Its streams stay open for a later run."""
    await check(taken, dryrun=True)
    async with run.limiters.scene_jobs:
        taken.leave_room()
        await taken.sources(run.limiters.read_pool, keep=True)
        await validate(run.backend, taken.scene, run.feature_flags)
    return record.result(InputCreationStatus.VALIDATED)


async def check(taken: Taken, *, dryrun: bool = False) -> bytes | None:
    """Check that the source gave a scene, and that its pre-annotation fits it. Return the pre-annotation as JSON."""
    check_type(taken.scene)
    if taken.pre_annotation is None:
        return None
    with failing_at(InputCreationStage.PRE_ANNOTATION):
        return await checked_pre_annotation(taken.pre_annotation, taken.scene, dryrun)


async def committed_earlier(record: Record, run: Run) -> str | None:
    """Resume a scene that an earlier run committed, and return its uuid. A scene that was only started is abandoned."""
    # A started scene is not finished, because its signed URLs are not in the journal: they are secrets, and expire.
    if record.found.replaced is not None:
        await make_way(record.found.replaced, record, run)
        return None
    earlier = record.found.resumed
    if earlier is None or earlier.scene_uuid is None:
        return None
    if await was_committed_earlier(earlier.step, earlier.scene_uuid, record, run):
        record.warn_of_calibration()
        return earlier.scene_uuid
    if record.scene_uuid is not None:  # unless the platform turned out never to have started it
        await leave(earlier.scene_uuid, record, run)
    return None


async def was_committed_earlier(step: Step, scene_uuid: str, record: Record, run: Run) -> bool:
    """Return whether an earlier run, which came as far as this step, has committed a scene."""
    if step is not Step.COMMITTING:  # the only step after which the journal alone cannot tell
        return step is not Step.STARTING
    is_committed = await was_committed(run.backend, scene_uuid)
    if is_committed:
        await record.reached(Step.COMMITTED)
    elif is_committed is None:  # `was_committed` has waited a grace period, so the scene will not appear any more
        await record.never_started(scene_uuid)
    return bool(is_committed)


async def make_way(earlier: Entry, record: Record, run: Run) -> None:
    """Discard what an earlier run recorded of a scene, and abandon the scene unless it has become an input."""
    scene_uuid, is_created = earlier.scene_uuid, earlier.status is InputCreationStatus.CREATED
    # The response to that request was lost. Invalidating the scene would remove an input that people may work on.
    if scene_uuid is not None and earlier.step is Step.CREATING_INPUT:
        inputs = await find_only_inputs(run.backend, scene_uuid, run.project, run.batch)
        if inputs:
            await record.became_input(inputs)
            is_created = True
    await record.make_way()
    if scene_uuid is not None and not is_created:
        await leave(scene_uuid, record, run)


async def leave(scene_uuid: str, record: Record, run: Run) -> None:
    """Invalidate a scene of an earlier run, in the background."""
    await record.abandoned(scene_uuid)
    run.orphans.invalidate_inherited(scene_uuid)


async def pre_annotate(scene_uuid: str, annotation: bytes, record: Record, run: Run) -> None:
    """Create the scene's pre-annotation, unless an earlier run has done so."""
    if record.preannotation_uuid is not None:
        return
    with failing_at(InputCreationStage.PRE_ANNOTATION):
        async with run.limiters.inputs:
            may_exist = record.was_about_to(Step.PRE_ANNOTATING)
            if not may_exist:
                await record.reached(Step.PRE_ANNOTATING)
            created = await create_only_pre_annotation(run.backend, scene_uuid, annotation, may_exist=may_exist)
            await record.reached(Step.PRE_ANNOTATED, preannotation_uuid=created.id)


async def create_scene_inputs(scene_uuid: str, record: Record, run: Run) -> list[Input]:
    """Create the scene's inputs, unless an earlier run has done so."""
    with failing_at(InputCreationStage.INPUT_FROM_SCENE):
        async with run.limiters.inputs:
            may_exist = record.was_about_to(Step.CREATING_INPUT)
            if not may_exist:
                await record.reached(Step.CREATING_INPUT)
            return await create_only_inputs(run.backend, scene_uuid, run.project, run.batch, may_exist=may_exist)
