"""The file of a journal: one table of facts. It blocks, so it runs in the journal's thread.

It is imported when a journal is opened: few runs have one, and SQLite takes time to import.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Self, TypeAlias

from attrs import asdict, field, frozen

from kognic_aio._http.wire import decode, encode
from kognic_aio.errors import JournalError, JournalLockedError, JournalMismatchError
from kognic_aio.pipeline import database
from kognic_aio.pipeline.journal import facts
from kognic_aio.pipeline.journal.facts import Destination, Entry, Fact, Failure, Known, Orphan, Step, reading
from kognic_aio.pipeline.journal.upgrade import EARLIER, upgrade
from kognic_aio.pipeline.result import InputCreationResult, InputCreationStatus

VERSION = 3
SCHEMA = (
    "CREATE TABLE destination (content TEXT NOT NULL)",
    """CREATE TABLE fact (
    key TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL, batch TEXT NOT NULL,
    content TEXT NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID""",
    "CREATE INDEX orphan ON fact (content) WHERE kind = 'orphan'",
)
"""The facts of a scene lie together, in order. Every run asks for the orphans when it starts, hence the index."""

MAX_FACT_SIZE = 2**18
"""Characters of a fact. Up to three may fold into one: a start, a pre-annotation and a result."""

MAX_READ_SIZE = 64 * 2**20
"""Characters that one query may read: the failures of 200,000 scenes."""

MAX_CACHED = 1000
"""Scenes that are kept in memory. A run has fewer in flight."""

MILESTONES = [*facts.STEPS[:-1], "created", "failed"]
KINDS: dict[str, type[Fact]] = {
    **dict.fromkeys(facts.STEPS[:-1], facts.Reached),
    **dict.fromkeys(("created", "failed"), facts.Settled),
    **dict.fromkeys(("refused", "retried"), facts.Refused),
    "delivered": facts.Delivered,
    "orphan": Orphan,
}
"""The facts that are stored, by kind. Others are folded into them."""

LARGE_ROW = "SELECT key FROM fact WHERE length(key) + length(content) > ? LIMIT 1"
LOOK_UP = "SELECT key, kind, content FROM fact WHERE key = ? AND kind <> 'orphan' ORDER BY number"
FAILURES = "SELECT key, kind, content FROM fact WHERE kind IN ('failed', 'refused') ORDER BY key"
ORPHANS = "SELECT key, kind, content FROM fact WHERE kind = 'orphan' ORDER BY content"
ENDS = (
    "SELECT count(*) FILTER (WHERE kind = 'created'), count(*) FILTER (WHERE kind IN ('failed', 'refused')) FROM fact"
)
REACHED = """
SELECT key, kind, content FROM fact WHERE kind IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
    SELECT 1 FROM fact AS later WHERE later.key = fact.key AND later.kind IN (SELECT value FROM json_each(?))
) ORDER BY key, number
"""
APPEND = "INSERT INTO fact SELECT ?, 1 + coalesce(max(number), 0), ?, ?, ?, ? FROM fact WHERE key = ?"
REMOVE = "DELETE FROM fact WHERE key = ? AND kind <> 'orphan'"
REMOVE_ORPHAN = "DELETE FROM fact WHERE kind = 'orphan' AND content = ?"

Written: TypeAlias = tuple[str, Fact | None, str]
"""The key of a scene, a fact about it, and that fact as it is stored. Without a fact, the scene is only looked up."""

_JSON = json.JSONEncoder(separators=(",", ":"))


@frozen
class JournalFile:
    """The facts of a journal, over the only connection to its file."""

    path: str
    destination: Destination
    _connection: sqlite3.Connection
    _cache: dict[str, Known] = field(factory=dict[str, Known])

    @classmethod
    def open(cls, path: str, destination: Destination | None) -> Self:
        """Open a file, and lock it until it is closed or the process ends. A refused file is left as it was."""
        with translated(path):
            check = partial(_checked, path, destination)
            connection, found = database.opened(path, check, create=destination is not None)
            return cls(path, found, connection)

    def close(self) -> None:
        """Close and unlock the file."""
        with translated(self.path):
            self._connection.close()

    def written(self, key: str, fact: Fact | None) -> Written:
        """Encode a fact for `write`, unless it is too large to be read again."""
        text = "" if fact is None or isinstance(fact, facts.Change) else to_text(fact)
        if len(key) + len(text) > MAX_FACT_SIZE:
            problem = f"too large for a journal ({len(key) + len(text):,} characters); create this scene without one"
            raise JournalError(f"journal {self.path}: scene {key!r:.100}: {problem}", path=self.path)
        return key, fact, text

    def write(self, changes: Sequence[Written]) -> list[Known]:
        """Write facts in one transaction, and return what is then known of the scene of each."""
        try:
            with translated(self.path), self._connection:  # which ends the transaction
                self._connection.execute("BEGIN")
                return [self._write(*change) for change in changes]
        except BaseException:
            self._cache.clear()  # it may be ahead of the file
            raise

    def _write(self, key: str, fact: Fact | None, text: str) -> Known:
        if isinstance(fact, facts.Invalidated):
            self._connection.execute(REMOVE_ORPHAN, [text])
            return Known()
        before = self._look_up(key)
        # A fact that changes nothing is not written, so no late step stands after a result.
        if fact is None or (after := facts.fold(key, [fact], before)) == before:
            return before
        self._cache[key] = after
        if facts.is_appended(fact):
            self._append(key, fact, text)
            return after
        self._replace(key, after)
        if (own := facts.set_aside(before.entry, fact)) is not None:
            self._replace(own.key, Known(own))
        if (scene_uuid := facts.orphaned_uuid(before.entry, fact, after.entry)) is not None:
            orphan = to_text(Orphan(scene_uuid))
            self._connection.execute(REMOVE_ORPHAN, [orphan])
            self._append(key, Orphan(scene_uuid), orphan)
        return after

    def _look_up(self, key: str) -> Known:
        """Fold the facts of a scene, once while it is in flight."""
        if key not in self._cache:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[key] = facts.fold(key, (fact for _, fact in self._facts(LOOK_UP, json.dumps(key))))
        return self._cache[key]

    def _replace(self, key: str, known: Known) -> None:
        """Replace the facts of a scene by their compacted form."""
        self._connection.execute(REMOVE, [json.dumps(key)])
        for fact in facts.compacted(known):
            self._append(key, fact, to_text(fact))
        self._cache[key] = known

    def _append(self, key: str, fact: Fact, text: str) -> None:
        name, project, batch = map(json.dumps, (key, self.destination.project, self.destination.batch))
        self._connection.execute(APPEND, [name, kind_of(fact), project, batch, text, name])

    def counts(self) -> Counter[Step | InputCreationStatus]:
        """The number of scenes at each step, and of settled scenes by status."""
        counts: Counter[Step | InputCreationStatus] = Counter()
        with translated(self.path):
            ((created, failed),) = self._connection.execute(ENDS)
            counts += Counter({InputCreationStatus.CREATED: created, InputCreationStatus.FAILED: failed})
            rows = self._connection.execute(REACHED, _milestones(before="created"))
            for _, steps in groupby(rows, itemgetter(0)):
                counts[max((Step(kind) for _, kind, _ in steps), key=facts.STEPS.index)] += 1
        return counts

    def failures(self) -> list[Failure]:
        """The failed scenes and refused contents, in the order of their keys."""
        failures: list[Failure] = []
        for key, fact in self._facts(FAILURES):
            match fact:
                case facts.Settled(result=InputCreationResult(error=error)) | facts.Refused(error=error) if error:
                    failures.append(Failure(key, error.stage, error.message))
                case _:
                    pass
        return failures

    def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        found = groupby(self._facts(REACHED, *_milestones(before=Step.COMMITTED)), itemgetter(0))
        entries = [facts.fold(key, map(itemgetter(1), started)).entry for key, started in found]
        return [entry for entry in entries if entry is not None and entry.scene_uuid]

    def orphans(self) -> list[str]:
        """The uuids of the scenes that have to be invalidated."""
        return [fact.scene_uuid for _, fact in self._facts(ORPHANS) if isinstance(fact, Orphan)]

    def retry_failed(self) -> int:
        """Mark all failures to be tried again, and return their number."""
        keys = [failure.key for failure in self.failures()]
        for start in range(0, len(keys), MAX_CACHED):
            self.write([(key, facts.Change.RETRIED, "") for key in keys[start : start + MAX_CACHED]])
        return len(keys)

    def _facts(self, query: str, *parameters: str) -> Iterator[tuple[str, Fact]]:
        """Yield the key and the fact of each row that a query finds, unless they are too large to be read at once."""
        total = 0
        with translated(self.path):
            for name, kind, text in self._connection.execute(query, parameters):
                total += (size := len(str(name)) + len(str(text)))
                if size > database.MAX_ROW_SIZE:
                    raise ValueError(f"the row of {name!r:.100} is too large for a scene's: {size} characters")
                if total > MAX_READ_SIZE:
                    raise ValueError(f"it has more than {MAX_READ_SIZE} characters, too many to be read at once")
                with reading(self.path, str(name)[1:-1]):  # without its quotes
                    row = read_key(name), read_fact(kind, text)
                yield row


def _milestones(before: str) -> tuple[str, str]:
    """The milestones before one, and those from it on: the parameters of `REACHED`."""
    number = MILESTONES.index(before)
    return json.dumps(MILESTONES[:number]), json.dumps(MILESTONES[number:])


def kind_of(fact: Fact) -> str:
    """The kind of a fact, as it is stored."""
    match fact:
        case facts.Settled():
            return fact.result.status.value
        case facts.Reached():
            return fact.step.value
        case facts.Refused(error=None):
            return "retried"
        case _:
            return type(fact).__name__.lower()


def to_text(fact: Fact) -> str:
    """A fact as it is stored, without its kind. It is ASCII, because SQLite cannot store every string."""
    values = encode(fact)
    values.pop("step", None)
    return _JSON.encode(values)


def read_fact(kind: str, text: str) -> Fact:
    """Decode a stored fact. Raises one of UNREADABLE if `to_text` would not have written it."""
    text.encode("ascii")
    values = json.loads(text)
    fact: Fact = decode({"step": kind, **values} if KINDS[kind] is facts.Reached else values, KINDS[kind])
    if kind_of(fact) != kind:
        raise ValueError(f"its kind is {kind_of(fact)!r:.50}")
    return fact


def read_key(text: str) -> str:
    """Decode a stored key. Raises one of UNREADABLE if `json.dumps` would not have written it."""
    key = json.loads(text)
    if not isinstance(key, str) or json.dumps(key) != text:
        raise ValueError("not a key")
    return key


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Turn errors of the file system, of SQLite and of decoding into a JournalError."""
    try:
        yield
    except OSError as error:
        which = f"{error.filename}: " if error.filename and str(error.filename) != path else ""
        raise JournalError(f"journal {path}: {which}{error.strerror or error}", path=path) from error
    except sqlite3.Error as error:
        if database.is_error(error, sqlite3.SQLITE_BUSY):
            message = f"journal {path} is open in another run or process; it can be opened when that has ended"
            raise JournalLockedError(message, path=path) from error
        is_damaged = " is damaged" if database.is_error(error, sqlite3.SQLITE_CORRUPT) else ""
        raise JournalError(f"journal {path}{is_damaged}: {error}", path=path) from error
    except facts.UNREADABLE as error:
        raise JournalError(f"journal {path}: {str(error) or type(error).__name__}", path=path) from error


