"""What all requests to a host share: in virtual time, to the millisecond."""

import asyncio
import logging
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from math import inf
from typing import Any, TypeVar
from weakref import WeakSet

import pytest
from attrs import define, field
from yarl import URL

from kognic_aio._http.circuit_breaker import MAX_GIVEN_UP, REST
from kognic_aio._http.concurrency_limit import FIRST_LIMIT, REDUCTION
from kognic_aio._http.protocol import Answer, api_error
from kognic_aio._http.rate_limiter import CALM, FEW_REFUSALS, FIRST_RATE, SLOWEST_RATE
from kognic_aio._http.retry import Attempts, RetryPolicy, may_repeat
from kognic_aio._http.throttle import MAX_STORAGES, Throttle, Throttles
from kognic_aio._http.tolerance import HOLDS, Tolerance
from kognic_aio.config import Retry
from kognic_aio.errors import (
    ConnectError,
    KognicError,
    LostAnswerError,
    RequestError,
    ServerError,
    TimedOutError,
    UnavailableError,
)
from kognic_aio.events import Event, LimitsChanged
from tests.answers import answer_with

T = TypeVar("T")


@define
class Clock:
    """Each look at it takes a microsecond."""

    now: float = 1000.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle("https://host", clock)


def start(throttle: Throttle, number: int) -> list[float]:
    return [throttle.start() for _ in range(number)]


def succeed(throttle: Throttle, number: int) -> None:
    for _ in range(number):
        throttle.succeeded(throttle.start())
        throttle.end()


def succeed_at_once(throttle: Throttle, number: int) -> None:
    for started in start(throttle, number):
        throttle.succeeded(started)
        throttle.end()


def test_a_host_of_which_nothing_is_known(throttle: Throttle) -> None:
    """A few requests start as they like, and the next one when one of them has ended."""
    start(throttle, FIRST_LIMIT)
    assert throttle.is_calm
    assert throttle.delay() == inf
    throttle.end()
    assert throttle.delay() == 0


def test_any_number_at_once(clock: Clock) -> None:
    """Without adaptation, all requests start as they like until the host pushes back."""
    throttle = Throttle("https://host", clock, adapts=False)
    times = start(throttle, 1000)
    assert throttle.is_calm
    assert throttle.delay() == 0
    throttle.pushed_back(times[0])
    assert throttle.concurrency_limit.limit == pytest.approx(REDUCTION * 999)


def test_less_is_taken_once(throttle: Throttle) -> None:
    """A push-back reduces what is in flight; requests that were on their way then do not reduce it again."""
    times = start(throttle, 8)
    assert [throttle.pushed_back(started) for started in times] == [True] + [False] * 7
    assert throttle.concurrency_limit.limit == pytest.approx(REDUCTION * 7)
    assert throttle.delay() == inf


def test_the_next_may_reduce_it_again(throttle: Throttle) -> None:
    """A request that was started after a push-back and is turned away too reduces it again, down to one."""
    start(throttle, 3)
    for limit in (2, 1, 1, 1):
        assert throttle.pushed_back(throttle.start())
        throttle.end()
        assert int(throttle.concurrency_limit.limit) == limit


def test_it_grows_back(clock: Clock) -> None:
    """It grows to what was not refused, and beyond that after a while, until any number may be in flight again."""
    throttle = Throttle("https://host", clock, adapts=False)
    times = start(throttle, 8)
    for started in times:
        throttle.pushed_back(started)
        throttle.end()
    for _ in range(3):
        succeed_at_once(throttle, int(throttle.concurrency_limit.limit))
    assert throttle.concurrency_limit.limit == 7
    for _ in range(20):
        clock.now += 1
        succeed_at_once(throttle, 8)
    assert throttle.concurrency_limit.limit == inf


@pytest.mark.parametrize(("asked", "waits"), [((2.0,), 2), ((2.0, 5.0), 5), ((5.0, 2.0), 5), ((0.0,), 0)])
def test_who_is_asked_to_wait_speaks_for_all(asked: tuple[float, ...], waits: float, throttle: Throttle) -> None:
    """No request starts before the longest Retry-After that any has got is over."""
    for started, seconds in zip(start(throttle, len(asked)), asked, strict=True):
        throttle.pushed_back(started, seconds)
        throttle.end()
    assert throttle.delay() == pytest.approx(waits, abs=1e-4)


def grant_at(throttle: Throttle, clock: Clock, rate: float, seconds: float) -> None:
    for _ in range(int(rate * seconds)):
        clock.now += 1 / rate
        succeed(throttle, 1)


