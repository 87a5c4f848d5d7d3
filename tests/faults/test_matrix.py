"""The fault matrix: whatever goes wrong at whatever step, every scene becomes one input, once."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kognic_aio import InputCreationStatus, KognicIOClient
from kognic_aio.emulator import Emulator, faults
from tests.faults.conftest import Row
from tests.faults.ingestion import IMPATIENT, SLEEP_TIME, TARGETS, Ingestion
from tests.faults.matrix import STEPS_OF_TARGETS, Run, runs
from tests.waiting import HOUR

pytestmark = pytest.mark.anyio

SCENES = 200


PLATFORMS: dict[str, dict[str, Any]] = {
    "shows all at once": {},
    "shows late": {"visibility_lag": 1.0},
    "leaves out": {"unknown_scenes": "omit"},
    "shows late, leaves out": {"visibility_lag": 1.0, "unknown_scenes": "omit"},
}
"""What the platform does about scenes that are new, and about those that it does not know."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The whole matrix on each platform, or by default a sample: every fortieth run, and on each platform others."""
    if "run_with_targets" in metafunc.fixturenames:
        option = metafunc.config.option
        all_runs = list(runs(option.seed, STEPS_OF_TARGETS))
        some = all_runs if option.whole else all_runs[option.seed % 21 :: 21]
        metafunc.parametrize("run_with_targets", some, ids=str)
    if "run" in metafunc.fixturenames:
        option = metafunc.config.option
        all_runs = list(runs(option.seed))
        chosen = [
            pytest.param(run, name, id=f"{run}, {name}" if PLATFORMS[name] else str(run))
            for number, name in enumerate(PLATFORMS)
            for run in (all_runs if option.whole else all_runs[(option.seed + 7 * number) % 40 :: 40])
        ]
        metafunc.parametrize(("run", "platform"), chosen)


@pytest.fixture
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    name = request.node.callspec.params.get("platform")
    async with Emulator(**PLATFORMS.get(name, {})) as running:
        yield running


@pytest.fixture
def scenes(request: pytest.FixtureRequest) -> int:
    """How many: the sample has fewer, but for queries of their status, which are few anyway."""
    params = request.node.callspec.params
    run = params.get("run") or params["run_with_targets"]
    return SCENES if request.config.getoption("whole") or run.step == "status" else SCENES // 2


async def test_a_fault(run: Run, platform: str, scenes: int, emulator: Emulator, table: list[Row]) -> None:
    """Mixed scenes become inputs, each once and whole, though one request in seven goes wrong."""
    ingestion = Ingestion(scenes)
    planned = run.plan(emulator.faults)
    results = await ingestion.run(emulator)
    abandoned = emulator.platform.summary()["scenes"].get("invalidated:incorrectly-created", 0)
    counts = {"injected": planned.injected, "results": len(results), "abandoned": abandoned}
    table.append({"fault @ step": str(run), "platform": platform, **counts})
    assert planned.injected
    ingestion.check(emulator.platform, results)


async def test_a_fault_with_targets(run_with_targets: Run, scenes: int, emulator: Emulator, table: list[Row]) -> None:
    """Each scene is uploaded once, gets one of each pre-annotation, and an input per target with the right one."""
    ingestion = Ingestion(scenes, TARGETS)
    planned = run_with_targets.plan(emulator.faults)
    results = await ingestion.run(emulator)
    counts = {"injected": planned.injected, "results": len(results), "abandoned": 0}
    table.append({"fault @ step": f"{run_with_targets}, targets", "platform": next(iter(PLATFORMS)), **counts})
    assert planned.injected
    ingestion.check(emulator.platform, results)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (faults.FailProcessing("too dark"), InputCreationStatus.FAILED),
        (faults.HangProcessing(), InputCreationStatus.PROCESSING),
        (faults.QueryLimit(10), InputCreationStatus.CREATED),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_fault_of_processing(
    fault: faults.Fault,
    status: InputCreationStatus,
    emulator: Emulator,
    table: list[Row],
    pytestconfig: pytest.Config,
) -> None:
    """What the platform does not let be created fails, or is processing in the end; all else becomes inputs."""
    ingestion = Ingestion(SCENES)
    is_limit = isinstance(fault, faults.QueryLimit)
    emulator.platform.timing.processing_time = 1.0 if is_limit else 0.2  # so that many are asked for together
    wait_timeout = 2.0 if status is InputCreationStatus.PROCESSING else HOUR
    probability = None if is_limit else 1 / 7
    planned = emulator.faults.add(fault, probability=probability, seed=pytestconfig.getoption("seed"))
    async with KognicIOClient(**emulator.client_options(), **IMPATIENT) as client:
        made = ingestion.created_by(client, sleep_time=SLEEP_TIME, wait_timeout=wait_timeout)
        ends = Counter([result.status async for result in made])
    struck = 0 if is_limit else planned.injected
    table.append(
        {
            "fault @ step": f"{type(fault).__name__} @ status",
            "platform": next(iter(PLATFORMS)),
            "injected": planned.injected,
            "results": ends.total(),
            "abandoned": emulator.platform.summary()["scenes"].get("invalidated:incorrectly-created", 0),
        }
    )
    assert planned.injected
    assert ends == Counter({InputCreationStatus.CREATED: SCENES - struck}) + Counter({status: struck})
    assert Counter(ingestion.fates(emulator.platform).values()) == +Counter(whole=SCENES - struck, lost=struck)
