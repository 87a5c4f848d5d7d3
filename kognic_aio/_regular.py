"""Files that people name, whatever lies there: a device has no end, and a pipe may never have a beginning."""

import os
from errno import EAGAIN, EFBIG, EINVAL
from io import BufferedReader
from os import PathLike
from stat import S_ISREG
from typing import cast


def open_regular(path: str | PathLike[str]) -> BufferedReader:
    """Open a regular file to read it, without waiting for anybody. It blocks only as the disk does.

    Raises:
        OSError: If it cannot be opened, or is no regular file.
    """
    try:
        file = open(path, "rb", opener=opened_at_once)  # noqa: SIM115 - who asked for it closes it
    except ValueError as error:  # there is no file with a NUL in its name
        raise OSError(EINVAL, str(error), str(path)) from error
    if not S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(EINVAL, "not a regular file", str(path))
    return file


def read_all(path: str | PathLike[str], most: int) -> bytes:
    """The content of a regular file that has no more bytes than it may have. It blocks.

    Raises:
        OSError: If it cannot be read, or has more.
    """
    content = read_regular(path, most)
    if len(content) > most:
        raise OSError(EFBIG, f"it has more than {most:,} bytes", str(path))
    return content


def read_regular(path: str | PathLike[str], most: int) -> bytes:
    """The content of a regular file, of which no more than a byte too much is read. It blocks.

    Raises:
        OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        content = cast("bytes | None", file.read(most + 1))
    # The system has files that are regular by their mode alone, and give what comes when it comes.
    if content is None:
        raise OSError(EAGAIN, "it has nothing to read", str(path))
    return content


def opened_at_once(path: str, flags: int) -> int:
    """Open what may be a pipe, without waiting for somebody to write to it; Windows has none among its files."""
    try:
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except BlockingIOError:  # somebody has a lease on the file, and gives it up when told that it is to be opened
        return os.open(path, flags)
