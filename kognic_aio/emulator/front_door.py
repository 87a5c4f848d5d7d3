"""The one way in: every request is recorded, delayed, admitted and answered, and its error written down."""

import asyncio
import json
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from kognic_aio.emulator.errors import PlatformError, StorageError
from kognic_aio.emulator.recorder import API, DOWNLOADS, UPLOADS, RecordedRequest, Recorder
from kognic_aio.emulator.routing import Bare, Call, Router
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
            return _json_response({**self._recorder.summary(), **self._platform.summary()})
        gauge = _gauge(request)
        record = self._recorder.begin(gauge, request)
        status: int | None = None
        try:
            response = await self._respond(gauge, record, request)
            status = response.status
        finally:
            self._recorder.end(gauge, record, status)
        return response

    async def _respond(self, gauge: str, record: RecordedRequest, request: web.BaseRequest) -> web.Response:
        try:
            if self._latency[gauge]:
                await asyncio.sleep(self._latency[gauge])
            return await self._answer(record, request)
        except PlatformError as error:
            return _error_response(error)
        except ConnectionError:
            return web.Response(status=CLIENT_CLOSED_REQUEST)

    async def _answer(self, record: RecordedRequest, request: web.BaseRequest) -> web.Response:
        route, params = self._router.find(request.method, request.raw_path)
        record.endpoint = route.name
        call = Call(self._platform, request, params, record)
        if route.access == "signed":
            stored: web.Response = await route.handler(call)
            return stored
        # Read before anything is refused: a client that is still sending should get to see the answer.
        record.content = await request.content.read()
        record.size = len(record.content)
        if route.access == "token":
            self._platform.accounts.check_token(request.headers.get("Authorization", ""))
        answer = route.handler(call)
        self._recorder.observe_scene_jobs(self._platform.scenes.pending)
        return _json_response(_enveloped(answer))


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


def _json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), status=status, content_type="application/json")


def _error_response(error: PlatformError) -> web.Response:
    if isinstance(error, StorageError):
        text = (
            "<?xml version='1.0' encoding='UTF-8'?>"
            f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        )
        return web.Response(text=text, status=error.status, content_type="application/xml")
    return _json_response(error.payload(), error.status)
