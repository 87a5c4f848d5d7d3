"""How far it is from a resource's method to aiohttp."""

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web

from kognic_aio import KognicIOClient
from kognic_aio.errors import KognicError
from tests.scripted import client_of, serving
from tests.waiting import GENEROUS

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
        with anyio.fail_after(GENEROUS):
            await asked.wait()
        frames = list(takewhile(lambda module: not module.startswith("aiohttp"), modules(task.get_coro())))
        answered.set()
        assert await task == []
    ours = [module for module in frames if module.startswith("kognic_aio._")]
    assert "kognic_aio.resources.project" in frames
    assert len(ours) <= MAX_FRAMES
    assert ours.count("kognic_aio._http.transport") == 1


async def _projects(client: KognicIOClient) -> list[Any]:
    return await client.project.get_projects()


async def _page(client: KognicIOClient) -> None:
    async for _ in client.input.query_inputs(project="a", scene_uuids=["b"]):
        pass


CALLS: dict[str, tuple[Callable[[KognicIOClient], Awaitable[Any]], int]] = {
    "get_projects": (_projects, MAX_FRAMES),
    "get_requests": (lambda client: client.request.get_requests(project_id="a"), MAX_FRAMES),
    "a page of query_inputs": (_page, MAX_FRAMES + 3),  # the iteration, the wait for scenes, and errors explained
}


@pytest.mark.parametrize("name", CALLS)
async def test_frames_on_the_stack(name: str) -> None:
    """A middleware of the session counts them all, the resource's own method included."""
    ask, most = CALLS[name]
    stacks: list[list[str]] = []

    async def look(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        names = [frame.f_globals["__name__"] for frame, _ in traceback.walk_stack(sys._getframe())]
        stacks.append([module for module in names if module.startswith("kognic_aio.")])
        return await send(request)

    async with serving() as server, aiohttp.ClientSession(middlewares=[look]) as session:
        server.always = lambda _: web.json_response({"data": [], "metadata": {}})
        options: dict[str, Any] = {"env": server.url, "write_workspace_id": "mine", "session": session}
        async with KognicIOClient(auth=("id", "secret"), **options) as client:
            with suppress(KognicError):  # of responses that fit no model
                await ask(client)
    assert 0 < len(stacks[-1]) <= most
