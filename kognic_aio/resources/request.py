"""Requests for annotations."""

from kognic_aio.model.request import Request
from kognic_aio.scenes.backend import Backend


class RequestResource:
    """The requests of a project. Methods raise an `ApiError` if the platform refuses."""

    def __init__(self, backend: Backend) -> None:
        self._api = backend.project_management_api

    async def get_requests(self, *, project_id: str, include_input_progress_counts: bool = False) -> list[Request]:
        """List the requests of a project.

        Args:
            project_id: The project's uuid.
            include_input_progress_counts: Whether to count the inputs by their progress.

        Raises:
            NotFoundError: If there is no such project.

        Endpoint: `GET v2/requests` of the project management API
        """
        counts = [("includeInputProgressCounts", "true")] if include_input_progress_counts else []
        return await self._api.get("v2/requests", list[Request], query=[("projectId", project_id), *counts])
