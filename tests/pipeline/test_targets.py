"""Several inputs of one scene: a scene is uploaded once, and feeds every target with the pre-annotation it names."""

import pickle
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import frozen

from kognic_aio import (
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    InputTarget,
    Journal,
    KognicIOClient,
    SceneWithPreAnnotation,
    TargetOutcome,
    create_inputs,
)
from kognic_aio.emulator import Emulator, Platform, faults
from kognic_aio.errors import InvalidError, JournalMismatchError, UnknownBatchError, UnknownProjectError
from tests.faults.ingestion import TARGETS, Ingestion
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR, cancelled_when

pytestmark = pytest.mark.anyio

CREATED, FAILED, PROCESSING = (
    InputCreationStatus.CREATED,
    InputCreationStatus.FAILED,
    InputCreationStatus.PROCESSING,
)
A, B = InputTarget("project-a", batch="batch-2", pre_annotation="boxes"), InputTarget("project-b")
LANES = InputTarget("project-b", batch="batch-1", pre_annotation="lanes")


def openlabel(name: str) -> dict[str, Any]:
    return {"openlabel": {"metadata": {"schema_version": "1.0.0", "comment": name}}}


BOTH = {"boxes": openlabel("boxes"), "lanes": openlabel("lanes")}


def item(external_id: str = "crossing", **more: Any) -> SceneWithPreAnnotation:
    return SceneWithPreAnnotation(cameras_scene(external_id), **{"pre_annotations": BOTH, **more})


@frozen
class Ingest:
    """Runs on one platform, and what is there after them."""

    client: KognicIOClient
    emulator: Emulator
    path: Path

    async def __call__(self, *items: Any, **more: Any) -> list[InputCreationResult]:
        options: dict[str, Any] = {"sleep_time": 0.01} | ({} if "project" in more else {"targets": (A, B)}) | more
        with anyio.fail_after(GENEROUS):
            async with create_inputs(self.client, [*items], **options) as run:
                return [result async for result in run]

    async def one(self, given: Any, **more: Any) -> InputCreationResult:
        (result,) = await self(given, **more)
        return result

    async def recorded(self, *items: Any, **more: Any) -> list[InputCreationResult]:
        return await self(*items, journal=self.path, **more)

    def requests(self, method: str, path: str) -> int:
        return len(self.emulator.recorder.requests(method, path))

    @property
    def uploads(self) -> int:
        return len(self.emulator.recorder.requests("PUT"))

    def inputs(self, external_id: str = "crossing") -> list[tuple[str, str, str | None]]:
        """The project, batch and external id of the pre-annotation of each input of the scenes of this name."""
        return sorted(inputs_of(self.emulator.platform, external_id), key=str)


def inputs_of(platform: Platform, external_id: str) -> list[tuple[str, str, str | None]]:
    scenes = platform.scenes.with_external_id(external_id)
    inputs = [found for scene in scenes for found in platform.inputs.of_scene(scene.uuid)]
    return [
        (each.batch.project, each.batch.batch, each.pre_annotation.external_id if each.pre_annotation else None)
        for each in inputs
    ]


@pytest.fixture
async def ingest(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Ingest]:
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.1, visibility_timeout=HOUR) as client:
        yield Ingest(client, emulator, tmp_path / "journal")


async def test_each_target_gets_its_input(ingest: Ingest) -> None:
    """One upload, one of each pre-annotation, and one input per target, with the pre-annotation it names or none."""
    targets = [A, InputTarget("project-b")]
    result = await ingest.one(item(), targets=targets)
    assert (result.status, result.error) == (CREATED, None)
    assert ingest.inputs() == [("project-a", "batch-2", "boxes"), ("project-b", "batch-1", None)]
    assert (ingest.uploads, ingest.requests("POST", "/v1/pre-annotations")) == (1, 2)
    assert (ingest.requests("POST", "/v1/inputs/initialize"), ingest.requests("POST", "/v2/inputs")) == (1, 2)
    assert [outcome.target for outcome in result.outcomes] == targets
    assert [outcome.input_uuid for outcome in result.outcomes] == [each.uuid for each in result.inputs]
    assert result.input_uuid == result.inputs[0].uuid
    for outcome, made in zip(result.outcomes, result.inputs, strict=True):
        links = (CREATED, made.request_uid, made.view_link, None)
        assert (outcome.status, outcome.request_uuid, outcome.view_link, outcome.error) == links
    assert set(result.preannotation_uuids) == {"boxes", "lanes"}
    assert result.preannotation_uuid == result.preannotation_uuids["boxes"]


