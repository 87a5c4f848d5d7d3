"""When waiting scenes are asked for, in virtual time: how many queries it takes, and how soon each is seen."""

import random
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import inf

import pytest
from attrs import define, field

from kognic_aio.pipeline.schedule import SCENES_PER_QUERY, SCENES_PER_ROUND, UNSPARED, Schedule, Turn

SLEEP_TIME = 1.0
ROUND_TRIP = 0.05
"""Seconds from one round of queries to the next, at least."""
SOON = SLEEP_TIME + 2 * ROUND_TRIP
"""Seconds within which a scene that is ready has to be seen."""

Duration = Callable[[int, float], float]
"""How long a scene takes, by its number and the time of its commit."""


@define(eq=False)
class Scene(Turn):
    """A scene of the simulated platform, the times at which it was asked for, and how late it was seen to be ready."""

    ready_at: float = 0.0
    seen_after: float = inf
    times: list[float] = field(factory=list[float])


class Simulation:
    """A platform, and a schedule that asks it for scenes, in virtual time."""

    def __init__(self, sleep_time: float | None = None) -> None:
        self.now = 1000.0
        self.schedule = Schedule[Scene](sleep_time, lambda: self.now)
        self.scenes: list[Scene] = []
        self.queries = 0
        self.largest_round = 0

    def run(self, commits: Iterable[float], duration: Duration) -> "Simulation":
        """Commit scenes at some times, each after the one before, and ask for them until all are seen."""
        start, coming = self.now, iter(commits)
        commit = next(coming, inf)
        while commit < inf or any(True for _ in self.schedule):
            while commit <= self.now - start:
                scene = Scene(ready_at=start + commit + duration(len(self.scenes), commit))
                self.scenes.append(scene)
                self.schedule.add(scene)
                commit = next(coming, inf)
            self._ask()
            self.now += max(ROUND_TRIP, min(self.schedule.seconds_left(), start + commit - self.now))
        return self

    def _ask(self) -> None:
        groups = self.schedule.take()
        self.queries += len(groups)
        self.largest_round = max(self.largest_round, sum(map(len, groups)))
        for scene in (scene for group in groups for scene in group):
            scene.times.append(self.now)
            if scene.ready_at <= self.now:
                scene.seen_after = self.now - scene.ready_at
                self.schedule.ready(scene)
                self.schedule.remove(scene)
            else:
                self.schedule.ask_again(scene)

    @property
    def queries_per_scene(self) -> float:
        return self.queries / len(self.scenes)

    def late(self) -> list[Scene]:
        """The scenes that were seen too late."""
        return [scene for scene in self.scenes if scene.seen_after > SOON]


def steadily(rate: float, number: int) -> Iterator[float]:
    """The times of commits at some rate per second."""
    return (n / rate for n in range(number))


def always(seconds: float) -> Duration:
    return lambda number, commit: seconds


def varying(median: float, sigma: float) -> Duration:
    """Durations of a lognormal distribution."""
    return lambda number, commit: random.Random(number).lognormvariate(0, sigma) * median


def either(seconds: float, other: float) -> Duration:
    """One duration or the other, as often."""
    return lambda number, commit: seconds if number % 2 else other


def changing(before: float, after: float, at: float) -> Duration:
    """A duration that changes at some time."""
    return lambda number, commit: before if commit < at else after


def test_ready_at_once() -> None:
    """A single scene that is ready at once is asked for once."""
    (scene,) = Simulation().run([0.0], always(0.0)).scenes
    assert len(scene.times) == 1
    assert scene.seen_after == 0


@pytest.mark.parametrize(("seconds", "queries"), [(0.1, 2), (0.4, 5), (0.9, 10), (5.0, 16)])
def test_a_single_scene(seconds: float, queries: int) -> None:
    """The pauses of a single scene grow up to `sleep_time`, so that it is seen soon and costs few queries."""
    (scene,) = Simulation().run([0.0], always(seconds)).scenes
    pauses = [after - before for before, after in pairwise(scene.times)]
    assert len(scene.times) <= queries
    assert pauses == sorted(pauses)
    assert max(pauses) <= SLEEP_TIME + 1e-9
    assert scene.seen_after <= min(max(2 * ROUND_TRIP, seconds), SOON)


def test_a_long_sleep_time() -> None:
    """Even with a long `sleep_time`, a scene is not asked for after more than twice the time it takes."""
    (scene,) = Simulation(sleep_time=3600).run([0.0], always(20.0)).scenes
    assert scene.seen_after <= 20


