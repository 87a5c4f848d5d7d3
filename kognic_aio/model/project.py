"""Projects and their batches."""

from datetime import datetime

from attrs import frozen

from kognic_aio.model.open_enum import OpenEnum


@frozen(kw_only=True)
class Project:
    """A project; `project` is its external id."""

    created: datetime
    title: str
    description: str
    status: str
    project: str


class ProjectBatchStatus(OpenEnum):
    """Where a batch is: `ready` and later ones are closed for new inputs."""

    PENDING = "pending"
    OPEN = "open"
    READY = "ready"
    INPROGESS = "in-progress"
    COMPLETED = "completed"
    ARCHIVED = "archived"


@frozen(kw_only=True)
class ProjectBatch:
    """A batch of a project; both are named by external ids."""

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
