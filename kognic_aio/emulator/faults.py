"""What goes wrong, and when: faults that are injected into an emulator.

    from kognic_aio.emulator import Emulator, faults

    emulator.faults.add(faults.Status(503, retry_after=1), on="POST v1/inputs", times=2)
    emulator.faults.add(faults.Drop(after_effect=True), on=faults.COMMIT)
    emulator.faults.add(faults.CorruptUpload(), probability=0.01, seed=7)

A fault says what goes wrong, `Faults.add` with which requests. The faults, and when they happen:

    RequestFault
    ├── Status           an error status                        before or after the effect
    ├── Html             HTML where JSON or nothing is expected  before or after the effect
    ├── Redirect         the client is sent elsewhere           before or after the effect
    ├── LongHeader       the answer has a long header           before or after the effect
    ├── Drop             the connection is reset, no answer     before or after the effect
    ├── ResetRequest     the connection is reset while the request is read             before
    ├── StopReading      the request is not read on, no answer                         before
    ├── ResetAnswer      the connection is reset in the middle of the answer            after
    ├── TruncatedJson    the answer ends too early                                      after
    ├── LateEffect       a gateway gives up, and the effect comes only then            before
    ├── SlowAnswer       the answer comes late                                          after
    ├── CorruptUpload    something else is stored than was sent                         after
    ├── ExpiredUrl       a signed URL expires                                          before
    └── RevokeTokens     all tokens become invalid                                     before
    SceneFault
    ├── FailProcessing   a scene becomes failed
    └── HangProcessing   a scene is processed forever
    QueryLimit           a query for the status of too many scenes is refused

Before the effect means that the endpoint did not run, after it that it ran to its end, whatever it came to; only
then is the fault done. What was before cannot have changed anything.
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
    """What it strikes if it is not said."""
    times: ClassVar[float] = 1
    """How often it strikes if it is not said and it has no probability."""


class RequestFault(Fault):
    """Something that goes wrong with a request; `on` names routes."""

    access: ClassVar[Access | None] = None
    """The only kind of route that it can strike: one that needs a token, or a signed URL."""
    after_effect: bool
    """Whether the endpoint runs."""


@attrs.frozen
class Status(RequestFault):
    """An error status, in the form of the API or of the storage.

    Args:
        status: the HTTP status.
        retry_after: what a Retry-After header says: seconds, or a date; by default there is none.
        after_effect: whether the request takes effect all the same.
    """

    status: int
    retry_after: float | datetime | None = attrs.field(default=None, kw_only=True)
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Html(RequestFault):
    """A page for people, such as proxies send.

    Args:
        status: the HTTP status; by default it claims to be good.
        after_effect: whether the request takes effect all the same.
    """

    status: int = 200
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Redirect(RequestFault):
    """The client is sent elsewhere, such as to the login of a proxy.

    Args:
        location: what the Location header says.
        status: the HTTP status.
        after_effect: whether the request takes effect all the same.
    """

    location: str = "http://login.invalid/portal"
    status: Literal[301, 302, 303, 307, 308] = 302
    after_effect: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class LongHeader(RequestFault):
    """The answer has a header that is longer than many clients take.

    Args:
        size: how many bytes its value has.
        after_effect: whether it is the good answer that has it; else it is an empty one with 503.
    """

    size: int = 9000
    after_effect: bool = attrs.field(default=True, kw_only=True)


@attrs.frozen(kw_only=True)
class Drop(RequestFault):
    """The request is read, and its connection reset without an answer.

    Args:
        after_effect: whether the request takes effect all the same.
    """

    after_effect: bool = False


@attrs.frozen
class ResetRequest(RequestFault):
    """The connection is reset while the client is sending.

    Args:
        after: how many bytes of the body are read before; of a shorter body, all.
    """

    after: int = 1
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class StopReading(RequestFault):
    """The server reads no more of the request, and does not answer, until the client goes away.

    Args:
        after: how many bytes of the body are read before; of a shorter body, all.
    """

    after: int = 1
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class ResetAnswer(RequestFault):
    """The connection is reset after half of the answer."""

    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class TruncatedJson(RequestFault):
    """The second half of the answer's body is missing, though its length says that it is whole."""

    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class LateEffect(RequestFault):
    """A gateway answers 504 at once, while the request takes effect only later.

    Args:
        seconds: how much later.
    """

    access = "token"
    seconds: float
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class SlowAnswer(RequestFault):
    """The answer waits, unless the client goes away.

    Args:
        seconds: how long.
    """

    seconds: float
    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class CorruptUpload(RequestFault):
    """What is stored has one byte more than what was sent, in its size and all its digests; the answer is 200."""

    on = UPLOADS
    access = "signed"
    after_effect: bool = attrs.field(default=True, init=False)


