"""The one way in: every request is recorded, delayed, admitted and answered, and its error written down."""

import asyncio
from functools import partial
from typing import Any

from aiohttp import web

from kognic_aio.emulator.answers import error_response, json_response
from kognic_aio.emulator.errors import PlatformError, TooManyRequestsError
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
    """Handles every request that an emulator gets.

    Args:
        platform: the state behind it.
        recorder: where requests are noted.
        router: what finds their handlers.
        api_latency: seconds slept before a request to an API is handled.
        storage_latency: seconds slept before a request to a signed URL is handled.
    """

    def __init__(
        self,
        platform: Platform,
        recorder: Recorder,
        router: Router,
        *,
        api_latency: float,
        storage_latency: float,
    ) -> None:
        self._platform = platform
        self._recorder = recorder
        self._router = router
        self._latency = {API: api_latency, UPLOADS: storage_latency, DOWNLOADS: storage_latency}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.raw_path == REPORT_PATH:
            # Not recorded: looking must not change what is looked at.
            return json_response({**self._recorder.summary(), **self._platform.summary()})
        gauge = _gauge(request)
        record = self._recorder.begin(gauge, request)
        status: int | None = None
        try:
            response = await self._respond(gauge, record, request)
            status = response.status
        except ConnectionError:
            return web.Response(status=CLIENT_CLOSED_REQUEST)  # which nobody gets
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

    async def _answer(self, record: RecordedRequest, request: web.BaseRequest) -> web.StreamResponse:
        route, params = self._router.find(request.method, request.raw_path)
        record.endpoint = route.name
        call = Call(self._platform, request, params, record)
        if self._platform.rate_limit is not None and route.access == "token":
            await self._check_rate(self._platform.rate_limit, call)
        faults = self._platform.faults
        if faults.for_requests:
            record.fault = faults.strike_request(route.name, route.access)
            if record.fault is not None:
                return await inject(record.fault, route, call, partial(self._take_effect, route, call))
        return await self._take_effect(route, call)

    async def _check_rate(self, limit: RateLimit, call: Call) -> None:
        wait = limit.take(self._platform.timing.clock())
        if wait:
            await _read(call)
            self._recorder.rate_limited += 1
            message = f"more than {limit.per_second:g} requests per second"
            raise TooManyRequestsError(message, wait if limit.retry_after else None)

    async def _take_effect(self, route: Route, call: Call) -> web.Response:
        if route.access == "signed":
            stored: web.Response = await route.handler(call)
            return stored
        await _read(call)
        if route.access == "token":
            self._platform.accounts.check_token(call.request.headers.get("Authorization", ""))
        answer = route.handler(call)
        self._recorder.observe_scene_jobs(self._platform.scenes.pending)
        return json_response(_enveloped(answer))


async def _read(call: Call) -> None:
    """Read the body before anything is refused: a client that is still sending should get to see the answer."""
    call.record.content = await call.request.content.read()
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
