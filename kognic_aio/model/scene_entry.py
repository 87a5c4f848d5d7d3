"""What the platform says of a scene."""

from datetime import datetime

from attrs import frozen

from kognic_aio.model.open_enum import OpenEnum


class SceneStatus(OpenEnum):
    """Where a scene is on its way: pending (waits for files), processing (committed), created or failed."""

    Pending = "pending"
    Processing = "processing"
    Created = "created"
    Failed = "failed"
    Indexed = "indexed"
    InvalidatedBadContent = "invalidated:broken-input"
    InvalidatedDuplicate = "invalidated:duplicate"
    InvalidatedIncorrectlyCreated = "invalidated:incorrectly-created"

    @property
    def is_lost(self) -> bool:
        """Whether the scene can never become created."""
        return self.value == "failed" or self.value.startswith("invalidated")


@frozen(kw_only=True)
class Scene:
    """A scene on the platform."""

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
    """A scene that has been started and committed."""

    scene_uuid: str
    request_input_uuid: str | None = None
