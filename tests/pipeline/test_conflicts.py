"""Two contents under one key of a journal: what is the same, what is refused, and how to go on."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve, frozen

from kognic_aio import (
    FileData,
    InputCreationResult,
    InputCreationStatus,
    KognicIOClient,
    Progress,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import CALIBRATION_ID, Emulator, faults
from kognic_aio.errors import InvalidError
from kognic_aio.model import Cameras, Image, LidarsAndCameras, PointCloud
from kognic_aio.model.calibration import SensorCalibration
from kognic_aio.pipeline.journal import Failure, Step
from tests.faults.ingestion import BATCH, PROJECT
from tests.pipeline.journals import Journal
from tests.scenes import CSV, JPG, cameras_scene
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED
PROCESSING = InputCreationStatus.PROCESSING


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """One that waits shortly for what may still come of an earlier run's requests."""
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.1, visibility_timeout=HOUR) as client:
        yield client


@frozen
class Ingest:
    """Runs with one journal on one platform, and what is there after each."""

    client: KognicIOClient
    emulator: Emulator
    path: Path

    async def __call__(self, *scenes: Any, **options: Any) -> list[InputCreationResult]:
        results, _ = await self.counted(*scenes, **options)
        return results

    async def counted(self, *scenes: Any, **options: Any) -> tuple[list[InputCreationResult], Progress]:
        with anyio.fail_after(GENEROUS):
            made = create_inputs(
                self.client, [*scenes], PROJECT, batch=BATCH, sleep_time=0.01, journal=self.path, **options
            )
            return [result async for result in made], made.progress

    async def one(self, scene: Any, **options: Any) -> InputCreationResult:
        (result,) = await self(scene, **options)
        return result

    async def failures(self) -> list[Failure]:
        async with Journal(self.path) as journal:
            return list(await journal.failures())

    async def retry_failed(self) -> int:
        async with Journal(self.path) as journal:
            return await journal.retry_failed()

    @property
    def uploads(self) -> int:
        return len(self.emulator.recorder.requests("PUT"))

    def statuses(self, external_id: str = "scene") -> list[str]:
        """Of all scenes of a name, in the order of their creation."""
        return [scene.status for scene in self.emulator.platform.scenes.with_external_id(external_id)]

    def inputs(self, external_id: str = "scene") -> int:
        scenes = self.emulator.platform.scenes.with_external_id(external_id)
        return sum(len(self.emulator.platform.inputs.of_scene(scene.uuid)) for scene in scenes)

    def hang(self, external_id: str = "scene") -> None:
        """From now on, scenes of a name are processed without an end."""
        self.emulator.faults.add(faults.HangProcessing(), on=external_id)

    def wake(self) -> None:
        """What was processed without an end is ready, and further scenes will be."""
        self.emulator.faults.clear()
        for scene in self.emulator.platform.scenes.with_external_id("scene"):
            scene.ready_at = 0.0


@pytest.fixture
def ingest(client: KognicIOClient, emulator: Emulator, tmp_path: Path) -> Ingest:
    return Ingest(client, emulator, tmp_path / "ingestion.journal")


def scene(region: str = "north", external_id: str = "scene") -> Cameras:
    """Contents under one name, told apart by their region."""
    return evolve(cameras_scene(external_id), metadata={"region": region})


def lidar_scene(calibration_id: str, **fields: Any) -> LidarsAndCameras:
    image = Image(filename="a.jpg", sensor_name="RFC01", file_data=FileData(data=JPG, format="jpg"))
    cloud = PointCloud(filename="a.csv", sensor_name="RFL01", file_data=FileData(data=CSV, format="csv"))
    frame = LidarsAndCameras.Frame(images=[image], point_clouds=[cloud])
    return LidarsAndCameras(external_id="scene", frame=frame, calibration_id=calibration_id, **fields)


