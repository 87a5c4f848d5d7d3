"""Requests of a project."""

from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class InputProgressCounts:
    """How many inputs of a request have which status.

    Args:
        not_started: Inputs that nobody has begun.
        in_progress: Inputs that are being annotated.
        completed: Inputs that are done.
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
        id: The request's uuid.
        project_id: The project's uuid, not its external id.
        created_at: When it was created.
        title: Its title.
        input_progress_counts: None if they were not asked for.
    """

    id: str
    project_id: str
    created_at: datetime
    title: str
    input_progress_counts: InputProgressCounts | None = None
