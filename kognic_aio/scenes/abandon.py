"""Abandons scenes that cannot be finished: asks the platform to invalidate them."""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial

from anyio import Semaphore, get_cancelled_exc_class, move_on_after
from attrs import define

from kognic_aio._tasks import for_each
from kognic_aio.errors import ENDS_RUN, KognicError, NotFoundError
from kognic_aio.model import SceneInvalidatedReason
from kognic_aio.scenes.backend import Backend

log = logging.getLogger("kognic_aio")

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task has to invalidate its scene. A run has to end within a second."""

ORPHANS_AT_ONCE = 8
"""Orphans of one call that are invalidated concurrently. A call leaves at most this many: see `job.MAX_STARTS`."""


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
    """Records what happens to an abandoned scene. This base class records nothing."""

    async def abandoned(self, scene_uuid: str) -> None:
        """Record that the scene is about to be invalidated."""

    async def invalidated(self, scene_uuid: str) -> None:
        """Record that the scene is invalidated, or unknown to the platform."""

    async def never_started(self, scene_uuid: str) -> None:
        """Record that the platform refused to start the scene, so there is nothing to invalidate."""


@asynccontextmanager
async def abandoned_on_failure(
    backend: Backend,
    reserved: Reserved,
    record: SceneRecord,
    orphaned: Callable[[str], object],
    *,
    if_cancelled: bool = True,
) -> AsyncGenerator[None, None]:
    """Abandon a scene if the body of this context fails. A scene that was never started is not invalidated.

    Args:
        backend: The platform.
        reserved: The scene.
        record: Records what happens to the scene.
        orphaned: Called with the uuid of a scene that the platform does not show yet, to invalidate it later.
        if_cancelled: Whether to abandon the scene also on a cancellation, and on an error that ends the whole run.
    """
    is_seen_to = False
    try:
        yield
        is_seen_to = True
    except ENDS_RUN:
        # The host may be broken or the credentials refused, so full retries would delay the end of the run. The scene
        # gets the same short attempt as on a cancellation.
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
    # No waiting for the scene to appear: its task still holds a place among the scene jobs.
    is_gone = await invalidate(backend, scene_uuid, waits=False)
    if is_gone is None and backend.visibility.is_expected(scene_uuid):
        orphaned(scene_uuid)
    # After a failed invalidation, the record keeps the scene as abandoned, so that the next run invalidates it.
    elif is_gone is not False:
        await record.invalidated(scene_uuid)


async def _abandon_at_once(backend: Backend, reserved: Reserved, record: SceneRecord) -> None:
    """Abandon a scene in the short time that a cancelled task has."""
    scene_uuid = reserved.scene_uuid
    with _in_short_time(scene_uuid):
        if not reserved.may_exist:
            await record.never_started(scene_uuid)
            return
        # The cancelled request may still start the scene. So a 404 is retried as long as there is time, even if the
        # client has no grace period.
        backend.visibility.expect(scene_uuid, at_least=2 * ABANDONING_TIME)
        await record.abandoned(scene_uuid)
        if await invalidate(backend, scene_uuid) is not False:
            await record.invalidated(scene_uuid)


@asynccontextmanager
async def leaving_no_orphans(backend: Backend) -> AsyncGenerator[list[str], None]:
    """Give a list for orphans, and invalidate them when the body of this context has ended."""
    orphans: list[str] = []
    has_time = True
    try:
        yield orphans
    except BaseException as error:
        has_time = isinstance(error, Exception)  # after a cancellation there is none
        raise
    finally:
        invalidating = invalidate_orphan if has_time else _invalidate_at_once
        await for_each(orphans, partial(invalidating, backend), workers=ORPHANS_AT_ONCE)


async def invalidate_orphan(backend: Backend, scene_uuid: str, limiter: Semaphore | None = None) -> bool:
    """Invalidate an abandoned scene as soon as the platform shows it. Return whether it is gone.

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
    """Invalidate a scene that will not be finished. A failure is logged, not raised.

    Args:
        backend: The platform.
        scene_uuid: The scene's uuid.
        limiter: Bounds the requests, but not the pauses between them.
        waits: Whether to retry while the platform may not show the scene yet.

    Returns:
        Whether the scene is invalidated; None if the platform does not know it.

    Endpoint: `POST v2/scenes/actions/invalidate`
    """
    body = {"sceneUuids": [scene_uuid], "reason": SceneInvalidatedReason.INCORRECTLY_CREATED.value}

    async def ask() -> None:
        # The limiter is held per request: an orphan may wait for a whole grace period, and would hold up inputs.
        async with limiter or nullcontext():
            # Repeatable, because invalidating a scene twice is the same as once.
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
    """Shield the body of this context from cancellation, for the time that a cancelled task has."""
    with move_on_after(ABANDONING_TIME, shield=True) as time:
        yield
    if time.cancelled_caught:
        log.warning(
            "scene %s was cut off, and could not be invalidated in %s s; the next run with the same journal "
            "invalidates it; without a journal, invalidate it yourself",
            scene_uuid,
            ABANDONING_TIME,
        )
