"""Predictions follow from costs by the formulas of `benchmarks/README.md`."""

import pytest

from benchmarks import pages
from benchmarks.beyond import WINDOW, Costs, Load, Network, Prediction, bounds
from benchmarks.contenders import OFFICIAL, OURS
from benchmarks.together import share
from kognic_aio import Limits
from tests.benchmarks.support import RESULTS

COSTS = Costs(request=0.001, plain_byte=1e-9, encrypted_byte=4e-9)
LIMITS = Limits(scene_jobs=40, uploads=80, inputs=20)
LOAD = Load(files=6, size=1_000_000)


def network(latency: float, bandwidth: float = 1e9, *, is_encrypted: bool = False) -> Network:
    return Network(latency=latency, bandwidth=bandwidth, is_encrypted=is_encrypted)


def test_bounds() -> None:
    """Each bound allows what its formula says."""
    upload = 0.1 * (1 + 1_000_000 / WINDOW)
    assert bounds(LOAD, network(0.1), COSTS, LIMITS) == pytest.approx(
        {
            "CPU": 1 / (10 * 0.001 + 6_000_000 * 1e-9),
            "network": 1e9 / 48_000_000,
            "scene jobs": 40 / (0.3 + upload),
            "uploads": 80 / (6 * upload),
            "inputs": 20 / 0.1,
        }
    )


def test_tls_costs_cpu() -> None:
    """Over TLS, a byte costs more, and nothing else does."""
    plain = bounds(LOAD, network(0.1), COSTS, LIMITS)
    encrypted = bounds(LOAD, network(0.1, is_encrypted=True), COSTS, LIMITS)
    assert encrypted["CPU"] == pytest.approx(1 / (0.010 + 0.024))
    assert {name: rate for name, rate in plain.items() if encrypted[name] != rate}.keys() == {"CPU"}


@pytest.mark.parametrize(
    ("between", "bound"),
    [(network(0.001, 1e8), "network"), (network(0.001, 1e12), "CPU"), (network(1.0, 1e12), "scene jobs")],
    ids=["narrow", "near", "far"],
)
def test_what_limits_a_process(between: Network, bound: str) -> None:
    """A narrow network, the CPU, or the requests at once: whichever allows least."""
    assert Prediction.of(LOAD, between, COSTS, LIMITS).bound == bound


def test_how_many_processes_pay() -> None:
    """One process that fills the network is enough; otherwise as many as fill it."""
    assert Prediction.of(LOAD, network(0.001, 1e8), COSTS, LIMITS).processes == 1
    assert Prediction.of(LOAD, network(0.001, 10e9), COSTS, LIMITS).processes == 4  # 208 scenes/s, 62.5 for each


def test_measured_costs() -> None:
    """CPU time by request and by byte; none if a contender did not run all that is needed."""
    assert Costs.measured(RESULTS, OURS) == Costs(request=1 / 500, plain_byte=1e-9, encrypted_byte=1e-9)
    assert Costs.measured(RESULTS, OFFICIAL) is None
    assert Costs.measured({}, OURS) is None


def test_one_process_alone() -> None:
    """A process gets what the platform accepts, and is rarely refused. A simulation is the same each time."""
    alone = share(1, accepted=50)
    assert alone.granted > 0.9
    assert alone.refused < 0.05
    assert share(1, accepted=50) == alone


def test_the_page_of_predictions() -> None:
    """It has the costs, a table for each load, and what several processes get."""
    page = pages.predictions(RESULTS)
    assert page.count("\n\n|") == 1 + len(pages.LOADS)
    assert page.count("1,000 ms, 25 Gbit/s") == len(pages.LOADS)
