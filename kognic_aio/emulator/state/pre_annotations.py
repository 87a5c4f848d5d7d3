"""The life of pre-annotations: create, import, list, delete."""

from collections.abc import Callable, Sequence
from typing import Any

from kognic_aio.emulator.errors import BadRequestError, ConflictError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.openlabel import check_openlabel
from kognic_aio.emulator.state.pre_annotation import STATUSES, PreAnnotation, empty_openlabel
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.timing import Timing

# The filters of a list, and the value of a pre-annotation that each compares.
FILTERS: dict[str, Callable[[PreAnnotation], str]] = {
    "uuids": lambda found: found.id,
    "externalIds": lambda found: found.external_id,
    "sceneUuids": lambda found: found.scene.uuid,
    "sceneExternalIds": lambda found: found.scene.external_id,
    "statuses": lambda found: found.status,
}


class PreAnnotations:
    """All pre-annotations by id, and by scene and external id."""

    def __init__(self, timing: Timing, scenes: Scenes, refusals: Refusals) -> None:
        self.by_id: dict[str, PreAnnotation] = {}
        self._all: list[PreAnnotation] = []
        self._timing = timing
        self._scenes = scenes
        self._refusals = refusals
        self._by_scene: dict[str, dict[str, PreAnnotation]] = {}

    def create(self, body: Body, *, dry_run: bool) -> PreAnnotation:
        """Create a pre-annotation of a created scene.

        Returns:
            The pre-annotation. In a dry run it is not kept.

        Raises:
            NotFoundError: If the scene is unknown.
            ConflictError: If the scene has a pre-annotation with this external id.
            BadRequestError: If the scene is not created, or the content is not OpenLABEL that fits it.
        """
        fields = body.fields(("sceneUuid", "preAnnotation"), ("externalId",))
        scene = self._scenes.created_scene(fields["sceneUuid"].text())
        check_openlabel(fields["preAnnotation"], scene)
        created = self._new(scene, fields, fields["preAnnotation"].value)
        created.ready_at = self._timing.clock()  # content in the body needs no import
        return created if dry_run else self.add(created)

    def create_from_resource(self, body: Body) -> PreAnnotation:
        """Create a pre-annotation from a customer's bucket, to be read at once or on request.

        Raises:
            NotFoundError: If the scene is unknown.
            ConflictError: If the scene has a pre-annotation with this external id.
            BadRequestError: If the scene is neither created nor indexed.
        """
        fields = body.fields(("sceneUuid", "externalId", "externalResourceId"), ("postponeExternalResourceImport",))
        scene = self._scenes.scene(fields["sceneUuid"].text())
        scene.check_status("created", "indexed")
        postpone = fields.get("postponeExternalResourceImport")
        created = self._new(scene, fields, empty_openlabel())
        created.resource_uri = fields["externalResourceId"].text()
        if postpone is None or not postpone.flag():
            created.start_import()
        return self.add(created)

    def _new(self, scene: Scene, fields: dict[str, Body], content: dict[str, Any]) -> PreAnnotation:
        new = PreAnnotation(scene=scene, content=content, timing=self._timing)
        if "externalId" in fields:
            new.external_id = fields["externalId"].text()
        self._check_unique(new)
        self._refusals.check("pre-annotation", scene.external_id, new.external_id)
        return new

    def _check_unique(self, new: PreAnnotation) -> None:
        if new.external_id in self._by_scene.get(new.scene.uuid, ()):
            raise ConflictError(f"scene {new.scene.uuid} has a pre-annotation {new.external_id!r} already")

    def add(self, new: PreAnnotation) -> PreAnnotation:
        """Add a valid pre-annotation.

        Raises:
            ConflictError: If the scene has one with its external id.
        """
        self._check_unique(new)
        self.by_id[new.id] = new
        self._all.append(new)
        self._by_scene.setdefault(new.scene.uuid, {})[new.external_id] = new
        return new

    def pre_annotation(self, pre_annotation_id: str) -> PreAnnotation:
        """The pre-annotation with an id.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self.by_id, pre_annotation_id, "pre-annotation")

    def available(self, pre_annotation_id: str, scene: Scene | None = None) -> PreAnnotation:
        """The pre-annotation with an id, ready to be used.

        Args:
            pre_annotation_id: Its id.
            scene: The scene that it must belong to; None for any.

        Raises:
            NotFoundError: If there is none.
            BadRequestError: If it is not imported, or belongs to another scene.
        """
        found = self.pre_annotation(pre_annotation_id)
        if scene is not None and found.scene is not scene:
            raise BadRequestError(f"pre-annotation {found.id} belongs to scene {found.scene.uuid}, not to {scene.uuid}")
        found.check_available()
        return found

    def latest_of(self, scene: Scene) -> PreAnnotation | None:
        """The latest available pre-annotation of a scene."""
        newest_first = reversed(self._by_scene.get(scene.uuid, {}).values())
        return next((found for found in newest_first if found.status == "available"), None)

    def of_scene(self, scene_uuid: str) -> list[PreAnnotation]:
        """The pre-annotations of a scene."""
        return list(self._by_scene.get(scene_uuid, {}).values())

    def import_indexed(self, pre_annotation_id: str, body: Body) -> None:
        """Begin to import an indexed pre-annotation.

        Raises:
            NotFoundError: If there is none.
            BadRequestError: If the body asks for something else, or it is not indexed.
        """
        status = body.fields(("status",))["status"]
        if status.text() != "processing":
            raise status.error(f"must be 'processing', got {status.value!r}")
        self.pre_annotation(pre_annotation_id).start_import()

    def delete(self, pre_annotation_id: str) -> None:
        """Delete a pre-annotation, and free its external id.

        Raises:
            NotFoundError: If there is none.
        """
        gone = self.pre_annotation(pre_annotation_id)
        del self.by_id[gone.id]
        self._all.remove(gone)
        del self._by_scene[gone.scene.uuid][gone.external_id]

    def page(self, filters: dict[str, list[str]], offset: int, limit: int) -> tuple[list[PreAnnotation], bool]:
        """Some of the pre-annotations that match all filters, in order of creation, and whether there are more.

        Args:
            filters: The values that match, by the name of the filter. An empty filter matches all.
            offset: How many to skip.
            limit: How many to return at most.

        Raises:
            BadRequestError: If a status is unknown.
        """
        unknown = set(filters["statuses"]) - set(STATUSES)
        if unknown:
            raise BadRequestError(f"statuses must be among {', '.join(STATUSES)}, got {min(unknown)!r}")
        found: Sequence[PreAnnotation] = self._all
        for name, read in FILTERS.items():
            wanted = set(filters[name])
            if wanted:
                found = [candidate for candidate in found if read(candidate) in wanted]
        end = offset + limit
        return list(found[offset:end]), end < len(found)
