"""Creating scenes: one creator for all seven types, whose steps a run of `create_inputs` takes one by one."""

import json
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Generic, Literal, TypeVar, overload

from attrs import frozen

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import given, segment
from kognic_aio._http.storage import Storage
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags, Input
from kognic_aio.resources.deprecation import renamed
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.uploads import Upload, checked_files, file_uploads, upload_all

S = TypeVar("S", bound=BaseScene)

OFFICIAL_NAMES = (
    "cameras",
    "cameras_sequence",
    "lidars",
    "lidars_sequence",
    "lidars_and_cameras",
    "lidars_and_cameras_sequence",
    "aggregated_lidars_and_cameras_seq",
)
"""What the official client calls the scene, the first argument of `create`, in each of its seven classes."""


@frozen(kw_only=True)
class ReservedScene:
    """The uuid that the platform keeps for a scene."""

    scene_uuid: str


@frozen(kw_only=True)
class AcceptedIMUData:
    """IMU data that the platform has accepted, and where it wants to have it."""

    resource_id: str
    signed_url: str | None = None


@frozen(kw_only=True)
class AcceptedScene:
    """A scene that the platform has accepted, and where it wants to have its files.

    Args:
        internal_id: The scene's uuid.
        files: The signed URL of each file by resource id.
        request_input_uuid: The input that will come of it, if a project was named.
    """

    internal_id: str
    files: Mapping[str, str]
    request_input_uuid: str | None = None


@frozen(kw_only=True)
class SceneJob:
    """A scene between start and commit.

    Args:
        scene_uuid: The scene's uuid.
        uploads: What is to be sent before the commit.
        request_input_uuid: The input that will come of it, if a project was named.
    """

    scene_uuid: str
    uploads: Sequence[Upload]
    request_input_uuid: str | None = None


