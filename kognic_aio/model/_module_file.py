"""Reads the file of a WebAssembly module, whatever lies there."""

import os
from errno import EINVAL
from os import PathLike
from stat import S_ISREG

MAX_MODULE_BYTES = 4 << 20
"""Bytes of a module. A usual one has less than 1,000; one with all that its compiler knows of it, about 2 MB."""


def read_module(path: str | PathLike[str]) -> bytes:
    """The content of a regular file, of which no more is read than shows that it is too large. It blocks.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb", opener=_opened) as file:
        if not S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, "not a regular file", str(path))
        return file.read(MAX_MODULE_BYTES + 1)


def _opened(path: str, flags: int) -> int:
    """Open without waiting for whoever writes to a pipe; Windows has no pipes among its files."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
