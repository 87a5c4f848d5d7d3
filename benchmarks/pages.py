"""Results as pages of Markdown: all tables and plots, and what follows for other networks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import tables
from benchmarks.beyond import Costs, Load, Network, Prediction
from benchmarks.contenders import OURS, UVLOOP
from benchmarks.figures import Outcome
from benchmarks.results import Result, Results
from benchmarks.suite import SUITE
from benchmarks.together import share
from kognic_aio import Limits

INTRODUCTION = """\
# Results

Written by `python -m benchmarks`. [The benchmarks](../README.md) explains the cases, the contenders and the figures.
"""

TABLES: Mapping[str, Callable[[Sequence[Outcome]], str]] = {
    "grid": tables.grid,
    "tls": tables.encrypted,
    "growth": tables.growth,
}
"""The tables of benchmarks that are no comparison."""

OVERVIEW = {
    "wall.svg": "Seconds over those of the floor, of each comparison.",
    "first.svg": "Seconds until the first input is created.",
}
"""The plots of all comparisons, with their captions."""

QUICK = "These come from small cases that ran once, to see that all of them work. They are no figures to show."

PLOTS = {
    "grid": ("throughput.svg",),
    "stream": ("memory.svg",),
    "growth": ("growth.svg",),
}
"""The plots that go with a benchmark."""

BEGIN, END = "<!-- begin: predictions -->", "<!-- end: predictions -->"
"""The lines of `benchmarks/README.md` between which predictions are written."""

NOT_MEASURED = "Nothing has been measured yet."

LOADS = (Load(files=1, size=20_000), Load(files=8, size=200_000), Load(files=9, size=5_000_000))
LATENCIES = (10, 100, 1_000)
"""Milliseconds."""

BANDWIDTHS = (1, 10, 25)
"""Gbit/s."""

ACCEPTED = 100
"""Requests per second of the platform that several processes share."""

TOGETHER = (1, 2, 4, 8, 16)
"""Numbers of processes."""


def table(name: str, outcomes: Sequence[Outcome]) -> str:
    """The table of a benchmark."""
    return TABLES.get(name, tables.comparison)(outcomes)


def results_page(results: Results, plots: Sequence[str], *, is_quick: bool = False) -> str:
    """The page with all results.

    Args:
        results: The results.
        plots: The names of the plots that were drawn.
        is_quick: Whether they come from quick runs.
    """
    overview = [f"{caption}\n\n![{caption}]({plot})" for plot, caption in OVERVIEW.items() if plot in plots]
    sections = [_section(name, results[name], plots) for name in SUITE if name in results]
    return "\n\n".join([INTRODUCTION.rstrip(), *([QUICK] if is_quick else []), *overview, *sections]) + "\n"


def _section(name: str, result: Result, plots: Sequence[str]) -> str:
    title, outcomes = SUITE[name].title, result.outcomes
    about = f"`{name}`: {outcomes[0].case}" if len(outcomes) == 1 else f"`{name}`"
    drawn = [f"![{title}]({plot})" for plot in PLOTS.get(name, ()) if plot in plots]
    measured = f"{_medians(outcomes)} Measured on {result.origin}."
    return "\n\n".join([f"## {title}", about, table(name, outcomes), *drawn, measured])


def _medians(outcomes: Sequence[Outcome]) -> str:
    """Of how many runs the figures are medians."""
    counts = {len(runs) for outcome in outcomes for runs in outcome.runs.values()}
    if counts == {1}:
        return "Each ran once."
    return f"Medians of {max(counts)} runs" + (", but some were so slow that they ran once." if 1 in counts else ".")


def write_predictions(page: Path, results: Results) -> None:
    """Replace the predictions of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{predictions(results)}\n\n{END}{after}", encoding="utf-8")


def predictions(results: Results) -> str:
    """What limits one process and several, as far as the costs were measured."""
    costs = Costs.measured(results, OURS)
    if costs is None:
        return NOT_MEASURED
    parts = [_costs(results)]
    for load in LOADS:
        parts += [f"Scenes of {load}:", _networks(load, costs)]
    parts += [f"Several processes that share a platform which accepts {ACCEPTED} requests per second:", _together()]
    return "\n\n".join(parts)


def _costs(results: Results) -> str:
    head = ("CPU time", "of a request, ms", "of a GB, s", "of a GB over TLS, s")
    measured = {contender.name: Costs.measured(results, contender) for contender in (OURS, UVLOOP)}
    rows = [
        (name, f"{1e3 * each.request:.2f}", f"{1e9 * each.plain_byte:.2f}", f"{1e9 * each.encrypted_byte:.2f}")
        for name, each in measured.items()
        if each is not None
    ]
    return tables.markdown(head, rows)


def _networks(load: Load, costs: Costs) -> str:
    head = ("network", "scenes/s", "limited by", "processes", "scenes/s, TLS", "limited by", "processes")
    rows = [
        (f"{latency:,} ms, {bandwidth} Gbit/s", *_predicted(load, costs, latency, bandwidth))
        for latency in LATENCIES
        for bandwidth in BANDWIDTHS
    ]
    return tables.markdown(head, rows)


def _predicted(load: Load, costs: Costs, latency: int, bandwidth: int) -> list[str]:
    cells: list[str] = []
    for is_encrypted in (False, True):
        network = Network(latency=latency / 1000, bandwidth=bandwidth * 1e9, is_encrypted=is_encrypted)
        predicted = Prediction.of(load, network, costs, Limits())
        processes = "wider limits" if predicted.is_limited else f"{predicted.processes:,}"
        cells += [f"{predicted.rate:,.1f}", predicted.bound, processes]
    return cells


def _together() -> str:
    head = ("processes", "requests/s for each", "granted together", "refused")
    rows = []
    for processes in TOGETHER:
        got = share(processes, ACCEPTED)
        rows.append((f"{processes}", f"{ACCEPTED / processes:g}", f"{got.granted:.0%}", f"{got.refused:.1%}"))
    return tables.markdown(head, rows)
