"""Runs a compiler: which one, what it gets to know, and what is said when it fails."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kognic_aio._threads import in_thread
from kognic_aio.errors import CompilationError
from kognic_aio.wasm.bounds import MAX_OUTPUT_BYTES
from kognic_aio.wasm.lookup import program, trusted_path
from kognic_aio.wasm.process import Ended, public_environment, run
from kognic_aio.wasm.shown import shown_lines

HOW_TO_GET: Mapping[str, str] = {
    "emcc": "install Emscripten, from emscripten.org or as your system's package `emscripten`",
    "rustc": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
    "cargo": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
}


async def run_compiler(command: Sequence[str], source: Path, timeout: float, **defaults: str) -> bytes:
    """Run a compiler in the folder of a source; if the task is cancelled, kill it and all that it has started.

    Args:
        command: The compiler, as it is called on the PATH, and its arguments.
        source: What it compiles.
        timeout: Seconds that it may take.
        defaults: Variables of its environment, unless ours has them.

    Returns:
        What it wrote to its standard output.

    Raises:
        CompilationError: If it is missing or fails, takes longer, or prints without end.
    """
    name, *arguments = command
    path = await in_thread(trusted_path, source)
    found = await in_thread(program, name, path)
    if found is None:
        raise CompilationError(
            f"compiling {source.name} needs {name}, which is not on the PATH: {HOW_TO_GET[name]}", command=command
        )
    try:
        ended = await run(
            [found, *arguments],
            env={**defaults, **_environment(path)},
            timeout=timeout,
            max_output=MAX_OUTPUT_BYTES,
            cwd=source.parent,
        )
    except OSError as error:
        raise CompilationError(f"{found} cannot be started: {error}", command=command) from error
    if problem := _problem(ended, timeout):
        message = f"{name} could not compile {source} ({problem})"
        said = shown_lines(ended.words)
        raise CompilationError(message, command=command, exit_code=ended.exit_code, output=said)
    return ended.output


def _environment(path: str) -> dict[str, str]:
    """What a compiler gets to know. What it starts itself is looked for where it was."""
    return {**public_environment(), "PATH": path, "NoDefaultCurrentDirectoryInExePath": "1"}


def _problem(ended: Ended, timeout: float) -> str | None:
    if ended.timed_out:
        return f"it has not ended within {timeout:g} s"
    if ended.said_too_much:
        return f"it has printed more than {MAX_OUTPUT_BYTES:,} bytes"
    return f"exit code {ended.exit_code}" if ended.exit_code else None
