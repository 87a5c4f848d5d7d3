"""Finds compilers, and nothing that merely lies about with the name of one."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

LAUNCHED = tuple(os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")) if sys.platform == "win32" else ("",)
"""How the names of programs end; Windows lets it be left out."""


def trusted_path(source: Path) -> str:
    """The PATH without its empty and relative folders, the current one, and that of a source, whatever they are called.

    What lies beside a source has come with it. A shell would take an empty folder for the current one.
    """
    return os.pathsep.join(_trusted_folders(source))


def program(name: str, path: str) -> str | None:
    """The program of a name in the folders of a path, and, unlike `shutil.which`, on Windows nowhere else either."""
    for folder in filter(None, path.split(os.pathsep)):
        for ending in LAUNCHED:
            candidate = os.path.join(folder, f"{name}{ending}")  # noqa: PTH118 - folders stay as the PATH has them
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):  # noqa: PTH113
                return candidate
    return None


def _trusted_folders(source: Path) -> Iterator[str]:
    distrusted = {source.parent.resolve(), _current()}
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder.strip('"'))  # as Windows allows
        if path.is_absolute() and _resolved(path) not in distrusted:
            yield str(path)


def _current() -> Path | None:
    try:
        return Path.cwd().resolve()
    except FileNotFoundError:  # it was deleted
        return None


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return None
