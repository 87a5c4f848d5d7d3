"""Scenes that exist."""

from collections.abc import Sequence

from kognic_aio._http.api import Api
from kognic_aio.model import Scene


class SceneResource:
    """Scenes on the platform, of whatever type."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get_scenes_by_uuids(self, scene_uuids: Sequence[str]) -> list[Scene]:
        """Get scenes by their uuids.

        Args:
            scene_uuids: The uuids.

        Raises:
            NotFoundError: If any of the scenes does not exist.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/scenes/query`
        """
        return await self._api.ask("v2/scenes/query", list[Scene], json={"sceneUuids": list(scene_uuids)})
