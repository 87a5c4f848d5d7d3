"""A child process: it reads one order, writes one answer, and never outlives its parent.

Order and answer are a line of JSON each, on the child's stdin and stdout. Its stdin stays open as long as the parent
lives.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from attrs import frozen

ROOT = Path(__file__).parents[1]

ENVIRONMENT = {
    "NO_PROXY": "127.0.0.1",  # otherwise we would time the machine's proxy
    "TQDM_DISABLE": "1",  # kognic-io's progress bar would overwrite our output
}


class ChildFailedError(Exception):
    """A child ended without an answer. Its stderr says why."""


@frozen
class Child:
    """A running child and its answer."""

    pid: int
    answer: Any


@contextmanager
def child(module: str, order: Any) -> Iterator[Child]:
    """Run a module in a fresh process, which ends with the context.

    Args:
        module: The full name of the module.
        order: Its order, as JSON.

    Raises:
        ChildFailedError: If it ends without an answer.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # on exit, closes its stdin and waits for it
        print(json.dumps(order), file=process.stdin, flush=True)
        line = cast("IO[str]", process.stdout).readline()
        if not line:
            raise ChildFailedError(f"{module} failed")
        yield Child(process.pid, json.loads(line))


def take_order() -> Any:
    """Read the order of the parent, in the child. From then on, this process ends with its parent."""
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return order


def give_answer(answer: Any) -> None:
    """Write the answer for the parent, in the child."""
    print(json.dumps(answer), flush=True)


def client_options(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Restore the keyword arguments of a client from JSON, which has no tuples."""
    return {**plain, "auth": tuple(plain["auth"])}


def _end_with_parent() -> None:
    # Blocks until the parent closes the pipe. Not sys.stdin.read(), which would hold a lock that exit needs.
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)
