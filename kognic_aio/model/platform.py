"""Scenes, inputs, pre-annotations, projects and workspaces, as the platform returns them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from attrs import field, frozen
from typing_extensions import deprecated

from kognic_aio.errors import InvalidError
from kognic_aio.model.metadata import Metadata


class OpenEnum(StrEnum):
    """An enum that accepts unknown values, so that a new status does not make a response unreadable."""

    @classmethod
    def _missing_(cls, value: object) -> "OpenEnum | None":
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


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
    def is_invalidated(self) -> bool:
        """Whether the scene has been invalidated, for whatever reason."""
        return self.value.startswith("invalidated")

    @property
    def is_committed(self) -> bool:
        """Whether the scene has all of its files and is not invalidated."""
        return self.value != "pending" and not self.is_invalidated

    @property
    def is_lost(self) -> bool:
        """Whether the scene can never become created."""
        return self.value == "failed" or self.is_invalidated


@frozen(kw_only=True)
class Scene:
    """A scene on the platform.

    Args:
        uuid, external_id: The platform's id of it, and your own.
        workspace_id, created: Where and when it was created.
        scene_type, status: Its type and status, as the platform names them.
        calibration_id: The calibration of its sensors.
        view_link: URL at which people look at it.
        error_message: Why its processing failed, if it did.
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
    """A summary of a scene.

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


@frozen(kw_only=True)
class Input:
    """A scene in one request of a batch.

    Args:
        uuid, scene_uuid, request_uid: Ids of the input, the scene and the request.
        scene_external_id: Your own id of the scene.
        view_link: URL at which people look at it.
    """

    uuid: str
    scene_uuid: str
    request_uid: str
    scene_external_id: str
    view_link: str


InputStatus = SceneStatus
"""The older name: an input has the status of its scene."""


@frozen(kw_only=True)
class InputEntry:
    """An input in the older form of `get_inputs` and `get_inputs_by_uuids`.

    Args:
        scene_uuid, external_id: The uuid of the scene, and your own id of it.
        batch: External id of the batch.
        scene_type, status: The scene's type and status, as the platform names them.
        created, annotation_types: When it was created, and its annotation types.
        calibration_id: The calibration of the scene's sensors.
        view_link: URL at which people look at it.
        error_message: Why the processing of the scene failed, if it did.
    """

    scene_uuid: str
    external_id: str
    batch: str
    scene_type: str
    status: InputStatus
    created: datetime
    annotation_types: tuple[str, ...]
    calibration_id: str | None = None
    view_link: str | None = None
    error_message: str | None = None

    @property
    @deprecated("uuid is now scene_uuid")
    def uuid(self) -> str:
        """The older name of `scene_uuid`."""
        return self.scene_uuid

    @property
    @deprecated("input_type is now scene_type")
    def input_type(self) -> str:
        """The older name of `scene_type`."""
        return self.scene_type


@frozen(kw_only=True)
class Project:
    """A project.

    Args:
        project: Its external id.
        created, title, description, status: When it was created, its title, description and status.
    """

    created: datetime
    title: str
    description: str
    status: str
    project: str


class ProjectBatchStatus(OpenEnum):
    """The status of a batch: from `ready` on it is closed for new inputs."""

    PENDING = "pending"
    OPEN = "open"
    READY = "ready"
    INPROGESS = "in-progress"
    COMPLETED = "completed"
    ARCHIVED = "archived"


@frozen(kw_only=True)
class ProjectBatch:
    """A batch of a project.

    Args:
        project, batch: External ids of the project and the batch.
        title, status: Its title and status.
        created, updated: When it was created and last changed.
    """

    project: str
    batch: str
    title: str
    status: ProjectBatchStatus
    created: datetime
    updated: datetime

    @property
    def takes_inputs(self) -> bool:
        """Whether the batch accepts inputs. A pending batch does so only if you name it."""
        return self.status in (ProjectBatchStatus.PENDING, ProjectBatchStatus.OPEN)


@frozen(kw_only=True)
class Workspace:
    """A workspace, in which scenes are created.

    Args:
        id, external_id: The platform's id of it, which clients take as `write_workspace_id`, and its organization's.
        created, name, organization_name: When it was created, its name, and to whom it belongs.
    """

    created: datetime
    external_id: str | None = None
    id: str
    name: str
    organization_name: str | None = None


class OpenLabelModel(Protocol):
    """A `kognic.openlabel` model, or anything that dumps itself as pydantic's models do."""

    def model_dump(self, *, exclude_none: bool = ..., by_alias: bool = ...) -> dict[str, Any]:
        """The content as a dict."""
        ...


PreAnnotation: TypeAlias = OpenLabelModel | Mapping[str, Any] | bytes | bytearray | str
"""OpenLABEL 1.0.0: a `kognic.openlabel` model, a dict, or JSON."""


@frozen(kw_only=True)
class CreatedPreAnnotation:
    """A pre-annotation on the platform.

    Args:
        id: Its uuid.
    """

    id: str


@frozen(kw_only=True)
class ResolvedPreAnnotation:
    """A pre-annotation with its content.

    Args:
        uuid, external_id: The platform's id of it, and your own.
        scene_uuid, created: Its scene, and when it was created.
        content: OpenLABEL as the platform sent it.
    """

    uuid: str
    scene_uuid: str
    external_id: str
    created: datetime
    content: Mapping[str, Any]
