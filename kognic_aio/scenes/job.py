"""The steps of a scene job: reserve, start, commit. The files are uploaded between start and commit."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from attrs import frozen

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once
from kognic_aio._http.protocol import segment
from kognic_aio._http.retry import may_have_had_effect
from kognic_aio._http.storage import is_refused_url
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio._secret import Secret
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import ConflictError, InvalidError, StorageError, StrandedError
from kognic_aio.files import Source
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    BaseScene,
    Cameras,
    CamerasSequence,
    FeatureFlags,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    SceneStatus,
)
from kognic_aio.scenes.abandon import Reserved
from kognic_aio.scenes.answers import check_is_about, shown_id
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.lookup import get_status, is_shown
from kognic_aio.scenes.upload import Upload, check_files, file_uploads

T = TypeVar("T")

log = logging.getLogger("kognic_aio")

SCENE_TYPES = (
    *(Cameras, CamerasSequence, Lidars, LidarsSequence),
    *(LidarsAndCameras, LidarsAndCamerasSequence, AggregatedLidarsAndCamerasSequence),
)

MAX_STARTS = 8
"""Attempts at starting a scene. If one response in seven is lost, none of 100,000 scenes is given up."""


@frozen(kw_only=True)
class ReservedScene:
    """The uuid that the platform has reserved for a scene."""

    scene_uuid: str


@frozen(kw_only=True)
class AcceptedIMUData:
    """IMU data that the platform has accepted, and the signed URL to upload it to."""

    resource_id: str
    signed_url: Secret[str] | None = None


@frozen(kw_only=True)
class AcceptedScene:
    """A scene that the platform has accepted, and the signed URLs to upload its files to.

    Args:
        internal_id: The scene's uuid.
        files: The signed URLs by resource id.
        request_input_uuid: The input that the platform will create from it, if a project was named.
    """

    internal_id: str
    files: Secret[Mapping[str, str]]
    request_input_uuid: str | None = None


@frozen(kw_only=True)
class Target:
    """Where the platform creates an input from a new scene: nowhere, in a project, or in a batch of it."""

    project: str | None = None
    batch: str | None = None

    def __attrs_post_init__(self) -> None:
        _ = self.path  # raises for an invalid target, before anything is sent

    @property
    def path(self) -> str:
        """The path to create scenes at, without their type."""
        if self.batch is not None and self.project is None:
            raise InvalidError(f"batch {self.batch!r} needs the project that it is in")
        in_project = "" if self.project is None else f"project/{segment(self.project)}/"
        in_batch = "" if self.batch is None else f"batch/{segment(self.batch)}/"
        return f"v1/inputs/{in_project}{in_batch}"


@frozen
class Started:
    """A scene that the platform has started.

    Args:
        scene_uuid: Its uuid.
        uploads: The uploads that the platform waits for.
        request_input_uuid: The input that the platform will create from it, if a project was named.
    """

    scene_uuid: str
    uploads: Sequence[Upload]
    request_input_uuid: str | None = None


def check_type(scene: BaseScene) -> None:
    """Check that a scene is of one of the seven types.

    Raises:
        InvalidError: If it is not.
    """
    if not isinstance(scene, SCENE_TYPES):
        refuse_official(scene, "scene")
        raise InvalidError(f"expected a scene, such as Cameras, got {type(scene).__name__}")


async def reserve(backend: Backend) -> Reserved:
    """Reserve a uuid for a scene.

    Endpoint: `POST v1/inputs/initialize`
    """
    path = "v1/inputs/initialize"
    # Retried like a read: a uuid that is never used does no harm.
    reserved = await backend.api.ask(path, ReservedScene, json=backend.workspace)
    return Reserved(shown_id(backend.api, "POST", path, reserved.scene_uuid))


async def start(
    backend: Backend,
    reserved: Reserved,
    scene: BaseScene,
    sources: Mapping[str, Source],
    target: Target,
    flags: FeatureFlags | None,
) -> Started:
    """Start a scene: the platform validates it and returns signed URLs for its files.

    Args:
        backend: The platform.
        reserved: The reserved uuid. Updated with whether the platform may have started the scene.
        scene: The scene.
        sources: The sources of its files by filename.
        target: Where the platform creates an input from it.
        flags: How the platform processes point clouds, by default `FeatureFlags.defaults()`.

    Endpoints: `POST v1/imu`, `POST v1/inputs/[project/P/[batch/B/]]<type>`
    """
    api, path, body = backend.api, target.path + scene.path, _body(scene, reserved, flags)
    imu: list[JsonObject] | None = body.pop("imuData", None)
    accepted_imu: AcceptedIMUData | None = None
    if imu:
        # Retried like a read: to send it again for the same scene changes nothing.
        accepted_imu = await api.ask("v1/imu", AcceptedIMUData, json=_imu_body(imu, body), query=backend.workspace)
        body["imuData"] = accepted_imu.resource_id
    accepted = await _accept(backend, path, body, reserved)
    urls = Secret((*accepted.files.reveal().items(),))
    check_files(api, path, urls, scene.resources)
    files = file_uploads(backend.storage, urls, scene.resources, sources)
    uploads = [*files, *_imu_upload(backend, accepted_imu, imu)]
    return Started(reserved.scene_uuid, uploads, accepted.request_input_uuid)


async def _accept(backend: Backend, path: str, body: JsonObject, reserved: Reserved) -> AcceptedScene:
    """Send the request that starts a scene.

    Raises:
        StrandedError: If the scene was started, but the response with its signed URLs was lost.
    """
    scene_uuid = reserved.scene_uuid
    stranded = StrandedError(f"scene {scene_uuid} was started, but its signed URLs were lost")

    async def create(api: Api) -> AcceptedScene:
        # Set before the request, because a cancellation may come after the request had its effect.
        may_exist, reserved.may_exist = reserved.may_exist, True
        try:
            return await api.post(path, AcceptedScene, json=body, query=backend.workspace)
        except ConflictError as conflict:
            # A uuid can be used only once. So after a lost response, a conflict proves that the scene exists. At the
            # first attempt it may also be about the project. Then nobody waits to find out: the scene is abandoned.
            if may_exist or await is_shown(api, scene_uuid):
                raise stranded from conflict
            raise
        except Exception as error:
            # This refusal says nothing about an earlier attempt whose response was lost.
            reserved.may_exist = may_exist or may_have_had_effect(error)
            raise

    async def look(api: Api) -> AcceptedScene | None:
        if await is_shown(api, scene_uuid):
            raise stranded
        # Not found proves nothing, because the platform may not show the scene yet. Waiting would take a grace period.
        # `at_most_once` sends the request again instead: a conflict is immediate proof.
        return None

    try:
        accepted = await at_most_once(backend.api, create, look)
    finally:
        if reserved.may_exist:
            # A request that timed out may still take effect. So even a client without a grace period needs one here.
            backend.visibility.expect(scene_uuid, at_least=backend.api.late_effect_seconds)
    # The grace period counts from the response, which is the latest time at which the scene was created.
    backend.visibility.created(scene_uuid, body["externalId"])
    check_is_about(backend.api, "POST", path, answered=accepted.internal_id, asked=scene_uuid)
    return accepted


async def commit(backend: Backend, started: Started) -> None:
    """Commit a scene: all its files are uploaded, and the platform begins to process it.

    Endpoint: `POST v1/inputs/{scene}/actions/commit`
    """
    if not started.uploads:  # the platform commits a scene by itself if it waits for no files
        return
    scene_uuid = started.scene_uuid

    async def act(api: Api) -> bool:
        path = f"v1/inputs/{segment(scene_uuid)}/actions/commit"
        await backend.visibility.wait([scene_uuid], lambda: api.command(path))
        return True

    async def look(api: Api) -> bool | None:
        return await get_status(api, backend.visibility, scene_uuid) not in (SceneStatus.Pending, None) or None

    try:
        await at_most_once(backend.api, act, look)
    except ConflictError:
        # The platform refuses a second commit. If the first one had its effect, all is well.
        if not await look(backend.api):
            raise


async def validate(backend: Backend, scene: BaseScene, target: Target, flags: FeatureFlags | None) -> None:
    """Validate a scene on the platform, and create nothing. The endpoints are those of `reserve` and `start`."""
    # The body needs a uuid even in a dry run. An unused one does no harm.
    path, body = target.path + scene.path, _body(scene, await reserve(backend), flags)
    if imu := body.pop("imuData", None):
        await backend.api.command("v1/imu", json=_imu_body(imu, body), query=backend.workspace, dryrun=True)
    await backend.api.command(path, json=body, query=backend.workspace, dryrun=True)


async def started_afresh(external_id: str | None, attempt: Callable[[], Awaitable[T]]) -> T:
    """Create a scene, and start it afresh if its signed URLs are lost or refused.

    Args:
        external_id: The scene's external id, for the log.
        attempt: Reserves, starts, uploads and commits the scene.
    """
    refused = False
    for _ in range(MAX_STARTS - 1):
        try:
            return await attempt()
        except (StrandedError, StorageError) as error:
            if isinstance(error, StorageError):
                # A refused URL has probably expired. If fresh ones are refused too, something else is wrong.
                if refused or not is_refused_url(error):
                    raise
                refused = True
            log.info("scene %r is started afresh: %s", external_id, error)
    return await attempt()


def _imu_upload(backend: Backend, accepted: AcceptedIMUData | None, imu: list[JsonObject] | None) -> Iterator[Upload]:
    if accepted is not None and accepted.signed_url is not None:
        yield partial(backend.storage.put_json, accepted.signed_url, json.dumps(imu).encode(), "IMU data")


def _body(scene: BaseScene, reserved: Reserved, flags: FeatureFlags | None) -> JsonObject:
    flags = FeatureFlags.defaults() if flags is None else flags
    return encode(scene) | {"internalId": reserved.scene_uuid, "featureFlags": flags.to_dict()}


def _imu_body(imu: list[JsonObject], body: JsonObject) -> JsonObject:
    return {"imuData": imu, "internalId": body["internalId"]}
