"""What people have on disk becomes inputs, once, and each scene that is wrong is one result that says why."""

import asyncio
import json
from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import anyio
import pytest
from kognic.io.model import scene as official
from kognic.io.model.scene import cameras as official_cameras

from kognic_aio import InputCreationResult, InputCreationStatus, InputTarget, Journal, KognicIOClient, bulk
from kognic_aio.bulk import Problem, Shard
from kognic_aio.emulator import Emulator, faults
from kognic_aio.emulator.faults import STATUS_QUERY
from kognic_aio.errors import InvalidError
from tests.bulk.recordings import CAMERA, png, record, write

pytestmark = pytest.mark.anyio

CREATED, FAILED, VALIDATED = InputCreationStatus.CREATED, InputCreationStatus.FAILED, InputCreationStatus.VALIDATED
TARGETS = (InputTarget("project-a", "batch-2"), InputTarget("project-b", pre_annotation="pre_annotation"))
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


async def uploaded(
    client: KognicIOClient, source: Any, project: str | None = "project-a", **options: Any
) -> list[InputCreationResult]:
    """The results of an upload, in the order of the scenes' names."""
    results = [result async for result in bulk.upload(client, source, project, **options)]
    return sorted(results, key=lambda result: result.external_id or "")


def sent(emulator: Emulator, path: str) -> list[Any]:
    """The bodies that were posted to a path."""
    return [request.body for request in emulator.recorder.requests("POST", path)]


def scenes(emulator: Emulator, path: str = "/v1/inputs/cameras") -> list[Any]:
    return [{name: value for name, value in body.items() if name != "internalId"} for body in sent(emulator, path)]


async def test_a_folder_to_several_projects(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Each scene gets an input in each project. What they have in common is created once."""
    for number in range(5):
        scene = record(tmp_path / "drives" / f"drive-{number}", cameras=["A", "B"], lidars=["L"])
        write(scene / "pre_annotation.json", OPENLABEL)
    results = await uploaded(client, tmp_path / "drives", None, targets=TARGETS)
    assert [result.status for result in results] == [CREATED] * 5
    assert [result.external_id for result in results] == [f"drive-{number}" for number in range(5)]
    assert all(len(result.inputs) == 2 and len(result.preannotation_uuids) == 1 for result in results)
    (calibration,) = sent(emulator, "/v1/calibrations")
    assert calibration["calibration"].keys() == {"A", "B", "L"}
    (uuid,) = {body["calibrationId"] for body in sent(emulator, "/v1/inputs/lidars-and-cameras-sequence")}
    assert (await client.calibration.get_calibration(uuid)).external_id == calibration["externalId"]


async def test_a_calibration_is_reused(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """One that an earlier run has created is found by its content, however that is written."""
    record(tmp_path / "one" / "first", calibrated=True)
    second = record(tmp_path / "two" / "second", calibrated=True)
    write(second / "calibration.json", {"CAM": dict(reversed(CAMERA.items())) | {"image_width": 8.0}})
    for source in ("one", "two"):
        assert [result.status for result in await uploaded(client, tmp_path / source)] == [CREATED]
    assert len(sent(emulator, "/v1/calibrations")) == 1


async def test_a_calibration_that_several_create(emulator: Emulator, tmp_path: Path) -> None:
    """Those who want to create the same one at once do so in turn, so that it is created once."""
    emulator.faults.add(faults.SlowAnswer(0.2), on="GET v1/calibrations", times=inf)
    for name in ("one", "two", "three"):
        record(tmp_path / name / f"drive-{name}", calibrated=True)

    async def upload(name: str) -> None:
        async with KognicIOClient(**emulator.client_options()) as client:
            assert [result.status for result in await uploaded(client, tmp_path / name)] == [CREATED]

    async with anyio.create_task_group() as tasks:
        for name in ("one", "two", "three"):
            tasks.start_soon(upload, name)
    assert len(sent(emulator, "/v1/calibrations")) == 1


async def test_what_is_done_is_not_checked_again(client: KognicIOClient, tmp_path: Path) -> None:
    """A run that goes on does not read the files of scenes that an earlier one has created."""
    scene = record(tmp_path / "drives" / "drive-0")
    journal = tmp_path / "journal"
    assert [result.status for result in await uploaded(client, tmp_path / "drives", journal=journal)] == [CREATED]
    write(next((scene / "cameras" / "CAM").iterdir()), b"")
    problems: list[Problem] = []
    assert await uploaded(client, tmp_path / "drives", journal=journal, on_problem=problems.append) == []
    assert problems == []
    (failed,) = await uploaded(client, tmp_path / "drives", on_problem=problems.append)
    assert failed.status is FAILED
    assert [problem.code for problem in problems] == ["empty-file"]


async def test_one_wrong_scene(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """It is one FAILED result that says what is wrong and where, and nothing of it is sent. The others are created."""
    for name in "abc":
        record(tmp_path / name)
    write(next((tmp_path / "b" / "cameras" / "CAM").iterdir()), b"no image")
    (tmp_path / "notes").mkdir()
    results = await uploaded(client, tmp_path)
    assert [(result.external_id, result.status) for result in results] == [
        ("a", CREATED),
        ("b", FAILED),
        ("c", CREATED),
        ("notes", FAILED),
    ]
    assert "does not begin like one" in str(results[1].error)
    assert "frame 0" in str(results[1].error)
    assert len(sent(emulator, "/v1/inputs/initialize")) == 2


async def test_wrong_scenes_are_tried_again(client: KognicIOClient, tmp_path: Path) -> None:
    """A scene that was mended is created by the next run with the same journal."""
    journal = tmp_path / "journal"
    image = write(record(tmp_path / "scenes" / "a", frames=1) / "cameras" / "CAM" / "1700000000000000000.png", b"none")
    (result,) = await uploaded(client, tmp_path / "scenes", journal=journal)
    assert result.status is FAILED
    write(image, png())
    (result,) = await uploaded(client, tmp_path / "scenes", journal=journal)
    assert result.status is CREATED
    assert await uploaded(client, tmp_path / "scenes", journal=journal) == []


async def test_names_of_both_kinds(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Lines in snake_case, in camelCase, and as the official models dump and send them describe the same scene."""
    image = write(tmp_path / "image.png", png())
    model = official_cameras.Cameras(
        external_id="name",
        frame=official_cameras.Frame(images=[official.Image(filename=str(image), sensor_name="CAM")]),
        metadata={"weather": "rain"},
    )
    snake = {
        "type": "cameras",
        "external_id": "name",
        "frame": {"images": [{"filename": str(image), "sensor_name": "CAM"}]},
        "metadata": {"weather": "rain"},
    }
    camel = {
        "type": "cameras",
        "externalId": "name",
        "frame": {"images": [{"filename": str(image), "sensorName": "CAM"}]},
        "metadata": {"weather": "rain"},
    }
    dumped, wired = {"type": "cameras", **model.model_dump(mode="json")}, {"type": "cameras", **model.to_dict()}
    for number, line in enumerate((snake, camel, dumped, wired)):
        (result,) = await uploaded(client, write(tmp_path / f"{number}.jsonl", line))
        assert result.status is CREATED, result.error
    assert all(scene == scenes(emulator)[0] for scene in scenes(emulator))


async def test_files_are_relative_to_the_manifest(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Files are found from the manifest's folder, and keep their names on the platform wherever that is."""
    write(tmp_path / "data" / "images" / "front.1.png", png())
    write(tmp_path / "data" / "calibrations" / "car.json", {"CAM": CAMERA})
    write(tmp_path / "data" / "boxes.json", OPENLABEL)
    line = {
        "type": "cameras",
        "external_id": "name",
        "frame": {"images": [{"filename": "images/front.1.png"}]},
        "calibration": "calibrations/car.json",
        "pre_annotation": "boxes.json",
    }
    (result,) = await uploaded(client, write(tmp_path / "data" / "scenes.jsonl", line))
    assert result.status is CREATED, result.error
    assert result.preannotation_uuid is not None
    (scene,) = scenes(emulator)
    assert [image["resourceId"] for image in scene["frame"]["images"]] == ["images/front_1.png"]


async def test_shards(client: KognicIOClient, tmp_path: Path) -> None:
    """Each scene is in one of the parts."""
    for number in range(12):
        record(tmp_path / f"scene-{number}", frames=1)
    parts = [await uploaded(client, tmp_path, shard=Shard(index, 3)) for index in range(3)]
    assert Counter(result.external_id for part in parts for result in part) == {f"scene-{n}": 1 for n in range(12)}
    assert all(len(part) < 12 for part in parts)


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "0/0"])
def test_no_shard(text: str) -> None:
    """What names no part is refused."""
    with pytest.raises(InvalidError, match="such as 0/4"):
        Shard.of(text)


