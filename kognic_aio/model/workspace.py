"""Workspaces."""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Workspace:
    """A workspace, in which scenes are created."""

    created: datetime
    external_id: str | None = None
    id: str
    name: str
    organization_name: str | None = None
