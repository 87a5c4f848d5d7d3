"""Workspaces."""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Workspace:
    """A workspace, in which scenes are created.

    Args:
        created: When it was created.
        external_id: The id that its organization gave it.
        id: The platform's id of it, which clients take as `write_workspace_id`.
        name: Its name.
        organization_name: The organization that it belongs to.
    """

    created: datetime
    external_id: str | None = None
    id: str
    name: str
    organization_name: str | None = None
