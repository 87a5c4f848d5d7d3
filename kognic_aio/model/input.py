"""Inputs: scenes that are to be annotated in a batch."""

from datetime import datetime

from attrs import frozen
from typing_extensions import deprecated

from kognic_aio.model.scene_entry import SceneStatus


@frozen(kw_only=True)
class Input:
    """A scene in one request of a batch."""

    uuid: str
    scene_uuid: str
    request_uid: str
    scene_external_id: str
    view_link: str


InputStatus = SceneStatus
"""The older name: an input has the status of its scene."""


@frozen(kw_only=True)
class InputEntry:
    """An input in the older form of `get_inputs` and `get_inputs_by_uuids`; `batch` is an external id.

    Args:
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
