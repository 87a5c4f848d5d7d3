"""Made-up results."""

from attrs import evolve

from benchmarks.cases import Case, Platform
from benchmarks.contenders import CURL, FIXED, FLOOR, JOURNAL, OFFICIAL, OURS, UVLOOP, Contender
from benchmarks.figures import Figures, Outcome
from benchmarks.machine import Origin
from benchmarks.results import Result, Results

ORIGIN = Origin(
    processor="A processor",
    cores=2,
    memory=8_000_000_000,
    system="Linux 6.1",
    python="CPython 3.11.7",
    packages={"kognic-aio": "0.1.0", "aiohttp": "3.14.5"},
    date="2026-01-02",
    commit="1234567+",
)

FIGURES = Figures(
    opening=0.1,
    wall=2.0,
    first=0.5,
    cpu=1.0,
    growth=3_000_000,
    memory=((50, 1_000_000), (100, 2_000_000)),
    requests={"POST v1/inputs": 490, "POST v2/scenes/query": 10},
    refused=0,
    connections=20,
    peak_connections=18,
    server_cpu=1.5,
)


def outcome(case: Case, walls: dict[Contender, tuple[float, ...]]) -> Outcome:
    """An outcome in which contenders took so many seconds in each round."""
    runs = {one.name: tuple(evolve(FIGURES, wall=wall) for wall in taken) for one, taken in walls.items()}
    return Outcome(case, runs)


COMPARED = outcome(
    Case(scenes=100, files=1, size=10_000), {OURS: (3.0, 2.0, 9.0), OFFICIAL: (30.0,), FLOOR: (1.0, 1.5, 2.0)}
)
LARGE = outcome(Case(scenes=4, files=1, size=250_000_000), {OURS: (2.0,)})
ENCRYPTED = outcome(
    Case(scenes=4, files=1, size=250_000_000, platform=Platform(is_encrypted=True)),
    {OURS: (2.0,), UVLOOP: (4.0,), CURL: (1.0,)},
)
GRID = tuple(
    outcome(
        Case(scenes=70, files=4, size=size, platform=Platform(api_latency=latency, storage_latency=latency)),
        {OURS: (5.5,), FIXED[0]: (50.0,), FIXED[3]: (5.0,)},
    )
    for size in (20_000, 2_000_000)
    for latency in (0.01, 0.3)
)
GROWTH = tuple(
    outcome(Case(scenes=scenes, files=9, size=2_000, frames=frames), {OURS: (1.0,), JOURNAL: (2.0,)})
    for scenes, frames in ((100, 1), (1000, 1), (1, 200), (1, 2000))
)

RESULTS: Results = {
    "large": Result(ORIGIN, (LARGE,)),
    "many": Result(ORIGIN, (COMPARED,)),
    "stream": Result(ORIGIN, (COMPARED,)),
    "grid": Result(ORIGIN, GRID),
    "tls": Result(ORIGIN, (ENCRYPTED,)),
    "growth": Result(ORIGIN, GROWTH),
}
