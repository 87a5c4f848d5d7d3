"""Projects and their batches."""

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import segment
from kognic_aio.model import Project, ProjectBatch


class ProjectResource:
    """Projects and their batches, both named by external ids."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get_projects(self) -> list[Project]:
        """List the projects of your organization.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v1/projects`
        """
        return await self._api.get("v1/projects", list[Project])

    async def get_project_batches(self, project: str) -> list[ProjectBatch]:
        """List the batches of a project.

        Args:
            project: The project's external id.

        Raises:
            NotFoundError: If there is no such project.
            ApiError: If the platform refuses.

        Endpoint: `GET v1/projects/{project}/batches`
        """
        return await self._api.get(f"v1/projects/{segment(project)}/batches", list[ProjectBatch])
