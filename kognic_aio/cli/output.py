"""Prints lines and tables. Control characters in them are shown, not sent to the terminal."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import click
from rich.cells import cell_len

from kognic_aio._text import printable

if TYPE_CHECKING:
    from rich.console import Console

MAX_CELL = 200
"""Characters of a value in a table. Uuids and links are shorter; `--json` does not cut."""

GAP = "  "

# The error of a group without a command. Its message is the help, of many lines; click 8.1 does not have it.
HELP: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())


def say(*lines: object, err: bool = False) -> None:
    """Print lines on standard output or error. Line breaks in them are escaped."""
    for line in lines:
        click.echo(printable(line), err=err)


def say_marked(mark: str, colour: str, line: object) -> None:
    """Print a line behind a word in a colour, as compilers do."""
    click.echo(f"{click.style(mark, fg=colour, bold=True)}: {printable(line)}")


def say_json(value: Any, indent: int | None = None) -> None:
    """Print JSON on standard output, at once."""
    print(json.dumps(value, indent=indent), flush=True)


def say_wrapped(*lines: object, style: str = "") -> None:
    """Print lines, and wrap those that are wider than the terminal."""
    console = open_console()
    with console.capture() as captured:  # rich would end the process if the reader has gone
        for line in lines:
            console.print(printable(line), style=style)
    click.echo(captured.get(), nl=False)


def say_wrong(error: click.ClickException) -> None:
    """Print an error about the arguments."""
    if not isinstance(error, HELP):
        error.message = printable(error.message)  # type: ignore[misc]  # final, but there is no other way
    error.show()


def open_console() -> "Console":
    """A console of rich for standard output, without markup."""
    from rich.console import Console  # noqa: PLC0415  # only the demo needs it

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 160  # a file or pipe has no width of its own
    return console


def plain(value: Any, redacted: Callable[[str], str] = str) -> Any:
    """A value for JSON: models become objects, and dates ISO 8601. `redacted` removes secrets from a text."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redacted(str(value))
        case datetime():
            return value.isoformat()
        case list() | tuple() | frozenset():
            return [plain(each, redacted) for each in (sorted(value) if isinstance(value, frozenset) else value)]
        case Mapping():
            return {redacted(str(key)): plain(each, redacted) for key, each in value.items()}
        case _:
            return {each.name: plain(getattr(value, each.name), redacted) for each in attrs.fields(type(value))}


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as `1 image` or `1,200 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table, or one below the other if the terminal is too narrow for that. Nothing is cut.

    Tables of rich break links if they do not fit, and take 5 s for 10,000 rows.
    """
    if not rows:
        say("Nothing found.", err=True)
        return
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    is_narrow = sys.stdout.isatty() and sum(widths) + len(GAP) * (len(widths) - 1) > shutil.get_terminal_size().columns
    for line in _blocks(columns, rows) if is_narrow else _table(columns, rows, widths):
        click.echo(line)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    lines = (GAP.join(map(_padded, cells, widths)).rstrip() for cells in (columns, *rows))
    yield click.style(next(lines), bold=True)
    yield from lines


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line for each value that is not empty. Terminals wrap long ones, but copy them whole."""
    width = max(map(len, columns))
    for number, cells in enumerate(rows):
        if number:
            yield ""
        for column, cell in zip(columns, cells, strict=True):
            if cell:
                yield f"{click.style(_padded(column, width), bold=True)}{GAP}{cell}"


def _padded(text: str, width: int) -> str:
    """A text padded to a width on the screen, where characters take up to two columns."""
    return text + " " * (width - cell_len(text))