async def calibrated(client: KognicIOClient) -> LidarsAndCameras:
    """The scene of a script that makes its calibration anew in each run."""
    seeded = await client.calibration.get_calibration(CALIBRATION_ID)
    sensors: Any = seeded.calibration
    calibration = SensorCalibration(external_id="rig", calibration=sensors)
    return lidar_scene((await client.calibration.create_calibration(calibration)).id)


# Files in another folder


@pytest.mark.parametrize("named", ["by-name", "by-path"])
async def test_files_in_another_folder(named: str, ingest: Ingest, tmp_path: Path) -> None:
    """A second run that fetched the files to another folder goes on: nothing is uploaded again, nothing is stranded."""

    def fetched(folder: str) -> list[Cameras]:
        scenes = []
        for number in range(9):
            path = tmp_path / folder / f"{number}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(JPG)
            image = Image(filename=path, resource_id="front.jpg" if named == "by-name" else str(path))
            scenes.append(Cameras(external_id=f"scene-{number}", frame=Cameras.Frame(images=[image])))
        return scenes

    for number in range(4):
        ingest.hang(f"scene-{number}")
    scenes = fetched("a")
    first = [*await ingest(*scenes[4:]), *await ingest(*scenes[:4], wait_timeout=0.1)]
    assert Counter(result.status for result in first) == {CREATED: 5, PROCESSING: 4}
    ingest.emulator.faults.clear()
    for result in first:
        ingest.emulator.platform.scene(str(result.scene_uuid)).ready_at = 0.0
    second, progress = await ingest.counted(*fetched("b"))
    assert Counter(result.status for result in second) == {CREATED: 4}
    assert (progress.skipped, progress.files) == (5, 0)
    assert [ingest.inputs(f"scene-{number}") for number in range(9)] == [1] * 9
    assert [ingest.statuses(f"scene-{number}") for number in range(9)] == [["created"]] * 9


async def test_any_form_of_the_same_pre_annotation(ingest: Ingest) -> None:
    """Whether a pre-annotation comes as a dict or as JSON, the scene is the same."""
    await ingest.one(SceneWithPreAnnotation(scene(), {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}))
    text = '{\n  "openlabel": {"metadata":  {"schema_version": "1.0.0"}}}'
    assert await ingest(SceneWithPreAnnotation(scene(), text)) == []


# Another content


async def test_what_an_error_says(ingest: Ingest) -> None:
    """Another content is refused with what differs and what to do, and it is among the failures until it is cured."""
    await ingest.one(scene("north"))
    result = await ingest.one(scene("south"))
    assert (result.status, result.scene_uuid) == (FAILED, None)
    assert result.error is not None
    message = result.error.message
    assert message.startswith("the journal has different content for 'scene': metadata.region: 'north' -> 'south'; ")
    for advice in ("recorded content", "key=", "another journal", "retry_failed=True", "Journal.retry_failed()"):
        assert advice in message
    (failure,) = await ingest.failures()
    assert (failure.key, failure.stage, failure.message) == ("scene", result.error.stage, message)
    async with Journal(ingest.path) as journal:
        assert await journal.counts() == {CREATED: 1, FAILED: 1}
    again = await ingest.one(scene("south"))
    assert again.error == result.error
    assert len(await ingest.failures()) == 1


async def test_the_recorded_content_comes_again(ingest: Ingest) -> None:
    """Once the recorded content has come again, the refusal of another one is no failure any more."""
    await ingest.one(scene("north"))
    await ingest.one(scene("south"))
    assert await ingest(scene("north")) == []
    assert await ingest.failures() == []


async def retry_by_journal(ingest: Ingest, *scenes: Any) -> list[InputCreationResult]:
    assert await ingest.retry_failed() == 1
    return await ingest(*scenes)


async def retry_by_run(ingest: Ingest, *scenes: Any) -> list[InputCreationResult]:
    return await ingest(*scenes, retry_failed=True)


RETRIES = [retry_by_journal, retry_by_run]


