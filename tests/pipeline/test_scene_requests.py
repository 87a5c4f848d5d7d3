"""A SceneRequest goes through a run like any scene: its files are local or in a cloud, imported now or later."""

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
    Journal,
    KognicIOClient,
    SceneWithPreAnnotation,
    create_inputs,
    events,
)
from kognic_aio._http.wire import encode
from kognic_aio.client import backend_of
from kognic_aio.emulator import CALIBRATION_ID, WORKSPACE_ID, Emulator, faults
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest, SensorResource
from kognic_aio.pipeline.content import Content
from kognic_aio.pipeline.journal import Destination, Step
from kognic_aio.pipeline.journal.facts import Reached
from kognic_aio.scenes.job import AcceptedRequest
from tests.scenes import CSV, JPG, cameras_scene
from tests.waiting import GENEROUS, HOUR, cancelled_when

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED
PROJECT = "project-b"
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}
NOW = 1_700_000_000_000_000_000


def local(external_id: str = "crossing", name: str = "a.jpg", **more: Any) -> SceneRequest:
    image = ImageResource(sensor_name="RFC01", local_file=LocalFile(filename=name, data=JPG))
    cloud = SensorResource(sensor_name="lidar", local_file=LocalFile(filename="a.csv", data=CSV))
    return made(external_id, Frame(frame_id="0", timestamp_ns=NOW, images=[image], pointclouds=[cloud]), **more)


def remote(external_id: str = "crossing", **more: Any) -> SceneRequest:
    image = ImageResource(sensor_name="RFC01", external_resource_uri="s3://bucket/a.jpg")
    return made(external_id, Frame(frame_id="0", timestamp_ns=NOW, images=[image]), **more)


def postponed(external_id: str = "crossing") -> SceneRequest:
    return remote(external_id, postpone_external_resource_import=True)


def made(external_id: str, frame: Frame, **more: Any) -> SceneRequest:
    return SceneRequest(
        workspace_id=WORKSPACE_ID, external_id=external_id, frames=[frame], calibration_id=CALIBRATION_ID, **more
    )


FORMS = {"local": local, "remote": remote, "postponed": postponed}


@frozen
class Ingest:
    """Runs on one platform, and what is there after them."""

    client: KognicIOClient
    emulator: Emulator
    path: Path

    async def __call__(self, *items: Any, **more: Any) -> list[InputCreationResult]:
        options: dict[str, Any] = {"sleep_time": 0.02} | ({} if "targets" in more else {"project": PROJECT}) | more
        with anyio.fail_after(GENEROUS):
            async with create_inputs(self.client, [*items], **options) as run:
                return [result async for result in run]

    def statuses(self, name: str = "crossing") -> list[str]:
        return sorted(scene.status for scene in self.emulator.platform.scenes.with_external_id(name))

    def inputs(self, name: str = "crossing") -> int:
        platform = self.emulator.platform
        return sum(len(platform.inputs.of_scene(scene.uuid)) for scene in platform.scenes.with_external_id(name))


@pytest.fixture
async def ingest(emulator: Emulator, tmp_path: Path) -> AsyncIterator[Ingest]:
    options: dict[str, Any] = {"max_retry_wait_time": 0.05, "visibility_timeout": 0.5}
    async with KognicIOClient(**emulator.client_options(), **options) as client:
        yield Ingest(client, emulator, tmp_path / "journal")


@pytest.mark.parametrize("form", FORMS)
async def test_each_form(form: str, ingest: Ingest) -> None:
    """It becomes an input with its pre-annotation; what is only indexed is imported on the way."""
    told: list[events.Event] = []
    item = SceneWithPreAnnotation(FORMS[form](), OPENLABEL)
    (result,) = await ingest(item, on_event=told.append)
    assert (result.status, result.error, result.external_id) == (CREATED, None, "crossing")
    assert (ingest.statuses(), ingest.inputs()) == (["created"], 1)
    (scene,) = ingest.emulator.platform.scenes.with_external_id("crossing")
    assert scene.uuid == result.scene_uuid
    assert len(ingest.emulator.platform.pre_annotations.of_scene(scene.uuid)) == 1
    files = [event.name for event in told if isinstance(event, events.FileSent)]
    assert sorted(files) == (["a.csv", "a.jpg"] if form == "local" else [])
    stored = {file.sha256 for file in scene.files.values() if file}
    assert len(stored) == (2 if form == "local" else 0)


