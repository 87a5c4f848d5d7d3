"""The stopwatch of a contender's process: time, CPU and memory."""

import resource
import sys
import time
from pathlib import Path

import psutil
from attrs import define, field

from benchmarks.child import give_answer

SAMPLES = 20
"""How often the memory is read in a run."""


@define
class Stopwatch:
    """Times a run. Create it right before the client, so that imports are not timed.

    Args:
        expected: How many scenes will be created.
    """

    expected: int
    _began: float = field(factory=time.perf_counter, init=False)
    _opened: float = field(default=0.0, init=False)
    _cpu: float = field(default=0.0, init=False)
    _memory: int = field(default=0, init=False)
    _first: float = field(default=0.0, init=False)
    _created: int = field(default=0, init=False)
    _samples: list[tuple[int, int]] = field(factory=list, init=False)
    _process: psutil.Process = field(factory=psutil.Process, init=False)

    def opened(self) -> None:
        """Note that the client is open. All figures but the time for that count from here."""
        self._memory, self._cpu, self._opened = self._resident(), _cpu_seconds(), time.perf_counter()

    def created(self, count: int = 1) -> None:
        """Note that the inputs of so many more scenes were created."""
        if not self._created:
            self._first = time.perf_counter()
        self._created += count
        if self._created % max(1, self.expected // SAMPLES) == 0:
            self._samples.append((self._created, self._resident() - self._memory))

    def stop(self) -> None:
        """Stop, and report to the parent process."""
        now = time.perf_counter()
        give_answer(
            {
                "created": self._created,
                "opening": self._opened - self._began,
                "wall": now - self._opened,
                "first": self._first - self._opened,
                "cpu": _cpu_seconds() - self._cpu,
                "growth": max(0, _peak_memory() - self._memory),
                "memory": self._samples,
            }
        )

    def _resident(self) -> int:
        resident: int = self._process.memory_info().rss
        return resident


def _cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_memory() -> int:
    """The highest resident memory so far, in bytes."""
    if sys.platform == "linux":  # where ru_maxrss includes the memory of the parent before `exec`
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
