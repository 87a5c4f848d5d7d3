"""The command: `python -m benchmarks [NAME ...] [--rounds 3] [--contender NAME] [--quick] [--output DIR]`."""

import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from benchmarks import imports, pages, plots
from benchmarks.child import ROOT, ChildFailedError
from benchmarks.contenders import CURL, Contender
from benchmarks.machine import Origin
from benchmarks.results import Result, Results, load, save
from benchmarks.runner import IncompleteError
from benchmarks.suite import SUITE, Benchmark

CHECKED_IN = ROOT / "benchmarks" / "results"
QUICK = ROOT / "build" / "benchmarks"
"""Where quick results go, which are no figures to show."""

IMPORT = "import"


def arguments() -> Namespace:
    """Parse the command line."""
    contenders = sorted({contender.name for benchmark in SUITE.values() for contender in benchmark.contenders})
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; by default all but `import`")
    parser.add_argument("--list", action="store_true", help="list the benchmarks, and run none")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs a case")
    parser.add_argument("--contender", action="append", choices=contenders, help="run only this one, or these")
    parser.add_argument("--quick", action="store_true", help="shrink the cases, and run them once")
    parser.add_argument("--redraw", action="store_true", help="only write tables and plots of earlier results")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where results go")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in (*SUITE, IMPORT)]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join((*SUITE, IMPORT))}")
    given.names = given.names or [*SUITE]
    given.output = given.output or (QUICK if given.quick else CHECKED_IN)
    return given


def main() -> None:
    """Run the benchmarks one after another."""
    given = arguments()
    if given.list:
        print(listing())
        return
    results = load(given.output)
    for name in [] if given.redraw else given.names:
        if name == IMPORT:
            print(imports.report(), end="\n\n", flush=True)
        else:
            _run(name, given, results)
    if results:
        _write_pages(results, given.output, is_quick=given.quick)


def listing() -> str:
    """The benchmarks, and what they consist of."""
    lines: list[str] = []
    for name, benchmark in SUITE.items():
        sized = f", with so many scenes that the fastest takes {benchmark.seconds:g} s" if benchmark.seconds else ""
        lines.append(f"{name}: {benchmark.title}{sized}")
        lines += [f"    {case}" for case in benchmark.cases]
    return "\n".join([*lines, f"{IMPORT}: The time of `import kognic_aio`"])


def _run(name: str, given: Namespace, results: Results) -> None:
    """Run a benchmark, print its table, and save its results beside those of others."""
    benchmark = SUITE[name].shrunk() if given.quick else SUITE[name]
    contenders = _chosen(benchmark, given.contender)
    if not contenders:
        return
    try:
        outcomes = benchmark.run(contenders, 1 if given.quick else given.rounds)
    except (ChildFailedError, IncompleteError) as error:
        sys.exit(f"{name}: {error}")
    print(f"{name}: {benchmark.title}\n\n{pages.table(name, outcomes)}", end="\n\n", flush=True)
    results[name] = Result(Origin.here(), outcomes)
    save(results, given.output)


def _chosen(benchmark: Benchmark, names: Sequence[str] | None) -> list[Contender]:
    """The contenders of a benchmark that were asked for, and are there."""
    chosen = [contender for contender in benchmark.contenders if names is None or contender.name in names]
    if CURL in chosen and shutil.which("curl") is None:
        print("curl is not installed: it is left out", file=sys.stderr)
        chosen.remove(CURL)
    return chosen


def _write_pages(results: Results, output: Path, *, is_quick: bool) -> None:
    drawn = plots.draw(results, output)
    (output / "README.md").write_text(pages.results_page(results, drawn, is_quick=is_quick), encoding="utf-8")
    if output == CHECKED_IN:
        pages.write_predictions(ROOT / "benchmarks" / "README.md", results)


if __name__ == "__main__":
    main()