def refuse_all(throttle: Throttle, clock: Clock, seconds: float) -> None:
    for _ in range(int(seconds * 20)):
        clock.now += 0.05
        throttle.pushed_back(throttle.start())
        throttle.end()


def test_a_rate_that_is_granted(throttle: Throttle, clock: Clock) -> None:
    """A second after the first push-back, starts are paced to a little less than what is granted."""
    grant_at(throttle, clock, 200, 3)
    for _ in range(120):
        grant_at(throttle, clock, 100, 0.01)
        throttle.pushed_back(throttle.start())
        throttle.end()
    assert 90 < throttle.rate_limiter.rate < 96
    clock.now += 1
    throttle.start()
    throttle.end()
    assert 1 / 96 - 0.005 < throttle.delay() < 1 / 90


def test_a_rate_that_nobody_knows(throttle: Throttle) -> None:
    """A host that refuses all from the start is begun with slowly."""
    for started in start(throttle, FEW_REFUSALS):
        throttle.pushed_back(started)
    assert throttle.rate_limiter.rate == FIRST_RATE


def test_recovery_is_quick(throttle: Throttle, clock: Clock) -> None:
    """In an outage in which nothing is granted, the rate falls on and on; after it, it is soon what it was."""
    grant_at(throttle, clock, 100, 3)
    refuse_all(throttle, clock, 20)
    assert throttle.rate_limiter.rate == SLOWEST_RATE
    succeed(throttle, 50)
    assert throttle.rate_limiter.rate > 90


def test_calm_comes_back(throttle: Throttle, clock: Clock) -> None:
    """When nobody has pushed back for long, starts are no longer paced."""
    throttle.pushed_back(throttle.start())
    throttle.end()
    succeed(throttle, 1)
    clock.now += CALM - 1
    assert throttle.delay() == 0
    assert not throttle.is_calm
    clock.now += 2
    assert throttle.delay() == 0
    assert throttle.is_calm


def test_a_rise_of_timeouts(throttle: Throttle) -> None:
    """Three timeouts in a row reduce what is in flight, and do not pace it: a slow host is not one that counts."""
    times = start(throttle, 8)
    assert [throttle.timed_out(started) for started in times] == [False, False, True] + [False] * 5
    assert throttle.concurrency_limit.limit == pytest.approx(REDUCTION * 7)
    assert throttle.rate_limiter.rate == inf


def test_timeouts_now_and_then(throttle: Throttle) -> None:
    """A timeout in ten requests is no rise."""
    for _ in range(100):
        succeed(throttle, 9)
        assert not throttle.timed_out(throttle.start())
        throttle.end()