@attrs.frozen
class ExpiredUrl(RequestFault):
    """A signed URL counts as expired, from then on.

    Args:
        status: 400 with `ExpiredToken` as Google's storage has it, or 403 with `AccessDenied` as others have it.
    """

    on = SIGNED_URLS
    access = "signed"
    status: Literal[400, 403] = 400
    after_effect: bool = attrs.field(default=False, init=False)


@attrs.frozen
class RevokeTokens(RequestFault):
    """Every token issued so far is invalid from then on, refresh tokens too; the request is answered with 401."""

    access = "token"
    after_effect: bool = attrs.field(default=False, init=False)


class SceneFault(Fault):
    """Something that goes wrong with the processing of a scene; `on` names external ids."""


@attrs.frozen
class FailProcessing(SceneFault):
    """A scene becomes failed.

    Args:
        message: the platform's explanation.
    """

    message: str = "the scene could not be processed"


@attrs.frozen
class HangProcessing(SceneFault):
    """A scene stays in processing forever."""


@attrs.frozen
class QueryLimit(Fault):
    """A query for the status of more scenes than this is refused with 400, every one unless `times` says otherwise.

    Args:
        most: how many scenes a query may name.
    """

    on = STATUS_QUERY
    times = math.inf
    most: int


F = TypeVar("F", bound=Fault)


@attrs.define(eq=False)
class Planned(Generic[F]):
    """A fault that was added, and what has become of it.

    Args:
        fault: what goes wrong.
        on: what it may strike.
        times: how often it strikes at most.
        skip: how many matching requests it lets pass first.
        probability: how likely it strikes one of those after them; None if it always does.
        seed: that of its own random numbers.
    """

    fault: F
    on: str
    times: float
    skip: int
    probability: float | None
    seed: int
    seen: int = attrs.field(default=0, init=False)
    """How many matching requests (or scenes) came to it."""
    injected: int = attrs.field(default=0, init=False)
    """How many of them it struck."""
    _random: random.Random = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - reproducible is what it has to be

    @property
    def exhausted(self) -> bool:
        """Whether it has struck as often as it was to."""
        return self.injected >= self.times

    def matches(self, name: str) -> bool:
        """Whether it is about a route or an external id."""
        return name == self.on or fnmatchcase(name, self.on)

    def strikes(self) -> bool:
        """Decide on one more that matches."""
        self.seen += 1
        if self.seen <= self.skip or (self.probability is not None and self._random.random() >= self.probability):
            return False
        self.injected += 1
        return True


class Faults:
    """The faults of a platform; a fresh one has none.

    A request comes to the faults that match it in the order in which they were added. The first that strikes has
    it, and those behind it do not see it: faults that were added for one route are a queue. What is decided depends
    on nothing but the order in which matching requests arrive.
    """

    def __init__(self) -> None:
        self.routes: Mapping[str, Access] = {}
        """The names of all routes, once an emulator serves the platform; then a fault for none of them is an error."""
        self.for_requests: list[Planned[RequestFault]] = []
        """Those that requests come to; the front door looks no further while it is empty."""
        self.injected: Counter[str] = Counter()
        """How often each fault was injected, by the name of its class; `clear` leaves it."""
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
        """Let something go wrong from now on, and return what counts it.

        Args:
            fault: what goes wrong.
            on: the route it strikes, by name such as `POST v1/inputs/{scene}/actions/commit`, or several by a
                pattern such as `POST v1/inputs*`; for a `SceneFault`, external ids. By default everything that
                the fault can strike, requests for tokens too. There are names for some: `APIS`, `UPLOADS`,
                `SIGNED_URLS`, `COMMIT` ...
            times: how often; by default once, and with a probability any number of times. `math.inf` is always.
            skip: how many that match it lets pass first.
            probability: how likely it strikes each of those after them; by default it does.
            seed: that of its random numbers, which it shares with no other fault.

        Raises:
            ValueError: the fault can strike no route that is meant by `on`, or a number is none that makes sense.
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
        """Let nothing more go wrong; what was injected stays counted."""
        for plans in (self.for_requests, self._for_scenes, self._for_queries):
            plans.clear()

    def strike_request(self, route: str, access: Access) -> RequestFault | None:
        """The fault that strikes a request to a route, if one does."""
        return self._strike(self.for_requests, lambda planned: _concerns(planned, route, access))

    def strike_scene(self, external_id: str) -> SceneFault | None:
        """The fault that strikes a scene which begins to be processed, if one does."""
        return self._strike(self._for_scenes, lambda planned: planned.matches(external_id))

    def strike_query(self, scenes: int) -> QueryLimit | None:
        """The limit that a query for the status of so many scenes breaks, if it does."""
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
    """Whether a fault of requests is about a route."""
    return planned.fault.access in (None, access) and planned.matches(route)
