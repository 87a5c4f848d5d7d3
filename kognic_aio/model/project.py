"""Projects and their batches."""

from datetime import datetime

from attrs import frozen

from kognic_aio.model.open_enum import OpenEnum


@frozen(kw_only=True)
class Project:
    """A project.

    Args:
        project: Its external id.
        created, title, description, status: What the platform knows of it.
    """

    created: datetime
    title: str
    description: str
    status: str
    project: str


class ProjectBatchStatus(OpenEnum):
    """The status of a batch: from `ready` on it is closed for new inputs."""

    PENDING = "pending"
    OPEN = "open"
    READY = "ready"
    INPROGESS = "in-progress"
    COMPLETED = "completed"
    ARCHIVED = "archived"


@frozen(kw_only=True)
class ProjectBatch:
    """A batch of a project.

    Args:
        project, batch: External ids of the project and the batch.
        title, status: Its title and status.
        created, updated: When it was created and last changed.
    """

    project: str
    batch: str
    title: str
    status: ProjectBatchStatus
    created: datetime
    updated: datetime

    @property
    def takes_inputs(self) -> bool:
        """Whether inputs can be created in the batch when it is named; only an open one is found without its name."""
        return self.status in (ProjectBatchStatus.PENDING, ProjectBatchStatus.OPEN)