async def test_one_project_is_one_target(ingest: Ingest) -> None:
    """With `project=`, the outcome is that of its one target, and the input starts from the latest pre-annotation."""
    result = await ingest.one(SceneWithPreAnnotation(cameras_scene("crossing"), BOTH["boxes"]), project="project-b")
    (outcome,) = result.outcomes
    assert outcome == TargetOutcome.created(InputTarget("project-b"), result.inputs[0])
    assert (ingest.requests("POST", "/v2/inputs"), result.preannotation_uuids) == (0, {})
    ((project, batch, pre_annotation),) = ingest.inputs()
    assert (project, batch, pre_annotation is None) == ("project-b", "batch-1", False)


async def test_a_scene_has_targets_of_its_own(ingest: Ingest) -> None:
    """They take the place of the run's, whether that has a project or targets, and are checked before its upload."""
    for run in ({"project": "project-a", "batch": "batch-2"}, {"targets": [A]}):
        results = await ingest(item("own", targets=[LANES]), item("none", pre_annotations={}, targets=[B]), **run)
        assert {(each.external_id, each.status) for each in results} == {("own", CREATED), ("none", CREATED)}
    assert ingest.inputs("own") == 2 * [("project-b", "batch-1", "lanes")]
    assert ingest.inputs("none") == 2 * [("project-b", "batch-1", None)]


async def test_own_targets_that_do_not_exist(ingest: Ingest) -> None:
    """A scene whose own target does not exist fails before anything of it is sent, and stops no other scene."""
    wrong = {
        "no project": (InputTarget("project-z"), UnknownProjectError),
        "no batch": (InputTarget("project-b", batch="batch-9"), UnknownBatchError),
    }
    scenes = [item(name, targets=[target]) for name, (target, _) in wrong.items()]
    results = {each.external_id: each for each in await ingest(*scenes, item("right"))}
    assert results.pop("right").status is CREATED
    for name, result in results.items():
        assert result.error is not None
        assert (result.status, result.scene_uuid) == (FAILED, None)
        assert result.error.stage is InputCreationStage.INPUT_FROM_SCENE
        assert type(result.error.exception) is wrong[str(name)][1]
        assert [outcome.error for outcome in result.outcomes] == [result.error]
    assert ingest.uploads == 1


@pytest.mark.parametrize("missing", [InputTarget("project-z"), InputTarget("project-a", batch="batch-1")], ids=str)
async def test_every_target_is_checked(missing: InputTarget, ingest: Ingest) -> None:
    """A run with a target that takes no inputs ends before anything is sent."""
    with pytest.raises((UnknownProjectError, InvalidError, Exception), match=r"project-z|batch-1"):
        await ingest(item(), targets=[InputTarget("project-b"), missing])
    assert ingest.uploads == 0


async def test_a_target_that_fails(ingest: Ingest) -> None:
    """It stops no other. The scene has failed, and says what was created and what was not."""
    ingest.emulator.platform.refuse("input", "crossing", "no more inputs today", only="project-a")
    result = await ingest.one(item())
    first, second = result.outcomes
    assert result.error is not None
    assert (result.status, result.error.stage) == (FAILED, InputCreationStage.INPUT_FROM_SCENE)
    assert "no more inputs today" in result.error.message
    assert (first.status, first.error, first.input_uuid) == (FAILED, result.error, None)
    assert (second.status, second.error, second.input_uuid) == (CREATED, None, result.input_uuid)
    assert ingest.inputs() == [("project-b", "batch-1", None)]


