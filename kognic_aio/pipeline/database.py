"""Opens an SQLite file that may come from anywhere: an archive, another user, an attacker.

Ownership is checked first. A journal says which scenes to invalidate, so whoever writes it acts in our name. A file
that another user could have written, replaced or planted is refused. Windows has no such modes: there, only the kind of
the file is checked. Then nothing in it runs, and nothing in it takes more time or memory than a journal does.
"""

import os
import random
import re
import shlex
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from kognic_aio.errors import JournalError, JournalLockedError

T = TypeVar("T")

CLAIMED = ("-wal", "-journal")
"""Files that SQLite reads next to a database when it opens it. It keeps `-shm` in memory."""

APPLICATION_ID = 0x4B6F676A
"""Distinguishes a journal from other databases."""

MAX_COMPANION_BYTES = 2**30
"""Bytes of a file next to the database. A killed run leaves far less, and SQLite reads all of it first."""

MAX_VALUE_BYTES = 4 * 2**20
"""Bytes of a value."""

MAX_ROW_SIZE = 2**20
"""Characters of a row. A fact takes some hundred."""

CHECKING_TIME = 2.5
"""Seconds to check a file. The rest of a larger one is checked when it is read."""

_IS_POSIX = sys.platform != "win32"
_DESCRIPTORS = {"linux": "/proc/self/fd", "darwin": "/dev/fd"}.get(sys.platform)
"""The folder that lists the open files of this process."""


def opened(path: str, check: Callable[[sqlite3.Connection], T], *, create: bool) -> tuple[sqlite3.Connection, T]:
    """Open an exclusive connection, and return it with the result of the check. `create` the file if it is missing.

    The check refuses a foreign file before it is changed in any way. It may fill an empty one.
    """
    _check_folder(path)
    if create:
        _create_private(path)
    until = time.monotonic() + 0.1  # two that open it at once may see each other's lock; later, it is another run's
    while True:
        try:
            return _locked(path, check)
        except sqlite3.Error as error:
            if not _is_error(error, sqlite3.SQLITE_BUSY) or time.monotonic() > until:
                raise
        time.sleep(random.uniform(0, 0.02))  # noqa: S311  # no secret


def _locked(path: str, check: Callable[[sqlite3.Connection], T]) -> tuple[sqlite3.Connection, T]:
    # 1. Check whose the file is, without opening it: closing it again would drop the locks of this process on it.
    _check(path, Path(path))
    if not os.access(path, os.W_OK):
        raise _refused(path, "it is not writable, and a journal must be, even to be read; check its file mode")
    _claim_companions(path)
    # 2. Lock it. The first read takes the lock, which ends with the connection or the process.
    uri = f"{Path(path).absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _harden(connection)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _value_of(connection, "PRAGMA application_id")
        # 3. Check that it is still the same file, and that its content is ours.
        check_opened(path)
        _claim_companions(path)
        checked = check(connection)
        _claim_companions(path)  # SQLite has removed those of a file that was empty
        # 4. Set it up. It survives the end of the process; after a power failure the last steps may be missing.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        _value_of(connection, "PRAGMA user_version")  # opens the WAL
        check_opened(path, "-wal")
        _give_up(path, ["-journal"])
    except BaseException as error:
        if not (isinstance(error, sqlite3.Error) and _is_error(error, sqlite3.SQLITE_BUSY)):
            _give_up(path, CLAIMED)
        connection.close()
        raise
    return connection, checked


def _harden(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 20_000)  # all that we run at once is a third of it
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, 32)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    # A text may have any bytes. Ours are checked when their row is read.
    connection.text_factory = lambda content: content.decode(errors="surrogateescape")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


