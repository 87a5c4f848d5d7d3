"""The steps of a scene job: reserve, start, upload, commit."""

import json
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from anyio import Semaphore
from attrs import define, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once
from kognic_aio._http.protocol import segment
from kognic_aio._http.retry import may_have_had_effect
from kognic_aio._http.storage import is_refused_url
from kognic_aio._http.wire import JsonObject, encode
from kognic_aio._secret import Secret
from kognic_aio._tasks import for_each
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import ConflictError, InvalidError, NotFoundError, StorageError, StrandedError
from kognic_aio.files import FileSource
from kognic_aio.model import BaseScene, FeatureFlags, Scene, SceneStatus
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.inputs import find_inputs_anywhere
from kognic_aio.scenes.lookup import find_alive, get_status, is_shown, left_out
from kognic_aio.scenes.visibility import check_is_about, shown_id

if TYPE_CHECKING:
    from kognic_aio.model.scene_request import Uploadable

MAX_STARTS = 8
"""Attempts at starting a scene. If one response in seven is lost, none of 100,000 scenes is given up."""

PARENT_PATH = "v1/inputs/"
"""The path to create scenes at, without their type."""

AnyScene: TypeAlias = BaseScene | SceneRequest
"""A scene in either form."""

SignedUrls: TypeAlias = tuple[tuple[str, str], ...]
"""Filenames, each with the signed URL to upload to. A file may have several."""

Sent: TypeAlias = Callable[[str, int, float], object]
"""Called with the name of an uploaded file, its size in bytes, and the seconds that its upload took."""


@frozen
class Upload:
    """The upload of one file. `send` returns its size in bytes."""

    name: str
    send: Callable[[], Awaitable[int]]


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
class AcceptedRequest:
    """A scene that the platform has accepted, and the filename and signed URL of each file to upload."""

    id: str
    signed_upload_urls: Secret[SignedUrls] | None = None


@frozen(kw_only=True)
class AcceptedScene:
    """A scene that the platform has accepted, and the signed URLs to upload its files to, by resource id."""

    internal_id: str
    files: Secret[Mapping[str, str]]
    request_input_uuid: str | None = None


@define
class SceneJob:
    """The state that the steps of a scene job share.

    Args:
        scene_uuid: The uuid that the platform has reserved for it. That of a SceneRequest is empty until it is started.
        external_id: The external id of a SceneRequest, by which it is found if the response with its uuid is lost.
        has_files: Whether that has files to upload.
        others: The scenes that had that external id before; None if nobody has looked, so that it cannot be found.
        may_exist: Whether the platform may have started it.
        uploads: The uploads that the platform waits for, once it is started.
        request_input_uuid: The input that the platform will create from it, if a project was named.
    """

    scene_uuid: str = ""
    external_id: str = ""
    has_files: bool = True
    others: Sequence[str] | None = None
    may_exist: bool = False
    uploads: Sequence[Upload] = ()
    request_input_uuid: str | None = None

    @contextmanager
    def starting(self) -> Generator[None, None, None]:
        """Note that the request in this context may start the scene.

        It is noted before the request, because a cancellation may come after the request had its effect.
        """
        before, self.may_exist = self.may_exist, True
        try:
            yield
        except ConflictError:
            raise  # as after an earlier request that started the scene
        except Exception as error:
            # This refusal says nothing about an earlier request whose response was lost.
            self.may_exist = before or may_have_had_effect(error)
            raise


def check_type(scene: AnyScene) -> None:
    """Raise an InvalidError for anything but a scene of one of the seven types or a SceneRequest."""
    if not isinstance(scene, BaseScene | SceneRequest):  # pyright: ignore[reportUnnecessaryIsInstance]
        refuse_official(scene, "scene")
        raise InvalidError(f"expected a scene, such as Cameras, got {type(scene).__name__}")


def parent_path_of(project: str | None, batch: str | None) -> str:
    """The path to create scenes at, without their type. With a project or batch, the platform creates inputs there.

    Raises:
        InvalidError: If only a batch is named.
    """
    if batch is not None and project is None:
        raise InvalidError(f"batch {batch!r} needs the project that it is in")
    in_project = "" if project is None else f"project/{segment(project)}/"
    in_batch = "" if batch is None else f"batch/{segment(batch)}/"
    return f"{PARENT_PATH}{in_project}{in_batch}"


def files_of(scene: AnyScene) -> "Mapping[str, Uploadable]":
    """The files of a scene to upload, by the name that the platform has for each."""
    return scene.get_files() if isinstance(scene, SceneRequest) else scene.resources


async def reserve(backend: Backend, scene: AnyScene | None = None) -> SceneJob:
    """Reserve a uuid for a scene. A SceneRequest gets none, so the scenes with its external id are noted.

    Endpoints: `POST v1/inputs/initialize`; for a SceneRequest, `POST v2/scenes/query`
    """
    if isinstance(scene, SceneRequest):
        others = await find_alive(backend.api, scene.external_id)
        return SceneJob(
            external_id=scene.external_id, has_files=bool(scene.get_files()), others=[other.uuid for other in others]
        )
    path = "v1/inputs/initialize"
    # Retried like a read: a uuid that is never used does no harm. What finishes scenes goes first: results come sooner,
    # and fewer scenes have to be abandoned if the run ends.
    reserved = await backend.api.ask(path, ReservedScene, json=backend.workspace, gives_way=True)
    return SceneJob(shown_id(backend.api, "POST", path, reserved.scene_uuid))


