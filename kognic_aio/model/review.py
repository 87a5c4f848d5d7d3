"""Reviews of annotations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from kognic_aio.model._checks import Checked


@frozen(kw_only=True)
class AddFeedbackItemPin(Checked):
    """Where in a frame something is wrong.

    Args:
        world_coordinates: Whether the position is in world coordinates.
        origin_frame: The frame that the position belongs to.
    """

    x: float
    y: float
    z: float | None = None
    world_coordinates: bool | None = None
    origin_frame: str | None = None


@frozen(kw_only=True)
class AddFeedbackItemSuggestedProperty(Checked):
    """What a property should be."""

    property_name: str
    suggested_property_value: str


@frozen(kw_only=True)
class AddFeedbackItem(Checked):
    """One thing to say about an annotation.

    Args:
        frame_id: The frame's `external_id` in OpenLABEL.
        error_type_id: One of `client.review.get_error_types()`.
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
    """What follows a review that does not accept."""

    CORRECT = "correct"
    CORRECT_REVIEW_LOOP = "correct-review-loop"


@frozen(kw_only=True)
class ReviewRequest(Checked):
    """A review to create."""

    feedback_items: Sequence[AddFeedbackItem] | None = None
    workflow: ReviewWorkflowEnum | None = None
    accepted: bool


@frozen(kw_only=True)
class ReviewResponse:
    """A review that was created."""

    created_review_id: str


@frozen(kw_only=True)
class ReviewMember:
    """One thing that a review says of an annotation, and what became of it.

    Args:
        frame_id: The frame's `external_id` in OpenLABEL.
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
    """A review of an annotation."""

    id: str
    members: tuple[ReviewMember, ...] = ()
    input_uuid: str
    phase_id: str | None = None


@frozen(kw_only=True)
class ReviewErrorType:
    """What can be wrong, and whether one may point at a place or an object."""

    error_type_id: str
    name: str
    pin_allowed: bool
    object_allowed: bool
