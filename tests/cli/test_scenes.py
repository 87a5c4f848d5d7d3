import json
import subprocess
from collections.abc import Callable

import pytest

from kognic_aio.emulator import INPUT_UUIDS, Emulator
from tests.cli.support import looked, table

Look = Callable[..., "subprocess.CompletedProcess[str]"]

UUID = INPUT_UUIDS[0]


def test_scenes(look: Look) -> None:
    """Scenes are a table."""
    done = look("scenes", *INPUT_UUIDS)

    assert done.returncode == 0
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["uuid", "external_id", "scene_type", "status", "view_link", "error_message"]
    assert {row.split()[0] for row in rows} == set(INPUT_UUIDS)


def test_json(look: Look) -> None:
    """As JSON, scenes are an array of objects with every field, by uuid and by external id alike."""
    (by_uuid,) = json.loads(look("scenes", UUID, "--json").stdout)
    by_external_id = json.loads(look("scenes", "--external-ids", by_uuid["external_id"], "--json").stdout)

    assert by_external_id == [by_uuid]
    assert (by_uuid["uuid"], by_uuid["status"], by_uuid["error_message"]) == (UUID, "created", None)
    assert by_uuid.keys() == {
        "uuid",
        "workspace_id",
        "external_id",
        "scene_type",
        "status",
        "created",
        "calibration_id",
        "view_link",
        "error_message",
    }


def test_links(look: Look) -> None:
    """With --view there is no more than the link of each scene."""
    header, (uuid, link) = table(look("scenes", UUID, "--view").stdout)

    assert header == ["uuid", "view_link"]
    assert uuid == UUID
    assert link.startswith("https://app.kognic.com/view/")


@pytest.mark.anyio
async def test_status(emulator: Emulator) -> None:
    """With --status there is no more than what has become of each scene, and why."""
    uuid = emulator.platform.add_scene("broken", failure="the lidar is upside down")
    done = await looked(emulator, "scenes", "--status", uuid)

    assert table(done.stdout) == [["uuid", "status", "error_message"], [uuid, "failed", "the lidar is upside down"]]


def test_unknown(look: Look) -> None:
    """If one of the scenes is unknown, nothing is shown, and one line says which."""
    done = look("scenes", UUID, "nowhere")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr
