"""The tables of runs, which are printed in the end."""

from collections.abc import Iterator

import pytest

Row = dict[str, object]
"""What a row says in each column, by the head of the column."""

TABLES = pytest.StashKey[dict[str, list[Row]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLES] = {}


@pytest.fixture
def table(request: pytest.FixtureRequest) -> list[Row]:
    """Takes the rows of the table that the test's module has."""
    rows: list[Row] = request.config.stash[TABLES].setdefault(request.node.path.stem, [])
    return rows


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for title, rows in config.stash.get(TABLES, {}).items():
        if rows:
            terminalreporter.section(title)
            for line in _lines(rows):
                terminalreporter.write_line(line)


def _lines(rows: list[Row]) -> Iterator[str]:
    """The heads and the rows, each column as wide as it needs to be, numbers on the right."""
    cells: list[list[object]] = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*cells, strict=True)]
    numbers = [isinstance(cell, int) for cell in cells[1]]
    for line in cells:
        columns = zip(line, widths, numbers, strict=True)
        yield "  ".join(f"{cell!s:{'>' if number else '<'}{width}}" for cell, width, number in columns)
