"""Processes that are killed, with all their children, when they time out, print too much or are cancelled."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import cast

from anyio import CancelScope, move_on_after
from attrs import frozen

from kognic_aio._threads import with_descriptors

DYING_TIME = 5.0
"""Seconds to wait for a killed process to end. It takes long only on a busy machine."""

DRAINING_TIME = 1.0
"""Seconds to wait for the rest of its output. After that, another process must be holding its pipes."""


@frozen
class Ended:
    """The end of a process: by itself, or killed for one of the last two reasons."""

    exit_code: int | None  # minus the signal that killed it, None if unknown
    output: bytes  # its standard output
    words: bytes  # its standard error
    timed_out: bool
    said_too_much: bool


async def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    max_output: int,
    cwd: Path | None = None,
    given: bytes = b"",
) -> Ended:
    """Run a process. At its end, or if the task is cancelled, it is killed with all its children.

    It may take `timeout` seconds, and write `max_output` bytes to its standard output, and as many to its standard
    error. `given` is its standard input. An OSError is raised if the process cannot be started.
    """
    listener = _Listener(max_output)
    await with_descriptors(_start, listener, command, env, cwd)
    with move_on_after(timeout) as scope:
        try:
            stdin = cast("asyncio.WriteTransport", listener.transport.get_pipe_transport(0))
            stdin.write(given)
            stdin.close()  # once everything is written
            await listener.settled.wait()
        finally:
            await _end(listener)
    output, words = map(bytes, listener.said.values())
    return Ended(listener.transport.get_returncode(), output, words, scope.cancelled_caught, listener.is_over)


def public_environment() -> dict[str, str]:
    """Our environment without the variables of Kognic, which have credentials or name their files."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("KOGNIC_")}


async def _start(listener: "_Listener", command: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> None:
    """Start a process. A cancellation waits for the start, which is quick, so that it can kill the process."""
    with CancelScope(shield=True):
        await asyncio.get_running_loop().subprocess_exec(
            lambda: listener,
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=env,
            start_new_session=True,  # makes it the leader of a group that can be killed together
        )


class _Listener(asyncio.SubprocessProtocol):
    """Keeps the output of a process, up to a bound."""

    transport: asyncio.SubprocessTransport

    def __init__(self, max_output: int) -> None:
        self.said = {1: bytearray(), 2: bytearray()}  # by descriptor
        self.settled = asyncio.Event()  # it has ended, or written too much
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()  # it has ended, and no process holds the other end of its pipes
        self.is_over = False  # whether it has written too much
        self._max_output = max_output

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        said = self.said[fd]
        said += data[: self._max_output + 1 - len(said)]
        if len(said) > self._max_output:
            self.is_over = True
            self.settled.set()

    def process_exited(self) -> None:
        self.exited.set()
        self.settled.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self.closed.set()


async def _end(listener: _Listener) -> None:
    """Kill a process and its group. A process that left the group may hold its pipes, and is not waited for."""
    _kill_all(listener.transport.get_pid())
    try:
        with move_on_after(DYING_TIME, shield=True):
            await listener.exited.wait()
        with move_on_after(DRAINING_TIME, shield=True):
            await listener.closed.wait()
    finally:
        listener.transport.close()


def _kill_all(leader: int) -> None:
    """Kill a group, which may have outlived its leader."""
    try:
        if sys.platform == "win32":  # no groups, but it knows the parent of each process
            tool = Path(os.environ["SYSTEMROOT"], "System32", "taskkill.exe")
            Popen([tool, "/F", "/T", "/PID", str(leader)], stdout=DEVNULL, stderr=DEVNULL)  # noqa: S603  # no shell
        else:
            os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS raises the latter for ended ones
        return
