"""The progress of an input: its phase, its tasks and their results."""

from datetime import datetime
from typing import Any, Literal, get_args
from uuid import NAMESPACE_URL, uuid4, uuid5

import attrs

from kognic_aio.emulator.errors import BadRequestError, ConflictError
from kognic_aio.emulator.state.timing import utc_now, wire_date

PhaseName = Literal["annotate", "review", "client-automatic-review", "integration-review"]
TaskType = Literal["annotate", "correct", "review"]
TaskState = Literal["todo", "ongoing", "completed"]


def _fixed_id(name: str) -> str:
    """An id that is the same on all platforms."""
    return str(uuid5(NAMESPACE_URL, f"https://app.kognic.com/{name}"))


@attrs.define(eq=False)
class Phase:
    """One phase of the workflow of one request.

    Args:
        definition: The kind of phase, the same for all requests.
    """

    definition: PhaseName = attrs.field(validator=attrs.validators.in_(get_args(PhaseName)))
    id: str = attrs.field(factory=lambda: str(uuid4()))

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.definition.replace("-", " ").capitalize()

    def to_json(self) -> dict[str, Any]:
        """The phase on the wire."""
        definition = {"id": _fixed_id(f"phase-definition/{self.definition}"), "name": self.definition}
        return {"id": self.id, "name": self.name, "phaseDefinition": definition}


@attrs.define(kw_only=True, eq=False)
class Task:
    """The work of one person on one input."""

    id: str
    type: TaskType = attrs.field(validator=attrs.validators.in_(get_args(TaskType)))
    phase: Phase
    workforce: frozenset[int]
    assigned_user_id: int | None = None
    state: TaskState = "todo"

    def assign(self, user_id: int | None) -> None:
        """Assign it to another user of the request's workforce, or with None to nobody.

        Raises:
            BadRequestError: If the user is not of the workforce, or the task was started or completed.
        """
        if user_id == self.assigned_user_id:
            return
        if self.state != "todo":
            raise BadRequestError(f"task {self.id} is {self.state}, its assignment cannot be changed")
        if user_id is not None and user_id not in self.workforce:
            raise BadRequestError(f"user {user_id} is not a member of the request's workforce")
        self.assigned_user_id = user_id

    def action_json(self) -> dict[str, str]:
        """Its action on the wire."""
        return {"id": _fixed_id(f"phase-action/{self.type}"), "name": self.type.capitalize()}

    def to_json(self) -> dict[str, Any]:
        """The task on the wire."""
        wire: dict[str, Any] = {
            "taskId": self.id,
            "isOngoing": self.state == "ongoing",
            "taskType": self.type,
        }
        if self.assigned_user_id is not None:
            wire["assignedUserId"] = self.assigned_user_id
        return wire


@attrs.define(eq=False)
class Progress:
    """The work on one input, from the first task to the annotation.

    Args:
        phase: The first phase of the input.
    """

    phase: Phase
    task: Task | None = None
    """The task that is not completed."""
    started: bool = False
    """Whether work on it has ever begun."""
    last_annotation_id: str | None = None
    completed_at: datetime | None = None
    updated: datetime = attrs.field(factory=utc_now)

    @property
    def status(self) -> str:
        """`not_started`, `in_progress` or `completed`."""
        if self.completed_at is not None:
            return "completed"
        return "in_progress" if self.started else "not_started"

    def begin(self, task: Task) -> None:
        """Give the input its next task. A completed input is in progress again.

        Raises:
            ConflictError: If it has a task that is not completed.
        """
        if self.task is not None:
            raise ConflictError(f"task {self.task.id} of the input is not completed yet")
        self.task = task
        self.phase = task.phase
        self.completed_at = None
        self.updated = utc_now()

    def start_task(self) -> None:
        """Begin the work on its task."""
        if self.task is not None:
            self.task.state = "ongoing"
            self.started = True
            self.updated = utc_now()

    def complete_task(self) -> None:
        """Complete its task. The input waits for the next one."""
        if self.task is not None:
            self.start_task()
            self.task.state = "completed"
            self.task = None

    def complete(self) -> None:
        """Complete the input, and its task."""
        self.complete_task()
        self.started = True
        self.completed_at = self.updated = utc_now()

    def to_json(self) -> dict[str, Any]:
        """The progress on the wire: members of the input."""
        wire: dict[str, Any] = {
            "status": self.status,
            "lastUpdatedAt": wire_date(self.updated),
            "progressDetails": self._details(),
        }
        if self.last_annotation_id is not None:
            wire["lastCompletedAnnotationId"] = self.last_annotation_id
        if self.completed_at is not None:
            wire["completedAt"] = wire_date(self.completed_at)
        return wire

    def _details(self) -> dict[str, Any]:
        stage: dict[str, Any] = {"phase": self.phase.to_json(), "name": self.phase.name}
        details: dict[str, Any] = {
            "currentWorkflowStage": stage,
            "availableForIntegrationReview": self.phase.definition == "integration-review",
        }
        if self.task is not None:
            stage["action"] = self.task.action_json()
            stage["name"] = f"{self.phase.name}: {stage['action']['name']}"
            details["currentTask"] = self.task.to_json()
        return details
