"""Scenes are checked against what is on the platform."""

import json
from pathlib import Path
from typing import Any

import pytest

from kognic_aio import KognicIOClient, bulk
from kognic_aio.emulator import Emulator
from kognic_aio.errors import BatchClosedError, UnknownProjectError
from tests.bulk.recordings import png, record, write

pytestmark = pytest.mark.anyio


async def codes(
    client: KognicIOClient, source: Any, project: str | None = None, **options: Any
) -> dict[str, list[str]]:
    """The codes of the problems of each scene."""
    found = bulk.check_online(client, source, project, **options)
    return {scene.name: [problem.code for problem in scene.problems] async for scene in found}


async def test_what_is_there(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A scene that the project has an input of is told of, and may be uploaded all the same."""
    for name in ("new", "old"):
        record(tmp_path / name)
    emulator.platform.add_input(emulator.platform.add_scene("old"), "project-a", "batch-2")
    assert await codes(client, tmp_path, "project-a") == {"new": [], "old": ["already-there"]}
    assert await codes(client, tmp_path, "project-b") == {"new": [], "old": []}
    assert await codes(client, tmp_path) == {"new": [], "old": []}


async def test_calibrations(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A calibration that is named by its id has to be there, and to have the sensors of the scene."""
    write(tmp_path / "a.png", png())
    fitting = emulator.platform.add_calibration("fitting", {"CAM": "camera"})
    other = emulator.platform.add_calibration("other", {"front": "camera"})
    frame = {"images": [{"filename": "a.png", "sensor_name": "CAM"}]}
    lines = [
        json.dumps({"type": "cameras", "external_id": name, "frame": frame, "calibration_id": calibration})
        for name, calibration in (("fits", fitting), ("lacks", other), ("unknown", "no-such-calibration"))
    ]
    manifest = write(tmp_path / "scenes.jsonl", "\n".join(lines).encode())
    found = await codes(client, manifest)
    assert "unknown-sensor" not in found["fits"]
    assert found["lacks"] == ["unknown-sensor"]
    assert found["unknown"] == ["unknown-calibration"]


async def test_where_nothing_can_go(client: KognicIOClient, tmp_path: Path) -> None:
    """A project that is not there, and a batch that is closed, end the check at once."""
    record(tmp_path / "drive")
    with pytest.raises(UnknownProjectError):
        await codes(client, tmp_path, "project-x")
    with pytest.raises(BatchClosedError):
        await codes(client, tmp_path, "project-a", batch="batch-1")