@contextmanager
def translated(path: str) -> Generator[None, None, None]:
    """Turn errors of the file system, of SQLite and of a path that cannot be one into a JournalError."""
    try:
        yield
    except OSError as error:
        which = f"{error.filename}: " if error.filename and str(error.filename) != path else ""
        raise JournalError(f"journal {path}: {which}{error.strerror or error}", path=path) from error
    except sqlite3.Error as error:
        if _is_error(error, sqlite3.SQLITE_BUSY):
            message = f"journal {path} is open in another run or process; it can be opened when that has ended"
            raise JournalLockedError(message, path=path) from error
        is_damaged = " is damaged" if _is_error(error, sqlite3.SQLITE_CORRUPT) else ""
        raise JournalError(f"journal {path}{is_damaged}: {error}", path=path) from error
    except ValueError as error:
        raise JournalError(f"journal {path}: {error}", path=path) from error


def _is_error(error: sqlite3.Error, kind: int) -> bool:
    """Whether an error is of a kind, which is the low byte of its code."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == kind


# The content of the file


def check_content(
    connection: sqlite3.Connection, path: str, schemas: Mapping[int, Sequence[str]], large_row: str
) -> int:
    """Check that a file is ours and sound, as far as there is time, and return the version of its schema.

    `schemas` has the SQL of all tables and indices by version, and `large_row` finds the key of a row that is larger
    than its parameter.
    """
    if _value_of(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise JournalError(f"journal {path}: not a kognic_aio journal", path=path)
    version: int = _value_of(connection, "PRAGMA user_version")
    if version not in schemas:
        writer = "a newer version" if version > max(schemas) else "an unknown version"
        message = f"written by {writer} (schema {version}, this one reads up to {max(schemas)})"
        raise JournalError(f"journal {path}: {message}", path=path)
    # All SQL has to be ours, so no foreign trigger, view, index, check or expression ever runs.
    ours, found = sorted(map(_tidy, schemas[version])), sorted(map(_tidy, schema_of(connection, path)))
    if found != ours:
        different = min({*found} ^ {*ours} or found)
        message = f"its schema has an object that no version of kognic_aio creates: {different:.100}"
        raise JournalError(f"journal {path}: {message}", path=path)
    # Only now, because SQLite takes the size of the cache from the file when it reads the schema.
    connection.execute("PRAGMA cache_size = -2000")
    until = time.monotonic() + CHECKING_TIME
    if version == max(schemas) and (large := _found(connection, large_row, MAX_ROW_SIZE, until=until)):
        raise JournalError(f"journal {path}: the row of {large[0][0]!r:.100} is too large", path=path)
    for (damage,) in _found(connection, "PRAGMA quick_check(1)", until=until) or ():
        if damage != "ok":
            raise JournalError(f"journal {path} is damaged: {damage}", path=path)
    return version


def _value_of(connection: sqlite3.Connection, query: str) -> Any:
    """The one value that a query finds."""
    ((value,),) = connection.execute(query)
    return value


def schema_of(connection: sqlite3.Connection, path: str) -> list[str]:
    """The SQL of each object in a file. One with too many to read into memory is refused."""
    # Our schema takes 61 instructions, and each further table about 10.
    found = _found(connection, "SELECT sql FROM sqlite_master", until=0, every=1_000)
    if found is None:
        raise JournalError(f"journal {path}: not a kognic_aio journal, it has too many tables", path=path)
    return [str(sql) for (sql,) in found]


def _tidy(sql: str) -> str:
    """The SQL without insignificant spaces: ALTER TABLE leaves different ones."""
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(sql.split()))


def _found(
    connection: sqlite3.Connection, query: str, *parameters: int, until: float, every: int = 10_000
) -> list[tuple[Any, ...]] | None:
    """The rows of a query, None if it takes too long. SQLite checks the clock after each `every` instructions."""
    connection.set_progress_handler(lambda: time.monotonic() > until, every)
    try:
        return connection.execute(query, parameters).fetchall()
    except sqlite3.OperationalError as error:
        if not _is_error(error, sqlite3.SQLITE_INTERRUPT):
            raise
        return None
    finally:
        connection.set_progress_handler(None, 0)


# The files next to it


def _beside(path: str, suffix: str) -> Path:
    return Path(f"{Path(path)}{suffix}")


def _create_private(path: str | Path) -> None:
    """Create a file if there is none. An existing one is not opened: `_locked` says why."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _claim_companions(path: str) -> None:
    """Create the files from which SQLite would read more of the database, unless they exist.

    Otherwise, in /tmp, anybody could put a file there between our check and SQLite's, which would write its content
    into the database. Empty files do nothing. Existing ones have to be ours, and not too large to be read at once.
    """
    for suffix in CLAIMED:
        _create_private(_beside(path, suffix))
    for file in (_beside(path, suffix) for suffix in (*CLAIMED, "-shm")):
        with suppress(FileNotFoundError):
            if (size := _check(path, file).st_size) > MAX_COMPANION_BYTES:
                raise _refused(path, f"{file} is larger than any run leaves it: {size} bytes")


