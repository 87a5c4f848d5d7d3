"""An input: a scene to annotate for a request of a batch."""

from datetime import datetime
from typing import Any

import attrs

from kognic_aio.emulator.state.pre_annotation import PreAnnotation
from kognic_aio.emulator.state.progress import Progress
from kognic_aio.emulator.state.projects import Batch, Request
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.timing import utc_now, wire_date


@attrs.define(kw_only=True, eq=False)
class Input:
    """A scene in a request.

    It exists only while its scene can be annotated: an input that was requested together with its scene appears when
    processing ends, and disappears when the scene is invalidated.
    """

    uuid: str
    serial: int
    """Its number, in the order in which inputs were created."""
    scene: Scene
    request: Request
    pre_annotation: PreAnnotation | None = None
    deleted: bool = False
    created: datetime = attrs.field(factory=utc_now)
    progress: Progress = attrs.field(
        repr=False, default=attrs.Factory(lambda self: Progress(self.request.phase("annotate")), takes_self=True)
    )

    @property
    def batch(self) -> Batch:
        """The batch that its request belongs to."""
        return self.request.batch

    @property
    def request_uid(self) -> str:
        """The uuid of its request."""
        return self.request.id

    @property
    def exists(self) -> bool:
        """Whether it exists now."""
        return not self.deleted and self.scene.annotatable

    def to_json(self) -> dict[str, Any]:
        """The input on the wire."""
        return {
            "uuid": self.uuid,
            "sceneUuid": self.scene.uuid,
            "requestUid": self.request.id,
            "sceneExternalId": self.scene.external_id,
            "viewLink": f"https://app.kognic.com/view/input/{self.uuid}",
        }

    def to_request_input(self) -> dict[str, Any]:
        """The input on the wire, with its progress."""
        return {
            "id": self.uuid,
            "requestId": self.request.id,
            "sceneId": self.scene.uuid,
            "createdAt": wire_date(self.created),
            **self.progress.to_json(),
        }

    def to_entry(self) -> dict[str, Any]:
        """The input on the wire of the older calls, which name the scene and its status."""
        scene = self.scene.to_json()
        entry = {
            "internalId": self.scene.uuid,
            "externalId": self.scene.external_id,
            "batchId": self.batch.batch,
            "inputType": scene["sceneType"],
            "status": scene["status"],
            "created": wire_date(self.created),
            "annotationTypes": self.batch.annotation_types,
        }
        optional = ("calibrationId", "viewLink", "errorMessage")
        return entry | {key: scene[key] for key in optional if key in scene}
