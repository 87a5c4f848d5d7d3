"""`kognicutil check`."""

import json
import subprocess
from pathlib import Path

import pytest

from kognic_aio.emulator import Emulator
from tests.bulk.recordings import START, record
from tests.cli.support import COMMAND, environment, kognicutil, looked

FIRST = f"cameras/CAM/{START}.png"


def test_all_in_order(tmp_path: Path) -> None:
    """It says how many scenes it has checked. It needs neither credentials nor a network."""
    for number in range(3):
        record(tmp_path / f"drive-{number}")
    done = kognicutil("check", tmp_path, HOME="/nonexistent")
    assert (done.returncode, done.stdout) == (0, "3 scenes checked: all in order\n")


def test_problems(tmp_path: Path) -> None:
    """A line for each problem with where it is, and a summary."""
    for number in range(3):
        record(tmp_path / f"drive-{number}")
    (tmp_path / "drive-1" / FIRST).write_bytes(b"")
    done = kognicutil("check", tmp_path)
    assert done.returncode == 3
    line, summary = done.stdout.splitlines()
    assert line.startswith("error: drive-1: ")
    assert FIRST in line
    assert line.endswith("[empty-file]")
    assert summary == "3 scenes checked: 1 error and 0 warnings in 1 scene"
    done = kognicutil("check", tmp_path, "--json")
    (problem,) = map(json.loads, done.stdout.splitlines())
    assert (problem["code"], problem["scene"], problem["severity"]) == ("empty-file", "drive-1", "error")


def test_many_alike(tmp_path: Path) -> None:
    """Of many problems of a kind in a scene, a few are shown."""
    record(tmp_path / "drive", frames=12)
    for image in (tmp_path / "drive" / "cameras" / "CAM").iterdir():
        image.write_bytes(b"")
    done = kognicutil("check", tmp_path)
    assert len(done.stdout.splitlines()) == 7
    assert "drive: 7 more like this [empty-file]" in done.stdout
    assert "12 errors" in done.stdout
    assert len(kognicutil("check", tmp_path, "--json").stdout.splitlines()) == 12


def test_terminated(tmp_path: Path) -> None:
    """The processes that check end with the one that has started them."""
    manifest = tmp_path / "scenes.jsonl"
    line = {"type": "cameras", "external_id": "drive", "frame": {"images": [{"filename": "a.png", "sensor_name": "A"}]}}
    manifest.write_text(f"{json.dumps(line)}\n" * 5_000)
    with subprocess.Popen([*COMMAND, "check", manifest], stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        for _ in range(200):  # more than are checked before other processes are started
            process.stdout.readline()
        process.terminate()
        process.stdout.read()  # which ends when nobody holds the other end any more


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_source(name: str, tmp_path: Path) -> None:
    """A source that is missing or empty is one clear error."""
    (tmp_path / "empty").mkdir()
    done = kognicutil("check", tmp_path / name)
    assert done.returncode == 1
    assert str(tmp_path / name) in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.anyio
async def test_online(emulator: Emulator, tmp_path: Path) -> None:
    """With --online, it also says what is there already."""
    record(tmp_path / "drive-0")
    emulator.platform.add_input(emulator.platform.add_scene("drive-0"), "project-a", "batch-2")
    done = await looked(emulator, "check", str(tmp_path), "--online", "--project", "project-a")
    assert "drive-0" in done.stdout
    assert "already" in done.stdout
    done = await looked(emulator, "check", str(tmp_path), "--online", "--project", "south")
    assert done.returncode == 1
    assert "project-a" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--project", "p"], "--project and --batch need --online"),
        (["--online", "--batch", "b"], "--batch needs --project"),
    ],
)
def test_wrong_arguments(arguments: list[str], problem: str, tmp_path: Path) -> None:
    """Options that need others."""
    done = kognicutil("check", tmp_path, *arguments)
    assert done.returncode == 2
    assert problem in done.stderr
