"""Runs contenders: each in a fresh process, against a fresh emulator in a process of its own."""

import sys
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve, frozen
from cattrs import structure, unstructure

from benchmarks.cases import Case
from benchmarks.child import child
from benchmarks.contenders import Contender
from benchmarks.contenders.order import Order
from benchmarks.figures import Figures, Outcome
from benchmarks.server import emulator


class IncompleteError(Exception):
    """A contender did not create all inputs."""


@frozen
class Runner:
    """Runs cases.

    Args:
        rounds: How often each contender runs a case.
        patience: Seconds of a run after which its contender does not run the case again.
    """

    rounds: int
    patience: float = inf

    def alternate(self, case: Case, contenders: Sequence[Contender]) -> Outcome:
        """Run a case, round after round, with each contender in turn."""
        runs: dict[str, list[Figures]] = {contender.name: [] for contender in contenders}
        with TemporaryDirectory(prefix="benchmark-") as folder:
            case.write_files(Path(folder))
            for _ in range(self.rounds):
                for contender in contenders:
                    done = runs[contender.name]
                    if all(figures.wall < self.patience for figures in done):
                        done.append(_run(case, contender, folder))
        return Outcome(case, {name: tuple(done) for name, done in runs.items()})


def fastest(case: Case, contenders: Sequence[Contender]) -> float:
    """Seconds that the fastest of some contenders takes for a case."""
    outcome = Runner(1).alternate(case, contenders)
    return min(figures.wall for runs in outcome.runs.values() for figures in runs)


def sized(case: Case, seconds: float, measure: Callable[[Case], float]) -> Case:
    """The case with so many scenes that it takes at least so many seconds, as measured."""
    while (taken := measure(case)) < seconds:
        # A bit more than it should take, but no more than ten times as many: a short run says little about a long one.
        case = evolve(case, scenes=int(case.scenes * min(10.0, 1.2 * seconds / taken)) + 1)
    return case


def _run(case: Case, contender: Contender, folder: str) -> Figures:
    with emulator(case.platform) as server:
        order = Order(
            options=server.options,
            authority=server.authority,
            case=case,
            folder=folder,
            settings=contender.settings,
        )
        with child(f"benchmarks.contenders.{contender.program}", unstructure(order)) as finished:
            answer = finished.answer
        report = server.report()
    created = answer.pop("created")
    if created != case.scenes:
        raise IncompleteError(f"{contender.name} created {created} of {case.scenes} inputs")
    seen = {
        "requests": report["requests"],
        "refused": report["rate_limited"],
        "connections": report["connections_opened"],
        "peak_connections": report["connections_peak"],
        "server_cpu": report["cpu"],
    }
    figures = structure(answer | seen, Figures)
    print(f"{case}: {contender.name}: {figures.wall:.2f} s", file=sys.stderr, flush=True)
    return figures
