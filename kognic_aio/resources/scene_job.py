"""The way of one scene from its start to its commit."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from anyio import Semaphore
from attrs import evolve, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.once import once
from kognic_aio._http.protocol import segment
from kognic_aio._http.retry import may_have_had_effect
from kognic_aio._http.storage import Storage, is_refused_url
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio._secret import Secret
from kognic_aio.errors import ConflictError, InvalidError, StorageError, StrandedError
from kognic_aio.files import Source
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags
from kognic_aio.resources.answers import check_is_about, shown_id
from kognic_aio.resources.finishing import MOST_STARTS, Lifecycle, Notes, Start
from kognic_aio.resources.uploads import Upload, check_files, file_uploads, upload_all

log = logging.getLogger("kognic_aio")


@frozen(kw_only=True)
class ReservedScene:
    """The uuid that the platform keeps for a scene."""

    scene_uuid: str


@frozen(kw_only=True)
class AcceptedIMUData:
    """IMU data that the platform has accepted, and where it wants to have it."""

    resource_id: str
    signed_url: Secret[str] | None = None


@frozen(kw_only=True)
class AcceptedScene:
    """A scene that the platform has accepted, and where it wants to have its files.

    Args:
        internal_id: The scene's uuid.
        files: The signed URL of each file by resource id.
        request_input_uuid: The input that will come of it, if a project was named.
    """

    internal_id: str
    files: Secret[Mapping[str, str]]
    request_input_uuid: str | None = None


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
        lifecycle: Commits or invalidates what was started.
        workspace_id: Tells the workspace to write to.
    """

    _api: Api
    _storage: Storage
    _lifecycle: Lifecycle
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
        sources: Mapping[str, Source],
        target: Target,
        flags: FeatureFlags,
        *,
        notes: Notes,
        limiter: Semaphore,
        sent: Callable[[int], object] | None = None,
    ) -> CreateSceneResponse:
        """Start a scene, send its files and commit it. If it cannot be finished, it is invalidated.

        A scene whose signed URLs are refused, as expired ones are, is started afresh once; one whose signed URLs got
        lost with the answer a few times.

        Args:
            scene: The scene.
            sources: Where the bytes of its files come from.
            target: Where an input is made of it.
            flags: What to do with its point clouds.
            notes: Told before each step.
            limiter: Bounds the uploads.
            sent: Called with the size of each file that has arrived.
        """
        refused = False
        for _ in range(MOST_STARTS - 1):
            try:
                return await self._attempt(scene, sources, target, flags, notes, limiter, sent)
            except (StrandedError, StorageError) as error:
                if isinstance(error, StorageError):
                    if refused or not is_refused_url(error):
                        raise
                    refused = True
                log.info("scene %r is started afresh: %s", scene.external_id, error)
        return await self._attempt(scene, sources, target, flags, notes, limiter, sent)

    async def _attempt(
        self,
        scene: BaseScene,
        sources: Mapping[str, Source],
        target: Target,
        flags: FeatureFlags,
        notes: Notes,
        limiter: Semaphore,
        sent: Callable[[int], object] | None,
    ) -> CreateSceneResponse:
        path = target.path(scene)
        scene_uuid = await self._reserve()
        await notes.starting(scene_uuid)
        async with self._lifecycle.finishing(scene_uuid, notes) as start:
            accepted, uploads = await self._start(path, scene, sources, _body(scene, scene_uuid, flags), start)
            await upload_all(uploads, limiter, sent)
            if uploads:
                await notes.committing()
                await self._lifecycle.commit(scene_uuid)
        await notes.committed()
        return CreateSceneResponse(scene_uuid=scene_uuid, request_input_uuid=accepted.request_input_uuid)

    async def _reserve(self) -> str:
        """A uuid for a scene. To reserve one that nobody uses is harmless, so this may be repeated."""
        path = "v1/inputs/initialize"
        reserved = await self._api.ask(path, ReservedScene, json=self._workspace())
        return shown_id(self._api, "POST", path, reserved.scene_uuid)

    async def _start(
        self, path: str, scene: BaseScene, sources: Mapping[str, Source], body: JsonObject, start: Start
    ) -> tuple[AcceptedScene, list[Upload]]:
        """Have the platform validate the scene; it answers where the files go."""
        imu: list[JsonObject] | None = body.pop("imuData", None)
        accepted_imu: AcceptedIMUData | None = None
        if imu:
            # Once more for the same scene changes nothing.
            accepted_imu = await self._api.ask(
                "v1/imu", AcceptedIMUData, json=_imu_body(imu, body), query=self._workspace()
            )
            body["imuData"] = accepted_imu.resource_id
        accepted = await self._accept(path, body, start)
        resources, urls = scene.resources, Secret((*accepted.files.reveal().items(),))
        check_files(self._api, path, urls, resources)
        files = file_uploads(self._storage, urls, resources, sources)
        return accepted, [*files, *self._imu_upload(accepted_imu, imu)]

    async def _accept(self, path: str, body: JsonObject, start: Start) -> AcceptedScene:
        """Create the scene. If the answer is lost but the scene is there, so are its signed URLs lost.

        After a lost answer, that the platform does not know the scene proves nothing, as it may not show it yet. So the
        request is sent again at once: its uuid can be used once, and a conflict proves that the scene is there. Every
        other refusal proves nothing of the request that was lost, nor does a conflict at the first try of ours, which
        may be about the project. Nobody waits here to find out: the scene is abandoned.
        """
        visibility = self._lifecycle.visibility
        stranded = StrandedError(f"scene {start.scene_uuid} was started, but where its files go was lost")

        async def is_shown(api: Api) -> bool:
            return await evolve(self._lifecycle, api=api).is_shown(start.scene_uuid)

        async def create(api: Api) -> AcceptedScene:
            may_exist, start.may_exist = start.may_exist, True
            try:
                return await api.post(path, AcceptedScene, json=body, query=self._workspace())
            except ConflictError as conflict:
                if may_exist or await is_shown(api):
                    raise stranded from conflict
                raise
            except Exception as error:
                start.may_exist = may_exist or may_have_had_effect(error)
                raise

        async def look(api: Api) -> AcceptedScene | None:
            if await is_shown(api):
                raise stranded
            return None

        try:
            accepted = await once(self._api, create, look)
        finally:
            if start.may_exist:
                visibility.expect(start.scene_uuid, at_least=self._api.grace)
        visibility.created(start.scene_uuid, body["externalId"])
        check_is_about(self._api, "POST", path, answered=accepted.internal_id, asked=start.scene_uuid)
        return accepted

    def _workspace(self) -> dict[str, str]:
        return {"workspaceId": self._workspace_id()}

    def _imu_upload(self, accepted: AcceptedIMUData | None, imu: list[JsonObject] | None) -> Iterator[Upload]:
        if accepted is not None and accepted.signed_url is not None:
            yield partial(self._storage.put_json, accepted.signed_url, json.dumps(imu).encode(), "IMU data")


def _body(scene: BaseScene, scene_uuid: str, flags: FeatureFlags) -> JsonObject:
    return encode(scene) | {"internalId": scene_uuid, "featureFlags": flags.to_dict()}


def _imu_body(imu: list[JsonObject], body: JsonObject) -> JsonObject:
    return {"imuData": imu, "internalId": body["internalId"]}
