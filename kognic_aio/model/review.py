"""Reviews of annotations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kognic_aio._validation.fields import Validated, with_converters


@frozen(kw_only=True, field_transformer=with_converters)
class AddFeedbackItemPin(Validated):
    """The place of an error in a frame.

    Args:
        x, y: In metres, or in pixels of an image.
        z: In metres; None for an image.
        world_coordinates: Whether the position is in world coordinates.
        origin_frame: The frame that the position belongs to.
    """

    x: float
    y: float
    z: float | None = None
    world_coordinates: bool | None = None
    origin_frame: str | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class AddFeedbackItemSuggestedProperty(Validated):
    """A suggestion for a property.

    Args:
        property_name, suggested_property_value: The property, and the value that it should have.
    """

    property_name: str
    suggested_property_value: str


@frozen(kw_only=True, field_transformer=with_converters)
class AddFeedbackItem(Validated):
    """One piece of feedback on an annotation.

    Args:
        sensor_id, object_id: The sensor's name, and the object's id in OpenLABEL.
        frame_id: The frame's `external_id` in OpenLABEL.
        pin: Where the error is.
        description: The error, in words.
        suggested_property: A suggestion for a property.
        error_type_id: One of `client.review.get_error_types()`.
        metadata: Pairs of names and values of your own.
    """

    sensor_id: str | None = None
    frame_id: str | None = None
    object_id: str | None = None
    pin: AddFeedbackItemPin | None = None
    description: str | None = None
    suggested_property: AddFeedbackItemSuggestedProperty | None = None
    error_type_id: str
    metadata: Mapping[str, str] | None = None


class ReviewWorkflowEnum(StrEnum):
    """The workflows after a review that does not accept."""

    CORRECT = "correct"
    CORRECT_REVIEW_LOOP = "correct-review-loop"


@frozen(kw_only=True, field_transformer=with_converters)
class ReviewRequest(Validated):
    """A review to create.

    Args:
        feedback_items: The feedback on the annotation.
        workflow: The workflow that follows if it is not accepted.
        accepted: Whether the annotation is accepted.
    """

    feedback_items: Sequence[AddFeedbackItem] | None = None
    workflow: ReviewWorkflowEnum | None = None
    accepted: bool


@frozen(kw_only=True)
class ReviewResponse:
    """A review that was created.

    Args:
        created_review_id: Its uuid.
    """

    created_review_id: str


@frozen(kw_only=True)
class ReviewMember:
    """One piece of feedback in a review, and its status.

    Args:
        sensor_id, object_id: The sensor's name, and the object's id in OpenLABEL.
        frame_id: The frame's `external_id` in OpenLABEL.
        comments: Comments on it.
        pin: Where the error is.
        description: The error, in words.
        suggested_properties: Suggestions for properties.
        error_type_id, error_type_name: The kind of error.
        invalid: Whether the feedback itself was found to be wrong.
        metadata: Pairs of names and values.
        corrected, resolved: Whether the annotation was corrected, and whether it needs no more work.
        created_at: When it was created.
    """

    sensor_id: str | None = None
    frame_id: str | None = None
    object_id: str | None = None
    comments: tuple[str, ...] | None = None
    pin: AddFeedbackItemPin | None = None
    description: str | None = None
    suggested_properties: tuple[AddFeedbackItemSuggestedProperty, ...] | None = None
    error_type_id: str
    error_type_name: str
    invalid: bool
    metadata: Mapping[str, str] | None = None
    corrected: bool
    resolved: bool
    created_at: datetime


@frozen(kw_only=True)
class Review:
    """A review of an annotation.

    Args:
        id, members: Its uuid and its feedback.
        input_uuid, phase_id: The input, and the phase that the review was made in.
    """

    id: str
    members: tuple[ReviewMember, ...] = ()
    input_uuid: str
    phase_id: str | None = None


@frozen(kw_only=True)
class ReviewErrorType:
    """A kind of error that a review may name.

    Args:
        error_type_id, name: Its id and name.
        pin_allowed, object_allowed: Whether a review may point at a place, and whether it may name an object.
    """

    error_type_id: str
    name: str
    pin_allowed: bool
    object_allowed: bool
