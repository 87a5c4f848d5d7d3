"""What has been recorded survives whatever ends the process, and nothing else is ever in the file."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve, field, frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kognic_aio import InputCreationError, InputCreationResult, InputCreationStage, InputCreationStatus
from kognic_aio.errors import InvalidError, JournalError, JournalLockedError, JournalMismatchError
from kognic_aio.model import Input
from kognic_aio.pipeline.journal import Destination, Entry, Failure, Step, set_aside_key
from kognic_aio.pipeline.journal.facts import MAX_REFUSALS
from tests.pipeline.journals import Journal
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
HERE = Destination("https://input.app.kognic.com", "workspace-1", "project-a", "batch-1")
STEPS: list[Step] = [step for step in Step if step is not Step.SETTLED]
ODD = "Straße \0 \ud800 \" ' \\ \n 🚗"

CREATED = InputCreationResult(
    status=InputCreationStatus.CREATED,
    external_id="crossing",
    scene_uuid="scene-1",
    inputs=(
        Input(
            uuid="input-1",
            scene_uuid="scene-1",
            request_uid="request-1",
            scene_external_id="crossing",
            view_link="https://app.kognic.com/view/input-1",
        ),
    ),
    preannotation_uuid="pre-annotation-1",
)
ERROR = InputCreationError(stage=InputCreationStage.SCENE, message="no such calibration")
FAILED = InputCreationResult(
    status=InputCreationStatus.FAILED, external_id="crossing", scene_uuid="scene-1", error=ERROR
)
PROCESSING = InputCreationResult(status=InputCreationStatus.PROCESSING, external_id="crossing", scene_uuid="scene-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ingest.journal"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def size(path: Path) -> int:
    return path.stat().st_size


@contextmanager
def process(code: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the journal at hand. It is killed in the end, if it has not ended."""
    prelude = """
import asyncio, sys
from kognic_aio.errors import *
from kognic_aio.pipeline.journal import *
from tests.pipeline.journals import Journal
path = sys.argv[1]
here = Destination("https://input.app.kognic.com", "workspace-1", "project-a", "batch-1")
"""
    command = [sys.executable, "-c", prelude + code, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def said(running: "subprocess.Popen[str]", lines: int) -> list[str]:
    assert running.stdout is not None
    return [running.stdout.readline().strip() for _ in range(lines)]


def everything_said(running: "subprocess.Popen[str]") -> list[str]:
    assert running.stdout is not None
    return [line.strip() for line in running.stdout if line.endswith("\n")]


# What is recorded


async def test_a_step_is_remembered(path: Path) -> None:
    """Each step is known when the journal is opened again, with all that was told on the way."""
    async with Journal(path, HERE) as journal:
        assert await journal.recall("crossing") is None
        await journal.record("crossing", Step.STARTING, fingerprint="f", scene_uuid="scene-1")
    known = Entry(key="crossing", step=Step.STARTING, fingerprint="f", scene_uuid="scene-1")
    for step in STEPS[1:]:
        uuid = "pre-annotation-1" if step is Step.PRE_ANNOTATED else None
        known = evolve(known, step=step, preannotation_uuid=uuid or known.preannotation_uuid)
        async with Journal(path, HERE) as journal:
            await journal.record("crossing", step, preannotation_uuid=uuid)
            assert await journal.recall("crossing") == known
    async with Journal(path, HERE) as journal:
        assert await journal.recall("crossing") == known


@pytest.mark.parametrize("result", [CREATED, FAILED], ids=lambda result: result.status.value)
async def test_a_result_is_remembered(path: Path, result: InputCreationResult) -> None:
    """A scene that has settled comes back with its result as it was, whether it had been started or not."""
    async with Journal(path, HERE) as journal:
        await journal.record("started", Step.STARTING, fingerprint="f", scene_uuid="scene-1")
        await journal.settle("started", result)
        await journal.settle("never started", result, fingerprint="f")
    settled = Entry(key="started", step=Step.SETTLED, fingerprint="f", scene_uuid="scene-1", result=result)
    async with Journal(path) as journal:
        assert await journal.recall("started") == settled
        assert await journal.recall("never started") == evolve(settled, key="never started", scene_uuid=None)


async def test_a_settled_result_stays(path: Path) -> None:
    """Neither a further result nor a late step changes how a scene ended."""
    async with Journal(path, HERE) as journal:
        await journal.settle("crossing", CREATED)
        await journal.delivered("crossing")
        await journal.settle("crossing", FAILED)
        await journal.record("crossing", Step.CREATING_INPUT, scene_uuid="scene-2")
        assert await journal.recall("crossing") == Entry(
            key="crossing", step=Step.SETTLED, result=CREATED, delivered=True
        )


async def test_no_step_goes_back(path: Path) -> None:
    """A step that comes after a later one changes nothing."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.COMMITTED, scene_uuid="scene-1")
        await journal.record("crossing", Step.COMMITTING, scene_uuid="scene-2")
        assert await journal.recall("crossing") == Entry(key="crossing", step=Step.COMMITTED, scene_uuid="scene-1")


async def test_processing_is_no_end(path: Path) -> None:
    """A scene that was not ready in time stays where it was, so that the next run takes it up."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.COMMITTED, scene_uuid="scene-1")
        await journal.settle("crossing", PROCESSING)
        await journal.delivered("crossing")
        assert await journal.recall("crossing") == Entry(key="crossing", step=Step.COMMITTED, scene_uuid="scene-1")


async def test_settling_needs_a_result(path: Path) -> None:
    """That a scene has settled is not recorded without how."""
    async with Journal(path, HERE) as journal:
        with pytest.raises(InvalidError, match="settle"):
            await journal.record("crossing", Step.SETTLED)


async def test_delivered(path: Path) -> None:
    """A result is undelivered until the consumer has taken it, and delivered ever after."""
    async with Journal(path, HERE) as journal:
        await journal.delivered("unheard of")
        await journal.settle("crossing", CREATED)
        entry = await journal.recall("crossing")
        assert entry is not None
        assert not entry.delivered
        await journal.delivered("crossing")
    async with Journal(path, HERE) as journal:
        assert await journal.recall("crossing") == evolve(entry, delivered=True)
        assert await journal.recall("unheard of") is None


@pytest.mark.parametrize("before", [*STEPS, FAILED], ids=str)
async def test_starting_afresh_abandons(path: Path, before: Step | InputCreationResult) -> None:
    """Who starts afresh leaves a scene behind, which is remembered until it has been invalidated."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING, fingerprint="f", scene_uuid="scene-1")
        if isinstance(before, Step):
            await journal.record("crossing", before, scene_uuid="scene-1", preannotation_uuid="pre-annotation-1")
        else:
            await journal.settle("crossing", before)
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-2")
        assert await journal.recall("crossing") == Entry(key="crossing", step=Step.STARTING, scene_uuid="scene-2")
    async with Journal(path, HERE) as journal:
        assert await journal.abandoned() == ["scene-1"]
        await journal.invalidated(await journal.abandoned())
        await journal.invalidated([])
        assert await journal.abandoned() == []


async def test_what_became_an_input_is_not_abandoned(path: Path) -> None:
    """A scene that has its input is never to be invalidated, even if its key is started afresh."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-1")
        await journal.settle("crossing", CREATED)
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-2")
        assert await journal.abandoned() == []


