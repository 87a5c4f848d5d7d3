"""Creates a single scene, outside a run."""

import logging
from collections.abc import Mapping

from kognic_aio.errors import KognicError
from kognic_aio.files import FileSource, opened_sources
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.scenes.abandon import SceneRecord, abandoned_on_failure, leaving_no_orphans
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.job import (
    PARENT_PATH,
    AnyScene,
    Restarts,
    SceneJob,
    commit,
    files_of,
    reserve,
    start,
    upload,
    validate,
)

log = logging.getLogger("kognic_aio")


async def create_scene(
    backend: Backend, scene: AnyScene, flags: FeatureFlags | None = None, parent_path: str = PARENT_PATH
) -> CreateSceneResponse:
    """Reserve, start, upload and commit a scene. If that fails, the scene is abandoned.

    A `SceneRequest` is committed if it has local files.
    """
    # Orphans are invalidated last, when the place among the scene jobs is free again.
    async with (
        leaving_no_orphans(backend) as orphans,
        backend.limiters.scene_jobs,
        opened_sources(files_of(scene), backend.limiters.read_pool) as sources,
    ):
        restarts = Restarts()
        while True:
            try:
                return await _create(backend, scene, sources, flags, parent_path, orphans)
            except KognicError as error:
                if isinstance(scene, SceneRequest) or not restarts.may_follow(error):
                    raise
                log.info("scene %r is started afresh: %s", scene.external_id, error)


async def _create(
    backend: Backend,
    scene: AnyScene,
    sources: Mapping[str, FileSource],
    flags: FeatureFlags | None,
    parent_path: str,
    orphans: list[str],
) -> CreateSceneResponse:
    # Before a SceneRequest, the official client does not look for others with its external id. So after a lost response
    # there is nothing to ask about, and the request is not repeated.
    job = SceneJob() if isinstance(scene, SceneRequest) else await reserve(backend)
    async with abandoned_on_failure(backend, job, SceneRecord(), orphans.append):
        await start(backend, job, scene, sources, flags, parent_path)
        await upload(job.uploads, backend.limiters.uploads)
        await commit(backend, job)
    return CreateSceneResponse(scene_uuid=job.scene_uuid, request_input_uuid=job.request_input_uuid)


async def validate_scene(backend: Backend, scene: BaseScene, flags: FeatureFlags | None, parent_path: str) -> None:
    """Check the local files of a scene, and let the platform validate the rest. Nothing is created.

    Streams and generators that were passed as data stay open for a later run.
    """
    async with backend.limiters.scene_jobs, opened_sources(scene.resources, backend.limiters.read_pool, dryrun=True):
        await validate(backend, scene, flags, parent_path)
