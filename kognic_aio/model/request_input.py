"""Inputs on their way through the workflow of a request."""

from datetime import datetime

from attrs import frozen

from kognic_aio.model.open_enum import OpenEnum


class RequestInputStatus(OpenEnum):
    """How far an input is."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class TaskType(OpenEnum):
    """What somebody has to do with an input."""

    ANNOTATE = "annotate"
    CORRECT = "correct"
    REVIEW = "review"


@frozen(kw_only=True)
class PhaseDefinition:
    """A kind of phase. Its name, such as `integration-review`, is the same in all requests that use it."""

    id: str
    name: str


@frozen(kw_only=True)
class Phase:
    """A phase in the workflow of one request, to which its id belongs."""

    id: str
    name: str
    phase_definition: PhaseDefinition


@frozen(kw_only=True)
class PhaseAction:
    """What happens in a phase."""

    id: str
    name: str


@frozen(kw_only=True)
class WorkflowStage:
    """Where an input is.

    Args:
        action: None between two actions, as while a decision is awaited.
        name: Of phase and action together, such as `Review 1: Correct`.
    """

    phase: Phase
    action: PhaseAction | None = None
    name: str


@frozen(kw_only=True)
class CurrentTask:
    """The task of an input that is not completed; `assigned_user_id` is None while nobody has it."""

    task_id: str
    is_ongoing: bool
    task_type: TaskType
    assigned_user_id: int | None = None


@frozen(kw_only=True)
class InputProgressDetails:
    """How an input stands in its workflow.

    Args:
        current_task: None if no task is open, as between two actions.
        available_for_integration_review: Whether the input is in the integration phase.
    """

    current_workflow_stage: WorkflowStage
    current_task: CurrentTask | None = None
    available_for_integration_review: bool


@frozen(kw_only=True)
class RequestInput:
    """An input of a request, with its status and progress.

    Args:
        progress_details: None if you have no access to the phase that the input is in.
        completed_at: None unless the status is completed; a correction takes it back.
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
