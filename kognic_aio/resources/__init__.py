"""The platform's resources: flat modules of thin methods. All seven scene types share one class, `SceneCreator`."""

from typing import TypeVar

from kognic_aio._http.protocol import Query, identifier
from kognic_aio.errors import NotFoundError
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.lookup import have_appeared

T = TypeVar("T")


class ApiResource:
    """Base of all resources."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._api = backend.api
        self._visibility = backend.visibility

    async def _get_of_scene(self, scene_uuid: object, path: str, kind: type[T], query: Query | None = None) -> T:
        """GET what a scene may have or lack. A 404 may mean either: await the scene alone, and ask again."""
        try:
            return await self._api.get(path, kind, query=query)
        except NotFoundError:
            if not await have_appeared(self._backend, [identifier(scene_uuid)]):
                raise
        return await self._api.get(path, kind, query=query)
