"""A server in a process of its own: started, waited for until it answers, and stopped in the end."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_TIME = 30.0
PAUSE = 0.05


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def running(command: Sequence[str], folder: Path, is_ready: Callable[[], object]) -> Generator[None, None, None]:
    """Run a server until the end of the block.

    Args:
        command: What to run.
        folder: Where to run it, and where its output goes.
        is_ready: Raises OSError as long as it is not.
    """
    output = folder / "output"
    with output.open("wb") as stream, subprocess.Popen(command, cwd=folder, stdout=stream, stderr=stream) as process:
        try:
            deadline = time.monotonic() + START_TIME
            while not _succeeds(is_ready):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not answer:\n{output.read_text(errors='replace')[-2000:]}")
                time.sleep(PAUSE)
            yield
        finally:
            process.kill()


def send(method: str, url: str, body: bytes | None = None) -> bytes:
    """Send a request, and return the body of a successful answer."""
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=START_TIME) as response:
        content: bytes = response.read()
    return content


def _succeeds(action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError:  # of which urllib's errors are
        return False
    return True
