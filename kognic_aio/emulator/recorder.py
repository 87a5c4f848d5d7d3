"""What the server saw: every request, how many were in flight at once, and the connections."""

import json
from collections import Counter, deque
from collections.abc import Mapping
from time import monotonic
from typing import Any

import attrs
from aiohttp import web

from kognic_aio.emulator.faults import RequestFault

KEEP_REQUESTS = 100_000
MAX_KEPT = 128 * 1024 * 1024
"""Bytes of memory for the requests that are kept, as they are estimated."""
WEIGHT = 1500
"""Bytes that a request takes without its texts: the objects of aiohttp above all."""
WEIGHT_OF_PAIR = 150
"""Bytes that a header, or a value of the query, takes without its texts."""

UPLOADS = "uploads"
DOWNLOADS = "downloads"
API = "api"
SCENE_JOBS = "scene-jobs"


@attrs.define(kw_only=True, eq=False)
class RecordedRequest:
    """One request and what it was answered.

    Args:
        method: the HTTP method.
        path: the path, unescaped.
        query: the query by key; of a key that is repeated, the first value.
        headers: the headers, found whatever their case.
        endpoint: the route, such as `POST v1/inputs`; empty if no route was found.
        started: when its headers had arrived, on the monotonic clock.
        ended: when its answer was ready; None until then.
        status: that of the answer; None as long as there is none, and when the connection was lost.
        size: bytes of the body.
        sha256: hex digest of the body of an upload that arrived whole.
        content: the raw body, except that of uploads.
        fault: the fault that was injected, if one was.
    """

    method: str
    path: str
    query: Mapping[str, str] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    endpoint: str = ""
    started: float = attrs.field(factory=monotonic)
    ended: float | None = None
    status: int | None = None
    size: int = 0
    sha256: str | None = None
    content: bytes = attrs.field(default=b"", repr=False)
    fault: RequestFault | None = None
    weight: int = attrs.field(default=0, init=False, repr=False)
    """Bytes of memory that it is thought to take; 0 when it is not kept any more."""

    @property
    def body(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class Gauge:
    """How many there are now, and the most there ever were."""

    __slots__ = ("now", "peak")

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0

    def set(self, value: int) -> None:
        """Note how many there are."""
        self.now = value
        self.peak = max(self.peak, value)


class Recorder:
    """The server's own account of what clients did.

    Scene jobs are the scenes that were created but neither committed nor invalidated: one that its client
    gives up in between counts until it is invalidated.

    Args:
        keep_requests: how many requests are kept, the latest, or as many of them as take `MAX_KEPT` bytes. The
            counters know them all.
    """

    def __init__(self, keep_requests: int = KEEP_REQUESTS) -> None:
        self.rate_limited = 0
        self.connections_opened = 0
        self.connections_open = 0
        self.connections_peak = 0
        self.requests_by_endpoint: Counter[str] = Counter()
        self._keep_requests = keep_requests
        self._kept: deque[RecordedRequest] = deque()
        self._weight = 0
        self._gauges = {UPLOADS: Gauge(), DOWNLOADS: Gauge(), API: Gauge(), SCENE_JOBS: Gauge()}

    @property
    def peak(self) -> dict[str, int]:
        """The most `uploads`, `downloads`, `api` requests and `scene-jobs` there were at once."""
        return {name: gauge.peak for name, gauge in self._gauges.items()}

    @property
    def in_flight(self) -> dict[str, int]:
        """How many `uploads`, `downloads`, `api` requests and `scene-jobs` there are now."""
        return {name: gauge.now for name, gauge in self._gauges.items()}

    def requests(self, method: str | None = None, path_prefix: str | None = None) -> list[RecordedRequest]:
        """The kept requests in the order of their arrival.

        Args:
            method: only those with this method.
            path_prefix: only those whose path begins like this, such as `/v1/inputs`.
        """
        return [
            request
            for request in self._kept
            if (method is None or request.method == method)
            and (path_prefix is None or request.path.startswith(path_prefix))
        ]

    def begin(self, gauge: str, request: web.BaseRequest) -> RecordedRequest:
        """Note that a request has come in, as one of the `uploads`, `downloads` or `api` requests."""
        record = RecordedRequest(method=request.method, path=request.path, query=request.query, headers=request.headers)
        self._keep(record)
        counted = self._gauges[gauge]
        counted.set(counted.now + 1)
        return record

    def end(self, gauge: str, record: RecordedRequest, status: int | None) -> None:
        """Note that the answer of a request is ready."""
        record.ended = monotonic()
        record.status = status
        if record.weight:
            self._weigh(record, len(record.content))
        self.requests_by_endpoint[record.endpoint] += 1
        self._gauges[gauge].now -= 1

    def _keep(self, record: RecordedRequest) -> None:
        """Keep a request, whatever it consists of: anybody may send one."""
        if not self._keep_requests:
            return
        self._kept.append(record)
        pairs = (*record.headers.items(), *record.query.items())
        self._weigh(record, WEIGHT + len(record.path) + sum(WEIGHT_OF_PAIR + len(key) + len(v) for key, v in pairs))

    def _weigh(self, record: RecordedRequest, more: int) -> None:
        """Note that a request has grown, and forget the oldest if they are too many or take too much."""
        record.weight += more
        self._weight += more
        while len(self._kept) > self._keep_requests or self._weight > MAX_KEPT:
            oldest = self._kept.popleft()
            self._weight -= oldest.weight
            oldest.weight = 0

    def observe_scene_jobs(self, pending: int) -> None:
        """Note how many scenes wait for their files."""
        self._gauges[SCENE_JOBS].set(pending)

    def connection_made(self) -> None:
        """Note that a connection was accepted."""
        self.connections_opened += 1
        self.connections_open += 1
        self.connections_peak = max(self.connections_peak, self.connections_open)

    def connection_lost(self) -> None:
        """Note that a connection has gone."""
        self.connections_open -= 1

    def summary(self) -> dict[str, Any]:
        """The counters, as plain JSON."""
        return {
            "requests": dict(self.requests_by_endpoint),
            "peak": self.peak,
            "in_flight": self.in_flight,
            "rate_limited": self.rate_limited,
            "connections_opened": self.connections_opened,
            "connections_open": self.connections_open,
            "connections_peak": self.connections_peak,
        }
