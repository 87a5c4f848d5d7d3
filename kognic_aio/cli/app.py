"""All commands, and how they end: with an exit code, and one line about an error."""

import io
import os
import sys
from importlib import import_module

import click

from kognic_aio.cli import INTERRUPTED, program_name
from kognic_aio.cli.output import say, say_wrong
from kognic_aio.errors import KognicError
from kognic_aio.version import __version__

FAILED = 1

COMMANDS = {
    "batches": "List, create and publish the batches of a project.",
    "calibration": "Show calibrations of sensors.",
    "check": "Check the scenes of SOURCE, and print all that is wrong with them. Nothing is sent.",
    "demo": "Create inputs from the images and point clouds in FOLDER, on an emulator of the platform.",
    "download": "Download the annotations of a project as OpenLABEL files, many at once.",
    "emulator": "Run a local emulator of the platform until Ctrl-C or SIGTERM.",
    "inputs": "Show the inputs of a project, or of some scenes.",
    "invalidate": "Invalidate scenes by uuid, external id, or from a report, and remove all their inputs.",
    "journal": "Show how many scenes have come how far by the journal FILE, and which have failed and why.",
    "progress": "Show the batches of PROJECT, or of all projects, with their scenes by status and their inputs.",
    "projects": "Show all projects, or PROJECT, or the batches of PROJECT.",
    "scenes": "Show scenes by their uuids or external ids.",
    "schema": "Print the JSON Schema of a line of a manifest, for editors and validators.",
    "upload": "Create the scenes of SOURCE and their inputs. Each is checked before anything of it is sent.",
    "verify": "Compare the scenes of SOURCE with what the platform has of them.",
    "view": "Show the link at which an input or a scene can be viewed.",
    "wasm": "Compile and validate the WebAssembly modules of custom camera calibrations.",
}
"""The commands, with the first line of their help."""

IN_COMMANDS = {"batches", "calibration", "inputs", "projects", "scenes", "view"}
"""Commands of the module `commands`. The others have a module of their own."""


class Commands(click.Group):
    """Imports a command only when it is used, because others may need slow imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; `project` is an older one of `projects`."""
        name = "projects" if cmd_name == "project" else cmd_name
        if name not in COMMANDS:
            return super().get_command(ctx, name)
        module = import_module(f"kognic_aio.cli.{'commands' if name in IN_COMMANDS else name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """List the commands in the help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def app() -> None:
    """Inspect projects, inputs and scenes on the Kognic annotation platform, and manage batches."""


def run() -> int:
    """Run the command that the arguments name.

    Returns:
        The exit code: 0 if all went well, 1 if not, 2 for wrong arguments, 130 after Ctrl-C.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may lack letters of a name
    try:
        code = app.main(prog_name=program_name(), standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        say_wrong(error)
        return error.exit_code
    except click.Abort:  # by which click reports Ctrl-C
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the output any more. Python flushes what is left of it at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (KognicError, OSError) as error:
        # Errors of ours have the lines of a compiler, and no others. A file's name in an OSError may have any.
        lines = str(error).split("\n") if isinstance(error, KognicError) else [str(error)]
        say(f"Error: {lines[0]}", *lines[1:], err=True)
        return FAILED
    return code or 0
