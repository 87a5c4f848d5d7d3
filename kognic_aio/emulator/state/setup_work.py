"""Setting up what people do with inputs: tasks, annotations, reviews."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from kognic_aio.emulator.state.annotations import ANNOTATION_TYPE, Annotation
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.parts import Parts
from kognic_aio.emulator.state.pre_annotation import empty_openlabel
from kognic_aio.emulator.state.progress import PhaseName, TaskType
from kognic_aio.emulator.state.reviews import ErrorType


class WorkSetup(Parts):
    """A platform whose inputs one may let be annotated and reviewed, in any order."""

    def add_task(
        self,
        input_uuid: str,
        type: TaskType = "annotate",  # noqa: A002 - as in an answer's taskType
        *,
        phase: PhaseName = "annotate",
        assigned_user_id: int | None = None,
        ongoing: bool = False,
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Give an input its next task, and return the task's id; a completed input is in progress again.

        Args:
            input_uuid: the input.
            type: annotate, correct or review.
            phase: annotate, review, client-automatic-review or integration-review.
            assigned_user_id: who is to do it, one of the workforce; by default nobody.
            ongoing: whether the work on it has begun.
            id: a fixed id; by default a new one.

        Raises:
            NotFoundError: the input is unknown.
            ConflictError: the input has a task that is not completed.
            BadRequestError: the user is not of the request's workforce.
        """
        task = self.workflow.add_task(self.inputs.input(input_uuid), type, phase, assigned_user_id, id)
        if ongoing:
            self.workflow.start_task(task.id)
        return task.id

    def start_task(self, task_id: str) -> None:
        """Let the work on a task begin: it can not be assigned any more, and its input is in progress.

        Raises:
            NotFoundError: there is no such task.
            BadRequestError: it is completed.
        """
        self.workflow.start_task(task_id)

    def complete_task(self, task_id: str, *, last: bool = True) -> None:
        """Let a task end.

        Args:
            task_id: the task.
            last: whether that completes its input; if not, the input waits for its next task.

        Raises:
            NotFoundError: there is no such task.
            BadRequestError: it is completed already.
        """
        self.workflow.complete_task(task_id, last=last)

    def add_annotation(
        self,
        input_uuid: str,
        content: Any = None,
        *,
        annotation_type: str = ANNOTATION_TYPE,
        preliminary: bool = False,
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Add an annotation of an input, and return its id.

        One that is delivered completes the input, and takes the place of the one of the same type before it.

        Args:
            input_uuid: the input.
            content: what a client gets, as it is; by default OpenLABEL without any object.
            annotation_type: one of the project's, or any other.
            preliminary: whether it is only on its way: then it is found by nothing but its id, and the input
                is in progress.
            id: a fixed id; by default a new one.

        Raises:
            NotFoundError: the input is unknown.
            ConflictError: the id exists already.
        """
        added = Annotation(
            id=id or str(uuid4()),
            input=self.inputs.input(input_uuid),
            annotation_type=annotation_type,
            preliminary=preliminary,
            content=empty_openlabel() if content is None else content,
        )
        return self.annotations.add(added).id

    def add_error_type(
        self,
        name: str,
        *,
        pin_allowed: bool = True,
        object_allowed: bool = True,
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Add a type of error that reviews may find, and return its id.

        Args:
            name: its name for people.
            pin_allowed: whether a finding may point at a place.
            object_allowed: whether a finding may name an object.
            id: a fixed id; by default a new one.

        Raises:
            ConflictError: the id exists already.
        """
        added = ErrorType(id=id or str(uuid4()), name=name, pin_allowed=pin_allowed, object_allowed=object_allowed)
        return self.reviews.add_error_type(added).id

    def add_auto_review(
        self, input_uuid: str, feedback_items: Iterable[Mapping[str, Any]] = (), *, accepted: bool = False
    ) -> str:
        """Add the review that a customer's own check has made of an input, and return its id.

        Args:
            input_uuid: the input.
            feedback_items: what it found, in the form in which clients send reviews.
            accepted: whether the annotation may stay as it is.

        Raises:
            NotFoundError: the input is unknown.
            BadRequestError: a finding breaks a rule.
        """
        findings = Body([dict(item) for item in feedback_items], "feedbackItems")
        return self.reviews.add_automatic(self.inputs.input(input_uuid), findings, accepted=accepted).id
