"""What something costs, measured in a process of its own."""

import resource
import sys
from pathlib import Path

MEGABYTES = 300
SECONDS = 5.0
"""What nothing that somebody else sends or leaves may cost."""

_UNIT = 2**20 if sys.platform == "darwin" else 2**10


def peak_memory() -> float:
    """The most memory, in MiB, that this process has had, and the largest of its children that have ended.

    Linux counts to a process's `ru_maxrss` what its parent had when it started it, so there its own peak is asked for.
    """
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 2**10
    return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _UNIT
