"""Existing scenes, and new ones from a `SceneRequest`."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import frozen

from kognic_aio._http.protocol import identifier, segment, strings
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError, NotFoundError
from kognic_aio.model import CreateSceneResponse, EgoVehiclePose, Scene, SceneInvalidatedReason, SceneSummary
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.creation import create_scene
from kognic_aio.scenes.lookup import get_scenes, left_out
from kognic_aio.scenes.visibility import check_is_about


@frozen(kw_only=True)
class EgoPoses:
    """The vehicle's poses, by frame id."""

    poses: Mapping[str, EgoVehiclePose] | None = None


class SceneResource(ApiResource):
    """Scenes on the platform, of any type."""

    async def get_scenes_by_uuids(self, scene_uuids: Sequence[str]) -> list[Scene]:
        """Get scenes by their uuids, each once.

        A scene that this client has just created is waited for until the platform shows it.

        Args:
            scene_uuids: The uuids.

        Raises:
            NotFoundError: If any of the scenes does not exist. A `LeftOutError` if the response lacks it.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        return await get_scenes(self._backend, strings("scene_uuids", scene_uuids))

    async def get_scenes_by_external_ids(self, external_ids: Sequence[str]) -> list[Scene]:
        """Get all scenes with any of these external ids. External ids are not unique.

        Args:
            external_ids: The external ids.

        Raises:
            NotFoundError: If any of them has no scene. A `LeftOutError` if the response lacks it.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        asked = strings("external_ids", external_ids)

        async def ask() -> list[Scene]:
            scenes = await self._api.ask("v2/scenes/query", list[Scene], json={"externalIds": asked})
            if missing := sorted(set(asked) - {scene.external_id for scene in scenes}):
                raise left_out(self._api, missing)
            return scenes

        return await self._visibility.when_shown(asked, ask)

    async def get_scene_summary(self, scene_uuid: str | UUID, find_invalidated_scenes: bool = False) -> SceneSummary:
        """Get a summary of a scene: what it consists of.

        Args:
            scene_uuid: The scene's uuid.
            find_invalidated_scenes: Whether to find the scene even if it has been invalidated.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.

        Endpoint: `GET v2/scenes/{scene}`
        """
        path, query = f"v2/scenes/{segment(scene_uuid)}", {"includeInvalidated": str(find_invalidated_scenes)}
        uuid = identifier(scene_uuid)
        summary = await self._visibility.when_shown([uuid], lambda: self._api.get(path, SceneSummary, query=query))
        check_is_about(self._api, "GET", path, answered=summary.scene_uuid, asked=uuid)
        return summary

    async def get_ego_poses(self, scene_uuid: str | UUID) -> dict[str, EgoVehiclePose] | None:
        """Get the pose of the vehicle at each frame.

        Args:
            scene_uuid: The scene's uuid.

        Returns:
            The poses by frame id, in numeric order; None if the scene has no poses, or does not exist.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v2/scenes/{scene}/ego-poses`
        """
        try:
            answer = await self._get_of_scene(scene_uuid, f"v2/scenes/{segment(scene_uuid)}/ego-poses", EgoPoses)
        except NotFoundError:
            return None
        return dict(sorted((answer.poses or {}).items(), key=lambda pose: _numeric(pose[0])))

    async def invalidate_scenes(self, scene_uuids: Sequence[str], reason: SceneInvalidatedReason) -> None:
        """Invalidate scenes, and remove all their inputs. This cannot be undone.

        Args:
            scene_uuids: The uuids of the scenes.
            reason: Why.

        Raises:
            InvalidError: If the reason is not one that the platform knows.
            NotFoundError: If any of the scenes does not exist.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/actions/invalidate`
        """
        uuids = strings("scene_uuids", scene_uuids)
        body = {"sceneUuids": uuids, "reason": SceneInvalidatedReason(reason).value}
        await self._visibility.when_shown(uuids, lambda: self._api.command("v2/scenes/actions/invalidate", json=body))
        self._visibility.end_grace_period(*uuids)

    async def create_scene(self, scene_request: SceneRequest) -> CreateSceneResponse:
        """Create a scene with any sensors, upload its local files, and commit it.

        Args:
            scene_request: The scene.

        Raises:
            MissingFileError: If a local file is missing or empty. Nothing has been sent.
            DataError: If the data of a file cannot be read. The scene has been started, and is invalidated.
            ApiError: If the platform refuses the scene.
            StorageError: If the storage refuses a file.
            RequestError: If a request got no usable response.

        Endpoint: `POST v2/scenes`, `PUT` to signed URLs, `POST v1/inputs/{scene}/actions/commit`
        """
        if not isinstance(scene_request, SceneRequest):  # pyright: ignore[reportUnnecessaryIsInstance]
            refuse_official(scene_request, "scene_request", SceneRequest)
            raise InvalidError(f"expected a SceneRequest, got {type(scene_request).__name__}")
        return await create_scene(self._backend, scene_request)

    async def import_indexed_scene(self, scene_uuid: str) -> None:
        """Import a scene that is only indexed: the platform reads its files from your cloud.

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
        await self._visibility.when_shown([identifier(scene_uuid)], lambda: self._api.patch(path, json=body))


def _numeric(frame_id: str) -> tuple[bool, int, str]:
    """Sort key for frame ids: numbers first, in numeric order."""
    is_number = frame_id.removeprefix("-").isdecimal()
    return not is_number, int(frame_id) if is_number else 0, frame_id
