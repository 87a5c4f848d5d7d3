"""Scenes that exist, and new ones in the newer form."""

from collections.abc import Hashable, Mapping, Sequence
from uuid import UUID

from attrs import evolve, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import segment, strings, text
from kognic_aio._http.retry import NO_RETRY, READ, RetryPolicy
from kognic_aio._http.storage import Storage
from kognic_aio._http.wire import encode
from kognic_aio._secret import Secret
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError, LeftOutError, NotFoundError
from kognic_aio.files import sources_at_hand
from kognic_aio.model import CreateSceneResponse, EgoVehiclePose, Scene, SceneInvalidatedReason, SceneSummary
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.resources.answers import check_is_about, shown_id
from kognic_aio.resources.finishing import Lifecycle
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.uploads import SignedUrls, check_files, file_uploads, upload_all


@frozen(kw_only=True)
class AcceptedRequest:
    """A scene that the platform has accepted, and where it wants to have its files: filename and signed URL of each."""

    id: str
    signed_upload_urls: Secret[SignedUrls] | None = None


@frozen(kw_only=True)
class EgoPoses:
    """The vehicle's poses, by frame id."""

    poses: Mapping[str, EgoVehiclePose] | None = None


class SceneResource:
    """Scenes on the platform, of whatever type.

    Args:
        api: The input API.
        storage: Takes the files of new scenes.
        limiters: Holds back `create_scene`.
        lifecycle: Looks at scenes, and commits or invalidates what was started.
    """

    def __init__(self, api: Api, storage: Storage, limiters: Limiters, lifecycle: Lifecycle) -> None:
        self._api = api
        self._storage = storage
        self._limiters = limiters
        self._lifecycle = lifecycle
        self._visibility = lifecycle.visibility

    async def get_scenes_by_uuids(self, scene_uuids: Sequence[str]) -> list[Scene]:
        """Get scenes by their uuids, each once.

        Args:
            scene_uuids: The uuids. One that this client has created just now is waited for, if the platform does not
                show it yet.

        Raises:
            NotFoundError: If any of the scenes does not exist. A `LeftOutError` if the platform answers without it.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        return await self._lifecycle.get(strings("scene_uuids", scene_uuids))

    async def get_scenes_by_external_ids(self, external_ids: Sequence[str]) -> list[Scene]:
        """Get all scenes with any of some external ids, which are not unique.

        Args:
            external_ids: The external ids.

        Raises:
            NotFoundError: If any of them stands for no scene. A `LeftOutError` if the platform answers without it.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        asked = strings("external_ids", external_ids)

        async def ask() -> list[Scene]:
            scenes = await self._api.ask("v2/scenes/query", list[Scene], json={"externalIds": asked})
            if missing := sorted(set(asked) - {scene.external_id for scene in scenes}):
                raise self._lifecycle.left_out(missing)
            return scenes

        return await self._visibility.wait(asked, ask)

    async def get_scene_summary(self, scene_uuid: str | UUID, find_invalidated_scenes: bool = False) -> SceneSummary:
        """Get what a scene consists of.

        Args:
            scene_uuid: The scene's uuid.
            find_invalidated_scenes: Whether to find the scene even if it has been invalidated.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `GET v2/scenes/{scene}`
        """
        path, query = f"v2/scenes/{segment(scene_uuid)}", {"includeInvalidated": str(find_invalidated_scenes)}
        uuid = text(scene_uuid)
        summary = await self._visibility.wait([uuid], lambda: self._api.get(path, SceneSummary, query=query))
        check_is_about(self._api, "GET", path, answered=summary.scene_uuid, asked=uuid)
        return summary

    async def get_ego_poses(self, scene_uuid: str | UUID) -> dict[str, EgoVehiclePose] | None:
        """Get the pose of the vehicle at each frame.

        Args:
            scene_uuid: The scene's uuid.

        Returns:
            The poses by frame id, in numeric order; None if the scene has none, or does not exist.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v2/scenes/{scene}/ego-poses`
        """
        try:
            answer = await self._ego_poses(text(scene_uuid))
        except NotFoundError:
            return None
        return dict(sorted((answer.poses or {}).items(), key=lambda pose: _numeric(pose[0])))

    async def _ego_poses(self, scene_uuid: str) -> EgoPoses:
        """What the platform answers; once it shows the scene, it is certain that one that is not found has no poses."""
        path = f"v2/scenes/{segment(scene_uuid)}/ego-poses"
        try:
            return await self._api.get(path, EgoPoses)
        except NotFoundError:
            if not await self._lifecycle.appear([scene_uuid]):
                raise
        return await self._api.get(path, EgoPoses)

    async def invalidate_scenes(self, scene_uuids: Sequence[str], reason: SceneInvalidatedReason) -> None:
        """Invalidate scenes and remove all their inputs. It cannot be undone.

        Args:
            scene_uuids: The uuids of the scenes.
            reason: Why.

        Raises:
            InvalidError: If the reason is none of the platform's.
            NotFoundError: If any of the scenes does not exist.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/actions/invalidate`
        """
        uuids = strings("scene_uuids", scene_uuids)
        body = {"sceneUuids": uuids, "reason": SceneInvalidatedReason(reason).value}
        await self._visibility.wait(uuids, lambda: self._api.command("v2/scenes/actions/invalidate", json=body))
        self._visibility.invalidated(*uuids)

    async def look_up(self, scene_uuids: Sequence[str], counts_as: Hashable = None) -> Mapping[str, Scene]:
        """Get what the platform knows of some scenes, without waiting for those that it does not show yet.

        Args:
            scene_uuids: The uuids.
            counts_as: What the request counts as for the circuit breaker, if several requests count as one.

        Returns:
            The scenes by the uuids that were asked for, without those that the platform leaves out.

        Raises:
            NotFoundError: If the platform does not know one of them, and does not leave it out.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        return await self._asking(evolve(READ, counts_as=counts_as)).find(scene_uuids)

    def left_out(self, scene_uuids: Sequence[str]) -> LeftOutError:
        """The error of an answer that leaves out some of the scenes that were asked for."""
        return self._lifecycle.left_out(scene_uuids)

    async def was_committed(self, scene_uuid: str) -> bool | None:
        """Tell whether a scene that an earlier run has started is committed, and not invalidated.

        The platform may not show it yet: it is asked again until the grace period is over, which begins now.

        Args:
            scene_uuid: The scene's uuid.

        Returns:
            None if the platform does not know it.

        Endpoint: `POST v2/scenes/query`
        """
        self._visibility.expect(scene_uuid)
        status = await self._lifecycle.status(scene_uuid)
        return None if status is None else status.is_committed

    async def discard(self, scene_uuid: str) -> bool:
        """Invalidate a scene that was started and will not be finished, and tell whether it is gone.

        Within its grace period, the platform is asked again until it shows the scene.

        Args:
            scene_uuid: The scene's uuid.

        Endpoint: `POST v2/scenes/actions/invalidate`
        """
        return await self._lifecycle.discard_orphan(scene_uuid, self._limiters.inputs)

    async def discard_inherited(self, scene_uuid: str) -> bool:
        """Invalidate a scene that an earlier run has left behind: as `discard`, but its grace period begins now.

        Args:
            scene_uuid: The scene's uuid.

        Endpoint: `POST v2/scenes/actions/invalidate`
        """
        self._visibility.expect(scene_uuid)
        # It is no reason to wait, nor to find the platform broken.
        return await self._asking(NO_RETRY).discard_orphan(scene_uuid, self._limiters.inputs)

    def _asking(self, policy: RetryPolicy) -> Lifecycle:
        return evolve(self._lifecycle, api=self._api.with_policy(policy))

    async def create_scene(self, scene_request: SceneRequest) -> CreateSceneResponse:
        """Create a scene of any sensors, and upload and commit its local files.

        Args:
            scene_request: The scene.

        Raises:
            MissingFileError: If a local file is missing or empty; nothing has been sent.
            DataError: If the data of a file cannot be had; the scene has been started, and is invalidated.
            ApiError: If the platform refuses the scene.
            StorageError: If the storage refuses a file.
            RequestError: If a request brought no usable answer.

        Endpoint: `POST v2/scenes`, `PUT` to signed URLs, `POST v1/inputs/{scene}/actions/commit`
        """
        if not isinstance(scene_request, SceneRequest):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse_official(scene_request, "scene_request", SceneRequest)
            raise InvalidError(f"expected a SceneRequest, got {type(scene_request).__name__}")
        files, jobs = scene_request.get_files(), self._limiters.scene_jobs
        at_hand = sources_at_hand(files, self._limiters.reading)
        async with self._lifecycle.leaving_no_orphans() as notes, jobs, at_hand as sources:
            accepted = await self._api.post("v2/scenes", AcceptedRequest, json=encode(scene_request))
            scene_uuid = shown_id(self._api, "POST", "v2/scenes", accepted.id)
            self._visibility.created(scene_uuid, scene_request.external_id)
            urls = accepted.signed_upload_urls or Secret[SignedUrls](())
            async with self._lifecycle.finishing(scene_uuid, notes, exists=True):
                check_files(self._api, "v2/scenes", urls, files)
                if uploads := list(file_uploads(self._storage, urls, files, sources)):
                    await upload_all(uploads, self._limiters.uploads)
                    await self._lifecycle.commit(scene_uuid)
        return CreateSceneResponse(scene_uuid=scene_uuid)

    async def import_indexed_scene(self, scene_uuid: str) -> None:
        """Import a scene that was only indexed: the platform reads its files from your cloud.

        Args:
            scene_uuid: The scene's uuid.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/scenes/{scene}`
        """
        await self._set_status(scene_uuid, "created")

    async def reindex_scene(self, scene_uuid: str) -> None:
        """Turn an imported scene back into an indexed one. Its inputs stay, but cannot be viewed.

        Args:
            scene_uuid: The scene's uuid.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/scenes/{scene}`
        """
        await self._set_status(scene_uuid, "indexed")

    async def _set_status(self, scene_uuid: str, status: str) -> None:
        path, body = f"v2/scenes/{segment(scene_uuid)}", {"status": status}
        await self._visibility.wait([text(scene_uuid)], lambda: self._api.patch(path, json=body))


def _numeric(frame_id: str) -> tuple[bool, int, str]:
    """Numbers in their order, before whatever is none."""
    is_number = frame_id.removeprefix("-").isdecimal()
    return not is_number, int(frame_id) if is_number else 0, frame_id
