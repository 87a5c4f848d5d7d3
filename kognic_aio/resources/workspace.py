"""Workspaces."""

from collections.abc import Sequence

from kognic_aio._http.protocol import one_or_several
from kognic_aio.model import Workspace
from kognic_aio.resources import ApiResource


class WorkspaceResource(ApiResource):
    """Workspaces, in which scenes are created."""

    async def get_workspaces(
        self, roles: Sequence[str] | str | None = None, organization_ids: Sequence[int] | int | None = None
    ) -> list[Workspace]:
        """List the workspaces in which you have a role.

        Args:
            roles: A role or several, any of which is enough. By default `developer`.
            organization_ids: Only workspaces of this organization, or of these. By default of all.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v1/workspaces`
        """
        query = [("anyRoleIn", role) for role in one_or_several("roles", "developer" if roles is None else roles)]
        query += [("organizationIds", id_) for id_ in one_or_several("organization_ids", organization_ids)]
        return await self._backend.workspace_api.get("v1/workspaces", list[Workspace], query=query)
