import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.support import AT_ONCE, COMMAND, environment, folder_of, kognicutil
from tests.cli.terminal import in_terminal
from tests.waiting import GENEROUS

CAMERAS = {"cameras", "cameras-sequence"}
LIDARS = {"lidars", "lidars-sequence"}
BOTH = {"lidars-and-cameras", "lidars-and-cameras-sequence", "aggregated-lidars-and-cameras-sequence"}
ALL = CAMERAS | LIDARS | BOTH


def types_in(output: str) -> set[str]:
    return set(re.findall(r"^(?:demo-\d+ +)?((?:cameras|lidars|aggregated)[a-z-]*)", output, re.MULTILINE))


def started(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**variables),
    )


def test_without_a_folder() -> None:
    """Files that it draws itself become inputs of all seven types, and arrive as they are."""
    done = kognicutil("demo")

    assert done.returncode == 0
    assert types_in(done.stdout) == ALL
    assert "21 of 21 scenes created" in done.stdout
    assert "files arrived, all with their sha256: each of the 18 at least once" in done.stdout
    assert done.stderr == ""


def test_where_nobody_watches() -> None:
    """Without a terminal there are plain lines about the progress, about one a second."""
    done = kognicutil("demo", "--processing-time", "1.2")

    lines = re.findall(r"^(\d)\.\d s: 21 of 21 scenes taken, \d+ committed, \d+ settled; ", done.stdout, re.MULTILINE)
    assert len(lines) >= 2
    assert lines == sorted(lines)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("names", "found", "types"),
    [
        (["a.png", "deep/b.JPG", "c.avif", "d.txt"], "3 images and 0 point clouds, 1 other file ignored:", CAMERAS),
        (["a.csv"], "0 images and 1 point cloud:", LIDARS),
        (["a.webp", "a.laz"], "1 image and 1 point cloud:", ALL),
    ],
)
def test_a_folder(tmp_path: Path, names: list[str], found: str, types: set[str]) -> None:
    """The files of a folder, and of those below, become scenes of the types that they allow."""
    done = kognicutil("demo", folder_of(tmp_path, *names), *AT_ONCE)

    assert done.returncode == 0
    assert found in done.stdout
    assert types_in(done.stdout) == types


def test_every_file_arrives(tmp_path: Path) -> None:
    """There are as many scenes as it takes to have each file in one, but not a row for each."""
    names = [f"{index}.png" for index in range(200)]
    done = kognicutil("demo", folder_of(tmp_path, *names), *AT_ONCE)

    assert done.returncode == 0
    assert "all with their sha256: each of the 200 at least once" in done.stdout
    assert re.search(r"^and \d+ more that were created$", done.stdout, re.MULTILINE)


def test_number_of_scenes() -> None:
    """There are as many scenes as asked for."""
    done = kognicutil("demo", "--scenes", "3", *AT_ONCE)

    assert done.returncode == 0
    assert "3 of 3 scenes created" in done.stdout
    assert "9 files arrived, all with their sha256: 9 of the 18" in done.stdout


def test_a_bad_file(tmp_path: Path) -> None:
    """A file that cannot be used fails its scenes only; the table says where and why, the exit code that it did."""
    folder_of(tmp_path, "a.png").joinpath("b.csv").write_text("x,y,z\n1,2,3\n")
    done = kognicutil("demo", tmp_path, "--scenes", "4", *AT_ONCE)

    assert done.returncode == 1
    output = " ".join(done.stdout.split())
    assert "2 of 4 scenes created" in output
    assert re.search(r"demo-001 cameras 1 created [0-9a-f-]{36} ", output)
    assert "demo-003 lidars 1 failed scene: failed: file" in output
    assert "must begin with the header ts_gps,x,y,z,intensity" in output


def test_nothing_to_do(tmp_path: Path) -> None:
    """A folder without usable files is one line."""
    done = kognicutil("demo", folder_of(tmp_path, "notes.txt"))

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: no images or point clouds among the 1 file in {tmp_path}: expected png, jpg")
    assert done.stderr.count("\n") == 1


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that does not exist is a wrong argument."""
    done = kognicutil("demo", tmp_path / "missing")

    assert done.returncode == 2
    assert "does not exist" in done.stderr


def test_credentials_and_proxies_of_the_user() -> None:
    """The demo uses neither the user's credentials nor a proxy."""
    done = kognicutil("demo", "--scenes", "1", KOGNIC_CREDENTIALS="/nonexistent", HTTP_PROXY="http://127.0.0.1:9")

    assert done.returncode == 0


@pytest.mark.parametrize("columns", [60, 120])
def test_in_a_terminal(columns: int) -> None:
    """In a terminal the progress is live and nothing is wider than the terminal."""
    code, output = in_terminal([*COMMAND, "demo", "--processing-time", "0"], columns)

    assert code == 0
    assert "\x1b[" in output
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "\n")
    assert max(map(len, text.splitlines())) <= columns
    assert "settled" in text
    assert len(re.findall(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", text)) == 21
    assert types_in(text) == ALL


def test_a_reader_that_goes() -> None:
    """A pipe that is closed early, as by `head -1`, ends the demo without a word."""
    with started("--processing-time", "1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(GENEROUS) == 1
        assert process.stderr.read() == ""


def test_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends the demo with 130 and without a word, and leaves no files behind."""
    with started("--processing-time", "3600", TMPDIR=str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        assert list(tmp_path.iterdir())
        process.send_signal(signal.SIGINT)

        assert process.wait(GENEROUS) == 130
        assert process.stderr.read().strip() == ""
    assert not list(tmp_path.iterdir())
