"""A web service that takes images and creates inputs from them.

    KOGNIC_PROJECT=my-project python examples/inside_a_service.py
    curl --data-binary @a.jpg http://localhost:8080/scenes/a   # answers with the uuid of a scene
    curl --data-binary @b.jpg http://localhost:8080/inputs/b   # answers at once; the input is created meanwhile

One client serves the whole application, opened and closed with it. What is still queued then is lost: a service that
may not lose any keeps its queue elsewhere. The client finds credentials as `KognicIOClient()` does.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from kognic_aio import FileData, KognicError, KognicIOClient, create_inputs
from kognic_aio.model import Cameras, Image

CLIENT = web.AppKey("client", KognicIOClient)
QUEUE = web.AppKey("queue", asyncio.Queue[Cameras])
INGESTING = web.AppKey("ingesting", asyncio.Event)
log = logging.getLogger("service")
routes = web.RouteTableDef()


async def read_scene(request: web.Request) -> Cameras:
    """The scene that a request describes: its external id in the path, and a JPEG as the body."""
    name = request.match_info["external_id"]
    image = Image(filename=name, file_data=FileData(data=await request.read(), format="jpg"))
    return Cameras(external_id=name, frame=Cameras.Frame(images=[image]))


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell callers what is wrong with what they sent, or with the platform."""
    try:
        return await handler(request)
    except KognicError as error:
        return web.json_response({"message": str(error)}, status=400 if isinstance(error, ValueError) else 502)


@routes.post("/scenes/{external_id}")
async def create_scene(request: web.Request) -> web.Response:
    """Create a scene while the caller waits."""
    created = await request.app[CLIENT].cameras.create(await read_scene(request))
    return web.json_response({"sceneUuid": created.scene_uuid})


@routes.post("/inputs/{external_id}")
async def queue_scene(request: web.Request) -> web.Response:
    """Have an input created in the background, as long as that goes on."""
    if not request.app[INGESTING].is_set():
        raise web.HTTPServiceUnavailable(text="no inputs are created now")
    await request.app[QUEUE].put(await read_scene(request))
    return web.Response(status=202)


async def queued(scenes: asyncio.Queue[Cameras]) -> AsyncIterator[Cameras]:
    """Whatever is queued, for ever."""
    while True:
        yield await scenes.get()


async def ingest(app: web.Application, project: str) -> None:
    """Create inputs as scenes come. The source never ends, so each scene has a time of its own to become ready in."""
    app[INGESTING].set()
    try:
        async with create_inputs(app[CLIENT], queued(app[QUEUE]), project, scene_timeout=1800) as results:
            async for result in results:
                log.info("%s is %s: %s", result.external_id, result.status.value, result.error or result.input_uuid)
    except KognicError:
        log.exception("no further inputs are created")
    finally:
        app[INGESTING].clear()


def make_app(client: KognicIOClient, project: str) -> web.Application:
    """An application that opens the client when it starts, and closes it when it stops."""

    async def run_client(app: web.Application) -> AsyncIterator[None]:
        async with client:
            ingestion = asyncio.create_task(ingest(app, project))
            yield
            ingestion.cancel()
            await asyncio.wait([ingestion])

    app = web.Application(client_max_size=64 * 1024**2, middlewares=[explain])
    app[CLIENT], app[QUEUE], app[INGESTING] = client, asyncio.Queue(maxsize=100), asyncio.Event()
    app.cleanup_ctx.append(run_client)
    app.add_routes(routes)
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    web.run_app(make_app(KognicIOClient(), os.environ["KOGNIC_PROJECT"]), host="localhost")