async def test_beside_other_scenes(ingest: Ingest) -> None:
    """One source may have scenes of all forms, and each its own targets."""
    targets = [InputTarget(PROJECT, pre_annotation="boxes"), InputTarget("project-a", batch="batch-2")]
    items = [
        *(SceneWithPreAnnotation(FORMS[form](form), pre_annotations={"boxes": OPENLABEL}) for form in FORMS),
        SceneWithPreAnnotation(cameras_scene("other"), pre_annotations={"boxes": OPENLABEL}),
    ]
    results = await ingest(*items, targets=targets)
    assert {result.external_id: result.status for result in results} == dict.fromkeys([*FORMS, "other"], CREATED)
    assert {ingest.inputs(name) for name in (*FORMS, "other")} == {2}


async def test_a_missing_file(ingest: Ingest) -> None:
    """Nothing has been sent."""
    image = ImageResource(sensor_name="RFC01", local_file=LocalFile(filename="/none/a.jpg"))
    (result,) = await ingest(made("crossing", Frame(frame_id="0", timestamp_ns=NOW, images=[image])))
    assert result.error is not None
    assert "/none/a.jpg" in result.error.message
    assert (result.scene_uuid, ingest.statuses()) == (None, [])


@pytest.mark.parametrize("form", FORMS)
async def test_a_dry_run(form: str, ingest: Ingest) -> None:
    """Its local files are checked; the platform has no dry run for it, so nothing is sent."""
    (result,) = await ingest(FORMS[form](), dryrun=True)
    assert (result.status, ingest.statuses()) == (InputCreationStatus.VALIDATED, [])
    assert not ingest.emulator.recorder.requests("POST", "/v2/scenes")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("times", [1, 2])
async def test_a_lost_answer(times: int, form: str, ingest: Ingest) -> None:
    """The scene that was started is found by its external id: it goes on, or is invalidated if its URLs are lost."""
    ingest.emulator.platform.add_scene("crossing")  # another one, which is left alone
    planned = ingest.emulator.faults.add(faults.Drop(after_effect=True), on="POST v2/scenes", times=times)
    (result,) = await ingest(FORMS[form]())
    assert (result.status, planned.injected) == (CREATED, times if form == "local" else 1)
    gone = times * ["invalidated:incorrectly-created"] if form == "local" else []
    assert ingest.statuses() == ["created", "created", *gone]
    assert ingest.inputs() == 1


async def test_a_request_that_did_not_arrive(ingest: Ingest) -> None:
    """If nothing was started, it is sent again."""
    ingest.emulator.faults.add(faults.Drop(), on="POST v2/scenes", times=1)
    (result,) = await ingest(remote())
    assert (result.status, ingest.statuses()) == (CREATED, ["created"])


@pytest.mark.parametrize("form", FORMS)
async def test_with_a_journal(form: str, ingest: Ingest) -> None:
    """It is delivered once. Another folder for its files makes no difference, another content does."""
    assert [each.status for each in await ingest(FORMS[form](), journal=ingest.path)] == [CREATED]
    again = local(name="/elsewhere/a.jpg") if form == "local" else FORMS[form]()
    assert await ingest(again, journal=ingest.path) == []
    (result,) = await ingest(remote(metadata={"region": "north"}), journal=ingest.path)
    assert result.error is not None
    assert "the journal has different content for 'crossing'" in result.error.message
    assert (ingest.statuses(), ingest.inputs()) == (["created"], 1)


