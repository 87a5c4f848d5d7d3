"""The life of inputs: create, query, pre-annotate, delete."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

from kognic_aio.emulator.errors import BadRequestError, NotFoundError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.paging import Page, turn_to
from kognic_aio.emulator.state.pre_annotation import PreAnnotation
from kognic_aio.emulator.state.pre_annotations import PreAnnotations
from kognic_aio.emulator.state.projects import Batch, Projects, Request
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scenes import Scenes


class Inputs:
    """All inputs, in the order in which they were created."""

    def __init__(self, scenes: Scenes, projects: Projects, pre_annotations: PreAnnotations, refusals: Refusals) -> None:
        self._scenes = scenes
        self._projects = projects
        self._pre_annotations = pre_annotations
        self._refusals = refusals
        self._all: list[Input] = []
        self._by_uuid: dict[str, Input] = {}
        self._by_scene: defaultdict[str, list[Input]] = defaultdict(list)
        self._by_request: defaultdict[str, list[Input]] = defaultdict(list)

    def __iter__(self) -> Iterator[Input]:
        """The inputs that exist now."""
        return (candidate for candidate in self._all if candidate.exists)

    def create(self, body: Body, *, dry_run: bool) -> list[Input]:
        """Create the inputs of a created scene, one per request of the batch.

        They start from the scene's latest pre-annotation, if it has one.

        Returns:
            The inputs; none in a dry run.

        Raises:
            NotFoundError: If the scene, the project or the batch is unknown.
            BadRequestError: If the scene is not created, or no batch takes inputs.
        """
        fields = body.fields(("sceneUuid", "project"), ("batch",))
        scene = self._scenes.created_scene(fields["sceneUuid"].text())
        named = fields["batch"].text() if "batch" in fields else None
        batch = self._projects.batch_for_inputs(fields["project"].text(), named)
        self._refusals.check("input", scene.external_id, batch.project)
        return [] if dry_run else self.add_to_batch(scene, batch, self._pre_annotations.latest_of(scene))

    def create_one(self, body: Body, *, dry_run: bool) -> Input | None:
        """Create the input of a created scene in one request, with a pre-annotation if the body names one.

        Returns:
            The input; None in a dry run.

        Raises:
            NotFoundError: If the scene, the pre-annotation, or the request or its project or batch is unknown.
            BadRequestError: If the scene is not created, the pre-annotation not available or of another scene,
                or it is not clear which request is meant, or that takes no inputs.
        """
        fields = body.fields((), ("sceneUuid", "preAnnotationUuid", "requestUuid", "projectExtId", "batchExtId"))
        scene, pre_annotation = self._subject(fields)
        request = self._request(fields)
        self._refusals.check("input", scene.external_id, request.batch.project)
        return None if dry_run else self.add(scene, request, pre_annotation)

    def _subject(self, fields: dict[str, Body]) -> tuple[Scene, PreAnnotation | None]:
        """The scene and the pre-annotation that a body names. A pre-annotation alone implies its scene."""
        scene = self._scenes.created_scene(fields["sceneUuid"].text()) if "sceneUuid" in fields else None
        if "preAnnotationUuid" in fields:
            pre_annotation = self._pre_annotations.available(fields["preAnnotationUuid"].text(), scene)
            return self._scenes.created_scene(pre_annotation.scene.uuid), pre_annotation
        if scene is None:
            raise BadRequestError("pass sceneUuid, preAnnotationUuid or both")
        return scene, None

    def _request(self, fields: dict[str, Body]) -> Request:
        """The request that a body names by its uuid, or the only one of a batch."""
        if ("requestUuid" in fields) == ("projectExtId" in fields):
            raise BadRequestError("pass either requestUuid or projectExtId")
        if "requestUuid" in fields:
            request = self._projects.request(fields["requestUuid"].text())
            request.batch.check_takes_inputs()
            return request
        named = fields["batchExtId"].text() if "batchExtId" in fields else None
        batch = self._projects.batch_for_inputs(fields["projectExtId"].text(), named)
        if len(batch.requests) != 1:
            raise BadRequestError(f"{batch} has {len(batch.requests)} requests: name one with requestUuid")
        return batch.requests[0]

    def add(
        self, scene: Scene, request: Request, pre_annotation: PreAnnotation | None = None, uuid: str | None = None
    ) -> Input:
        """Add the input of a scene to a request of any batch. By default it gets a new uuid."""
        added = Input(
            uuid=uuid or str(uuid4()),
            serial=len(self._all),
            scene=scene,
            request=request,
            pre_annotation=pre_annotation,
        )
        self._all.append(added)
        self._by_uuid[added.uuid] = added
        self._by_scene[scene.uuid].append(added)
        self._by_request[request.id].append(added)
        return added

    def add_to_batch(
        self, scene: Scene, batch: Batch, pre_annotation: PreAnnotation | None = None, uuid: str | None = None
    ) -> list[Input]:
        """Add the inputs of a scene to all requests of a batch. The first may get a given uuid."""
        first = [self.add(scene, request, pre_annotation, uuid) for request in batch.requests[:1]]
        return first + [self.add(scene, request, pre_annotation) for request in batch.requests[1:]]

    def input(self, uuid: str) -> Input:
        """The input with a uuid.

        Raises:
            NotFoundError: If no such input exists now.
        """
        found = self._by_uuid.get(uuid)
        if found is None or not found.exists:
            raise NotFoundError(f"input {uuid!r} is unknown")
        return found

    def delete(self, uuid: str) -> None:
        """Remove a scene from a request, with all work on it there.

        Raises:
            NotFoundError: If there is no such input.
        """
        self.input(uuid).deleted = True

    def replace_pre_annotation(self, uuid: str, body: Body) -> None:
        """Make an input start from another pre-annotation.

        Raises:
            NotFoundError: If the input or the pre-annotation is unknown.
            BadRequestError: If the work on the input has begun, or the pre-annotation is not available or of
                another scene.
        """
        changed = self.input(uuid)
        named = body.fields(("uuid",))["uuid"].text()
        pre_annotation = self._pre_annotations.available(named, changed.scene)
        if changed.progress.status != "not_started":
            raise BadRequestError(f"the annotation of input {uuid} has started, its pre-annotation cannot be replaced")
        changed.pre_annotation = pre_annotation

    def of_scene(self, scene_uuid: str) -> list[Input]:
        """The existing inputs of a scene."""
        return [candidate for candidate in self._by_scene.get(scene_uuid, ()) if candidate.exists]

    def of_request(self, request: Request) -> Sequence[Input]:
        """All inputs that a request ever had. New ones are appended."""
        return self._by_request.get(request.id, ())

    def query(self, body: Body, cursor: str | None, page_size: int) -> Page:
        """A page of the inputs that match all filters of a request.

        Args:
            body: The filters `project`, `batch`, `sceneUuids` and `externalIds`.
            cursor: The next cursor of the previous page; None for the first.
            page_size: Inputs on a page at most.

        Raises:
            NotFoundError: If the project or the batch is unknown.
            BadRequestError: If a batch without a project, or an invalid cursor.
        """
        fields = body.fields((), ("project", "batch", "sceneUuids", "externalIds"))
        project, batch = self._filters(fields)

        def matches(candidate: Input) -> bool:
            return candidate.exists and _within(candidate, project, batch)

        return turn_to(self._candidates(fields), cursor, page_size, keep=matches, to_json=Input.to_json)

    def fetch(self, body: Body, cursor: str | None, page_size: int) -> Page:
        """A page of the scenes that were added to a project, in any status: the older query.

        Args:
            body: The filters `project`, `batch` and `externalIds`, and `includeInvalidated`, which lists the
                scenes that are invalidated in place of all others.
            cursor: The next cursor of the previous page; None for the first.
            page_size: Entries on a page at most.

        Raises:
            NotFoundError: If the project or the batch is unknown.
            BadRequestError: If there is no project, or the cursor is invalid.
        """
        fields = body.fields(("project",), ("batch", "includeInvalidated", "externalIds"))
        project, batch = self._filters(fields)
        invalidated = "includeInvalidated" in fields and fields["includeInvalidated"].flag()

        def matches(candidate: Input) -> bool:
            return (
                candidate.scene.visible
                and _within(candidate, project, batch)
                and (candidate.scene.invalidated is not None) == invalidated
                and self._stands_for_scene(candidate)
            )

        return turn_to(self._candidates(fields), cursor, page_size, keep=matches, to_json=Input.to_entry)

    def with_scenes(self, body: Body) -> list[Input]:
        """The older query's entries for some scenes, one for each batch that they were added to."""
        wanted = body.fields(("uuids",))["uuids"].texts()
        return [found for found in self._of_scenes(wanted) if found.scene.visible and self._stands_for_scene(found)]

    def _stands_for_scene(self, candidate: Input) -> bool:
        """Whether no earlier input of its scene in its batch remains. Older calls list only the first."""
        siblings = self._by_scene[candidate.scene.uuid]
        first = next((each for each in siblings if each.batch is candidate.batch and not each.deleted), None)
        return candidate is first

    def _filters(self, fields: dict[str, Body]) -> tuple[str | None, str | None]:
        project = fields["project"].text() if "project" in fields else None
        batch = fields["batch"].text() if "batch" in fields else None
        if project is None:
            if batch is not None:
                raise BadRequestError("batch needs a project")
        elif batch is None:
            self._projects.project(project)
        else:
            self._projects.batch(project, batch)
        return project, batch

    def _candidates(self, fields: dict[str, Body]) -> Sequence[Input]:
        """The inputs that match the indexed filters, in the order in which they were created."""
        wanted: set[str] | None = None
        if "sceneUuids" in fields:
            wanted = set(fields["sceneUuids"].texts())
        if "externalIds" in fields:
            named = {
                scene.uuid
                for external_id in fields["externalIds"].texts()
                for scene in self._scenes.with_external_id(external_id)
            }
            wanted = named if wanted is None else wanted & named
        return self._all if wanted is None else self._of_scenes(wanted)

    def _of_scenes(self, scene_uuids: Iterable[str]) -> list[Input]:
        found = [match for uuid in set(scene_uuids) for match in self._by_scene.get(uuid, ())]
        found.sort(key=lambda match: match.serial)
        return found


def _within(candidate: Input, project: str | None, batch: str | None) -> bool:
    of = candidate.batch
    return project in (None, of.project) and batch in (None, of.batch)
