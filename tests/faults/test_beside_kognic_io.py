"""The same scenes under the same faults through kognic-io and through ours: what becomes of them on the platform.

kognic-io loses two in seven whatever happens: those of the two types that its `create_inputs` refuses.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import get_args

import anyio
import pytest

from benchmarks.child import ENVIRONMENT
from kognic_aio.emulator import Emulator
from tests.faults.conftest import Row
from tests.faults.ingestion import IMPATIENT, Fate, Ingestion
from tests.faults.matrix import Run, runs

pytestmark = pytest.mark.anyio

CHOSEN = (
    "500 after the effect @ create-input",
    "dropped after the effect @ commit",
    "truncated @ create-input",
    "token revoked @ commit",
    "corrupted @ upload",
)
"""Runs of the matrix in which kognic-io fares badly in a way of its own each."""
LEAVING_TRACES = ("start", "upload", "commit", "pre-annotate", "create-input")
"""Steps that change something on the platform."""
UNHARMED = {"damaged": 0, "doubled": 0, "lost": 0, "orphans": 0, "said otherwise": 0}

Said = dict[str, str]
"""What a client said of each scene, by its external id."""
Ingest = Callable[[Emulator, int], Awaitable[Said]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """No fault and the chosen ones, or all at the steps that leave traces."""
    option = metafunc.config.option
    chosen = [run for run in runs(option.seed) if (run.step in LEAVING_TRACES if option.whole else str(run) in CHOSEN)]
    metafunc.parametrize("run", [None, *chosen], ids=_name)


@pytest.fixture
def scenes(pytestconfig: pytest.Config) -> int:
    """How many, of which kognic-io takes its time for each."""
    return 200 if pytestconfig.getoption("whole") else 42


@pytest.mark.timeout(300)  # kognic-io takes a minute for some faults
async def test_side_by_side(run: Run | None, scenes: int, table: list[Row]) -> None:
    """Ours ingests every scene, once and whole, and says so; of kognic-io it is only told how it fares."""
    official = await _measured("kognic-io", _with_kognic_io, run, scenes)
    table.append(official)
    assert run or official["whole"], "kognic-io has ingested nothing, though nothing went wrong"
    ours = await _measured("kognic_aio", _with_ours, run, scenes)
    table.append(ours)
    assert ours | UNHARMED | {"whole": scenes} == ours


async def _measured(client: str, ingest: Ingest, run: Run | None, scenes: int) -> Row:
    """Let a client ingest the scenes on a platform of its own, and count there."""
    async with Emulator() as emulator:
        planned = run and run.plan(emulator.faults)
        said = await ingest(emulator, scenes)
    ingestion = Ingestion(scenes)
    fates = ingestion.fates(emulator.platform)
    counts = Counter(fates.values())
    assert counts.total() == scenes
    return {
        "fault @ step": _name(run),
        "client": client if len(said) == scenes else f"{client}, did not end",
        "injected": planned.injected if planned else 0,
        **{fate: counts[fate] for fate in get_args(Fate)},
        "orphans": ingestion.orphans(emulator.platform),
        "said otherwise": sum((said.get(name) == "created") != (fate == "whole") for name, fate in fates.items()),
        "requests": emulator.recorder.requests_by_endpoint.total(),
    }


async def _with_kognic_io(emulator: Emulator, scenes: int) -> Said:
    """What it says in a process of its own, which is killed if it does not end in a minute."""
    options = json.dumps(emulator.client_options() | IMPATIENT)
    command = [sys.executable, "-m", "tests.faults.official", options, str(scenes)]
    output = b""
    with anyio.move_on_after(60):
        async with await anyio.open_process(command, stderr=None, env=os.environ | ENVIRONMENT) as child:
            assert child.stdout
            async for chunk in child.stdout:
                output += chunk
        assert (child.returncode, len(output.splitlines())) == (0, scenes)
    return {name: result for line in output.splitlines() for name, result in json.loads(line).items()}


async def _with_ours(emulator: Emulator, scenes: int) -> Said:
    results = await Ingestion(scenes).run(emulator)
    return {str(result.external_id): result.status.value for result in results}


def _name(run: Run | None) -> str:
    return str(run or "no fault")
