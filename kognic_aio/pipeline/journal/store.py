"""The table of facts, in an SQLite file that is open in one place at a time.

All of this blocks, and runs in the thread of a journal. It is imported when one is opened, as few runs have any.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, groupby
from math import inf
from operator import itemgetter
from typing import Any, Self

from attrs import asdict, field, frozen

from kognic_aio.errors import JournalError, JournalLockedError, JournalMismatchError
from kognic_aio.pipeline.database import MAX_ROW_SIZE, check_soundness, is_error, opened, schema_of, value_of
from kognic_aio.pipeline.journal.entry import Destination, Entry, Failure, Step
from kognic_aio.pipeline.journal.facts import (
    UNREADABLE,
    Fact,
    Invalidated,
    Orphan,
    Refused,
    Retried,
    Scene,
    Settled,
    Written,
    compacted,
    fold,
    kind_of,
    left_behind,
    looks_back,
    read_fact,
    read_key,
    reading,
    set_aside,
    to_text,
)
from kognic_aio.pipeline.journal.schema import APPLICATION_ID, CREATE, LARGE_ROWS, UPGRADES, VERSION, difference
from kognic_aio.pipeline.result import InputCreationResult, InputCreationStatus

MAX_READ_SIZE = 64 * 2**20
"""Characters that one query may find: the failures of 200,000 scenes."""

ENDS = ("created", "failed")
"""The kinds of results."""

MAX_CACHED = 1000
"""Scenes that are kept in memory. A run has fewer on their way."""

CHUNK = 1000
"""Scenes that are retried in one transaction."""

LOOK_UP = """
SELECT key, kind, content FROM fact
WHERE kind <> 'orphan' AND key IN (SELECT value FROM json_each(?)) ORDER BY key, number
"""
FAILURES = "SELECT key, kind, content FROM fact WHERE kind IN ('failed', 'refused') ORDER BY key"
ORPHANS = "SELECT key, kind, content FROM fact WHERE kind = 'orphan' ORDER BY content"
STEPS_REACHED = """
SELECT key, kind, CASE WHEN kind IN ('created', 'failed') THEN NULL ELSE content END FROM fact
WHERE kind NOT IN ('delivered', 'refused', 'retried', 'orphan') ORDER BY key, number
"""
"""Finds how far the scenes have come. A result comes first, as it has replaced what there was."""

SETTLED = """
SELECT count(*) FILTER (WHERE kind = 'created'), count(*) FILTER (WHERE kind IN ('failed', 'refused')) FROM fact
"""
FAILED_KEYS = "SELECT DISTINCT key FROM fact WHERE kind IN ('failed', 'refused')"

REMOVE = "DELETE FROM fact WHERE kind <> 'orphan' AND key IN (SELECT value FROM json_each(?))"
REMOVE_ORPHANS = "DELETE FROM fact WHERE kind = 'orphan' AND content IN (SELECT value FROM json_each(?))"
APPEND = """
WITH new AS (
    SELECT key AS place, json_extract(value, '$[0]') AS key, json_extract(value, '$[1]') AS kind,
    json_extract(value, '$[2]') AS content FROM json_each(?)
)
INSERT INTO fact (key, number, kind, content, project, batch)
SELECT key, place + 1 + coalesce((SELECT max(number) FROM fact WHERE fact.key = new.key), 0), kind, content, ?, ?
FROM new
"""
"""Appends facts, and numbers those of each key in their order."""


@frozen
class Store:
    """The facts of a journal.

    Args:
        path: The file.
        destination: Where its scenes go.
        connection: The only connection to it.
    """

    path: str
    destination: Destination
    _connection: sqlite3.Connection
    _cache: dict[str, Scene] = field(factory=dict[str, Scene])

    @classmethod
    def open(cls, path: str, destination: Destination | None) -> Self:
        """Open a file, and lock it until it is closed or the process ends.

        Args:
            path: The file.
            destination: Where its scenes have to go; if there is no file, it is created. None opens any.

        Raises:
            JournalError: If it cannot be opened, or is no journal. A file that was there is left as it was.
        """
        with translated(path):
            connection, found = opened(path, partial(_checked, path, destination), create=destination is not None)
            try:
                _upgrade(connection, found)
            except BaseException:
                connection.close()
                raise
            return cls(path, found, connection)

    def close(self) -> None:
        """Close the file, which unlocks it."""
        with translated(self.path):
            self._connection.close()

    def see_to(self, facts: Sequence[Written], keys: Iterable[str]) -> dict[str, Scene]:
        """Write facts, then tell what is known of some scenes."""
        if facts:
            self.write(facts)
        return self.look_up(keys)

    def look_up(self, keys: Iterable[str]) -> dict[str, Scene]:
        """What is known of some scenes. Those that are on their way are read once."""
        if len(self._cache) > MAX_CACHED:
            self._cache.clear()
        scenes = {key: self._cache.get(key) for key in keys}
        missing = {key: Scene() for key, scene in scenes.items() if scene is None}
        with translated(self.path):
            for part in _parts(map(json.dumps, missing)):
                for name, rows in groupby(self._rows(LOOK_UP, part, most=MAX_READ_SIZE), itemgetter(0)):
                    key = json.loads(name)
                    missing[key] = self._scene(key, rows)
        self._cache.update(missing)
        return {key: scene or missing[key] for key, scene in scenes.items()}

    def write(self, facts: Sequence[Written]) -> None:
        """Write facts in their order: all of them, or none if it fails. A killed process keeps them.

        Steps and deliveries are appended. A fact that looks back is folded with what is known of its scene, and what
        they come to replaces the facts of the scene. So a scene has few facts, and at most one end.

        Args:
            facts: Each with the key of its scene, and as `to_text` writes it.
        """
        scenes = self.look_up(key for key, fact, _ in facts if looks_back(fact))
        replaced = [key for key, scene in scenes.items() if scene != Scene()]
        orphans: dict[str, str | None] = {}
        steps: list[Written] = []
        for key, fact, text in facts:
            if isinstance(fact, Invalidated):
                orphans[fact.scene_uuid] = None
            elif key not in scenes:
                steps.append((key, fact, text))
            else:
                before, scenes[key] = scenes[key], fold(key, [fact], scenes[key])
                if (scene_uuid := left_behind(before, fact, scenes[key])) is not None:
                    orphans[scene_uuid] = key
                scenes |= (aside := set_aside(before, fact))
                replaced += aside
        implied = [(key, fact) for key, scene in scenes.items() for fact in compacted(scene)]
        implied += [(key, Orphan(scene_uuid=uuid)) for uuid, key in orphans.items() if key is not None]
        with translated(self.path):
            self._replace(replaced, orphans, steps + [(key, fact, to_text(fact)) for key, fact in implied])
        self._cache.update(scenes)
        for key, fact, _ in steps:
            if key in self._cache:
                self._cache[key] = fold(key, [fact], self._cache[key])

    def _replace(self, keys: Iterable[str], orphans: Iterable[str], facts: Iterable[Written]) -> None:
        """Remove the facts of some scenes, and some orphans, and append others; in one transaction."""
        place = json.dumps(self.destination.project), json.dumps(self.destination.batch)
        rows = ((json.dumps(key), kind_of(fact), text) for key, fact, text in facts)
        statements: list[tuple[str, tuple[str, ...]]] = [
            *((REMOVE, (part,)) for part in _parts(map(json.dumps, keys))),
            *((REMOVE_ORPHANS, (part,)) for part in _parts(to_text(Orphan(scene_uuid=uuid)) for uuid in orphans)),
            *((APPEND, (part, *place)) for part in _parts(rows)),
        ]
        with self._connection:  # which ends the transaction, if there is one
            if len(statements) > 1:
                self._connection.execute("BEGIN")
            for statement, parameters in statements:
                self._connection.execute(statement, parameters)

    def counts(self) -> Counter[Step | InputCreationStatus]:
        """How many scenes there are at each step; of those that have settled, with each status."""
        counts: Counter[Step | InputCreationStatus] = Counter()
        with translated(self.path):
            ((created, failed),) = self._rows(SETTLED)
            counts += Counter({InputCreationStatus.CREATED: created, InputCreationStatus.FAILED: failed})
            counts.update(entry.step for entry in self._on_the_way())
        return counts

    def failures(self) -> list[Failure]:
        """Why scenes failed, and why contents were refused, in the order of their keys."""
        failures: list[Failure] = []
        for key, fact in self._facts(FAILURES):
            match fact:
                case Settled(result=InputCreationResult(error=error)) | Refused(error=error) if error is not None:
                    failures.append(Failure(key, error.stage, error.message))
                case _:
                    pass
        return failures

    def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        started: list[Entry] = []
        size = 0
        with translated(self.path):
            for entry in self._on_the_way():
                if entry.scene_uuid and not entry.step.may_follow(Step.COMMITTED):
                    started.append(entry)
                    size += len(repr(entry))
                    _check_size(size, MAX_READ_SIZE)
        return started

    def orphans(self) -> list[str]:
        """The scenes that have to be invalidated."""
        return [fact.scene_uuid for _, fact in self._facts(ORPHANS) if isinstance(fact, Orphan)]

    def retry_failed(self) -> int:
        """Have all that failed tried again, and tell how much that was."""
        failed = self.counts()[InputCreationStatus.FAILED]
        with translated(self.path):
            keys = [read_key(name) for (name,) in self._rows(FAILED_KEYS, most=MAX_READ_SIZE)]
        for start in range(0, len(keys), CHUNK):
            self.write([(key, Retried(), "") for key in keys[start : start + CHUNK]])
        return failed

    def _on_the_way(self) -> Iterator[Entry]:
        """The scenes that have not settled, in the order of their keys."""
        for name, rows in groupby(self._rows(STEPS_REACHED), itemgetter(0)):
            first = next(rows)
            if first[1] in ENDS:
                continue
            with reading(self.path, name):
                key = read_key(name)
            entry = self._scene(key, chain([first], rows)).entry  # noqa: B031 - it goes on where it was
            if entry is not None:
                yield entry

    def _facts(self, query: str) -> Iterator[tuple[str, Fact]]:
        """The facts that a query finds, each with its key."""
        with translated(self.path):
            for name, kind, text in self._rows(query, most=MAX_READ_SIZE):
                with reading(self.path, name):
                    key = read_key(name)
                with reading(self.path, key):
                    fact = read_fact(kind, text)
                yield key, fact

    def _scene(self, key: str, rows: Iterable[tuple[Any, ...]]) -> Scene:
        with reading(self.path, key):
            return fold(key, [read_fact(kind, text) for _, kind, text in rows])

    def _rows(self, query: str, *parameters: str, most: float = inf) -> Iterator[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            ValueError: If the last value of a row is too large, or those of all rows are larger than `most`.
        """
        total = 0
        for row in self._connection.execute(query, parameters):
            content = row[-1]
            size = len(content) if isinstance(content, str | bytes) else 0
            total += size
            if size > MAX_ROW_SIZE:
                raise ValueError(f"the row of {row[0]!r:.100} is too large for a scene's: {size} characters")
            _check_size(total, most)
            yield row


