"""What all requests to one host share: a queue when it pushes back, and a circuit that opens when it stays broken."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Hashable, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime
from math import inf
from typing import TypeAlias

import anyio
from yarl import URL

from kognic_aio._http.pressure import Clock, Pressure
from kognic_aio._http.protocol import RETRYABLE_STATUSES, Answer, retry_after
from kognic_aio._threads import is_shortage
from kognic_aio.errors import (
    FINAL,
    ConnectError,
    KognicError,
    LostAnswerError,
    ProxyConnectError,
    RequestError,
    TimedOutError,
    UnavailableError,
)
from kognic_aio.limits import DEFAULT_RETRY_TIME

log = logging.getLogger("kognic_aio")

PUSH_BACK = frozenset({429, 503})
GATEWAY_TIMED_OUT = frozenset({408, 502, 504})
"""Statuses with which a gateway says what a timeout or broken connection would say without it."""

SEVERAL = 3
"""So many different requests have to give up, one after another, until a host is taken to be broken."""

REST = 10.0
"""Seconds after which a host that is broken is tried again, with one request."""

MOST_STORAGES = 1000
"""Hosts of storage that are remembered: the platform may name another one for each file."""


Place: TypeAlias = tuple[str, str | None, int | None]


class Step:
    """A request with all its tries.

    Args:
        request: What tells it from others; by default it is like no other.
    """

    def __init__(self, request: Hashable = None) -> None:
        self.request = self if request is None else request
        self.host: Host | None = None
        self.began = asyncio.get_running_loop().time()
        self.successes_before = 0

    def tries(self, host: "Host") -> None:
        """A try begins at this host."""
        if self.host is not host:
            self.host = host
            self.successes_before = host.successes

    def may_be_mistyped(self, error: Exception) -> bool:
        """Whether what the error is about may be a typing error in the name of its host."""
        return self.host is not None and self.host.may_be_mistyped(error)

    def gave_up(self, error: Exception) -> None:
        """The bounds have been reached.

        Raises:
            UnavailableError: If the host is found to be broken.
        """
        if self.host is None:
            return
        if isinstance(error, KognicError) and self.may_be_mistyped(error):
            self.host.explain(error)
        self.host.gave_up_on(self, error)


_step: ContextVar[Step | None] = ContextVar("step", default=None)


_as_one: ContextVar[object | None] = ContextVar("as_one", default=None)


@contextmanager
def asking_as_one() -> Generator[None, None, None]:
    """Have all that is asked in here, and by tasks that begin in here, count as one request that may give up."""
    token = _as_one.set(object())
    try:
        yield
    finally:
        _as_one.reset(token)


@contextmanager
def step(request: Hashable = None) -> Generator[Step, None, None]:
    """Have the tries that are made in here belong together."""
    one = _as_one.get()
    this = Step(request if one is None else one)
    token = _step.set(this)
    try:
        yield this
    finally:
        _step.reset(token)


class Host:
    """One host: its requests start when it can be expected to take them, and all learn from how each ends.

    Nobody but the first of those who wait looks at the clock, so that they start one by one, in the order in which they
    came. There is no task beside them.

    Args:
        name: Its scheme, name and port.
        clock: Tells the time in seconds.
        settings: What of the client names it, such as `auth_host`; none if the platform does, as with storages.

    Attributes:
        successes: How many requests it has answered.
        is_there: Whether anything has ever been heard from it.
    """

    def __init__(self, name: str, clock: Clock, settings: Sequence[str] = ()) -> None:
        self.name = name
        self.successes = 0
        self.is_there = False
        self._settings = settings
        self._clock = clock
        self._pressure = Pressure(clock)
        self._queue = anyio.Lock()
        self._waiting = 0
        self._change = anyio.Event()
        self._given_up: set[Hashable] = set()
        self._broken_by: Exception | None = None
        self._rests_until = -inf

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses it."""
        return not self._pressure.in_flight and not self._waiting

    @property
    def is_well(self) -> bool:
        """Whether nothing has been learned of it but that all is well."""
        return self._pressure.is_calm and self._broken_by is None and not self._given_up

    async def send(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send a request when its turn comes.

        Raises:
            UnavailableError: If the host is broken.
        """
        if (this := _step.get()) is not None:
            this.tries(self)
        is_free = self._pressure.is_calm and self._broken_by is None
        started = self._pressure.start() if is_free else await self._turn()
        try:
            answer = await request()
        except RequestError as error:
            self._learn_from_error(error, started)
            raise
        else:
            self._learn_from_answer(answer, started)
            return answer
        finally:
            self._pressure.end()
            self._change.set()

    async def _turn(self) -> float:
        """Wait until a request may start."""
        self._waiting += 1
        try:
            async with self._queue:
                self._check_not_broken()
                while (seconds := self._pressure.wait()) > 0:
                    self._change = anyio.Event()
                    with anyio.move_on_after(seconds):
                        await self._change.wait()
                    self._check_not_broken()
                if self._broken_by is not None:
                    self._rests_until = self._clock() + REST  # this one tries for all
                return self._pressure.start()
        finally:
            self._waiting -= 1

    def may_be_mistyped(self, error: Exception) -> bool:
        """Whether there is no connection to what a user has named, and never has been one.

        The platform chooses its storages: what cannot be reached there is no typing error, and may come back.
        """
        is_unheard_of = bool(self._settings) and not self.is_there
        return is_unheard_of and isinstance(error, ConnectError) and not is_shortage(error)

    def explain(self, error: KognicError) -> None:
        """Say in an error which settings to look at; that of a proxy names its own."""
        if not isinstance(error, ProxyConnectError):
            settings = " and ".join(f"`{name}`" for name in self._settings)
            error.explain(f"nothing has ever answered at {self.name}; check the setting {settings}")

    def _learn_from_answer(self, answer: Answer, started: float) -> None:
        self.is_there = True
        if answer.status in PUSH_BACK:
            asked = retry_after(answer.headers, datetime.now(UTC))
            if asked is not None and asked > DEFAULT_RETRY_TIME:
                asked = None  # who gets it gives up; others are to find out for themselves
            self._push(f"status {answer.status}", lambda: self._pressure.pushed_back(started, asked))
        elif answer.status in GATEWAY_TIMED_OUT:
            self._push(f"status {answer.status} repeatedly", lambda: self._pressure.troubled(started))
        elif answer.status not in RETRYABLE_STATUSES:
            self._succeeded(started)

    def _learn_from_error(self, error: RequestError, started: float) -> None:
        self.is_there |= not isinstance(error, ConnectError)
        is_trouble = isinstance(error, ConnectError | LostAnswerError | TimedOutError)
        if is_trouble and not isinstance(error, FINAL):
            self._push(f"{type(error).__name__} repeatedly", lambda: self._pressure.troubled(started))

    def _succeeded(self, started: float) -> None:
        self.successes += 1
        self._pressure.succeeded(started)
        if self._given_up:
            self._given_up.clear()
        if self._broken_by is not None:
            self._broken_by = None
            log.info("%s answers again", self.name)

    def gave_up_on(self, this: Step, error: Exception) -> None:
        """A request has reached its bounds.

        Raises:
            UnavailableError: If several different ones have, and nothing has succeeded since this one began.
        """
        if self.successes > this.successes_before:
            return
        self._given_up.add(this.request)
        if len(self._given_up) >= SEVERAL:
            self._broken_by = copy(error)  # without its traceback, which would keep all that was to be sent
            self._rests_until = self._clock() + REST
            self._change.set()
            log.warning("%s is unavailable: %d requests in a row gave up", self.name, len(self._given_up))
            raise self._unavailable() from error

    def _check_not_broken(self) -> None:
        if self._broken_by is not None and self._clock() < self._rests_until:
            raise self._unavailable() from self._broken_by

    def _unavailable(self) -> UnavailableError:
        why = f"{len(self._given_up)} different requests in a row gave up, the last with: {self._broken_by}"
        return UnavailableError(f"{self.name} is unavailable: {why}", host=self.name)

    def close(self) -> None:
        """Let all go who wait: they will find the client closed."""
        self._pressure = Pressure(self._clock)
        self._broken_by = None
        self._change.set()

    def _push(self, why: str, learn: Callable[[], bool]) -> None:
        """Tell the pressure, and if less is taken for it, the log: one line for everybody."""
        level = logging.WARNING if self._pressure.is_calm else logging.INFO
        if not learn():
            return
        pressure, held = self._pressure, self._pressure.held()
        pace = "" if pressure.pace.rate == inf else f", {pressure.pace.rate:.3g} a second"
        pause = f", none for {held:.3g} s" if held else ""
        log.log(
            level,
            "%s pushes back (%s): at most %d requests at once%s%s; %d wait",
            self.name,
            why,
            pressure.limit,
            pace,
            pause,
            self._waiting,
        )


def _place(url: URL) -> Place:
    """What tells a host from others, however it is written."""
    return url.scheme, url.host, url.port


class Hosts:
    """The hosts that are talked to: APIs and storage apart, even if they are one machine.

    Args:
        clock: Tells the time in seconds.
        base_urls: Those of the APIs, each after the name of what gives it.
    """

    def __init__(self, clock: Clock, base_urls: Iterable[tuple[str, str]] = ()) -> None:
        self._clock = clock
        self._named = [(name, _place(URL(url))) for name, url in base_urls]
        self._hosts: dict[tuple[bool, Place], Host] = {}

    def of(self, url: URL, *, is_api: bool) -> Host:
        """The host of a URL."""
        key = (is_api, _place(url))
        host = self._hosts.get(key)
        if host is None:
            self._make_room()
            settings = dict.fromkeys(name for name, place in self._named if (True, place) == key)
            host = self._hosts[key] = Host(str(url.origin()), self._clock, [*settings])
        return host

    def _make_room(self) -> None:
        """Forget storages if there are many, and those that are in trouble last."""
        if len(self._hosts) < MOST_STORAGES:
            return
        idle = {key: host for key, host in self._hosts.items() if not key[0] and host.is_idle}
        for key in [key for key, host in idle.items() if host.is_well] or idle:
            del self._hosts[key]

    def close(self) -> None:
        """Let all go who wait for any."""
        for host in self._hosts.values():
            host.close()