async def test_the_same_scene_started_again_is_not_abandoned(path: Path) -> None:
    """What is started again under the uuid that it has leaves nothing behind."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-1")
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-1")
        assert await journal.abandoned() == []


async def test_a_scene_can_be_abandoned(path: Path) -> None:
    """An abandoned scene is remembered once, and its entry does not know it any more."""
    async with Journal(path, HERE) as journal:
        await journal.abandon("unheard of")
        await journal.record("crossing", Step.STARTING, scene_uuid="scene-1")
        await journal.abandon("crossing")
        await journal.abandon("crossing")
        await journal.settle("crossing", FAILED)
        await journal.retry_failed()
        assert await journal.abandoned() == ["scene-1"]


async def test_any_text_is_kept(path: Path) -> None:
    """Ids come back as they were, whatever characters they have, and messages in one line; similar keys differ."""
    error = InputCreationError(stage=InputCreationStage.SCENE, message=ODD)
    result = evolve(FAILED, external_id=ODD, scene_uuid=ODD, error=error)
    async with Journal(path, evolve(HERE, project=ODD)) as journal:
        await journal.record(ODD, Step.STARTING, fingerprint=ODD, scene_uuid=ODD)
        await journal.record(ODD[:9], Step.STARTING)
        await journal.record("%", Step.STARTING)
        await journal.settle(ODD, result)
        assert await journal.failures() == [Failure(ODD, InputCreationStage.SCENE, error.message)]
        expected = Entry(key=ODD, step=Step.SETTLED, fingerprint=ODD, scene_uuid=ODD, result=result)
        assert await journal.recall(ODD) == expected
        await journal.abandon(ODD)
        assert await journal.abandoned() == [ODD]
        await journal.invalidated([ODD])
        assert await journal.abandoned() == []
        assert journal.destination.project == ODD


# Reading


async def test_counts_and_failures(path: Path) -> None:
    """Anybody can see how many scenes there are at each step, how they ended, and why they failed."""
    async with Journal(path, HERE) as journal:
        for step in (Step.STARTING, Step.COMMITTED, Step.COMMITTED):
            await journal.record(os.urandom(8).hex(), step)
        await journal.settle("b", FAILED)
        await journal.settle("a", FAILED)
        await journal.settle("c", CREATED)
    async with Journal(path) as journal:
        assert journal.destination == HERE
        assert await journal.counts() == {"starting": 1, "committed": 2, "created": 1, "failed": 2}
        assert await journal.failures() == [
            Failure(key, InputCreationStage.SCENE, "no such calibration") for key in ("a", "b")
        ]


async def test_retry_failed(path: Path) -> None:
    """The scenes that failed are forgotten, so that they are started afresh; what they left behind is abandoned."""
    async with Journal(path, HERE) as journal:
        await journal.record("failed", Step.STARTING, scene_uuid="scene-1")
        await journal.settle("failed", FAILED)
        await journal.settle("never started", FAILED)
        await journal.settle("created", CREATED)
        assert await journal.retry_failed() == 2
        assert await journal.retry_failed() == 0
        assert await journal.recall("failed") is None
        assert await journal.counts() == {"created": 1}
        assert await journal.abandoned() == ["scene-1"]


async def test_what_was_refused(path: Path) -> None:
    """A content that was refused is a failure, and known to the entry of its key, until it is started or given up."""
    async with Journal(path, HERE) as journal:
        await journal.settle("crossing", CREATED, fingerprint="1")
        for content in ("2", "3"):
            await journal.refuse("crossing", content, ERROR)
            await journal.refuse("crossing", content, ERROR)
        failure = Failure("crossing", ERROR.stage, ERROR.message)
        assert await journal.failures() == [failure] * 2
        assert await journal.counts() == {"created": 1, "failed": 2}
        entry = await journal.recall("crossing")
        assert entry is not None
        assert entry.refused == {"2": False, "3": False}
        assert await journal.retry_failed() == 2
        await journal.refuse("crossing", "3", ERROR)
        assert await journal.recall("crossing") == evolve(entry, refused={"2": True, "3": False})
        await journal.uphold("crossing")
        assert await journal.recall("crossing") == evolve(entry, refused={"2": True})
    async with Journal(path, HERE) as journal:
        assert await journal.failures() == []
        await journal.record("crossing", Step.STARTING, fingerprint="2")
        assert await journal.recall("crossing") == Entry(key="crossing", step=Step.STARTING, fingerprint="2")


async def test_contents_that_are_kin(path: Path) -> None:
    """What was refused, and what made way, is known by the part of its fingerprint that its kin share."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING, fingerprint="1/a")
        await journal.settle("crossing", CREATED)
        for content in ("2/b", "3/b", "b"):
            await journal.refuse("crossing", content, ERROR)
        assert len(await journal.failures()) == 1
        entry = await journal.recall("crossing")
        assert entry is not None
        assert entry.refused == {"b": False}
        await journal.make_way("crossing")
        own_key = set_aside_key("crossing", "a")
        assert await journal.recall(set_aside_key("crossing", "4/a")) == evolve(entry, key=own_key, refused={})
        await journal.record("crossing", Step.STARTING, fingerprint="5/b")
        assert await journal.failures() == []


