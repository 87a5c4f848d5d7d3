"""Creating one scene: every type, every form of file data, with and without project and batch."""

import hashlib
from pathlib import Path

import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator
from tests.scenes import KINDS, SOURCES, Built, build

pytestmark = pytest.mark.anyio

TARGETS = [(None, None), ("project-a", None), ("project-a", "batch-3")]


def assert_arrived(emulator: Emulator, scene_uuid: str, built: Built) -> None:
    """Every byte of every file is on the server."""
    stored = emulator.platform.scene(scene_uuid).files
    arrived = {Path(name).name: file and file.sha256 for name, file in stored.items() if "imu" not in name}
    names = {resource.resource_id: resource.client_filename for resource in built.scene.resources.values()}
    expected = {
        Path(resource_id).name: hashlib.sha256(built.contents[Path(filename).name]).hexdigest()
        for resource_id, filename in names.items()
    }
    assert arrived == expected


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_byte_arrives(
    kind: str, source: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A scene of any type is created from any form of file data, with all its bytes."""
    built = build(kind, SOURCES[source], tmp_path)
    creator = client.creator_of(built.scene)
    created = await creator.create(built.scene)
    assert emulator.platform.scene(created.scene_uuid).status == "created"
    assert_arrived(emulator, created.scene_uuid, built)


@pytest.mark.parametrize(("project", "batch"), TARGETS)
@pytest.mark.parametrize("kind", KINDS)
async def test_inputs_come_with_a_project(
    kind: str, project: str | None, batch: str | None, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A scene that is created in a project becomes an input there, in the batch that was named or the open one."""
    built = build(kind, SOURCES["bytes"], tmp_path)
    created = await getattr(client, KINDS[kind][0]).create(built.scene, project=project, batch=batch)
    inputs = emulator.platform.inputs.of_scene(created.scene_uuid)
    assert [(made.batch.project, made.batch.batch) for made in inputs] == (
        [(project, batch or "batch-2")] if project else []
    )
    assert_arrived(emulator, created.scene_uuid, built)
