"""What becomes of scenes that the platform has already, and of those that come to nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import frozen

from kognic_aio import (
    InputCreationResult,
    InputCreationStatus,
    InputTarget,
    KognicIOClient,
    Limits,
    Progress,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import InputExistsError, InvalidError
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

PROJECT = "project-b"
CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED
QUERIES = "/v2/inputs/query"


@frozen
class Ingest:
    """Runs on one platform, and what is there after them."""

    client: KognicIOClient
    emulator: Emulator
    path: Path

    async def __call__(self, *names: str, **more: Any) -> tuple[list[InputCreationResult], Progress]:
        scenes = [cameras_scene(name) for name in names]
        return await self.scenes(scenes, **more)

    async def scenes(self, scenes: Any, **more: Any) -> tuple[list[InputCreationResult], Progress]:
        options = {"sleep_time": 0.01} | ({} if "targets" in more else {"project": PROJECT}) | more
        with anyio.fail_after(GENEROUS):
            made = create_inputs(self.client, scenes, **options)
            return [result async for result in made], made.progress

    def inputs(self, name: str) -> list[str]:
        platform = self.emulator.platform
        found = [
            each for scene in platform.scenes.with_external_id(name) for each in platform.inputs.of_scene(scene.uuid)
        ]
        return sorted(each.batch.project for each in found)

    def statuses(self, name: str) -> list[str]:
        return [scene.status for scene in self.emulator.platform.scenes.with_external_id(name)]

    def requests(self, path: str) -> int:
        return len(self.emulator.recorder.requests("POST", path))


@pytest.fixture
async def ingest(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Ingest]:
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.1) as client:
        yield Ingest(client, emulator, tmp_path / "journal")


async def test_by_default_they_are_created_again(ingest: Ingest) -> None:
    """External ids need not be unique on the platform, and nothing is asked."""
    for _ in range(2):
        await ingest("crossing")
    assert ingest.inputs("crossing") == 2 * [PROJECT]
    assert not ingest.requests(QUERIES)


@pytest.mark.parametrize("dryrun", [False, True])
async def test_skip(dryrun: bool, ingest: Ingest) -> None:
    """A scene that the project has is skipped and counted, and nothing of it is sent."""
    await ingest("crossing")
    before = len(ingest.emulator.recorder.requests("PUT"))
    results, progress = await ingest("crossing", "bridge", existing="skip", dryrun=dryrun)
    assert [result.external_id for result in results] == ["bridge"]
    assert (progress.skipped, progress.skipped_failed, progress.settled) == (1, 0, 2)
    assert ingest.inputs("crossing") == [PROJECT]
    assert len(ingest.emulator.recorder.requests("PUT")) == before + (0 if dryrun else 1)


@pytest.mark.parametrize("dryrun", [False, True])
async def test_fail(dryrun: bool, ingest: Ingest) -> None:
    """A scene that the project has fails before anything of it is sent, and says which input is there."""
    first, _ = await ingest("crossing")
    (result,), _ = await ingest("crossing", existing="fail", dryrun=dryrun)
    assert result.error is not None
    assert (result.status, result.scene_uuid) == (FAILED, None)
    assert isinstance(result.error.exception, InputExistsError)
    told = f"scene 'crossing' exists already: project 'project-b' has input {first[0].input_uuid}"
    assert result.error.message == told
    assert ingest.inputs("crossing") == [PROJECT]


async def test_inputs_elsewhere_do_not_count(ingest: Ingest) -> None:
    """What another project, or another batch, has of the scene is not looked at; nor is what was deleted."""
    await ingest("crossing")
    (result,), _ = await ingest("crossing", existing="skip", project="project-a", batch="batch-2")
    assert result.status is CREATED
    await ingest.client.input.delete_input(str(result.input_uuid))
    (again,), _ = await ingest("crossing", existing="fail", project="project-a", batch="batch-2")
    assert again.status is CREATED


async def test_targets_that_lack_an_input_get_one(ingest: Ingest) -> None:
    """They get it from the scene that is there, as a run with a journal would do."""
    (first,), _ = await ingest("crossing")
    targets = [InputTarget(PROJECT), InputTarget("project-a", batch="batch-2")]
    for options in ({}, {"journal": ingest.path}):
        (result,), _ = await ingest("crossing", targets=targets, existing="skip", **options)
        assert (result.status, result.scene_uuid) == (CREATED, first.scene_uuid)
        assert result.outcomes[0].input_uuid == first.input_uuid
        assert ingest.inputs("crossing") == ["project-a", "project-b"]
        await ingest.client.input.delete_input(str(result.outcomes[1].input_uuid))
    assert len(ingest.emulator.recorder.requests("PUT")) == 1


async def test_a_journal_comes_first(ingest: Ingest) -> None:
    """Of a scene that the journal knows, the platform is not asked."""
    await ingest("crossing", journal=ingest.path)
    results, progress = await ingest("crossing", journal=ingest.path, existing="fail")
    assert (results, progress.skipped) == ([], 1)
    assert not ingest.requests(QUERIES)


SOURCES: dict[str, Any] = {
    "list": lambda names: [cameras_scene(name) for name in names],
    "generator": lambda names: (cameras_scene(name) for name in names),
}


@pytest.mark.parametrize("limits", [Limits(), Limits(scene_jobs=2, in_flight=30)], ids=["default", "low"])
@pytest.mark.parametrize("source", SOURCES)
async def test_a_query_covers_a_hundred_scenes(source: str, limits: Limits, ingest: Ingest) -> None:
    """Looking up 300 scenes costs one request per hundred, and more only if fewer may be in flight."""
    names = [f"crossing-{number}" for number in range(300)]
    await ingest(*names[::2])
    results, progress = await ingest.scenes(SOURCES[source](names), existing="skip", limits=limits)
    assert (len(results), progress.skipped) == (150, 150)
    assert {len(ingest.inputs(name)) for name in names} == {1}
    assert ingest.requests(QUERIES) <= (3 if limits.in_flight > 100 else 30)


async def test_a_slow_source(ingest: Ingest) -> None:
    """Its scenes do not wait for a hundred others."""
    settled = anyio.Event()

    async def slow() -> AsyncIterator[Any]:
        yield cameras_scene("first")
        with anyio.fail_after(GENEROUS):
            await settled.wait()
        yield cameras_scene("second")

    with anyio.fail_after(GENEROUS):
        async for _ in create_inputs(ingest.client, slow(), PROJECT, existing="skip", sleep_time=0.01):
            settled.set()
    assert ingest.inputs("second") == [PROJECT]


async def test_a_query_that_fails(ingest: Ingest) -> None:
    """Without an answer, nothing is created."""
    ingest.emulator.faults.add(faults.Status(400), on="POST v2/inputs/query", times=1)
    (result,), _ = await ingest("crossing", existing="skip")
    assert (result.status, ingest.inputs("crossing")) == (FAILED, [])


async def test_a_name_that_the_platform_refuses(ingest: Ingest) -> None:
    """It fails its own scene, and no other that is looked up with it."""
    results, _ = await ingest("\ud800", *(f"crossing-{number}" for number in range(5)), existing="skip")
    assert sorted(result.status for result in results) == [*(5 * [CREATED]), FAILED]


async def test_equal_external_ids_in_one_source(ingest: Ingest) -> None:
    """The second finds what has become of the first, whatever the limits."""
    for number, limits in enumerate((Limits(), Limits(in_flight=1))):
        results, progress = await ingest(*(3 * [f"crossing-{number}"]), existing="skip", limits=limits)
        assert (len(results), progress.skipped) == (1, 2)


@pytest.mark.parametrize("existing", ["skip", "fail"])
async def test_what_failed_is_looked_up_when_it_is_retried(existing: Any, ingest: Ingest) -> None:
    """The platform may have got it from somebody else meanwhile."""
    ingest.emulator.platform.refuse("scene", "crossing", "too dark")
    await ingest("crossing", journal=ingest.path)
    ingest.emulator.platform.refusals.clear()
    await ingest("crossing")
    for _ in range(2):
        await ingest("crossing", journal=ingest.path, retry_failed=True, existing=existing)
    assert ingest.inputs("crossing") == [PROJECT]


# Scenes that come to nothing


@pytest.mark.parametrize(("step", "why"), [("processing", "too dark"), ("input", "no more inputs")])
@pytest.mark.parametrize("on_failure", ["keep", "invalidate"])
async def test_on_failure(on_failure: Any, step: Any, why: str, ingest: Ingest) -> None:
    """A scene without any input is kept, or invalidated so that its external id is free again."""
    ingest.emulator.platform.refuse(step, "crossing", why)
    (result,), _ = await ingest("crossing", on_failure=on_failure)
    assert (result.status, result.scene_uuid is None) == (FAILED, False)
    kept = "failed" if step == "processing" else "created"
    gone = "invalidated:incorrectly-created"
    assert ingest.statuses("crossing") == [kept if on_failure == "keep" else gone]


async def test_a_scene_with_an_input_is_kept(ingest: Ingest) -> None:
    """One target that has its input is enough."""
    ingest.emulator.platform.refuse("input", "crossing", "not here", only="project-a")
    targets = [InputTarget("project-a", batch="batch-2"), InputTarget(PROJECT)]
    (result,), _ = await ingest("crossing", targets=targets, on_failure="invalidate")
    assert (result.status, ingest.statuses("crossing")) == (FAILED, ["created"])


async def test_an_input_that_was_made_after_all(emulator: Emulator) -> None:
    """If no response tells whether the input was made, it is looked for, and its scene kept."""
    emulator.faults.add(faults.Drop(after_effect=True), on="POST v1/inputs", times=100)
    emulator.faults.add(faults.Status(404), on="POST v2/inputs/query", times=100)
    options: dict[str, Any] = {"max_retry_wait_time": 0.01, "max_retry_attempts": 2, "visibility_timeout": 0.1}
    async with KognicIOClient(**emulator.client_options(), **options) as client:
        source = [cameras_scene("crossing")]
        made = create_inputs(client, source, PROJECT, on_failure="invalidate", sleep_time=0.01)
        with anyio.fail_after(GENEROUS):
            (result,) = [result async for result in made]
    assert result.status is FAILED
    (scene,) = emulator.platform.scenes.with_external_id("crossing")
    assert scene.status == "created"
    assert emulator.platform.inputs.of_scene(scene.uuid)


async def test_on_failure_with_a_journal(ingest: Ingest) -> None:
    """The next run starts the scene afresh, and nothing is left of the first one."""
    ingest.emulator.platform.refuse("input", "crossing", "not today")
    await ingest("crossing", journal=ingest.path, on_failure="invalidate")
    ingest.emulator.platform.refusals.clear()
    (result,), _ = await ingest("crossing", journal=ingest.path, retry_failed=True)
    assert result.status is CREATED
    assert sorted(ingest.statuses("crossing")) == ["created", "invalidated:incorrectly-created"]


async def test_what_an_earlier_run_has_kept(ingest: Ingest) -> None:
    """A scene that failed in an earlier run is invalidated too when a run is told to."""
    ingest.emulator.platform.refuse("input", "crossing", "not today")
    await ingest("crossing", journal=ingest.path)
    assert ingest.statuses("crossing") == ["created"]
    results, progress = await ingest("crossing", journal=ingest.path, on_failure="invalidate")
    assert (results, progress.skipped_failed) == ([], 1)
    assert ingest.statuses("crossing") == ["invalidated:incorrectly-created"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"existing": "ignore"}, "existing: expected one of create, skip, fail, got 'ignore'"),
        ({"on_failure": True}, "on_failure: expected one of keep, invalidate, got True"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], words: str) -> None:
    """Words that are not among the choices are an error at once."""
    with pytest.raises(InvalidError) as caught:
        create_inputs(KognicIOClient(), [SceneWithPreAnnotation(cameras_scene("a"))], PROJECT, **arguments)
    assert str(caught.value) == words
