"""A journal that an earlier version wrote is taken up: nothing that it knows is lost or done again."""

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from kognic_aio import InputCreationResult, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.errors import JournalMismatchError
from kognic_aio.model import Cameras
from kognic_aio.pipeline.journal import Entry, Failure, Step, set_aside_key
from tests.pipeline.journals import Journal
from tests.pipeline.recorded import image, scenes
from tests.pipeline.test_journal import CREATED as CREATED_RESULT
from tests.pipeline.test_journal import ERROR, ODD, STEPS
from tests.pipeline.test_journal import FAILED as FAILED_RESULT
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED
SQL = {version: Path(__file__).with_name(f"version_{version}.sql").read_text() for version in (1, 2, 3)}
"""Journals of earlier versions: of runs over `scenes()`, and in the second of scenes at each step and each end."""
HANGS = "590a5ad2-43c8-47ca-8c92-b75fd1a77129"
"""The uuid of the scene that had not become ready."""


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """One that waits shortly for what may still come of an earlier run's requests."""
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.1, visibility_timeout=0.5) as client:
        yield client


@pytest.fixture(params=[1, 3])
def version(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
async def path(version: int, emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> Path:
    """The journal, as if it were of a run on this emulator: that knows the scene which had not become ready."""
    committed = await client.cameras.create(Cameras(external_id="hangs", frame=Cameras.Frame(images=[image("0.jpg")])))
    path = tmp_path / "ingestion.journal"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            SQL[version].replace("http://127.0.0.1:8700", emulator.url).replace(HANGS, committed.scene_uuid)
        )
    return path


async def run(client: KognicIOClient, source: Any, path: Path, **options: Any) -> tuple[list[InputCreationResult], Any]:
    with anyio.fail_after(GENEROUS):
        made = create_inputs(client, source, "project-a", batch="batch-2", sleep_time=0.01, journal=path, **options)
        return [result async for result in made], made.progress


async def test_what_is_done_is_skipped(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """Scenes of all seven types are known by the fingerprints of then; what was committed is taken up."""
    uploads = len(emulator.recorder.requests("PUT"))
    (result,), progress = await run(client, scenes(), path)
    assert (result.external_id, result.status) == ("hangs", CREATED)
    assert (progress.skipped, progress.skipped_failed) == (8, 1)
    assert len(emulator.recorder.requests("PUT")) == uploads
    again, progress = await run(client, scenes(), path)
    assert (again, progress.skipped) == ([], 9)


async def test_it_can_be_read(path: Path) -> None:
    """Whoever looks into the journal finds what was recorded."""
    async with Journal(path) as journal:
        assert await journal.counts() == {CREATED: 7, FAILED: 1, Step.COMMITTED: 1}
        assert [failure.message for failure in await journal.failures()] == ["failed: too dark"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)


async def test_what_failed_is_retried(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A failure of then can be tried again, as any other."""
    results, _ = await run(client, scenes(), path, retry_failed=True)
    assert Counter((result.external_id, result.status) for result in results) == {
        ("hangs", CREATED): 1,
        ("failed", CREATED): 1,
    }
    assert len(emulator.platform.scenes.with_external_id("failed")) == 1


@pytest.mark.parametrize("version", [1])
async def test_the_rule_of_then_holds_for_entries_of_then(client: KognicIOClient, path: Path) -> None:
    """File names tell contents apart where they did; the error says that nobody knows what else differs."""
    first = scenes()[0].scene
    assert isinstance(first, Cameras)
    moved = evolve(first, frame=evolve(first.frame, images=[image("elsewhere/front.0.jpg")]))
    (result,), _ = await run(client, [moved], path)
    assert result.error is not None
    assert (
        "the journal has different content for 'cameras': it was recorded by an earlier version" in result.error.message
    )


@pytest.mark.parametrize("version", [1])
async def test_a_scene_that_is_taken_up_keeps_its_rule(client: KognicIOClient, path: Path) -> None:
    """What was taken up is known in further runs too, and what is retried by the rule of today."""
    await run(client, scenes(), path, retry_failed=True)
    async with Journal(path) as journal:
        entries = [await journal.recall(each.scene.external_id) for each in scenes()]
    fingerprints = {entry.key: entry.fingerprint or "" for entry in entries if entry is not None}
    assert len(fingerprints) == len(scenes())
    assert {key for key, fingerprint in fingerprints.items() if fingerprint.startswith("2:")} == {"failed"}
    results, progress = await run(client, scenes(), path)
    assert (results, progress.skipped, progress.skipped_failed) == ([], 9, 0)


@pytest.mark.parametrize("version", [1])
async def test_what_was_set_aside_keeps_its_rule(emulator: Emulator, client: KognicIOClient, path: Path) -> None:
    """A scene of then that made way for another content is known when it comes again, and is not created anew."""
    first = scenes()[0]
    other = evolve(first, scene=evolve(first.scene, external_id="cameras", metadata={"region": "south"}))
    await run(client, [other], path)
    (result,), _ = await run(client, [other], path, retry_failed=True)
    assert result.status == CREATED
    again, progress = await run(client, [first, other], path, retry_failed=True)
    assert (again, progress.skipped) == ([], 2)
    assert len(emulator.platform.scenes.with_external_id("cameras")) == 1


async def test_another_destination_leaves_it_as_it_is(version: int, client: KognicIOClient, path: Path) -> None:
    """A journal is upgraded only by a run that may use it."""
    with pytest.raises(JournalMismatchError):
        async for _ in create_inputs(client, scenes(), "project-a", batch="batch-3", journal=path):
            pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def known_to_the_second() -> list[Entry]:
    """What the second version knew."""
    told: Any = {"fingerprint": "2:a/2:b", "outline": "bz1"}
    made: Any = {"scene_uuid": "scene-1", "preannotation_uuid": "pre-annotation-1", "result": CREATED_RESULT}
    of_input: Any = {"step": Step.SETTLED, "fingerprint": "2:a", "outline": "bz1", **made}
    odd = evolve(FAILED_RESULT, external_id=ODD, scene_uuid=ODD)
    refused = {f"2:{ODD}": False, "2:k": True}
    set_aside = set_aside_key("made way", "2:x/2:y")
    return [
        *(
            Entry(
                key=step.value,
                step=step,
                scene_uuid=f"scene-{step.value}",
                preannotation_uuid="pre-annotation-1" if step is Step.PRE_ANNOTATED else None,
                **told,
            )
            for step in STEPS
        ),
        Entry(key="created", **of_input),
        Entry(key="delivered", **of_input, delivered=True),
        Entry(key="failed", step=Step.SETTLED, fingerprint="2:f", outline="bz2", result=FAILED_RESULT, delivered=True),
        Entry(key="abandoned", step=Step.STARTING),
        Entry(key=ODD, step=Step.SETTLED, fingerprint=ODD, result=odd),
        Entry(key=set_aside, step=Step.SETTLED, fingerprint="2:x/2:y", result=CREATED_RESULT),
        Entry(key="refused", step=Step.COMMITTED, fingerprint="2:g", scene_uuid="scene-2", refused=refused),
    ]


async def test_what_the_second_version_knew(tmp_path: Path) -> None:
    """A journal of the second version is upgraded whole: each scene, each orphan, and what was refused."""
    path = tmp_path / "ingestion.journal"
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL[2])
    failures = [Failure(key, ERROR.stage, ERROR.message) for key in (ODD, "failed", "only refused", "refused")]
    for _ in range(2):
        async with Journal(path) as journal:
            assert (journal.destination.project, journal.destination.batch) == ("project-ä", None)
            for entry in known_to_the_second():
                assert await journal.recall(entry.key) == entry
            assert await journal.recall("only refused") is None
            assert await journal.failures() == failures
            assert await journal.abandoned() == [ODD]
            assert [entry.key for entry in await journal.unfinished()] == ["committing", "starting"]
            counts: dict[Step | InputCreationStatus, int] = {CREATED: 3, FAILED: 4, Step.STARTING: 2, Step.COMMITTED: 2}
            alone = (Step.COMMITTING, Step.PRE_ANNOTATING, Step.PRE_ANNOTATED, Step.CREATING_INPUT)
            counts.update((step, 1) for step in alone)
            assert await journal.counts() == counts
    async with Journal(path) as journal:
        assert await journal.retry_failed() == 4
        await journal.invalidated([ODD])
        assert (await journal.failures(), await journal.abandoned()) == ([], [])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
