"""The file of a journal: one table of facts. It blocks, so it runs in the journal's thread.

It is imported when a journal is opened: few runs have one, and SQLite takes time to import.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Self

from attrs import asdict, field, frozen

from kognic_aio._http.wire import decode, encode
from kognic_aio.errors import JournalError, JournalMismatchError
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline import database
from kognic_aio.pipeline.database import translated
from kognic_aio.pipeline.journal import facts
from kognic_aio.pipeline.journal.facts import (
    Change,
    Delivered,
    Destination,
    Entry,
    Fact,
    Failure,
    Invalidated,
    Known,
    Orphan,
    Reached,
    Refused,
    Step,
)
from kognic_aio.pipeline.journal.upgrade import EARLIER, upgrade
from kognic_aio.pipeline.result import InputCreationResult

VERSION = 4
SCHEMA = (
    "CREATE TABLE destination (content TEXT NOT NULL)",
    """CREATE TABLE fact (
    key TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL, batch TEXT NOT NULL,
    content TEXT NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID""",
    "CREATE INDEX orphan ON fact (content) WHERE kind = 'orphan'",
)
"""The facts of a scene lie together, in order. Every run asks for the orphans when it starts, hence the index."""

MAX_FACT_SIZE = 3 * 2**18
"""Characters of a fact that is written, so that it can be read again."""

MAX_READ_SIZE = 64 * 2**20
"""Characters that one query may read: the failures of 200,000 scenes."""

MAX_CACHED = 1000
"""Scenes that are kept in memory. A run has fewer in flight."""

ENDS = (InputCreationStatus.CREATED, InputCreationStatus.FAILED)
KINDS: dict[str, type[Fact]] = {"delivered": Delivered, "refused": Refused, "retried": Refused, "orphan": Orphan}
"""The kinds of facts that are stored, apart from the steps before the end."""

LARGE_ROW = "SELECT key FROM fact WHERE length(key) + length(content) > ? LIMIT 1"
LOOK_UP = "SELECT key, kind, content FROM fact WHERE key = ? AND kind <> 'orphan' ORDER BY number"
FAILURES = "SELECT key, kind, content FROM fact WHERE kind IN ('failed', 'refused') ORDER BY key"
RESULTS = """
SELECT key, kind, content FROM fact WHERE kind IN ('created', 'failed') AND key > ? ORDER BY key LIMIT 500
"""
ORPHANS = "SELECT key, kind, content FROM fact WHERE kind = 'orphan' ORDER BY content"
UNFINISHED = """
SELECT key, kind, content FROM fact WHERE kind IN ('starting', 'committing') AND NOT EXISTS (
    SELECT 1 FROM fact AS later WHERE later.key = fact.key
    AND later.kind NOT IN ('starting', 'committing', 'refused', 'retried', 'orphan')
) ORDER BY key, number
"""
LAST_KINDS = """
SELECT iif(kind = 'refused', 'failed', kind) FROM fact WHERE kind IN ('created', 'failed', 'refused') OR (
    kind NOT IN ('delivered', 'retried', 'orphan') AND NOT EXISTS (
        SELECT 1 FROM fact AS later WHERE later.key = fact.key AND later.number > fact.number
        AND later.kind NOT IN ('refused', 'retried', 'orphan')
    )
)
"""
APPEND = "INSERT INTO fact SELECT ?, 1 + coalesce(max(number), 0), ?, ?, ?, ? FROM fact WHERE key = ?"
REMOVE = "DELETE FROM fact WHERE key = ? AND kind <> 'orphan'"
REMOVE_ORPHAN = "DELETE FROM fact WHERE kind = 'orphan' AND content = ?"


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

    def write(self, batch: Sequence[tuple[str, Fact | None]]) -> list[Known | JournalError]:
        """Write facts of keys in one transaction. Return what is then known of each scene, or why it is not written."""
        try:
            with translated(self.path), self._connection:  # which ends the transaction
                self._connection.execute("BEGIN")
                return [self._write(key, fact) for key, fact in batch]
        except BaseException:
            self._cache.clear()  # it may be ahead of the file
            raise

    def _write(self, key: str, fact: Fact | None) -> Known | JournalError:
        if isinstance(fact, Invalidated):
            self._connection.execute(REMOVE_ORPHAN, [row_of(fact)[1]])
            return Known()
        before = self._look_up(key)
        # A fact that changes nothing is not written, so no late step stands after a result.
        if fact is None or (after := facts.fold(key, [fact], before)) == before:
            return before
        # A start or a result replaces earlier facts. So scenes have few rows, and opening a file compacts nothing.
        is_appended = isinstance(fact, Delivered) or (isinstance(fact, Reached) and fact.step in facts.STEPS[1:-1])
        rows = [row_of(each) for each in ([fact] if is_appended else facts.compacted(after))]
        if (size := len(key) + max((len(text) for _, text in rows), default=0)) > MAX_FACT_SIZE:
            problem = f"too large for a journal ({size:,} characters); create this scene without one"
            return JournalError(f"journal {self.path}: scene {key!r:.100}: {problem}", path=self.path)
        self._cache[key] = after
        if is_appended:
            self._append(key, rows)
            return after
        self._replace(key, rows)
        match before.entry and facts.left_behind(before.entry, fact, after.entry):
            case Entry() as aside:
                self._cache[aside.key] = Known(aside)
                self._replace(aside.key, map(row_of, facts.compacted(Known(aside))))
            case Orphan() as orphan:
                self._connection.execute(REMOVE_ORPHAN, [row_of(orphan)[1]])
                self._append(key, [row_of(orphan)])
            case _:
                pass
        return after

    def _look_up(self, key: str) -> Known:
        """Fold the facts of a scene, once while it is in flight."""
        if key not in self._cache:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[key] = facts.fold(key, (fact for _, fact in self._facts(LOOK_UP, json.dumps(key))))
        return self._cache[key]

    def _replace(self, key: str, rows: Iterable[tuple[str, str]]) -> None:
        self._connection.execute(REMOVE, [json.dumps(key)])
        self._append(key, rows)

    def _append(self, key: str, rows: Iterable[tuple[str, str]]) -> None:
        name, project, batch = map(json.dumps, (key, self.destination.project, self.destination.batch))
        for kind, text in rows:
            self._connection.execute(APPEND, [name, kind, project, batch, text, name])

    def counts(self) -> Counter[Step | InputCreationStatus]:
        """The number of scenes at each step, and of settled scenes by status."""
        with translated(self.path):
            kinds = Counter(kind for (kind,) in self._connection.execute(LAST_KINDS))
        states: list[Step | InputCreationStatus] = [*facts.STEPS, *ENDS]
        return Counter({state: kinds[state] for state in states if kinds[state]})

    def failures(self) -> list[Failure]:
        """The failed scenes and refused contents, in the order of their keys."""
        failures: list[Failure] = []
        for key, fact in self._facts(FAILURES):
            match fact:
                case Reached(result=InputCreationResult(error=error)) | Refused(error=error) if error:
                    failures.append(Failure(key, error.stage, error.message))
                case _:
                    pass
        return failures

    def results(self, after: str) -> list[tuple[str, InputCreationResult]]:
        """The next results in the order of their keys, each with its key as it is stored."""
        found = [(json.dumps(key), fact) for key, fact in self._facts(RESULTS, after)]
        return [(key, fact.result) for key, fact in found if isinstance(fact, Reached) and fact.result is not None]

    def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        found = groupby(self._facts(UNFINISHED), itemgetter(0))
        entries = [facts.fold(key, map(itemgetter(1), started)).entry for key, started in found]
        return [entry for entry in entries if entry is not None and entry.scene_uuid]

    def orphans(self) -> list[str]:
        """The uuids of the scenes that have to be invalidated."""
        return [fact.scene_uuid for _, fact in self._facts(ORPHANS) if isinstance(fact, Orphan)]

    def retry_failed(self) -> int:
        """Mark all failures to be tried again, and return their number."""
        failures = self.failures()
        self.write([(failure.key, Change.RETRIED) for failure in failures])
        return len(failures)

    def _facts(self, query: str, *parameters: str) -> Iterator[tuple[str, Fact]]:
        """Yield the key and the fact of each row that a query finds, unless they are too large to be read at once."""
        total = 0
        with translated(self.path):
            for name, kind, text in self._connection.execute(query, parameters):
                total += (size := len(str(name)) + len(str(text)))
                if size > database.MAX_ROW_SIZE:
                    raise ValueError(f"the row of {name!r:.100} is too large: {size} characters")
                if total > MAX_READ_SIZE:
                    raise ValueError(f"it has more than {MAX_READ_SIZE} characters, too many to be read at once")
                with facts.reading(self.path, str(name)[1:-1]):  # without its quotes
                    row = read_key(name), read_fact(kind, text)
                yield row


def row_of(fact: Fact) -> tuple[str, str]:
    """The kind of a fact, and its values in ASCII, because SQLite cannot store every string."""
    match fact:
        case Reached():
            kind: str = fact.step if fact.result is None else fact.result.status
        case Refused(error=None):
            kind = "retried"
        case _:
            kind = type(fact).__name__.lower()
    values = encode(fact)
    values.pop("step", None)
    return kind, json.dumps(values, separators=(",", ":"))


def read_fact(kind: str, text: str) -> Fact:
    """Decode a stored fact. Fails, in any way, if we would not have written it."""
    text.encode("ascii")
    step = Step.SETTLED.value if kind in ENDS else kind
    fact: Fact = decode({"step": step} | json.loads(text), KINDS.get(kind, Reached))
    if (expected := row_of(fact)[0]) != kind:
        raise ValueError(f"its kind is {expected!r:.50}")
    return fact


def read_key(text: str) -> str:
    """Decode a stored key. Fails, in any way, if we would not have written it."""
    key = json.loads(text)
    if not isinstance(key, str) or json.dumps(key) != text:
        raise ValueError("not a key")
    return key


def _checked(path: str, destination: Destination | None, connection: sqlite3.Connection) -> Destination:
    """Check that a file is a sound journal for the destination, or make it one. Return its destination."""
    if destination is not None and not database.schema_of(connection, path):  # it is new, or its creator was killed
        marks = f"PRAGMA application_id = {database.APPLICATION_ID}; PRAGMA user_version = {VERSION}"
        connection.executescript(f"BEGIN; {'; '.join(SCHEMA)}; {marks};")
        connection.execute("INSERT INTO destination VALUES (?)", [json.dumps(asdict(destination))])
        connection.execute("COMMIT")
    version = database.check_content(connection, path, {**EARLIER, 3: SCHEMA, VERSION: SCHEMA}, LARGE_ROW)
    rows = connection.execute("SELECT content FROM destination LIMIT 2").fetchall()
    recorded = read_destination(path, rows[0][0] if len(rows) == 1 else rows)
    if destination is not None and not recorded.admits(destination):
        message = f"journal {path} belongs to {recorded}; this run goes to {destination}"
        raise JournalMismatchError(message, path=path, recorded=str(recorded), wanted=str(destination))
    if version < VERSION:
        upgrade(connection, version, SCHEMA, recorded)
    return recorded


def read_destination(path: str, content: Any) -> Destination:
    """Decode the destination of a journal. The journal is damaged if we would not have written it."""
    try:
        values = json.loads(content)
        destination = decode(values, Destination)
    except (ValueError, TypeError, RecursionError) as error:
        why: object = error
    else:
        if asdict(destination) == values and destination.host.isprintable():
            return destination
        why = "it is not as we write it"
    raise JournalError(f"journal {path} is damaged: its destination cannot be read: {why!s:.200}", path=path)