@pytest.mark.parametrize("retry", RETRIES)
async def test_beside_an_input(retry: Any, ingest: Ingest) -> None:
    """If the recorded content is an input, the refused one is created beside it when it is retried, and only once."""
    first = await ingest.one(scene("north"))
    await ingest.one(scene("south"))
    (second,) = await retry(ingest, scene("south"))
    assert (second.status, second.scene_uuid == first.scene_uuid) == (CREATED, False)
    assert ingest.statuses() == ["created", "created"]
    assert ingest.inputs() == 2
    assert await ingest.failures() == []
    for content in ("north", "south", "north"):
        assert await ingest(scene(content)) == []
    assert await ingest(scene("north"), scene("south"), retry_failed=True) == []
    assert ingest.inputs() == 2


@pytest.mark.parametrize("retry", RETRIES)
async def test_in_the_place_of_a_committed_scene(retry: Any, ingest: Ingest) -> None:
    """If the recorded content is committed, the refused one takes its place when it is retried; it is invalidated."""
    ingest.hang()
    (first,) = await ingest(scene("north"), wait_timeout=0.1)
    assert first.status == PROCESSING
    ingest.wake()
    await ingest.one(scene("south"))
    (second,) = await retry(ingest, scene("south"))
    assert second.status == CREATED
    assert ingest.statuses() == ["invalidated:incorrectly-created", "created"]
    assert ingest.inputs() == 1
    async with Journal(ingest.path) as journal:
        assert await journal.abandoned() == []
        assert await journal.counts() == {CREATED: 1}
    assert (await ingest.one(scene("north"))).status == FAILED


@pytest.mark.parametrize("retry", RETRIES)
async def test_in_the_place_of_a_failure(retry: Any, ingest: Ingest) -> None:
    """Another content takes the place of one that failed when that is retried, whether it was refused before or not."""
    ingest.emulator.faults.add(faults.FailProcessing("too dark"), on="scene", times=1)
    await ingest.one(scene("north"))
    (second,) = await retry(ingest, scene("south"))
    assert second.status == CREATED
    assert Counter(ingest.statuses()) == {"invalidated:incorrectly-created": 1, "created": 1}
    assert await ingest.failures() == []


async def test_what_may_be_an_input_is_looked_for(ingest: Ingest) -> None:
    """A scene whose run was killed as it created the input is not invalidated for another content, if there is one."""
    first = await ingest.one(scene("north"))
    async with Journal(ingest.path) as journal:
        assert first.scene_uuid is not None
        known = await journal.recall("scene")
        assert known is not None
        fields: Any = {"fingerprint": known.fingerprint, "outline": known.outline, "scene_uuid": first.scene_uuid}
        await journal.record("scene", Step.STARTING, **fields)
        await journal.record("scene", Step.CREATING_INPUT)
    await ingest.one(scene("south"))
    second = await ingest.one(scene("south"), retry_failed=True)
    assert second.status == CREATED
    assert ingest.statuses() == ["created", "created"]
    (late,) = await ingest(scene("north"))
    assert (late.input_uuid, late.scene_uuid) == (first.input_uuid, first.scene_uuid)
    assert await ingest(scene("north"), scene("south")) == []
    assert ingest.inputs() == 2


async def test_two_contents_in_one_source(ingest: Ingest) -> None:
    """In a run that retries, what it refuses itself is not retried at once; the next one creates it, once."""
    contents = [scene("north"), scene("south"), scene("south")]
    results = await ingest(*contents, retry_failed=True)
    assert Counter(result.status for result in results) == {CREATED: 1, FAILED: 2}
    assert {result.status for result in await ingest(*contents, retry_failed=True)} == {CREATED}
    assert await ingest(*contents, retry_failed=True) == []
    assert ingest.inputs() == 2


async def test_going_back_to_the_recorded_content(ingest: Ingest) -> None:
    """A committed scene is taken up when its content comes again, though another was refused and is to be retried."""
    ingest.hang()
    await ingest(scene("north"), wait_timeout=0.1)
    ingest.wake()
    await ingest.one(scene("south"))
    assert await ingest.retry_failed() == 1
    uploads = ingest.uploads
    assert (await ingest.one(scene("north"))).status == CREATED
    assert ingest.uploads == uploads
    assert ingest.statuses() == ["created"]