def _checked(path: str, destination: Destination | None, connection: sqlite3.Connection) -> Destination:
    """Check that a file is a sound journal for the destination, or make it one. Return its destination."""
    application_id = 0x4B6F676A  # distinguishes a journal from other databases
    if database.value_of(connection, "PRAGMA application_id") != application_id:
        if destination is None or database.schema_of(connection, path):
            raise JournalError(f"journal {path}: not a kognic_aio journal", path=path)
        marks = f"PRAGMA application_id = {application_id}; PRAGMA user_version = {VERSION}"
        connection.executescript(f"BEGIN; {'; '.join(SCHEMA)}; {marks};")  # the file is new, or its creator was killed
        connection.execute("INSERT INTO destination VALUES (?)", [json.dumps(asdict(destination))])
        connection.execute("COMMIT")
    version: int = database.value_of(connection, "PRAGMA user_version")
    if not 1 <= version <= VERSION:
        writer = "a newer version" if version > VERSION else "an unknown version"
        message = f"written by {writer} (schema {version}, this one reads up to {VERSION})"
        raise JournalError(f"journal {path}: {message}", path=path)
    schema, large_row = EARLIER.get(version, (SCHEMA, LARGE_ROW))
    if found := database.difference(database.schema_of(connection, path), schema):
        message = f"it has something that no version of kognic_aio puts into a journal: {found}"
        raise JournalError(f"journal {path}: {message}", path=path)
    database.check_soundness(connection, path, large_row)
    rows = connection.execute("SELECT content FROM destination LIMIT 2").fetchall()
    recorded = read_destination(path, rows[0][0] if len(rows) == 1 else rows)
    if destination not in (None, recorded):  # the one place that ties a journal to a project and a batch
        message = f"journal {path} belongs to {recorded}; this run goes to {destination}"
        raise JournalMismatchError(message, path=path, recorded=str(recorded), wanted=str(destination))
    upgrade(connection, SCHEMA, recorded)
    return recorded


def read_destination(path: str, content: Any) -> Destination:
    """Decode the destination of a journal. The journal is damaged if we would not have written it."""
    try:
        content.encode()  # fails for bytes that are not UTF-8
        values = json.loads(content)
        destination = decode(values, Destination)
        if asdict(destination) != values or not destination.host.isprintable():
            raise ValueError("not a destination")
    except facts.UNREADABLE as error:
        message = f"journal {path} is damaged: its destination cannot be read: {str(error)[:200]}"
        raise JournalError(message, path=path) from error
    return destination
