"""Scenes that exist, and new ones in the newer form."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import field, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import segment, strings
from kognic_aio._http.retries import one_try_each
from kognic_aio._http.storage import Storage
from kognic_aio._http.wire import encode
from kognic_aio.errors import InvalidError, NotFoundError
from kognic_aio.files import sources_at_hand
from kognic_aio.model import CreateSceneResponse, EgoVehiclePose, Scene, SceneInvalidatedReason, SceneSummary
from kognic_aio.model.official import refuse_official
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.resources.finishing import Notes, commit, discard, finishing
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.uploads import file_uploads, upload_all


@frozen(kw_only=True)
class AcceptedRequest:
    """A scene that the platform has accepted, and where it wants to have its files: filename and signed URL of each."""

    id: str
    signed_upload_urls: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)


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
    """

    def __init__(self, api: Api, storage: Storage, limiters: Limiters) -> None:
        self._api = api
        self._storage = storage
        self._limiters = limiters

    async def get_scenes_by_uuids(self, scene_uuids: Sequence[str]) -> list[Scene]:
        """Get scenes by their uuids.

        Args:
            scene_uuids: The uuids.

        Raises:
            NotFoundError: If any of the scenes does not exist.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        body = {"sceneUuids": strings("scene_uuids", scene_uuids)}
        return await self._api.ask("v2/scenes/query", list[Scene], json=body)

    async def get_scenes_by_external_ids(self, external_ids: Sequence[str]) -> list[Scene]:
        """Get all scenes with any of some external ids, which are not unique.

        Args:
            external_ids: The external ids.

        Raises:
            NotFoundError: If any of them stands for no scene.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        body = {"externalIds": strings("external_ids", external_ids)}
        return await self._api.ask("v2/scenes/query", list[Scene], json=body)

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
        query = {"includeInvalidated": str(find_invalidated_scenes)}
        return await self._api.get(f"v2/scenes/{segment(scene_uuid)}", SceneSummary, query=query)

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
            answer = await self._api.get(f"v2/scenes/{segment(scene_uuid)}/ego-poses", EgoPoses)
        except NotFoundError:
            return None
        return dict(sorted((answer.poses or {}).items(), key=lambda pose: _numeric(pose[0])))

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
        await self._api.command("v2/scenes/actions/invalidate", json=body)

    async def discard(self, scene_uuid: str) -> bool:
        """Invalidate a scene that was started and will not be finished, and tell whether it is gone.

        Args:
            scene_uuid: The scene's uuid.

        Endpoint: `POST v2/scenes/actions/invalidate`
        """
        with one_try_each():  # it is no reason to wait, nor to find the platform broken
            return await discard(self._api, scene_uuid) is not False

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
        files = scene_request.get_files()
        async with self._limiters.scene_jobs, sources_at_hand(files, self._limiters.reading) as sources:
            accepted = await self._api.post("v2/scenes", AcceptedRequest, json=encode(scene_request))
            urls = dict(accepted.signed_upload_urls or ())
            uploads = list(file_uploads(self._storage, urls, files, sources, scene_request.external_id))
            if uploads:
                async with finishing(self._api, accepted.id, Notes()):
                    await upload_all(uploads, self._limiters.uploads)
                    await commit(self._api, accepted.id)
        return CreateSceneResponse(scene_uuid=accepted.id)

    async def import_indexed_scene(self, scene_uuid: str) -> None:
        """Import a scene that was only indexed: the platform reads its files from your cloud.

        Args:
            scene_uuid: The scene's uuid.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/scenes/{scene}`
        """
        await self._api.patch(f"v2/scenes/{segment(scene_uuid)}", json={"status": "created"})

    async def reindex_scene(self, scene_uuid: str) -> None:
        """Turn an imported scene back into an indexed one. Its inputs stay, but cannot be viewed.

        Args:
            scene_uuid: The scene's uuid.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/scenes/{scene}`
        """
        await self._api.patch(f"v2/scenes/{segment(scene_uuid)}", json={"status": "indexed"})


def _numeric(frame_id: str) -> tuple[bool, int, str]:
    """Numbers in their order, before whatever is none."""
    is_number = frame_id.removeprefix("-").isdecimal()
    return not is_number, int(frame_id) if is_number else 0, frame_id