def _check_size(size: int, most: float) -> None:
    if size > most:
        raise ValueError(f"it has more to tell than {most} characters, and is too large to be read at once")


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Errors of the file system, of SQLite, and of Python's reading of what that found, become our own."""
    try:
        yield
    except OSError as error:
        which = f"{error.filename}: " if error.filename and str(error.filename) != path else ""
        raise JournalError(f"journal {path}: {which}{error.strerror or error}", path=path) from error
    except sqlite3.Error as error:
        if is_error(error, sqlite3.SQLITE_BUSY):
            message = f"journal {path} is open in another run or process; it can be opened when that has ended"
            raise JournalLockedError(message, path=path) from error
        is_damaged = " is damaged" if is_error(error, sqlite3.SQLITE_CORRUPT) else ""
        raise JournalError(f"journal {path}{is_damaged}: {error}", path=path) from error
    except UNREADABLE as error:
        raise JournalError(f"journal {path}: {str(error) or type(error).__name__}", path=path) from error


def _parts(values: Iterable[object]) -> Iterator[str]:
    """JSON lists of some values, none of which is too large for a statement."""
    part: list[str] = []
    size = 0
    for text in map(json.dumps, values):
        if part and size + len(text) > MAX_ROW_SIZE:
            yield f"[{','.join(part)}]"
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield f"[{','.join(part)}]"


