"""Results as plots: SVG files that are the same for the same results."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import LogLocator

from benchmarks.cases import shown_size
from benchmarks.contenders import FIXED, FLOOR, JOURNAL, OFFICIAL, OURS, PROTOTYPE, PUTS, UVLOOP
from benchmarks.figures import Figure, Outcome, first, wall
from benchmarks.results import Results
from benchmarks.suite import COMPARISONS, LATENCIES

COLORS = {
    OURS.name: "#0b6e4f",
    UVLOOP.name: "#6bbf59",
    OFFICIAL.name: "#c1292e",
    PROTOTYPE.name: "#235789",
    FLOOR.name: "#6c757d",
    PUTS.name: "#adb5bd",
    JOURNAL.name: "#f1a208",
    **dict(zip((contender.name for contender in FIXED), ("#d4e4f7", "#94bfe6", "#4d90c9", "#1d4e89"), strict=True)),
}

STYLE = Path(__file__).with_suffix(".mplstyle")


def draw(results: Results, folder: Path) -> list[str]:
    """Draw what the results allow, and return the names of the files."""
    outcomes = {name: result.outcomes for name, result in results.items()}
    compared = {name: outcomes[name][0] for name in COMPARISONS if name in outcomes}
    plots: dict[str, Callable[[Canvas], None]] = {}
    if compared:
        plots["wall.svg"] = lambda canvas: _wall(canvas, compared)
        plots["first.svg"] = lambda canvas: _first(canvas, compared)
    if "stream" in outcomes:
        plots["memory.svg"] = lambda canvas: _memory(canvas, outcomes["stream"][0])
    if "grid" in outcomes:
        plots["throughput.svg"] = lambda canvas: _throughput(canvas, outcomes["grid"])
    if "growth" in outcomes:
        plots["growth.svg"] = lambda canvas: _growth(canvas, outcomes["growth"])
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(fname=STYLE):
        for name, plot in plots.items():
            canvas = Canvas(layout="constrained")
            plot(canvas)
            canvas.savefig(folder / name, metadata={"Date": None})
    return [*plots]


def _wall(canvas: Canvas, outcomes: Mapping[str, Outcome]) -> None:
    """Wall time over the protocol floor."""
    compared = {name: outcome for name, outcome in outcomes.items() if FLOOR.name in outcome.runs}
    axes = canvas.subplots()
    names = (OURS.name, UVLOOP.name, PROTOTYPE.name, OFFICIAL.name)
    _bars(axes, compared, names, lambda outcome, name: outcome.ratio(name, FLOOR.name, wall), bottom=1)
    axes.axhline(1, color=COLORS[FLOOR.name], linewidth=1)
    axes.set_ylabel("wall time / protocol floor")


def _first(canvas: Canvas, outcomes: Mapping[str, Outcome]) -> None:
    """Time to the first result."""
    axes = canvas.subplots()
    names = (OURS.name, UVLOOP.name, FLOOR.name, PROTOTYPE.name, OFFICIAL.name)
    _bars(axes, outcomes, names, lambda outcome, name: outcome.median(name, first), bottom=0.01)
    axes.set_ylabel("seconds to the first result")


def _bars(
    axes: Axes,
    outcomes: Mapping[str, Outcome],
    names: Sequence[str],
    value: Callable[[Outcome, str], float],
    *,
    bottom: float,
) -> None:
    """A group of bars for each outcome, with a bar for each contender, from `bottom` on."""
    width = 0.8 / len(names)
    for position, name in enumerate(names):
        ran = {place: value(outcome, name) for place, outcome in enumerate(outcomes.values()) if name in outcome.runs}
        places = [place + (position - (len(names) - 1) / 2) * width for place in ran]
        heights = [top - bottom for top in ran.values()]
        bars = axes.bar(places, heights, width, bottom=bottom, label=name, color=COLORS[name])
        axes.bar_label(bars, [_short(top) for top in ran.values()], fontsize=6, padding=2, rotation=90)
    _log_scale(axes)
    axes.margins(y=0.15)  # for the figures above the bars
    axes.set_xticks(range(len(outcomes)), list(outcomes))
    axes.grid(visible=False, axis="x")
    axes.figure.legend(ncols=len(names), loc="outside upper center")


def _log_scale(axes: Axes) -> None:
    """Scale the vertical axis, with plain numbers on it."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _short(value: float) -> str:
    """A number with two digits, or all before the point."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _memory(canvas: Canvas, outcome: Outcome) -> None:
    """Memory against scenes, in the last run of each contender."""
    axes = canvas.subplots()
    for name, runs in outcome.runs.items():
        if len(runs[-1].memory) > 1:  # it has results one by one
            scenes, grown = zip(*runs[-1].memory, strict=True)
            axes.plot(scenes, [each / 1e6 for each in grown], label=name, color=COLORS[name])
    axes.set(xlabel="results", ylabel="growth of memory, MB", ylim=(0, None))
    canvas.legend(ncols=5, loc="outside upper center")


def _throughput(canvas: Canvas, outcomes: Sequence[Outcome]) -> None:
    """Throughput against latency, for each size of files."""
    sizes = sorted({outcome.case.size for outcome in outcomes})
    panels = canvas.subplots(1, len(sizes), squeeze=False)[0]
    for axes, size in zip(panels, sizes, strict=True):
        cells = [outcome for outcome in outcomes if outcome.case.size == size]
        for name in (*(contender.name for contender in FIXED), OURS.name):
            ran = [cell for cell in cells if name in cell.runs]
            latencies = [cell.case.platform.api_latency * 1000 for cell in ran]
            rates = [cell.case.scenes / cell.median(name, wall) for cell in ran]
            width = 2.5 if name == OURS.name else 1.2
            axes.plot(latencies, rates, marker="o", label=name, color=COLORS[name], linewidth=width)
        axes.set(title=f"files of {shown_size(size)}", xlabel="latency, ms", xscale="log")
        axes.set_xticks(LATENCIES, map(str, LATENCIES))
        _log_scale(axes)
    panels[0].set_ylabel("scenes per second")
    canvas.legend(*panels[0].get_legend_handles_labels(), ncols=len(FIXED) + 1, loc="outside upper center")


def _growth(canvas: Canvas, outcomes: Sequence[Outcome]) -> None:
    """What a scene costs, against the number of scenes, and a file, against the number of files."""
    scenes = {outcome.case.scenes: outcome for outcome in outcomes if outcome.case.frames == 1}
    files = {outcome.case.files_of_scene: outcome for outcome in outcomes if outcome.case.frames > 1}
    rows = canvas.subplots(2, 4)
    _costs(rows[0], "scene", scenes)
    _costs(rows[1], "file", files)
    canvas.legend(*rows[0][0].get_legend_handles_labels(), ncols=2, loc="outside upper center")


def _costs(panels: Sequence[Axes], each: str, outcomes: Mapping[int, Outcome]) -> None:
    """The costs of each scene or file, against their number."""
    costs: dict[str, Callable[[int], Figure]] = {
        f"ms per {each}": lambda count: lambda figures: 1000 * figures.wall / count,
        f"CPU ms per {each}": lambda count: lambda figures: 1000 * figures.cpu / count,
        "growth of memory, MB": lambda _: lambda figures: figures.growth / 1e6,
        f"requests per {each}": lambda count: lambda figures: figures.all_requests / count,
    }
    for axes, (title, cost) in zip(panels, costs.items(), strict=True):
        for name in (OURS.name, JOURNAL.name):
            ran = {count: outcome for count, outcome in outcomes.items() if name in outcome.runs}
            values = [outcome.median(name, cost(count)) for count, outcome in ran.items()]
            axes.plot([*ran], values, marker="o", label=name, color=COLORS[name])
        axes.set(title=title, xlabel=f"{each}s", xscale="log", ylim=(0, 1.1 * axes.get_ylim()[1]))
        axes.set_xticks([*outcomes], [f"{count:,}" for count in outcomes], rotation=45)
        axes.minorticks_off()
