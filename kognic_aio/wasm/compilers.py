"""Finds compilers and runs them."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kognic_aio._text import printable
from kognic_aio._threads import in_thread
from kognic_aio.errors import CompilationError
from kognic_aio.wasm.bounds import MAX_OUTPUT_BYTES, MAX_SHOWN_BYTES
from kognic_aio.wasm.process import Ended, public_environment, run

HOW_TO_GET: Mapping[str, str] = {
    "emcc": "install Emscripten, from emscripten.org or as your system's package `emscripten`",
    "rustc": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
    "cargo": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
}

LAUNCHED = tuple(os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")) if sys.platform == "win32" else ("",)
"""How the names of programs end. Windows lets users leave that out."""


async def run_compiler(command: Sequence[str], source: Path, timeout: float, **defaults: str) -> bytes:
    """What a compiler writes to its standard output when it runs in the folder of a source.

    It raises a CompilationError if the compiler is missing or fails, takes longer, or prints without end.

    Args:
        command: The name of the compiler on the PATH, and its arguments.
        source: What it compiles.
        timeout: Seconds that it may take.
        defaults: Variables of its environment, unless ours has them.
    """
    name, *arguments = command
    path = await in_thread(_trusted_path, source)
    found = await in_thread(_program, name, path)
    if found is None:
        raise CompilationError(
            f"compiling {source.name} needs {name}, which is not on the PATH: {HOW_TO_GET[name]}", command=command
        )
    # What a compiler starts itself has to be found where it was found.
    environment = {**defaults, **public_environment(), "PATH": path, "NoDefaultCurrentDirectoryInExePath": "1"}
    try:
        ended = await run(
            [found, *arguments], env=environment, timeout=timeout, max_output=MAX_OUTPUT_BYTES, cwd=source.parent
        )
    except OSError as error:
        raise CompilationError(f"{found} cannot be started: {error}", command=command) from error
    if problem := _problem(ended, timeout):
        message = f"{name} could not compile {source} ({problem})"
        said = _shown_lines(ended.words)
        raise CompilationError(message, command=command, exit_code=ended.exit_code, output=said)
    return ended.output


def _problem(ended: Ended, timeout: float) -> str | None:
    if ended.timed_out:
        return f"it has not ended within {timeout:g} s"
    if ended.said_too_much:
        return f"it has printed more than {MAX_OUTPUT_BYTES:,} bytes"
    return f"exit code {ended.exit_code}" if ended.exit_code else None


def _shown_lines(words: bytes) -> str:
    """What a compiler has written, line by line: the beginning, where the first error is, and the end."""
    if len(words) > MAX_SHOWN_BYTES:
        half = MAX_SHOWN_BYTES // 2
        words = words[:half] + b"\n[...]\n" + words[-half:]
    lines = words.decode(errors="replace").strip().expandtabs().split("\n")
    return "\n".join(printable(line.removesuffix("\r")) for line in lines)


def _trusted_path(source: Path) -> str:
    """The absolute folders of the PATH, without the current one and that of a source."""
    # What lies beside a source has come with it. A shell would take an empty folder for the current one.
    distrusted = {_resolved(source.parent), _resolved(Path())}
    folders = [
        Path(folder.strip('"')) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
    ]  # " on Windows
    return os.pathsep.join(str(path) for path in folders if path.is_absolute() and _resolved(path) not in distrusted)


def _program(name: str, path: str) -> str | None:
    """The program of a name in the folders of a path. On Windows, `shutil.which` would look elsewhere too."""
    for folder in filter(None, path.split(os.pathsep)):
        for ending in LAUNCHED:
            candidate = os.path.join(folder, f"{name}{ending}")  # noqa: PTH118  # folders stay as the PATH has them
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):  # noqa: PTH113  # as above
                return candidate
    return None


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a folder that was deleted, or a loop of links
        return None
