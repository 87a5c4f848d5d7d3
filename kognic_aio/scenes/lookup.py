"""Looks up scenes that exist, or may become visible soon."""

from collections.abc import Sequence

from kognic_aio._http.api import Api
from kognic_aio.errors import LeftOutError, NotFoundError
from kognic_aio.model import Scene, SceneStatus
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.visibility import plain_uuid

QUERY = "v2/scenes/query"


async def find_scenes(api: Api, scene_uuids: Sequence[str]) -> dict[str, Scene]:
    """Get the scenes that the platform shows now, by uuid as it was passed.

    Raises:
        NotFoundError: If the platform does not know one of them. It may also omit that one instead.
    """
    asked = {plain_uuid(uuid): uuid for uuid in scene_uuids}
    scenes = await api.ask(QUERY, list[Scene], json={"sceneUuids": list(scene_uuids)})
    # Scenes that were not asked for are dropped: nobody waits for them.
    return {asked[plain_uuid(scene.uuid)]: scene for scene in scenes if plain_uuid(scene.uuid) in asked}


async def find_named(api: Api, external_id: str) -> Sequence[Scene]:
    """The scenes with an external id that the platform shows now."""
    try:
        scenes = await api.ask(QUERY, list[Scene], json={"externalIds": [external_id]})
    except NotFoundError:
        return ()
    return [scene for scene in scenes if scene.external_id == external_id]


async def find_alive(api: Api, external_id: str) -> Sequence[Scene]:
    """The scenes with an external id that the platform shows now and that are not lost."""
    return [scene for scene in await find_named(api, external_id) if not scene.status.is_lost]


async def get_scenes(backend: Backend, scene_uuids: Sequence[str]) -> list[Scene]:
    """Get scenes as soon as the platform shows all of them.

    Raises:
        NotFoundError: If the platform does not know one of them, and its grace period is over.
    """

    async def find_all() -> list[Scene]:
        found = await find_scenes(backend.api, scene_uuids)
        known = {plain_uuid(uuid) for uuid in found}
        if missing := [uuid for uuid in scene_uuids if plain_uuid(uuid) not in known]:
            raise left_out(backend.api, missing)  # a NotFoundError, so an omission is waited for like a 404
        return list(found.values())

    return await backend.visibility.when_shown(scene_uuids, find_all)


def left_out(api: Api, scene_uuids: Sequence[str]) -> LeftOutError:
    """The error for a response that omits some of the scenes that were asked for."""
    message = f"the platform has no scene {', '.join(scene_uuids)} (missing from the response)"
    return LeftOutError(message, missing=scene_uuids, method="POST", url=api.url(QUERY))


async def get_status(backend: Backend, scene_uuid: str) -> SceneStatus | None:
    """Get the status of a scene as soon as the platform shows it; None if the platform does not know it."""
    try:
        (scene,) = await get_scenes(backend, [scene_uuid])
    except NotFoundError:
        return None
    return scene.status


async def is_shown(api: Api, scene_uuid: str) -> bool:
    """Whether the platform shows a scene now."""
    try:
        return bool(await find_scenes(api, [scene_uuid]))
    except NotFoundError:
        return False


async def have_appeared(backend: Backend, scene_uuids: Sequence[str]) -> bool:
    """Wait for the scenes that are within their grace period. Return whether there were any, and all appeared.

    If so, a "not found" about them may have come too early, and the request is worth repeating.
    """
    expected = [uuid for uuid in scene_uuids if backend.visibility.is_expected(uuid)]
    try:
        return bool(expected and await get_scenes(backend, expected))
    except NotFoundError:
        return False


async def was_committed(backend: Backend, scene_uuid: str) -> bool | None:
    """Whether a scene of an earlier run is committed and not invalidated; None if the platform does not know it."""
    backend.visibility.ensure_grace_period(scene_uuid)  # its grace period begins now: only a journal knew of it
    status = await get_status(backend, scene_uuid)
    return None if status is None else status.is_committed
