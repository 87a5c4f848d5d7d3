"""The work of people on the inputs of a request: their tasks and progress."""

from collections import Counter
from typing import Any
from uuid import uuid4

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.inputs import Inputs
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.paging import Page, turn_to
from kognic_aio.emulator.state.progress import PhaseName, Task, TaskType
from kognic_aio.emulator.state.projects import Projects, Request


class Workflow:
    """All tasks by id, and the progress of requests."""

    def __init__(self, projects: Projects, inputs: Inputs) -> None:
        self._projects = projects
        self._inputs = inputs
        self._tasks: dict[str, tuple[Task, Input]] = {}

    def requests(self, project_id: str, *, with_counts: bool) -> list[dict[str, Any]]:
        """The requests of a project on the wire.

        Args:
            project_id: The uuid of the project.
            with_counts: Whether to count their inputs by status.

        Raises:
            NotFoundError: If the project is unknown.
        """
        batches = self._projects.project_with_id(project_id).batches.values()
        requests = [request for batch in batches for request in batch.requests]
        if not with_counts:
            return [request.to_json() for request in requests]
        return [{**request.to_json(), "inputProgressCounts": self._counts(request)} for request in requests]

    def _counts(self, request: Request) -> dict[str, int]:
        counts = Counter(found.progress.status for found in self._inputs.of_request(request) if found.exists)
        return {
            "notStarted": counts["not_started"],
            "inProgress": counts["in_progress"],
            "completed": counts["completed"],
            "total": counts.total(),
        }

    def request_inputs(self, request_id: str, scene_uuid: str | None, cursor: str | None, page_size: int) -> Page:
        """A page of the inputs of a request with their progress.

        Args:
            request_id: The request.
            scene_uuid: The scene that they must belong to; None for any.
            cursor: The next cursor of the previous page; None for the first.
            page_size: Inputs on a page at most.

        Raises:
            NotFoundError: If the request is unknown.
            BadRequestError: If the request does not report progress, or the cursor is invalid.
        """
        request = self._projects.request(request_id)
        check_flexible(request)

        def matches(candidate: Input) -> bool:
            return candidate.exists and scene_uuid in (None, candidate.scene.uuid)

        inputs = self._inputs.of_request(request)
        return turn_to(inputs, cursor, page_size, keep=matches, to_json=Input.to_request_input)

    def request_input(self, input_uuid: str) -> Input:
        """An input of a request that reports progress.

        Raises:
            NotFoundError: If there is no such input.
            BadRequestError: If the request does not report progress.
        """
        found = self._inputs.input(input_uuid)
        check_flexible(found.request)
        return found

    def add_task(
        self,
        subject: Input,
        type_: TaskType,
        phase: PhaseName,
        assigned_user_id: int | None = None,
        task_id: str | None = None,
    ) -> Task:
        """Give an input its next task. By default it gets a new id.

        Raises:
            ConflictError: If the input has a task that is not completed.
            BadRequestError: If the user is not of the workforce.
        """
        request = subject.request
        task = Task(id=task_id or str(uuid4()), type=type_, phase=request.phase(phase), workforce=request.workforce)
        task.assign(assigned_user_id)
        subject.progress.begin(task)
        self._tasks[task.id] = task, subject
        return task

    def start_task(self, task_id: str) -> None:
        """Begin the work on a task.

        Raises:
            NotFoundError: If there is no such task.
            BadRequestError: If it is completed.
        """
        self._uncompleted(task_id).progress.start_task()

    def complete_task(self, task_id: str, *, last: bool) -> None:
        """Complete a task, and with the last one its input.

        Raises:
            NotFoundError: If there is no such task.
            BadRequestError: If it is completed already.
        """
        progress = self._uncompleted(task_id).progress
        if last:
            progress.complete()
        else:
            progress.complete_task()

    def _uncompleted(self, task_id: str) -> Input:
        """The input of a task that is not completed."""
        task, subject = self._task(task_id)
        if subject.progress.task is not task:
            raise BadRequestError(f"task {task_id} is completed")
        return subject

    def assign(self, task_id: str, body: Body) -> None:
        """Assign a task to a user, or with null to nobody.

        Raises:
            NotFoundError: If there is no such task.
            BadRequestError: If the user is not of the workforce, or the task was started or completed.
        """
        fields = body.fields((), ("assignedUserId",))
        # Here null has a meaning, and `fields` leaves out what is null.
        if "assignedUserId" not in body.entries():
            raise BadRequestError("assignedUserId is missing: pass null to unassign the task")
        user = fields.get("assignedUserId")
        self._task(task_id)[0].assign(None if user is None else user.integer())

    def _task(self, task_id: str) -> tuple[Task, Input]:
        """A task and its input, if that exists."""
        task, subject = known(self._tasks, task_id, "task")
        return task, self._inputs.input(subject.uuid)


def check_flexible(request: Request) -> None:
    """Check that a request reports the progress of its inputs.

    Raises:
        BadRequestError: If it does not.
    """
    if not request.flexible_workflow:
        raise BadRequestError(f"request {request.id} has no flexible workflow, which this needs")