@pytest.mark.parametrize("seconds", [0.5, 3.0, 20.0, 100.0])
@pytest.mark.parametrize("rate", [0.5, 20])
def test_a_longer_sleep_time_costs_less(rate: float, seconds: float) -> None:
    """Whoever lets pauses be longer asks no more often."""
    default, longer = (Simulation(sleep_time).run(steadily(rate, 200), always(seconds)) for sleep_time in (None, 30.0))
    assert longer.queries <= default.queries


@pytest.mark.parametrize("rate", [50, 500])
@pytest.mark.parametrize("duration", [always(5.0), always(5.5), varying(5, 0.5)], ids=["5", "5.5", "about 5"])
def test_seconds(rate: float, duration: Duration) -> None:
    """Thousands of scenes that take seconds cost a fraction of a query each, and each is seen within `sleep_time`."""
    simulation = Simulation().run(steadily(rate, 5_000), duration)
    assert simulation.queries_per_scene < 0.15
    assert simulation.late() == []


@pytest.mark.parametrize("rate", [50, 5_000])
def test_minutes(rate: float) -> None:
    """Thousands of scenes that wait for minutes cost a query each, not hundreds, and each is seen when it is ready."""
    simulation = Simulation().run(steadily(rate, 5_000), always(300.0))
    assert simulation.queries_per_scene < 1
    assert simulation.late() == []


def test_quick_and_slow_ones() -> None:
    """Scenes that take a second are seen within `sleep_time`, though as many others take five minutes."""
    simulation = Simulation().run(steadily(50, 5_000), either(1.0, 300.0))
    assert simulation.queries_per_scene < 1
    assert simulation.late() == []


@pytest.mark.parametrize(("before", "after"), [(5.0, 0.1), (60.0, 2.0), (300.0, 0.1), (0.1, 5.0), (2.0, 60.0)])
def test_a_speed_that_changes(before: float, after: float) -> None:
    """When the platform becomes faster or slower in the middle, scenes are still seen as soon, and cost no more."""
    simulation = Simulation().run(steadily(50, 4_000), changing(before, after, 40))
    assert simulation.late() == []
    assert simulation.queries_per_scene < 1


def test_new_scenes_are_not_asked_for_in_vain() -> None:
    """When scenes that were ready at once take seconds, new ones are no longer asked for at once."""
    simulation = Simulation().run(steadily(50, 4_000), changing(0.0, 5.0, 40))
    first_pauses = [scene.times[0] - scene.since for scene in simulation.scenes]
    assert max(first_pauses[200:1_900]) <= 2 * ROUND_TRIP
    assert min(first_pauses[3_000:]) > SLEEP_TIME / 2 - ROUND_TRIP


def test_slow_scenes_count_before_they_are_ready() -> None:
    """Long before the first scene is ready, new ones are no longer asked for at once."""
    simulation = Simulation().run(steadily(50, 1_000), always(300.0))
    assert min(scene.times[0] - scene.since for scene in simulation.scenes[100:]) > SLEEP_TIME / 2 - ROUND_TRIP


def test_quick_scenes_are_found_out() -> None:
    """When scenes become ready at once, those that are committed one by one are seen at once again."""
    simulation = Simulation().run(steadily(0.5, 400), changing(0.9, 0.0, 200))
    assert max(scene.seen_after for scene in simulation.scenes[300:]) < 2 * ROUND_TRIP


def test_scenes_that_take_about_a_sleep_time() -> None:
    """They are seen after a fraction of it on average, though no more than a fraction of a query is spent on each."""
    simulation = Simulation().run(steadily(100, 2_000), always(1.0))
    assert sum(scene.seen_after for scene in simulation.scenes) / 2_000 < 0.25
    assert simulation.queries_per_scene < 0.1


def test_all_that_wait_are_ready_together() -> None:
    """When the platform becomes ready with all waiting scenes at one time, old ones and new ones, all are seen soon."""
    simulation = Simulation().run(steadily(50, 4_500), lambda number, commit: 100 - commit)
    assert simulation.late() == []
    assert simulation.queries_per_scene < 0.5


