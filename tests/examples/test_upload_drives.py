"""The page about drives: its commands do what it says."""

import re
import shlex
from functools import partial
from pathlib import Path

import anyio
import pytest

from kognic_aio.bulk import read_report
from kognic_aio.emulator import Emulator
from tests.bulk.recordings import pose, record, write
from tests.cli.support import kognicutil, variables_of

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "examples" / "upload_drives.md").read_text()
COMMANDS = re.findall(r"^\$ kognicutil (.*)$", PAGE, re.MULTILINE)
SCENE = re.findall(r"^```json\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)


def drives(folder: Path, count: int) -> None:
    """Drives as the page has them."""
    for number in range(count):
        drive = record(folder / "drives" / f"drive-{number}", cameras=["FRONT"], lidars=["TOP"], frames=10)
        write(drive / "ego_poses.json", {str(frame): pose(frame) for frame in range(10)})
        write(drive / "pre_annotation_boxes.json", {"openlabel": {"metadata": {"schema_version": "1.0.0"}}})
        write(drive / "scene.json", SCENE[0].encode())


async def test_the_page(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command succeeds, one after the other."""
    monkeypatch.chdir(tmp_path)
    drives(tmp_path, 3)
    outputs = []
    for command in COMMANDS:
        run = partial(kognicutil, *shlex.split(command), **variables_of(emulator))
        done = await anyio.to_thread.run_sync(run)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        outputs.append(done.stdout)
    assert "3 scenes checked: all in order" in outputs[0]
    assert len(await anyio.to_thread.run_sync(lambda: [*read_report(tmp_path / "report.tsv")])) == 6
    assert "3 there" in outputs[3]
    bodies = [request.body for request in emulator.recorder.requests("POST", "/v1/inputs/lidars-and-cameras-sequence")]
    annotated = [[bool(frame.get("metadata")) for frame in body["frames"]] for body in bodies]
    assert annotated == [[True, False] * 5] * len(bodies)
    assert len(emulator.recorder.requests("POST", "/v1/calibrations")) == 1