class VirtualTime(asyncio.SelectorEventLoop):
    """An event loop that does not wait: when nothing is to be done, it is later at once."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds


class _Skipping(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    def __init__(self, loop: VirtualTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for somebody else"
        self._loop.skip(max(timeout, 0))
        return super().select(0)


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=VirtualTime) as runner:
        return runner.run(main())


def now() -> float:
    return asyncio.get_running_loop().time()


def host() -> Throttle:
    return Throttle("https://host", now)


async def send(shared: Throttle, respond: Callable[[], Awaitable[Answer]]) -> Answer:
    started = await shared.start_in_turn()
    try:
        answer = await respond()
        shared.learn_from_answer(answer, started)
    except RequestError as error:
        shared.learn_from_error(error, started)
        raise
    finally:
        shared.end()
    return answer


async def repeating(shared: Throttle, bounds: Retry, respond: Callable[[], Awaitable[T]], key: str | None = None) -> T:
    policy = RetryPolicy(is_retryable=may_repeat, breaker_key=key)
    return await Attempts(policy, bounds, shared).until_success(respond)


def answer(status: int, **headers: str) -> Answer:
    return answer_with(b"", status=status, headers=headers)


@define
class Server:
    """Grants so many requests a second, and saves up so many; refuses others, and some at random.

    Args:
        rate: Requests that it grants in a second.
        saves: Requests that it grants at once after a pause.
        by_the_clock: Whether it counts anew with each full second instead.
        at_once: Requests that it serves at once.
        latency: Seconds until it answers, on average.
        headers: Of a refusal.
        flaw: The share of requests that it refuses for no reason.
        flaw_status: Of these refusals. 500 is no push-back, so that the request alone is repeated later. With None, it
            closes the connection.
        host: What is known of it.
    """

    rate: float = inf
    saves: float = 50
    by_the_clock: bool = False
    at_once: float = inf
    latency: float = 0.001
    headers: dict[str, str] = field(factory=dict)
    flaw: float = 0
    flaw_status: int | None = 429
    host: Throttle = field(factory=host)
    refused: list[bool] = field(factory=list)
    after: list[bool] = field(factory=list)
    _saved: float = field(default=50, init=False)
    _then: float = field(default=0, init=False)
    _busy: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._saved = self.saves

    async def respond(self) -> Answer:
        await asyncio.sleep(self.latency * random.uniform(0.3, 0.7))
        passed = int(now()) - int(self._then) if self.by_the_clock else now() - self._then
        self._saved = min(self.saves, self._saved + (passed * self.rate if passed else 0))
        self._then = now()
        has_flaw = random.random() < self.flaw
        is_refused = self._saved < 1 or self._busy >= self.at_once or has_flaw
        self._saved -= not is_refused
        self.refused.append(is_refused)
        if now() > 2:
            self.after.append(is_refused)
        self._busy += not is_refused
        await asyncio.sleep(self.latency * random.uniform(0.3, 0.7))
        self._busy -= not is_refused
        if has_flaw and self.flaw_status is None:
            raise LostAnswerError("connection lost", method="GET", url="https://host/path")
        status = self.flaw_status if has_flaw and self.flaw_status else 429
        return answer(status, **self.headers) if is_refused else answer(200)

    async def serve(self, requests: int, tasks: int) -> float:
        """Have so many tasks make requests, and tell how long it took."""
        left = iter(range(requests))

        async def attempt() -> None:
            got = await send(self.host, self.respond)
            if got.status != 200:
                raise api_error(got)

        async def work() -> None:
            for _ in left:
                await repeating(self.host, Retry(attempts=10), attempt)

        await asyncio.gather(*(work() for _ in range(tasks)))
        return now()

    @property
    def refused_later(self) -> float:
        return sum(self.after) / len(self.after)


@pytest.mark.parametrize("latency", [0.001, 0.01, 0.05])
@pytest.mark.parametrize("tasks", [16, 200])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["plain", "retry-after"])
def test_a_server_that_grants_fifty_a_second(headers: dict[str, str], tasks: int, latency: float) -> None:
    """A run takes no more than 25 % longer than the server's rate demands, 5 % are refused later, nothing fails."""
    random.seed(4)

    async def main() -> None:
        server = Server(rate=50, latency=latency, headers=headers)
        seconds = await server.serve(500, tasks)
        assert seconds < 500 / 50 * 1.25
        assert server.refused_later < 0.05

    in_virtual_time(main)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["plain", "retry-after"])
def test_a_server_that_counts_by_the_clock(headers: dict[str, str]) -> None:
    """So does a server that counts anew with each second, as many do."""
    random.seed(4)

    async def main() -> None:
        server = Server(rate=50, headers=headers, by_the_clock=True)
        assert await server.serve(1000, 50) < 1000 / 50 * 1.25
        assert server.refused_later < 0.05

    in_virtual_time(main)


@pytest.mark.parametrize("at_once", [1, 2, 4, 8, 16, 50, 100])
def test_a_server_that_takes_a_number_at_once(at_once: int) -> None:
    """It is kept busy, and refuses few requests."""
    random.seed(4)

    async def main() -> None:
        server = Server(at_once=at_once, saves=inf, latency=0.1)
        seconds = await server.serve(500 * at_once, 200)
        assert sum(server.refused) / len(server.refused) < 0.05
        assert seconds < 500 * 0.1 * 1.25

    in_virtual_time(main)


@pytest.mark.parametrize("rate", [5, 500])
def test_servers_of_other_rates(rate: float) -> None:
    """Other rates are learnt as well."""
    random.seed(4)

    async def main() -> None:
        server = Server(rate=rate, saves=rate)
        assert await server.serve(int(rate * 20), 32) < 20 * 1.25

    in_virtual_time(main)


@pytest.mark.parametrize(("latency", "tasks", "requests"), [(0.001, 32, 5000), (0.05, 256, 10_000), (0.3, 128, 3000)])
@pytest.mark.parametrize("flaw", [0.003, 0.01, 0.02, 0.03, 0.05, 0.1])
@pytest.mark.parametrize("status", [429, None], ids=["refused", "lost"])
def test_failures_that_are_not_about_the_load(
    status: int | None, flaw: float, latency: float, tasks: int, requests: int
) -> None:
    """If a host fails so many requests whatever the load, a run takes little more than their retries."""

    async def main(flaw_status: int | None) -> float:
        random.seed(4)
        server = Server(flaw=flaw, flaw_status=flaw_status, saves=inf, latency=latency)
        return await server.serve(requests, tasks)

    seconds, retries_alone = (in_virtual_time(partial(main, each)) for each in (status, 500))
    assert seconds < (2 if flaw < 0.1 else 4) * retries_alone + 2


