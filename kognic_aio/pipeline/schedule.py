"""Decides when to ask for which of the waiting scenes, so that each is seen soon, and all cost few queries."""

import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import Generic, TypeVar

from attrs import define

from kognic_aio.config import DEFAULT_SLEEP_TIME

SCENES_PER_QUERY = 100
"""Scenes in one query."""

SCENES_PER_ROUND = 10 * SCENES_PER_QUERY
"""Scenes to ask for at once. Later ones wait for the next round, which knows what this one has found."""

EARLY = 0.5
"""How much too early a scene may be asked for to fill up a query, as a part of `sleep_time`."""

SHORTEST_PAUSE = 0.15
"""Seconds of the shortest pause between two queries of a scene."""

STEP = 0.25
"""The pause of a scene that is likely to be ready, as a part of its age."""

FIRST_STEP = 0.1
"""The same while nothing is known: the first scene that is ready shows how long the others will take."""

UNSPARED = 400
"""Waiting scenes up to which none is spared: each is asked for within a second."""

GOLDEN = 0.618
"""The golden ratio: its multiples modulo 1 are spread evenly, however many there are."""

RECENT = 500
"""Scenes whose durations are remembered."""

QUICK = 0.05
"""The part of the scenes that count as quick. A new scene is first asked for when a quick one would be ready."""

LATER = 1.5
"""A scene is likely to be ready from a known duration on, until it is this many times as old."""


class Durations:
    """How long scenes have lately taken from their commit until they were ready."""

    def __init__(self) -> None:
        self._recent = deque[float]()
        self._sorted: list[float] = []

    def add(self, seconds: float) -> None:
        """Remember how long a scene took, infinite if it takes longer than anybody knows. The oldest is forgotten."""
        if len(self._recent) == RECENT:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]
        self._recent.append(seconds)
        insort(self._sorted, seconds)

    @property
    def are_known(self) -> bool:
        """Whether anything is known."""
        return bool(self._sorted)

    def first(self) -> float:
        """The age at which a quick scene is likely to be ready; 0 if nothing is known."""
        return self._sorted[int(QUICK * len(self._sorted))] if self._sorted else 0.0

    def next_after(self, age: float) -> float:
        """The least age, from this one on, at which a scene is likely to be ready; infinite if none took so long."""
        place = bisect_left(self._sorted, age / LATER)
        return max(age, self._sorted[place]) if place < len(self._sorted) else inf


@define(eq=False)
class Turn:
    """What a schedule knows of a scene.

    Args:
        number: Its place in the order of commits.
        since: When it was committed, or taken up from an earlier run.
        asked: When it was last found not to be ready. At first the same.
        due: When it is to be asked for.
        is_alone: Whether to ask for it alone, because the platform refuses any group that contains it.
    """

    number: int = 0
    since: float = 0.0
    asked: float = 0.0
    due: float = 0.0
    is_alone: bool = False


T = TypeVar("T", bound=Turn)


