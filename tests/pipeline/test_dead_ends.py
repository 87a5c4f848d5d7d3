"""A run that cannot go on, as its batch or project is closed or gone: what earlier runs have left does not stay."""

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import BatchClosedError, ForbiddenError, UnknownBatchError, UnknownProjectError
from kognic_aio.pipeline.journal import Destination, Step
from tests.faults.ingestion import BATCH, PROJECT
from tests.pipeline.journals import Journal
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR

pytestmark = pytest.mark.anyio

PENDING, INVALIDATED = "pending", "invalidated:incorrectly-created"
NEVER_STARTED = "11111111-0000-4000-8000-000000000000"
INVALIDATE = "POST v2/scenes/actions/invalidate"


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """One that waits shortly for what may still come of an earlier run's requests."""
    options: dict[str, Any] = {"max_retry_wait_time": 0.01, "visibility_timeout": 0.5, "timeout": HOUR}
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**emulator.client_options(), **options) as client:
            yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingestion.journal"


def destination(client: KognicIOClient) -> Destination:
    return Destination(client.hosts.input.rstrip("/"), client.workspace_id, PROJECT, BATCH)


async def left(emulator: Emulator, client: KognicIOClient, path: Path) -> dict[str, str]:
    """The journal and the scenes of a run that was killed: the uuids, by how far each scene had come.

    The platform has some committed though their journal does not know it, as the answer was on its way.
    """
    names = ("abandoned", "starting", "committing", "about-to-commit", "committed")
    uuids = {name: (await client.cameras.create(cameras_scene(name))).scene_uuid for name in names}
    for name in ("abandoned", "starting", "about-to-commit"):
        emulator.platform.scene(uuids[name]).ready_at = None
    uuids["never-started"] = NEVER_STARTED
    async with Journal(path, destination(client)) as journal:
        for name, uuid in uuids.items():
            await journal.record(name, Step.STARTING, scene_uuid=uuid)
        await journal.abandon("abandoned")
        for name in ("committing", "about-to-commit"):
            await journal.record(name, Step.COMMITTING)
        await journal.record("committed", Step.COMMITTED)
    return uuids


def close_batch(emulator: Emulator) -> None:
    emulator.platform.projects.project(PROJECT).batches[BATCH].status = "ready"


def remove_batch(emulator: Emulator) -> None:
    del emulator.platform.projects.project(PROJECT).batches[BATCH]


def remove_project(emulator: Emulator) -> None:
    del emulator.platform.projects.by_external_id[PROJECT]


def forbid_project(emulator: Emulator) -> None:
    emulator.faults.add(faults.Status(403), on="GET v1/projects/{project}/batches", times=math.inf)


ENDS = [
    (close_batch, BatchClosedError),
    (remove_batch, UnknownBatchError),
    (remove_project, UnknownProjectError),
    (forbid_project, ForbiddenError),
]


async def run(client: KognicIOClient, path: Path, *names: str) -> dict[str | None, InputCreationStatus]:
    scenes = [cameras_scene(name) for name in names]
    made = create_inputs(client, scenes, PROJECT, batch=BATCH, sleep_time=0.01, journal=path)
    return {result.external_id: result.status async for result in made}


@pytest.mark.parametrize(("end", "error"), ENDS)
async def test_what_earlier_runs_left(
    end: Any, error: type[Exception], emulator: Emulator, client: KognicIOClient, path: Path
) -> None:
    """What was not committed is invalidated before the error comes, and forgotten; what was committed stays."""
    uuids = await left(emulator, client, path)
    end(emulator)
    with pytest.raises(error):
        await run(client, path, "starting")
    statuses = {name: emulator.platform.scene(uuid).status for name, uuid in uuids.items() if uuid != NEVER_STARTED}
    given_up = dict.fromkeys(("abandoned", "starting", "about-to-commit"), INVALIDATED)
    assert statuses == {**given_up, "committing": "created", "committed": "created"}
    async with Journal(path) as journal:
        assert await journal.abandoned() == []
        assert [entry.key for entry in await journal.unfinished()] == ["committing"]