async def test_keys_of_any_characters(ingest: Ingest) -> None:
    """A key may have any characters, also those that the journal uses itself."""
    odd = "Straße \0 \ud800 \" ' \\ \n 🚗"
    options: Any = {"key": lambda scene: odd}
    await ingest.one(scene("north"), **options)
    await ingest.one(scene("south"), **options)
    assert [failure.key for failure in await ingest.failures()] == [odd]
    assert (await ingest.one(scene("south"), retry_failed=True, **options)).status == CREATED
    for content in ("north", "south"):
        assert await ingest(scene(content), **options) == []
    assert ingest.inputs() == 2


# Another calibration


async def test_a_committed_scene_keeps_its_calibration(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    """A committed scene is taken up though its calibration was made anew; a warning says so."""
    ingest.hang()
    one = await calibrated(ingest.client)
    (first,) = await ingest(one, wait_timeout=0.1)
    ingest.wake()
    uploads, other = ingest.uploads, await calibrated(ingest.client)
    with caplog.at_level(logging.WARNING, "kognic_aio"):
        second = await ingest.one(other)
    assert (second.status, second.scene_uuid) == (CREATED, first.scene_uuid)
    assert (ingest.uploads, ingest.statuses()) == (uploads, ["created"])
    (record,) = [record for record in caplog.records if "calibration" in record.message]
    assert "scene 'scene' was committed with another calibration and is kept" in record.message
    assert f"calibration_id {one.calibration_id!r} -> {other.calibration_id!r}" in record.message
    assert await ingest.failures() == []


async def test_a_scene_that_is_done_keeps_its_calibration(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    """Scenes that are inputs are skipped though their calibration was made anew; one warning stands for all."""
    names = [f"scene-{number}" for number in range(5)]
    for run in range(3):
        caplog.clear()
        given = await calibrated(ingest.client)
        with caplog.at_level(logging.INFO, "kognic_aio"):
            results, progress = await ingest.counted(*(evolve(given, external_id=name) for name in names))
        told = Counter(record.levelname for record in caplog.records if "and is kept" in record.message)
        assert len(results) == (0 if run else 5)
        assert (progress.skipped, progress.skipped_failed) == (5 if run else 0, 0)
        assert told == ({"WARNING": 1, "INFO": 4} if run else {})
    assert [ingest.inputs(name) for name in names] == [1] * 5


async def test_a_started_scene_takes_the_new_calibration(ingest: Ingest) -> None:
    """A scene that was not committed starts afresh with the new calibration, and the old one is invalidated."""
    one, other = await calibrated(ingest.client), await calibrated(ingest.client)
    ingest.emulator.faults.add(faults.SlowAnswer(HOUR), on=faults.UPLOADS)
    made = create_inputs(ingest.client, [one], PROJECT, batch=BATCH, journal=ingest.path)
    waiting = asyncio.ensure_future(anext(made))
    await until(ingest.statuses)
    await made.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting
    ingest.emulator.faults.clear()
    result = await ingest.one(other)
    assert result.status == CREATED
    assert ingest.statuses() == ["invalidated:incorrectly-created", "created"]
    sent = ingest.emulator.recorder.requests("POST", "/v1/inputs/lidars-and-cameras")
    assert [request.body["calibrationId"] for request in sent] == [one.calibration_id, other.calibration_id]
    assert await ingest(other) == []


async def test_a_refused_calibration_is_replaced(ingest: Ingest) -> None:
    """A scene that the platform refused for its calibration is tried with another one, without being told to."""
    bad = lidar_scene("no-such-calibration")
    assert (await ingest.one(bad)).status == FAILED
    assert await ingest(bad) == []
    assert (await ingest.one(await calibrated(ingest.client))).status == CREATED
    assert await ingest.failures() == []


async def test_a_failure_keeps_its_calibration(ingest: Ingest) -> None:
    """A scene that was committed and failed stays so, whatever calibration it comes with, until it is retried."""
    ingest.emulator.faults.add(faults.FailProcessing("too dark"), on="scene", times=1)
    assert (await ingest.one(await calibrated(ingest.client))).status == FAILED
    results, progress = await ingest.counted(await calibrated(ingest.client))
    assert (results, progress.skipped_failed) == ([], 1)
    assert (await ingest.one(await calibrated(ingest.client), retry_failed=True)).status == CREATED
    assert Counter(ingest.statuses()) == {"invalidated:incorrectly-created": 1, "created": 1}


async def test_more_than_the_calibration_differs(ingest: Ingest) -> None:
    """If something else differs as well, the content is another one, and the error says both."""
    one = await calibrated(ingest.client)
    await ingest.one(one)
    other = evolve(await calibrated(ingest.client), metadata={"region": "south"})
    (result,) = await ingest(other)
    assert result.error is not None
    assert f"calibration_id: {one.calibration_id!r} -> {other.calibration_id!r}, metadata: none -> some" in (
        result.error.message
    )


async def recalibrated(ingest: Ingest, region: str) -> LidarsAndCameras:
    """A content whose calibration was made anew."""
    return evolve(await calibrated(ingest.client), metadata={"region": region})


@pytest.mark.parametrize("retry", RETRIES)
async def test_a_refused_content_with_another_calibration(retry: Any, ingest: Ingest) -> None:
    """However often it is refused with a new calibration, it is one failure, and can be retried with another one."""
    await ingest.one(await recalibrated(ingest, "north"))
    for _ in range(3):
        assert (await ingest.one(await recalibrated(ingest, "south"))).status == FAILED
        assert len(await ingest.failures()) == 1
    (result,) = await retry(ingest, await recalibrated(ingest, "south"))
    assert result.status == CREATED
    assert (ingest.statuses(), ingest.inputs()) == (["created"] * 2, 2)
    assert await ingest.failures() == []
    assert await ingest(await recalibrated(ingest, "south")) == []


async def test_a_run_refuses_any_calibration(ingest: Ingest) -> None:
    """What a run that retries has refused itself it refuses with another calibration too; the next one creates it."""
    await ingest.one(await recalibrated(ingest, "north"))
    souths = [await recalibrated(ingest, "south") for _ in range(3)]
    assert {result.status for result in await ingest(*souths[:2], retry_failed=True)} == {FAILED}
    assert len(await ingest.failures()) == 1
    assert (await ingest.one(souths[2], retry_failed=True)).status == CREATED
    assert ingest.inputs() == 2


@pytest.mark.parametrize("options", [{}, {"retry_failed": True}], ids=["as-it-is", "retry"])
async def test_what_was_set_aside_keeps_its_calibration(
    options: Any, ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    """An input that made way for another content is known with a new calibration too, and is not created twice."""
    first = await recalibrated(ingest, "north")
    await ingest.one(first)
    await ingest.one(await recalibrated(ingest, "south"))
    assert (await ingest.one(await recalibrated(ingest, "south"), retry_failed=True)).status == CREATED
    uploads, again = ingest.uploads, await recalibrated(ingest, "north")
    with caplog.at_level(logging.WARNING, "kognic_aio"):
        results, progress = await ingest.counted(again, await recalibrated(ingest, "south"), **options)
    assert (results, progress.skipped, ingest.uploads, ingest.inputs()) == ([], 2, uploads, 2)
    assert f"calibration_id {first.calibration_id!r} -> {again.calibration_id!r}" in caplog.text
    assert await ingest.failures() == []


@pytest.mark.parametrize("retried", [False, True], ids=["recorded", "set-aside"])
async def test_going_back_with_another_calibration(retried: bool, ingest: Ingest) -> None:
    """Once a known content has come again, with whatever calibration, the refusal of another one is no failure."""
    await ingest.one(await recalibrated(ingest, "north"))
    if retried:
        await ingest.one(await recalibrated(ingest, "south"))
        await ingest.one(await recalibrated(ingest, "south"), retry_failed=True)
    assert (await ingest.one(await recalibrated(ingest, "west"))).status == FAILED
    assert len(await ingest.failures()) == 1
    assert await ingest(await recalibrated(ingest, "north")) == []
    assert await ingest.failures() == []
    assert ingest.inputs() == 1 + retried


# What failed before


async def test_what_failed_is_counted(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    """A run that skips what failed before says so: by a count, and once in the log, with what to do."""
    scenes = [scene(external_id=f"scene-{number}") for number in range(10)]
    for number in range(4):
        ingest.emulator.faults.add(faults.FailProcessing("too dark"), on=f"scene-{number}")
    first, progress = await ingest.counted(*scenes)
    assert Counter(result.status for result in first) == {CREATED: 6, FAILED: 4}
    assert (progress.skipped, progress.skipped_failed) == (0, 0)
    with caplog.at_level(logging.WARNING, "kognic_aio"):
        results, progress = await ingest.counted(*scenes)
    assert (results, progress.skipped, progress.skipped_failed, progress.settled) == ([], 10, 4, 10)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    for words in ("failed in an earlier run", "too dark", "retry_failed=True", "Journal.retry_failed()"):
        assert words in record.message
    results, progress = await ingest.counted(*scenes, retry_failed=True)
    assert Counter(result.status for result in results) == {CREATED: 4}
    assert (progress.skipped, progress.skipped_failed) == (6, 0)
    for number in range(10):
        assert ingest.inputs(f"scene-{number}") == 1
    invalidated = [ingest.statuses(f"scene-{number}").count("invalidated:incorrectly-created") for number in range(10)]
    assert invalidated == [1] * 4 + [0] * 6


async def test_what_fails_again(ingest: Ingest) -> None:
    """What is retried and fails again is a failure with its new reason, once in a run, and can be retried again."""
    for reason in ("too dark", "too bright"):
        ingest.emulator.faults.add(faults.FailProcessing(reason), on="scene", times=1)
    await ingest.one(scene())
    results = await ingest(scene(), scene(), retry_failed=True)
    assert {result.error and result.error.message for result in results} == {"failed: too bright"}
    assert len(ingest.statuses()) == 2
    assert [failure.message for failure in await ingest.failures()] == ["failed: too bright"]
    assert (await ingest.one(scene(), retry_failed=True)).status == CREATED
    assert Counter(ingest.statuses()) == {"invalidated:incorrectly-created": 2, "created": 1}


OPENLABEL = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


async def test_a_retried_scene_has_its_own_pre_annotation(ingest: Ingest) -> None:
    """What starts afresh makes all of it anew: nothing of the scene that failed is taken for its own."""
    item = SceneWithPreAnnotation(scene(), OPENLABEL)
    ingest.emulator.faults.add(faults.Status(400), on="POST v1/inputs")
    first = await ingest.one(item)
    assert first.error is not None
    assert first.error.stage == "input-from-scene"
    second = await ingest.one(item, retry_failed=True)
    assert (second.status, second.preannotation_uuid == first.preannotation_uuid) == (CREATED, False)
    (own,) = ingest.emulator.platform.pre_annotations.of_scene(str(second.scene_uuid))
    assert own.id == second.preannotation_uuid


async def test_the_other_is_kept_if_it_cannot_be_looked_at(ingest: Ingest) -> None:
    """If nobody can tell whether the recorded content is an input, its entry stays as it is for the next run."""
    first = await ingest.one(scene("north"))
    async with Journal(ingest.path) as journal:
        known = await journal.recall("scene")
        assert known is not None
        fields: Any = {"fingerprint": known.fingerprint, "outline": known.outline, "scene_uuid": first.scene_uuid}
        await journal.record("scene", Step.STARTING, **fields)
        await journal.record("scene", Step.CREATING_INPUT)
    await ingest.one(scene("south"))
    ingest.emulator.faults.add(faults.Status(400), on="POST v2/inputs/query", times=1)
    assert (await ingest.one(scene("south"), retry_failed=True)).status == FAILED
    assert ingest.statuses() == ["created"]
    assert (await ingest.one(scene("south"), retry_failed=True)).status == CREATED
    (late,) = await ingest(scene("north"))
    assert late.input_uuid == first.input_uuid
    assert ingest.statuses() == ["created", "created"]


async def test_the_other_keeps_its_pre_annotation(ingest: Ingest) -> None:
    """What turns out to have become an input, and makes way, is still known with its pre-annotation."""
    north, south = (SceneWithPreAnnotation(scene(region), OPENLABEL) for region in ("north", "south"))
    first = await ingest.one(north)
    async with Journal(ingest.path) as journal:
        known = await journal.recall("scene")
        assert known is not None
        fields: Any = {"fingerprint": known.fingerprint, "outline": known.outline, "scene_uuid": first.scene_uuid}
        await journal.record("scene", Step.STARTING, **fields)
        await journal.record("scene", Step.PRE_ANNOTATED, preannotation_uuid=first.preannotation_uuid)
        await journal.record("scene", Step.CREATING_INPUT)
    assert (await ingest.one(south)).status == FAILED
    second = await ingest.one(south, retry_failed=True)
    (late,) = await ingest(north)
    assert first.preannotation_uuid is not None
    assert (late.input_uuid, late.preannotation_uuid) == (first.input_uuid, first.preannotation_uuid)
    assert second.preannotation_uuid not in (None, first.preannotation_uuid)


@pytest.mark.parametrize("key", ["scene", ""], ids=["named", "empty"])
async def test_a_scene_that_is_started_afresh_has_its_key_already(key: str, ingest: Ingest) -> None:
    """A scene whose signed URL has expired does not wait for itself, whatever its key."""
    ingest.emulator.faults.add(faults.ExpiredUrl(), times=1)
    assert (await ingest.one(scene(), key=lambda scene: key)).status == CREATED
    assert ingest.statuses() == ["invalidated:incorrectly-created", "created"]
    assert await ingest(scene(), key=lambda scene: key) == []


async def test_a_scene_that_cannot_be_started_afresh_names_what_it_started(ingest: Ingest) -> None:
    """Its result has the uuid of the attempt that is on the platform, as it has without a journal."""
    ingest.emulator.faults.add(faults.ExpiredUrl(), times=1)
    ingest.emulator.faults.add(faults.Status(400), on="POST v1/inputs/initialize", skip=1)
    result = await ingest.one(scene())
    (started,) = ingest.emulator.platform.scenes.with_external_id("scene")
    assert (result.status, result.scene_uuid) == (FAILED, started.uuid)
    assert ingest.statuses() == ["invalidated:incorrectly-created"]
    assert (await ingest.one(scene(), retry_failed=True)).status == CREATED


async def test_a_failure_before_the_start_is_retried(ingest: Ingest, tmp_path: Path) -> None:
    """A scene whose file was missing is created when the file is there and it is retried."""
    file = tmp_path / "late.jpg"
    late = Cameras(external_id="scene", frame=Cameras.Frame(images=[Image(filename=str(file))]))
    assert (await ingest.one(late)).status == FAILED
    assert await ingest(late) == []
    assert (await ingest.one(late, retry_failed=True)).status == FAILED
    file.write_bytes(JPG)
    assert (await ingest.one(late, retry_failed=True)).status == CREATED
    assert ingest.statuses() == ["created"]


def test_there_is_nothing_to_retry_without_a_journal() -> None:
    """Only a journal knows what failed before."""
    with pytest.raises(InvalidError, match="retry_failed: requires journal=, which records what failed"):
        create_inputs(KognicIOClient(), [], PROJECT, retry_failed=True)
