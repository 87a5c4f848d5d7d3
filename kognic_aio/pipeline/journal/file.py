"""The file of a journal: an SQLite database that is open in one place at a time.

It is imported when a journal is opened, as few runs have one.
"""

import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import aiosqlite

from kognic_aio._threads import in_thread
from kognic_aio.errors import JournalError, JournalLockedError
from kognic_aio.pipeline.journal.entry import Destination
from kognic_aio.pipeline.journal.opening import is_error, opened
from kognic_aio.pipeline.journal.rows import UNREADABLE
from kognic_aio.pipeline.journal.rules import APPLY, MAX_ROW_SIZE, RECALL, Change


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
            ready, found = await in_thread(opened, path, destination)
            connection = await aiosqlite.Connection(lambda: ready, iter_chunk_size=64)
        return cls(path, connection, found)

    async def apply(self, changes: Sequence[Change]) -> None:
        """Make changes, in their order: all, or only the first ones if it fails. A killed process keeps them.

        It is one statement, and so one visit to the connection's thread and one transaction: for each further one, that
        thread would wait for a busy loop to let go of the interpreter. Only what is too large for one takes more.
        """
        await self._read_parts(APPLY, changes)

    async def recall(self, keys: Sequence[str]) -> dict[str, Sequence[Any]]:
        """What is known of scenes, by their keys, in one visit too."""
        return {key: row for key, *row in await self._read_parts(RECALL, keys)}

    async def _read_parts(self, query: str, parameters: Sequence[Any]) -> list[Any]:
        text = json.dumps(parameters)
        if len(text) <= MAX_ROW_SIZE or len(parameters) == 1:
            return await self.read(query, text)
        half = len(parameters) // 2
        first = await self._read_parts(query, parameters[:half])
        return first + await self._read_parts(query, parameters[half:])

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
