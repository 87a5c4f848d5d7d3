"""What the platform says of a scene."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from kognic_aio.errors import InvalidError
from kognic_aio.model.metadata import Metadata
from kognic_aio.model.open_enum import OpenEnum


class SceneStatus(OpenEnum):
    """The status of a scene: pending (waits for files), processing (committed), created or failed."""

    Pending = "pending"
    Processing = "processing"
    Created = "created"
    Failed = "failed"
    Indexed = "indexed"
    InvalidatedBadContent = "invalidated:broken-input"
    InvalidatedSlamRerun = "invalidated:slam-rerun"
    InvalidatedDuplicate = "invalidated:duplicate"
    InvalidatedIncorrectlyCreated = "invalidated:incorrectly-created"

    @property
    def is_committed(self) -> bool:
        """Whether all files of the scene are there, and nobody has invalidated it."""
        return self.value != "pending" and not self.value.startswith("invalidated")

    @property
    def is_lost(self) -> bool:
        """Whether the scene can never become created."""
        return self.value == "failed" or self.value.startswith("invalidated")


@frozen(kw_only=True)
class Scene:
    """A scene on the platform.

    Args:
        uuid, external_id: The platform's id of it, and your own.
        workspace_id, created: Where and when it was created.
        scene_type, status: Its type and status, as the platform names them.
        calibration_id: The calibration of its sensors.
        view_link: URL at which people look at it.
        error_message: Why it could not be processed, if it could not.
    """

    uuid: str
    workspace_id: str
    external_id: str
    scene_type: str
    status: SceneStatus
    created: datetime
    calibration_id: str | None = None
    view_link: str | None = None
    error_message: str | None = None


@frozen(kw_only=True)
class CreateSceneResponse:
    """A scene that has been started and committed.

    Args:
        scene_uuid: Its uuid.
        request_input_uuid: The input that the platform created with it.
    """

    scene_uuid: str
    request_input_uuid: str | None = None


class SceneInvalidatedReason(StrEnum):
    """Why to invalidate a scene."""

    BAD_CONTENT = "bad-content"
    DUPLICATE = "duplicate"
    INCORRECTLY_CREATED = "incorrectly-created"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise InvalidError(f"reason: expected one of {', '.join(cls)}, got {value!r}")


InvalidatedReasonInput = SceneInvalidatedReason
"""The older name."""


class SceneType(OpenEnum):
    """The types of scenes, as summaries name them."""

    CAMERAS = "cameras"
    LIDARS_AND_CAMERAS = "lidars_and_cameras"
    CAMERAS_SEQUENCE = "cameras_sequence"
    LIDARS_AND_CAMERAS_SEQUENCE = "lidars_and_cameras_sequence"
    AGGREGATED_LIDARS_AND_CAMERAS_SEQUENCE = "aggregated_lidars_and_cameras_sequence"


@frozen(kw_only=True)
class SceneSummary:
    """What a scene consists of.

    Args:
        scene_uuid, external_id: The platform's id of it, and your own.
        workspace_id, created: Where and when it was created.
        calibration_id: The calibration of its sensors.
        frame_relative_times: The time of each frame, in milliseconds since the start of the scene.
        lidars, cameras: The names of its sensors.
        scene_type, is_multi_sensor: Its type, and whether it has several sensors.
        is_motion_compensated: Whether points have been moved to where they were at the time of their frame.
        metadata: Flat pairs of names and values.
    """

    scene_uuid: str
    external_id: str
    workspace_id: str
    created: datetime
    calibration_id: str | None = None
    frame_relative_times: tuple[int, ...] | None = None
    lidars: frozenset[str] | None = None
    cameras: frozenset[str] | None = None
    scene_type: SceneType
    is_multi_sensor: bool
    is_motion_compensated: bool
    metadata: Metadata = field(factory=dict[str, str | int | float | bool])
