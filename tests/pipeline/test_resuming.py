"""A run with a journal goes on where another has ended, however that ended."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from kognic_aio import InputCreationResult, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import InvalidError, JournalLockedError, JournalMismatchError
from kognic_aio.pipeline.journal import Journal
from tests.faults.ingestion import BATCH, PROJECT, Ingestion
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """One that waits shortly for what may still come of an earlier run's requests."""
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.1, visibility_timeout=0.5) as client:
        yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingestion.journal"


async def run(
    client: KognicIOClient, source: Any, path: Path, *, stop_after: int | None = None, **options: Any
) -> list[InputCreationResult]:
    """The results of a run; of one that is left, those that were delivered, and the last, which was not."""
    results = []
    async with create_inputs(client, source, PROJECT, batch=BATCH, sleep_time=0.01, journal=path, **options) as made:
        async for result in made:
            results.append(result)
            if len(results) == stop_after:
                break
    return results


async def test_what_is_done_is_skipped(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A second run over the same source creates nothing, uploads nothing, and has no results."""
    ingestion = Ingestion(30)
    results = await run(client, ingestion.scenes, path)
    ingestion.check(emulator.platform, results)
    requests = len(emulator.recorder.requests("PUT"))
    made = create_inputs(client, ingestion.scenes, PROJECT, batch=BATCH, journal=path)
    assert [result async for result in made] == []
    assert made.progress.skipped == 30
    assert len(emulator.recorder.requests("PUT")) == requests
    ingestion.check_platform(emulator.platform)


@pytest.mark.parametrize("stop_after", [1, 5, 20])
async def test_a_run_that_was_left(stop_after: int, emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """After a run that was left the next one finishes the rest. The result nobody came back from comes again."""
    ingestion = Ingestion(30)
    first = await run(client, ingestion.scenes, path, stop_after=stop_after)
    second = await run(client, ingestion.scenes, path)
    assert first[-1] in second
    ingestion.check(emulator.platform, first[:-1] + second)


async def test_committed_scenes_are_taken_up(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A scene that was committed, and is still processing when its run gives up, is not uploaded again."""
    emulator.platform.timing.processing_time = 3600
    ingestion = Ingestion(10)
    first = await run(client, ingestion.scenes, path, wait_timeout=0.05)
    assert {result.status for result in first} == {InputCreationStatus.PROCESSING}
    uploads = len(emulator.recorder.requests("PUT"))
    for result in first:
        emulator.platform.scene(str(result.scene_uuid)).ready_at = 0.0
    ingestion.check(emulator.platform, await run(client, ingestion.scenes, path))
    assert len(emulator.recorder.requests("PUT")) == uploads


async def test_failures_stay_until_they_are_to_be_retried(
    emulator: Emulator, client: KognicIOClient, path: Path
) -> None:
    """A scene that failed is not tried again until the journal is told so; then it is started afresh."""
    ingestion = Ingestion(10)
    emulator.faults.add(faults.FailProcessing("too dark"), on="ingested-3")
    first = await run(client, ingestion.scenes, path)
    assert Counter(result.status for result in first) == {CREATED: 9, FAILED: 1}
    assert await run(client, ingestion.scenes, path) == []
    async with Journal(path) as journal:
        (failure,) = await journal.failures()
        assert (failure.key, failure.message) == ("ingested-3", "failed: too dark")
        assert await journal.counts() == {CREATED: 9, FAILED: 1}
        assert await journal.retry_failed() == 1
    (again,) = await run(client, ingestion.scenes, path)
    assert (again.external_id, again.status) == ("ingested-3", CREATED)
    ingestion.check_platform(emulator.platform)


async def test_another_content_under_the_same_name(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """Two scenes of one external id with different contents are an error result of the second, unless key= tells."""
    one = cameras_scene("scene")
    other = evolve(one, metadata={"region": "south"})
    results = await run(client, [one, other, one], path)
    assert Counter(result.status for result in results) == {CREATED: 1, FAILED: 1}
    (failed,) = [result for result in results if result.status == FAILED]
    assert failed.error is not None
    assert "the journal has different content for 'scene'" in failed.error.message
    keyed = await run(client, [one, other], path.with_name("keyed"), key=lambda scene: str(scene.metadata))
    assert [result.status for result in keyed] == [CREATED, CREATED]


async def test_one_scene_twice_that_hangs(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A scene that waits for another of its key keeps neither the others nor the end of the run waiting."""
    emulator.faults.add(faults.HangProcessing(), on="twin")
    twin, others = cameras_scene("twin"), [cameras_scene(str(number)) for number in range(5)]
    with anyio.fail_after(GENEROUS):
        results = await run(client, [*[twin] * 100, *others], path, wait_timeout=1.0)
    assert Counter(result.status for result in results) == {InputCreationStatus.PROCESSING: 100, CREATED: 5}
    assert len(emulator.platform.scenes.with_external_id("twin")) == 1


@pytest.mark.parametrize("key", [7, 1.5, None, b"a", ("a",)])
async def test_a_key_that_is_no_string(key: Any, emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A key that tells scenes apart only by chance is refused before anything is created."""
    (result,) = await run(client, [cameras_scene("a")], path, key=lambda scene: key)
    assert result.error is not None
    assert result.error.message == f"key= returned {key!r}: expected a string that identifies this scene"
    assert not emulator.platform.scenes.with_external_id("a")


async def test_a_journal_that_is_in_use(client: KognicIOClient, path: Path) -> None:
    """A second run on a journal that is open is refused, before anything is created."""
    async with create_inputs(client, [cameras_scene("a")], PROJECT, batch=BATCH, journal=path) as first:
        await anext(first)
        with pytest.raises(JournalLockedError):
            await run(client, [cameras_scene("b")], path)


async def test_a_journal_of_another_batch(client: KognicIOClient, path: Path) -> None:
    """A journal belongs to one destination: a run to another is refused."""
    await run(client, [cameras_scene("a")], path)
    with pytest.raises(JournalMismatchError, match="batch-3"):
        async for _ in create_inputs(client, [cameras_scene("a")], PROJECT, batch="batch-3", journal=path):
            pass


def test_a_dry_run_has_no_journal(path: Path) -> None:
    """A dry run creates nothing that could be recorded."""
    with pytest.raises(InvalidError, match="journal: a dry run creates nothing"):
        create_inputs(KognicIOClient(), [], PROJECT, dryrun=True, journal=path)
