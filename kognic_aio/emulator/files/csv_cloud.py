"""Point clouds in CSV: the header, and a row of numbers for each point."""

import re

from kognic_aio.emulator.files.incoming import BadFileError, Incoming, Reading

COLUMNS = ("ts_gps", "x", "y", "z", "intensity")
COLOURS = ((), ("rgb",), ("blue", "green", "red"), ("blue", "green", "red", "rgb"))
"""Colours, which may follow the other columns in any order."""
COORDINATES = {"x", "y", "z"}
"""What every point must have. An empty timestamp is read as 0, and an intensity or colour may be empty too."""

NUMBER = rb"[ \t]*(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[nN][aA][nN])[ \t]*"
MAX_HEADER = 64
"""Bytes of a header. The longest correct one has 44."""
MAX_SHOWN = 80


def check_csv_header(cloud: Incoming) -> Reading[tuple[str, ...]]:
    """Check the header, and return the names of its columns."""
    line = yield from cloud.start_of_line(MAX_HEADER)
    header = line.decode("utf-8", "backslashreplace")
    columns = tuple(header.split(","))
    named = columns[1:] if columns[0] == "" else columns  # pandas writes its index without a name
    required, colours = named[: len(COLUMNS)], named[len(COLUMNS) :]
    if required != COLUMNS or tuple(sorted(colours)) not in COLOURS:
        shown = ascii(header)  # shows a byte order mark and other invisible characters
        raise BadFileError(
            f"must begin with the header {','.join(COLUMNS)} (for colours, rgb or red,green,blue or both follow), "
            f"found {shown}"
        )
    return columns


def check_csv(cloud: Incoming) -> Reading[None]:
    """Check the header, and that each row has the numbers that the header names."""
    columns = yield from check_csv_header(cloud)
    row = re.compile(b",".join(_pattern(column) for column in columns))
    first = 2
    while lines := (yield from cloud.lines()):
        for number, line in enumerate(lines, start=first):
            if row.fullmatch(line) is None and line.strip():
                raise _bad_row(columns, number, line)
        first += len(lines)


def _pattern(column: str) -> bytes:
    """The pattern for the values of a column."""
    if column in COORDINATES:
        return NUMBER
    return rb"[^,]*" if column == "" else rb"(?:%b)?" % NUMBER


def _bad_row(columns: tuple[str, ...], number: int, line: bytes) -> BadFileError:
    values = line.split(b",")
    if len(values) != len(columns):
        return BadFileError(f"has {len(values)} values in line {number}, must have {len(columns)} as its header")
    column, value = next(
        (column, value)
        for column, value in zip(columns, values, strict=True)
        if not re.fullmatch(_pattern(column), value)
    )
    shown = ascii(value[:MAX_SHOWN].decode("utf-8", "backslashreplace"))
    return BadFileError(f"has {shown} as {column} in line {number}, must have a number")
