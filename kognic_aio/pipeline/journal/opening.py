"""Opens the file of a journal: sees whose it is and what is in it, before any of it is used.

It may come from anywhere: an archive, another user, an attacker. Nothing that stands in it runs, and nothing in it
takes more time or memory than a journal does.
"""

import json
import os
import random
import sqlite3
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import asdict

from kognic_aio.errors import JournalError, JournalMismatchError
from kognic_aio.pipeline.journal.entry import Destination
from kognic_aio.pipeline.journal.ownership import beside, check_companions, check_file, check_folder, check_opened
from kognic_aio.pipeline.journal.rows import MAX_VALUE_BYTES, RowGuard, read_destination, text
from kognic_aio.pipeline.journal.rules import (
    APPLICATION_ID,
    FIRST_VERSION,
    RULES,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADE,
)
from kognic_aio.pipeline.journal.schema import difference, large_row

ROLLBACK = "-journal"
CLAIMED = ("-wal", ROLLBACK)
"""What SQLite reads beside the file when it opens it. It keeps `-shm` in memory."""

ATTEMPTS = 10
ATTEMPT_PAUSE = 0.02
"""Seconds at most between attempts to open a file: two that open it at once may each see the other's lock."""

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,  # all that we run at once is a third of it
    sqlite3.SQLITE_LIMIT_COLUMN: 32,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
"""What SQLite takes from the file."""

SCHEMA_STEPS = 1_000
"""Instructions that it takes at most to read the schema: 61 for ours, about 10 for each table of another."""

CHECKING_TIME = 2.5
"""Seconds that it takes at most to look through the file; 100,000 scenes take 0.1. Of a larger one, the rest stays
unchecked until it is read: no journal is too large to go on with."""

_STEPS_PER_LOOK = 10_000


def opened(path: str, destination: Destination | None) -> tuple[sqlite3.Connection, Destination]:
    """A connection that nobody else has, to a journal for the destination, and where its scenes go.

    Raises:
        JournalError: If it is not ours alone, no journal, or damaged.
        OSError: If there is no file, or none can be made.
        sqlite3.Error: If SQLite cannot open it, or it is locked.
    """
    check_folder(path)
    if destination is not None:
        _create_private(path)
    for _ in range(ATTEMPTS - 1):
        try:
            return _locked(path, destination)
        except sqlite3.Error as error:
            if not is_error(error, sqlite3.SQLITE_BUSY):
                raise
        time.sleep(random.uniform(0, ATTEMPT_PAUSE))  # noqa: S311  # no secret
    return _locked(path, destination)


def is_error(error: sqlite3.Error, kind: int) -> bool:
    """Whether an error of SQLite is of a kind."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == kind  # the low byte is the kind of error, the others tell more of it


def _create_private(path: str | Path) -> None:
    """Create the file if there is none.

    One that is there is not opened: to close it again would take away the locks that this process has on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _claim_companions(path: str) -> None:
    """Take the names from which SQLite would read more of the database, as long as they are free.

    Once they are ours, nobody else can lay a file there: in /tmp anybody could, after a look and before SQLite does.
    What it finds it writes into the database, be it refused a moment later. Of empty ones it makes nothing.
    """
    for suffix in CLAIMED:
        _create_private(beside(path, suffix))
    check_companions(path)


def _give_up(path: str, suffixes: Iterable[str]) -> None:
    """Leave names that are not needed any more, while the file is still locked. What has something in it stays."""
    for file in (beside(path, suffix) for suffix in suffixes):
        with suppress(OSError):
            if not file.lstat().st_size:
                file.unlink()


def _locked(path: str, destination: Destination | None) -> tuple[sqlite3.Connection, Destination]:
    check_file(path)
    _claim_companions(path)
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _harden(connection)
        # Taken with the first read, the lock ends with the connection or the process, however that ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        is_foreign = _value(connection, "PRAGMA application_id") != APPLICATION_ID
        check_opened(path)
        check_companions(path)
        if is_foreign and destination is not None and not _schema(connection, path):
            _set_up(connection, destination)  # it was just created, or its creator was killed
        recorded = _checked(connection, path, destination)
        _claim_companions(path)  # of a file that was empty, SQLite has removed them
        _make_ready(connection)
        check_opened(path, "-wal")
        _give_up(path, [ROLLBACK])
    except BaseException as error:
        if not (isinstance(error, sqlite3.Error) and is_error(error, sqlite3.SQLITE_BUSY)):
            _give_up(path, CLAIMED)
        connection.close()
        raise
    return connection, recorded


