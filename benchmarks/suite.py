"""The benchmarks."""

from collections.abc import Sequence

from attrs import evolve, frozen

from benchmarks.cases import Case, Platform
from benchmarks.contenders import CURL, FIXED, FLOOR, JOURNAL, OFFICIAL, OURS, PROTOTYPE, PUTS, UVLOOP, Contender
from benchmarks.figures import Outcome
from benchmarks.runner import Runner, fastest, sized

COMPARISONS = ("small", "latency", "large", "many", "stream", "sequence")
"""The benchmarks that compare all contenders."""

ALL = (OURS, UVLOOP, OFFICIAL, PROTOTYPE, FLOOR, PUTS)

LATENCIES = (10, 30, 100, 300)
"""Milliseconds."""

SIZES = (20_000, 200_000, 2_000_000)
"""Bytes."""

WIDE = FIXED[-2:]
"""The limits with which a cell of the grid is sized: one of them is among the fastest everywhere."""

ENOUGH = 5.0
"""Seconds that the fastest contender takes in a cell of the grid."""


@frozen(kw_only=True)
class Benchmark:
    """Cases that the same contenders run.

    Args:
        title: What it is about.
        cases: The cases.
        contenders: The contenders.
        patience: Seconds of a run after which its contender does not run the case again.
        seconds: If not 0, each case gets so many scenes that the fastest contender takes that long.
    """

    title: str
    cases: Sequence[Case]
    contenders: Sequence[Contender] = ALL
    patience: float = 60.0
    seconds: float = 0.0

    def shrunk(self) -> "Benchmark":
        """The same benchmark with small cases."""
        return evolve(self, cases=[case.shrunk() for case in self.cases], seconds=0.0)

    def run(self, contenders: Sequence[Contender], rounds: int) -> tuple[Outcome, ...]:
        """Run all cases with some of the contenders."""
        runner = Runner(rounds, self.patience)
        return tuple(runner.alternate(self._sized(case), contenders) for case in self.cases)

    def _sized(self, case: Case) -> Case:
        if not self.seconds:
            return case
        return sized(case, self.seconds, lambda tried: fastest(tried, WIDE))


def _comparison(title: str, case: Case) -> Benchmark:
    return Benchmark(title=title, cases=[case])


def _cell(milliseconds: int, size: int) -> Case:
    latency = milliseconds / 1000
    platform = Platform(api_latency=latency, storage_latency=latency)
    return Case(scenes=50, files=4, size=size, platform=platform, is_streamed=True)


SUITE = {
    "small": _comparison("A few small scenes", Case(scenes=50, files=4, size=100_000)),
    "latency": _comparison(
        "A platform that is far away",
        Case(
            scenes=100,
            files=8,
            size=200_000,
            platform=Platform(api_latency=0.03, storage_latency=0.05, processing_time=1.0),
        ),
    ),
    "large": _comparison("Large files", Case(scenes=4, files=1, size=256 << 20)),
    "many": _comparison("Many small scenes", Case(scenes=1000, files=1, size=10_000)),
    "stream": _comparison(
        "A long stream of scenes",
        Case(scenes=10_000, files=1, size=2_000, platform=Platform(processing_time=5.0), is_streamed=True),
    ),
    "sequence": _comparison("One long sequence", Case(scenes=1, frames=2_000, files=9, size=2_000)),
    "grid": Benchmark(
        title="Default limits and fixed limits",
        cases=[_cell(latency, size) for size in SIZES for latency in LATENCIES],
        contenders=(OURS, *FIXED),
        patience=20.0,
        seconds=ENOUGH,
    ),
    "tls": Benchmark(
        title="Large files over TLS",
        cases=[Case(scenes=4, files=1, size=256 << 20, platform=Platform(is_encrypted=True))],
        contenders=(OURS, UVLOOP, CURL),
    ),
    "growth": Benchmark(
        title="Cost of a scene, and of a file",
        cases=[
            *(Case(scenes=scenes, files=1, size=2_000, is_streamed=True) for scenes in (100, 1_000, 10_000, 100_000)),
            *(Case(scenes=1, frames=frames, files=9, size=2_000) for frames in (200, 500, 1_000, 2_000)),
        ],
        contenders=(OURS, JOURNAL),
    ),
}
"""The benchmarks by name."""
