import json
import subprocess
from collections.abc import Callable

import pytest

from kognic_aio.emulator import INPUT_UUIDS, Emulator, Platform
from tests.cli.support import looked, table

Look = Callable[..., "subprocess.CompletedProcess[str]"]

FIELDS = {
    "scene_uuid",
    "external_id",
    "batch",
    "scene_type",
    "status",
    "created",
    "annotation_types",
    "calibration_id",
    "view_link",
    "error_message",
    "input_uuids",
}


def fill(platform: Platform) -> dict[str, str]:
    """Inputs in a project of their own; the uuids of their scenes by external id."""
    platform.add_project("project")
    for batch in ("first", "second"):
        platform.add_batch("project", batch)
    scenes = {
        "good": platform.add_scene("good"),
        "broken": platform.add_scene("broken", failure="the lidar is upside down"),
        "old": platform.add_scene("old"),
    }
    platform.add_input(scenes["good"], "project", "first")
    platform.add_input(scenes["broken"], "project", "second")
    platform.add_input(scenes["old"], "project", "first")
    platform.invalidate_scene(scenes["old"])
    return scenes


def test_of_a_project(look: Look) -> None:
    """The inputs of a project are a table with their scenes' status and link."""
    done = look("inputs", "--project", "project-a")

    assert done.returncode == 0
    assert done.stderr == ""
    header, *rows = done.stdout.splitlines()
    assert header.split() == [
        "scene_uuid",
        "external_id",
        "batch",
        "scene_type",
        "status",
        "view_link",
        "input_uuids",
        "error_message",
    ]
    by_scene = {row.split()[0]: row.split() for row in rows}
    assert set(INPUT_UUIDS) <= by_scene.keys()
    assert by_scene[INPUT_UUIDS[0]][4] == "created"
    assert by_scene[INPUT_UUIDS[0]][5].startswith("https://app.kognic.com/view/")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], {"good", "broken"}),
        (["--batch", "second"], {"broken"}),
        (["--external-ids", "good", "--external-ids", "elsewhere"], {"good"}),
        (["--include-invalidated"], {"old"}),
    ],
)
async def test_filters(emulator: Emulator, filters: list[str], found: set[str]) -> None:
    """Inputs are filtered by batch, by external ids and by whether they are valid; as JSON they have every field."""
    fill(emulator.platform)
    done = await looked(emulator, "inputs", "--project", "project", *filters, "--json")

    inputs = json.loads(done.stdout)
    assert {each["external_id"] for each in inputs} == found
    assert all(each.keys() == FIELDS for each in inputs)
    assert {each["error_message"] for each in inputs} == {"the lidar is upside down" if "broken" in found else None} | (
        {None} if "good" in found else set()
    )


@pytest.mark.anyio
async def test_uuids_of_inputs(emulator: Emulator) -> None:
    """Each row has the uuids that `view` wants, of all inputs of its scene; a scene that failed has none."""
    scenes = fill(emulator.platform)
    (again,) = emulator.platform.add_input(scenes["good"], "project", "second")
    for option in (["--project", "project"], ["--uuids", f"{scenes['good']},{scenes['broken']}"]):
        found = json.loads((await looked(emulator, "inputs", *option, "--json")).stdout)
        uuids = {each["external_id"]: each["input_uuids"] for each in found}
        assert (len(uuids["good"]), uuids["broken"]) == (2, [])
        assert again.uuid in uuids["good"]
        assert ", ".join(uuids["good"]) in (await looked(emulator, "inputs", *option)).stdout


def test_links(look: Look) -> None:
    """With --view there is no more than the link of each scene."""
    done = look("inputs", "--uuids", ", ".join(INPUT_UUIDS), "--view")

    header, *rows = table(done.stdout)
    assert header == ["scene_uuid", "view_link"]
    assert {uuid for uuid, _ in rows} == set(INPUT_UUIDS)
    assert all(uuid in link for uuid, link in rows)


def test_by_uuids(look: Look) -> None:
    """The inputs of some scenes are found by the uuids of these."""
    done = look("inputs", "--uuids", INPUT_UUIDS[0], "--json")

    (found,) = json.loads(done.stdout)
    assert found["scene_uuid"] == INPUT_UUIDS[0]
    assert found["batch"] == "batch-2"


@pytest.mark.parametrize(
    "command", [["--uuids", f"{INPUT_UUIDS[0]},nowhere"], ["--project", "nowhere"], ["--project", "nowhere", "--json"]]
)
def test_unknown(look: Look, command: list[str]) -> None:
    """An unknown scene or project ends with 1 and one line about it."""
    done = look("inputs", *command)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr


@pytest.mark.anyio
async def test_many(emulator: Emulator) -> None:
    """Inputs on many pages are one table and one array, complete and in order."""
    platform = emulator.platform
    platform.add_project("project")
    platform.add_batch("project", "batch")
    names = [f"scene-{index}" for index in range(2500)]
    for name in names:
        platform.add_input(platform.add_scene(name), "project", "batch")

    as_json = await looked(emulator, "inputs", "--project", "project", "--json")
    assert [each["external_id"] for each in json.loads(as_json.stdout)] == names

    as_table = await looked(emulator, "inputs", "--project", "project")
    assert [row[1] for row in table(as_table.stdout)[1:]] == names


@pytest.mark.anyio
async def test_none(emulator: Emulator) -> None:
    """A project without inputs is an empty array, and for people a line that is not on the standard output."""
    emulator.platform.add_project("project")

    as_json = await looked(emulator, "inputs", "--project", "project", "--json")
    assert (as_json.returncode, as_json.stdout) == (0, "[]\n")

    as_table = await looked(emulator, "inputs", "--project", "project")
    assert (as_table.returncode, as_table.stdout, as_table.stderr) == (0, "", "Nothing found.\n")