@pytest.mark.parametrize("before", [*STEPS, FAILED, CREATED], ids=str)
async def test_making_way(path: Path, before: Step | InputCreationResult) -> None:
    """What makes way is abandoned and forgotten, but for what is an input: that stays known by its content."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING, fingerprint="1", outline="o", scene_uuid="scene-1")
        if isinstance(before, Step):
            await journal.record("crossing", before)
        else:
            await journal.settle("crossing", before)
            await journal.delivered("crossing")
        known = await journal.recall("crossing")
        assert known is not None
        await journal.make_way("crossing")
        await journal.make_way("crossing")
        assert await journal.recall("crossing") is None
        is_created = before == CREATED
        own_key = set_aside_key("crossing", "1")
        assert await journal.recall(own_key) == (evolve(known, key=own_key) if is_created else None)
        assert await journal.abandoned() == ([] if is_created else ["scene-1"])
        assert await journal.failures() == []


# The file


async def test_the_file_is_private(path: Path) -> None:
    """Nobody else may read the journal or what lies beside it, whatever the umask; when it is closed it is one file."""
    umask = os.umask(0)
    try:
        async with Journal(path, HERE) as journal:
            await journal.record("crossing", Step.STARTING)
            modes = {name: path.with_name(name).stat().st_mode & 0o777 for name in names(path.parent)}
    finally:
        os.umask(umask)
    assert set(modes.values()) == {0o600}
    assert path.name in modes
    assert names(path.parent) == [path.name]


async def test_it_stays_small(path: Path) -> None:
    """A scene takes less than a kilobyte, however often it was started and abandoned."""
    scenes = 500
    async with Journal(path, HERE) as journal:

        async def live(number: int) -> None:
            key = f"scene-{number}"
            for attempt in range(3):
                await journal.record(key, Step.STARTING, fingerprint=32 * "f", scene_uuid=f"{number:032}-{attempt}")
            for step in STEPS[1:]:
                await journal.record(key, step)
            await journal.settle(key, evolve(CREATED, external_id=key, scene_uuid=f"{number:032}-2"))

        async with anyio.create_task_group() as group:
            for number in range(scenes):
                group.start_soon(live, number)
        abandoned = await journal.abandoned()
        assert len(abandoned) == 2 * scenes
        await journal.invalidated(abandoned)
    assert size(path) < 1000 * scenes


async def test_a_settled_scene_has_few_facts(path: Path) -> None:
    """What came before a result is not kept, so that no journal has to be compacted when it is opened."""
    async with Journal(path, HERE) as journal:
        for scene_uuid in ("scene-1", "scene-2"):
            await journal.record("crossing", Step.STARTING, fingerprint="f", scene_uuid=scene_uuid)
            for step in STEPS[1:]:
                await journal.record("crossing", step)
        await journal.settle("crossing", CREATED)
        await journal.delivered("crossing")
    with closing(sqlite3.connect(path)) as connection:
        kinds = [kind for (kind,) in connection.execute("SELECT kind FROM fact ORDER BY number")]
        places = set(connection.execute("SELECT project, batch FROM fact"))
    assert sorted(kinds) == ["created", "delivered", "orphan"]
    assert places == {('"project-a"', '"batch-1"')}


async def test_what_changes_nothing_is_not_written(path: Path) -> None:
    """A fact that comes again, or too late, takes no room in the file."""
    async with Journal(path, HERE) as journal:
        for _ in range(3):
            await journal.record("on its way", Step.STARTING, scene_uuid="scene-1")
            await journal.record("on its way", Step.COMMITTED)
            await journal.record("settled", Step.COMMITTED)
            await journal.settle("settled", CREATED)
            await journal.delivered("settled")
            await journal.delivered("unheard of")
        assert await journal.counts() == {Step.COMMITTED: 1, InputCreationStatus.CREATED: 1}
    with closing(sqlite3.connect(path)) as connection:
        facts = connection.execute("SELECT key, kind FROM fact ORDER BY key, number").fetchall()
    on_its_way, settled = '"on its way"', '"settled"'
    assert facts == [
        (on_its_way, "starting"),
        (on_its_way, "committed"),
        (settled, "created"),
        (settled, "delivered"),
    ]


async def test_very_many_refusals(path: Path) -> None:
    """However many contents a key= gives the same key, and however long that is, the journal can be read again."""
    key, error = 10_000 * "🚗", InputCreationError(stage=InputCreationStage.SCENE, message=10_000 * "🚗")
    async with Journal(path, HERE) as journal:
        await journal.settle(key, CREATED, fingerprint="0")
        for number in range(MAX_REFUSALS + 10):
            await journal.refuse(key, f"{number + 1}", error)
    async with Journal(path, HERE) as journal:
        assert len(await journal.failures()) == MAX_REFUSALS
        entry = await journal.recall(key)
        assert entry is not None
        assert len(entry.refused) == MAX_REFUSALS
        assert await journal.retry_failed() == MAX_REFUSALS


async def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    """A process that was killed just after it had created the file is no obstacle."""
    empty_file(path)
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING)


def empty_file(path: Path) -> None:
    path.touch()


def text_file(path: Path) -> None:
    path.write_text("Dear diary, " * 100)


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE scene (key TEXT)")


def later_version(path: Path) -> None:
    journal(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def truncated(path: Path) -> None:
    journal(path)
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    journal(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def damaged_in_one_place(path: Path) -> None:
    """Where it is not looked for what every run wants to know."""
    journal(path)
    content = bytearray(path.read_bytes())
    content[-4096:] = bytes(4096)
    path.write_bytes(content)


def of_no_destination(path: Path) -> None:
    journal(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE destination SET content = 'somewhere'")
        connection.commit()


def journal(path: Path) -> None:
    """A journal with some scenes in it."""

    async def write() -> None:
        async with Journal(path, HERE) as journal:
            for number in range(100):
                await journal.settle(f"scene-{number}", CREATED)

    with asyncio.Runner() as runner:
        runner.run(write())


FOREIGN = {
    text_file: "not a database",
    other_database: "not a kognic_aio journal",
    later_version: "newer version",
    truncated: "malformed|damaged",
    overwritten: "malformed|damaged|not a kognic_aio journal",
    damaged_in_one_place: "damaged",
    of_no_destination: "damaged",
}


@pytest.mark.parametrize("destination", [HERE, None], ids=["to-write", "to-read"])
@pytest.mark.parametrize("make", FOREIGN, ids=lambda make: make.__name__)
def test_what_is_no_journal_is_left_alone(path: Path, make: Any, destination: Destination | None) -> None:
    """A file that is no sound journal is refused, and stays as it is."""
    make(path)
    content = path.read_bytes()

    async def open_it() -> None:
        with pytest.raises(JournalError, match=FOREIGN[make]) as caught:
            async with Journal(path, destination):
                pass
        assert str(path) in str(caught.value)
        assert caught.value.path == str(path)

    with asyncio.Runner() as runner:
        runner.run(open_it())
    assert path.read_bytes() == content
    assert names(path.parent) == [path.name]


async def test_another_destination(path: Path) -> None:
    """A journal from another destination is refused; the error names both."""
    async with Journal(path, HERE) as journal:
        await journal.record("crossing", Step.STARTING)
    there = evolve(HERE, project="project-b", batch=None)
    with pytest.raises(JournalMismatchError) as caught:
        await Journal(path, there).open()
    assert (caught.value.recorded, caught.value.wanted) == (str(HERE), str(there))
    for words in ("'project-a', batch 'batch-1'", "'project-b', its only open batch"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "destination", "words"),
    [
        ("missing/ingest.journal", HERE, "No such file or directory"),
        ("missing.journal", None, "No such file or directory"),
        ("", HERE, "unable to open"),
    ],
    ids=["no-folder", "nothing-to-read", "a-folder"],
)
async def test_where_no_file_can_be(tmp_path: Path, name: str, destination: Destination | None, words: str) -> None:
    """If there is no place for the file, or none to read, the error says so and nothing is created."""
    with pytest.raises(JournalError, match=words):
        await Journal(tmp_path / name, destination).open()
    assert names(tmp_path) == []


async def test_it_has_to_be_open(path: Path) -> None:
    """Before it is opened and after it was closed, a journal says that it is not open; closing twice is harmless."""
    journal = Journal(path, HERE)
    with pytest.raises(JournalError, match="not open"):
        await journal.recall("crossing")
    async with journal:
        await journal.record("crossing", Step.STARTING)
    await journal.aclose()
    with pytest.raises(JournalError, match="not open"):
        await journal.record("crossing", Step.COMMITTING)


def test_nobody_pays_who_has_no_journal() -> None:
    """SQLite is imported when a journal is opened."""
    code = "import kognic_aio.pipeline.journal, sys; print({'aiosqlite', 'sqlite3'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "set()"


# Other processes

HOLD = """
async def hold():
    async with Journal(path, here) as journal:
        print("open", flush=True)
        sys.stdin.read()

