"""What is built of this package has all of it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = "kognic_aio/migrate/names.json"


def built(folder: Path, target: str) -> Path:
    """A distribution of the working tree."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.iterdir()
    return path


def test_wheel(tmp_path: Path) -> None:
    """The wheel has the data files and both scripts."""
    with zipfile.ZipFile(built(tmp_path, "wheel")) as wheel:
        assert {NAMES, "kognic_aio/py.typed", "kognic_aio/__main__.py"} <= set(wheel.namelist())
        assert wheel.read(NAMES) == (ROOT / NAMES).read_bytes()
        (scripts,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
        lines = wheel.read(scripts).decode().splitlines()
    assert {"kognicutil = kognic_aio.cli:main", "kognic-aio = kognic_aio.cli:main"} <= set(lines)


@pytest.mark.parametrize("name", [NAMES, "tests/migrate/names.py", "examples/from_kognic_io.md"])
def test_source_distribution(tmp_path: Path, name: str) -> None:
    """The source distribution has the data files, and what they are made with."""
    with tarfile.open(built(tmp_path, "sdist")) as sdist:
        assert name in {member.partition("/")[2] for member in sdist.getnames()}