@pytest.mark.parametrize("form", FORMS)
async def test_a_run_that_ended_before_it_knew_the_uuid(form: str, ingest: Ingest) -> None:
    """The next run finds what was started, and invalidates it."""
    ingest.emulator.platform.add_scene("crossing")  # another one, which is left alone
    ingest.emulator.faults.add(faults.SlowAnswer(HOUR), on="POST v2/scenes", times=1)
    await cancelled_when(lambda: len(ingest.statuses()) == 2, ingest(FORMS[form](), journal=ingest.path))
    async with Journal(ingest.path) as journal:
        counts = await journal.counts()
    (result,) = await ingest(FORMS[form](), journal=ingest.path)
    assert (result.status, sum(counts.values()) <= 1, Step.SETTLED not in counts) == (CREATED, True, True)
    assert ingest.statuses() == ["created", "created", "invalidated:incorrectly-created"]
    assert ingest.inputs() == 1


async def begun(ingest: Ingest, request: SceneRequest, *others: str) -> None:
    """A process was killed when it had sent the request, before it knew the uuid."""
    content = Content(request, {})
    fact = Reached(Step.STARTING, content.fingerprint, content.outline(), others=others)
    async with Journal(ingest.path, Destination(ingest.emulator.url, WORKSPACE_ID, PROJECT)) as journal:
        await journal.add("crossing", fact)


@pytest.mark.parametrize("form", ["remote", "postponed"])
async def test_a_process_that_was_killed_before_it_knew_the_uuid(form: str, ingest: Ingest) -> None:
    """A scene without files goes on. The journal knows which scenes had the external id before."""
    before = ingest.emulator.platform.add_scene("crossing")
    started = await ingest.client.scene.create_scene(FORMS[form]())
    await begun(ingest, FORMS[form](), before)
    (result,) = await ingest(FORMS[form](), journal=ingest.path)
    assert (result.status, result.scene_uuid, ingest.inputs()) == (CREATED, started.scene_uuid, 1)
    assert ingest.statuses() == ["created", "created"]


async def test_a_killed_process_whose_scene_waits_for_files(ingest: Ingest) -> None:
    """It is invalidated, as nobody knows its signed URLs, and started afresh."""
    await backend_of(ingest.client).api.post("v2/scenes", AcceptedRequest, json=encode(local()))
    await begun(ingest, local())
    (result,) = await ingest(local(), journal=ingest.path)
    assert (result.status, ingest.inputs()) == (CREATED, 1)
    assert ingest.statuses() == ["created", "invalidated:incorrectly-created"]


async def test_a_killed_process_and_somebody_elses_scene(ingest: Ingest) -> None:
    """A scene that has an input is not ours, and is left alone."""
    theirs = await ingest.client.scene.create_scene(remote())
    await ingest.client.cameras.create_from_scene(theirs.scene_uuid, "project-a", "batch-2")
    await begun(ingest, remote())
    (result,) = await ingest(remote(), journal=ingest.path)
    assert (result.status, result.scene_uuid != theirs.scene_uuid) == (CREATED, True)
    assert (ingest.statuses(), ingest.inputs()) == (["created", "created"], 2)


@pytest.mark.parametrize("form", FORMS)
async def test_equal_external_ids(form: str, ingest: Ingest) -> None:
    """They come one after the other, so that a lost response is never taken for that of another scene."""
    ingest.emulator.faults.add(faults.Drop(after_effect=form == "local"), on="POST v2/scenes", times=1)
    results = await ingest(FORMS[form](), FORMS[form]())
    assert [result.status for result in results] == [CREATED, CREATED]
    assert ingest.inputs() == 2
    assert ingest.statuses()[:2] == ["created", "created"]


async def test_an_import_that_is_refused(ingest: Ingest) -> None:
    """The platform's words are the result."""
    ingest.emulator.faults.add(faults.Status(400), on="PATCH v2/scenes/*", times=100)
    (result,) = await ingest(postponed())
    assert result.error is not None
    assert (result.status, ingest.statuses()) == (FAILED, ["indexed"])


async def test_an_import_whose_answer_is_lost(ingest: Ingest) -> None:
    """Its effect counts."""
    ingest.emulator.faults.add(faults.Drop(after_effect=True), on="PATCH v2/scenes/*", times=1)
    (result,) = await ingest(postponed())
    assert (result.status, result.error, ingest.inputs()) == (CREATED, None, 1)
