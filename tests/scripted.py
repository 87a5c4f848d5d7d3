"""A server that answers as a test tells it to, for what a platform should never do."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field

from kognic_aio import KognicIOClient
from tests.waiting import GENEROUS

Step = Callable[[web.BaseRequest], web.StreamResponse]
TOKEN = {"access_token": "the-token", "expires_in": 3600}


def status(code: int, body: Any = None, **headers: str) -> Step:
    content = {"message": f"status {code}"} if body is None else body
    return lambda request: web.json_response(content, status=code, headers=headers)


def ok(body: Any) -> Step:
    return lambda request: web.json_response(body)


def text(body: str) -> Step:
    return lambda request: web.Response(text=body)


async def give_token(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(TOKEN)


def drop(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@define
class Server:
    """Answers as it is told, one step a request, and keeps what it was sent."""

    url: str = ""
    steps: list[Step] = field(factory=list)
    requests: list[tuple[str, str, bytes, dict[str, str]]] = field(factory=list)
    always: Step | None = None
    """What it answers when there are no steps."""
    streaming: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    """What answers instead, in pieces."""
    token: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = give_token
    """What answers those who ask for a token."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/token"):
            return await self.token(request)
        body = await request.content.read()
        self.requests.append((request.method, request.raw_path, body, dict(request.headers)))
        if self.streaming is not None:
            return await self.streaming(request)
        return self.always(request) if self.always is not None else self.steps.pop(0)(request)


@asynccontextmanager
async def listening(handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncGenerator[str, None]:
    """Have requests handled, and tell the URL where they are."""
    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving() -> AsyncGenerator[Server, None]:
    """A running server."""
    script = Server()
    async with listening(script.handle) as script.url:
        yield script


def client_of(server: Server, attempts: int = 5) -> KognicIOClient:
    """A client of which every API is the server, and which does not wait long."""
    return KognicIOClient(
        auth=("id", "secret"),
        host=server.url,
        order_execution_api_host=server.url,
        annotation_integration_api_host=server.url,
        workspace_api_host=server.url,
        project_management_api_host=server.url,
        auth_host=server.url,
        write_workspace_id="mine",
        max_retry_wait_time=0.001,
        max_retry_attempts=attempts,
        timeout=GENEROUS,
    )
