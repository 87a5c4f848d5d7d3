"""`kognicutil download`, in a process of its own, against an emulator in this one."""

import json
import signal
from math import inf
from pathlib import Path
from subprocess import PIPE

import anyio
import pytest

from kognic_aio.cli import INTERRUPTED
from kognic_aio.emulator import Emulator, faults
from tests.cli.support import COMMAND, environment, looked, variables_of
from tests.waiting import until

pytestmark = pytest.mark.anyio

WHAT = ("download", "--project", "project-a", "--annotation-type", "lanes", "--out")


def annotate(emulator: Emulator, count: int) -> None:
    """Scenes with an annotation each."""
    platform = emulator.platform
    for number in range(count):
        name = f"drive-{number:03}"
        uuid = platform.add_input(platform.add_scene(name), "project-a", "batch-2")[0].uuid
        platform.add_annotation(uuid, {"openlabel": {"name": name}}, annotation_type="lanes")


def whole_files(folder: Path) -> list[str]:
    """The names of the files, each of which has the annotation of its scene. Those being written do not count."""
    contents = {path.stem: json.loads(path.read_bytes())["openlabel"]["name"] for path in folder.glob("[!.]*")}
    assert all(name == stem for stem, name in contents.items())
    return sorted(contents)


async def test_all_and_again(emulator: Emulator, tmp_path: Path) -> None:
    """It says how many it has downloaded, and how many were there."""
    annotate(emulator, 12)
    done = await looked(emulator, *WHAT, str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"12 annotations downloaded to {tmp_path / 'out'}\n"
    assert len(whole_files(tmp_path / "out")) == 12
    (tmp_path / "out" / "drive-003.json").unlink()
    done = await looked(emulator, *WHAT, str(tmp_path / "out"))
    assert done.stdout == f"1 annotation downloaded to {tmp_path / 'out'}, 11 there already\n"


async def test_as_json(emulator: Emulator, tmp_path: Path) -> None:
    """A line for each."""
    annotate(emulator, 3)
    done = await looked(emulator, *WHAT, str(tmp_path), "--json")
    lines = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda line: str(line["external_id"]))
    assert lines[0] == {
        "external_id": "drive-000",
        "path": str(tmp_path / "drive-000.json"),
        "is_new": True,
        "error": None,
    }
    assert len(lines) == 3


async def test_interrupted(emulator: Emulator, tmp_path: Path) -> None:
    """After Ctrl-C every file is whole, and the same command goes on."""
    annotate(emulator, 60)
    emulator.faults.add(faults.SlowAnswer(0.1), on="GET storage*", times=inf)
    command = [*COMMAND, *WHAT, str(tmp_path)]
    variables = environment(**variables_of(emulator))
    async with await anyio.open_process(command, env=variables, stdout=PIPE, stderr=PIPE) as process:
        await until(lambda: any(tmp_path.glob("[!.]*.json")))
        process.send_signal(signal.SIGINT)
        assert await process.wait() == INTERRUPTED
    there = len(whole_files(tmp_path))
    done = await looked(emulator, *WHAT, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"{there} there already" in done.stdout or there == 60
    assert len(whole_files(tmp_path)) == 60


async def test_some_fail(emulator: Emulator, tmp_path: Path) -> None:
    """The others are there, and the exit code says that something is missing."""
    annotate(emulator, 4)
    await looked(emulator, *WHAT, str(tmp_path))
    (tmp_path / "drive-002.json").unlink()
    for where in ("GET storage*", "GET v1/annotations/inputs*"):
        emulator.faults.add(faults.Status(404), on=where, times=inf)
    done = await looked(emulator, *WHAT, str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith("failed: drive-002: ")
    assert "3 there already, 1 failed" in done.stdout
    assert len(whole_files(tmp_path)) == 3


async def test_unknown(emulator: Emulator, tmp_path: Path) -> None:
    """An unknown project is one error, and no folder is made."""
    done = await looked(
        emulator, "download", "--project", "south", "--annotation-type", "lanes", "--out", str(tmp_path / "out")
    )
    assert done.returncode == 1
    assert "project-a" in done.stderr
    assert not (tmp_path / "out").exists()
