"""The way of one scene from its start to its commit, on which nothing is lost and nothing happens twice."""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from anyio import CapacityLimiter, move_on_after, sleep
from attrs import field, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.body import is_replayable
from kognic_aio._http.protocol import segment
from kognic_aio._http.retries import may_have_had_effect, may_repeat
from kognic_aio._http.storage import Storage
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio.errors import DOOM, ConflictError, InvalidError, KognicError, NotFoundError, StorageError, StrandedError
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags, Scene, SceneInvalidatedReason, SceneStatus
from kognic_aio.resources.uploads import Upload, file_uploads, upload_all

log = logging.getLogger("kognic_aio")

MOST_STARTS = 5
"""How often a scene is started at most."""

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task takes at most to invalidate the scene that it leaves behind."""


@frozen(kw_only=True)
class ReservedScene:
    """The uuid that the platform keeps for a scene."""

    scene_uuid: str


@frozen(kw_only=True)
class AcceptedIMUData:
    """IMU data that the platform has accepted, and where it wants to have it."""

    resource_id: str
    signed_url: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class AcceptedScene:
    """A scene that the platform has accepted, and where it wants to have its files.

    Args:
        internal_id: The scene's uuid.
        files: The signed URL of each file by resource id.
        request_input_uuid: The input that will come of it, if a project was named.
    """

    internal_id: str
    files: Mapping[str, str] = field(repr=False)
    request_input_uuid: str | None = None


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
    is_left = False
    try:
        yield
    except DOOM:
        is_left = True
        raise
    except Exception as error:
        try:
            await abandon(api, scene_uuid, notes, late=may_have_had_effect(error))
        except BaseException:
            is_left = True
            raise
        raise
    except BaseException:
        is_left = True
        raise
    finally:
        if is_left and not notes.is_taken_up:
            await cut_off(api, scene_uuid, notes)


@frozen(kw_only=True)
class Target:
    """Where the platform makes an input of a scene by itself: nowhere, in a project, in a batch of it."""

    project: str | None = None
    batch: str | None = None

    def path(self, scene: BaseScene) -> str:
        """The path that creates such a scene there."""
        if self.batch is not None and self.project is None:
            raise InvalidError(f"batch {self.batch!r} needs the project that it is in")
        in_project = "" if self.project is None else f"project/{segment(self.project)}/"
        in_batch = "" if self.batch is None else f"batch/{segment(self.batch)}/"
        return f"v1/inputs/{in_project}{in_batch}{scene.path}"


@frozen
class SceneJobs:
    """Brings scenes to the platform.

    Args:
        api: The input API.
        storage: Takes the files.
        workspace_id: Tells the workspace to write to.
    """

    _api: Api
    _storage: Storage
    _workspace_id: Callable[[], str]

    async def validate(self, scene: BaseScene, target: Target, flags: FeatureFlags) -> None:
        """Let the platform look at a scene, and create nothing."""
        path = target.path(scene)
        body = _body(scene, await self._reserve(), flags)
        if imu := body.pop("imuData", None):
            await self._api.command("v1/imu", json=_imu_body(imu, body), query=self._workspace(), dryrun=True)
        await self._api.command(path, json=body, query=self._workspace(), dryrun=True)

    async def complete(
        self,
        scene: BaseScene,
        target: Target,
        flags: FeatureFlags,
        *,
        notes: Notes,
        limiter: CapacityLimiter,
        sent: Callable[[int], object] | None = None,
    ) -> CreateSceneResponse:
        """Start a scene, send its files and commit it. If it cannot be finished, it is invalidated.

        A scene whose signed URLs are refused, as expired ones are, is started afresh once; one whose signed URLs got
        lost with the answer a few times.

        Args:
            scene: The scene.
            target: Where an input is made of it.
            flags: What to do with its point clouds.
            notes: Told before each step.
            limiter: Bounds the uploads.
            sent: Called with the size of each file that has arrived.
        """
        refused = False
        for _ in range(MOST_STARTS - 1):
            try:
                return await self._attempt(scene, target, flags, notes, limiter, sent)
            except StrandedError as error:
                log.info("scene %r is started afresh: %s", scene.external_id, error)
            except StorageError as error:
                if refused or may_repeat(error) or not _is_replayable(scene):
                    raise
                refused = True
                log.info("scene %r is started afresh: %s", scene.external_id, error)
        return await self._attempt(scene, target, flags, notes, limiter, sent)

    async def _attempt(
        self,
        scene: BaseScene,
        target: Target,
        flags: FeatureFlags,
        notes: Notes,
        limiter: CapacityLimiter,
        sent: Callable[[int], object] | None,
    ) -> CreateSceneResponse:
        path = target.path(scene)
        scene_uuid = await self._reserve()
        await notes.starting(scene_uuid)
        async with finishing(self._api, scene_uuid, notes):
            accepted, uploads = await self._start(path, scene, _body(scene, scene_uuid, flags))
            await upload_all(uploads, limiter, sent)
            if uploads:
                await notes.committing()
                await commit(self._api, scene_uuid)
        await notes.committed()
        return CreateSceneResponse(scene_uuid=scene_uuid, request_input_uuid=accepted.request_input_uuid)

    async def _reserve(self) -> str:
        """A uuid for a scene. To reserve one that nobody uses is harmless, so this may be repeated."""
        return (await self._api.ask("v1/inputs/initialize", ReservedScene, json=self._workspace())).scene_uuid

    async def _start(self, path: str, scene: BaseScene, body: JsonObject) -> tuple[AcceptedScene, list[Upload]]:
        """Have the platform validate the scene; it answers where the files go."""
        imu: list[JsonObject] | None = body.pop("imuData", None)
        accepted_imu: AcceptedIMUData | None = None
        if imu:
            # Once more for the same scene changes nothing.
            accepted_imu = await self._api.ask(
                "v1/imu", AcceptedIMUData, json=_imu_body(imu, body), query=self._workspace()
            )
            body["imuData"] = accepted_imu.resource_id
        accepted = await self._accept(path, body)
        files = file_uploads(self._storage, accepted.files, scene.resources, scene.external_id)
        return accepted, [*files, *self._imu_upload(accepted_imu, imu)]

    async def _accept(self, path: str, body: JsonObject) -> AcceptedScene:
        """Create the scene. If the answer is lost but the scene is there, so are its signed URLs lost."""
        scene_uuid: str = body["internalId"]

        async def look() -> AcceptedScene | None:
            if await scene_status(self._api, scene_uuid) is None:
                return None
            raise StrandedError(f"scene {scene_uuid} was started, but where its files go was lost with the answer")

        try:
            return await self._api.once(
                lambda: self._api.post(path, AcceptedScene, json=body, query=self._workspace()), look
            )
        except ConflictError:  # of a uuid that nobody else has: an earlier try had its effect after all
            await look()
            raise

    def _workspace(self) -> dict[str, str]:
        return {"workspaceId": self._workspace_id()}

    def _imu_upload(self, accepted: AcceptedIMUData | None, imu: list[JsonObject] | None) -> Iterator[Upload]:
        if accepted is not None and accepted.signed_url is not None:
            yield partial(self._storage.put_json, accepted.signed_url, json.dumps(imu).encode(), "IMU data")


def _body(scene: BaseScene, scene_uuid: str, flags: FeatureFlags) -> JsonObject:
    return encode(scene) | {"internalId": scene_uuid, "featureFlags": flags.to_dict()}


def _imu_body(imu: list[JsonObject], body: JsonObject) -> JsonObject:
    return {"imuData": imu, "internalId": body["internalId"]}


def _is_replayable(scene: BaseScene) -> bool:
    return all(is_replayable(file) for file in scene.resources.values())
