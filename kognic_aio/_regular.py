"""Files that people name. What lies there may be a device without an end, or a pipe that nobody writes to."""

import os
from errno import EAGAIN, EFBIG, EINVAL
from io import BufferedReader
from os import PathLike
from stat import S_ISREG
from typing import cast


def open_regular(path: str | PathLike[str]) -> BufferedReader:
    """Open a regular file for reading; raise an OSError for anything else. It blocks only as the disk does."""
    try:
        file = open(path, "rb", opener=opened_at_once)  # noqa: SIM115  # who asked for it closes it
    except ValueError as error:  # there is no file with a NUL in its name
        raise OSError(EINVAL, str(error), str(path)) from error
    if not S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(EINVAL, "not a regular file", str(path))
    return file


def read_all(path: str | PathLike[str], max_bytes: int) -> bytes:
    """The content of a regular file; an OSError if it cannot be read or is larger. It blocks."""
    content = read_regular(path, max_bytes)
    if len(content) > max_bytes:
        raise OSError(EFBIG, f"it has more than {max_bytes:,} bytes", str(path))
    return content


def read_regular(path: str | PathLike[str], max_bytes: int) -> bytes:
    """The content of a regular file, of which one byte too much is read if it is larger. It blocks."""
    with open_regular(path) as file:
        content = cast("bytes | None", file.read(max_bytes + 1))
    # The system has files that are regular by their mode alone, and give what comes when it comes.
    if content is None:
        raise OSError(EAGAIN, "it has nothing to read", str(path))
    return content


def opened_at_once(path: str, flags: int) -> int:
    """Open what may be a pipe, without waiting for somebody to write to it."""
    try:
        return opened_without_waiting(path, flags)
    except BlockingIOError:  # somebody has a lease on the file, and gives it up when told that it is to be opened
        return os.open(path, flags)


def opened_without_waiting(path: str, flags: int) -> int:
    """Open a file; a BlockingIOError if somebody has a lease on it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
