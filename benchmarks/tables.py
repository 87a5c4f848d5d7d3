"""Results as tables: Markdown that is aligned, so that it reads well in a terminal too."""

from collections.abc import Callable, Iterable, Sequence

from benchmarks.cases import shown_size
from benchmarks.contenders import CURL, FIXED, FLOOR, OURS
from benchmarks.figures import Figure, Figures, Outcome, cpu, first, wall

MB = 1e6
GB = 1e9
NONE = "-"
"""Stands for a figure that was not measured."""

Row = Sequence[str]


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """A table with aligned columns. The first column is text, the others are numbers."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = [("-" * width if not i else "-" * (width - 1) + ":") for i, width in enumerate(widths)]
    return "\n".join(_line(line, widths) for line in (head, rule, *lines[1:]))


def _line(cells: Row, widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"


def comparison(outcomes: Sequence[Outcome]) -> str:
    """Each contender's figures, and how its time compares with the floor and with kognic_aio."""
    (outcome,) = outcomes
    case = outcome.case
    head = (
        *("contender", "seconds", "/ floor", f"/ {OURS.name}", "first result", "CPU seconds", "memory, MB"),
        *("requests", "status queries", "connections (at once)", "to open"),
    )
    needed = f"The protocol needs {case.needed_requests:,} requests, beside those that ask for the status."
    processing = f" The first result cannot come before {case.platform.processing_time:g} s."
    table = markdown(head, [_compared(outcome, name) for name in outcome.runs])
    return f"{table}\n\n{needed}{processing if case.platform.processing_time else ''}"


def _compared(outcome: Outcome, name: str) -> Row:
    return (
        name,
        _cell(outcome, name, wall),
        _ratio(outcome, name, FLOOR.name, wall),
        _ratio(outcome, name, OURS.name, wall),
        _cell(outcome, name, first),
        _cell(outcome, name, cpu),
        _cell(outcome, name, lambda figures: figures.growth / MB, ".1f"),
        _cell(outcome, name, lambda figures: figures.all_requests, ",.0f"),
        _cell(outcome, name, lambda figures: figures.status_queries, ",.0f"),
        _connections(outcome, name),
        _cell(outcome, name, lambda figures: figures.opening),
    )


def _connections(outcome: Outcome, name: str) -> str:
    opened = _cell(outcome, name, lambda figures: figures.connections, ",.0f")
    at_once = _cell(outcome, name, lambda figures: figures.peak_connections, ",.0f")
    return f"{opened} ({at_once})"


def encrypted(outcomes: Sequence[Outcome]) -> str:
    """Throughput and CPU time for a gigabyte, beside curl."""
    (outcome,) = outcomes
    size = outcome.case.bytes
    head = ("contender", "seconds", "MB/s", f"/ {CURL.name}", "CPU seconds per GB", f"/ {CURL.name}")
    return markdown(
        head,
        [
            (
                name,
                _cell(outcome, name, wall),
                _cell(outcome, name, lambda figures: size / figures.wall / MB, ",.0f"),
                _ratio(outcome, name, CURL.name, lambda figures: 1 / figures.wall),
                _cell(outcome, name, lambda figures: figures.cpu / size * GB),
                _ratio(outcome, name, CURL.name, cpu),
            )
            for name in outcome.runs
        ],
    )


def grid(outcomes: Sequence[Outcome]) -> str:
    """The seconds of each cell with the default limits and with fixed ones, and the default over the best of those."""
    fixed = [contender.name for contender in FIXED]
    head = ("files", "latency, ms", "scenes", "defaults", *fixed, "defaults / best")
    table = markdown(head, [_cell_of_grid(outcome, fixed) for outcome in outcomes])
    (files,) = {outcome.case.files for outcome in outcomes}
    about = f"Seconds for scenes of {files} files. Fixed limits are those of scene jobs, uploads and inputs."
    return f"{table}\n\n{about}"


def _cell_of_grid(outcome: Outcome, fixed: Sequence[str]) -> Row:
    case = outcome.case
    best = min((outcome.median(name, wall) for name in fixed if name in outcome.runs), default=None)
    ours = outcome.median(OURS.name, wall) if OURS.name in outcome.runs else None
    return (
        shown_size(case.size),
        f"{case.platform.api_latency * 1000:g}",
        f"{case.scenes:,}",
        *(_cell(outcome, name, wall) for name in (OURS.name, *fixed)),
        NONE if best is None or ours is None else f"{ours / best:.2f}",
    )


def growth(outcomes: Sequence[Outcome]) -> str:
    """What a scene costs in runs of ever more scenes, and a file in ever longer sequences."""
    scenes = [outcome for outcome in outcomes if outcome.case.frames == 1]
    sequences = [outcome for outcome in outcomes if outcome.case.frames > 1]
    tables = [
        _costs("scenes", scenes, lambda outcome: outcome.case.scenes),
        _costs("files", sequences, lambda outcome: outcome.case.files_of_scene),
    ]
    return "\n\n".join(tables)


def _costs(of: str, outcomes: Sequence[Outcome], count: Callable[[Outcome], int]) -> str:
    each = of.removesuffix("s")
    head = ("contender", of, f"ms/{each}", f"CPU ms/{each}", "memory, MB", f"requests/{each}")
    return markdown(head, [_cost(outcome, name, count(outcome)) for outcome in outcomes for name in outcome.runs])


def _cost(outcome: Outcome, name: str, count: int) -> Row:
    return (
        name,
        f"{count:,}",
        _cell(outcome, name, lambda figures: 1000 * figures.wall / count),
        _cell(outcome, name, lambda figures: 1000 * figures.cpu / count),
        _cell(outcome, name, lambda figures: figures.growth / MB, ".1f"),
        _cell(outcome, name, lambda figures: figures.all_requests / count),
    )


def _cell(outcome: Outcome, name: str, figure: Callable[[Figures], float], form: str = ".2f") -> str:
    return format(outcome.median(name, figure), form) if name in outcome.runs else NONE


def _ratio(outcome: Outcome, name: str, other: str, figure: Figure) -> str:
    return f"{outcome.ratio(name, other, figure):.2f}" if other in outcome.runs else NONE
