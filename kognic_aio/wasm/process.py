"""Compilers are processes of their own, which do not outlive what they are run for."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from anyio import move_on_after

from kognic_aio._threads import in_thread
from kognic_aio.errors import CompilationError

HOW_TO_GET: Mapping[str, str] = {
    "emcc": "install Emscripten, from emscripten.org or as your system's package `emscripten`",
    "rustc": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
    "cargo": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
}

DYING_TIME = 5
"""Seconds to wait for the end of a compiler that has been killed."""


async def run_compiler(command: Sequence[str], source: Path, env: Mapping[str, str] | None = None) -> bytes:
    """Run a compiler in the folder of a source; if the task is cancelled, kill it and all that it has started.

    Args:
        command: The compiler, as it is called on the PATH, and its arguments.
        source: What it compiles.
        env: Its environment, None for ours.

    Returns:
        What it wrote to its standard output.

    Raises:
        CompilationError: If it is missing or fails.
    """
    name, *arguments = command
    program = await in_thread(shutil.which, name)
    if program is None:
        raise CompilationError(
            f"compiling {source.name} needs {name}, which is not on the PATH: {HOW_TO_GET[name]}", command=command
        )
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=source.parent,
        env=env,
        start_new_session=True,  # which makes it the leader of a group that can be killed at once
    )
    try:
        output, words = await process.communicate()
    finally:
        if process.returncode is None:
            await _kill(process)
    if process.returncode:
        said = words.decode(errors="replace").strip()
        raise CompilationError(
            f"{name} could not compile {source} (exit code {process.returncode}):\n{said}",
            command=command,
            exit_code=process.returncode,
            output=said,
        )
    return output


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with move_on_after(DYING_TIME, shield=True):
        await process.communicate()
