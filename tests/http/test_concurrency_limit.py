"""How many requests at once pay is found out: in simulations of hosts, in virtual time."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from itertools import count
from math import inf

import pytest
from attrs import define, field

from kognic_aio._http.concurrency_limit import FIRST_LIMIT, ConcurrencyLimit

CEILING = 256
FIXED = (8, 16, 32, 64, 128, 256)
Respond = Callable[[bool], None]


@define
class Simulation:
    """A clock that jumps from one event to the next."""

    now: float = 0.0
    _events: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _number: "count[int]" = field(factory=count)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._number), action))

    def step(self) -> None:
        self.now, _, action = heapq.heappop(self._events)
        action()


@define
class Host:
    """Serves each request in the same time, spread by a factor.

    Args:
        seconds: The mean time of a response.
        spread: The standard deviation of its logarithm.
    """

    seconds: float
    spread: float = 0.3

    def varied(self, seconds: float) -> float:
        return seconds * random.lognormvariate(-(self.spread**2) / 2, self.spread)

    def serve(self, simulation: Simulation, respond: Respond) -> None:
        simulation.after(self.varied(self.seconds), lambda: respond(True))


@define
class Crowded(Host):
    """The more requests it has, the longer each takes: twice as long with `capacity`."""

    capacity: int = 30
    _busy: int = 0

    def serve(self, simulation: Simulation, respond: Respond) -> None:
        self._busy += 1

        def end() -> None:
            self._busy -= 1
            respond(True)

        simulation.after(self.varied(self.seconds * (1 + self._busy / self.capacity)), end)


@define
class Pool(Host):
    """Serves `at_once` requests at once, behind a network, and queues or refuses the others.

    With one at once and no network, it is a link of a fixed bandwidth.
    """

    at_once: int = 1
    network: float = 0.0
    refuses: bool = False
    _busy: int = 0
    _queue: deque[Respond] = field(factory=deque)

    def serve(self, simulation: Simulation, respond: Respond) -> None:
        simulation.after(self.network / 2, lambda: self._arrive(simulation, respond))

    def _arrive(self, simulation: Simulation, respond: Respond) -> None:
        if self._busy < self.at_once:
            self._begin(simulation, respond)
        elif self.refuses:
            simulation.after(self.network / 2, lambda: respond(False))
        else:
            self._queue.append(respond)

    def _begin(self, simulation: Simulation, respond: Respond) -> None:
        self._busy += 1

        def end() -> None:
            self._busy -= 1
            if self._queue:
                self._begin(simulation, self._queue.popleft())
            simulation.after(self.network / 2, lambda: respond(True))

        simulation.after(self.varied(self.seconds), end)


@define
class Run:
    """Makes requests, as many at once as the limit allows, and `ceiling` at most; later, at a time, to another host."""

    host: Host
    requests: int
    then: tuple[float, Host] | None = None
    ceiling: int = CEILING
    adapts: bool = True
    simulation: Simulation = field(factory=Simulation, init=False)
    limit: ConcurrencyLimit = field(init=False)
    limits: list[float] = field(factory=list, init=False)
    succeeded: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        random.seed(4)
        self.limit = ConcurrencyLimit(lambda: self.simulation.now, adapts=self.adapts)
        if self.then is not None:
            self.simulation.after(self.then[0], self._change)
        self._start()
        while self.succeeded < self.requests:
            self.simulation.step()
            self.limits.append(self.limit.limit)

    @property
    def seconds(self) -> float:
        return self.simulation.now

    @property
    def refused_share(self) -> float:
        return self.refused / (self.refused + self.succeeded)

    def _change(self) -> None:
        assert self.then is not None
        self.host = self.then[1]

    def _start(self) -> None:
        while self.limit.in_flight < self.ceiling and not self.limit.is_reached:
            self.limit.started()
            self.host.serve(self.simulation, self._responding(self.simulation.now))

    def _responding(self, started: float) -> Respond:
        def respond(is_success: bool) -> None:
            if is_success:
                self.succeeded += 1
                self.limit.succeeded(started, self.simulation.now - started)
            else:
                self.refused += 1
                self.limit.pushed_back(started)
            self.limit.ended()
            self._start()

        return respond


def best(host: Callable[[], Host], requests: int) -> float:
    """The seconds that the best fixed limit takes."""
    return min(Run(host(), requests, ceiling=fixed, adapts=False).seconds for fixed in FIXED)


@pytest.mark.parametrize(("seconds", "requests"), [(0.01, 20_000), (0.03, 20_000), (0.1, 15_000), (0.3, 12_000)])
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_a_host_that_serves_any_number(seconds: float, requests: int, spread: float) -> None:
    """The limit grows to the ceiling, and costs no more than 15 % to find, 30 % if responses differ very much."""
    run = Run(Host(seconds, spread), requests)
    assert run.limit.limit >= CEILING
    assert run.seconds < (1.15 if spread < 1 else 1.3) * best(lambda: Host(seconds, spread), requests)


@pytest.mark.parametrize("at_once", [1, 4, 20, 100])
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_a_host_that_queues(at_once: int, spread: float) -> None:
    """The limit stays near the number that is served at once, and the host never waits."""

    def host() -> Host:
        return Pool(0.05, spread, at_once=at_once, network=0.05)

    run = Run(host(), 300 * at_once)
    assert run.seconds < 1.1 * best(host, 300 * at_once)
    settled = run.limits[len(run.limits) // 4 :]
    assert sum(settled) / len(settled) < 60 + 8 * at_once


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_a_host_that_queues_for_a_long_time(spread: float) -> None:
    """However often the base time is measured, the limit does not drift, and little time is lost by it."""
    at_once, seconds = 20, 120
    run = Run(Pool(0.05, spread, at_once=at_once, network=0.05), seconds * int(at_once / 0.05))
    later = run.limits[len(run.limits) // 2 :]
    assert sum(later) / len(later) < 150
    assert run.seconds < 1.05 * seconds


@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_a_link_of_a_fixed_bandwidth(at_once: int) -> None:
    """Large files are not sent all at once: with few of them, the link is full."""
    run = Run(Pool(1.0, at_once=at_once), 60 * at_once)
    assert run.seconds < 1.1 * best(lambda: Pool(1.0, at_once=at_once), 60 * at_once)
    assert max(run.limits) < 32 + 8 * at_once


def test_a_host_that_gets_slower_with_its_load() -> None:
    """The limit stops where more requests at once only take longer, and gains nearly all that is to be had."""
    run = Run(Crowded(0.05), 10_000)
    assert run.seconds < 1.25 * best(lambda: Crowded(0.05), 10_000)


@pytest.mark.parametrize("at_once", [1, 2, 4, 8, 16, 50, 100])
def test_a_host_that_refuses(at_once: int) -> None:
    """A host that takes so many at once is kept busy, and refuses no more than 5 % of the requests."""
    run = Run(Pool(0.05, at_once=at_once, network=0.01, refuses=True), 400 * at_once)
    assert run.refused_share < 0.05
    assert run.seconds < 1.1 * 400 * 0.06


@pytest.mark.parametrize(
    ("before", "after", "at_best"),
    [
        (Host(0.03), Host(0.3), 30_000 / CEILING * 0.3),
        (Host(0.3), Host(0.03), 5 + 26_000 / CEILING * 0.03),
        (Pool(0.05, at_once=10), Pool(0.05, at_once=100), 5 + 29_000 / 2000),
        (Pool(0.05, at_once=10, refuses=True), Pool(0.05, at_once=100, refuses=True), 5 + 29_000 / 2000),
        (Pool(0.05, at_once=100, refuses=True), Pool(0.05, at_once=10, refuses=True), 5 + 20_000 / 200),
    ],
    ids=["slower", "faster", "more at once", "more at once, refusing", "fewer at once, refusing"],
)
def test_a_host_that_changes(before: Host, after: Host, at_best: float) -> None:
    """What was found holds for a while only: within seconds, the limit is right for the host as it is now."""
    run = Run(before, 30_000, then=(5, after))
    assert run.seconds < 1.25 * at_best
    assert run.refused_share < 0.05


def test_the_limit_grows_fast_at_first() -> None:
    """It comes from the first limit to the ceiling in three round trips, if the host does not get busy."""
    run = Run(Host(0.3, spread=0.0), FIRST_LIMIT * (1 + 4 + 16))
    assert run.limits[-1] >= CEILING
    assert run.seconds == pytest.approx(3 * 0.3)


def test_measuring_what_takes_long() -> None:
    """Where responses take seconds and differ, to measure the base time anew costs little: it then holds for longer."""
    host = Host(2.0, spread=0.5)
    assert Run(host, 8_000).seconds < 1.25 * Run(host, 8_000, adapts=False).seconds


def test_a_refusal_while_the_base_time_is_measured() -> None:
    """It says something about the requests in flight, not about the few that measuring allows."""
    clock = Simulation()
    limit = ConcurrencyLimit(lambda: clock.now)
    for _ in range(400):  # responses take ever longer, so that it has to be measured
        while not limit.is_reached:
            limit.started()
        started, clock.now = clock.now, clock.now + 0.1
        for _ in range(limit.in_flight):
            limit.ended()
            limit.succeeded(started, 0.1 + clock.now / 10)
        if limit.limit == FIRST_LIMIT and clock.now > 10:
            break
    for _ in range(100):  # those that are still in flight
        limit.started()
    limit.pushed_back(clock.now)
    assert limit.limit > FIRST_LIMIT


def test_few_requests() -> None:
    """The limit does not grow beyond what is made use of."""
    assert max(Run(Host(0.1), 2000, ceiling=10).limits) <= 2 * 10 + 1


def test_one_request_at_a_time() -> None:
    """Those say nothing about more."""
    assert set(Run(Host(0.1), 100, ceiling=1).limits) == {FIRST_LIMIT}


def test_requests_of_different_kinds() -> None:
    """Slow requests among fast ones are no sign of a busy host, also if they come later."""
    now = 0.0
    limit = ConcurrencyLimit(lambda: now)
    for number in range(3000):
        kind, seconds = ("query", 1.0) if number > 1000 and number % 2 else ("commit", 0.05)
        for _ in range(FIRST_LIMIT):
            limit.started()
        now += seconds
        for _ in range(FIRST_LIMIT):
            limit.succeeded(now - seconds, seconds, kind)
            limit.ended()
    assert limit.limit > FIRST_LIMIT


def test_any_number_at_once() -> None:
    """Without adaptation there is no limit."""
    assert set(Run(Host(0.1), 2000, adapts=False).limits) == {inf}
