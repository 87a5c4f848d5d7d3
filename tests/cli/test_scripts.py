"""The names that the command line goes by."""

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.cli.support import environment, python
from tests.waiting import GENEROUS

SCRIPT = "import sys\nfrom kognic_aio.cli import main\n{before}\nsys.exit(main())\n"


def called_as(folder: Path, name: str, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run what an installer writes for a script, or the package itself, as `name`."""
    command = ["-m", "kognic_aio"]
    if name != "python -m kognic_aio":
        (folder / name).write_text(SCRIPT.format(before=before))
        command = [str(folder / name)]
    return subprocess.run(
        [sys.executable, *command, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=GENEROUS,
        check=False,
    )


NAMES = ["kognicutil", "kognic-aio", "python -m kognic_aio"]


@pytest.mark.parametrize("name", NAMES)
def test_version_and_usage_show_the_name_that_was_called(tmp_path: Path, name: str) -> None:
    """`--version`, usage and the hint of a wrong argument have the name by which the user calls again."""
    version = called_as(tmp_path, name, "--version")
    usage = called_as(tmp_path, name, "batches", "create", "--help")
    wrong = called_as(tmp_path, name, "projects", "--no-such-option")

    assert version.stdout == f"{name}, version {distribution('kognic-aio').version}\n"
    assert usage.stdout.startswith(f"Usage: {name} batches create ")
    assert wrong.stderr.splitlines()[1] == f"Try '{name} projects --help' for help."
    assert [version.returncode, usage.returncode, wrong.returncode] == [0, 0, 2]


def test_a_script_of_another_name_is_kognicutil(tmp_path: Path) -> None:
    """Whoever calls `main` from a script of their own reads of the command that the documentation has."""
    assert called_as(tmp_path, "our-tool", "--help").stdout.startswith("Usage: kognicutil ")


def test_a_script_of_windows_has_the_name_without_its_suffix(tmp_path: Path) -> None:
    """`kognic-aio.exe` is `kognic-aio`."""
    assert called_as(tmp_path, "kognic-aio.exe", "--help").stdout.startswith("Usage: kognic-aio ")


@pytest.mark.parametrize("name", ["kognicutil", "kognic-aio"])
def test_a_script_without_the_extra_says_what_to_install(tmp_path: Path, name: str) -> None:
    """Without the libraries of the extra, one line names the script and the extra."""
    done = called_as(tmp_path, name, "projects", before="sys.modules['rich'] = None")

    assert done.returncode == 1
    assert done.stderr == f"{name} needs its libraries: pip install 'kognic-aio[cli]'\n"
    assert done.stdout == ""


def test_the_module_without_the_extra_says_what_to_install() -> None:
    """`python -m kognic_aio` without the extra does the same."""
    run = "runpy.run_module('kognic_aio', run_name='__main__', alter_sys=True)"
    done = python(f"import runpy, sys; sys.modules['click'] = None; {run}")

    assert done.returncode == 1
    assert done.stderr == "python -m kognic_aio needs its libraries: pip install 'kognic-aio[cli]'\n"
