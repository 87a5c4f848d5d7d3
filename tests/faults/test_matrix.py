"""The fault matrix: whatever goes wrong at whatever step, every scene becomes one input, once."""

from collections.abc import AsyncIterator

import anyio
import pytest

from kognic_aio import KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from tests.faults.ingestion import BATCH, PROJECT, Ingestion
from tests.faults.matrix import Run, runs

pytestmark = pytest.mark.anyio

SCENES = 200


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The whole matrix, or by default every twentieth run of it, from the seed on."""
    if "run" in metafunc.fixturenames:
        seed = metafunc.config.getoption("seed")
        chosen = list(runs(seed))
        chosen = chosen if metafunc.config.getoption("whole") else chosen[seed % 20 :: 20]
        metafunc.parametrize("run", chosen, ids=str)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


async def test_a_fault(run: Run, emulator: Emulator, table: list[tuple[object, ...]]) -> None:
    """Two hundred mixed scenes become inputs, each once and whole, though one request in seven goes wrong."""
    ingestion = Ingestion(SCENES)
    planned = run.plan(emulator.faults)
    options = emulator.client_options() | {"max_retry_wait_time": 0.05, "timeout": 0.5}
    with anyio.fail_after(60):
        async with KognicIOClient(**options) as client:
            made = create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, sleep_time=0.05)
            results = [result async for result in made]
    invalidated = emulator.platform.summary()["scenes"].get("invalidated:incorrectly-created", 0)
    table.append((run, planned.injected, len(results), invalidated))
    assert planned.injected
    ingestion.check(emulator.platform, results)
