"""Formats the figures of a case as a table: a row per figure, a column per client."""

from collections.abc import Callable, Iterable, Mapping

from benchmarks.cases import Case
from benchmarks.compare import Figures

Row = tuple[str, Callable[[Figures, Case], float], str]

TIMES: tuple[Row, ...] = (
    ("wall time, s", lambda figures, _: figures.wall, ".2f"),
    ("first result, s", lambda figures, _: figures.first, ".2f"),
    ("client CPU, s", lambda figures, _: figures.cpu, ".2f"),
)
"""Figures with a ratio. Less is better."""

OTHERS: tuple[Row, ...] = (
    ("scenes/s", lambda figures, case: case.scenes / figures.wall, ".0f"),
    ("emulator CPU, s", lambda figures, _: figures.server_cpu, ".2f"),
    ("peak uploads", lambda figures, _: figures.uploads, ".0f"),
    ("peak scene jobs", lambda figures, _: figures.scene_jobs, ".0f"),
    ("peak API requests", lambda figures, _: figures.api, ".0f"),
    ("connections", lambda figures, _: figures.connections, ".0f"),
)

NAME = 18
COLUMN = 10


def table(name: str, case: Case, rounds: int, figures: Mapping[str, Figures]) -> str:
    """Format the medians of a case, with the ratio official/ours if both ran."""
    compared = {"ours", "official"} <= figures.keys()
    heads = [*figures, "ratio"] if compared else [*figures]
    lines = [f"{name}: {case}; medians of {rounds}", _line("", heads)]
    for row in TIMES:
        ratio = [f"{row[1](figures['official'], case) / row[1](figures['ours'], case):.1f} x"] if compared else []
        lines.append(_line(row[0], [*_cells(row, case, figures), *ratio]))
    lines += [_line(row[0], _cells(row, case, figures)) for row in OTHERS]
    if compared and case.target is not None:
        lines[2] += f"  (target {case.target:g} x)"
    return "\n".join(lines)


def _cells(row: Row, case: Case, figures: Mapping[str, Figures]) -> list[str]:
    _, value, form = row
    return [format(value(of_client, case), form) for of_client in figures.values()]


def _line(name: str, cells: Iterable[str]) -> str:
    return f"  {name:<{NAME}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)