asyncio.run(hold())
"""


TRY = """
async def attempt():
    try:
        async with Journal(path, here):
            print("open")
    except JournalLockedError:
        print("locked")

asyncio.run(attempt())
"""


async def test_one_process_at_a_time(path: Path) -> None:
    """What another process has open is refused, for writing and for reading; when that is killed, it can be opened."""
    with process(HOLD, path) as holder:
        assert said(holder, 1) == ["open"]
        for destination in (HERE, None):
            with pytest.raises(JournalLockedError, match="open in another run or process"):
                await Journal(path, destination).open()
        holder.send_signal(signal.SIGKILL)
        holder.wait(GENEROUS)
        async with Journal(path, HERE) as journal:
            assert await journal.counts() == {}


async def test_one_run_at_a_time(path: Path) -> None:
    """What this process has open is refused too, and stays locked for others."""
    async with Journal(path, HERE):
        with pytest.raises(JournalLockedError):
            await Journal(path, HERE).open()
        with process(TRY, path) as other:
            assert everything_said(other) == ["locked"]
    async with Journal(path, HERE):
        pass


async def test_one_of_many_gets_it(path: Path) -> None:
    """Of several that open a journal at the same moment, be there a file or not, one gets it."""
    for _ in range(2):
        journals = [Journal(path, HERE) for _ in range(4)]
        ends = await asyncio.gather(*(journal.open() for journal in journals), return_exceptions=True)
        assert [end for end in ends if not isinstance(end, JournalLockedError)] == [None]
        for journal in journals:
            await journal.aclose()


KILLED = """
async def live(journal, number):
    key = f"scene-{number}"
    for step in Step:
        if step is not Step.SETTLED:
            await journal.record(key, step, scene_uuid=key)
            print(key, step.value, flush=True)