@pytest.mark.parametrize("flaw", [0.02, 0.05, 0.1, 0.2])
def test_refusals_that_are_not_about_the_rate(flaw: float) -> None:
    """A host that refuses so many requests, however slow they come, is not taken for one of a low rate."""
    random.seed(4)

    async def main() -> None:
        assert await Server(flaw=flaw, saves=inf).serve(2000, 32) < 40

    in_virtual_time(main)


def test_failures_that_end() -> None:
    """A server that takes a number at once refuses few requests again when it has stopped failing others as well."""
    random.seed(4)

    async def main() -> None:
        server = Server(at_once=20, flaw=0.03, saves=inf, latency=0.1)
        await server.serve(4000, 100)
        server.flaw = 0
        await server.serve(20_000, 100)
        later = server.refused[-10_000:]
        assert sum(later) / len(later) < 0.05

    in_virtual_time(main)


def test_an_outage_while_more_is_tried(throttle: Throttle) -> None:
    """Refusals are tolerated for some time only, however few requests succeed."""
    for _ in range(40):  # 5 % are refused, whatever the load
        succeed_at_once(throttle, 19)
        throttle.pushed_back(throttle.start())
        throttle.end()
    reduces = [throttle.pushed_back(throttle.start()) for _ in range(100)]
    assert any(reduces)


def test_what_is_tolerated_is_found_out_again(clock: Clock) -> None:
    """A share that did not depend on the load is not tolerated for good."""
    tolerance = Tolerance(clock)
    tolerance.learn(80, 20)
    assert tolerance.refused(10)
    clock.now += HOLDS + 1
    assert not tolerance.refused(10)


def test_stray_refusals_are_told_rarely(clock: Clock) -> None:
    """One refusal in fifty is no news, however many requests there are; each of them is an event of its own."""
    told: list[Event] = []
    throttle = Throttle("https://host", clock, tell=told.append)
    for _ in range(400):
        succeed_at_once(throttle, 49)
        throttle.pushed_back(throttle.start())
        throttle.end()
        clock.now += 0.1
    assert sum(isinstance(each, LimitsChanged) and each.is_first for each in told) <= 2


def test_any_number_again(clock: Clock) -> None:
    """Without adaptation, refusals that do not depend on the load leave no limit."""
    throttle = Throttle("https://host", clock, adapts=False)
    for _ in range(100):
        for started in start(throttle, 100)[5:]:
            throttle.succeeded(started)
        throttle.pushed_back(clock())
        for _ in range(100):
            throttle.end()
    assert throttle.concurrency_limit.limit == inf


def test_refusals_in_a_row() -> None:
    """A few refusals one after another, each with a Retry-After of a second, cost these seconds and little more."""
    random.seed(4)

    async def main() -> None:
        server = Server(saves=inf)
        await server.serve(500, 32)
        began = now()
        server.flaw, server.headers = 1, {"Retry-After": "1"}
        run = asyncio.create_task(server.serve(500, 32))
        await asyncio.sleep(4.5)
        server.flaw = 0
        await run
        assert now() - began < 8

    in_virtual_time(main)


def test_a_server_without_bounds() -> None:
    """What nobody pushes back takes no longer than its latency."""

    async def main() -> None:
        server = Server(saves=inf, latency=0.01)
        assert await server.serve(1000, 10) < 1000 / 10 * 0.014
        assert server.host.waiting == 0

    in_virtual_time(main)


async def respond_at(times: list[float], with_what: Answer) -> Answer:
    times.append(now())
    return with_what


def test_all_wait_in_turn() -> None:
    """Requests that are made while the host wants peace wait it out and start in their order."""

    async def main() -> None:
        shared, order = host(), list[int]()

        async def respond(name: int) -> Answer:
            assert now() >= 3
            order.append(name)
            return answer(200)

        await send(shared, partial(respond_at, [], answer(429, **{"Retry-After": "3"})))
        await asyncio.gather(*(send(shared, partial(respond, name)) for name in range(9)))
        assert order == list(range(9))

    in_virtual_time(main)


