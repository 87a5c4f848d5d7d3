"""The fault matrix: whatever goes wrong at whatever step, every scene becomes one input, once."""

from collections.abc import AsyncIterator

import pytest

from kognic_aio.emulator import Emulator
from tests.faults.conftest import Row
from tests.faults.ingestion import Ingestion
from tests.faults.matrix import Run, runs

pytestmark = pytest.mark.anyio

SCENES = 200


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The whole matrix, or by default every twentieth run of it, from the seed on."""
    if "run" in metafunc.fixturenames:
        option = metafunc.config.option
        chosen = list(runs(option.seed))
        chosen = chosen if option.whole else chosen[option.seed % 20 :: 20]
        metafunc.parametrize("run", chosen, ids=str)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


async def test_a_fault(run: Run, emulator: Emulator, table: list[Row]) -> None:
    """Two hundred mixed scenes become inputs, each once and whole, though one request in seven goes wrong."""
    ingestion = Ingestion(SCENES)
    planned = run.plan(emulator.faults)
    results = await ingestion.run(emulator)
    abandoned = emulator.platform.summary()["scenes"].get("invalidated:incorrectly-created", 0)
    counts = {"injected": planned.injected, "results": len(results), "abandoned": abandoned}
    table.append({"fault @ step": str(run), **counts})
    assert planned.injected
    ingestion.check(emulator.platform, results)
