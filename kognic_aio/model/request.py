"""Requests of a project."""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class InputProgressCounts:
    """How many inputs of a request have which status.

    Args:
        not_started, in_progress, completed: Inputs of each status.
        total: All inputs.
    """

    not_started: int
    in_progress: int
    completed: int
    total: int


@frozen(kw_only=True)
class Request:
    """A request for annotations.

    Args:
        id, created_at, title: Its uuid, when it was created, and its title.
        project_id: The project's uuid, not its external id.
        input_progress_counts: None if they were not asked for.
    """

    id: str
    project_id: str
    created_at: datetime
    title: str
    input_progress_counts: InputProgressCounts | None = None