def _give_up(path: str, suffixes: Iterable[str]) -> None:
    """Remove the files that claimed a name, while the database is still locked. Those with content stay."""
    for file in (_beside(path, suffix) for suffix in suffixes):
        with suppress(OSError):
            if not file.lstat().st_size:
                file.unlink()


# Ownership


def _check_folder(path: str) -> None:
    """Check that nobody else can replace the file, or put another one next to it in its name."""
    folder = Path(path).absolute().parent
    found = folder.stat()
    if not _IS_POSIX:
        return
    if found.st_uid not in (0, os.geteuid()):
        raise _refused(path, f"its folder {folder} belongs to user {found.st_uid}; choose a folder of your own")
    others_write = found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid))
    # In a folder with the sticky bit, such as /tmp, nobody can replace the files of another user.
    if others_write and not found.st_mode & stat.S_ISVTX:
        problem = f"other users can write to its folder {folder}, and so could replace it"
        raise _refused(path, f"{problem}: {_chmod(folder)}, or choose a folder of your own")


def check_opened(path: str, suffix: str = "") -> None:
    """Check that SQLite has opened this file, or the one next to it. It may have been replaced after our check."""
    file = _beside(path, suffix)
    if not _has_open(_check(path, file)):
        raise _refused(path, f"{file} was replaced while it was opened; see who writes in its folder")


def _check(path: str, file: Path) -> os.stat_result:
    """Check that a file is a regular one of ours, and return its status."""
    found = file.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _refused(path, f"{file} is a symbolic link, which is not followed; pass the path of the file itself")
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
        kind = kinds.get(stat.S_IFMT(found.st_mode), "a device")
        raise _refused(path, f"unable to open {file}: it is {kind}, not a file")
    if _IS_POSIX:
        _check_owner(path, file, found)
    return found


def _check_owner(path: str, file: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        owner = f"belongs to user {found.st_uid}, but this process runs as user {os.geteuid()}"
        raise _refused(path, f"{file} {owner}; choose a file of your own, or copy it if you trust its content")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _refused(path, f"other users can write to {file}: {_chmod(file)}, if you trust its content")
    if found.st_nlink > 1:
        raise _refused(path, f"{file} has several hard links; copy it to a new file")


def _is_own_group(number: int) -> bool:
    """Whether only this user and root are in a group. Many systems give each user one, with write permission."""
    if sys.platform == "win32":
        return False
    import grp  # noqa: PLC0415  # Windows has neither
    import pwd  # noqa: PLC0415  # as above

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return number == 0
    is_own = group.gr_name == user.pw_name and number == user.pw_gid
    return (is_own or number == 0) and not set(group.gr_mem) - {user.pw_name, "root"}


def _has_open(found: os.stat_result) -> bool:
    """Whether this process has a file open, as far as the system shows."""
    if _DESCRIPTORS is None:
        return True
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # names are all that is wanted
        with suppress(OSError):  # it was closed meanwhile
            if os.path.samestat(os.fstat(int(name)), found):
                return True
    return False


def _chmod(path: Path) -> str:
    return f"run `chmod go-w {shlex.quote(str(path))}`"


def _refused(path: str, why: str) -> JournalError:
    return JournalError(f"journal {path}: {why}", path=path)