async def test_a_pre_annotation_that_fails(ingest: Ingest) -> None:
    """It fails the targets that name it, and no other."""
    ingest.emulator.platform.refuse("pre-annotation", "crossing", "boxes without corners", only="boxes")
    batch = InputTarget("project-b", batch="batch-1", pre_annotation="lanes")
    result = await ingest.one(item(), targets=[A, batch])
    first, second = result.outcomes
    assert first.error is not None
    assert (first.status, first.error.stage) == (FAILED, InputCreationStage.PRE_ANNOTATION)
    assert "boxes without corners" in first.error.message
    assert (second.status, set(result.preannotation_uuids)) == (CREATED, {"lanes"})
    assert ingest.inputs() == [("project-b", "batch-1", "lanes")]


@pytest.mark.parametrize("step", ["scene", "processing"])
async def test_a_scene_that_fails(step: Any, ingest: Ingest) -> None:
    """All its targets have failed, for the same reason."""
    ingest.emulator.platform.refuse(step, "crossing", "too dark")
    result = await ingest.one(item())
    assert (result.status, len(result.outcomes)) == (FAILED, 2)
    assert {(outcome.status, outcome.error) for outcome in result.outcomes} == {(FAILED, result.error)}


async def test_a_scene_that_is_not_ready(ingest: Ingest) -> None:
    """Its targets are being processed too."""
    ingest.emulator.platform.timing.processing_time = 60
    result = await ingest.one(item(), wait_timeout=0.1)
    assert [result.status, *(outcome.status for outcome in result.outcomes)] == 3 * [PROCESSING]


