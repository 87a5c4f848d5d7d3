"""What the command line says. Texts of others may be in it: whatever a terminal would act upon, it only shows."""

import click

from kognic_aio._text import printable

HELP: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""The error of a group without a command, whose message is the help, of many lines; click 8.1 does not have it."""


def say(*lines: object, err: bool = False) -> None:
    """Print lines, each of which stays one whatever is in it.

    Args:
        lines: What to print.
        err: Whether it goes to the standard error.
    """
    for line in lines:
        click.echo(printable(line), err=err)


def say_wrong(error: click.ClickException) -> None:
    """Print what is wrong with the arguments, or with what they name."""
    if not isinstance(error, HELP):
        error.message = printable(error.message)  # type: ignore[misc]  # final, but all that is shown
    error.show()
