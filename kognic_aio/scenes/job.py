"""The steps of a scene job: reserve, start, upload, commit."""

import json
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from anyio import Semaphore
from attrs import frozen

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once
from kognic_aio._http.protocol import segment
from kognic_aio._http.retry import may_have_had_effect
from kognic_aio._http.storage import Storage, is_refused_url
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio._secret import Secret
from kognic_aio._tasks import for_each
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import ConflictError, InvalidError, StorageError, StrandedError
from kognic_aio.files import FileSource
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
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.lookup import get_status, is_shown
from kognic_aio.scenes.visibility import check_is_about, shown_id

if TYPE_CHECKING:
    from kognic_aio.model.scene_request import Uploadable

log = logging.getLogger("kognic_aio")

SCENE_TYPES = (
    *(Cameras, CamerasSequence, Lidars, LidarsSequence),
    *(LidarsAndCameras, LidarsAndCamerasSequence, AggregatedLidarsAndCamerasSequence),
)

MAX_STARTS = 8
"""Attempts at starting a scene. If one response in seven is lost, none of 100,000 scenes is given up."""


SignedUrls: TypeAlias = tuple[tuple[str, str], ...]
"""Filenames, each with the signed URL to upload to."""

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Uploads one file and returns its size in bytes."""


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
    sources: Mapping[str, FileSource],
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
    check_signed_urls(api, path, urls, scene.resources)
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


def check_signed_urls(api: Api, path: str, urls: Secret[SignedUrls], files: Collection[str]) -> None:
    """Check that the platform asks for the files of the scene: for all of them, or for none if it has them already.

    Args:
        api: The API that responded.
        path: The path.
        urls: The files that the platform asks for, with their signed URLs.
        files: The names of the scene's files.

    Raises:
        MalformedAnswerError: If it asks for other files.
    """
    # Found here, before the first upload: a file without a URL would be missing after the commit.
    if problem := _difference({name for name, _ in urls.reveal()}, set(files)):
        raise api.malformed("POST", path, problem)


def _difference(wanted: set[str], files: set[str]) -> str:
    """Describe how the files that the platform asks for differ from those of the scene; empty if they do not."""
    missing, unknown = sorted(files - wanted) if wanted else [], sorted(wanted - files)
    problems = [f"no signed URL for {missing}"] if missing else []
    problems += [f"signed URLs for {unknown}, which are no files of the scene"] if unknown else []
    return ", and ".join(problems)


def file_uploads(
    storage: Storage,
    urls: Secret[SignedUrls],
    files: "Mapping[str, Uploadable]",
    sources: Mapping[str, FileSource],
) -> Iterator[Upload]:
    """Yield the uploads that the platform asks for.

    Args:
        storage: The storage.
        urls: The filenames with their signed URLs. A file may have several.
        files: The files of the scene by filename.
        sources: The sources of their bytes by filename.
    """
    for name, url in urls.reveal():
        yield partial(storage.put, Secret(url), files[name], sources[name])


async def upload(uploads: Sequence[Upload], limiter: Semaphore, sent: Callable[[int], object] | None = None) -> None:
    """Upload the files of a scene concurrently, within the limit.

    Args:
        uploads: The uploads.
        limiter: Bounds the uploads of all scenes that share it.
        sent: Called with the size of each uploaded file in bytes.
    """

    async def send(file: Upload) -> None:
        async with limiter:
            size = await file()
        if sent is not None:
            sent(size)

    # No more workers than places: a scene of thousands of files does not need a task for each of them.
    await for_each(uploads, send, workers=limiter.max_value or 1)


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


class Restarts:
    """Decides whether a scene is started again.

    A lost response takes the signed URLs with it, a few times at most. Signed URLs that are refused have expired, which
    is worth one more start.

    Args:
        external_id: The scene's external id, for the log.
    """

    def __init__(self, external_id: str | None) -> None:
        self._external_id = external_id
        self._starts = 1
        self._was_refused = False

    def may_follow(self, error: Exception) -> bool:
        """Tell whether to start the scene again after an error."""
        is_refused = isinstance(error, StorageError) and is_refused_url(error) and not self._was_refused
        if self._starts == MAX_STARTS or not (is_refused or isinstance(error, StrandedError)):
            return False
        self._starts += 1
        self._was_refused |= is_refused
        log.info("scene %r is started afresh: %s", self._external_id, error)
        return True


def _imu_upload(backend: Backend, accepted: AcceptedIMUData | None, imu: list[JsonObject] | None) -> Iterator[Upload]:
    if accepted is not None and accepted.signed_url is not None:
        yield partial(backend.storage.put_json, accepted.signed_url, json.dumps(imu).encode(), "IMU data")


def _body(scene: BaseScene, reserved: Reserved, flags: FeatureFlags | None) -> JsonObject:
    flags = FeatureFlags.defaults() if flags is None else flags
    return encode(scene) | {"internalId": reserved.scene_uuid, "featureFlags": flags.to_dict()}


def _imu_body(imu: list[JsonObject], body: JsonObject) -> JsonObject:
    return {"imuData": imu, "internalId": body["internalId"]}
