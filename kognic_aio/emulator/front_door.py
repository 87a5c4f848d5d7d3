"""The one way in: guards, records, delays and admits every request, and responds to it."""

import asyncio
from functools import partial
from typing import Any

from aiohttp import web

from kognic_aio.emulator.admission import admit
from kognic_aio.emulator.answers import error_response, json_response
from kognic_aio.emulator.bodies import BodyReader
from kognic_aio.emulator.errors import BadRequestError, PlatformError, TooManyRequestsError
from kognic_aio.emulator.guard import Guard
from kognic_aio.emulator.injection import inject
from kognic_aio.emulator.rate_limit import RateLimit
from kognic_aio.emulator.recorder import API, DOWNLOADS, UPLOADS, RecordedRequest, Recorder
from kognic_aio.emulator.routing import Bare, Call, Route, Router
from kognic_aio.emulator.state.paging import Page
from kognic_aio.emulator.state.platform import Platform

REPORT_PATH = "/emulator/report"
STORAGE_PREFIX = "/storage/"
CLIENT_CLOSED_REQUEST = 499


class FrontDoor:
    """Handles every request to an emulator.

    Args:
        platform: The state to act on.
        recorder: Records requests.
        guard: Refuses requests for other hosts and from other origins.
        router: Finds handlers.
        api_latency: Seconds to sleep before a request to an API is handled.
        storage_latency: Seconds to sleep before a request to a signed URL is handled.
    """

    def __init__(
        self,
        platform: Platform,
        recorder: Recorder,
        guard: Guard,
        router: Router,
        *,
        api_latency: float,
        storage_latency: float,
    ) -> None:
        self._platform = platform
        self._recorder = recorder
        self._guard = guard
        self._router = router
        self._bodies = BodyReader()
        self._latency = {API: api_latency, UPLOADS: storage_latency, DOWNLOADS: storage_latency}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Respond to one request."""
        try:
            self._guard.check(request)
        except PlatformError as error:
            return error_response(error)
        except ConnectionError:
            return web.Response(status=CLIENT_CLOSED_REQUEST)  # nobody receives it
        if request.raw_path == REPORT_PATH:
            # Not recorded: looking must not change what is looked at.
            return json_response({**self._recorder.summary(), **self._platform.summary()})
        return await self._recorded(request)

    async def _recorded(self, request: web.BaseRequest) -> web.StreamResponse:
        gauge = _gauge(request)
        record = self._recorder.begin(gauge, request)
        status: int | None = None
        try:
            response = await self._respond(gauge, record, request)
            status = response.status
        except ConnectionError:
            return web.Response(status=CLIENT_CLOSED_REQUEST)  # nobody receives it
        finally:
            self._recorder.end(gauge, record, status)
        return response

    async def _respond(self, gauge: str, record: RecordedRequest, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if self._latency[gauge]:
                await asyncio.sleep(self._latency[gauge])
            return await self._answer(record, request)
        except PlatformError as error:
            return error_response(error)
        except web.RequestPayloadError as error:
            return error_response(BadRequestError(f"the body cannot be read: {error}"))

    async def _answer(self, record: RecordedRequest, request: web.BaseRequest) -> web.StreamResponse:
        route, params = self._router.find(request.method, request.raw_path)
        record.endpoint = route.name
        call = Call(self._platform, request, params, record)
        admit(route, call)
        # Signed URLs and the auth server are other hosts on the real platform.
        if self._platform.rate_limit is not None and route.access == "token":
            await self._check_rate(self._platform.rate_limit, route, call)
        faults = self._platform.faults
        if faults.for_requests:
            record.fault = faults.strike_request(route.name, route.access)
            if record.fault is not None:
                return await inject(record.fault, route, call, partial(self._take_effect, route, call))
        return await self._take_effect(route, call)

    async def _check_rate(self, limit: RateLimit, route: Route, call: Call) -> None:
        wait = limit.take(self._platform.timing.clock())
        if wait:
            await self._read(route, call)  # a client that is still sending would miss the response
            self._recorder.rate_limited += 1
            message = f"more than {limit.per_second:g} requests per second"
            raise TooManyRequestsError(message, wait if limit.retry_after else None)

    async def _take_effect(self, route: Route, call: Call) -> web.Response:
        if route.access == "signed":
            stored: web.Response = await route.handler(call)
            return stored
        await self._read(route, call)
        answer = route.act(call)
        self._recorder.observe_scene_jobs(self._platform.scenes.pending)
        return json_response(_enveloped(answer))

    async def _read(self, route: Route, call: Call) -> None:
        """Read and record the body, whatever the response will be."""
        call.record.content = await self._bodies.read(call.request, route.max_body)
        call.record.size = len(call.record.content)


def _gauge(request: web.BaseRequest) -> str:
    if not request.raw_path.startswith(STORAGE_PREFIX):
        return API
    return DOWNLOADS if request.method == "GET" else UPLOADS


def _enveloped(answer: Any) -> Any:
    match answer:
        case Bare(value):
            return value
        case Page(items, next_cursor):
            return {"data": items, "metadata": {"nextCursorId": next_cursor}}
        case _:
            return {"data": answer}