async def start(
    backend: Backend,
    job: SceneJob,
    scene: AnyScene,
    sources: Mapping[str, FileSource],
    flags: FeatureFlags | None,
    parent_path: str = PARENT_PATH,
) -> None:
    """Start a scene: the platform validates it and returns signed URLs for its files, whose uploads the job gets.

    Raises:
        StrandedError: If the scene was started, but the response with its signed URLs was lost.

    Endpoints: `POST v1/imu`, `POST v1/inputs/[project/P/[batch/B/]]<type>`; for a SceneRequest, `POST v2/scenes`
    """
    if isinstance(scene, SceneRequest):
        await _start_request(backend, job, scene, sources)
        return
    path, body = parent_path + scene.path, _body(scene, job, flags)
    imu_uploads = await _start_imu_data(backend, body)
    accepted = await _accept(backend, path, body, job)
    urls = Secret((*accepted.files.reveal().items(),))
    job.uploads = [*file_uploads(backend, path, urls, scene.resources, sources), *imu_uploads]
    job.request_input_uuid = accepted.request_input_uuid


async def _start_request(
    backend: Backend, job: SceneJob, request: SceneRequest, sources: Mapping[str, FileSource]
) -> None:
    path, files = "v2/scenes", request.get_files()

    async def create(api: Api) -> AcceptedRequest:
        with job.starting():
            return await api.post(path, AcceptedRequest, json=encode(request))

    async def find(api: Api) -> AcceptedRequest | None:
        found = await find_started(backend.using(api), job.external_id, job.others or (), has_files=job.has_files)
        if found is None:
            return None
        job.scene_uuid = found.uuid
        if files:
            raise StrandedError(f"scene {job.scene_uuid} was started, but its signed URLs were lost")
        return AcceptedRequest(id=job.scene_uuid)

    accepted = await (create(backend.api) if job.others is None else at_most_once(backend.api, create, find))
    job.scene_uuid = shown_id(backend.api, "POST", path, accepted.id)
    backend.visibility.begin_grace_period(job.scene_uuid, request.external_id)
    urls = accepted.signed_upload_urls or Secret[SignedUrls](())
    job.uploads = file_uploads(backend, path, urls, files, sources)


async def find_started(
    backend: Backend, external_id: str, others: Sequence[str], *, has_files: bool | None = None
) -> Scene | None:
    """Find the scene that a SceneRequest has started, as soon as it is shown; None if it is not within a grace period.

    It is the one that is not among `others`, which had the external id before. One with inputs is somebody else's, and
    so is one that is committed if `has_files` says that it has to wait for files.
    """
    backend.visibility.ensure_grace_period(external_id)

    async def find() -> Scene:
        for scene in await find_alive(backend.api, external_id):
            is_ours = scene.uuid not in others and not (has_files and scene.status.is_committed)
            if is_ours and not await find_inputs_anywhere(backend, scene.uuid, wait=False):
                return scene
        raise left_out(backend.api, [external_id])

    try:
        return await backend.visibility.when_shown([external_id], find)
    except NotFoundError:
        return None


async def _start_imu_data(backend: Backend, body: JsonObject) -> list[Upload]:
    """Announce the IMU data of a scene, replace it in the body by its id, and return its upload, if there is one."""
    imu_data: list[JsonObject] | None = body.pop("imuData", None)
    if not imu_data:
        return []
    imu_body = {"imuData": imu_data, "internalId": body["internalId"]}
    # Retried like a read: to send it again for the same scene changes nothing.
    accepted = await backend.api.ask("v1/imu", AcceptedIMUData, json=imu_body, query=backend.workspace)
    body["imuData"] = accepted.resource_id
    if accepted.signed_url is None:
        return []
    name, content = "IMU data", json.dumps(imu_data).encode()
    return [Upload(name, partial(backend.storage.put_json, accepted.signed_url, content, name))]


async def _accept(backend: Backend, path: str, body: JsonObject, job: SceneJob) -> AcceptedScene:
    """Send the request that starts a scene."""
    stranded = StrandedError(f"scene {job.scene_uuid} was started, but its signed URLs were lost")

    async def create(api: Api) -> AcceptedScene:
        may_exist = job.may_exist
        try:
            with job.starting():
                return await api.post(path, AcceptedScene, json=body, query=backend.workspace)
        except ConflictError as conflict:
            # A uuid can be used only once. So after a lost response, a conflict proves that the scene exists. At the
            # first attempt it may also be about the project. Then nobody waits to find out: the scene is abandoned.
            if may_exist or await is_shown(api, job.scene_uuid):
                raise stranded from conflict
            raise

    async def find(api: Api) -> AcceptedScene | None:
        if await is_shown(api, job.scene_uuid):
            raise stranded
        # Not found proves nothing, because the platform may not show the scene yet. Waiting would take a grace period.
        # `at_most_once` sends the request again instead: a conflict is immediate proof.
        return None

    try:
        accepted = await at_most_once(backend.api, create, find)
    finally:
        if job.may_exist:
            # A request that timed out may still take effect. So even a client without a grace period needs one here.
            backend.visibility.ensure_grace_period(job.scene_uuid, at_least=backend.api.late_effect_seconds)
    # The grace period counts from the response, which is the latest time at which the scene was created.
    backend.visibility.begin_grace_period(job.scene_uuid, body["externalId"])
    check_is_about(backend.api, "POST", path, answered=accepted.internal_id, asked=job.scene_uuid)
    return accepted


