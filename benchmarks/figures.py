"""What is measured."""

from collections.abc import Callable
from statistics import median
from typing import TypeAlias

from attrs import frozen

from benchmarks.cases import Case

STATUS_QUERY = "POST v2/scenes/query"


@frozen(kw_only=True)
class Figures:
    """The figures of one run. They begin when the client is open.

    Args:
        opening: Seconds to open the client.
        wall: Seconds until all inputs are created.
        first: Seconds until the first result.
        cpu: CPU seconds of the client's process, user and system.
        growth: Bytes by which its resident memory grew, at the peak.
        memory: Numbers of results, each with the bytes by which the memory had grown then.
        requests: Requests by endpoint, as the emulator counted them, with those of the opening.
        refused: How many of them exceeded the rate that the emulator accepts.
        connections: How many connections were opened.
        peak_connections: How many there were at once.
        server_cpu: CPU seconds of the emulator's process.
    """

    opening: float
    wall: float
    first: float
    cpu: float
    growth: int
    memory: tuple[tuple[int, int], ...]
    requests: dict[str, int]
    refused: int
    connections: int
    peak_connections: int
    server_cpu: float

    @property
    def all_requests(self) -> int:
        """All requests."""
        return sum(self.requests.values())

    @property
    def status_queries(self) -> int:
        """Requests for the status of scenes."""
        return self.requests.get(STATUS_QUERY, 0)


Figure: TypeAlias = Callable[[Figures], float]
"""One of the figures."""


@frozen
class Outcome:
    """The runs of a case.

    Args:
        case: The case.
        runs: The runs of each contender.
    """

    case: Case
    runs: dict[str, tuple[Figures, ...]]

    def median(self, contender: str, figure: Figure) -> float:
        """The median of a figure of a contender."""
        return median(map(figure, self.runs[contender]))

    def ratio(self, contender: str, other: str, figure: Figure) -> float:
        """How many times that of another contender its figure is."""
        return self.median(contender, figure) / self.median(other, figure)


def wall(figures: Figures) -> float:
    """Seconds until all inputs are created."""
    return figures.wall


def first(figures: Figures) -> float:
    """Seconds until the first result."""
    return figures.first


def cpu(figures: Figures) -> float:
    """CPU seconds of the client's process."""
    return figures.cpu