async def run():
    async with Journal(path, here) as journal:
        await asyncio.gather(*(live(journal, number) for number in range(2000)))

asyncio.run(run())
"""


@pytest.mark.parametrize("lines", [1, 500, 3000])
async def test_kill_9(path: Path, lines: int) -> None:
    """Of a process that was killed, all that it had recorded is there."""
    with process(KILLED, path) as victim:
        told = said(victim, lines)
        victim.send_signal(signal.SIGKILL)
        told += everything_said(victim)
    last = dict(line.split() for line in told)
    async with Journal(path, HERE) as journal:
        for key, step in last.items():
            entry = await journal.recall(key)
            assert entry is not None
            assert STEPS.index(entry.step) >= STEPS.index(Step(step))
            assert entry.scene_uuid == key


FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

async def live(journal, number):
    while True:
        for _ in range(number % 8):  # so that some wait for the batch that fails, others for the next one
            await asyncio.sleep(0)
        await journal.record(f"scene-{number}", Step.STARTING, scene_uuid=str(number))
        print(f"scene-{number}", flush=True)
        number += 64

async def run():
    async with Journal(path, here) as journal:
        lives = [live(journal, number) for number in range(64)]
        ends = await asyncio.gather(*lives, return_exceptions=True)
        ends += await asyncio.gather(journal.record("late", Step.STARTING), journal.recall("0"), return_exceptions=True)
        print({type(end) for end in ends} == {JournalError}, *{str(end) for end in ends})

asyncio.run(run())
"""


