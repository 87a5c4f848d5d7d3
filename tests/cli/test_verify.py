"""`kognicutil verify`."""

import json
from pathlib import Path

import pytest

from kognic_aio.emulator import Emulator
from tests.bulk.recordings import record
from tests.cli.support import looked

pytestmark = pytest.mark.anyio


async def test_what_is_missing(emulator: Emulator, tmp_path: Path) -> None:
    """A line for each scene that is not there once, counts of all, and an exit code that says so."""
    platform = emulator.platform
    for name in ("failed", "missing", "there"):
        record(tmp_path / name)
    failed = platform.add_scene("failed", failure="the image is broken")
    platform.add_input(platform.add_scene("there"), "project-a", "batch-2")
    done = await looked(emulator, "verify", str(tmp_path), "--project", "project-a")
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines() == [
        f"failed: failed: scene {failed} is failed",
        "missing: missing",
        "1 there, 0 incomplete, 1 failed, 1 missing, 0 twice",
    ]
    done = await looked(emulator, "verify", str(tmp_path), "--project", "project-a", "--json")
    assert [json.loads(line)["presence"] for line in done.stdout.splitlines()] == ["failed", "missing", "there"]


async def test_after_an_upload(emulator: Emulator, tmp_path: Path) -> None:
    """All is there."""
    for number in range(3):
        record(tmp_path / "drives" / f"drive-{number}")
    await looked(emulator, "upload", str(tmp_path / "drives"), "--project", "project-a")
    done = await looked(emulator, "verify", str(tmp_path / "drives"), "--project", "project-a")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("3 there, ")
