"""Faults to inject into an emulator: what goes wrong, and when.

    from kognic_aio.emulator import Emulator, faults

    emulator.faults.add(faults.Status(503, retry_after=1), on="POST v1/inputs", times=2)
    emulator.faults.add(faults.Drop(after_effect=True), on=faults.COMMIT)
    emulator.faults.add(faults.CorruptUpload(), probability=0.01, seed=7)

A fault says what goes wrong. `Faults.add` says which requests it strikes. Each happens before or after the effect of
its request:

    RequestFault
    ├── Status           an error status                        before or after the effect
    ├── Html             HTML where JSON or nothing is expected  before or after the effect
    ├── Redirect         the client is sent elsewhere           before or after the effect
    ├── LongHeader       the response has a long header         before or after the effect
    ├── Drop             the connection is reset, no response   before or after the effect
    ├── ResetRequest     the connection is reset while the request is read             before
    ├── StopReading      the server stops reading, no response                         before
    ├── ResetAnswer      the connection is reset in the middle of the response          after
    ├── TruncatedJson    the response ends too early                                    after
    ├── LateEffect       a gateway gives up, and the effect comes later                before
    ├── SlowAnswer       the response comes late                                        after
    ├── CorruptUpload    something else is stored than was sent                         after
    ├── ExpiredUrl       a signed URL expires                                          before
    └── RevokeTokens     all tokens become invalid                                     before
    SceneFault
    ├── FailProcessing   a scene becomes failed
    └── HangProcessing   a scene is processed forever
    QueryLimit           a query for the status of too many scenes is refused

Before the effect, the endpoint has not run, so nothing can have changed. After it, the endpoint has run to its end,
with or without success.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Generic, Literal, TypeVar

import attrs

Access = Literal["token", "open", "signed"]

EVERYTHING = "*"
APIS = "* v*"
UPLOADS = "PUT storage/*"
DOWNLOADS = "GET storage/*"
SIGNED_URLS = "* storage/*"
TOKENS = "POST v1/auth/oauth/token"
COMMIT = "POST v1/inputs/{scene}/actions/commit"
STATUS_QUERY = "POST v2/scenes/query"


class Fault:
    """Something that goes wrong."""

    on: ClassVar[str] = EVERYTHING
    """What it strikes by default."""

    times: ClassVar[float] = 1
    """How often it strikes by default, if it has no probability."""


class RequestFault(Fault):
    """A fault of a request; `on` names routes."""

    access: ClassVar[Access | None] = None
    """The only kind of route that it can strike; None for all."""

    after_effect: bool
    """Whether the endpoint runs."""


@attrs.frozen
class Status(RequestFault):
    """An error status, in the form of the API or of the storage.

    Args:
        status: The HTTP status.
        retry_after: The value of Retry-After: seconds or a date; by default there is no such header.
        after_effect: Whether the request takes effect nevertheless.
    """

    status: int
    retry_after: float | datetime | None = attrs.field(default=None, kw_only=True)
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Html(RequestFault):
    """An HTML page, such as proxies send.

    Args:
        status: The HTTP status; by default that of success.
        after_effect: Whether the request takes effect nevertheless.
    """

    status: int = 200
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Redirect(RequestFault):
    """A redirect, such as to the login of a proxy.

    Args:
        location: The value of Location.
        status: The HTTP status.
        after_effect: Whether the request takes effect nevertheless.
    """

    location: str = "http://login.invalid/portal"
    status: Literal[301, 302, 303, 307, 308] = 302
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class LongHeader(RequestFault):
    """A header that is longer than many clients accept.

    Args:
        size: Bytes of its value.
        after_effect: Whether the request takes effect and its response has the header; if not, an empty 503 has it.
    """

    size: int = 9000
    after_effect: bool = attrs.field(default=True, kw_only=True)


@attrs.frozen(kw_only=True)
class Drop(RequestFault):
    """The request is read, then its connection is reset without a response.

    Args:
        after_effect: Whether the request takes effect nevertheless.
    """

    after_effect: bool = False


@attrs.frozen
class ResetRequest(RequestFault):
    """The connection is reset while the client is sending.

    Args:
        after: Bytes of the body that are read before; a shorter body is read whole.
    """

    after: int = 1
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class StopReading(RequestFault):
    """The server stops reading the request and does not respond, until the client goes away.

    Args:
        after: Bytes of the body that are read before; a shorter body is read whole.
    """

    after: int = 1
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class ResetAnswer(RequestFault):
    """The connection is reset after half of the response."""

    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class TruncatedJson(RequestFault):
    """The response has only the first half of its body, and a Content-Length that fits that half."""

    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class LateEffect(RequestFault):
    """A gateway responds with 504 at once, and the request takes effect later.

    Args:
        seconds: How long after the response.
    """

    access = "token"
    seconds: float
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class SlowAnswer(RequestFault):
    """The response comes late.

    Args:
        seconds: How long.
    """

    seconds: float
    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class CorruptUpload(RequestFault):
    """The file is stored with one byte too many, as its size and digests show; the response is 200."""

    on = UPLOADS
    access = "signed"
    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class ExpiredUrl(RequestFault):
    """A signed URL expires.

    Args:
        status: 400 with `ExpiredToken`, as Google's storage responds, or 403 with `AccessDenied`, as others do.
    """

    on = SIGNED_URLS
    access = "signed"
    status: Literal[400, 403] = 400
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class RevokeTokens(RequestFault):
    """All tokens become invalid, refresh tokens too; the response is 401."""

    access = "token"
    after_effect: bool = attrs.field(default=False, init=False)


class SceneFault(Fault):
    """A fault in the processing of a scene; `on` names external ids."""


@attrs.frozen
class FailProcessing(SceneFault):
    """A scene becomes failed.

    Args:
        message: The platform's explanation.
    """

    message: str = "the scene could not be processed"


@attrs.frozen
class HangProcessing(SceneFault):
    """A scene stays in processing forever."""


@attrs.frozen
class QueryLimit(Fault):
    """Queries for the status of too many scenes are refused with 400: all of them, unless `times` is given.

    Args:
        most: How many scenes a query may name.
    """

    on = STATUS_QUERY
    times = math.inf
    most: int


F = TypeVar("F", bound=Fault)


@attrs.define(eq=False)
class Planned(Generic[F]):
    """A fault that was added, and how often it has struck.

    Args:
        fault: What goes wrong.
        on: The name or pattern of what it may strike.
        times: How often it strikes at most.
        skip: How many matching requests pass before it may strike.
        probability: The probability of striking each later one; None for always.
        seed: The seed of its own random numbers.
    """

    fault: F
    on: str
    times: float
    skip: int
    probability: float | None
    seed: int
    seen: int = attrs.field(default=0, init=False)
    """How many matching requests (or scenes) it has seen."""

    injected: int = attrs.field(default=0, init=False)
    """How many of them it has struck."""

    _random: random.Random = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # has to be reproducible, not secure

    @property
    def exhausted(self) -> bool:
        """Whether it has struck `times` times."""
        return self.injected >= self.times

    def matches(self, name: str) -> bool:
        """Whether it may strike a route or an external id."""
        return name == self.on or fnmatchcase(name, self.on)

    def strikes(self) -> bool:
        """Whether it strikes one more that matches."""
        self.seen += 1
        if self.seen <= self.skip or (self.probability is not None and self._random.random() >= self.probability):
            return False
        self.injected += 1
        return True


class Faults:
    """The faults of a platform. A fresh one has none.

    A request meets the faults that match it in the order in which they were added. The first that strikes ends the
    search, so faults for the same route are a queue. Only the order of matching requests decides which one is struck.
    """

    def __init__(self) -> None:
        self.routes: Mapping[str, Access] = {}
        """The access of each route by its name. An emulator sets it; then a fault that matches no route is an error."""

        self.for_requests: list[Planned[RequestFault]] = []
        """The faults of requests. The front door skips the search while there are none."""

        self.injected: Counter[str] = Counter()
        """How often each fault was injected, by the name of its class. `clear` does not reset it."""

        self._for_scenes: list[Planned[SceneFault]] = []
        self._for_queries: list[Planned[QueryLimit]] = []

    def add(
        self,
        fault: F,
        *,
        on: str | None = None,
        times: float | None = None,
        skip: int = 0,
        probability: float | None = None,
        seed: int = 0,
    ) -> Planned[F]:
        """Add a fault, and return its plan, which counts how often it strikes.

        Args:
            fault: What goes wrong.
            on: The route that it strikes, by its name, such as `POST v1/inputs/{scene}/actions/commit`, or by a
                pattern, such as `POST v1/inputs*`; for a `SceneFault`, external ids. By default all that it can
                strike, requests for tokens too. Constants name some: `APIS`, `UPLOADS`, `SIGNED_URLS`, `COMMIT`.
            times: How often it strikes: once by default, with a probability any number of times; `math.inf` is always.
            skip: How many matching requests pass before it may strike.
            probability: The probability of striking each later one; by default it always does.
            seed: The seed of its random numbers, which it shares with no other fault.

        Raises:
            ValueError: If the fault can strike no route that matches `on`, or a number is out of range.
        """
        planned = Planned(
            fault=fault,
            on=fault.on if on is None else on,
            times=(fault.times if probability is None else math.inf) if times is None else times,
            skip=skip,
            probability=probability,
            seed=seed,
        )
        self._check(planned)
        self._list_of(fault).append(planned)
        return planned

    def _check(self, planned: Planned[F]) -> None:
        if planned.times < 1 or planned.skip < 0 or not 0 <= (planned.probability or 0) <= 1:
            raise ValueError("times must be 1 or more, skip 0 or more, and probability from 0 to 1")
        if not self.routes or not isinstance(planned.fault, RequestFault):
            return
        if not any(_concerns(planned, route, access) for route, access in self.routes.items()):
            name = type(planned.fault).__name__
            raise ValueError(f"{name} can strike no route {planned.on!r}: the names are such as {COMMIT!r}")

    def _list_of(self, fault: Fault) -> list[Planned[Any]]:
        match fault:
            case SceneFault():
                return self._for_scenes
            case QueryLimit():
                return self._for_queries
            case _:
                return self.for_requests

    def clear(self) -> None:
        """Remove all faults. The counters stay."""
        for plans in (self.for_requests, self._for_scenes, self._for_queries):
            plans.clear()

    def strike_request(self, route: str, access: Access) -> RequestFault | None:
        """The fault that strikes a request to a route, if any."""
        return self._strike(self.for_requests, lambda planned: _concerns(planned, route, access))

    def strike_scene(self, external_id: str) -> SceneFault | None:
        """The fault that strikes a scene when its processing begins, if any."""
        return self._strike(self._for_scenes, lambda planned: planned.matches(external_id))

    def strike_query(self, scenes: int) -> QueryLimit | None:
        """The limit that a query for the status of so many scenes exceeds, if any."""
        return self._strike(self._for_queries, lambda planned: scenes > planned.fault.most)

    def _strike(self, plans: list[Planned[F]], concerns: Callable[[Planned[F]], bool]) -> F | None:
        for planned in plans:
            if concerns(planned) and planned.strikes():
                if planned.exhausted:
                    plans.remove(planned)
                self.injected[type(planned.fault).__name__] += 1
                return planned.fault
        return None


def _concerns(planned: Planned[Any], route: str, access: Access) -> bool:
    """Whether a fault may strike a request to a route."""
    return planned.fault.access in (None, access) and planned.matches(route)
