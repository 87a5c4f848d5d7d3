"""Runs a command in a terminal of a given width."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence

from tests.cli.support import environment
from tests.waiting import GENEROUS


def in_terminal(command: Sequence[str], columns: int, **variables: str) -> tuple[int, str]:
    """Run a command in a pseudo-terminal; return its exit code and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment(TERM="xterm-256color", **variables)
        )
        os.close(theirs)
        output = b"".join(_chunks(ours)).decode()
        return process.wait(GENEROUS), output
    finally:
        os.close(ours)


def _chunks(terminal: int) -> Iterator[bytes]:
    """What is written until nobody has the terminal open any longer, which Linux tells as an error."""
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:
        return
