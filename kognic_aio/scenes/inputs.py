"""The inputs of a scene."""

from functools import partial

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once, find_late
from kognic_aio._http.protocol import given
from kognic_aio.model import Input
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.target import check_target, explaining_target
from kognic_aio.scenes.visibility import Visibility, check_is_about, plain_uuid

PATH = "v1/inputs"


async def post_inputs(
    api: Api, visibility: Visibility, scene_uuid: str, project: str, batch: str | None, *, dryrun: bool = False
) -> list[Input] | None:
    """Create the inputs of a scene with its latest pre-annotation. A dry run only validates, and returns None.

    Endpoint: `POST v1/inputs`
    """
    body = given(sceneUuid=scene_uuid, project=project, batch=batch)

    async def create() -> list[Input] | None:
        async with explaining_target(api, project, batch, check_target):
            if dryrun:
                await api.command(PATH, json=body, dryrun=True)
                return None
            return await api.post(PATH, list[Input], json=body)

    inputs = await visibility.wait([scene_uuid], create)
    for made in inputs or ():
        check_is_about(api, "POST", PATH, answered=made.scene_uuid, asked=scene_uuid)
    return inputs


async def create_only_inputs(backend: Backend, scene_uuid: str, project: str, batch: str | None) -> list[Input]:
    """Create the inputs of a scene of which nobody else creates any. None is created twice.

    Raises:
        MalformedAnswerError: If the platform reports success, but has created no input.

    Endpoints: `POST v1/inputs`, `POST v2/inputs/query`
    """
    visibility = backend.visibility
    inputs = await at_most_once(
        backend.api,
        lambda api: post_inputs(api, visibility, scene_uuid, project, batch),
        lambda api: _find(api, visibility, scene_uuid, project, batch),
    )
    # A response of success may list no inputs although they were created.
    found = inputs or await find_only_inputs(backend, scene_uuid, project, batch)
    if not found:
        raise backend.api.malformed("POST", PATH, f"no input of scene {scene_uuid}")
    return found


async def find_only_inputs(backend: Backend, scene_uuid: str, project: str, batch: str | None) -> list[Input] | None:
    """Find the inputs of such a scene, if they exist or appear soon.

    Endpoint: `POST v2/inputs/query`
    """
    return await find_late(backend.api, lambda api: _find(api, backend.visibility, scene_uuid, project, batch))


async def _find(
    api: Api, visibility: Visibility, scene_uuid: str, project: str, batch: str | None
) -> list[Input] | None:
    body = given(project=project, batch=batch, sceneUuids=[scene_uuid])
    around = partial(visibility.wait, [scene_uuid])
    inputs = await api.ask_paged("v2/inputs/query", Input, json=body, around=around)
    # Filtered again here: an input of another scene, taken for this one's, would mean that this one gets none.
    return [each for each in inputs if plain_uuid(each.scene_uuid) == plain_uuid(scene_uuid)] or None
