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
"""Bytes of memory for recorded requests, as an estimate."""

WEIGHT = 1500
"""Bytes of a request without its texts, mostly objects of aiohttp."""

WEIGHT_OF_PAIR = 150
"""Bytes of a header, or of a value of the query, without its texts."""

UPLOADS = "uploads"
DOWNLOADS = "downloads"
API = "api"
SCENE_JOBS = "scene-jobs"


@attrs.define(kw_only=True, eq=False)
class RecordedRequest:
    """A request, and the response to it.

    Args:
        method: The HTTP method.
        path: The path, unescaped.
        query: The query by key; a repeated key has its first value.
        headers: The headers, whose names match in any case.
        endpoint: The route, such as `POST v1/inputs`; empty if there is none.
        started: When its headers had arrived, on the monotonic clock.
        ended: When its response was ready; None until then.
        status: The status of the response; None until there is one, and if the connection was lost.
        size: Bytes of the body.
        sha256: Hex digest of the body, for an upload that arrived whole.
        content: The raw body; empty for uploads.
        fault: The fault that was injected, if any.
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
    """Estimated bytes of memory; 0 once it is no longer kept."""

    @property
    def body(self) -> Any:
        """The parsed body, or None if it is not JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


class Gauge:
    """How many there are now, and the peak."""

    __slots__ = ("now", "peak")

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0

    def set(self, value: int) -> None:
        """Note how many there are."""
        self.now = value
        self.peak = max(self.peak, value)


class Recorder:
    """What clients did, as the server saw it.

    Scene jobs are scenes that were created, but neither committed nor invalidated. One that its client has abandoned
    counts until it is invalidated.

    Args:
        keep_requests: How many of the latest requests to keep. They take at most `MAX_KEPT` bytes. The counters count
            all requests.
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
        """The peaks of `uploads`, `downloads`, `api` requests and `scene-jobs` at once."""
        return {name: gauge.peak for name, gauge in self._gauges.items()}

    @property
    def in_flight(self) -> dict[str, int]:
        """How many `uploads`, `downloads`, `api` requests and `scene-jobs` there are now."""
        return {name: gauge.now for name, gauge in self._gauges.items()}

    def requests(self, method: str | None = None, path_prefix: str | None = None) -> list[RecordedRequest]:
        """The recorded requests in the order of their arrival.

        Args:
            method: Only those with this method.
            path_prefix: Only those whose path begins like this, such as `/v1/inputs`.
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
        """Note that the response to a request is ready."""
        record.ended = monotonic()
        record.status = status
        if record.weight:  # it is still kept, and its body has arrived since
            self._weigh(record, len(record.content))
        self.requests_by_endpoint[record.endpoint] += 1
        self._gauges[gauge].now -= 1

    def _keep(self, record: RecordedRequest) -> None:
        """Keep a request, with an estimate of its size."""
        if not self._keep_requests:
            return
        self._kept.append(record)
        pairs = (*record.headers.items(), *record.query.items())
        self._weigh(record, WEIGHT + len(record.path) + sum(WEIGHT_OF_PAIR + len(key) + len(v) for key, v in pairs))

    def _weigh(self, record: RecordedRequest, more: int) -> None:
        """Note that a request has grown, and forget the oldest if there are too many or they are too large."""
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