def _checked(path: str, destination: Destination | None, connection: sqlite3.Connection) -> Destination:
    """See that it is a sound journal for the destination, or make one of an empty file; tell which it is for."""
    if value_of(connection, "PRAGMA application_id") != APPLICATION_ID:
        if destination is None or schema_of(connection, path):
            raise JournalError(f"journal {path}: this is no journal", path=path)
        connection.executescript(CREATE)  # the file was just created, or its creator was killed
        connection.execute("INSERT INTO destination VALUES (?)", (json.dumps(asdict(destination)),))
        connection.execute("COMMIT")
    version: int = value_of(connection, "PRAGMA user_version")
    if not 1 <= version <= VERSION:
        message = f"another version of kognic_aio has written it: {version}, this reads up to {VERSION}"
        raise JournalError(f"journal {path}: {message}", path=path)
    if found := difference(schema_of(connection, path), version):
        message = f"it has something that no version of kognic_aio puts into a journal: {found}"
        raise JournalError(f"journal {path}: {message}", path=path)
    check_soundness(connection, path, LARGE_ROWS[version - 1])
    recorded = _destination(path, connection)
    if destination not in (None, recorded):  # the one place that ties a journal to a project and a batch
        message = f"journal {path} belongs to {recorded}; this run goes to {destination}"
        raise JournalMismatchError(message, path=path, recorded=str(recorded), wanted=str(destination))
    return recorded