def test_dates() -> None:
    """A Retry-After may be a date; one that has passed keeps nobody waiting."""

    async def main() -> None:
        shared, times = host(), list[float]()
        past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
        await send(shared, partial(respond_at, times, answer(503, **past)))
        await send(shared, partial(respond_at, times, answer(200)))
        assert times == [0, 0]

    in_virtual_time(main)


def test_a_wait_that_is_too_long() -> None:
    """Who is told to come again in an hour gives up; others do not wait for that long."""

    async def main() -> None:
        shared, times = host(), list[float]()
        await send(shared, partial(respond_at, times, answer(429, **{"Retry-After": "3600"})))
        await send(shared, partial(respond_at, times, answer(200)))
        assert times[1] < 1

    in_virtual_time(main)


def test_cancelling_who_waits() -> None:
    """A request that waits ends at once when it is cancelled, and those behind it go on."""

    async def main() -> None:
        shared, times = host(), list[float]()
        await send(shared, partial(respond_at, [], answer(503, **{"Retry-After": "30"})))
        waiting = [asyncio.create_task(send(shared, partial(respond_at, times, answer(200)))) for _ in range(3)]
        await asyncio.sleep(1)
        for task in waiting[:2]:
            task.cancel()
        await asyncio.wait(waiting[:2])
        assert now() == 1
        await waiting[2]
        assert times == [30]
        assert shared.waiting == 0

    in_virtual_time(main)


def test_closing() -> None:
    """When the client closes, nobody goes on waiting."""

    async def main() -> None:
        hosts, times = Throttles(now), list[float]()
        shared = hosts.of(URL("https://host/path"), is_api=True)
        await send(shared, partial(respond_at, [], answer(503, **{"Retry-After": "300"})))
        waiting = [asyncio.create_task(send(shared, partial(respond_at, times, answer(200)))) for _ in range(3)]
        await asyncio.sleep(1)
        hosts.close()
        await asyncio.gather(*waiting)
        assert times == [1, 1, 1]

    in_virtual_time(main)


@pytest.mark.parametrize("status", [200, 503])
def test_many_storages(status: int) -> None:
    """A platform that names another storage for each file does not fill the memory; those in use are kept."""

    async def main() -> None:
        hosts, made = Throttles(now), WeakSet[Throttle]()
        api, used = hosts.of(URL("https://api"), is_api=True), hosts.of(URL("https://used"), is_api=False)
        using = asyncio.create_task(send(used, grant_late))
        await asyncio.sleep(0)
        for number in range(5 * MAX_STORAGES):
            host = hosts.of(URL(f"https://{number}.example"), is_api=False)
            made.add(host)
            await send(host, partial(respond_at, [], answer(status)))
        assert len(made) <= MAX_STORAGES + 1
        assert hosts.of(URL("https://api"), is_api=True) is api
        assert hosts.of(URL("https://used"), is_api=False) is used
        await using

    in_virtual_time(main)


def test_apis_and_storage_are_apart() -> None:
    """All paths of a host share what is known of it; other hosts, and storage on the same one, do not."""
    hosts = Throttles(Clock())
    api = hosts.of(URL("https://host/v1/a?b=c"), is_api=True)
    assert hosts.of(URL("https://host:443/v2"), is_api=True) is api
    assert hosts.of(URL("https://host/v1/a"), is_api=False) is not api
    assert hosts.of(URL("https://other/v1/a"), is_api=True) is not api
    assert hosts.of(URL("https://user:secret@third/?token=secret"), is_api=True).name == "https://third"


def test_one_line_for_all(caplog: pytest.LogCaptureFixture) -> None:
    """A push-back is told once, however many requests it meets: which host, why, how long, how many wait."""

    async def main() -> None:
        shared = host()

        async def refuse() -> Answer:
            await asyncio.sleep(1)
            return answer(429, **{"Retry-After": "3"})

        with caplog.at_level(logging.INFO, "kognic_aio"):
            await asyncio.gather(*(send(shared, refuse) for _ in range(8)))

    in_virtual_time(main)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    limits = "at most 4 concurrent request(s), 10 per second, paused for 3 s; 0 waiting"
    expected = f"https://host is throttled (status 429): {limits}"
    assert record.message == expected


def test_one_request_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """The line about a push-back also fits a single request."""

    async def main() -> None:
        with caplog.at_level(logging.INFO, "kognic_aio"):
            await send(host(), partial(respond_at, [], answer(503)))

    in_virtual_time(main)
    assert ": at most 1 concurrent request(s); " in caplog.text


