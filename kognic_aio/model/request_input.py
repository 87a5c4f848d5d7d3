"""Inputs of a request, and their progress in its workflow."""

from datetime import datetime

from attrs import frozen

from kognic_aio.model.platform import OpenEnum


class RequestInputStatus(OpenEnum):
    """The status of an input in a request."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class TaskType(OpenEnum):
    """The kinds of tasks."""

    ANNOTATE = "annotate"
    CORRECT = "correct"
    REVIEW = "review"


@frozen(kw_only=True)
class PhaseDefinition:
    """A kind of phase.

    Args:
        id, name: Its id and name, such as `integration-review`; shared by all requests.
    """

    id: str
    name: str


@frozen(kw_only=True)
class Phase:
    """A phase in the workflow of one request.

    Args:
        id, name: Its id and name in this request.
        phase_definition: Its kind of phase.
    """

    id: str
    name: str
    phase_definition: PhaseDefinition


@frozen(kw_only=True)
class PhaseAction:
    """An action of a phase.

    Args:
        id, name: Its id and name.
    """

    id: str
    name: str


@frozen(kw_only=True)
class WorkflowStage:
    """Where an input is.

    Args:
        phase: The phase.
        action: None between two actions, for example while a decision is awaited.
        name: The names of phase and action together, such as `Review 1: Correct`.
    """

    phase: Phase
    action: PhaseAction | None = None
    name: str


@frozen(kw_only=True)
class CurrentTask:
    """The task of an input that is not completed.

    Args:
        task_id, task_type: The task's id and kind.
        is_ongoing: Whether somebody works on it.
        assigned_user_id: The user who has it, None while nobody has.
    """

    task_id: str
    is_ongoing: bool
    task_type: TaskType
    assigned_user_id: int | None = None


@frozen(kw_only=True)
class InputProgressDetails:
    """The progress of an input in its workflow.

    Args:
        current_workflow_stage: Where the input is.
        current_task: None if no task is open, for example between two actions.
        available_for_integration_review: Whether the input is in the integration phase.
    """

    current_workflow_stage: WorkflowStage
    current_task: CurrentTask | None = None
    available_for_integration_review: bool


@frozen(kw_only=True)
class RequestInput:
    """An input of a request, with its status and progress.

    Args:
        id, request_id, scene_id: Uuids of the input, the request and the scene.
        status: Its status.
        last_completed_annotation_id: The newest annotation that was completed.
        progress_details: How it stands in the workflow. None if you have no access to the phase that it is in.
        created_at, last_updated_at: When it was created and last changed.
        completed_at: When it was completed. None for other statuses: a correction takes it back.
    """

    id: str
    request_id: str
    scene_id: str
    status: RequestInputStatus
    last_completed_annotation_id: str | None = None
    progress_details: InputProgressDetails | None = None
    created_at: datetime
    last_updated_at: datetime
    completed_at: datetime | None = None
