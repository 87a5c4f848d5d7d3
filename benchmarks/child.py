"""A process of ours: it is given one order, gives one answer, and never outlives its parent.

Both are a line of JSON, on the child's stdin and stdout. Its stdin stays open as long as the parent lives.
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
    "NO_PROXY": "127.0.0.1",  # a proxy of the machine's would be what is timed
    "TQDM_DISABLE": "1",  # kognic-io draws a progress bar over ours
}


class ChildFailedError(Exception):
    """A child ended without an answer; what went wrong is on its stderr."""


@frozen
class Child:
    """A running child and its answer."""

    pid: int
    answer: Any


@contextmanager
def child(module: str, order: Any) -> Iterator[Child]:
    """Run a module of ours in a fresh process, which ends with the context.

    Args:
        module: Its full name.
        order: What it is to do, as JSON.

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
    with process:  # closes its stdin in the end, and waits for it
        print(json.dumps(order), file=process.stdin, flush=True)
        line = cast("IO[str]", process.stdout).readline()
        if not line:
            raise ChildFailedError(f"{module} failed")
        yield Child(process.pid, json.loads(line))


def take_order() -> Any:
    """In the child: what the parent wants. From now on this process ends when the parent is gone."""
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return order


def give_answer(answer: Any) -> None:
    """In the child: tell the parent."""
    print(json.dumps(answer), flush=True)


def client_options(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a client, which have been JSON, that has no tuples."""
    return {**plain, "auth": tuple(plain["auth"])}


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing comes but the end; sys.stdin itself would be locked at exit
    os._exit(0)
