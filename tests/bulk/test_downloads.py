"""What was annotated becomes files, each whole or not there, and what has not changed is not downloaded again."""

import json
import os
from math import inf
from pathlib import Path

import pytest

from kognic_aio import KognicIOClient, bulk
from kognic_aio.bulk import Downloaded
from kognic_aio.bulk.downloads import NOTE
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import InvalidError, NotFoundError

pytestmark = pytest.mark.anyio

ANNOTATION_TYPE = "lanes"


def annotated(emulator: Emulator, *names: str, batch: str = "batch-2") -> list[str]:
    """The inputs of scenes with some external ids, each with an annotation that has the scene's name."""
    inputs = [
        emulator.platform.add_input(emulator.platform.add_scene(name), "project-a", batch)[0].uuid for name in names
    ]
    for name, uuid in zip(names, inputs, strict=True):
        emulator.platform.add_annotation(uuid, {"openlabel": {"name": name}}, annotation_type=ANNOTATION_TYPE)
    return inputs


async def downloaded(client: KognicIOClient, folder: Path, **options: object) -> list[Downloaded]:
    """What a download tells of, by name."""
    told: list[Downloaded] = []
    failed = await bulk.download(client, "project-a", ANNOTATION_TYPE, folder, on_file=told.append, **options)  # type: ignore[arg-type]
    assert failed == [each for each in told if each.error is not None]
    return sorted(told, key=lambda each: each.external_id)


def files_in(folder: Path) -> list[str]:
    """The names of files, but for the note of what they are."""
    return sorted(path.name for path in folder.iterdir() if path.name != NOTE)


def names_in(folder: Path) -> dict[str, object]:
    """The names of files, and the scenes whose annotations they have."""
    return {name: json.loads((folder / name).read_bytes())["openlabel"]["name"] for name in files_in(folder)}


