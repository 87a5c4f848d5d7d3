"""Annotations: the results of annotating inputs."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import attrs

from kognic_aio.emulator.errors import ConflictError, NotFoundError
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.inputs import Inputs
from kognic_aio.emulator.state.paging import Page, turn_to
from kognic_aio.emulator.state.projects import Projects
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.storage import Storage
from kognic_aio.emulator.state.timing import Timing, utc_now, wire_date

ANNOTATION_TYPE = "object-detection"


@attrs.frozen(kw_only=True, eq=False)
class Annotation:
    """The annotation of an input, delivered or preliminary."""

    id: str
    input: Input
    annotation_type: str
    preliminary: bool
    content: Any = attrs.field(repr=False)
    created: datetime = attrs.field(factory=utc_now)

    @property
    def path(self) -> str:
        """The path of its content in the storage."""
        return f"{self.input.scene.prefix}/annotation-{self.id}.json"

    def to_json(self) -> dict[str, Any]:
        """The annotation without its content, as calls for inputs return it."""
        return {
            "inputUuid": self.input.uuid,
            "sceneUuid": self.input.scene.uuid,
            "requestUid": self.input.request.id,
            "created": wire_date(self.created),
        }

    def to_older_json(self) -> dict[str, Any]:
        """The annotation without its content, as older calls return it, which take a scene's uuid for its input's."""
        return {
            "inputUuid": self.input.scene.uuid,
            "annotationType": self.annotation_type,
            "created": wire_date(self.created),
        }

    def to_signed_json(self, url: str, expires: datetime) -> dict[str, Any]:
        """The annotation, as calls for its id return it."""
        return {
            "id": self.id,
            "sceneId": self.input.scene.uuid,
            "requestId": self.input.request.id,
            "requestInputId": self.input.uuid,
            "requestUid": self.input.request.id,
            "isPreliminary": self.preliminary,
            "signedUrl": url,
            "expiresAt": wire_date(expires),
            "created": wire_date(self.created),
        }


class Annotations:
    """All annotations. Those of a deleted input are deleted with it."""

    def __init__(self, timing: Timing, storage: Storage, scenes: Scenes, projects: Projects, inputs: Inputs) -> None:
        self._timing = timing
        self._storage = storage
        self._scenes = scenes
        self._projects = projects
        self._inputs = inputs
        self._by_id: dict[str, Annotation] = {}
        # Delivered annotations in their order, and the current one for each input and type: a later annotation replaces
        # an earlier one.
        self._by_project: defaultdict[str, list[Annotation]] = defaultdict(list)
        self._by_scene: defaultdict[str, list[Annotation]] = defaultdict(list)
        self._current: dict[tuple[str, str], Annotation] = {}

    def add(self, annotation: Annotation) -> Annotation:
        """Add an annotation. Unless it is preliminary, it completes its input.

        Raises:
            ConflictError: If there is one with its id.
        """
        if annotation.id in self._by_id:
            raise ConflictError(f"annotation {annotation.id} exists already")
        subject = annotation.input
        self._storage.keep_document(annotation.path, annotation.content)
        self._by_id[annotation.id] = annotation
        subject.progress.last_annotation_id = annotation.id
        if annotation.preliminary:
            subject.progress.started = True
            return annotation
        subject.progress.complete()
        self._by_project[subject.batch.project].append(annotation)
        self._by_scene[subject.scene.uuid].append(annotation)
        self._current[subject.uuid, annotation.annotation_type] = annotation
        return annotation

    def _is_current(self, annotation: Annotation) -> bool:
        """Whether it is the latest delivered annotation of its type, of an input that exists."""
        subject = annotation.input
        return subject.exists and self._current[subject.uuid, annotation.annotation_type] is annotation

    def annotation(self, annotation_id: str) -> Annotation:
        """The annotation with an id, delivered or preliminary.

        Raises:
            NotFoundError: If there is none, or its input no longer exists.
        """
        found = self._by_id.get(annotation_id)
        if found is None or not found.input.exists:
            raise NotFoundError(f"annotation {annotation_id!r} is unknown")
        return found

    def signed(self, annotation_id: str) -> dict[str, Any]:
        """The annotation with an id, as JSON with a link to its content and the expiry of that.

        Raises:
            NotFoundError: If there is none.
        """
        found = self.annotation(annotation_id)
        expires = utc_now() + timedelta(seconds=self._timing.url_lifetime)
        return found.to_signed_json(self._url(found), expires)

    def of_input(self, input_uuid: str) -> dict[str, Any]:
        """The latest delivered annotation of an input, as JSON.

        Raises:
            NotFoundError: If there is no such input, or no such annotation.
        """
        subject = self._inputs.input(input_uuid)
        delivered = [found for found in self._of_scene(subject.scene.uuid) if found.input is subject]
        if not delivered:
            raise NotFoundError(f"input {input_uuid} has no annotation")
        return self._linked(delivered[-1].to_json(), delivered[-1])

    def of_scene(self, scene_uuid: str) -> list[dict[str, Any]]:
        """The delivered annotations of the inputs of a scene, as JSON.

        Raises:
            NotFoundError: If there is no such scene.
        """
        return [self._linked(found.to_json(), found) for found in self._of_scene(scene_uuid)]

    def of_scene_with_content(self, scene_uuid: str, annotation_type: str) -> dict[str, Any]:
        """The latest delivered annotation of a scene and a type, as JSON with its content.

        Raises:
            NotFoundError: If there is no such scene, or no such annotation.
        """
        delivered = [found for found in self._of_scene(scene_uuid) if found.annotation_type == annotation_type]
        if not delivered:
            raise NotFoundError(f"scene {scene_uuid} has no annotation of type {annotation_type!r}")
        return {**delivered[-1].to_older_json(), "content": delivered[-1].content}

    def _of_scene(self, scene_uuid: str) -> list[Annotation]:
        """The current annotations of a scene's inputs, in the order of their delivery."""
        scene = self._scenes.scene(scene_uuid)
        return [found for found in self._by_scene.get(scene.uuid, ()) if self._is_current(found)]

    def search(self, project: str, batch: str | None, annotation_type: str, cursor: str | None, page_size: int) -> Page:
        """A page of the delivered annotations of one type, in a project or one of its batches.

        Raises:
            NotFoundError: If the project or the batch is unknown.
            BadRequestError: If the cursor is invalid.
        """
        if batch is None:
            self._projects.project(project)
        else:
            self._projects.batch(project, batch)

        def matches(candidate: Annotation) -> bool:
            return (
                candidate.annotation_type == annotation_type
                and batch in (None, candidate.input.batch.batch)
                and self._is_current(candidate)
            )

        def to_json(found: Annotation) -> dict[str, Any]:
            return self._linked(found.to_older_json(), found)

        return turn_to(self._by_project.get(project, ()), cursor, page_size, keep=matches, to_json=to_json)

    def _linked(self, wire: dict[str, Any], annotation: Annotation) -> dict[str, Any]:
        return {**wire, "uri": self._url(annotation)}

    def _url(self, annotation: Annotation) -> str:
        return self._storage.signed_url(annotation.path, "GET")