async def test_a_batch_that_is_opened_again(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """When a run can go on again, it takes up what was committed, and starts afresh what was invalidated."""
    uuids = await left(emulator, client, path)
    close_batch(emulator)
    with pytest.raises(BatchClosedError):
        await run(client, path)
    emulator.platform.projects.project(PROJECT).batches[BATCH].status = "open"
    results = await run(client, path, *uuids)
    assert results == dict.fromkeys(uuids, InputCreationStatus.CREATED)
    for name in uuids:
        scenes = emulator.platform.scenes.with_external_id(name)
        assert [scene.status for scene in scenes].count("created") == 1
        assert sum(len(emulator.platform.inputs.of_scene(scene.uuid)) for scene in scenes) == 1
        assert (uuids[name] in [scene.uuid for scene in scenes if scene.status == "created"]) is (
            name in ("committing", "committed")
        )


async def test_what_cannot_be_seen_to_stays_in_the_journal(
    emulator: Emulator, client: KognicIOClient, path: Path
) -> None:
    """If the platform does not tell whether a scene is committed, or invalidates none, the next run sees to it."""
    uuids = await left(emulator, client, path)
    close_batch(emulator)
    emulator.faults.add(faults.Status(500), on=INVALIDATE, times=math.inf)
    emulator.faults.add(faults.Status(400), on=faults.STATUS_QUERY, times=math.inf)
    with pytest.raises(BatchClosedError):
        await run(client, path)
    async with Journal(path) as journal:
        assert set(await journal.abandoned()) == {uuids[name] for name in ("abandoned", "starting", "never-started")}
        assert [entry.key for entry in await journal.unfinished()] == ["about-to-commit", "committing"]
    emulator.faults.clear()
    with pytest.raises(BatchClosedError):
        await run(client, path)
    async with Journal(path) as journal:
        assert await journal.abandoned() == []
        assert [entry.key for entry in await journal.unfinished()] == ["committing"]
    assert emulator.platform.scene(uuids["committing"]).status == "created"


async def test_a_journal_that_is_in_use(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """What a run that is still alive has started is not touched, and the error is that of the batch."""
    uuids = await left(emulator, client, path)
    close_batch(emulator)
    async with Journal(path):
        with pytest.raises(BatchClosedError):
            await run(client, path)
    assert emulator.platform.scene(uuids["starting"]).status == PENDING
    assert emulator.recorder.requests_by_endpoint[INVALIDATE] == 0


async def test_a_name_that_is_misspelt(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A run to a project that does not exist makes no journal for it, and touches none of another."""
    with pytest.raises(UnknownProjectError):
        await anext(create_inputs(client, [], "projekt-a", batch=BATCH, journal=path))
    assert not path.exists()  # noqa: ASYNC240  # a test may block for a moment
    uuids = await left(emulator, client, path)
    with pytest.raises(UnknownProjectError):
        await anext(create_inputs(client, [], "projekt-a", batch=BATCH, journal=path))
    assert emulator.platform.scene(uuids["starting"]).status == PENDING


async def test_a_platform_that_does_not_answer(
    emulator: Emulator, client: KognicIOClient, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The error does not wait for ever for what is left behind, which stays in the journal."""
    await left(emulator, client, path)
    close_batch(emulator)
    emulator.faults.add(faults.SlowAnswer(HOUR), on=INVALIDATE, times=math.inf)
    emulator.faults.add(faults.SlowAnswer(HOUR), on=faults.STATUS_QUERY, times=math.inf)
    with pytest.raises(BatchClosedError):
        await run(client, path)
    assert "not all scenes left by earlier runs could be invalidated" in caplog.text
    async with Journal(path) as journal:
        assert len(await journal.abandoned()) == 3
        assert len(await journal.unfinished()) == 2
