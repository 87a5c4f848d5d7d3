"""Whose the file of a journal is: ours alone. What another user could have written, replaced or planted is refused.

A journal says which scenes to invalidate, so whoever writes it acts in our name. Windows has no such modes: there, only
what the file is gets looked at.
"""

import os
import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path

from kognic_aio.errors import JournalError

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite may find beside a database, and take for a part of it."""

MAX_COMPANION_BYTES = 2**30
"""What a killed process leaves is far smaller, and SQLite reads all of it before anything else."""

_IS_POSIX = sys.platform != "win32"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_DESCRIPTORS = {"linux": "/proc/self/fd", "darwin": "/dev/fd"}.get(sys.platform)
"""Where the system shows which files this process has open."""


def check_folder(path: str) -> None:
    """See that nobody else can replace the file, or lay another one beside it in its name.

    Raises:
        JournalError: If somebody can.
        OSError: If there is no such folder.
    """
    folder = Path(path).absolute().parent
    found = folder.stat()
    if not _IS_POSIX:
        return
    if found.st_uid not in (0, os.geteuid()):
        raise _refused(path, f"its folder {folder} belongs to another user ({found.st_uid}); choose one of your own")
    # In a folder with the sticky bit, such as /tmp, nobody can replace what belongs to another user.
    if not found.st_mode & stat.S_ISVTX and _is_writable_by_others(found):
        raise _refused(
            path,
            f"others may write in its folder {folder}, and so replace it: {_chmod(folder)}, or choose a folder of your"
            " own",
        )


def check_file(path: str) -> None:
    """See that the file is one of ours, and nothing that leads elsewhere. It is not opened for that.

    To close it again would take away the locks that this process has on it.

    Raises:
        JournalError: If it is not.
        OSError: If there is none.
    """
    _check(path, Path(path))
    if not os.access(path, os.W_OK):
        raise _refused(path, "it cannot be written, which a journal has to be, even to be read: see its mode")


def check_companions(path: str) -> None:
    """See that what lies beside the file in its name is ours too, and not too large to be read at once.

    Raises:
        JournalError: If it is not.
    """
    for suffix in COMPANIONS:
        with suppress(FileNotFoundError):
            found = _check(path, beside(path, suffix))
            if found.st_size > MAX_COMPANION_BYTES:
                raise _refused(path, f"{beside(path, suffix)} is larger than what a run leaves: {found.st_size} bytes")


def check_opened(path: str, suffix: str = "") -> None:
    """See that the file, or one beside it, is the one that SQLite has opened, and is still ours.

    Somebody might have replaced it after it was looked at, and even put it back.

    Raises:
        JournalError: If it is not.
        OSError: If there is none any more.
    """
    file = beside(path, suffix)
    if not _has_open(_check(path, file)):
        raise _refused(path, f"{file} was replaced while it was opened; see who writes in its folder")


def _check(path: str, file: Path) -> os.stat_result:
    found = file.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _refused(path, f"{file} is a symbolic link, which is not followed; give the path of the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, f"unable to open {file}: it is {_kind(found.st_mode)}, not a file")
    if _IS_POSIX:
        _check_owner(path, file, found)
    return found


def _check_owner(path: str, file: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        owner = f"belongs to another user ({found.st_uid}), and this process is of {os.geteuid()}"
        raise _refused(path, f"{file} {owner}; choose a file of your own, or copy it if you trust what is in it")
    if found.st_mode & _OTHERS_WRITE:
        raise _refused(path, f"others may write {file}: {_chmod(file)}, if you trust what is in it")
    if found.st_nlink > 1:
        raise _refused(path, f"{file} has another name elsewhere (a hard link); copy it to a file of its own")


def _is_writable_by_others(folder: os.stat_result) -> bool:
    if folder.st_mode & stat.S_IWOTH:
        return True
    return bool(folder.st_mode & stat.S_IWGRP) and not _is_own_group(folder.st_gid)


def _is_own_group(number: int) -> bool:
    """Whether only we, or root, are in a group: many systems give each user one, which may write what they make."""
    if sys.platform == "win32":
        return False
    import grp  # noqa: PLC0415  # Windows has neither
    import pwd  # noqa: PLC0415

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return number == 0
    is_own = group.gr_name == user.pw_name and number == user.pw_gid
    return (is_own or number == 0) and not set(group.gr_mem) - {user.pw_name, "root"}


def _has_open(found: os.stat_result) -> bool:
    """Whether this process has a file open, as far as the system tells."""
    if _DESCRIPTORS is None:
        return True
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # names are all that is wanted
        with suppress(OSError):  # it was closed meanwhile
            if os.path.samestat(os.fstat(int(name)), found):
                return True
    return False


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def beside(path: str, suffix: str) -> Path:
    """Where SQLite looks for a companion of the file."""
    return Path(f"{Path(path)}{suffix}")


def _chmod(path: Path) -> str:
    return f"run `chmod go-w {shlex.quote(str(path))}`"


def _refused(path: str, why: str) -> JournalError:
    return JournalError(f"journal {path}: {why}", path=path)
