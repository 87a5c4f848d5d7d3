"""What is printed: lines, tables for people, JSON for programs. A terminal shows all of it and acts upon none of it."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import click
from rich.cells import cell_len

from kognic_aio._text import printable

if TYPE_CHECKING:
    from rich.console import Console

Redacted: TypeAlias = Callable[[str], str]

GAP = "  "

MAX_CELL = 200
"""Characters of a value in a table. Uuids and links are shorter; `--json` has all of everything."""


PLAIN_WIDTH = 160
"""Columns of a file or pipe, which has no width of its own."""

HELP: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""The error of a group without a command, whose message is the help, of many lines; click 8.1 does not have it."""


def say(*lines: object, err: bool = False) -> None:
    """Print lines, on standard output or error; each stays one line, whatever is in it."""
    for line in lines:
        click.echo(printable(line), err=err)


def say_wrapped(*lines: object, style: str = "") -> None:
    """Print lines of which none is wider than the terminal."""
    console = open_console()
    with console.capture() as captured:  # if rich wrote it, it would end the process when the reader has gone
        for line in lines:
            console.print(printable(line), style=style)
    click.echo(captured.get(), nl=False)


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as `1 image` or `1,200 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def say_wrong(error: click.ClickException) -> None:
    """Print what is wrong with the arguments, or with what they name."""
    if not isinstance(error, HELP):
        error.message = printable(error.message)  # type: ignore[misc]  # final, but all that is shown
    error.show()


def open_console() -> "Console":
    """The standard output for rich. Texts are never taken for markup."""
    from rich.console import Console  # noqa: PLC0415 - only the demo needs it

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console


def print_json(model: Any, redacted: Redacted, *, indent: int | None = None) -> None:
    """Print all fields of a model, or of a mapping of models, under their own names.

    They are as the platform gave them, in ASCII: what a terminal would act upon is escaped.

    Args:
        model: The model.
        redacted: Takes what is secret out of a text.
        indent: Spaces for each level; by default all is on one line.
    """
    print(json.dumps(_plain(model, redacted), indent=indent))


def _plain(value: Any, redacted: Redacted) -> Any:
    """A value as JSON has it: models become objects, and moments ISO 8601."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redacted(value)
        case datetime():
            return value.isoformat()
        case list() | tuple() | frozenset():
            return [_plain(each, redacted) for each in (sorted(value) if isinstance(value, frozenset) else value)]
        case Mapping():
            return {redacted(str(key)): _plain(each, redacted) for key, each in value.items()}
        case _:
            names = [field.name for field in attrs.fields(type(value))]
            return {name: _plain(getattr(value, name), redacted) for name in names}


async def print_json_array(items: Iterable[Any] | AsyncIterable[Any], redacted: Redacted) -> None:
    """Print models as an array with one on each line, as they come."""
    opening = "["
    async for item in each(items):
        print(opening, json.dumps(_plain(item, redacted)), sep="\n", end="")
        opening = ","
    print("[]" if opening == "[" else "\n]")


async def each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    """The items, however they come."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


def row(model: Any, columns: Sequence[str], redacted: Redacted) -> list[str]:
    """Some fields of a model, as texts without secrets."""
    return [_cell(getattr(model, column), redacted) for column in columns]


def _cell(value: object, redacted: Redacted) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(" ", "seconds")
        case _:
            return printable(redacted(str(value)), MAX_CELL)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table; one below the other, if the terminal is too narrow for that, which cuts nothing.

    Not a table of rich's: of one that does not fit it breaks links apart, and 10,000 rows take it 5 s.
    """
    if not rows:
        say("Nothing found.", err=True)
        return
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    is_narrow = sys.stdout.isatty() and sum(widths) + len(GAP) * (len(widths) - 1) > shutil.get_terminal_size().columns
    for line in _blocks(columns, rows) if is_narrow else _table(columns, rows, widths):
        click.echo(line)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    def line(cells: Sequence[str]) -> str:
        return GAP.join(_padded(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    yield click.style(line(columns), bold=True)
    yield from map(line, rows)


def _blocks(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A line for each value that there is. The terminal folds long ones, and copies them whole."""
    width = max(map(len, columns))
    for number, cells in enumerate(rows):
        if number:
            yield ""
        for column, cell in zip(columns, cells, strict=True):
            if cell:
                yield f"{click.style(_padded(column, width), bold=True)}{GAP}{cell}"


def _padded(text: str, width: int) -> str:
    """A text filled up to a width on the screen, where some characters take two columns and others none."""
    return text + " " * (width - cell_len(text))
