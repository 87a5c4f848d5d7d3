"""What something costs, measured in a process of its own."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 300
SECONDS = 5.0
"""What nothing that somebody else sends or leaves may cost, in memory and in work."""

_UNIT = 2**20 if sys.platform == "darwin" else 2**10


def worked() -> float:
    """The seconds that this process has computed, and its children that have ended.

    Other processes of a busy machine do not lengthen them, as they lengthen whatever a clock measures.
    """
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def bounded_work() -> Iterator[None]:
    """See that what is done here is no more than seconds of work."""
    before = worked()
    yield
    assert worked() - before < SECONDS


def peak_memory() -> float:
    """The most memory, in MiB, that this process has had, and the largest of its children that have ended.

    Linux counts to a process's `ru_maxrss` what its parent had when it started it, so there its own peak is asked for.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 2**10
    return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _UNIT