def _harden(connection: sqlite3.Connection) -> None:
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    connection.text_factory = text
    connection.row_factory = RowGuard()
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def _set_up(connection: sqlite3.Connection, destination: Destination) -> None:
    connection.executescript(SCHEMA)
    connection.execute("INSERT INTO destination VALUES (?)", (json.dumps(asdict(destination)),))
    connection.execute("COMMIT")


def _make_ready(connection: sqlite3.Connection) -> None:
    # Enough to survive the end of the process; after a power failure the last steps may be missing.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    if _version(connection) == FIRST_VERSION:
        connection.executescript(UPGRADE)
    connection.executescript(RULES)


def _checked(connection: sqlite3.Connection, path: str, destination: Destination | None) -> Destination:
    """See that it is a sound journal, for the destination; tell which it is for."""
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise JournalError(f"journal {path}: this is no journal", path=path)
    version = _version(connection)
    if version not in (FIRST_VERSION, SCHEMA_VERSION):
        message = f"another version of kognic_aio has written it: {version}, this reads up to {SCHEMA_VERSION}"
        raise JournalError(f"journal {path}: {message}", path=path)
    if found := difference(_schema(connection, path), version):
        message = f"it has something that no version of kognic_aio puts into a journal: {found}"
        raise JournalError(f"journal {path}: {message}", path=path)
    # Only now: the file names a size for the cache, which SQLite takes with the schema.
    connection.execute("PRAGMA cache_size = -2000")
    _look_through(connection, path, version)
    recorded = _destination(connection, path)
    if destination not in (None, recorded):
        message = f"journal {path} belongs to {recorded}; this run goes to {destination}"
        raise JournalMismatchError(message, path=path, recorded=str(recorded), wanted=str(destination))
    return recorded


def _schema(connection: sqlite3.Connection, path: str) -> list[tuple[Any, ...]]:
    """What the file says is in it. SQLite reads it all into memory, so that there must not be much of it."""
    try:
        with _interrupted(connection, at=0, every=SCHEMA_STEPS):
            return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        if not is_error(error, sqlite3.SQLITE_INTERRUPT):
            raise
        raise JournalError(f"journal {path}: this is no journal, as it has too many tables", path=path) from error


def _look_through(connection: sqlite3.Connection, path: str, version: int) -> None:
    """See that each row has the size of one of ours, and that the file is sound, as far as there is time."""
    try:
        with _interrupted(connection, at=time.monotonic() + CHECKING_TIME, every=_STEPS_PER_LOOK):
            large = connection.execute(large_row(version)).fetchone()
            damage = _value(connection, "PRAGMA quick_check(1)") if large is None else "ok"
    except sqlite3.OperationalError as error:
        if not is_error(error, sqlite3.SQLITE_INTERRUPT):
            raise
        return
    if large is not None:
        message = f"the row of {large[0]!r:.100} is too large for a scene's"
        raise JournalError(f"journal {path}: {message}", path=path)
    if damage != "ok":
        raise JournalError(f"journal {path} is damaged: {damage}", path=path)


@contextmanager
def _interrupted(connection: sqlite3.Connection, *, at: float, every: int) -> Generator[None, None, None]:
    """Have SQLite give up when the time has come: it looks at the clock after so many instructions each."""
    connection.set_progress_handler(lambda: time.monotonic() > at, every)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _destination(connection: sqlite3.Connection, path: str) -> Destination:
    rows = connection.execute("SELECT content FROM destination LIMIT 2").fetchall()
    try:
        ((content,),) = rows
        return read_destination(content)
    except ValueError as error:
        message = f"journal {path} is damaged: its destination cannot be read: {error}"
        raise JournalError(message, path=path) from error


def _version(connection: sqlite3.Connection) -> Any:
    return _value(connection, "PRAGMA user_version")


def _value(connection: sqlite3.Connection, query: str) -> Any:
    with closing(connection.execute(query)) as cursor:
        return cursor.fetchone()[0]
