"""Reads files by name, which may be endless devices, or pipes that nobody writes to."""

import os
from errno import EAGAIN, EFBIG, EINVAL
from io import BufferedReader
from os import PathLike
from stat import S_ISREG
from typing import cast


def open_regular(path: str | PathLike[str]) -> BufferedReader:
    """Open a regular file for reading; raise an OSError for anything else. It blocks only as the disk does."""
    try:
        file = open(path, "rb", opener=opened_at_once)  # noqa: SIM115  # the caller closes it
    except ValueError as error:  # file names cannot contain a NUL
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
    """At most max_bytes + 1 bytes of a regular file, so that callers see whether it was larger. It blocks."""
    with open_regular(path) as file:
        content = cast("bytes | None", file.read(max_bytes + 1))
    # Files in /proc may be "regular" and still return None.
    if content is None:
        raise OSError(EAGAIN, "it has nothing to read", str(path))
    return content


def opened_at_once(path: str, flags: int) -> int:
    """Open a file. If it is a pipe, do not wait for a writer."""
    try:
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except BlockingIOError:  # another process holds a lease, and releases it when the system asks
        return os.open(path, flags)
