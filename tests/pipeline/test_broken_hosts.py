"""A host that stays broken ends a run, once and for all its scenes; with a journal, another one goes on."""

import math
from pathlib import Path

import pytest

from kognic_aio import InputCreationResult, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import UnavailableError
from kognic_aio.pipeline.journal import Journal
from tests.faults.ingestion import BATCH, PROJECT, Ingestion

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("broken", [faults.APIS, faults.UPLOADS])
async def test_a_host_that_breaks_down(broken: str, emulator: Emulator, tmp_path: Path) -> None:
    """The run ends with one error that names the host. What had settled is delivered, and the rest comes later."""
    ingestion, path = Ingestion(100), tmp_path / "journal"
    options = emulator.client_options() | {"max_retry_wait_time": 0, "max_retry_attempts": 3, "visibility_timeout": 0.5}
    results: list[InputCreationResult] = []
    emulator.faults.add(faults.Drop(), on=broken, times=math.inf, skip=200)
    async with KognicIOClient(**options) as client:
        with pytest.raises(UnavailableError, match="is unavailable") as caught:
            async for result in create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, journal=path):
                results.append(result)  # noqa: PERF401  # it ends with an error
    assert caught.value.host == options["host"]
    created = [result for result in results if result.status is InputCreationStatus.CREATED]
    assert created
    assert len(results) - len(created) < 16  # some scenes find out for the others, none of which has begun
    emulator.faults.clear()

    async with Journal(path) as journal:
        await journal.retry_failed()
    async with KognicIOClient(**options) as client:
        rest = create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, journal=path)
        later = {result.external_id: result async for result in rest}
    ingestion.check(emulator.platform, created + list(later.values()))


async def test_only_the_status_query_is_broken(emulator: Emulator, client: KognicIOClient) -> None:
    """Scenes whose status nobody tells are PROCESSING in the end: their host is not broken."""
    emulator.faults.add(faults.Status(500), on=faults.STATUS_QUERY, times=math.inf)
    options = emulator.client_options() | {"max_retry_wait_time": 0, "max_retry_attempts": 2}
    async with KognicIOClient(**options) as brisk:
        made = create_inputs(brisk, Ingestion(150).scenes, PROJECT, batch=BATCH, sleep_time=0, wait_timeout=0.5)
        assert {result.status async for result in made} == {InputCreationStatus.PROCESSING}
        assert await brisk.project.get_projects() == await client.project.get_projects()


async def test_many_that_cannot_be_invalidated(emulator: Emulator, tmp_path: Path) -> None:
    """What is left over from before, and cannot be invalidated, does not count for whether the host is broken."""
    ingestion, path = Ingestion(20), tmp_path / "journal"
    emulator.faults.add(faults.Status(400), on=faults.COMMIT, times=10)
    emulator.faults.add(faults.Status(500), on="POST v2/scenes/actions/invalidate", times=math.inf)
    options = emulator.client_options() | {"max_retry_wait_time": 0, "max_retry_attempts": 2}
    for created in (10, 0, 0):
        async with KognicIOClient(**options) as client:
            made = create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, journal=path, sleep_time=0.01)
            statuses = [result.status async for result in made]
        assert statuses.count(InputCreationStatus.CREATED) == created


async def test_what_an_earlier_run_left_behind(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """If it cannot be invalidated now, that is left to the next run, and keeps nobody from going on."""
    ingestion, path = Ingestion(3), tmp_path / "journal"
    emulator.faults.add(faults.Status(400), on=faults.COMMIT, times=1)
    emulator.faults.add(faults.Status(400), on="POST v2/scenes/actions/invalidate", times=2)

    async def ingest() -> list[InputCreationStatus]:
        made = create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, journal=path, sleep_time=0.01)
        return sorted([result.status async for result in made])

    async def left() -> int:
        async with Journal(path) as journal:
            await journal.retry_failed()
            return len(await journal.abandoned())

    created, failed = InputCreationStatus.CREATED, InputCreationStatus.FAILED
    assert (await ingest(), await left()) == ([created, created, failed], 1)
    assert (await ingest(), await left()) == ([created], 1)
    assert (await ingest(), await left()) == ([], 0)
    ingestion.check_platform(emulator.platform)
