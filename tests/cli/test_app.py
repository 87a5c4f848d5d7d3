from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kognic_aio.cli.app import COMMANDS, app
from kognic_aio.version import __version__
from tests.cli.support import kognicutil, python

NEEDED_BY_A_CLIENT = {"aiohttp", "kognic.auth", "kognic_aio.client", "rich.console"}


@pytest.mark.parametrize("command", [[], ["demo"], ["emulator"], ["projects"], ["batches", "create"]])
def test_help_needs_no_credentials(command: list[str]) -> None:
    """Every command explains itself without credentials."""
    done = kognicutil(*command, "--help", HOME="/nonexistent")

    assert done.returncode == 0
    assert done.stdout.startswith(" ".join(["Usage: kognicutil", *command]))
    assert done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_summary(name: str) -> None:
    """The list of commands says of each what its own help begins with."""
    command = app.get_command(click.Context(app), name)

    assert command is not None
    assert (command.help or "").partition("\n")[0] == COMMANDS[name]


def commands_below(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    """The names that lead to each command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*names, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_below(command, *names, name)


@pytest.mark.parametrize("names", [*commands_below(app)], ids=" ".join)
def test_example(names: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The help of every command ends in an example, whose arguments are right if its files are there."""
    monkeypatch.chdir(tmp_path)
    for file in ("camera.c", "camera.wasm", "recordings.kognic-journal", "report.tsv"):
        Path(file).touch()
    Path("recordings").mkdir()
    command: click.Command = app
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    example = (command.epilog or "").removeprefix("Example: kognicutil ")
    used = example.partition(" > ")[0].split()
    assert used[: len(names)] == [*names]
    if not isinstance(command, click.Group):
        command.make_context("kognicutil", used[len(names) :])


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["inputs", "--help"], ["inputs"], ["batches", "create"], ["upload", "--help"], ["check", "--help"]],
)
def test_help_imports_little(arguments: list[str]) -> None:
    """Help and usage errors do not wait for what only a command that runs needs."""
    done = python(
        f"""
import sys
from kognic_aio.cli import main
sys.argv = ["kognicutil", *{arguments}]
try:
    main()
finally:
    print({NEEDED_BY_A_CLIENT} & sys.modules.keys())
"""
    )

    assert "Usage: kognicutil" in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "set()"


def test_version() -> None:
    """The version is that of the package."""
    done = kognicutil("--version")

    assert done.returncode == 0
    assert done.stdout == "kognicutil, version 0.1.0\n"


@pytest.mark.parametrize("arguments", [["no-such-command"], ["demo", "--scenes", "0"], ["scenes"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    """Wrong arguments end with 2 and a sentence about them."""
    done = kognicutil(*arguments)

    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["emulator", "--port", "x"],
        ["projects", "--batches"],
        ["projects", "--organization", "x"],
        ["batches", "create", "project-a"],
        ["inputs"],
        ["inputs", "--project", "project-a", "--uuids", "x"],
        ["inputs", "--batch", "batch-2", "--uuids", "x"],
        ["scenes", "x", "--external-ids", "y"],
        ["scenes", "x", "--view", "--status"],
        ["calibration", "--raw"],
        ["calibration", "--id", "x", "--external-id", "y"],
        ["view"],
    ],
)
def test_arguments_that_do_not_go_together(arguments: list[str]) -> None:
    """Arguments that contradict or lack each other are wrong, which is said before anything is asked for."""
    done = CliRunner().invoke(app, arguments, env={"KOGNIC_ENV": "no such environment"})

    assert done.exit_code == 2
    assert "Error: " in done.output


@pytest.mark.parametrize("library", ["click", "rich"])
def test_without_the_extra(library: str) -> None:
    """Without the libraries of the extra, one line says how to install it."""
    done = python(f"import sys; sys.modules[{library!r}] = None; from kognic_aio.cli import main; main()")

    assert done.returncode == 1
    assert done.stderr == "kognicutil needs its libraries: pip install 'kognic-aio[cli]'\n"
    assert done.stdout == ""


def test_another_missing_module_is_no_missing_extra() -> None:
    """A broken installation of something else is not blamed on the extra."""
    broken = "import sys; sys.modules['aiohttp'] = None; sys.argv[1:] = ['projects']"
    done = python(f"{broken}; from kognic_aio.cli import main; main()")

    assert done.returncode == 1
    assert "aiohttp" in done.stderr
    assert "kognic-aio[cli]" not in done.stderr


def test_an_error_of_ours_is_one_line() -> None:
    """What the package raises ends a command with 1 and one line, whatever the platform's words have in them."""
    done = python(
        r"""
import sys
from kognic_aio import errors
from kognic_aio.cli import app

@app.app.command()
def broken(): raise errors.UnknownProjectError("this is\nwhy: \x1b[2J[bold]")

sys.argv = ["kognicutil", "broken"]
sys.exit(app.run())
"""
    )

    assert done.returncode == 1
    assert done.stderr == "Error: this is\\nwhy: \\x1b[2J[bold]\n"


def test_the_package_does_without_the_extra() -> None:
    """`import kognic_aio`, and the emulator, bring neither click nor rich."""
    done = python("import sys, kognic_aio, kognic_aio.emulator; print({'click', 'rich'} & sys.modules.keys())")

    assert done.stdout == "set()\n"


def test_the_version_of_what_is_not_installed() -> None:
    """The version is the package's own: it need not be installed as a distribution, as on a path of somebody's."""
    code = """
import importlib.metadata
def missing(name): raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = missing
from kognic_aio.cli.app import app
app(["--version"])
"""
    assert python(code).stdout.endswith(f"version {__version__}\n")
