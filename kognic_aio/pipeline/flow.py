"""The life of one scene, in a straight line."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter
from attrs import define, evolve

from kognic_aio._http.wire import encode_pre_annotation
from kognic_aio.client import KognicIOClient
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, FeatureFlags, PreAnnotation
from kognic_aio.pipeline.result import (
    DOOM,
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    Progress,
    SceneWithPreAnnotation,
)
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.scene_job import Notes, Target

T = TypeVar("T")


@define(kw_only=True)
class Run:
    """What all scenes of a run share.

    Args:
        client: Creates scenes, pre-annotations and inputs.
        project: External id of the project.
        batch: External id of the batch, None for the latest open one.
        dryrun: Whether to validate only.
        feature_flags: For the creation of scenes.
        wait_timeout: Seconds to wait for scenes after the last of them has been committed.
        limiters: Hold the scenes back.
        undelivered: Holds back the scenes of a run whose consumer does not come for their results, and those alone.
        watcher: Knows when scenes are created.
        progress: How far the run has come.
    """

    client: KognicIOClient
    project: str
    batch: str | None
    dryrun: bool
    feature_flags: FeatureFlags | None
    wait_timeout: float
    limiters: Limiters
    undelivered: CapacityLimiter
    watcher: Watcher
    progress: Progress
    _draining: bool = False
    _pulling: CancelScope | None = None
    _scene_jobs: int = 0
    _source_ended: bool = False

    @asynccontextmanager
    async def scene_job(self, taken: Callable[[], object]) -> AsyncGenerator[None, None]:
        """Hold a place among the scenes between start and commit, and tell when there was one."""
        async with self.limiters.scene_jobs:
            self._scene_jobs += 1
            taken()
            try:
                yield
            finally:
                self._scene_jobs -= 1
                self._start_clock_after_last_commit()

    def drain(self) -> None:
        """Take nothing more from the source, though it may be about to give something."""
        self._draining = True
        if self._pulling is not None:
            self._pulling.cancel()

    async def next_of(self, items: AsyncIterator[T]) -> T | None:
        """The next scene of the source, None if there is none, or none is wanted any more."""
        if not self._draining:
            with CancelScope() as self._pulling:
                return await anext(items, None)
        return None

    def source_has_ended(self) -> None:
        """No further scene will come."""
        self._source_ended = True
        self._start_clock_after_last_commit()

    def _start_clock_after_last_commit(self) -> None:
        if self._source_ended and not self._scene_jobs:
            self.watcher.give_up_after(self.wait_timeout)


async def settle(item: object, run: Run, taken: Callable[[], object]) -> InputCreationResult:
    """The life of one scene: validate, start, upload, commit, wait until created, pre-annotate, create the input.

    Args:
        item: What the source gave: a scene, with or without its pre-annotation.
        run: What it shares with others.
        taken: Called when the scene has got its place, so that the next one may be taken from the source.

    Returns:
        How it ended. An error of the scene's own is a FAILED result.

    Raises:
        KognicError: Only what ends the whole run.
    """
    stage = InputCreationStage.SCENE
    notes = Notes()
    result = InputCreationResult(status=InputCreationStatus.PROCESSING)
    try:
        async with run.scene_job(taken):
            scene, pre_annotation = _parts(item)
            result = evolve(result, external_id=scene.external_id)
            creator = run.client.creator_of(scene)
            async with creator.checked(scene, keep=run.dryrun):
                stage = InputCreationStage.PRE_ANNOTATION
                annotation = None if pre_annotation is None else encode_pre_annotation(pre_annotation)
                stage = InputCreationStage.SCENE
                if run.dryrun:
                    await creator.validate(scene, Target(), run.feature_flags)
                    return evolve(result, status=InputCreationStatus.VALIDATED)
                completed = await creator.complete(
                    scene,
                    Target(),
                    run.feature_flags,
                    notes=notes,
                    uploads=run.limiters.uploads,
                    sent=run.progress.sent,
                )
        scene_uuid = completed.scene_uuid
        result = evolve(result, scene_uuid=scene_uuid)
        run.progress.committed += 1
        del item, scene, pre_annotation  # a waiting scene keeps its ids and the JSON of its pre-annotation

        if not await run.watcher.created(scene_uuid):
            return result
        if annotation is not None:
            stage = InputCreationStage.PRE_ANNOTATION
            async with run.limiters.inputs:
                created = await run.client.pre_annotation.create_only(scene_uuid, annotation)
            result = evolve(result, preannotation_uuid=created.id)
        stage = InputCreationStage.INPUT_FROM_SCENE
        async with run.limiters.inputs:
            inputs = await creator.create_only_inputs(scene_uuid, run.project, run.batch)
        return evolve(result, status=InputCreationStatus.CREATED, inputs=tuple(inputs))
    except DOOM:
        raise
    except Exception as error:  # whatever a caller's own objects raise is their scene's error, not the run's
        failure = InputCreationError(stage=stage, message=str(error) or type(error).__name__)
        return evolve(result, status=InputCreationStatus.FAILED, scene_uuid=notes.scene_uuid, error=failure)


def _parts(item: object) -> tuple[BaseScene, PreAnnotation | None]:
    """The scene and the pre-annotation of what a source gave."""
    match item:
        case SceneWithPreAnnotation(scene=BaseScene()):
            return item.scene, item.pre_annotation
        case BaseScene():
            return item, None
        case SceneWithPreAnnotation():
            raise InvalidError(f"SceneWithPreAnnotation.scene: expected a scene, got {type(item.scene).__name__}")
        case _:
            raise InvalidError(f"expected a scene or a SceneWithPreAnnotation, got {type(item).__name__}")
