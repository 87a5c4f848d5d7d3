"""Abandons scenes that cannot be finished: asks the platform to invalidate them."""

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial

from anyio import Semaphore, get_cancelled_exc_class, move_on_after

from kognic_aio._tasks import for_each
from kognic_aio.errors import ENDS_RUN, KognicError, NotFoundError
from kognic_aio.model import SceneInvalidatedReason
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.job import SceneJob, find_started

log = logging.getLogger("kognic_aio")

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task has to invalidate its scene. A run has to end within a second."""


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
    job: SceneJob,
    record: SceneRecord,
    orphaned: Callable[[str], object],
    *,
    if_cancelled: bool = True,
) -> AsyncGenerator[None, None]:
    """Abandon a scene if the body of this context fails. A scene that was never started is not invalidated.

    `orphaned` is called with the uuid of a scene that the platform does not show yet, to invalidate it later. With
    `if_cancelled`, the scene is also abandoned on a cancellation, and on an error that ends the whole run.
    """
    is_handled = False
    try:
        yield
        is_handled = True
    except ENDS_RUN:
        # The host may be broken or the credentials refused, so full retries would delay the end of the run. The scene
        # gets the same short attempt as on a cancellation.
        raise
    except Exception:
        await _abandon(backend, job, record, orphaned)
        is_handled = True
        raise
    finally:
        if if_cancelled and not is_handled:
            with _in_short_time(job.scene_uuid):
                await _abandon(backend, job, record)


async def _abandon(
    backend: Backend, job: SceneJob, record: SceneRecord, orphaned: Callable[[str], object] | None = None
) -> None:
    """Abandon a scene. One that the platform does not show yet is left to `orphaned`, or waited for."""
    if job.may_exist and not job.scene_uuid and job.others is not None:
        # A SceneRequest of which nobody knows whether it was started. The record keeps that if it is not found out.
        if orphaned is None:
            backend.visibility.ensure_grace_period(job.external_id, at_least=2 * ABANDONING_TIME)
        try:
            found = await find_started(backend, job.external_id, job.others, has_files=job.has_files)
        except KognicError as error:
            log.warning("a scene %r may have been started, and could not be found: %s", job.external_id, error)
            return
        job.scene_uuid = "" if found is None else found.uuid
    scene_uuid, visibility = job.scene_uuid, backend.visibility
    if not job.may_exist or not scene_uuid:
        await record.never_started(scene_uuid)
        return
    if orphaned is None:
        # The cancelled request may still start the scene. So a 404 is retried as long as there is time, even if the
        # client has no grace period.
        visibility.ensure_grace_period(scene_uuid, at_least=2 * ABANDONING_TIME)
    await record.abandoned(scene_uuid)
    # The task of a scene that may be orphaned still holds a place among the scene jobs, so it does not wait.
    is_gone = await _invalidate(backend, scene_uuid, waits=orphaned is None)
    if is_gone is None and orphaned is not None and visibility.is_expected(scene_uuid):
        orphaned(scene_uuid)
    # After a failed invalidation, the record keeps the scene as abandoned, so that the next run invalidates it.
    elif is_gone is not False:
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
        # All at once: a call leaves at most `job.MAX_STARTS`.
        await for_each(orphans, partial(invalidating, backend), workers=len(orphans))


async def invalidate_orphan(backend: Backend, scene_uuid: str, limiter: Semaphore | None = None) -> bool:
    """Invalidate an abandoned scene as soon as the platform shows it. Return whether it is gone.

    The limiter bounds the requests, but not the pauses between them.
    """
    try:
        return await _invalidate(backend, scene_uuid, limiter) is not False
    except get_cancelled_exc_class():
        await _invalidate_at_once(backend, scene_uuid)
        raise


async def _invalidate_at_once(backend: Backend, scene_uuid: str) -> None:
    with _in_short_time(scene_uuid):
        await _invalidate(backend, scene_uuid)


async def _invalidate(
    backend: Backend, scene_uuid: str, limiter: Semaphore | None = None, *, waits: bool = True
) -> bool | None:
    """Invalidate a scene, and return whether it is; None if the platform does not know it. A failure is logged.

    Endpoint: `POST v2/scenes/actions/invalidate`
    """
    body = {"sceneUuids": [scene_uuid], "reason": SceneInvalidatedReason.INCORRECTLY_CREATED.value}

    async def ask() -> None:
        # The limiter is held per request: an orphan may wait for a whole grace period, and would hold up inputs.
        async with limiter or nullcontext():
            # Repeatable, because invalidating a scene twice is the same as once.
            await backend.api.command("v2/scenes/actions/invalidate", json=body, repeatable=True)

    try:
        await backend.visibility.when_shown([scene_uuid] if waits else [], ask)
    except NotFoundError:
        return None
    except KognicError as error:
        log.warning("scene %s was not finished, and could not be invalidated: %s", scene_uuid, error)
        return False
    backend.visibility.end_grace_period(scene_uuid)
    return True


@contextmanager
def _in_short_time(scene_uuid: str) -> Generator[None, None, None]:
    """Shield the body of this context from cancellation, for the time that a cancelled task has."""
    with move_on_after(ABANDONING_TIME, shield=True) as time:
        yield
    if time.cancelled_caught:
        log.warning(
            "scene %s was interrupted, and could not be invalidated within %g s; the next run with the same journal "
            "will do so; without a journal, invalidate it yourself",
            scene_uuid,
            ABANDONING_TIME,
        )
