"""Requests for annotations."""

from kognic_aio.model.request import Request
from kognic_aio.resources import ApiResource


class RequestResource(ApiResource):
    """The requests of a project."""

    async def get_requests(self, *, project_id: str, include_input_progress_counts: bool = False) -> list[Request]:
        """List the requests of a project.

        Args:
            project_id: The project's uuid.
            include_input_progress_counts: Whether to count the inputs by their progress.

        Raises:
            NotFoundError: If there is no such project.
            ApiError: If the platform refuses.

        Endpoint: `GET v2/requests` of the project management API
        """
        counts = [("includeInputProgressCounts", "true")] if include_input_progress_counts else []
        query = [("projectId", project_id), *counts]
        return await self._backend.project_management_api.get("v2/requests", list[Request], query=query)
