"""Projects and their batches."""

from kognic_aio._http.protocol import segment
from kognic_aio.model import Project, ProjectBatch
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.target import explaining_target


class ProjectResource(ApiResource):
    """Projects and their batches, both named by external ids."""

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
        async with explaining_target(self._api, project):
            return await self._api.get(f"v1/projects/{segment(project)}/batches", list[ProjectBatch])

    async def create_batch(self, project: str, batch: str, publish_previous_batches: bool = False) -> ProjectBatch:
        """Create an open batch that requests the same annotations as the latest one.

        Args:
            project: The project's external id.
            batch: The external id of the new batch.
            publish_previous_batches: Whether to publish all open batches, which then accept no new inputs.

        Raises:
            NotFoundError: If there is no such project.
            ConflictError: If the batch exists already.
            ApiError: If the platform refuses.

        Endpoint: `POST v1/projects/{project}/batches/{batch}`
        """
        body = {"publishPreviousBatches": publish_previous_batches}
        async with explaining_target(self._api, project):
            return await self._api.post(_batch_path(project, batch), ProjectBatch, json=body)

    async def publish_batch(self, project: str, batch: str) -> ProjectBatch:
        """Publish a batch: it becomes ready for annotation, and accepts no new inputs.

        Args:
            project: The project's external id.
            batch: The batch's external id.

        Raises:
            NotFoundError: If there is no such project or batch.
            ApiError: If the platform refuses.

        Endpoint: `POST v1/projects/{project}/batches/{batch}/publish`
        """
        async with explaining_target(self._api, project, batch):
            return await self._api.post(f"{_batch_path(project, batch)}/publish", ProjectBatch, json=None)

    async def get_annotation_types(self, project: str, batch: str | None = None) -> list[str]:
        """List the annotation types of a project, or of one batch.

        Args:
            project: The project's external id.
            batch: The batch's external id. By default the whole project.

        Raises:
            NotFoundError: If there is no such project or batch.
            ApiError: If the platform refuses.

        Endpoint: `GET v1/projects/{project}[/batches/{batch}]/annotation-types`
        """
        path = f"v1/projects/{segment(project)}" if batch is None else _batch_path(project, batch)
        async with explaining_target(self._api, project, batch):
            return await self._api.get(f"{path}/annotation-types", list[str])


def _batch_path(project: str, batch: str) -> str:
    return f"v1/projects/{segment(project)}/batches/{segment(batch)}"