def file_uploads(
    backend: Backend,
    path: str,
    urls: Secret[SignedUrls],
    files: "Mapping[str, Uploadable]",
    sources: Mapping[str, FileSource],
) -> list[Upload]:
    """The uploads that the platform asks for: of all files of a scene, or of none if it has them already.

    Raises:
        MalformedAnswerError: If the response from this path asks for other files.
    """
    asked, known = {name for name, _ in urls.reveal()}, set(files)
    # Checked before the first upload: a file without a URL would be missing after the commit.
    problems: list[str] = []
    if asked and (missing := sorted(known - asked)):
        problems.append(f"no signed URL for {missing}")
    if unknown := sorted(asked - known):
        problems.append(f"signed URLs for {unknown}, which the scene does not have")
    if problems:
        raise backend.api.malformed("POST", path, ", and ".join(problems))
    put = backend.storage.put
    return [
        Upload(files[name].client_filename, partial(put, Secret(url), files[name], sources[name]))
        for name, url in urls.reveal()
    ]


async def upload(uploads: Sequence[Upload], limiter: Semaphore, sent: Sent | None = None) -> None:
    """Upload the files of a scene concurrently. `sent` is told of each."""

    async def send(file: Upload) -> None:
        async with limiter:
            began = time.monotonic()
            size = await file.send()
        if sent is not None:
            sent(file.name, size, time.monotonic() - began)

    # No more workers than places: a scene of thousands of files does not need a task for each of them.
    await for_each(uploads, send, workers=limiter.max_value or 1)


async def commit(backend: Backend, job: SceneJob) -> None:
    """Commit a scene: all its files are uploaded, and the platform begins to process it.

    Endpoint: `POST v1/inputs/{scene}/actions/commit`
    """
    if not job.uploads:  # the platform commits a scene by itself if it waits for no files
        return
    path = f"v1/inputs/{segment(job.scene_uuid)}/actions/commit"

    async def act(api: Api) -> bool:
        await backend.visibility.when_shown([job.scene_uuid], lambda: api.command(path))
        return True

    async def find(api: Api) -> bool | None:
        return await get_status(backend.using(api), job.scene_uuid) not in (SceneStatus.Pending, None) or None

    try:
        await at_most_once(backend.api, act, find)
    except ConflictError:
        # The platform refuses a second commit. If the first one had its effect, all is well.
        if not await find(backend.api):
            raise


async def import_indexed(api: Api, scene_uuid: str) -> None:
    """Have an indexed scene imported: the platform reads its files from the customer's cloud.

    Endpoint: `PATCH v2/scenes/{scene}`
    """
    await api.patch(f"v2/scenes/{segment(scene_uuid)}", json={"status": SceneStatus.Created.value})


async def validate(
    backend: Backend, scene: AnyScene, flags: FeatureFlags | None, parent_path: str = PARENT_PATH
) -> None:
    """Validate a scene on the platform, and create nothing. The endpoints are those of `reserve` and `start`.

    The platform has no dry run for a SceneRequest, so nothing is sent of that.
    """
    if isinstance(scene, SceneRequest):
        return
    # The body needs a uuid even in a dry run. An unused one does no harm.
    body = _body(scene, await reserve(backend), flags)
    if imu_data := body.pop("imuData", None):
        imu_body = {"imuData": imu_data, "internalId": body["internalId"]}
        await backend.api.command("v1/imu", json=imu_body, query=backend.workspace, dryrun=True)
    await backend.api.command(parent_path + scene.path, json=body, query=backend.workspace, dryrun=True)


def _body(scene: BaseScene, job: SceneJob, flags: FeatureFlags | None) -> JsonObject:
    flags = FeatureFlags.defaults() if flags is None else flags
    return encode(scene) | {"internalId": job.scene_uuid, "featureFlags": flags.to_dict()}


class Restarts:
    """Decides whether a scene is started again.

    A lost response takes the signed URLs with it, a few times at most. Signed URLs that are refused have expired, which
    is worth one more start.
    """

    def __init__(self) -> None:
        self._starts = 1
        self._was_refused = False

    def may_follow(self, error: Exception) -> bool:
        """Return whether to start the scene again after an error."""
        is_refused = isinstance(error, StorageError) and is_refused_url(error) and not self._was_refused
        if self._starts == MAX_STARTS or not (is_refused or isinstance(error, StrandedError)):
            return False
        self._starts += 1
        self._was_refused |= is_refused
        return True
