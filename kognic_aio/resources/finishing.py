"""What was started is committed or invalidated: nothing is left lying about."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import move_on_after, sleep

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import segment
from kognic_aio._http.retries import may_have_had_effect
from kognic_aio.errors import DOOM, ConflictError, KognicError, NotFoundError
from kognic_aio.model import Scene, SceneInvalidatedReason, SceneStatus

log = logging.getLogger("kognic_aio")

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task takes at most to invalidate the scene that it leaves behind."""


class Notes:
    """What is told of a scene on its way, before each step is taken. This one keeps only the scene's uuid."""

    scene_uuid: str | None = None
    is_taken_up: bool = False
    """Whether a later run takes the scene up, should this one be cancelled."""

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        self.scene_uuid = scene_uuid

    async def committing(self) -> None:
        """All files are there, and the scene is about to be committed."""

    async def committed(self) -> None:
        """The scene is committed."""

    async def abandoned(self, scene_uuid: str) -> None:
        """The scene cannot be finished, and is about to be invalidated."""

    async def invalidated(self, scene_uuid: str) -> None:
        """The abandoned scene is invalidated, or was never there."""


async def scene_status(api: Api, scene_uuid: str) -> SceneStatus | None:
    """The status of a scene, None if the platform does not know it."""
    try:
        (scene,) = await api.ask("v2/scenes/query", list[Scene], json={"sceneUuids": [scene_uuid]})
    except NotFoundError:
        return None
    return scene.status


async def commit(api: Api, scene_uuid: str) -> None:
    """Tell the platform that all files of a scene are there.

    Args:
        api: The input API.
        scene_uuid: The scene's uuid.
    """

    async def look() -> bool | None:
        return await scene_status(api, scene_uuid) not in (SceneStatus.Pending, None) or None

    async def act() -> bool:
        await api.command(f"v1/inputs/{segment(scene_uuid)}/actions/commit")
        return True

    try:
        await api.once(act, look)
    except ConflictError:
        if not await look():
            raise


async def discard(api: Api, scene_uuid: str) -> bool | None:
    """Invalidate a scene that will not be finished. If that fails, it is logged.

    Args:
        api: The input API.
        scene_uuid: The scene's uuid.

    Returns:
        Whether it is invalidated, None if the platform does not know the scene.
    """
    body = {"sceneUuids": [scene_uuid], "reason": SceneInvalidatedReason.INCORRECTLY_CREATED.value}
    try:
        await api.command("v2/scenes/actions/invalidate", json=body, repeatable=True)
    except NotFoundError:
        return None
    except KognicError as error:
        log.warning("scene %s was not finished, and could not be invalidated: %s", scene_uuid, error)
        return False
    return True


async def abandon(api: Api, scene_uuid: str, notes: Notes, *, late: bool) -> None:
    """Give up a scene that was started.

    Args:
        api: The input API.
        scene_uuid: The scene's uuid.
        notes: Told before it is invalidated, and after.
        late: Whether a scene that the platform does not know may still come into being.
    """

    async def invalidate() -> bool | None:
        return await discard(api, scene_uuid)

    await notes.abandoned(scene_uuid)
    if await (api.look_late(invalidate) if late else invalidate()) is not False:
        await notes.invalidated(scene_uuid)


async def cut_off(api: Api, scene_uuid: str, notes: Notes) -> None:
    """Give up a scene at once, as there is no time. It may still come into being, which the notes are to know."""
    with move_on_after(ABANDONING_TIME, shield=True):
        await notes.abandoned(scene_uuid)
        is_invalidated = await discard(api, scene_uuid)
        if is_invalidated is None:
            await sleep(0.8 * ABANDONING_TIME)
            is_invalidated = await discard(api, scene_uuid)
        if is_invalidated:
            await notes.invalidated(scene_uuid)


@asynccontextmanager
async def finishing(api: Api, scene_uuid: str, notes: Notes) -> AsyncGenerator[None, None]:
    """What brings a started scene to its commit. If it fails or is cancelled, the scene is abandoned.

    Only one that is left while nobody knows whether it is committed is left to a later run, if that will look.

    Args:
        api: The input API.
        scene_uuid: The scene's uuid.
        notes: Told of an abandoned scene.
    """
    is_seen_to = False
    try:
        yield
        is_seen_to = True
    except DOOM:
        raise
    except Exception as error:
        await abandon(api, scene_uuid, notes, late=may_have_had_effect(error))
        is_seen_to = True
        raise
    finally:
        if not is_seen_to and not notes.is_taken_up:
            await cut_off(api, scene_uuid, notes)
