import pytest

from tests.cli.support import kognicutil, python


@pytest.mark.parametrize("command", [[], ["demo"], ["emulator"]])
def test_help_needs_no_credentials(command: list[str]) -> None:
    """Every command explains itself without credentials."""
    done = kognicutil(*command, "--help", HOME="/nonexistent")

    assert done.returncode == 0
    assert done.stdout.startswith(" ".join(["Usage: kognicutil", *command]))
    assert done.stderr == ""


def test_version() -> None:
    """The version is that of the package."""
    done = kognicutil("--version")

    assert done.returncode == 0
    assert done.stdout == "kognicutil, version 0.1.0\n"


@pytest.mark.parametrize("arguments", [["no-such-command"], ["demo", "--scenes", "0"], ["emulator", "--port", "x"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    """Wrong arguments end with 2 and a sentence about them."""
    done = kognicutil(*arguments)

    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("library", ["click", "rich"])
def test_without_the_extra(library: str) -> None:
    """Without the libraries of the extra, one line says how to install it."""
    done = python(f"import sys; sys.modules[{library!r}] = None; from kognic_aio.cli import main; main()")

    assert done.returncode == 1
    assert done.stderr == "kognicutil needs its libraries: pip install 'kognic-aio[cli]'\n"
    assert done.stdout == ""


def test_another_missing_module_is_no_missing_extra() -> None:
    """A broken installation of something else is not blamed on the extra."""
    done = python("import sys; sys.modules['aiohttp'] = None; from kognic_aio.cli import main; main()")

    assert done.returncode == 1
    assert "aiohttp" in done.stderr
    assert "kognic-aio[cli]" not in done.stderr


@pytest.mark.parametrize("error", ["UnknownProjectError", "CredentialsError"])
def test_an_error_of_ours_is_one_line(error: str) -> None:
    """What the package raises ends a command with 1 and one line."""
    done = python(
        f"""
import sys
from kognic_aio import errors
from kognic_aio.cli import app

@app.app.command()
def broken(): raise errors.{error}("this is why")

sys.argv = ["kognicutil", "broken"]
sys.exit(app.run())
"""
    )

    assert done.returncode == 1
    assert done.stderr == "Error: this is why\n"


def test_the_package_does_without_the_extra() -> None:
    """`import kognic_aio`, and the emulator, bring neither click nor rich."""
    done = python("import sys, kognic_aio, kognic_aio.emulator; print({'click', 'rich'} & sys.modules.keys())")

    assert done.stdout == "set()\n"
