"""The life of one scene, in a straight line."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from anyio import CancelScope, Semaphore
from attrs import define, evolve, field, frozen

from kognic_aio.client import KognicIOClient
from kognic_aio.errors import DOOM, InvalidError
from kognic_aio.model import BaseScene, FeatureFlags, Input, PreAnnotation
from kognic_aio.pipeline.journal import Entry, Step, facts
from kognic_aio.pipeline.orphans import Orphans
from kognic_aio.pipeline.pre_annotations import checked_pre_annotation
from kognic_aio.pipeline.record import RETRY, Record, Records
from kognic_aio.pipeline.release import Files
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    Progress,
    SceneWithPreAnnotation,
)
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.resources.creation import SceneCreator
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.scene_job import Target

T = TypeVar("T")

_log = logging.getLogger("kognic_aio")


@define(kw_only=True)
class Run:
    """What all scenes of a run share.

    Args:
        client: Creates scenes, pre-annotations and inputs.
        project: External id of the project.
        batch: External id of the batch, None for the only open one.
        dryrun: Whether to validate only.
        feature_flags: For the creation of scenes.
        wait_timeout: Seconds to wait for scenes after the last of them has been committed.
        limiters: Hold the scenes back.
        undelivered: Holds back the scenes of a run whose consumer does not come for their results, and those alone.
        watcher: Knows when scenes are created.
        records: What is kept of each scene.
        progress: How far the run has come.
        orphans: Invalidates what this run or earlier ones have left behind; there from the first scene on.
        doomed_by: What ends the whole run.
    """

    client: KognicIOClient
    project: str
    batch: str | None
    dryrun: bool
    feature_flags: FeatureFlags | None
    wait_timeout: float
    limiters: Limiters
    undelivered: Semaphore
    watcher: Watcher
    records: Records
    progress: Progress
    orphans: Orphans | None = None
    doomed_by: Exception | None = None
    _living: set[CancelScope] = field(factory=set[CancelScope])
    _draining: bool = False
    _pulling: CancelScope | None = None
    _scene_jobs: int = 0
    _source_ended: bool = False

    @asynccontextmanager
    async def scene_job(self, record: Record, taken: Callable[[], object]) -> AsyncGenerator[None, None]:
        """Hold a place among the scenes between start and commit, and tell when there was one.

        What the job leaves behind is invalidated beside the run, which needs no place.
        """
        async with self.limiters.scene_jobs:
            self._scene_jobs += 1
            taken()
            try:
                yield
            finally:
                self._scene_jobs -= 1
                self._start_clock_after_last_commit()
                self._invalidate_orphans(record)

    @contextmanager
    def alive(self) -> Generator[None, None, None]:
        """What is done in here ends when the run is doomed, and may doom it."""
        with CancelScope() as scope:
            if self.doomed_by is not None:
                scope.cancel()
            self._living.add(scope)
            try:
                yield
            except DOOM as error:
                self.doom(error)
            finally:
                self._living.discard(scope)

    def doom(self, error: Exception) -> None:
        """End all lives. What has settled is still delivered."""
        self.doomed_by = self.doomed_by or error
        self.drain()
        for scope in self._living:
            scope.cancel()

    def drain(self) -> None:
        """Take nothing more from the source, though it may be about to give something."""
        self._draining = True
        if self._pulling is not None:
            self._pulling.cancel()

    async def wanted(self, items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """What the source gives, as long as anything is wanted."""
        while not self._draining:
            taken: list[T] = []
            with CancelScope() as self._pulling, suppress(StopAsyncIteration):
                taken.append(await anext(items))
            if not taken:
                return
            yield taken.pop()

    def source_has_ended(self) -> None:
        """No further scene will come."""
        self._source_ended = True
        self._start_clock_after_last_commit()

    def skip(self, result: InputCreationResult) -> None:
        """Count a scene whose result an earlier run has delivered, and warn once of those that failed then."""
        self.progress.skip(result.status)
        if self.progress.skipped_failed == 1 and result.error is not None:
            problem = "failed in an earlier run, and is skipped, as are others that failed"
            _log.warning("%r %s: %s; to try them again: %s", result.external_id, problem, result.error.message, RETRY)

    def _invalidate_orphans(self, record: Record) -> None:
        while self.orphans is not None and record.orphans:
            self.orphans.invalidate(record.orphans.pop())

    def _start_clock_after_last_commit(self) -> None:
        if self._source_ended and not self._scene_jobs:
            self.watcher.give_up_after(self.wait_timeout)


@frozen
class Settled:
    """How a scene ended.

    Args:
        result: Its result.
        record: What is kept of it, to be told of its delivery.
        is_delivered: Whether an earlier run has delivered the result.
    """

    result: InputCreationResult
    record: Record
    is_delivered: bool = False


async def settle(item: object, files: Files, run: Run, taken: Callable[[], object]) -> Settled:
    """The life of one scene: validate, start, upload, commit, wait until created, pre-annotate, create the input.

    Each step is told to the scene's record before it is taken. What that knows from an earlier run is not done again.

    Args:
        item: What the source gave: a scene, with or without its pre-annotation.
        files: Its files, which are needed until it is committed.
        run: What it shares with others.
        taken: Called when the scene has got its place, or waits for another of its key, so that the next one may be
            taken from the source.

    Returns:
        How it ended. An error of the scene's own is a FAILED result.

    Raises:
        KognicError: Only what ends the whole run.
    """
    stage, record = InputCreationStage.SCENE, Record(run.records)
    result = InputCreationResult(status=InputCreationStatus.PROCESSING)
    try:
        async with files:
            scene, pre_annotation = _parts(item)
            result = evolve(result, external_id=scene.external_id)
            creator = run.client.creator_of(scene)
            stage = InputCreationStage.PRE_ANNOTATION
            annotation = await _checked(pre_annotation, scene, run)
            stage = InputCreationStage.SCENE
            record = await run.records.open(scene, annotation, waits=taken)
            if record.earlier_result is not None:
                return _settled_earlier(record.earlier_result, record)
            async with run.scene_job(record, taken):
                scene_uuid = await _committed(scene, record, creator, run)
            if scene_uuid is None:
                return Settled(evolve(result, status=InputCreationStatus.VALIDATED), record)
        result = evolve(result, scene_uuid=scene_uuid)
        run.progress.committed += 1
        del item, scene, pre_annotation  # a waiting scene keeps its ids and the JSON of its pre-annotation

        if not await run.watcher.created(scene_uuid):
            return Settled(result, record)
        if annotation is not None:
            stage = InputCreationStage.PRE_ANNOTATION
            async with run.limiters.inputs:
                preannotation_uuid = await _pre_annotated(scene_uuid, annotation, record, run.client)
            result = evolve(result, preannotation_uuid=preannotation_uuid)
        stage = InputCreationStage.INPUT_FROM_SCENE
        async with run.limiters.inputs:
            inputs = await _inputs_created(scene_uuid, record, creator, run)
        result = evolve(result, status=InputCreationStatus.CREATED, inputs=tuple(inputs))
        await record.settle(result)
    except DOOM:
        raise
    except Exception as error:  # whatever a caller's own objects raise is their scene's error, not the run's
        failure = InputCreationError(stage=stage, message=str(error) or type(error).__name__)
        result = evolve(result, status=InputCreationStatus.FAILED, scene_uuid=record.scene_uuid, error=failure)
        await record.settle(result)
    finally:
        record.close()
    return Settled(result, record)


async def _checked(pre_annotation: PreAnnotation | None, scene: BaseScene, run: Run) -> bytes | None:
    """The JSON of a pre-annotation, None if there is none."""
    if pre_annotation is None:
        return None
    return await checked_pre_annotation(pre_annotation, scene, run.dryrun)


def _settled_earlier(result: InputCreationResult, record: Record) -> Settled:
    """How a scene ended in an earlier run."""
    record.take_up()
    return Settled(result, record, is_delivered=record.earlier is not None and record.earlier.delivered)


async def _committed(scene: BaseScene, record: Record, creator: SceneCreator[Any], run: Run) -> str | None:
    """The uuid of the committed scene, None if it was only validated, in a dry run."""
    scene_uuid = await _committed_earlier(record, creator, run)
    if scene_uuid is not None:
        record.take_up()
        return scene_uuid
    limiters = run.limiters
    async with creator.checked(scene, limiters.reading, keep=run.dryrun) as sources:
        if run.dryrun:
            await creator.validate(scene, Target(), run.feature_flags)
            return None
        completed = await creator.complete(
            scene, sources, Target(), run.feature_flags, notes=record, uploads=limiters.uploads, sent=run.progress.sent
        )
    return completed.scene_uuid


async def _committed_earlier(record: Record, creator: SceneCreator[Any], run: Run) -> str | None:
    """The uuid of the scene that an earlier run has committed. One that it only started is abandoned."""
    earlier = record.earlier
    if earlier is None:
        return None
    if record.starts_afresh:
        await _make_way(earlier, record, creator, run)
        return None
    if earlier.scene_uuid is None or earlier.step not in (Step.STARTING, Step.COMMITTING):
        return earlier.scene_uuid
    if earlier.step is Step.COMMITTING:  # and nobody knows whether it was
        was_committed = await run.client.scene.was_committed(earlier.scene_uuid)
        if was_committed:
            await record.committed()
            return earlier.scene_uuid
        if was_committed is None:  # and no grace period is left in which it could appear
            await record.abandoned(earlier.scene_uuid)
            await record.invalidated(earlier.scene_uuid)
            return None
    await _leave(earlier.scene_uuid, record, run)
    return None


async def _make_way(earlier: Entry, record: Record, creator: SceneCreator[Any], run: Run) -> None:
    """Give up what an earlier run has recorded of a scene, and abandon it unless it has become an input."""
    scene_uuid, is_created = earlier.scene_uuid, earlier.status is InputCreationStatus.CREATED
    if scene_uuid is not None and earlier.step is Step.CREATING_INPUT:  # and nobody knows whether it was
        inputs = await creator.find_only_inputs(scene_uuid, run.project, run.batch)
        if inputs:
            await record.add(facts.Settled(result=_created_earlier(earlier, inputs)))
            is_created = True
    await record.make_way()
    if scene_uuid is not None and not is_created:
        await _leave(scene_uuid, record, run)


async def _leave(scene_uuid: str, record: Record, run: Run) -> None:
    """Have a scene of an earlier run invalidated, beside this one."""
    await record.abandoned(scene_uuid)
    if run.orphans is not None:
        run.orphans.invalidate_inherited(scene_uuid)


def _created_earlier(earlier: Entry, inputs: Sequence[Input]) -> InputCreationResult:
    """The result of a scene whose inputs an earlier run has created."""
    return InputCreationResult(
        status=InputCreationStatus.CREATED,
        external_id=inputs[0].scene_external_id,
        scene_uuid=earlier.scene_uuid,
        inputs=tuple(inputs),
        preannotation_uuid=earlier.preannotation_uuid,
    )


async def _pre_annotated(scene_uuid: str, annotation: bytes, record: Record, client: KognicIOClient) -> str:
    """The uuid of the scene's pre-annotation, which is created unless an earlier run has done so."""
    if record.earlier is not None and record.earlier.preannotation_uuid is not None:
        return record.earlier.preannotation_uuid
    was_about_to = record.earlier is not None and record.earlier.step is Step.PRE_ANNOTATING
    created = await client.pre_annotation.find_only(scene_uuid) if was_about_to else None
    if created is None:
        await record.add(facts.Reached(step=Step.PRE_ANNOTATING))
        created = await client.pre_annotation.create_only(scene_uuid, annotation)
    await record.add(facts.Reached(step=Step.PRE_ANNOTATED, preannotation_uuid=created.id))
    return created.id


async def _inputs_created(scene_uuid: str, record: Record, creator: SceneCreator[Any], run: Run) -> list[Input]:
    """The inputs of the scene, which are created unless an earlier run has done so."""
    was_about_to = record.earlier is not None and record.earlier.step is Step.CREATING_INPUT
    found = await creator.find_only_inputs(scene_uuid, run.project, run.batch) if was_about_to else None
    if found is not None:
        return found
    await record.add(facts.Reached(step=Step.CREATING_INPUT))
    return await creator.create_only_inputs(scene_uuid, run.project, run.batch)


def _parts(item: object) -> tuple[BaseScene, PreAnnotation | None]:
    """The scene and the pre-annotation of what a source gave.

    Raises:
        InvalidError: If it is something else.
    """
    match item:
        case SceneWithPreAnnotation(scene=BaseScene()):
            return item.scene, item.pre_annotation
        case BaseScene():
            return item, None
        case SceneWithPreAnnotation():
            raise InvalidError(f"SceneWithPreAnnotation.scene: expected a scene, got {type(item.scene).__name__}")
        case _:
            raise InvalidError(f"expected a scene or a SceneWithPreAnnotation, got {type(item).__name__}")
