"""The file of a journal: an SQLite database that is open in one place at a time.

It is imported when a journal is opened, as few runs have one.
"""

import json
import os
import random
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiosqlite
from attrs import asdict

from kognic_aio._threads import in_thread
from kognic_aio.errors import JournalError, JournalLockedError, JournalMismatchError
from kognic_aio.pipeline.journal.entry import Destination
from kognic_aio.pipeline.journal.rules import (
    APPLICATION_ID,
    APPLY,
    FIRST_VERSION,
    RECALL,
    RULES,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADE,
    Change,
)

ATTEMPTS = 10
ATTEMPT_PAUSE = 0.02
"""Seconds at most between attempts to open a file: two that open it at once may each see the other's lock."""


class File:
    """The open file of a journal.

    Args:
        path: Where it is.
        connection: The only connection to it.
        destination: Where its scenes go.
    """

    def __init__(self, path: str, connection: aiosqlite.Connection, destination: Destination) -> None:
        self.path = path
        self.destination = destination
        self._connection = connection

    @classmethod
    async def open(cls, path: str, destination: Destination | None) -> Self:
        """Open a file, and lock it until it is closed or the process ends.

        Args:
            path: Where it is.
            destination: Where its scenes have to go; if there is no file, it is created. None to open any.

        Raises:
            JournalError: If it cannot be opened, or is no journal. A file that was there is left as it was.
        """
        with translated(path):
            # Not in the connection's own thread: aiosqlite does not wait for its end if this fails.
            ready, found = await in_thread(_opened, path, destination)
            connection = await aiosqlite.Connection(lambda: ready, iter_chunk_size=64)
        return cls(path, connection, found)

    async def apply(self, changes: Sequence[Change]) -> None:
        """Make changes, in their order: all, or none if it fails. When this returns, a killed process keeps them.

        It is one statement, and so one visit to the connection's thread and one transaction: for each further one, that
        thread would wait for a busy loop to let go of the interpreter.
        """
        await self.read(APPLY, json.dumps(changes))

    async def recall(self, keys: Sequence[str]) -> dict[str, Sequence[Any]]:
        """What is known of scenes, by their keys, in one visit too."""
        return {key: row for key, *row in await self.read(RECALL, json.dumps(keys))}

    async def read(self, query: str, *parameters: str) -> list[Any]:
        """The rows that a query finds."""
        with translated(self.path):
            return list(await self._connection.execute_fetchall(query, parameters))

    async def close(self) -> None:
        """Close the file, which unlocks it."""
        with translated(self.path):
            await self._connection.close()


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Errors of the file system and of SQLite become our own."""
    try:
        yield
    except OSError as error:
        raise JournalError(f"journal {path}: {error.strerror or error}", path=path) from error
    except sqlite3.Error as error:
        if _is_locked(error):
            message = f"journal {path} is open in another run or process; it can be opened when that has ended"
            raise JournalLockedError(message, path=path) from error
        raise JournalError(f"journal {path}: {error}", path=path) from error


def _is_locked(error: sqlite3.Error) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY  # the low byte is the kind of error, the others tell more of it


def _opened(path: str, destination: Destination | None) -> tuple[sqlite3.Connection, Destination]:
    if destination is not None:
        _create_private(path)
    for _ in range(ATTEMPTS - 1):
        try:
            return _locked(path, destination)
        except sqlite3.Error as error:
            if not _is_locked(error):
                raise
        time.sleep(random.uniform(0, ATTEMPT_PAUSE))  # noqa: S311  # no secret
    return _locked(path, destination)


def _create_private(path: str) -> None:
    """Create the file if there is none. SQLite gives its companions (`-wal`) the same mode.

    One that is there is not opened: to close it again would take away the locks that this process has on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _locked(path: str, destination: Destination | None) -> tuple[sqlite3.Connection, Destination]:
    """A connection that nobody else has, to a journal for the destination, and where its scenes go."""
    Path(path).stat()  # whose errors say more than SQLite's
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        # Taken with the first read, the lock ends with the connection or the process, however that ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if _is_new(connection) and destination is not None:
            _set_up(connection, destination)
        recorded = _checked(connection, path, destination)
        # Enough to survive the end of the process; after a power failure the last steps may be missing.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        if _version(connection) == FIRST_VERSION:
            connection.executescript(UPGRADE)
        connection.executescript(RULES)
    except BaseException:
        connection.close()
        raise
    return connection, recorded


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing has been written yet: the file was just created, or its creator was killed."""
    tables = _value(connection, "SELECT count(*) FROM sqlite_master")
    return not tables and not _value(connection, "PRAGMA application_id")


def _set_up(connection: sqlite3.Connection, destination: Destination) -> None:
    connection.executescript(SCHEMA)
    connection.execute("INSERT INTO destination VALUES (?)", (json.dumps(asdict(destination)),))
    connection.execute("COMMIT")


def _checked(connection: sqlite3.Connection, path: str, destination: Destination | None) -> Destination:
    """See that it is a sound journal, for the destination; tell which it is for."""
    if _value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise JournalError(f"journal {path}: this is no journal", path=path)
    version = _version(connection)
    if version not in (FIRST_VERSION, SCHEMA_VERSION):
        message = f"another version of kognic_aio has written it: {version}, this reads up to {SCHEMA_VERSION}"
        raise JournalError(f"journal {path}: {message}", path=path)
    damage = _value(connection, "PRAGMA quick_check(1)")
    if damage != "ok":
        raise JournalError(f"journal {path} is damaged: {damage}", path=path)
    recorded = _destination(_value(connection, "SELECT content FROM destination"))
    if destination not in (None, recorded):
        message = f"journal {path} belongs to {recorded}; this run goes to {destination}"
        raise JournalMismatchError(message, path=path, recorded=str(recorded), wanted=str(destination))
    return recorded


def _version(connection: sqlite3.Connection) -> Any:
    return _value(connection, "PRAGMA user_version")


def _value(connection: sqlite3.Connection, query: str) -> Any:
    with closing(connection.execute(query)) as cursor:
        return cursor.fetchone()[0]


def _destination(content: str) -> Destination:
    try:
        return Destination(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise sqlite3.DatabaseError(f"damaged: its destination cannot be read: {error}") from error
