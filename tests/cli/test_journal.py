"""`kognicutil journal`, which shows how far an upload has come."""

import json
from pathlib import Path

import pytest

from kognic_aio.emulator import Emulator
from tests.bulk.recordings import record
from tests.cli.support import kognicutil, looked

pytestmark = pytest.mark.anyio


async def journal_of(emulator: Emulator, folder: Path) -> str:
    """The journal of an upload of three scenes, one of which the platform refuses."""
    for name in ("drive-0", "drive-1", "drive-2"):
        record(folder / "drives" / name)
    emulator.platform.refuse("processing", "drive-1", "the image is broken")
    done = await looked(emulator, "upload", str(folder / "drives"), "--project", "project-a")
    assert done.returncode == 3, done.stderr
    return str(folder / "drives.kognic-journal")


async def test_counts_and_failures(emulator: Emulator, tmp_path: Path) -> None:
    """How many scenes have come how far, and which have failed and why. It needs no platform."""
    done = kognicutil("journal", await journal_of(emulator, tmp_path))
    assert done.returncode == 0, done.stderr
    assert "project-a" in done.stdout.splitlines()[0]
    assert "created  2\nfailed   1\n" in done.stdout
    assert "drive-1" in done.stdout
    assert "the image is broken" in done.stdout
    assert "drive-0" not in done.stdout


async def test_retry_failed(emulator: Emulator, tmp_path: Path) -> None:
    """Failures are discarded, and the next run starts these scenes afresh."""
    path = await journal_of(emulator, tmp_path)
    assert "1 scene will be started afresh" in kognicutil("journal", path, "--retry-failed").stdout
    emulator.platform.refusals.clear()
    done = await looked(emulator, "upload", str(tmp_path / "drives"), "--project", "project-a")
    assert done.returncode == 0, done.stderr
    assert "the image is broken" not in kognicutil("journal", path).stdout
    assert len({each.scene.external_id for each in emulator.platform.inputs} & {"drive-0", "drive-1", "drive-2"}) == 3


async def test_report(emulator: Emulator, tmp_path: Path) -> None:
    """A report can be made from it at any time."""
    report = tmp_path / "report.jsonl"
    done = kognicutil("journal", await journal_of(emulator, tmp_path), "--report", report)
    assert "3 rows written" in done.stdout
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert {row["external_id"]: row["status"] for row in rows} == {
        "drive-0": "created",
        "drive-1": "failed",
        "drive-2": "created",
    }


@pytest.mark.parametrize("content", [b"", b"not a journal\n"])
def test_no_journal(content: bytes, tmp_path: Path) -> None:
    """A file that is no journal is one error, and stays as it is."""
    path = tmp_path / "file"
    path.write_bytes(content)
    done = kognicutil("journal", path)
    assert done.returncode == 1
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == content