async def test_all(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Each annotation is a file that is named by the external id of its scene, in a folder that is made."""
    annotated(emulator, "drive-1", "drive-2")
    told = await downloaded(client, tmp_path / "some" / "annotations")
    assert names_in(tmp_path / "some" / "annotations") == {"drive-1.json": "drive-1", "drive-2.json": "drive-2"}
    assert [each.is_new for each in told] == [True, True]


async def test_again(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """What is there and unchanged is skipped; what was annotated anew, or is gone, is downloaded."""
    old, *_ = annotated(emulator, "again", "gone", "same")
    await downloaded(client, tmp_path)
    emulator.platform.add_annotation(old, {"openlabel": {"name": "later"}}, annotation_type=ANNOTATION_TYPE)
    (tmp_path / "gone.json").unlink()
    told = await downloaded(client, tmp_path)
    assert [each.is_new for each in told] == [True, True, False]
    assert names_in(tmp_path) == {"again.json": "later", "gone.json": "gone", "same.json": "same"}


async def test_some(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A batch, or scenes by uuid or external id."""
    annotated(emulator, "by-name", "other")
    by_uuid = emulator.platform.add_scene("by-uuid")
    uuid = emulator.platform.add_input(by_uuid, "project-a", "batch-3")[0].uuid
    emulator.platform.add_annotation(uuid, {"openlabel": {"name": "by-uuid"}}, annotation_type=ANNOTATION_TYPE)
    await downloaded(client, tmp_path / "scenes", scenes=["by-name", by_uuid])
    assert [*names_in(tmp_path / "scenes")] == ["by-name.json", "by-uuid.json"]
    await downloaded(client, tmp_path / "batch", batch="batch-3")
    assert [*names_in(tmp_path / "batch")] == ["by-uuid.json"]


async def test_several_requests(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """The annotations of a scene that is in several requests have the uuids of these in their names."""
    emulator.platform.add_batch("project-a", "twofold", requests=2)
    inputs = emulator.platform.add_input(emulator.platform.add_scene("twice"), "project-a", "twofold")
    for number, each in enumerate(inputs):
        emulator.platform.add_annotation(
            each.uuid, {"openlabel": {"name": str(number)}}, annotation_type=ANNOTATION_TYPE
        )
    await downloaded(client, tmp_path)
    found = [each async for each in client.input.query_inputs(project="project-a", external_ids=["twice"])]
    assert {*names_in(tmp_path)} == {f"twice.{each.request_uid}.json" for each in found}


async def test_namesakes(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """The annotations of scenes that share an external id have the scenes' uuids in their names."""
    annotated(emulator, "same", "same", "other")
    await downloaded(client, tmp_path)
    scenes = [each.scene_uuid async for each in client.input.query_inputs(project="project-a", external_ids=["same"])]
    assert names_in(tmp_path).keys() == {"other.json", *(f"same.{uuid}.json" for uuid in scenes)}
    assert [each.is_new for each in await downloaded(client, tmp_path)] == [False] * 3


async def test_a_folder_has_one_kind(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Annotations of another type or format would replace those that are there, and are refused."""
    annotated(emulator, "drive")
    await downloaded(client, tmp_path)
    with pytest.raises(InvalidError, match="iso_rotated_cuboids False; choose another folder"):
        await downloaded(client, tmp_path, iso_rotated_cuboids=True)
    with pytest.raises(InvalidError, match="annotation_type 'lanes'; choose another folder"):
        await bulk.download(client, "project-a", "signs", tmp_path)
    assert names_in(tmp_path) == {"drive.json": "drive"}


async def test_an_unknown_scene(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """One that has no input in the project is an error, and nothing is downloaded."""
    annotated(emulator, "drive")
    with pytest.raises(InvalidError, match="no input of 'nowhere'"):
        await downloaded(client, tmp_path, scenes=["drive", "nowhere"])
    assert not files_in(tmp_path)


@pytest.mark.parametrize(
    ("external_id", "name"),
    [
        ("a/b", "a%2Fb.json"),
        ("..", "%2E..json"),
        ("Straße 1", "Stra%C3%9Fe 1.json"),
        ("x" * 300, None),
    ],
)
async def test_names(
    external_id: str, name: str | None, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """Whatever an external id is, its file is in the folder, and can be told from others."""
    annotated(emulator, external_id)
    (told,) = await downloaded(client, tmp_path)
    assert files_in(tmp_path) == [told.path.name]
    assert name in (None, told.path.name)


async def test_an_expired_url(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A fresh one is asked for."""
    annotated(emulator, "drive")
    emulator.faults.add(faults.ExpiredUrl(), on="GET storage*")
    (told,) = await downloaded(client, tmp_path)
    assert told.error is None
    assert names_in(tmp_path) == {"drive.json": "drive"}


async def test_broken_storage(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """An annotation that cannot be downloaded is told of, and leaves nothing behind; the others are there."""
    annotated(emulator, "good")
    await downloaded(client, tmp_path)
    annotated(emulator, "bad")
    for where in ("GET storage*", "GET v1/annotations/inputs*"):
        emulator.faults.add(faults.Status(404), on=where, times=inf)
    told = await downloaded(client, tmp_path)
    assert [(each.external_id, each.error is None) for each in told] == [("bad", False), ("good", True)]
    assert files_in(tmp_path) == ["good.json"]


async def test_leftovers(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """What a run that was killed has left is removed, but not what may still be written, nor what others have made."""
    annotated(emulator, "drive")
    names = (".drive.json.0123abcd.partial", ".other.json.0123abcd.partial", ".mine", "mine.partial")
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".new.json.0123abcd.partial").touch()
    await downloaded(client, tmp_path)
    assert files_in(tmp_path) == [".mine", ".new.json.0123abcd.partial", "drive.json", "mine.partial"]


async def test_unknown_project(client: KognicIOClient, tmp_path: Path) -> None:
    """The error lists those that are there."""
    with pytest.raises(NotFoundError, match="project-a"):
        await bulk.download(client, "project-x", ANNOTATION_TYPE, tmp_path)