def _destination(path: str, connection: sqlite3.Connection) -> Destination:
    rows = connection.execute("SELECT content FROM destination LIMIT 2").fetchall()
    return read_destination(path, rows[0][0] if len(rows) == 1 else rows)


def read_destination(path: str, content: Any) -> Destination:
    """Where the scenes of a journal go.

    Raises:
        JournalError: If it is not as it would have been written.
    """
    try:
        content.encode()  # which fails if it has bytes that are none of UTF-8
        read = Destination(**json.loads(content))
        texts: list[object] = [read.host, read.workspace, read.project, read.batch or ""]
        if not all(isinstance(each, str) for each in texts) or not read.host.isprintable():
            raise ValueError("it is not made of texts")
    except UNREADABLE as error:
        message = f"journal {path} is damaged: its destination cannot be read: {str(error)[:200]}"
        raise JournalError(message, path=path) from error
    return read


def _upgrade(connection: sqlite3.Connection, destination: Destination) -> None:
    """Make a journal of an earlier version one of today. What it knows stays known."""
    version: int = value_of(connection, "PRAGMA user_version")
    if version == VERSION:
        return
    connection.execute("PRAGMA temp_store = FILE")  # what SQLite needs to undo a step may be as large as the journal
    place = json.dumps(destination.project), json.dumps(destination.batch)
    connection.execute("CREATE TEMP TABLE place AS SELECT ? AS project, ? AS batch", place)
    for script in UPGRADES[version - 1 :]:
        connection.executescript(script)
    connection.execute("PRAGMA temp_store = MEMORY")  # which drops the temporary table
