"""The stopwatch of a client process."""

import time

from attrs import define, field

from benchmarks.child import give_answer


@define
class Stopwatch:
    """Runs from its creation. Create it right before the client, so that imports and scenes are not timed."""

    _began: float = field(factory=time.perf_counter, init=False)
    _cpu_began: float = field(factory=time.process_time, init=False)
    _first: float | None = field(default=None, init=False)
    _created: int = field(default=0, init=False)

    def result(self, *, created: bool) -> None:
        """Count a result."""
        if self._first is None:
            self._first = self._elapsed()
        self._created += created

    def stop(self) -> None:
        """Stop, and report to the parent process."""
        wall, cpu = self._elapsed(), time.process_time() - self._cpu_began
        give_answer({"wall": wall, "first": self._first or wall, "cpu": cpu, "created": self._created})

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began
