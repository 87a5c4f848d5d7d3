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


@pytest.mark.parametrize(("project", "batch"), TARGETS, ids=["alone", "project", "batch"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_byte_arrives(
    kind: str,
    source: str,
    project: str | None,
    batch: str | None,
    emulator: Emulator,
    client: KognicIOClient,
    tmp_path: Path,
) -> None:
    """A scene of any type, from any form of file data, is created with all its bytes; with a project it is an input."""
    built = build(kind, SOURCES[source], tmp_path)
    created = await getattr(client, KINDS[kind][0]).create(built.scene, project=project, batch=batch)
    assert emulator.platform.scene(created.scene_uuid).status == "created"
    assert_arrived(emulator, created.scene_uuid, built)
    inputs = emulator.platform.inputs.of_scene(created.scene_uuid)
    made = [(input_.batch.project, input_.batch.batch) for input_ in inputs]
    assert made == ([(project, batch or "batch-2")] if project else [])
