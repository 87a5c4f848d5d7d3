"""A source is compared with what the platform has of it."""

from pathlib import Path

import pytest

from kognic_aio import KognicIOClient, bulk
from kognic_aio.bulk import Presence
from kognic_aio.emulator import Emulator
from tests.bulk.recordings import record

pytestmark = pytest.mark.anyio


async def test_what_is_there(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A scene is there, failed, missing, lacks an input, or is there twice."""
    names = ("failed", "incomplete", "invalidated", "missing", "there", "twice")
    for name in names:
        record(tmp_path / name)
    platform = emulator.platform
    platform.add_scene("failed", failure="the image is broken")
    platform.add_scene("incomplete")
    platform.invalidate_scene(platform.add_scene("invalidated"))
    for name in ("there", "twice", "twice"):
        platform.add_input(platform.add_scene(name), "project-a", "batch-2")
    found = [each async for each in bulk.verify(client, tmp_path, "project-a")]
    assert [(each.external_id, each.presence) for each in found] == [
        ("failed", Presence.FAILED),
        ("incomplete", Presence.INCOMPLETE),
        ("invalidated", Presence.MISSING),
        ("missing", Presence.MISSING),
        ("there", Presence.THERE),
        ("twice", Presence.TWICE),
    ]
    assert [len(each.scenes) for each in found] == [1, 1, 0, 0, 1, 2]


async def test_hundreds(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """They are asked for in groups, and come in the order of the source."""
    names = [f"drive-{number:03}" for number in range(250)]
    for name in names:
        record(tmp_path / name, frames=1)
        emulator.platform.add_input(emulator.platform.add_scene(name), "project-a", "batch-2")
    found = [each async for each in bulk.verify(client, tmp_path, "project-a", batch="batch-2")]
    assert [each.external_id for each in found] == names
    assert {each.presence for each in found} == {Presence.THERE}
    assert len(emulator.recorder.requests("POST", "/v2/inputs/query")) == 3