async def test_full_disk(path: Path) -> None:
    """When the disk is full, everybody is told, and nothing is written any more; what was recorded is there."""
    with process(FULL, path) as full:
        *told, end = everything_said(full)
        assert full.wait(GENEROUS) == 0
    assert end.startswith(f"True journal {path}: ")
    assert any(words in end for words in ("disk I/O error", "disk is full"))
    async with Journal(path, HERE) as journal:
        for key in told:
            assert await journal.recall(key) is not None
        assert await journal.recall("late") is None
        count = (await journal.counts())[Step.STARTING]
        assert len(told) <= count < len(told) + 64


# Tasks


@pytest.mark.parametrize("patience", range(8))
async def test_a_cancelled_task_takes_nothing_with_it(path: Path, patience: int) -> None:
    """Whenever a task is cancelled while it records, what others record is there, and nothing hangs."""
    async with Journal(path, HERE) as journal:
        tasks = [asyncio.create_task(journal.record(f"scene-{number}", step)) for step in STEPS for number in range(20)]
        for _ in range(patience):
            await anyio.lowlevel.checkpoint()
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with Journal(path, HERE) as journal:
        for number in range(1, 20, 2):
            assert await journal.recall(f"scene-{number}") == Entry(key=f"scene-{number}", step=STEPS[-1])


async def test_closing_writes_the_rest(path: Path) -> None:
    """What was given to the journal before it is closed is written, though nobody waits for it any more."""
    async with Journal(path, HERE) as journal:
        tasks = [asyncio.create_task(journal.record(f"scene-{number}", Step.STARTING)) for number in range(100)]
        await anyio.lowlevel.checkpoint()
        for task in tasks:
            task.cancel()
    async with Journal(path, HERE) as journal:
        assert await journal.counts() == {Step.STARTING: 100}