async def test_a_dry_run(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """The platform validates what it can; scenes whose calibrations would have to be created are only checked."""
    record(tmp_path / "plain", cameras=["A"])
    record(tmp_path / "calibrated", cameras=["A"], lidars=["L"])
    (tmp_path / "empty").mkdir()
    results = await uploaded(client, tmp_path, dryrun=True)
    assert [(result.external_id, result.status) for result in results] == [
        ("calibrated", VALIDATED),
        ("empty", FAILED),
        ("plain", VALIDATED),
    ]
    assert sent(emulator, "/v1/calibrations") == []
    assert len(sent(emulator, "/v1/inputs/cameras-sequence")) == 1
    assert emulator.recorder.requests_by_endpoint[STATUS_QUERY] == 0


async def test_a_report(client: KognicIOClient, tmp_path: Path) -> None:
    """It has a row for each scene and target, from the journal, and those that the journal does not have."""
    for name in "abc":
        scene = record(tmp_path / "scenes" / name)
        write(scene / "pre_annotation.json", OPENLABEL)
    (tmp_path / "scenes" / "none").mkdir()
    journal, others = tmp_path / "journal", list[InputCreationResult]()
    for _ in range(2):  # the second run finds all but one done
        others = await uploaded(client, tmp_path / "scenes", None, targets=TARGETS, journal=journal)
    for name in ("report.jsonl", "report.tsv"):
        async with Journal(journal) as opened:
            assert await bulk.write_report(tmp_path / name, opened.results(), others) == 8
    rows = [json.loads(line) for line in await asyncio.to_thread(lines_of, tmp_path / "report.jsonl")]
    assert Counter((row["external_id"], row["status"]) for row in rows) == {
        **dict.fromkeys((("a", "created"), ("b", "created"), ("c", "created")), 2),
        ("none", "failed"): 2,
    }
    assert {(row["project"], row["batch"]) for row in rows} == {("project-a", "batch-2"), ("project-b", None)}
    assert all(row["input_uuid"] and row["view_link"] for row in rows if row["status"] == "created")
    header, *table = [line.split("\t") for line in await asyncio.to_thread(lines_of, tmp_path / "report.tsv")]
    assert header == list(rows[0])
    assert table == [["" if value is None else value for value in row.values()] for row in rows]


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()