@pytest.mark.parametrize("seconds", [0.1, 2.2, 30.0, 100.0])
def test_an_odd_scene_among_few(seconds: float) -> None:
    """Up to a few hundred waiting scenes, none is spared: one that differs from all others is seen as soon."""
    commits = [0.0] * UNSPARED
    simulation = Simulation().run(commits, lambda number, commit: seconds if number == UNSPARED // 2 else 60.0)
    assert simulation.late() == []


def test_an_odd_scene_among_thousands() -> None:
    """One that differs from thousands of others is seen within a bound, before the others are ready."""
    simulation = Simulation().run([0.0] * 4_000, lambda number, commit: 100.0 if number == 1_000 else 300.0)
    assert simulation.scenes[1_000].seen_after < 4_000 / UNSPARED * SOON


def test_a_sleep_time_that_is_given() -> None:
    """None of thousands has a longer pause, however unlikely it is to be ready."""
    simulation = Simulation(sleep_time=SLEEP_TIME).run(steadily(500, 2_000), always(30.0))
    pauses = [after - before for scene in simulation.scenes for before, after in pairwise(scene.times)]
    assert max(pauses) <= SOON
    assert simulation.late() == []


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_no_pause(seconds: float) -> None:
    """With a `sleep_time` of 0, every scene is asked for in every round."""
    simulation = Simulation(sleep_time=0.0).run([0.0] * 50, always(seconds))
    assert {scene.seen_after < 2 * ROUND_TRIP for scene in simulation.scenes} == {True}
    assert len({len(scene.times) for scene in simulation.scenes}) == 1


def test_the_longest_waiting_first() -> None:
    """A round asks for a bounded number of scenes, those that wait longest, and the next one for the others."""
    simulation = Simulation()
    scenes = [Scene() for _ in range(2 * SCENES_PER_ROUND + 50)]
    for scene in scenes:
        simulation.schedule.add(scene)
    rounds = [simulation.schedule.take() for _ in range(4)]
    sizes = [[len(group) for group in groups] for groups in rounds]
    assert sizes == [[SCENES_PER_QUERY] * 10, [SCENES_PER_QUERY] * 10, [50], []]
    assert [scene for groups in rounds for group in groups for scene in group] == scenes


def test_those_that_are_due_longest_come_before_newer_ones() -> None:
    """Scenes that were asked for wait for their next turn behind those that nobody has asked for yet, and no longer."""
    simulation = Simulation(sleep_time=0.0)
    scenes = [Scene() for _ in range(2 * SCENES_PER_ROUND)]
    for scene in scenes:
        simulation.schedule.add(scene)
    asked: list[Scene] = []
    for _ in range(4):
        simulation.now += ROUND_TRIP
        taken = [scene for group in simulation.schedule.take() for scene in group]
        for scene in taken:
            simulation.schedule.ask_again(scene)
        asked += taken
    assert asked == 2 * scenes


def test_a_query_is_filled_up() -> None:
    """A query that is due anyway also asks for scenes that are due soon, in the order of their commits."""
    simulation = Simulation()
    scenes = [Scene() for _ in range(3)]
    for scene, pause in zip(scenes, [0.4, 0.0, 0.9], strict=True):
        simulation.schedule.add(scene, pause)
    assert simulation.schedule.take() == [[scenes[0], scenes[1]]]
    assert simulation.schedule.take() == []


def test_a_scene_that_is_asked_for_alone() -> None:
    """A scene that would make the platform refuse a group is in none, and does not fill up a query either."""
    simulation = Simulation()
    scenes = [Scene(), Scene(is_alone=True), Scene(), Scene(is_alone=True)]
    for scene, pause in zip(scenes, [0.0, 0.0, 0.0, 0.3], strict=True):
        simulation.schedule.add(scene, pause)
    assert simulation.schedule.take() == [[scenes[0], scenes[2]], [scenes[1]]]


def test_scenes_that_are_removed() -> None:
    """Scenes that nobody waits for any more are not asked for, and do not pile up until they would be due."""
    simulation = Simulation(sleep_time=3600)
    kept, removed = Scene(), weakref.WeakSet[Scene]()

    def add_and_remove() -> None:
        scene = Scene()
        removed.add(scene)
        simulation.schedule.add(scene, pause=60)
        simulation.schedule.remove(scene)

    simulation.schedule.add(kept, pause=60)
    for _ in range(5 * SCENES_PER_ROUND):
        add_and_remove()
    assert len(removed) < 2 * SCENES_PER_ROUND
    simulation.now += 60
    assert simulation.schedule.take() == [[kept]]


def test_rounds_are_bounded() -> None:
    """However many scenes become ready together, a round asks for a bounded number of them."""
    simulation = Simulation().run([0.0] * 5_000, always(5.0))
    assert simulation.largest_round <= SCENES_PER_ROUND
