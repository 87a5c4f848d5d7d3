"""Reads the file of a WebAssembly module, whatever lies there."""

from os import PathLike

from kognic_aio._regular import read_regular

MAX_MODULE_BYTES = 4 << 20
"""Bytes of a module. A usual one has less than 1,000; one with all that its compiler knows of it, about 2 MB."""


def read_module(path: str | PathLike[str]) -> bytes:
    """The content of a regular file, of which no more is read than shows that it is too large. It blocks.

    Raises:
        OSError: If it cannot be read.
    """
    return read_regular(path, MAX_MODULE_BYTES)
