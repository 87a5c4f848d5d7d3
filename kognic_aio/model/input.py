"""Inputs: scenes that are to be annotated in a batch."""

from datetime import datetime

from attrs import frozen
from typing_extensions import deprecated

from kognic_aio.model.scene_entry import SceneStatus


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
        created, annotation_types: When it was created, and what is annotated.
        calibration_id: The calibration of the scene's sensors.
        view_link: URL at which people look at it.
        error_message: Why the scene could not be processed, if it could not.
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
