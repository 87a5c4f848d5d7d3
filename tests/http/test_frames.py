"""How far it is from a resource's method to aiohttp."""

import asyncio
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest
from aiohttp import web

from kognic_aio import KognicIOClient
from tests.scripted import client_of, serving

pytestmark = pytest.mark.anyio

MAX_FRAMES = 6


def modules(coroutine: Any) -> Iterator[str]:
    """The module of each coroutine that waits for the next one."""
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        yield frame.f_globals["__name__"]
        coroutine = coroutine.cr_await


async def test_frames_of_a_request() -> None:
    """Between a resource's method and aiohttp there are six frames at most, and the transport is entered once."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def wait(request: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        await answered.wait()
        return web.json_response([])

    async with serving() as server, client_of(server) as client:
        server.streaming = wait
        task = asyncio.create_task(_projects(client))
        await asyncio.wait_for(asked.wait(), 5)
        frames = list(takewhile(lambda module: not module.startswith("aiohttp"), modules(task.get_coro())))
        answered.set()
        assert await task == []
    ours = [module for module in frames if module.startswith("kognic_aio._")]
    assert "kognic_aio.resources.project" in frames
    assert len(ours) <= MAX_FRAMES
    assert ours.count("kognic_aio._http.transport") == 1


async def _projects(client: KognicIOClient) -> list[Any]:
    return await client.project.get_projects()
