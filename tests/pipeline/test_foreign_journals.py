"""A journal that others may have touched, or made, is refused before any of it is used."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from attrs import asdict

from kognic_aio import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    KognicIOClient,
    create_inputs,
)
from kognic_aio.emulator import Emulator
from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.pipeline.database import check_opened
from kognic_aio.pipeline.journal import Destination, Step
from tests.cost import MEGABYTES, SECONDS
from tests.pipeline.journals import Journal
from tests.pipeline.recorded import scenes
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent
HERE = Destination("https://input.app.kognic.com", "workspace-1", "project-a", "batch-1")
FAILED = InputCreationResult(
    status=InputCreationStatus.FAILED,
    external_id="failed",
    error=InputCreationError(stage=InputCreationStage.SCENE, message="too dark"),
)
ORPHAN = """('"started"', 9, 'orphan', '"p"', '"b"', '{"sceneUuid":"planted"}')"""
COMPANIONS = ["-wal", "-shm", "-journal"]
ANOTHER_USER = 65534
FIRST_VERSION = Path(__file__).with_name("version_1.sql").read_text()

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners and modes of this kind")
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files to another user"
)


def make(path: Path) -> None:
    """A journal with a scene that failed, and one that was started."""

    async def write() -> None:
        async with Journal(path, HERE) as journal:
            await journal.record("started", Step.STARTING, fingerprint="f", outline="o", scene_uuid="scene-1")
            await journal.settle("failed", FAILED, fingerprint="f")
            await journal.abandon("nothing")

    with asyncio.Runner() as runner:
        runner.run(write())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ingest.journal"
    make(path)
    return path


def permit(path: Path, mode: int) -> None:
    path.touch()
    path.chmod(mode)


def read(path: Path) -> bytes:
    return path.read_bytes()


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def change_apart(path: Path, script: str) -> None:
    """Change it in a process of its own: the memory that it takes would be counted for what this one starts."""
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())"
    subprocess.run([sys.executable, "-c", code, path], input=script, text=True, timeout=60, check=True)


async def refused(path: Path, words: str, destination: Destination | None = HERE) -> None:
    """See that a journal is refused soon, with words that say why."""
    with anyio.fail_after(GENEROUS), pytest.raises(JournalError, match=words) as caught:
        await Journal(path, destination).open()
    assert caught.value.path == str(path)
    assert caught.value.__class__ is JournalError


# Whose it is


@posix
@pytest.mark.parametrize("destination", [HERE, None], ids=["to-write", "to-read"])
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
async def test_others_may_write_it(path: Path, mode: int, destination: Destination | None) -> None:
    """A file that others may write is refused, and the error says how to mend that; then it is taken."""
    permit(path, mode)
    await refused(path, f"other users can write to .*chmod go-w {path}", destination)
    permit(path, mode & ~0o022)
    async with Journal(path, destination):
        pass


@posix
async def test_others_may_read_it(path: Path) -> None:
    """That others may read a journal is no reason to refuse it."""
    permit(path, 0o644)
    async with Journal(path, HERE):
        pass


@as_root
@pytest.mark.parametrize("suffix", ["", *COMPANIONS])
async def test_of_another_user(path: Path, suffix: str) -> None:
    """What another user owns is refused, by root too, be it the file or what lies beside it."""
    file = Path(f"{path}{suffix}")
    permit(file, 0o600)
    os.chown(file, ANOTHER_USER, 0)
    await refused(path, f"belongs to user {ANOTHER_USER}, but this process runs as user")


@posix
@pytest.mark.parametrize("suffix", COMPANIONS)
async def test_planted_beside_it(path: Path, suffix: str) -> None:
    """What SQLite would take for a part of the journal has to be ours as well."""
    companion = Path(f"{path}{suffix}")
    permit(companion, 0o666)
    await refused(path, f"other users can write to {companion}")


def symbolic_link(path: Path) -> None:
    target = path.with_name("target")
    if path.exists():
        path.rename(target)
    path.symlink_to(target)


def dangling_link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.with_name("nowhere"))


def hard_link(path: Path) -> None:
    path.touch(0o600)
    path.with_name("another").hardlink_to(path)


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)


def device(path: Path) -> None:
    path.unlink(missing_ok=True)
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
    except OSError:
        pytest.skip("devices are not made here")


def unix_socket(path: Path) -> None:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


@posix
@pytest.mark.parametrize("destination", [HERE, None], ids=["to-write", "to-read"])
@pytest.mark.parametrize("suffix", ["", *COMPANIONS])
@pytest.mark.parametrize(
    ("put", "words"),
    [
        (symbolic_link, "is a symbolic link"),
        (dangling_link, "is a symbolic link"),
        (hard_link, "hard link"),
        (folder, "a folder"),
        (fifo, "a FIFO"),
        (device, "a device"),
        (unix_socket, "a socket"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_no_plain_file(
    path: Path, put: Callable[[Path], None], words: str, suffix: str, destination: Destination | None
) -> None:
    """Nothing but a plain file with one name is opened: nothing is followed, written elsewhere, or waited for."""
    put(Path(f"{path}{suffix}"))
    await refused(path, words, destination)
    assert not path.with_name("nowhere").exists()


@posix
async def test_a_folder_that_all_may_write(tmp_path: Path) -> None:
    """Where others may replace the file, none is opened or made; where the sticky bit keeps them from it, one is."""
    shared = tmp_path / "shared"
    shared.mkdir()
    permit(shared, 0o777)
    await refused(shared / "ingest.journal", f"other users can write to its folder .*chmod go-w {shared}")
    assert list(shared.iterdir()) == []
    permit(shared, 0o1777)
    async with Journal(shared / "ingest.journal", HERE):
        pass


READING = """
import asyncio, os, sys
import kognic_aio.pipeline.journal.file  # which this user can read, and maybe not the other
from kognic_aio.pipeline.journal import Journal