def test_left_when_the_loop_ends(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who leaves it to the end of the loop, which cancels what is being written, hears no complaints."""

    async def leave() -> None:
        journal = Journal(path, HERE)
        await journal.open()
        tasks = {asyncio.create_task(journal.record(f"key-{number}", Step.STARTING)) for number in range(200)}
        while not [task for task in asyncio.all_tasks() if task.get_name() == "journal"]:
            await anyio.lowlevel.checkpoint()
        assert tasks

    asyncio.run(leave())
    assert caplog.messages == []


@pytest.mark.parametrize("patience", range(0, 40, 4))
async def test_cancelled_while_opening(path: Path, patience: int) -> None:
    """Whoever is cancelled while a journal opens leaves it closed."""

    async def use() -> None:
        async with Journal(path, HERE):
            await anyio.sleep_forever()  # if it has opened before it is cancelled

    async with anyio.create_task_group() as group:
        group.start_soon(use)
        for _ in range(patience):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    async with Journal(path, HERE):
        pass


async def test_closed_by_a_cancelled_task(path: Path) -> None:
    """A cancelled task that leaves the journal still closes it."""
    with anyio.CancelScope() as scope:
        async with Journal(path, HERE) as journal:
            await journal.record("crossing", Step.STARTING)
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    async with Journal(path, HERE) as journal:
        assert await journal.recall("crossing") is not None


def test_nothing_is_bound_to_a_loop_before_it_opens(path: Path) -> None:
    """A journal can be made where no loop runs, and opened in any."""
    journal = Journal(path, HERE)

    async def use() -> None:
        async with journal:
            await journal.record("crossing", Step.STARTING)

    with asyncio.Runner() as runner:
        runner.run(use())


# Any order of events

KEYS = ("a", "b", "c")
ASIDE = tuple(set_aside_key(key, fingerprint) for key in KEYS for fingerprint in ("", "1", "2", "3", "4"))


@frozen
class Change:
    """Something that is done with a journal, and what it does to a model of one."""

    verb: str
    key: str
    step: Step = Step.STARTING
    uuid: str | None = None
    result: InputCreationResult = CREATED

    @property
    def is_written(self) -> bool:
        """Whether it is told after it, and all before it, have been written."""
        return self.verb != "settle" or self.result != PROCESSING

    async def make(self, journal: Journal) -> None:
        match self.verb:
            case "record":
                await journal.record(self.key, self.step, fingerprint=self.uuid, scene_uuid=self.uuid)
            case "settle":
                await journal.settle(self.key, self.result)
            case "deliver":
                await journal.delivered(self.key)
            case "abandon":
                await journal.abandon(self.key)
            case "refuse":
                await journal.refuse(self.key, self.uuid or "1", ERROR)
            case "uphold":
                await journal.uphold(self.key)
            case "make_way":
                await journal.make_way(self.key)
            case _:
                await journal.invalidated([self.uuid or ""])


@frozen
class Model:
    """What a journal should know."""

    entries: dict[str, Entry] = field(factory=dict)
    abandoned: frozenset[str] = frozenset()
    refused: dict[tuple[str, str], bool] = field(factory=dict)

    @property
    def known(self) -> "Known":
        """What can be seen of it."""
        entries = {key: evolve(entry, refused=self._refused_under(key)) for key, entry in self.entries.items()}
        failed = [key for key, entry in self.entries.items() if entry.result == FAILED]
        failed += [key for (key, _), is_retried in self.refused.items() if not is_retried]
        return Known(entries, self.abandoned, tuple(sorted(failed)))

    def _refused_under(self, key: str) -> dict[str, bool]:
        return {content: is_retried for (under, content), is_retried in self.refused.items() if under == key}

    def after(self, change: Change) -> "Model":
        old = self.entries.get(change.key)
        match change.verb:
            case "record" if change.step is Step.STARTING:
                kept = old is not None and old.result == CREATED
                model = self if kept or old is None or old.scene_uuid == change.uuid else self._without_scene(old)
                started = {of: again for of, again in model.refused.items() if of != (change.key, change.uuid)}
                return evolve(model, refused=started).having(
                    Entry(key=change.key, step=change.step, fingerprint=change.uuid, scene_uuid=change.uuid)
                )
            case "record" | "settle":
                return self._advanced(old or Entry(key=change.key, step=Step.STARTING), change)
            case "deliver" if old is not None:
                return self.having(evolve(old, delivered=old.result is not None))
            case "abandon" | "make_way" if old is not None:
                return self._without_scene(old) if change.verb == "abandon" else self._made_way(old)
            case "invalidated":
                return evolve(self, abandoned=self.abandoned - {change.uuid or ""})
            case _:
                return evolve(self, refused=self._refused_after(change))

    def _refused_after(self, change: Change) -> dict[tuple[str, str], bool]:
        match change.verb:
            case "refuse":
                return {**self.refused, (change.key, change.uuid or "1"): False}
            case "uphold":
                return {of: is_retried for of, is_retried in self.refused.items() if is_retried or of[0] != change.key}
            case _:
                return self.refused

    def _made_way(self, old: Entry) -> "Model":
        model = self if old.result == CREATED else self._without_scene(old)
        entries = {key: entry for key, entry in model.entries.items() if key != old.key}
        if old.result == CREATED:
            own_key = set_aside_key(old.key, old.fingerprint or "")
            entries[own_key] = evolve(old, key=own_key)
        return evolve(model, entries=entries)

    def having(self, entry: Entry) -> "Model":
        return evolve(self, entries={**self.entries, entry.key: entry})

    def _advanced(self, old: Entry, change: Change) -> "Model":
        if old.result is not None or (change.verb == "settle" and change.result == PROCESSING):
            return self
        if change.verb == "settle":
            return self.having(evolve(old, step=Step.SETTLED, result=change.result))
        if STEPS.index(change.step) < STEPS.index(old.step):
            return self
        uuid = change.uuid or old.scene_uuid
        return self.having(evolve(old, step=change.step, fingerprint=change.uuid or old.fingerprint, scene_uuid=uuid))

    def _without_scene(self, entry: Entry) -> "Model":
        abandoned = self.abandoned | ({entry.scene_uuid} if entry.scene_uuid else set())
        return evolve(self.having(evolve(entry, scene_uuid=None)), abandoned=abandoned)

    def retried(self) -> "Model":
        model = self
        for key, entry in self.entries.items():
            if entry.result == FAILED:
                model = model._without_scene(entry)
                del model.entries[key]
        return evolve(model, refused=dict.fromkeys(model.refused, True))


@frozen
class Known:
    """What can be seen of a journal."""

    entries: dict[str, Entry]
    abandoned: frozenset[str]
    failed: tuple[str, ...]


OTHER_VERBS = ["settle", "deliver", "abandon", "invalidated", "refuse", "uphold", "make_way"]
CHANGES = st.builds(
    Change,
    verb=st.sampled_from(
        ["record"] * 3 + ["settle", "deliver", "abandon", "invalidated", "refuse", "uphold", "make_way"]
    ),
    key=st.sampled_from(KEYS),
    step=st.sampled_from(STEPS),
    uuid=st.sampled_from([None, "1", "2", "3", "4"]),
    result=st.sampled_from([CREATED, FAILED, PROCESSING]),
)


class Journals(RuleBasedStateMachine):
    """One journal through changes, crashes and reopenings, beside a model of it."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp())
        self._crashes = 0
        self._model = Model()
        self._journal = Journal(self._path, HERE)
        self._runner.run(self._journal.open())

    @property
    def _path(self) -> Path:
        return self._folder / str(self._crashes)

    def teardown(self) -> None:
        self._runner.run(self._journal.aclose())
        self._runner.close()
        shutil.rmtree(self._folder)

    @rule(change=CHANGES)
    def change(self, change: Change) -> None:
        self._runner.run(change.make(self._journal))
        self._model = self._model.after(change)

    @rule(changes=st.lists(CHANGES, max_size=10))
    def change_together(self, changes: list[Change]) -> None:
        async def make() -> None:
            await asyncio.gather(*(change.make(self._journal) for change in changes))

        self._runner.run(make())
        for change in changes:
            self._model = self._model.after(change)

    @rule()
    def retry_failed(self) -> None:
        failed = self._model.known.failed
        assert self._runner.run(self._journal.retry_failed()) == len(failed)
        self._model = self._model.retried()

    @rule()
    def reopen(self) -> None:
        self._runner.run(self._journal.aclose())
        self._journal = Journal(self._path, HERE)
        self._runner.run(self._journal.open())

    @rule(changes=st.lists(CHANGES, max_size=10), patience=st.integers(0, 8))
    def crash(self, changes: list[Change], patience: int) -> None:
        """The process dies while it makes changes: what it was told is there, and of the rest some, in their order."""
        told = self._runner.run(self._crash(changes, patience))
        candidates = [self._model]
        for change in changes:
            candidates.append(candidates[-1].after(change))
        known = self._runner.run(self._known())
        matching = [candidate for candidate in candidates[told:] if candidate.known == known]
        assert matching
        self._model = matching[0]

    async def _crash(self, changes: list[Change], patience: int) -> int:
        """Begin changes and go on with the files as they are a moment later; tell how many had been made."""
        tasks = [asyncio.create_task(change.make(self._journal)) for change in changes]
        for _ in range(patience):
            await anyio.lowlevel.checkpoint()
        done = zip(changes, tasks, strict=True)
        told = max((n for n, (change, task) in enumerate(done, 1) if task.done() and change.is_written), default=0)
        dead = self._path
        self._crashes += 1
        for suffix in ("", "-wal"):
            if (companion := Path(f"{dead}{suffix}")).exists():
                shutil.copy(companion, f"{self._path}{suffix}")
        await asyncio.gather(*tasks)
        await self._journal.aclose()
        self._journal = Journal(self._path, HERE)
        await self._journal.open()
        return told

    async def _known(self) -> Known:
        entries = [await self._journal.recall(key) for key in (*KEYS, *ASIDE)]
        abandoned, failures = await self._journal.abandoned(), await self._journal.failures()
        return Known(
            {entry.key: entry for entry in entries if entry is not None},
            frozenset(abandoned),
            tuple(failure.key for failure in failures),
        )

    @invariant()
    def knows_what_it_was_told(self) -> None:
        assert self._runner.run(self._known()) == self._model.known


def test_any_order_of_events() -> None:
    """Whatever is recorded, in whatever order, with crashes and reopenings between: the journal knows it."""
    checks = [HealthCheck.too_slow]
    bounds = settings(
        max_examples=30, stateful_step_count=25, derandomize=True, deadline=None, suppress_health_check=checks
    )
    run_state_machine_as_test(Journals, settings=bounds)
