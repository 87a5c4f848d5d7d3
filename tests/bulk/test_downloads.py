"""What was annotated becomes files, each whole or not there, and what has not changed is not downloaded again."""

import json
from pathlib import Path

import pytest

from kognic_aio import KognicIOClient, bulk
from kognic_aio.bulk import Downloaded
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import NotFoundError

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
    """The names of files."""
    return sorted(path.name for path in folder.iterdir())


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


async def test_broken_storage(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """An annotation that cannot be downloaded is told of, and leaves nothing behind; the others are there."""
    annotated(emulator, *(f"drive-{number}" for number in range(5)))
    emulator.faults.add(faults.Status(404), on="GET storage*", times=1)
    told = await downloaded(client, tmp_path)
    assert sum(each.error is not None for each in told) <= 1
    assert len(files_in(tmp_path)) == sum(each.error is None for each in told)


async def test_unknown_project(client: KognicIOClient, tmp_path: Path) -> None:
    """The error lists those that are there."""
    with pytest.raises(NotFoundError, match="project-a"):
        await bulk.download(client, "project-x", ANNOTATION_TYPE, tmp_path)