os.setuid(65534)

async def main():
    async with Journal(sys.argv[1]):
        pass

asyncio.run(main())
"""


@as_root
@pytest.mark.parametrize(
    ("folder", "file", "why"),
    [(0o555, 0o600, r"ingest.journal-wal: Permission denied"), (0o755, 0o400, "it is not writable")],
)
def test_what_may_only_be_read(folder: int, file: int, why: str) -> None:
    """A journal in a folder, or a file, that its owner may not write is an error that says which of them it is."""
    with TemporaryDirectory() as name:
        path = Path(name) / "ingest.journal"
        make(path)
        for changed, mode in ((path.parent, folder), (path, file)):
            os.chown(changed, ANOTHER_USER, ANOTHER_USER)
            permit(changed, mode)
        command = [sys.executable, "-c", READING, str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert why in done.stderr.splitlines()[-1]
        assert list(path.parent.iterdir()) == [path]


PLANTING = """
import asyncio, os, pathlib, sys
from kognic_aio.pipeline.journal import Journal

path, suffix, planted = sys.argv[1:]
content = pathlib.Path(planted).read_bytes()

def plant():
    os.seteuid(65534)
    try:
        pathlib.Path(path + suffix).write_bytes(content)
        os.chmod(path + suffix, 0o666)
    except OSError:
        pass
    finally:
        os.seteuid(0)

def watch(event, arguments):
    if event == "sqlite3.connect":
        plant()

sys.addaudithook(watch)

async def main():
    async with Journal(path):
        pass

