"""SECURITY.md is true: each number in it is the code's."""

import re
from importlib import import_module
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1].joinpath("SECURITY.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"\| (?P<what>[^|]+) \| (?P<number>[\d.,]+)(?: (?P<unit>\w+))? \| `(?P<module>[\w.]+)\.(?P<name>\w+)` \|"
)
ROWS = list(ROW.finditer(DOCUMENT))
UNITS = {None: 1, "characters": 1, "bytes": 1, "s": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_numbers(row: re.Match[str]) -> None:
    """A bound is as large as the constant that it names."""
    constant = getattr(import_module(row["module"]), row["name"])
    assert float(row["number"].replace(",", "")) * UNITS[row["unit"]] == constant


def test_no_other_numbers() -> None:
    """No number stands where it is not compared, and no row of the table is left out."""
    rest = ROW.sub("", DOCUMENT)
    assert not re.search(r"\d", rest)
    assert len(ROWS) == DOCUMENT.count("\n| ") - 2 * DOCUMENT.count("\n| --- ")


def test_files_that_are_named() -> None:
    """The tests that it names are there."""
    named = re.findall(r"`(tests/[\w/]+\.py)`", DOCUMENT)
    assert named
    assert all(Path(__file__).parents[1].joinpath(name).is_file() for name in named)
