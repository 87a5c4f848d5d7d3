"""Projects, their batches and the requests of a batch."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError, ConflictError, NotFoundError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.progress import Phase, PhaseName
from kognic_aio.emulator.state.seeds import WORKFORCE
from kognic_aio.emulator.state.timing import utc_now, wire_date

BATCH_STATUSES = ("pending", "open", "ready", "in-progress", "completed", "archived")
NOT_CLOSED = ("open", "pending")


@attrs.define(kw_only=True, eq=False)
class Request:
    """The work to do on the inputs of a batch, and who may do it.

    Args:
        id: Its uuid, the `requestUid` of its inputs.
        title: Any text.
        project_id: The uuid of its project.
        batch: Its batch.
        workforce: Ids of the users that its tasks may be assigned to.
        flexible_workflow: Whether it reports the progress of its inputs. Older requests do not.
    """

    id: str = attrs.field(factory=lambda: str(uuid4()))
    title: str
    project_id: str
    batch: "Batch" = attrs.field(repr=False)
    workforce: frozenset[int]
    flexible_workflow: bool = True
    created: datetime = attrs.field(factory=utc_now)
    _phases: dict[PhaseName, Phase] = attrs.field(init=False, repr=False, factory=dict)

    def phase(self, name: PhaseName) -> Phase:
        """Its phase of a kind. The id differs from that of every other request."""
        if name not in self._phases:
            self._phases[name] = Phase(name)
        return self._phases[name]

    def to_json(self) -> dict[str, Any]:
        """The request on the wire, without the progress of its inputs."""
        return {
            "id": self.id,
            "projectId": self.project_id,
            "title": self.title,
            "createdAt": wire_date(self.created),
        }


@attrs.define(kw_only=True, eq=False)
class Batch:
    """A group of inputs of a project. Each scene has one input per request of the batch."""

    project: str
    batch: str
    title: str
    status: str = attrs.field(validator=attrs.validators.in_(BATCH_STATUSES))
    annotation_types: list[str]
    requests: list[Request] = attrs.field(factory=list, repr=False)
    created: datetime = attrs.field(factory=utc_now)
    updated: datetime = attrs.field(factory=utc_now)

    def publish(self) -> None:
        """Close the batch for new inputs.

        Raises:
            BadRequestError: If it is closed already.
        """
        if self.status not in NOT_CLOSED:
            raise BadRequestError(f"{self} is {self.status}: only one that is open or pending can be published")
        self.status = "ready"
        self.updated = utc_now()

    def check_takes_inputs(self) -> None:
        """Check that inputs may be added to the batch by its name.

        Raises:
            BadRequestError: If it is closed.
        """
        # A pending batch is still being configured, but the platform's guide adds inputs to one by name.
        if self.status not in NOT_CLOSED:
            raise BadRequestError(f"{self} is {self.status}, closed for new inputs")

    def __str__(self) -> str:
        return f"batch {self.batch!r} of project {self.project!r}"

    def to_json(self) -> dict[str, Any]:
        """The batch on the wire."""
        return {
            "project": self.project,
            "batch": self.batch,
            "title": self.title,
            "status": self.status,
            "created": wire_date(self.created),
            "updated": wire_date(self.updated),
        }


@attrs.define(kw_only=True, eq=False)
class Project:
    """A project. Only lists of requests name it by its uuid; all else uses its external id."""

    id: str
    project: str
    title: str
    description: str
    status: str
    own_annotation_types: list[str]
    batches: dict[str, Batch] = attrs.field(factory=dict, repr=False)
    created: datetime = attrs.field(factory=utc_now)

    @property
    def latest_batch(self) -> Batch | None:
        """The batch that was added last."""
        return next(reversed(self.batches.values()), None)

    @property
    def annotation_types(self) -> list[str]:
        """Its own annotation types and those of its batches, each once."""
        of_batches = (name for batch in self.batches.values() for name in batch.annotation_types)
        return list(dict.fromkeys((*self.own_annotation_types, *of_batches)))

    def to_json(self) -> dict[str, Any]:
        """The project on the wire."""
        return {
            "project": self.project,
            "title": self.title,
            "description": self.description,
            "status": self.status,
            "created": wire_date(self.created),
        }


class Projects:
    """All projects, and the rule that chooses the batch of an input."""

    def __init__(self) -> None:
        self.by_external_id: dict[str, Project] = {}
        self._by_id: dict[str, Project] = {}
        self._requests: dict[str, Request] = {}

    def add(self, project: Project) -> Project:
        """Add a project."""
        if project.project in self.by_external_id or project.id in self._by_id:
            raise ConflictError(f"project {project.project!r} exists already")
        self.by_external_id[project.project] = self._by_id[project.id] = project
        return project

    def add_batch(
        self,
        project: str,
        batch: str,
        *,
        title: str | None = None,
        status: str = "open",
        annotation_types: Iterable[str] | None = None,
    ) -> Batch:
        """Add a batch without requests. By default it has the annotation types of the previous one."""
        owner = self.project(project)
        if batch in owner.batches:
            raise ConflictError(f"batch {batch!r} of project {project!r} exists already")
        if annotation_types is None:
            latest = owner.latest_batch
            annotation_types = owner.own_annotation_types if latest is None else latest.annotation_types
        types = list(annotation_types)
        added = Batch(project=project, batch=batch, title=title or batch, status=status, annotation_types=types)
        owner.batches[batch] = added
        return added

    def add_request(
        self, batch: Batch, workforce: Collection[int], *, title: str | None = None, flexible_workflow: bool = True
    ) -> Request:
        """Add a request to a batch."""
        added = Request(
            title=title or f"{batch.title} {len(batch.requests) + 1}",
            project_id=self.project(batch.project).id,
            batch=batch,
            workforce=frozenset(workforce),
            flexible_workflow=flexible_workflow,
        )
        batch.requests.append(added)
        self._requests[added.id] = added
        return added

    def create_batch(self, project: str, batch: str, body: Body) -> Batch:
        """Create an open batch like the latest one.

        Args:
            project: External id of the project.
            batch: External id of the batch.
            body: Whether to publish the previous open batches.

        Raises:
            NotFoundError: If the project is unknown.
            ConflictError: If the batch exists already.
        """
        fields = body.fields((), ("publishPreviousBatches",))
        publish = "publishPreviousBatches" in fields and fields["publishPreviousBatches"].flag()
        previous = list(self.project(project).batches.values())
        created = self.add_batch(project, batch)
        for request in previous[-1].requests if previous else ():
            self.add_request(created, request.workforce, flexible_workflow=request.flexible_workflow)
        if not previous:  # there is nothing to copy
            self.add_request(created, WORKFORCE)
        for earlier in previous if publish else ():
            if earlier.status == "open":
                earlier.publish()
        return created

    def project(self, project: str) -> Project:
        """The project with an external id.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self.by_external_id, project, "project")

    def project_with_id(self, project_id: str) -> Project:
        """The project with a uuid.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self._by_id, project_id, "project id")

    def request(self, request_id: str) -> Request:
        """The request with a uuid.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self._requests, request_id, "request")

    def batch(self, project: str, batch: str) -> Batch:
        """The batch with an external id.

        Raises:
            NotFoundError: If the project or the batch is unknown.
        """
        batches = self.project(project).batches
        if batch not in batches:
            raise NotFoundError(f"batch {batch!r} of project {project!r} is unknown")
        return batches[batch]

    def batch_for_inputs(self, project: str, batch: str | None) -> Batch:
        """The batch that takes new inputs.

        Args:
            project: External id of the project.
            batch: External id of the batch; None for the project's only open one.

        Raises:
            NotFoundError: If the project or the batch is unknown.
            BadRequestError: If the batch is closed, or none was named and not exactly one is open.
        """
        if batch is not None:
            named = self.batch(project, batch)
            named.check_takes_inputs()
            return named
        candidates = [found for found in self.project(project).batches.values() if found.status == "open"]
        if not candidates:
            raise BadRequestError(f"project {project!r} has no open batch")
        if len(candidates) > 1:
            names = ", ".join(candidate.batch for candidate in candidates)
            raise BadRequestError(f"project {project!r} has several open batches, name one of them: {names}")
        return candidates[0]
