"""A scene that cannot be finished is abandoned: the platform is told to invalidate it."""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial

from anyio import Semaphore, get_cancelled_exc_class, move_on_after
from attrs import define

from kognic_aio._tasks import for_each
from kognic_aio.errors import DOOM, KognicError, NotFoundError
from kognic_aio.model import SceneInvalidatedReason
from kognic_aio.scenes.backend import Backend

log = logging.getLogger("kognic_aio")

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task may take to invalidate the scene that it leaves behind."""

ORPHANS_AT_ONCE = 8
"""Orphans of one call that are invalidated at once: as many as it leaves at most."""


@define
class Reserved:
    """A uuid that the platform has reserved for a scene.

    Args:
        scene_uuid: The uuid.
        may_exist: Whether the platform may have started the scene.
    """

    scene_uuid: str
    may_exist: bool = False


class SceneRecord:
    """Learns what becomes of a scene that is abandoned. This one keeps nothing."""

    async def abandoned(self, scene_uuid: str) -> None:
        """The scene is about to be invalidated."""

    async def invalidated(self, scene_uuid: str) -> None:
        """The scene has been invalidated, or the platform does not know it."""

    async def never_started(self, scene_uuid: str) -> None:
        """The platform has refused to start the scene, so there is nothing to invalidate."""


@asynccontextmanager
async def abandoned_on_failure(
    backend: Backend,
    reserved: Reserved,
    record: SceneRecord,
    orphaned: Callable[[str], object],
    *,
    if_cancelled: bool = True,
) -> AsyncGenerator[None, None]:
    """Abandon a scene if what is done in here fails. One that was never started needs no invalidation.

    Args:
        backend: The platform.
        reserved: The scene.
        record: Learns what becomes of the scene.
        orphaned: Gets the uuid of a scene that the platform does not show yet. It is to be invalidated later.
        if_cancelled: Whether to abandon the scene at a cancellation too, and at an error that ends a whole run.
    """
    is_seen_to = False
    try:
        yield
        is_seen_to = True
    except DOOM:
        raise
    except Exception:
        await _abandon(backend, reserved, record, orphaned)
        is_seen_to = True
        raise
    finally:
        if if_cancelled and not is_seen_to:
            await _abandon_at_once(backend, reserved, record)


async def _abandon(
    backend: Backend, reserved: Reserved, record: SceneRecord, orphaned: Callable[[str], object]
) -> None:
    scene_uuid = reserved.scene_uuid
    if not reserved.may_exist:
        await record.never_started(scene_uuid)
        return
    await record.abandoned(scene_uuid)
    is_gone = await invalidate(backend, scene_uuid, waits=False)
    if is_gone is None and backend.visibility.is_expected(scene_uuid):
        orphaned(scene_uuid)
    elif is_gone is not False:
        await record.invalidated(scene_uuid)


async def _abandon_at_once(backend: Backend, reserved: Reserved, record: SceneRecord) -> None:
    """Abandon a scene in the little time that a cancelled task has. A request under way may still bring it to life."""
    scene_uuid = reserved.scene_uuid
    with _in_short_time(scene_uuid):
        if not reserved.may_exist:
            await record.never_started(scene_uuid)
            return
        backend.visibility.expect(scene_uuid, at_least=2 * ABANDONING_TIME)
        await record.abandoned(scene_uuid)
        if await invalidate(backend, scene_uuid) is not False:
            await record.invalidated(scene_uuid)


@asynccontextmanager
async def leaving_no_orphans(backend: Backend) -> AsyncGenerator[list[str], None]:
    """Invalidate the scenes that were put into the list, once what is done in here has ended."""
    orphans: list[str] = []
    try:
        yield orphans
    except Exception:
        await for_each(orphans, partial(invalidate_orphan, backend), workers=ORPHANS_AT_ONCE)
        raise
    except BaseException:  # cancelled, so there is no time
        await for_each(orphans, partial(_invalidate_at_once, backend), workers=ORPHANS_AT_ONCE)
        raise
    await for_each(orphans, partial(invalidate_orphan, backend), workers=ORPHANS_AT_ONCE)


async def invalidate_orphan(backend: Backend, scene_uuid: str, limiter: Semaphore | None = None) -> bool:
    """Invalidate an abandoned scene as soon as the platform shows it, and tell whether it is gone.

    Args:
        backend: The platform.
        scene_uuid: The scene's uuid.
        limiter: Bounds the requests, but not the pauses between them.
    """
    try:
        return await invalidate(backend, scene_uuid, limiter) is not False
    except get_cancelled_exc_class():
        await _invalidate_at_once(backend, scene_uuid)
        raise


async def _invalidate_at_once(backend: Backend, scene_uuid: str) -> None:
    with _in_short_time(scene_uuid):
        await invalidate(backend, scene_uuid)


async def invalidate(
    backend: Backend, scene_uuid: str, limiter: Semaphore | None = None, *, waits: bool = True
) -> bool | None:
    """Invalidate a scene that will not be finished. If that fails, it is logged.

    Args:
        backend: The platform.
        scene_uuid: The scene's uuid.
        limiter: Bounds the requests, but not the pauses between them.
        waits: Whether to ask again for a scene that the platform may not show yet.

    Returns:
        Whether the scene is invalidated, None if the platform does not know it.

    Endpoint: `POST v2/scenes/actions/invalidate`
    """
    body = {"sceneUuids": [scene_uuid], "reason": SceneInvalidatedReason.INCORRECTLY_CREATED.value}

    async def ask() -> None:
        async with limiter or nullcontext():
            await backend.api.command("v2/scenes/actions/invalidate", json=body, repeatable=True)

    try:
        await backend.visibility.wait([scene_uuid] if waits else [], ask)
    except NotFoundError:
        return None
    except KognicError as error:
        log.warning("scene %s was not finished, and could not be invalidated: %s", scene_uuid, error)
        return False
    backend.visibility.invalidated(scene_uuid)
    return True


@contextmanager
def _in_short_time(scene_uuid: str) -> Generator[None, None, None]:
    """Shield what is done in here from cancellation, for the time that a cancelled task has."""
    with move_on_after(ABANDONING_TIME, shield=True) as time:
        yield
    if time.cancelled_caught:
        log.warning(
            "scene %s was cut off, and could not be invalidated in %s s; the next run with the same journal "
            "invalidates it, without a journal look for it yourself",
            scene_uuid,
            ABANDONING_TIME,
        )