asyncio.run(main())
"""
"""Another user, who lays a file beside a journal in the moment between our look and that of SQLite."""


@as_root
@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_planted_while_it_is_opened(tmp_path: Path, suffix: str) -> None:
    """In a folder such as /tmp, nobody gets a file beside the journal that SQLite would write into it."""
    with TemporaryDirectory() as name:  # which others reach, unlike a test's own
        path = Path(name) / "ingest.journal"
        make(path)
        planted = tmp_path / "planted"
        planted.write_bytes(left_by_a_killed(path, tmp_path / "copy", suffix))
        permit(path.parent, 0o1777)
        command = [sys.executable, "-c", PLANTING, str(path), suffix, str(planted)]
        subprocess.run(command, cwd=ROOT, timeout=60, check=False)
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT * FROM fact WHERE kind = 'orphan'").fetchall() == []


def left_by_a_killed(path: Path, copy: Path, suffix: str) -> bytes:
    """What would make SQLite add a scene to a journal if it lay beside it."""
    copy.write_bytes(path.read_bytes())
    planting = f"INSERT INTO fact VALUES {ORPHAN}"
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        if suffix == "-wal":
            connection.execute(planting)
        else:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(planting)
            connection.execute("BEGIN")
            connection.execute("DELETE FROM fact WHERE kind = 'orphan'")
        return copy.with_name(f"{copy.name}{suffix}").read_bytes()


@as_root
@pytest.mark.parametrize("mode", [0o700, 0o1777])
async def test_a_folder_of_another_user(path: Path, mode: int) -> None:
    """Whoever owns the folder may replace the file."""
    permit(path.parent, mode)
    os.chown(path.parent, ANOTHER_USER, 0)
    await refused(path, f"its folder .* belongs to user {ANOTHER_USER}")


@as_root
async def test_a_folder_of_a_group(path: Path) -> None:
    """A group with others in it may not write in the folder; one that each user has alone may."""
    permit(path.parent, 0o770)
    os.chown(path.parent, 0, ANOTHER_USER)
    await refused(path, "other users can write to its folder")
    os.chown(path.parent, 0, 0)
    async with Journal(path, HERE):
        pass


@posix
async def test_a_link_to_the_folder(path: Path) -> None:
    """Folders may be links, as /tmp and homes often are."""
    (path.parent / "elsewhere").symlink_to(path.parent)
    async with Journal(path.parent / "elsewhere" / path.name, HERE) as journal:
        assert await journal.recall("started") is not None


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the system does not tell what is open")
def test_replaced_while_it_was_opened(path: Path) -> None:
    """What was opened has to be what lies there afterwards."""
    with path.open():
        check_opened(str(path))
        make(path.with_name("other"))
        path.with_name("other").replace(path)
        with pytest.raises(JournalError, match="was replaced"):
            check_opened(str(path))


@posix
async def test_nothing_is_done_that_others_may_have_written(emulator: Emulator, tmp_path: Path) -> None:
    """A scene that somebody has added to a journal that all may write is not invalidated."""
    path = tmp_path / "ingestion.journal"
    async with KognicIOClient(**emulator.client_options()) as client:
        first, second = scenes()[:2]
        results = [result async for result in create_inputs(client, [first], "project-a", batch="batch-2")]
        async for _ in create_inputs(client, [second], "project-a", batch="batch-2", journal=path):
            pass
        change(path, f"INSERT INTO fact VALUES {ORPHAN.replace('planted', str(results[0].scene_uuid))}")
        permit(path, 0o666)
        with anyio.fail_after(GENEROUS), pytest.raises(JournalError, match="chmod go-w"):
            async for _ in create_inputs(client, [second], "project-a", batch="batch-2", journal=path):
                pass
    assert not [request for request in emulator.recorder.requests("POST") if "invalidate" in request.path]


# What is in it

ENDLESS = "AS WITH RECURSIVE n(content) AS (VALUES (1) UNION ALL SELECT content + 1 FROM n) SELECT content FROM n"
FACT = """DROP TABLE fact; CREATE TABLE fact (
    key TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL, batch TEXT NOT NULL,
    content TEXT NOT NULL"""
INDEX = "CREATE INDEX orphan ON fact (content) WHERE kind = 'orphan'"
KEY = "PRIMARY KEY (key, number)"

SCHEMAS = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON fact BEGIN DELETE FROM fact; END",
    "view": "CREATE VIEW v AS SELECT * FROM fact",
    "endless view of the destination": f"DROP TABLE destination; CREATE VIEW destination {ENDLESS}",
    "endless view of facts": f"DROP TABLE fact; CREATE VIEW fact {ENDLESS}",
    "endless view of our own name": f"CREATE VIEW place {ENDLESS}",
    "index": "CREATE INDEX i ON fact (kind)",
    "unique index": "CREATE UNIQUE INDEX i ON fact (content)",
    "partial index": "CREATE INDEX i ON fact (number) WHERE number > 3",
    "index of an expression": "CREATE INDEX i ON fact (length(hex(key)) + abs(number))",
    "our index of an expression": "DROP INDEX orphan; CREATE INDEX orphan ON fact (hex(content)) WHERE kind = 'orphan'",
    "our index of another table": (
        "DROP INDEX orphan; CREATE INDEX orphan ON destination (content) WHERE content = 'orphan'"
    ),
    "table": "CREATE TABLE more (content TEXT)",
    "numbered table": "CREATE TABLE more (content INTEGER PRIMARY KEY AUTOINCREMENT)",
    "table for strangers": "DROP TABLE fact; CREATE VIRTUAL TABLE fact USING fts5(key)",
    "statistics": "ANALYZE",
    "column": "ALTER TABLE fact ADD COLUMN more TEXT",
    "column of an expression": "ALTER TABLE fact ADD COLUMN more TEXT AS (printf('%.*c', 1000000000, 'x'))",
    "no table": "DROP TABLE fact",
    "no index": "DROP INDEX orphan",
    "no column": "DROP INDEX orphan; ALTER TABLE fact DROP COLUMN content",
    "no unique key": f"{FACT}); {INDEX}",
    "check": f"{FACT}, {KEY}, CHECK (abs(number) < 7)) WITHOUT ROWID; {INDEX}",
    "foreign key": f"{FACT}, {KEY}, FOREIGN KEY (key) REFERENCES destination) WITHOUT ROWID; {INDEX}",
    "collation": f"{FACT} COLLATE NOCASE, {KEY}) WITHOUT ROWID; {INDEX}",
    "default": f"{FACT} DEFAULT (hex(randomblob(100000000))), {KEY}) WITHOUT ROWID; {INDEX}",
    "comment": f"{FACT}, {KEY} /* , */) WITHOUT ROWID; {INDEX}",
}


@pytest.mark.parametrize("destination", [HERE, None], ids=["to-write", "to-read"])
@pytest.mark.parametrize("script", SCHEMAS.values(), ids=SCHEMAS)
async def test_another_schema(path: Path, script: str, destination: Destination | None) -> None:
    """Whatever is not as one of our versions makes it is refused, and nothing of it runs."""
    change(path, script)
    before = read(path)
    await refused(path, "its schema has an object that no version of kognic_aio creates", destination)
    assert read(path) == before


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_the_schema_of_another_version(tmp_path: Path, version: int) -> None:
    """Each version has its own tables; the first, when upgraded, has those of today."""
    path = tmp_path / "ingest.journal"
    change(path, FIRST_VERSION)
    permit(path, 0o600)
    change(path, f"PRAGMA user_version = {version}" if version > 1 else "CREATE TABLE refused (key TEXT)")
    await refused(path, "an object that no version", None)


async def test_the_schema_after_an_upgrade(tmp_path: Path) -> None:
    """A journal that was upgraded is opened again."""
    path = tmp_path / "ingest.journal"
    change(path, FIRST_VERSION)
    permit(path, 0o600)
    for _ in range(2):
        async with Journal(path) as journal:
            assert await journal.recall("cameras") is not None


async def test_what_a_dump_makes(path: Path) -> None:
    """A journal that was dumped and read in again is one, as spaces do not matter."""
    copy = path.with_name("copy.journal")
    with closing(sqlite3.connect(path)) as connection:
        script = "\n".join(connection.iterdump()).replace("    ", "  ")
    change(copy, f"PRAGMA application_id = {0x4B6F676A}; PRAGMA user_version = 3; {script}")
    permit(copy, 0o600)
    async with Journal(copy, HERE) as journal:
        assert await journal.recall("started") is not None


DESTINATIONS = [
    "'somewhere'",
    "'[]'",
    "'null'",
    "''",
    "x'00ff'",
    "7",
    "CAST(x'22eda08022' AS TEXT)",
    "'" + 100_000 * "[" + "'",
    "'" + json.dumps({**asdict(HERE), "host": 7}) + "'",
    "'" + json.dumps({**asdict(HERE), "batch": ["b"]}) + "'",
    "'" + json.dumps({**asdict(HERE), "more": "m"}) + "'",
    "'" + json.dumps({**asdict(HERE), "host": "https://h\x1b]0;title\x07"}) + "'",
    '\'{"host": "h"}\'',
]


@pytest.mark.parametrize("content", DESTINATIONS, ids=lambda content: content[:30])
async def test_an_odd_destination(path: Path, content: str) -> None:
    """Where the scenes go has to be told as we tell it."""
    change(path, f"UPDATE destination SET content = {content}")
    await refused(path, "damaged: its destination cannot be read", None)


@pytest.mark.parametrize(
    "script", ["DELETE FROM destination", "INSERT INTO destination VALUES ('{}')"], ids=["none", "two"]
)
async def test_not_one_destination(path: Path, script: str) -> None:
    """A journal has exactly one destination."""
    change(path, script)
    await refused(path, "damaged: its destination cannot be read", None)


ODD_FACTS = [
    "kind = 'no kind'",
    "kind = 'created'",
    "kind = 'delivered', content = '[]'",
    "kind = 7",
    "kind = x'00'",
    "content = x'7b7d'",
    "content = x'00ff'",
    "content = 7",
    "content = ''",
    "content = '{'",
    "content = '[]'",
    "content = 'NaN'",
    "content = '{\"fingerprint\": 7}'",
    'content = \'{"step": "committed"}\'',
    'content = \'{"fingerprint": "\\ud8"}\'',
    "content = CAST(x'ff' AS TEXT)",
    "content = '{\"sceneUuid\": []}'",
    'content = \'{"sceneUuid": "Straße"}\'',
    "content = CAST(x'7b226f75746c696e65223a22eda080227d' AS TEXT)",
    "content = '{\"preannotationUuid\": {}}'",
    "content = '{\"outline\": 1e999}'",
    "kind = 'created', content = '{\"result\": 7}'",
    "kind = 'created', content = '{}'",
    'kind = \'created\', content = \'{"result": {"status": "failed"}}\'',
    'kind = \'failed\', content = \'{"result": {"status": "failed"}}\'',
    'kind = \'created\', content = \'{"result": {"status": "processing"}}\'',
    'kind = \'processing\', content = \'{"result": {"status": "processing"}}\'',
    "kind = 'failed', content = '{\"result\": {\"status\": 7}}'",
    'kind = \'failed\', content = \'{"result": {"status": [], "inputs": 7}}\'',
    f"kind = 'created', content = '{100_000 * '['}'",
    f"kind = 'created', content = '{{\"result\": {{\"status\": {5_000 * '9'}}}}}'",
    f'kind = \'created\', content = \'{{"result": {{"status": "created", "inputs": [{300_000 * "1,"}1]}}}}\'',
    'kind = \'created\', content = \'{"result": {"status": "created", "scene_uuid": "\\ud800\'',
]


@pytest.mark.parametrize("values", ODD_FACTS, ids=lambda values: values[:60])
async def test_an_odd_fact(path: Path, values: str) -> None:
    """A row that is not as we write it is an error that names it; others can be read."""
    change(path, f"UPDATE fact SET {values} WHERE key = '\"started\"'")
    with anyio.fail_after(GENEROUS):
        async with Journal(path, HERE) as journal:
            assert (await journal.recall("failed")) is not None
            with pytest.raises(JournalError, match=r"is damaged: the entry of 'started' cannot be read: "):
                await journal.recall("started")


@pytest.mark.parametrize("values", ODD_FACTS, ids=lambda values: values[:60])
async def test_counting_an_odd_fact(path: Path, values: str) -> None:
    """Who counts scenes, or asks for failures, is told of the row which cannot be read, or gets what can be."""
    change(path, f"UPDATE fact SET {values} WHERE key = '\"started\"'")
    with anyio.fail_after(GENEROUS):
        async with Journal(path, HERE) as journal:
            calls = (journal.counts(), journal.failures(), journal.retry_failed())
            for end in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(end, BaseException):
                    assert end.__class__ is JournalError
                    assert "is damaged: the entry of 'started' cannot be read" in str(end)


STARTED = """'starting', 'p', 'b', '{"sceneUuid":"u"}')"""
REFUSED = """'refused', 'p', 'b', '{"kin":"f","error":{"stage":"scene","message":"m"}}')"""

ODD_ROWS = [
    f"INSERT INTO fact VALUES (x'00ff', 1, {STARTED}",
    f"INSERT INTO fact VALUES ('\"', 1, {STARTED}",
    f"INSERT INTO fact VALUES ('7', 1, {STARTED}",
    f"INSERT INTO fact VALUES ('\"Straße\"', 1, {STARTED}",
    f"INSERT INTO fact VALUES (CAST(x'22eda08022' AS TEXT), 1, {STARTED}",
    "UPDATE fact SET content = x'00' WHERE key = '\"started\"'",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'orphan', 'p', 'b', x'00ff')",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'orphan', 'p', 'b', '\"')",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'orphan', 'p', 'b', CAST(x'eda080' AS TEXT))",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'orphan', 'p', 'b', '{}')",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'refused', 'p', 'b', 'no JSON')",
    """INSERT INTO fact VALUES ('"a"', 1, 'refused', 'p', 'b', '{"kin":"f","error":{"stage":"none","message":"m"}}')""",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'refused', 'p', 'b', x'00')",
    f"INSERT INTO fact VALUES (x'00', 1, {REFUSED}",
    "INSERT INTO fact VALUES ('\"a\"', 1, 'refused', 'p', 'b', '{\"kin\":\"f\"}')",
]


@pytest.mark.parametrize("script", ODD_ROWS)
async def test_an_odd_row(path: Path, script: str) -> None:
    """Whatever is asked for, what cannot be read is an error that names it, and no foreign one."""
    change(path, script)
    with anyio.fail_after(GENEROUS):
        async with Journal(path, HERE) as journal:
            with pytest.raises(JournalError, match=r"is damaged: the entry of .* cannot be read"):
                await journal.unfinished()
                await journal.abandoned()
                await journal.failures()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
async def test_an_odd_name(tmp_path: Path, name: str) -> None:
    """A path that cannot be one is an error of ours."""
    with pytest.raises(JournalError):
        await Journal(f"{tmp_path}/{name}", HERE).open()


# What it costs

COST = """
import asyncio, json, sys
from kognic_aio.errors import JournalError
from kognic_aio.pipeline.journal import Journal
from tests.cost import peak_memory, worked

