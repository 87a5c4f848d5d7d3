"""Reviews: what customers, or their automatic checks, find wrong with annotations."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError, ConflictError
from kognic_aio.emulator.state.annotations import Annotations
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.inputs import Inputs
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.timing import utc_now, wire_date
from kognic_aio.emulator.state.workflow import Workflow

WORKFLOWS = ("correct", "correct-review-loop")

# What a finding may say beside its error type. Texts are kept as they are.
TEXTS = ("sensorId", "frameId", "objectId", "description")


@attrs.frozen(kw_only=True)
class ErrorType:
    """A kind of error that a review may find.

    Args:
        id: Its id.
        name: Its name for people.
        pin_allowed: Whether a finding may point at a place.
        object_allowed: Whether a finding may name an object.
    """

    id: str
    name: str
    pin_allowed: bool = True
    object_allowed: bool = True

    def check(self, finding: dict[str, Body]) -> None:
        """Check that a finding may have this type.

        Raises:
            BadRequestError: If it points at a place or names an object, but must not.
        """
        if "pin" in finding and not self.pin_allowed:
            raise finding["pin"].error(f"is not allowed for the error type {self.name!r}")
        if "objectId" in finding and not self.object_allowed:
            raise finding["objectId"].error(f"is not allowed for the error type {self.name!r}")

    def to_json(self) -> dict[str, Any]:
        """The error type on the wire."""
        return {
            "errorTypeId": self.id,
            "name": self.name,
            "pinAllowed": self.pin_allowed,
            "objectAllowed": self.object_allowed,
        }


@attrs.frozen(kw_only=True, eq=False)
class Review:
    """A review of the work on an input.

    Args:
        id: Its id.
        input: The input.
        phase_id: The phase that the input was in.
        findings: The findings, as on the wire.
        accepted: Whether it accepts the annotation.
        created: When it was created.
    """

    id: str = attrs.field(factory=lambda: str(uuid4()))
    input: Input
    phase_id: str
    findings: list[dict[str, Any]]
    accepted: bool
    created: datetime = attrs.field(factory=utc_now)

    def to_json(self) -> dict[str, Any]:
        """The review on the wire."""
        created = wire_date(self.created)
        return {
            "id": self.id,
            "inputUuid": self.input.uuid,
            "phaseId": self.phase_id,
            "members": [{**finding, "createdAt": created} for finding in self.findings],
        }


class Reviews:
    """All reviews, and the types of error that they may find."""

    def __init__(self, annotations: Annotations, inputs: Inputs, workflow: Workflow) -> None:
        self.error_types: dict[str, ErrorType] = {}
        self._annotations = annotations
        self._inputs = inputs
        self._workflow = workflow
        self._by_id: dict[str, Review] = {}
        self._automatic: defaultdict[str, list[Review]] = defaultdict(list)

    def add_error_type(self, error_type: ErrorType) -> ErrorType:
        """Add a type of error.

        Raises:
            ConflictError: If there is one with its id.
        """
        if error_type.id in self.error_types:
            raise ConflictError(f"error type {error_type.id} exists already")
        self.error_types[error_type.id] = error_type
        return error_type

    def create(self, annotation_id: str, body: Body) -> Review:
        """Create a review of an annotation. Unless it accepts the annotation, it asks for a correction.

        Raises:
            NotFoundError: If there is no such annotation.
            BadRequestError: If the annotation is not delivered, or the review breaks a rule.
        """
        annotation = self._annotations.annotation(annotation_id)
        if annotation.preliminary:
            raise BadRequestError(f"annotation {annotation_id} is preliminary, only delivered ones can be reviewed")
        fields = body.fields(("accepted",), ("feedbackItems", "workflow"))
        if "workflow" in fields and fields["workflow"].text() not in WORKFLOWS:
            raise fields["workflow"].error(f"must be one of {', '.join(WORKFLOWS)}, got {fields['workflow'].value!r}")
        accepted = fields["accepted"].flag()
        review = self._new(annotation.input, fields.get("feedbackItems", Body([])), accepted=accepted)
        if not accepted and annotation.input.progress.task is None:
            self._workflow.add_task(annotation.input, "correct", "integration-review")
        return review

    def add_automatic(self, subject: Input, findings: Body, *, accepted: bool) -> Review:
        """Add a review by a customer's automatic check of an input.

        Raises:
            BadRequestError: If a finding breaks a rule.
        """
        review = self._new(subject, findings, accepted=accepted)
        self._automatic[subject.uuid].append(review)
        return review

    def _new(self, subject: Input, findings: Body, *, accepted: bool) -> Review:
        review = Review(
            input=subject,
            phase_id=subject.progress.phase.id,
            findings=[self._read_finding(finding) for finding in findings.items()],
            accepted=accepted,
        )
        self._by_id[review.id] = review
        return review

    def _read_finding(self, finding: Body) -> dict[str, Any]:
        """Check a finding, and return it in the form of responses."""
        fields = finding.fields(("errorTypeId",), (*TEXTS, "pin", "suggestedProperty", "metadata"))
        error_type = self.error_types.get(fields["errorTypeId"].text())
        if error_type is None:
            raise fields["errorTypeId"].error(f"{fields['errorTypeId'].value!r} is unknown")
        error_type.check(fields)
        found: dict[str, Any] = {key: fields[key].text() for key in TEXTS if key in fields}
        if "pin" in fields:
            check_pin(fields["pin"])
            found["pin"] = fields["pin"].value
        if "suggestedProperty" in fields:
            for value in fields["suggestedProperty"].fields(("propertyName", "suggestedPropertyValue")).values():
                value.text()
            found["suggestedProperties"] = [fields["suggestedProperty"].value]
        if "metadata" in fields:
            found["metadata"] = {key: value.text() for key, value in fields["metadata"].entries().items()}
        state = {"invalid": False, "corrected": False, "resolved": False}
        return {**found, "errorTypeId": error_type.id, "errorTypeName": error_type.name, **state}

    def review(self, review_id: str) -> Review:
        """The review with an id.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self._by_id, review_id, "review")

    def automatic_of(self, input_uuid: str) -> list[Review]:
        """The reviews by customers' automatic checks of an input.

        Raises:
            NotFoundError: If there is no such input.
        """
        return self._automatic.get(self._inputs.input(input_uuid).uuid, [])


def check_pin(pin: Body) -> None:
    """Check the place at which a finding points."""
    fields = pin.fields(("x", "y"), ("z", "worldCoordinates", "originFrame"))
    for coordinate in ("x", "y", "z"):
        if coordinate in fields:
            fields[coordinate].number()
    if "worldCoordinates" in fields:
        fields["worldCoordinates"].flag()
    if "originFrame" in fields:
        fields["originFrame"].text()