async def test_a_dry_run(ingest: Ingest) -> None:
    """Its targets are checked, and nothing is created."""
    result = await ingest.one(item(), dryrun=True)
    assert [outcome.status for outcome in result.outcomes] == 2 * [InputCreationStatus.VALIDATED]
    result = await ingest.one(item(pre_annotations={}), dryrun=True)
    assert result.error is not None
    assert "names 'boxes', the scene has none" in result.error.message
    assert not ingest.emulator.platform.scenes.with_external_id("crossing")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown name": ({"pre_annotations": {"lanes": BOTH["lanes"]}}, "names 'boxes', the scene has only 'lanes'"),
    "no name": ({"pre_annotations": {}, "pre_annotation": BOTH["boxes"]}, "pass pre_annotations={name: ...}"),
    "bad content": (
        {"pre_annotations": {"boxes": {"openlabel": {"metadata": {"schema_version": "2"}}}}},
        "pre_annotations['boxes']: openlabel.metadata.schema_version: expected '1.0.0', got '2'",
    ),
    "no JSON": ({"pre_annotations": {"boxes": "{"}}, "pre_annotations['boxes']: not JSON"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_pre_annotations_that_do_not_fit(name: str, ingest: Ingest) -> None:
    """They fail the scene before anything of it is sent."""
    given, words = WRONG[name]
    result = await ingest.one(item(**given))
    assert result.error is not None
    assert (result.error.stage, result.scene_uuid) == (InputCreationStage.PRE_ANNOTATION, None)
    assert words in result.error.message


async def test_names_need_targets(ingest: Ingest) -> None:
    """With `project=`, an input starts from the latest pre-annotation: several would be a matter of chance."""
    result = await ingest.one(item(), project="project-b")
    assert result.error is not None
    assert "need targets=; with project=, pass one" in result.error.message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "project: expected an external id, got None; for several projects, pass targets="),
        ({"project": "p", "targets": [A]}, "pass these or project= and batch=, not both"),
        ({"batch": "b", "targets": [A]}, "pass these or project= and batch=, not both"),
        ({"targets": []}, "targets: expected at least one InputTarget"),
        ({"targets": ["project-a"]}, "targets[0]: expected InputTarget, got 'project-a'"),
        ({"targets": [A, A]}, "targets[1]: project 'project-a', batch 'batch-2' is there already"),
        ({"targets": [A, InputTarget("project-a")]}, "targets[1]: project 'project-a' is there already"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments: dict[str, Any], words: str) -> None:
    """What cannot be meant is an error at once."""
    with pytest.raises(InvalidError) as caught:
        create_inputs(KognicIOClient(), [], **arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("arguments", [{"project": ""}, {"project": 3}, {"project": "p", "batch": ""}], ids=str)
def test_wrong_targets(arguments: dict[str, Any]) -> None:
    """The ids of a target are text, and not empty."""
    with pytest.raises(InvalidError, match=r"InputTarget\.\w+: expected an external id"):
        InputTarget(**arguments)


async def test_an_error_is_known_by_its_type(ingest: Ingest) -> None:
    """The exception is there, is no part of the error's value, and has no frames of ours."""
    ingest.emulator.platform.refuse("input", "crossing", "no more inputs today", only="project-a")
    error = (await ingest.one(item())).error
    assert error is not None
    assert isinstance(error.exception, Exception)
    assert "no more inputs today" in str(error.exception)
    assert error.exception.__traceback__ is None
    assert "exception" not in repr(error)
    assert error == type(error)(stage=error.stage, message=error.message)


async def test_an_error_of_the_callers_code(ingest: Ingest) -> None:
    """It is the cause, without frames: those would keep what their variables hold as long as the result."""

    def unreadable(_: str) -> bytes:
        raise KeyError("no such archive")

    scene = SceneWithPreAnnotation(cameras_scene("crossing", callback=unreadable), targets=[B])
    result = await ingest.one(scene)
    assert result.error is not None
    assert result.error.exception is not None
    cause = result.error.exception.__cause__
    assert isinstance(cause, KeyError)
    assert (result.error.exception.__traceback__, cause.__traceback__) == (None, None)
    assert pickle.loads(pickle.dumps(result)) == deepcopy(result) == result


# With a journal


async def test_a_run_with_more_targets(ingest: Ingest) -> None:
    """A scene that is known gets what it lacks, and is not uploaded again. Then its result is known."""
    first, *_ = await ingest.recorded(item(), targets=[A])
    second, *_ = await ingest.recorded(item(), targets=[A, B])
    assert (first.status, second.status, second.scene_uuid) == (CREATED, CREATED, first.scene_uuid)
    assert second.outcomes[0] == first.outcomes[0]
    assert ingest.inputs() == [("project-a", "batch-2", "boxes"), ("project-b", "batch-1", None)]
    assert (ingest.uploads, ingest.requests("POST", "/v1/pre-annotations")) == (1, 2)
    assert await ingest.recorded(item(), targets=[B, A]) == []
    assert await ingest.recorded(item(), targets=[B]) == []
    assert len(ingest.inputs()) == 2


async def test_a_journal_of_a_project(ingest: Ingest) -> None:
    """A journal of one project is taken up by a run with targets: what is there counts, whoever made it."""
    scene = SceneWithPreAnnotation(cameras_scene("crossing"))
    first, *_ = await ingest.recorded(scene, project="project-b")
    own = [InputTarget("project-b", batch="batch-1"), InputTarget("project-a", batch="batch-2")]
    second, *_ = await ingest.recorded(scene, targets=own)
    assert [outcome.status for outcome in second.outcomes] == [CREATED, CREATED]
    assert second.outcomes[0].input_uuid == first.input_uuid
    assert ingest.inputs() == [("project-a", "batch-2", None), ("project-b", "batch-1", None)]
    assert ingest.uploads == 1
    with pytest.raises(JournalMismatchError):
        await ingest.recorded(scene, project="project-a", batch="batch-2")


async def test_targets_that_failed_are_retried(ingest: Ingest) -> None:
    """What was created stays as it is: only the targets that failed are tried again."""
    ingest.emulator.platform.refuse("input", "crossing", "not today", only="project-a")
    first, *_ = await ingest.recorded(item())
    assert await ingest.recorded(item()) == []
    ingest.emulator.platform.refusals.clear()
    second, *_ = await ingest.recorded(item(), retry_failed=True)
    assert (first.status, second.status, second.scene_uuid) == (FAILED, CREATED, first.scene_uuid)
    assert second.outcomes[1] == first.outcomes[1]
    assert len(ingest.inputs()) == 2
    assert ingest.uploads == 1
    assert await ingest.recorded(item(), retry_failed=True) == []


async def test_retry_by_the_journal(ingest: Ingest) -> None:
    """`Journal.retry_failed` does not give up what was created either."""
    ingest.emulator.platform.refuse("input", "crossing", "not today", only="project-a")
    first, *_ = await ingest.recorded(item())
    async with Journal(ingest.path) as journal:
        assert await journal.retry_failed() == 1
    again, *_ = await ingest.recorded(item())
    assert again.scene_uuid == first.scene_uuid
    assert again.outcomes[1] == first.outcomes[1]
    assert (ingest.uploads, ingest.inputs()) == (1, [("project-b", "batch-1", None)])


async def test_a_further_target_with_a_pre_annotation_of_its_own(ingest: Ingest) -> None:
    """Named pre-annotations may be added. One that is recorded has to be the same."""
    boxes, lanes = ({name: BOTH[name]} for name in BOTH)
    first, *_ = await ingest.recorded(item(pre_annotations=boxes), targets=[A])
    second, *_ = await ingest.recorded(item(), targets=[A, LANES])
    third, *_ = await ingest.recorded(item(pre_annotations=lanes), targets=[InputTarget("project-a", batch="batch-3")])
    assert [each.status for each in (first, second, third)] == [CREATED, CREATED, CREATED]
    assert len({each.scene_uuid for each in (first, second, third)}) == 1
    found = [("project-a", "batch-2", "boxes"), ("project-a", "batch-3", None), ("project-b", "batch-1", "lanes")]
    assert (ingest.inputs(), ingest.uploads) == (found, 1)
    (changed,) = await ingest.recorded(item(pre_annotations={"lanes": BOTH["boxes"]}), targets=[LANES])
    assert changed.error is not None
    assert "pre_annotations.lanes: changed" in changed.error.message


async def test_each_target_is_delivered(ingest: Ingest) -> None:
    """Whoever asks for some targets only gets what the others came to when they ask for those."""
    assert [len(each.outcomes) for each in await ingest.recorded(item(), targets=[A])] == [1]
    assert [len(each.outcomes) for each in await ingest.recorded(item(), targets=[B])] == [1]
    for targets in ([A], [B], [A, B]):
        assert await ingest.recorded(item(), targets=targets) == []


async def in_the_middle(ingest: Ingest, targets: Sequence[InputTarget], on: str) -> None:
    """A run that is cancelled while a request is answered."""
    planned = ingest.emulator.faults.add(faults.SlowAnswer(HOUR), on=on, times=1)
    run = ingest(item(), targets=targets, journal=ingest.path)
    await cancelled_when(lambda: planned.injected, run)
    ingest.emulator.faults.clear()


@pytest.mark.parametrize("retry", ["retry_failed", "Journal.retry_failed", "on_failure"])
async def test_inputs_of_other_runs_stay(retry: str, ingest: Ingest) -> None:
    """A scene that has an input is never invalidated, though the journal does not know of it."""
    await in_the_middle(ingest, [B], "POST v2/inputs")
    ingest.emulator.platform.refuse("input", "crossing", "not today", only="project-a")
    options: dict[str, Any] = {"on_failure": "invalidate"} if retry == "on_failure" else {}
    (failed,) = await ingest.recorded(item(), targets=[A], **options)
    assert failed.status is FAILED
    if retry == "Journal.retry_failed":
        async with Journal(ingest.path) as journal:
            await journal.retry_failed()
    await ingest.recorded(item(), targets=[A], retry_failed=retry == "retry_failed")
    assert ingest.inputs() == [("project-b", "batch-1", None)]


async def test_what_was_created_is_known_after_an_interruption(ingest: Ingest) -> None:
    """A run that adds a target may be interrupted, and the next one fail: nothing is lost or doubled."""
    await ingest.recorded(item(), targets=[A])
    await in_the_middle(ingest, [A, B], "POST v2/scenes/query")
    ingest.emulator.faults.add(faults.Status(400), on="POST v2/scenes/query", times=1)
    (failed,) = await ingest.recorded(item(), targets=[A, B])
    assert [outcome.status for outcome in failed.outcomes] == [CREATED, FAILED]
    (result,) = await ingest.recorded(item(), targets=[A, B], retry_failed=True)
    assert (result.status, result.scene_uuid) == (CREATED, failed.scene_uuid)
    assert ingest.inputs() == [("project-a", "batch-2", "boxes"), ("project-b", "batch-1", None)]
    assert ingest.uploads == 1


async def test_a_scene_that_was_invalidated_meanwhile(ingest: Ingest) -> None:
    """Its inputs are gone with it: it is created anew when failures are retried."""
    ingest.emulator.platform.refuse("input", "crossing", "not today", only="project-a")
    (first,) = await ingest.recorded(item())
    ingest.emulator.platform.refusals.clear()
    ingest.emulator.platform.invalidate_scene(str(first.scene_uuid))
    (second,) = await ingest.recorded(item(), retry_failed=True)
    assert (second.status, second.inputs, {each.status for each in second.outcomes}) == (FAILED, (), {FAILED})
    (third,) = await ingest.recorded(item(), retry_failed=True)
    assert (third.status, len(ingest.inputs())) == (CREATED, 2)


async def test_a_pre_annotation_that_nobody_names(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    """It is created. If that fails, no target does, but it is logged."""
    ingest.emulator.platform.refuse("pre-annotation", "crossing", "no lanes here", only="lanes")
    result = await ingest.one(item())
    assert (result.status, set(result.preannotation_uuids)) == (CREATED, {"boxes"})
    assert "scene 'crossing' has no pre-annotation 'lanes': no lanes here" in caplog.text


async def test_a_journal_keeps_no_exception(ingest: Ingest) -> None:
    """Results of earlier runs have no exceptions, and are equal all the same."""
    ingest.emulator.platform.refuse("scene", "crossing", "too dark")
    first = await ingest.one(item(), journal=ingest.path)
    async with Journal(ingest.path) as journal:
        entry = await journal.recall("crossing")
    assert entry is not None
    assert entry.result == first
    assert entry.result.error is not None
    assert entry.result.error.exception is None


@pytest.mark.parametrize("lost", ["POST v2/inputs", "POST v1/pre-annotations"])
async def test_a_lost_answer(lost: str, ingest: Ingest) -> None:
    """After a lost response nothing is created twice."""
    planned = ingest.emulator.faults.add(faults.Drop(after_effect=True), on=lost, times=2)
    assert (await ingest.one(item())).status is CREATED
    assert planned.injected == 2
    assert ingest.inputs() == [("project-a", "batch-2", "boxes"), ("project-b", "batch-1", None)]


async def test_many_scenes(emulator: Emulator) -> None:
    """200 scenes, 3 targets, 2 pre-annotations: each input has the one that its target names, on the server's side."""
    ingestion = Ingestion(200, TARGETS)
    results = await ingestion.run(emulator)
    ingestion.check(emulator.platform, results)
    assert sum(len(result.outcomes) for result in results) == 600
    assert sum(1 for _ in emulator.platform.inputs) == 602  # two are there from the beginning


def as_of_schema_3(path: Path) -> None:
    """Make a journal one of the version before, which knew of no targets."""
    gone = ", ".join(f"'$.{name}'" for name in ("targets", "result.outcomes", "result.preannotationUuids"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE fact SET content = json_remove(content, {gone})")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()


async def test_a_journal_of_the_version_before(ingest: Ingest) -> None:
    """It is taken up: what is delivered is skipped, what failed stays so, and further targets get what they lack."""
    ingest.emulator.platform.refuse("input", "bridge", "not today")
    scenes = [SceneWithPreAnnotation(cameras_scene(name)) for name in ("crossing", "bridge")]
    first = await ingest.recorded(*scenes, project="project-b")
    as_of_schema_3(ingest.path)
    assert await ingest.recorded(*scenes, project="project-b") == []
    as_of_schema_3(ingest.path)
    own = [InputTarget("project-b"), InputTarget("project-a", batch="batch-2")]
    results = {each.external_id: each for each in await ingest.recorded(*scenes, targets=own)}
    created = next(each for each in first if each.external_id == "crossing")
    assert (results["crossing"].status, results["crossing"].outcomes[0].input_uuid) == (CREATED, created.input_uuid)
    assert [outcome.status for outcome in results["bridge"].outcomes] == [FAILED, FAILED]
    assert ingest.inputs() == [("project-a", "batch-2", None), ("project-b", "batch-1", None)]
    assert ingest.uploads == 2
