"""`kognicutil progress`."""

import json

import pytest

from kognic_aio.emulator import Emulator, Platform
from tests.cli.support import looked, table

pytestmark = pytest.mark.anyio


def fill(platform: Platform) -> None:
    """A project with an open batch, in which a scene is in two requests, one failed and one is invalidated."""
    platform.add_project("north")
    platform.add_batch("north", "week-1", requests=2)
    platform.add_batch("north", "week-2")
    good, old = platform.add_scene("good"), platform.add_scene("old")
    for scene in (good, old, platform.add_scene("broken", failure="the lidar is upside down")):
        platform.add_input(scene, "north", "week-1")
    platform.invalidate_scene(old)


async def test_batches(emulator: Emulator) -> None:
    """A row for each batch, with its scenes by status and its inputs; an empty batch has one too."""
    fill(emulator.platform)
    done = await looked(emulator, "progress", "north")
    assert done.returncode == 0, done.stderr
    assert table(done.stdout) == [
        ["project", "batch", "status", "scenes", "inputs", "by_status"],
        ["north", "week-1", "open", "3", "2", "1 created, 1 failed, 1 invalidated"],
        ["north", "week-2", "open", "0", "0"],
    ]


async def test_all_projects(emulator: Emulator) -> None:
    """Without a project, those of all projects; as JSON, the statuses are an object."""
    fill(emulator.platform)
    done = await looked(emulator, "progress", "--json")
    found = {(each["project"], each["batch"]): each["by_status"] for each in json.loads(done.stdout)}
    assert found.keys() > {("north", "week-1"), ("north", "week-2"), ("project-a", "batch-2")}
    assert found["north", "week-1"] == {"created": 1, "failed": 1, "invalidated": 1}


async def test_unknown_project(emulator: Emulator) -> None:
    """The error lists the projects that are there."""
    done = await looked(emulator, "progress", "south")
    assert done.returncode == 1
    assert "project-a" in done.stderr
