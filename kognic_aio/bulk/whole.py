"""Files that are whole or not there."""

import glob
import os
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

ABANDONED = 60.0
"""Seconds after the last change of a partial file from which nobody is taken to be writing it."""


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO, None, None]:
    """A file beside a path, which takes its place in the end, unless an error is raised. It blocks."""
    partial = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove partial files that runs which were killed have left in a folder: all, or those of one file. It blocks."""
    for path in folder.glob(f".{'*' if name is None else glob.escape(name)}.????????.partial"):
        with suppress(FileNotFoundError):  # someone else may remove them as well
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink()