Attempt = Callable[[], Awaitable[Answer]]


async def refuse() -> Answer:
    raise ConnectError("nobody listens", method="GET", url="https://host/path")


async def grant() -> Answer:
    return answer(200)


async def grant_late() -> Answer:
    await asyncio.sleep(1)
    return await grant()


async def ask(shared: Throttle, respond: Attempt, request: str | None = None) -> Answer:
    return await repeating(shared, Retry(attempts=3), lambda: send(shared, respond), request)


async def break_down(shared: Throttle) -> None:
    for _ in range(MAX_GIVEN_UP - 1):
        with pytest.raises(ConnectError):
            await ask(shared, refuse)
    with pytest.raises(UnavailableError):
        await ask(shared, refuse)


def test_a_host_that_is_broken() -> None:
    """When several requests have given up and nothing has succeeded, there is one error that says so of the host."""

    async def main() -> None:
        shared = host()
        tasks = [asyncio.create_task(ask(shared, refuse)) for _ in range(20)]
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        first = [error for error in errors if isinstance(error, ConnectError)]
        rest = [error for error in errors if isinstance(error, UnavailableError)]
        assert len(first) == MAX_GIVEN_UP - 1
        assert len(rest) == 20 - len(first)
        assert {error.host for error in rest} == {"https://host"}
        assert all(isinstance(error.__cause__, ConnectError) for error in rest)
        assert "the last 3 requests failed after all retries; last error: nobody listens" in str(rest[0])

    in_virtual_time(main)


def test_one_request_that_never_succeeds() -> None:
    """A request that fails again and again says nothing of its host."""

    async def main() -> None:
        shared = host()
        for _ in range(9):
            with pytest.raises(ConnectError):
                await ask(shared, refuse, "the same")

    in_virtual_time(main)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_others_that_succeed(status: int) -> None:
    """As long as anything is answered, a host is not broken."""

    async def main() -> None:
        shared = host()
        for _ in range(9):
            with pytest.raises(ConnectError):
                await ask(shared, refuse)
            await ask(shared, partial(respond_at, [], answer(status)))

    in_virtual_time(main)


def test_a_success_meanwhile() -> None:
    """What has succeeded since a request began counts, even if it was before that gave up."""

    async def main() -> None:
        shared = host()

        async def fail_slowly() -> Answer:
            await asyncio.sleep(60)
            raise TimedOutError("silent", method="GET", url="https://host/path")

        slow = [asyncio.create_task(ask(shared, fail_slowly)) for _ in range(5)]
        await asyncio.sleep(1)
        await send(shared, grant)
        errors = await asyncio.gather(*slow, return_exceptions=True)
        assert {type(error) for error in errors} == {TimedOutError}

    in_virtual_time(main)


def test_a_broken_host_rests() -> None:
    """A broken host is asked nothing for a while, then by one request, which tells for all."""

    async def main() -> None:
        shared, times = host(), list[float]()
        await break_down(shared)
        broken_at = now()
        with pytest.raises(UnavailableError):
            await ask(shared, partial(respond_at, times, answer(200)))
        assert times == []
        await asyncio.sleep(REST)
        with pytest.raises(UnavailableError):
            await ask(shared, refuse)
        with pytest.raises(UnavailableError):
            await ask(shared, partial(respond_at, times, answer(200)))
        await asyncio.sleep(REST)
        await ask(shared, partial(respond_at, times, answer(200)))
        await ask(shared, partial(respond_at, times, answer(200)))
        assert min(times) >= broken_at + 2 * REST
        with pytest.raises(ConnectError):
            await ask(shared, refuse)

    in_virtual_time(main)


def test_who_waits_hears_of_it() -> None:
    """Those who wait for a host that turns out to be broken wait no longer."""

    async def main() -> None:
        shared = host()

        async def fail() -> Answer:
            got = await send(shared, partial(respond_at, [], answer(503, **{"Retry-After": "90"})))
            raise api_error(got)

        async def wait() -> type[KognicError]:
            with pytest.raises(KognicError) as caught:
                await repeating(shared, Retry(attempts=9, max_time=60), fail)
            return type(caught.value)

        kinds = await asyncio.gather(*(wait() for _ in range(20)))
        assert set(kinds[:MAX_GIVEN_UP]) <= {ServerError, UnavailableError}
        assert set(kinds[MAX_GIVEN_UP:]) == {UnavailableError}
        assert now() < 400

    in_virtual_time(main)
