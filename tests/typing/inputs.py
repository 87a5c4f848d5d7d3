"""`create_inputs` as type checkers see it: what is passed, and what comes back."""

from collections.abc import AsyncIterator, Iterable
from typing import assert_type

from kognic_aio import (
    InputCreationError,
    InputCreationResult,
    InputCreationStatus,
    InputTarget,
    KognicIOClient,
    SceneStage,
    SceneWithPreAnnotation,
    TargetOutcome,
    create_inputs,
)
from kognic_aio.events import Event, FileSent, InputCreated, SceneSettled
from kognic_aio.model import BaseScene, Cameras
from kognic_aio.model.scene_request import SceneRequest


def by_date(scene: BaseScene) -> str:
    return scene.external_id[:8]


def by_workspace(request: SceneRequest) -> str:
    return request.workspace_id + request.external_id


def show(event: Event) -> None:
    match event:
        case FileSent(name=name, size=size, seconds=seconds):
            assert_type((name, size, seconds), tuple[str, int, float])
        case InputCreated(target=target):
            assert_type(target, InputTarget)
        case SceneSettled(external_id=external_id):
            assert_type(external_id, str | None)
        case _:
            pass


async def sources(
    client: KognicIOClient,
    scenes: list[Cameras],
    requests: Iterable[SceneRequest],
    both: AsyncIterator[SceneWithPreAnnotation | SceneRequest],
) -> None:
    async for result in create_inputs(client, scenes, "p", key=by_date, on_event=show):
        assert_type(result, InputCreationResult)
        assert_type(result.outcomes, tuple[TargetOutcome, ...])
        for outcome in result.outcomes:
            assert_type(outcome.status, InputCreationStatus)
            assert_type(outcome.error, InputCreationError | None)
    run = create_inputs(client, requests, targets=[InputTarget("p")], key=by_workspace, existing="skip")
    assert_type(run.progress.in_stage[SceneStage.UPLOADING], int)
    create_inputs(client, both, "p", on_failure="invalidate")
    create_inputs(client, [], "p", existing="maybe")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
