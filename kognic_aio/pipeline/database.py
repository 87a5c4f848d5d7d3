"""Opens an SQLite file that may come from anywhere: an archive, another user, an attacker.

Nothing in it runs, and nothing in it takes more time or memory than a journal does. Whose it is, is seen first.
"""

import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from kognic_aio.errors import JournalError
from kognic_aio.pipeline.ownership import beside, check_companions, check_file, check_folder, check_opened

T = TypeVar("T")

ROLLBACK = "-journal"
CLAIMED = ("-wal", ROLLBACK)
"""What SQLite reads beside a file when it opens it. It keeps `-shm` in memory."""

ATTEMPTS = 10
"""How often a file is opened at most: two that open it at once may each see the other's lock."""

ATTEMPT_PAUSE = 0.02
"""Seconds between two attempts, at most."""

MAX_VALUE_BYTES = 4 * 2**20
"""Bytes of a value: room for a list of facts, or of keys."""

MAX_ROW_SIZE = 2**20
"""Characters of a row. A fact takes some hundred."""

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 20_000,  # all that we run at once is a third of it
    sqlite3.SQLITE_LIMIT_COLUMN: 32,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
"""What SQLite takes from a file."""

SCHEMA_STEPS = 1_000
"""Instructions that reading the schema takes at most: 61 for ours, about 10 for each table of another."""

CHECKING_TIME = 2.5
"""Seconds that looking a file over takes at most. What is left of a larger one is checked when it is read."""

_STEPS_PER_LOOK = 10_000
"""Instructions of SQLite between two looks at the clock."""


def opened(path: str, check: Callable[[sqlite3.Connection], T], *, create: bool) -> tuple[sqlite3.Connection, T]:
    """A connection that nobody else has, and what the check says.

    Args:
        path: The file.
        check: Refuses a file that is none of ours, before it is changed in any way. It may fill an empty one.
        create: Whether to create the file if there is none.

    Raises:
        JournalError: If the file is not ours alone, or refused.
        OSError: If there is no file, or none can be made.
        sqlite3.Error: If SQLite cannot open it, or it is locked.
    """
    check_folder(path)
    if create:
        _create_private(path)
    for _ in range(ATTEMPTS - 1):
        try:
            return _locked(path, check)
        except sqlite3.Error as error:
            if not is_error(error, sqlite3.SQLITE_BUSY):
                raise
        time.sleep(random.uniform(0, ATTEMPT_PAUSE))  # noqa: S311  # no secret
    return _locked(path, check)


def _locked(path: str, check: Callable[[sqlite3.Connection], T]) -> tuple[sqlite3.Connection, T]:
    check_file(path)
    _claim_companions(path)
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _harden(connection)
        # The first read takes the lock, which ends with the connection or the process, however that ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        value_of(connection, "PRAGMA application_id")
        check_opened(path)
        check_companions(path)
        checked = check(connection)
        _claim_companions(path)  # of a file that was empty, SQLite has removed them
        # Enough to survive the end of the process; after a power failure the last steps may be missing.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        value_of(connection, "PRAGMA user_version")  # opens what lies beside the file
        check_opened(path, "-wal")
        _give_up(path, [ROLLBACK])
    except BaseException as error:
        if not (isinstance(error, sqlite3.Error) and is_error(error, sqlite3.SQLITE_BUSY)):
            _give_up(path, CLAIMED)
        connection.close()
        raise
    return connection, checked


def _harden(connection: sqlite3.Connection) -> None:
    for limit, most in LIMITS.items():
        connection.setlimit(limit, most)
    # A text may have any bytes: ours are checked when their row is read.
    connection.text_factory = lambda content: content.decode(errors="surrogateescape")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def _create_private(path: str | Path) -> None:
    """Create a file if there is none.

    One that is there is not opened: to close it again would take away the locks that this process has on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _claim_companions(path: str) -> None:
    """Take the names from which SQLite would read more of the database, as long as they are free.

    Once they are ours, nobody else can put a file there, as anybody could in /tmp between our look and that of SQLite.
    SQLite would write what it finds into the database, even if we refuse that a moment later. Empty files do nothing.
    """
    for suffix in CLAIMED:
        _create_private(beside(path, suffix))
    check_companions(path)


def _give_up(path: str, suffixes: Iterable[str]) -> None:
    """Remove the files that claimed a name, while the database is still locked. One with something in it stays."""
    for file in (beside(path, suffix) for suffix in suffixes):
        with suppress(OSError):
            if not file.lstat().st_size:
                file.unlink()


def value_of(connection: sqlite3.Connection, query: str) -> Any:
    """The one value that a query finds."""
    with closing(connection.execute(query)) as cursor:
        return cursor.fetchone()[0]


def schema_of(connection: sqlite3.Connection, path: str) -> list[tuple[Any, ...]]:
    """Type, name and SQL of all that is in a file.

    Raises:
        JournalError: If it is more than SQLite should read into memory.
    """
    try:
        with _interrupted(connection, at=0, every=SCHEMA_STEPS):
            return connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    except sqlite3.OperationalError as error:
        if not is_error(error, sqlite3.SQLITE_INTERRUPT):
            raise
        raise JournalError(f"journal {path}: this is no journal, as it has too many tables", path=path) from error


def check_soundness(connection: sqlite3.Connection, path: str, large_row: str) -> None:
    """See that a file whose schema is ours is sound, as far as there is time.

    Args:
        connection: A connection to it.
        path: Where it is.
        large_row: A query for the key of a row that is larger than some size. SQLite loads all of a row to compare it.

    Raises:
        JournalError: If it is damaged.
    """
    # Only now: the file names a size for the cache, which SQLite takes with the schema.
    connection.execute("PRAGMA cache_size = -2000")
    try:
        with _interrupted(connection, at=time.monotonic() + CHECKING_TIME, every=_STEPS_PER_LOOK):
            large = connection.execute(large_row, [MAX_ROW_SIZE]).fetchone()
            damage = value_of(connection, "PRAGMA quick_check(1)") if large is None else "ok"
    except sqlite3.OperationalError as error:
        if not is_error(error, sqlite3.SQLITE_INTERRUPT):
            raise
        return
    if large is not None:
        raise JournalError(f"journal {path}: the row of {large[0]!r:.100} is too large for a scene's", path=path)
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


def is_error(error: sqlite3.Error, kind: int) -> bool:
    """Whether an error of SQLite is of a kind."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == kind  # the low byte is the kind of error, the others tell more of it
