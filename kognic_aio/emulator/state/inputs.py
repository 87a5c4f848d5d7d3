"""Inputs: scenes that are to be annotated for a request of a batch."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.paging import Page
from kognic_aio.emulator.state.projects import Batch, Projects
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scenes import Scenes


@attrs.frozen(kw_only=True, eq=False)
class Input:
    """One scene in one request.

    It is there only while its scene is `created`: an input that was asked for together with its scene
    appears when processing ends, and the inputs of an invalidated scene are gone.
    """

    uuid: str
    serial: int
    scene: Scene
    batch: Batch
    request_uid: str

    @property
    def exists(self) -> bool:
        """Whether it is there now."""
        return self.scene.status == "created"

    def to_json(self) -> dict[str, Any]:
        """The input on the wire."""
        return {
            "uuid": self.uuid,
            "sceneUuid": self.scene.uuid,
            "requestUid": self.request_uid,
            "sceneExternalId": self.scene.external_id,
            "viewLink": f"https://app.kognic.com/view/input/{self.uuid}",
        }


class Inputs:
    """All inputs, in the order of their making."""

    def __init__(self, scenes: Scenes, projects: Projects, refusals: Refusals) -> None:
        self._scenes = scenes
        self._projects = projects
        self._refusals = refusals
        self._all: list[Input] = []
        self._by_scene: defaultdict[str, list[Input]] = defaultdict(list)

    def __iter__(self) -> Iterator[Input]:
        """The inputs that exist now."""
        return (candidate for candidate in self._all if candidate.exists)

    def create(self, body: Body, *, dry_run: bool) -> list[Input]:
        """Create the inputs of a created scene, one per request of the batch.

        Returns:
            The inputs; none in a dry run.

        Raises:
            NotFoundError: the scene, the project or the batch is unknown.
            BadRequestError: the scene is not created, or no batch takes inputs.
        """
        fields = body.fields(("sceneUuid", "project"), ("batch",))
        scene = self._scenes.created_scene(fields["sceneUuid"].text())
        named = fields["batch"].text() if "batch" in fields else None
        batch = self._projects.batch_for_inputs(fields["project"].text(), named)
        self._refusals.check("input", scene.external_id)
        return [] if dry_run else self.add(scene, batch)

    def add(self, scene: Scene, batch: Batch, uuid: str | None = None) -> list[Input]:
        """Add the inputs of a scene to a batch; a uuid may be given for the first."""
        added = [
            Input(
                uuid=uuid if uuid and not index else str(uuid4()),
                serial=len(self._all) + index,
                scene=scene,
                batch=batch,
                request_uid=request_uid,
            )
            for index, request_uid in enumerate(batch.requests)
        ]
        self._all.extend(added)
        self._by_scene[scene.uuid].extend(added)
        return added

    def of_scene(self, scene_uuid: str) -> list[Input]:
        """The inputs of a scene that exist now."""
        return [candidate for candidate in self._by_scene.get(scene_uuid, ()) if candidate.exists]

    def query(self, body: Body, cursor: str | None, page_size: int) -> Page:
        """A page of the inputs that match all filters of a request.

        Args:
            body: the filters `project`, `batch`, `sceneUuids` and `externalIds`.
            cursor: what the page before gave as next cursor.
            page_size: how many inputs a page has at most.

        Raises:
            NotFoundError: the project or the batch is unknown.
            BadRequestError: a batch without a project, or a cursor that is none.
        """
        fields = body.fields((), ("project", "batch", "sceneUuids", "externalIds"))
        project = fields["project"].text() if "project" in fields else None
        batch = fields["batch"].text() if "batch" in fields else None
        self._check_filters(project, batch)
        matches: list[Input] = []
        for candidate in self._candidates(fields, _position(cursor)):
            if project not in (None, candidate.batch.project) or batch not in (None, candidate.batch.batch):
                continue
            if not candidate.exists:
                continue
            if len(matches) == page_size:
                return Page([match.to_json() for match in matches], str(candidate.serial))
            matches.append(candidate)
        return Page([match.to_json() for match in matches], None)

    def _check_filters(self, project: str | None, batch: str | None) -> None:
        if project is None:
            if batch is not None:
                raise BadRequestError("batch needs a project")
        elif batch is None:
            self._projects.project(project)
        else:
            self._projects.batch(project, batch)

    def _candidates(self, fields: dict[str, Body], position: int) -> Iterable[Input]:
        """The inputs from a position on that pass the filters which have an index."""
        if "sceneUuids" not in fields and "externalIds" not in fields:
            return self._all[position:] if position else self._all
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
        found = [match for uuid in wanted or () for match in self._by_scene.get(uuid, ())]
        found.sort(key=lambda match: match.serial)
        return found[bisect_left(found, position, key=lambda match: match.serial) :]


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal():
        raise BadRequestError(f"cursorId {cursor!r} is not valid")
    return int(cursor)
