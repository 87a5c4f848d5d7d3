"""Puts faults on the wire: in place of an endpoint, or into its response."""

import asyncio
import math
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime

from aiohttp import web

from kognic_aio.emulator.answers import error_response
from kognic_aio.emulator.bodies import check_body_size
from kognic_aio.emulator.errors import PlatformError, StorageError, UnauthorizedError
from kognic_aio.emulator.faults import (
    Drop,
    ExpiredUrl,
    Html,
    LateEffect,
    LongHeader,
    Redirect,
    RequestFault,
    ResetAnswer,
    ResetRequest,
    RevokeTokens,
    SlowAnswer,
    Status,
    StopReading,
    TruncatedJson,
)
from kognic_aio.emulator.routing import Call, Route

PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
# SO_LINGER for 0 seconds: closing discards what was not sent, and resets the connection.
NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
GLANCE = 0.05
"""Seconds between two looks whether the client has gone."""


async def inject(
    fault: RequestFault, route: Route, call: Call, effect: Callable[[], Awaitable[web.Response]]
) -> web.StreamResponse:
    """Respond to a request that a fault strikes.

    Args:
        fault: The fault.
        route: The endpoint.
        call: The request.
        effect: Reads the request, runs the endpoint, and returns its response.

    Raises:
        ConnectionError: If the connection was reset.
        PlatformError: If the response is an error.
    """
    if not fault.after_effect:
        return await _instead(fault, route, call)
    try:
        response = await effect()
    except PlatformError as error:
        response = error_response(error)
    return await _afterwards(fault, route, call, response)


async def _instead(fault: RequestFault, route: Route, call: Call) -> web.Response:
    # Unless the fault is about reading, the client has sent everything before it hears of it.
    await _receive(route, call, fault.after if isinstance(fault, ResetRequest | StopReading) else math.inf)
    match fault:
        case StopReading():
            await _wait(call.request, math.inf)
            raise reset(call.request)
        case Drop() | ResetRequest():
            raise reset(call.request)
        case LateEffect():
            asyncio.get_running_loop().call_later(fault.seconds, _take_effect, route, call)
            return _made_up(Status(504), route)
        case ExpiredUrl():
            signature = call.request.query.get("X-Signature", "")
            raise call.platform.storage.expire(signature, fault.status)
        case RevokeTokens():
            call.platform.revoke_tokens()
            raise UnauthorizedError("the token is not valid")
        case _:
            return _made_up(fault, route)


def _take_effect(route: Route, call: Call) -> None:
    """Run an endpoint whose response nobody receives."""
    with suppress(PlatformError):
        route.act(call)


async def _afterwards(fault: RequestFault, route: Route, call: Call, response: web.Response) -> web.StreamResponse:
    match fault:
        case Drop():
            raise reset(call.request)
        case ResetAnswer():
            await _send_half(call.request, response)
            raise reset(call.request)
        case SlowAnswer():
            await _wait(call.request, fault.seconds)
            return response
        case TruncatedJson():
            response.body = _half(response)
            return response
        case LongHeader():
            response.headers["X-Long"] = "x" * fault.size
            return response
        case Status() | Html() | Redirect():
            return _made_up(fault, route)
        case _:
            return response


async def _receive(route: Route, call: Call, max_size: float) -> None:
    """Read up to so many bytes of a body. Those of an upload are only counted."""
    is_kept = route.access != "signed"
    record = call.record
    chunks: list[bytes] = []
    while record.size < max_size:
        chunk = await call.request.content.read(int(min(max_size - record.size, 2**16)))
        if not chunk:
            break
        record.size += len(chunk)
        if is_kept:
            check_body_size(record.size, route.max_body)
            chunks.append(chunk)
    record.content = b"".join(chunks)


def reset(request: web.BaseRequest) -> ConnectionError:
    """Reset the connection of a request, and return the error to raise."""
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        request.transport.abort()
    return ConnectionAbortedError("a fault")


def _made_up(fault: RequestFault, route: Route) -> web.Response:
    """The response that a fault makes up."""
    match fault:
        case Html():
            return web.Response(text=PAGE.format(f"{fault.status}"), status=fault.status, content_type="text/html")
        case Redirect():
            return web.Response(status=fault.status, headers={"Location": fault.location})
        case LongHeader():
            return web.Response(status=503, headers={"X-Long": "x" * fault.size})
        case Status():
            message = f"status {fault.status} was injected"
            signed = route.access == "signed"
            error = StorageError("Injected", message, fault.status) if signed else PlatformError(message, fault.status)
            response = error_response(error)
            if fault.retry_after is not None:
                response.headers["Retry-After"] = _retry_after(fault.retry_after)
            return response
        case _:
            raise TypeError(f"{fault!r} has no response")


def _retry_after(when: float | datetime) -> str:
    return format_datetime(when, usegmt=True) if isinstance(when, datetime) else f"{when:g}"


def _half(response: web.Response) -> bytes:
    body = response.body
    return body[: len(body) // 2] if isinstance(body, bytes) else b""


async def _send_half(request: web.BaseRequest, response: web.Response) -> None:
    """Send half of a response whose head promises all of it. An empty response has only its head."""
    half = _half(response)
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    sent.content_length = 2 * len(half) + 1
    await sent.prepare(request)
    await sent.write(half)


async def _wait(request: web.BaseRequest, seconds: float) -> None:
    """Sleep, but no longer than the client waits."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not _has_gone(request) and loop.time() < end:  # noqa: ASYNC110  # a lost connection sets no event
        await asyncio.sleep(min(GLANCE, end - loop.time()))


def _has_gone(request: web.BaseRequest) -> bool:
    """Whether the client has closed its connection. Without reading, only the socket's error shows a reset."""
    transport = request.transport
    return transport is None or bool(transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
