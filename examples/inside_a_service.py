"""A web service that accepts images and creates inputs from them.

    KOGNIC_PROJECT=my-project python examples/inside_a_service.py
    curl --data-binary @a.jpg http://localhost:8080/scenes/a   # responds with the uuid of the new scene
    curl --data-binary @b.jpg http://localhost:8080/inputs/b   # responds at once; the input is created later

One client serves the whole application. It opens and closes with the application. Scenes that are still queued at the
end are lost: a service that must not lose any needs a persistent queue. The client finds credentials as
`KognicIOClient()` does.
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
    """Read a scene from a request: its external id is in the path, and a JPEG is the body."""
    name = request.match_info["external_id"]
    image = Image(filename=name, file_data=FileData(data=await request.read(), format="jpg"))
    return Cameras(external_id=name, frame=Cameras.Frame(images=[image]))


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Respond with 400 if the caller sent something wrong, and with 502 if the platform failed."""
    try:
        return await handler(request)
    except KognicError as error:
        return web.json_response({"message": str(error)}, status=400 if isinstance(error, ValueError) else 502)


@routes.post("/scenes/{external_id}")
async def create_scene(request: web.Request) -> web.Response:
    """Create a scene, and respond when it is committed."""
    created = await request.app[CLIENT].cameras.create(await read_scene(request))
    return web.json_response({"sceneUuid": created.scene_uuid})


@routes.post("/inputs/{external_id}")
async def queue_scene(request: web.Request) -> web.Response:
    """Queue a scene, whose input is created in the background. Respond with 503 if the run has ended."""
    if not request.app[INGESTING].is_set():
        raise web.HTTPServiceUnavailable(text="no inputs are created now")
    await request.app[QUEUE].put(await read_scene(request))
    return web.Response(status=202)


async def queued(scenes: asyncio.Queue[Cameras]) -> AsyncIterator[Cameras]:
    """Yield queued scenes, without end."""
    while True:
        yield await scenes.get()


async def ingest(app: web.Application, project: str) -> None:
    """Create inputs as scenes arrive."""
    app[INGESTING].set()
    # The source never ends, so `wait_timeout` never applies: each scene needs a timeout of its own.
    try:
        async with create_inputs(app[CLIENT], queued(app[QUEUE]), project, scene_timeout=1800) as results:
            async for result in results:
                log.info("%s is %s: %s", result.external_id, result.status.value, result.error or result.input_uuid)
    except KognicError:
        log.exception("no further inputs are created")
    finally:
        app[INGESTING].clear()


def make_app(client: KognicIOClient, project: str) -> web.Application:
    """Make an application that opens the client when it starts, and closes it when it stops."""

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
