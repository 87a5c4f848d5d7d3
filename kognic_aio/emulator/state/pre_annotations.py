"""Pre-annotations: OpenLABEL that annotators of a scene start from."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import ConflictError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.timing import utc_now

SCHEMA_VERSION = "1.0.0"


@attrs.frozen(kw_only=True, eq=False)
class PreAnnotation:
    """A pre-annotation of a scene, kept as it was sent."""

    id: str
    scene: Scene
    external_id: str | None
    content: dict[str, Any] = attrs.field(repr=False)
    created: datetime = attrs.field(factory=utc_now)


class PreAnnotations:
    """All pre-annotations by id."""

    def __init__(self, scenes: Scenes, refusals: Refusals) -> None:
        self.by_id: dict[str, PreAnnotation] = {}
        self._scenes = scenes
        self._refusals = refusals
        self._external_ids: set[tuple[str, str]] = set()

    def create(self, body: Body, *, dry_run: bool) -> PreAnnotation:
        """Create a pre-annotation of a created scene.

        Returns:
            The pre-annotation; in a dry run one that is nowhere kept.

        Raises:
            NotFoundError: the scene is unknown.
            ConflictError: the scene has a pre-annotation with this external id.
            BadRequestError: the scene is not created, or the content is not OpenLABEL for its frames.
        """
        fields = body.fields(("sceneUuid", "preAnnotation"), ("externalId",))
        scene = self._scenes.created_scene(fields["sceneUuid"].text())
        check_openlabel(fields["preAnnotation"], scene)
        external_id = fields["externalId"].text() if "externalId" in fields else None
        if external_id is not None and (scene.uuid, external_id) in self._external_ids:
            raise ConflictError(f"scene {scene.uuid} has a pre-annotation {external_id!r} already")
        self._refusals.check("pre-annotation", scene.external_id)
        created = PreAnnotation(
            id=str(uuid4()), scene=scene, external_id=external_id, content=fields["preAnnotation"].value
        )
        if not dry_run:
            self.by_id[created.id] = created
            if external_id is not None:
                self._external_ids.add((scene.uuid, external_id))
        return created

    def of_scene(self, scene_uuid: str) -> list[PreAnnotation]:
        """The pre-annotations of a scene."""
        return [found for found in self.by_id.values() if found.scene.uuid == scene_uuid]


def check_openlabel(content: Body, scene: Scene) -> None:
    """Check that `content` is OpenLABEL of the right version whose frames are among those of the scene.

    Raises:
        BadRequestError: it is not.
    """
    openlabel = content.fields(("openlabel",))["openlabel"].entries()
    if "metadata" in openlabel:
        version = openlabel["metadata"].entries().get("schema_version")
        if version is not None and version.value != SCHEMA_VERSION:
            raise version.error(f"must be {SCHEMA_VERSION!r}, got {version.value!r}")
    frames = openlabel.get("frames")
    if frames is None or frames.value is None or not scene.kind.sequence:
        return
    known = frozenset(scene.spec.relative_timestamps)
    for frame in frames.entries().values():
        timestamp = _timestamp(frame)
        if timestamp is not None and _milliseconds(timestamp) not in known:
            raise timestamp.error(f"{timestamp.value!r} is not the relative timestamp of a frame of the scene")


def _timestamp(frame: Body) -> Body | None:
    properties = frame.entries().get("frame_properties")
    if properties is None or properties.value is None:
        return None
    timestamp = properties.entries().get("timestamp")
    return None if timestamp is None or timestamp.value is None else timestamp


def _milliseconds(timestamp: Body) -> float:
    # OpenLABEL lets a timestamp be a number or a string of one.
    if isinstance(timestamp.value, str):
        try:
            return float(timestamp.value)
        except ValueError as error:
            raise timestamp.error(f"{timestamp.value!r} is not a number") from error
    return timestamp.number()
