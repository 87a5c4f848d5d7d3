"""The commands together, and how they end: an exit code, and one line for what went wrong."""

import os
import sys

import click

from kognic_aio.cli import INTERRUPTED
from kognic_aio.cli.demo import demo
from kognic_aio.cli.emulator import emulator
from kognic_aio.errors import KognicError

FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kognic-aio")
def app() -> None:
    """Look at and fill the Kognic annotation platform."""


app.add_command(demo)
app.add_command(emulator)


def run() -> int:
    """Run the command that the arguments name.

    Returns:
        The exit code: 0 if all went well, 1 if not, 2 for wrong arguments, 130 after Ctrl-C.
    """
    try:
        code = app.main(prog_name="kognicutil", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # what click makes of Ctrl-C
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return FAILED
    except (KognicError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return FAILED
    return code or 0


def _silence() -> None:
    """Have nobody told, at exit, that the reader of the output has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