class SceneCreator(Generic[S]):
    """Creates scenes of one type.

    Args:
        kind: The scene type.
        api: The input API.
        storage: Takes the files.
        limiters: Holds back `create`; a run of `create_inputs` may bring its own.
        workspace_id: Tells the workspace to write to.
    """

    def __init__(
        self, kind: type[S], api: Api, storage: Storage, limiters: Limiters, workspace_id: Callable[[], str]
    ) -> None:
        self.kind = kind
        self._api = api
        self._storage = storage
        self._limiters = limiters
        self._workspace_id = workspace_id

    @overload
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: Literal[False] = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse: ...

    @overload
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse | None: ...

    @renamed("scene", *OFFICIAL_NAMES)
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse | None:
        """Create a scene: reserve its uuid, start it, upload its files and commit it. It then begins to be processed.

        Args:
            scene: The scene.
            project: External id of a project in which an input is made once the scene is ready. By default none is.
            batch: External id of the batch for the input. By default the latest open one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.
            feature_flags: By default `FeatureFlags.defaults()`, which turns motion compensation on.

        Returns:
            The uuids, None after a dry run.

        Raises:
            InvalidError: If something given is wrong in itself; nothing has been sent.
            DataError: If the data of a file cannot be had; the scene has been started, and is not committed.
            ApiError: If the platform refuses the scene.
            StorageError: If the storage refuses a file.
            RequestError: If a request brought no usable answer.

        Endpoints: `POST v1/inputs/initialize`, `POST v1/imu`, `POST v1/inputs/[project/P/[batch/B/]]<type>`,
        `PUT` to signed URLs, `POST v1/inputs/{uuid}/actions/commit`
        """
        _warn_of_annotation_types(annotation_types)
        async with self._limiters.scene_jobs, self.checked(scene, keep=dryrun):
            job = await self.start(scene, project=project, batch=batch, dryrun=dryrun, feature_flags=feature_flags)
            if dryrun:
                return None
            await upload_all(job.uploads, self._limiters.uploads)
            await self.commit(job)
        return CreateSceneResponse(scene_uuid=job.scene_uuid, request_input_uuid=job.request_input_uuid)

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: Literal[False] = False,
    ) -> list[Input]: ...

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
    ) -> list[Input] | None: ...

    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
    ) -> list[Input] | None:
        """Create inputs from a scene that exists, with its latest pre-annotation if it has any.

        Args:
            scene_uuid: The scene's uuid.
            project: External id of the project.
            batch: External id of the batch. By default the latest open one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.

        Returns:
            One input per request of the batch, None after a dry run.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs`
        """
        _warn_of_annotation_types(annotation_types)
        body = given(sceneUuid=scene_uuid, project=project, batch=batch)
        if dryrun:
            await self._api.command("v1/inputs", json=body, dryrun=True)
            return None
        return await self._api.post("v1/inputs", list[Input], json=body)

    @asynccontextmanager
    async def checked(self, scene: S, *, keep: bool = False) -> AsyncGenerator[None, None]:
        """Look at the scene and its local files before anything is sent; close its streams in the end.

        Args:
            scene: The scene.
            keep: Whether to leave the streams and generators open that were given as data, for a later run.

        Raises:
            InvalidError: If the scene is of another type, or a local file is missing, empty or not a file.
        """
        if not isinstance(scene, self.kind):
            raise InvalidError(f"this creates scenes of type {self.kind.__name__}, got {type(scene).__name__}")
        async with checked_files(scene.resources, keep=keep):
            yield

    async def start(
        self,
        scene: S,
        *,
        project: str | None = None,
        batch: str | None = None,
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> SceneJob:
        """Reserve a uuid and have the platform validate the scene; it answers where the files go."""
        if batch is not None and project is None:
            raise InvalidError(f"batch {batch!r} needs the project that it is in")
        path = _creation_path(scene, project, batch)
        query = {"workspaceId": self._workspace_id()}
        # To reserve a uuid that nobody uses is harmless, so this may be repeated.
        reserved = await self._api.ask("v1/inputs/initialize", ReservedScene, json=query)
        flags = FeatureFlags.defaults() if feature_flags is None else feature_flags
        body: JsonObject = encode(scene) | {"internalId": reserved.scene_uuid, "featureFlags": flags.to_dict()}
        imu: list[JsonObject] | None = body.pop("imuData", None)
        accepted_imu = await self._start_imu(imu, reserved.scene_uuid, dryrun) if imu else None
        if accepted_imu is not None:
            body["imuData"] = accepted_imu.resource_id
        if dryrun:
            await self._api.command(path, json=body, query=query, dryrun=True)
            return SceneJob(scene_uuid=reserved.scene_uuid, uploads=())
        accepted = await self._api.post(path, AcceptedScene, json=body, query=query)
        return SceneJob(
            scene_uuid=accepted.internal_id,
            uploads=[
                *file_uploads(self._storage, accepted.files, scene.resources, scene.external_id),
                *self._imu_uploads(accepted_imu, imu),
            ],
            request_input_uuid=accepted.request_input_uuid,
        )

    async def commit(self, job: SceneJob) -> None:
        """Tell the platform that all files are there. A scene without uploads needs no commit."""
        if job.uploads:
            await self._api.command(f"v1/inputs/{job.scene_uuid}/actions/commit")

    async def _start_imu(self, imu: list[JsonObject], scene_uuid: str, dryrun: bool) -> AcceptedIMUData | None:
        query = {"workspaceId": self._workspace_id()}
        body = {"imuData": imu, "internalId": scene_uuid}
        if dryrun:
            await self._api.command("v1/imu", json=body, query=query, dryrun=True)
            return None
        return await self._api.post("v1/imu", AcceptedIMUData, json=body, query=query)

    def _imu_uploads(self, accepted: AcceptedIMUData | None, imu: list[JsonObject] | None) -> Iterator[Upload]:
        if accepted is not None and accepted.signed_url is not None:
            yield partial(self._storage.put_json, accepted.signed_url, json.dumps(imu).encode(), "IMU data")


def _creation_path(scene: BaseScene, project: str | None, batch: str | None) -> str:
    target = "" if project is None else f"project/{segment(project)}/"
    if project is not None and batch is not None:
        target += f"batch/{segment(batch)}/"
    return f"v1/inputs/{target}{scene.path}"


def _warn_of_annotation_types(annotation_types: Sequence[str] | None) -> None:
    if annotation_types:
        message = "annotation_types are no longer used: the batch determines them"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
