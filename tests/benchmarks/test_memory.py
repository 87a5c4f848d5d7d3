"""Memory is bounded by the limits: it grows neither with the number of scenes nor with the size of files."""

import pytest

from benchmarks.cases import Case
from benchmarks.contenders import OURS
from benchmarks.figures import Figures
from benchmarks.runner import Runner

KB = 1_000
MB = 1_000_000


def run(case: Case) -> Figures:
    (figures,) = Runner(1).alternate(case, [OURS]).runs[OURS.name]
    return figures


@pytest.mark.timeout(600)  # ingests 10,000 scenes
def test_a_long_stream() -> None:
    """Between 2,000 and 10,000 scenes from a generator, the process grows by less than 1 kB a scene."""
    memory = dict(run(Case(scenes=10_000, files=1, size=4, is_streamed=True)).memory)
    assert memory[10_000] - memory[2_000] < 8_000 * KB


def test_a_large_file() -> None:
    """A file of 1 GiB is uploaded whole, and the process grows by less than 50 MB."""
    assert run(Case(scenes=1, files=1, size=1 << 30)).growth < 50 * MB