class Schedule(Generic[T]):
    """The waiting scenes, and when to ask for each.

    A run learns how long its scenes take, from commit to ready:

    - A new scene is first asked for when a quick one would be ready, or after `sleep_time`. If nothing is known, it is
      asked for at once.
    - Its pauses are as long as it has waited, and `sleep_time` at most. They are shorter if it is likely to be
      ready, or if nothing is known.
    - If more than `UNSPARED` scenes wait, those that are unlikely to be ready have longer pauses. These vary, so that
      some of the scenes are asked for at any time: they show when the platform has become faster.
    - When a scene is ready at an unlikely age, all that are about as old are asked for at once.

    The scenes that are due longest come first. A query costs the same for one scene as for a hundred, so it is filled
    up with those that are due next.

    Args:
        sleep_time: The longest pause, in seconds, between two queries of a scene. By default a second, and none is
            spared if it is given.
        clock: Returns the time in seconds.
    """

    def __init__(self, sleep_time: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.sleep_time = DEFAULT_SLEEP_TIME if sleep_time is None else sleep_time
        self._unspared = UNSPARED if sleep_time is None else inf
        self._clock = clock
        self._durations = Durations()
        self._waiting: dict[T, None] = {}
        self._due: list[tuple[float, int, T]] = []  # a heap; those that were removed stay until they are due
        self._numbers = count()
        self._spread = 0.0
        self._is_surprised = False

    def __iter__(self) -> Iterator[T]:
        """All scenes that wait, in the order of their commits."""
        return iter(self._waiting)

    def add(self, turn: T, pause: float = 0.0) -> None:
        """Add a new scene, to be asked for after `pause` seconds at the earliest."""
        now = self._clock()
        turn.number, turn.since, turn.asked = next(self._numbers), now, now
        self._waiting[turn] = None
        self.postpone(turn, max(pause, min(self._durations.first(), self.sleep_time)))

    def remove(self, turn: T) -> None:
        """Remove a scene that nobody waits for any more."""
        del self._waiting[turn]
        if len(self._due) > 2 * len(self._waiting) + SCENES_PER_ROUND:  # or they would pile up with a long sleep_time
            self._due = [entry for entry in self._due if entry[-1] in self._waiting]
            heapify(self._due)

    def seconds_left(self) -> float:
        """Seconds until a scene is due; infinite if none waits."""
        return self._due[0][0] - self._clock() if self._due else inf

    def take(self) -> list[list[T]]:
        """Take the scenes to ask for now, in groups of the size of a query, each in the order of commits.

        Each of them has to come back by `ask_again` or `postpone`, unless it is ready or removed.
        """
        now = self._clock()
        self._bring_forward(now)
        together: list[T] = []
        alone: list[list[T]] = []
        while self._due and len(together) + len(alone) < SCENES_PER_ROUND:
            due, _, turn = self._due[0]
            has_room = len(together) % SCENES_PER_QUERY and not turn.is_alone
            if due > now + (EARLY * self.sleep_time if has_room else 0.0):
                break
            heappop(self._due)
            if turn not in self._waiting:
                continue
            if turn.is_alone:
                alone.append([turn])
            else:
                together.append(turn)
        together.sort(key=lambda turn: turn.number)
        return [together[i : i + SCENES_PER_QUERY] for i in range(0, len(together), SCENES_PER_QUERY)] + alone

    def postpone(self, turn: T, seconds: float) -> None:
        """Ask for a scene after a pause."""
        self._put(turn, self._clock() + seconds)

    def ask_again(self, turn: T) -> None:
        """Ask again, when it is worth it, for a scene that is not ready."""
        now = self._clock()
        slow = self.sleep_time if self._durations.are_known else min(self.sleep_time, DEFAULT_SLEEP_TIME)
        if turn.asked - turn.since < slow <= now - turn.since:
            # A slow scene counts now. Otherwise new ones would be asked for early until the first slow one is ready.
            self._durations.add(inf)
        turn.asked = now
        self._put(turn, max(turn.due, now + self._pause(now - turn.since)))  # it may have been asked for too early

    def _put(self, turn: T, due: float) -> None:
        turn.due = due
        heappush(self._due, (due, turn.number, turn))

    def _pause(self, age: float) -> float:
        """Seconds until a scene of some age is asked for again."""
        if not self._durations.are_known:
            return min(max(age, 1.0) * FIRST_STEP, self.sleep_time)
        likely = self._durations.next_after(age)
        if likely <= age:
            return min(max(age * STEP, SHORTEST_PAUSE), self.sleep_time)
        self._spread = (self._spread + GOLDEN) % 1
        spared = self._spread * min(age, self.sleep_time * len(self._waiting) / self._unspared)
        return min(max(min(age, likely - age), SHORTEST_PAUSE), max(self.sleep_time, spared))

    def ready(self, turn: T) -> None:
        """Learn from a scene that was found to be ready."""
        now, asked = self._clock(), turn.asked - turn.since
        self._is_surprised |= self._durations.next_after(asked) > now - turn.since
        # It became ready at some time between the last two queries.
        self._durations.add((asked + now - turn.since) / 2)

    def _bring_forward(self, now: float) -> None:
        """After a surprise, bring forward the scenes that were spared and are likely to be ready."""
        if not self._is_surprised:
            return
        self._is_surprised = False
        for i, (due, number, turn) in enumerate(self._due):
            if due > turn.asked + self.sleep_time:
                likely = turn.since + self._durations.next_after(now - turn.since)
                turn.due = min(due, likely)
                self._due[i] = turn.due, number, turn
        heapify(self._due)