async def use():
    async with Journal(sys.argv[1]) as journal:
        for read in (journal.counts, journal.failures, journal.abandoned, journal.unfinished):
            await read()
        await asyncio.gather(*(journal.recall(key) for key in ("started", "failed", "huge", "unheard of")))

before = worked()
try:
    asyncio.run(use())
    end = "read"
except JournalError as error:
    end = str(error)
print(json.dumps([end, worked() - before, peak_memory()]))
"""


def cost(path: Path) -> str:
    """See that a journal is read, or refused, in a process of its own within the bounds; tell which."""
    run = subprocess.run(
        [sys.executable, "-c", COST, path], check=True, stdout=subprocess.PIPE, text=True, timeout=60, cwd=ROOT
    )
    end, seconds, megabytes = json.loads(run.stdout)
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
    return str(end)


HUGE = {
    "blob": "UPDATE fact SET content = zeroblob(350000000) WHERE key = '\"started\"'",
    "text": "UPDATE fact SET content = printf('%.*c', 350000000, 'x') WHERE key = '\"started\"'",
    "key": f"INSERT INTO fact VALUES (printf('\"%.*c\"', 350000000, 'x'), 0, {STARTED}",
    "uuid": "INSERT INTO fact VALUES ('a', 0, 'orphan', 'p', 'b', zeroblob(350000000))",
    "destination": "UPDATE destination SET content = printf('%.*c', 350000000, ' ')",
    "refusal": "INSERT INTO fact VALUES ('\"huge\"', 0, 'refused', 'p', 'b', zeroblob(350000000))",
    "list": """
        UPDATE fact SET kind = 'created', content = '[' || replace(hex(zeroblob(2000000)), '0', '1,') || '1]'
        WHERE key = '"started"'""",
    "nesting": """
        UPDATE fact SET kind = 'created', content = replace(hex(zeroblob(400000)), '0', '[') WHERE key = '"started"'""",
    "many refusals": """
        WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)
        INSERT INTO fact SELECT '"started"', 9 + i, 'refused', 'p', 'b',
        printf('{"kin":"f","error":{"stage":"scene","message":"%.*c"}}', 900000, 'x') FROM n""",
    "view": f"CREATE VIEW v AS SELECT 1 /* {4_000_000 * 'x'} */",
}


@pytest.mark.parametrize("script", HUGE.values(), ids=HUGE)
@posix
def test_a_huge_row(path: Path, script: str) -> None:
    """Whatever its size, what is too large for a journal is an error, and takes neither time nor memory."""
    change_apart(path, script)
    assert cost(path) != "read"


def many_tables(path: Path) -> None:
    more = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500000)"
    rows = "SELECT 'table', 't' || i, 't' || i, 100 + i, 'CREATE TABLE t' || i || ' (a)' FROM n"
    change_apart(path, f"PRAGMA writable_schema = ON; {more} INSERT INTO sqlite_master {rows};")


def wide_tables(path: Path) -> None:
    columns = ",".join(f"column_{number}" for number in range(2_000))
    change_apart(path, "BEGIN;" + "".join(f"CREATE TABLE t{number} ({columns});" for number in range(100)) + "COMMIT;")


def many_refusals(path: Path) -> None:
    more = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
    rows = "SELECT '\"started\"', 9 + i, 'retried', 'p', 'b', printf('{\"kin\":\"%.*c\"}', 900000 + i, 'x') FROM n"
    change_apart(path, f"{more} INSERT INTO fact {rows};")


def large_pages(path: Path) -> None:
    change_apart(path, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM;")
    large_cache(path)


def large_cache(path: Path) -> None:
    """The file asks SQLite to keep all of itself in memory."""
    outline = "printf('{\"outline\":\"%.*c\"}', 900000, 'x')"
    rows = f"SELECT '\"scene-' || i || '\"', 1, 'committed', 'p', 'b', {outline} FROM n"
    more = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)"
    change_apart(path, f"{more} INSERT INTO fact {rows}; PRAGMA default_cache_size = 2000000000;")


def sparse(path: Path) -> None:
    """A file of a terabyte, of which its first page says that all is used."""
    content = bytearray(path.read_bytes())
    pages = 2**28
    content[28:32] = pages.to_bytes(4, "big")
    path.write_bytes(content)
    os.truncate(path, pages * 4096)


def large_companion(path: Path) -> None:
    companion = Path(f"{path}-wal")
    companion.touch(0o600)
    os.truncate(companion, 2**40)


@pytest.mark.parametrize(
    "grow",
    [many_tables, wide_tables, many_refusals, large_pages, large_cache, sparse, large_companion],
    ids=lambda grow: grow.__name__,
)
@posix
def test_a_huge_file(path: Path, grow: Callable[[Path], None]) -> None:
    """However large a file is, or says that it is, it is opened or refused within the bounds."""
    try:
        grow(path)
    except OSError:
        pytest.skip("the file system has no files of this size")
    cost(path)


# What we write ourselves


async def test_what_we_write_is_never_too_large(path: Path) -> None:
    """A long message is cut, so that the journal can be opened again."""
    error = InputCreationError(stage=InputCreationStage.SCENE, message=2_000_000 * "🚗")
    async with Journal(path, HERE) as journal:
        await journal.settle("long", InputCreationResult(status=InputCreationStatus.FAILED, error=error))
        await journal.refuse("long", "f", error)
    async with Journal(path, HERE) as journal:
        messages = [failure.message for failure in await journal.failures() if failure.key == "long"]
    assert [message[:3] for message in messages] == ["🚗🚗🚗"] * 2
    assert all(message.endswith("...") for message in messages)


async def test_a_key_that_is_too_long(path: Path) -> None:
    """A key of a megabyte is refused, and the journal goes on."""
    async with Journal(path, HERE) as journal:
        with pytest.raises(InvalidError, match="key"):
            await journal.recall(1_000_000 * "k")
        assert await journal.recall("started") is not None


async def test_many_at_once(path: Path) -> None:
    """What is recorded and looked up together may be more than one statement takes."""
    async with Journal(path, HERE) as journal:
        keys = [f"{number:0>5000}" for number in range(1_000)]
        await asyncio.gather(*(journal.record(key, Step.STARTING, scene_uuid="u") for key in keys))
        assert len(await journal.unfinished()) == 1 + len(keys)
