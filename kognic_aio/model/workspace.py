"""Workspaces."""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Workspace:
    """A workspace, in which scenes are created.

    Args:
        id, external_id: The platform's id of it, which clients take as `write_workspace_id`, and its organization's.
        created, name, organization_name: When it was created, its name, and to whom it belongs.
    """

    created: datetime
    external_id: str | None = None
    id: str
    name: str
    organization_name: str | None = None
