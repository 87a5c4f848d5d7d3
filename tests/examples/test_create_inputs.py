import re
import runpy
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from kognic_aio import KognicIOClient

EXAMPLE = Path(__file__).parents[2] / "examples" / "create_inputs.py"


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, start in (("a.png", b"\x89PNG\r\n\x1a\n"), ("b.jpg", b"\xff\xd8\xff\xe0"), ("notes.txt", b"")):
        tmp_path.joinpath(name).write_bytes(start + b" as good as any image")
    return tmp_path


def test_every_image_becomes_an_input(folder: Path) -> None:
    """The example creates an input from each image, and from nothing else."""
    done = run(folder, "--emulator")

    assert done.returncode == 0, done.stderr
    assert sorted(re.findall(r"^(\w+): created input [0-9a-f-]{36}$", done.stdout, re.MULTILINE)) == ["a", "b"]


def test_an_image_that_is_empty(folder: Path) -> None:
    """A bad image is told, and does not keep the others from becoming inputs."""
    folder.joinpath("c.png").touch()
    done = run(folder, "--emulator")

    assert done.returncode == 1
    assert done.stdout.count("created input") == 2
    assert "c: error at stage scene: local file contains no data" in done.stdout


@pytest.mark.anyio
async def test_run_again_with_a_journal(
    client: KognicIOClient, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a journal, the example has nothing left to do when it is run again."""
    create = runpy.run_path(str(EXAMPLE))["create"]
    args = Namespace(
        folder=folder, project="project-a", batch=None, journal=str(folder / "images.journal"), retry_failed=False
    )
    assert await create(client, args)
    assert capsys.readouterr().out.count("created input") == 2
    assert await create(client, args)
    assert capsys.readouterr().out == ""


@pytest.mark.anyio
async def test_run_again_after_a_failure(
    client: KognicIOClient, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What failed is skipped when the example is run again, but not in silence."""
    create = runpy.run_path(str(EXAMPLE))["create"]
    folder.joinpath("c.png").touch()
    args = Namespace(
        folder=folder, project="project-a", batch=None, journal=str(folder / "images.journal"), retry_failed=False
    )
    assert not await create(client, args)
    capsys.readouterr()
    assert not await create(client, args)
    assert capsys.readouterr().out.startswith("1 failed in an earlier run and were skipped")


def test_a_file_that_is_no_image(folder: Path) -> None:
    """The emulator of the example reads the images, as the platform does."""
    folder.joinpath("c.png").write_bytes(b"no image")
    done = run(folder, "--emulator")

    assert done.returncode == 1
    assert done.stdout.count("created input") == 2
    assert "c: error at stage scene: " in done.stdout
