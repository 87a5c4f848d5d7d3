"""Projects, their batches and the requests of a batch."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError, ConflictError, NotFoundError
from kognic_aio.emulator.state.timing import utc_now, wire_date

BATCH_STATUSES = ("pending", "open", "ready", "in-progress", "completed", "archived")


@attrs.define(kw_only=True, eq=False)
class Batch:
    """A group of inputs of a project; every input is made once per request of the batch."""

    project: str
    batch: str
    title: str
    status: str = attrs.field(validator=attrs.validators.in_(BATCH_STATUSES))
    requests: list[str]
    created: datetime = attrs.field(factory=utc_now)
    updated: datetime = attrs.field(factory=utc_now)

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
    """A project, named by its external id."""

    project: str
    title: str
    description: str
    status: str
    batches: dict[str, Batch] = attrs.field(factory=dict)
    created: datetime = attrs.field(factory=utc_now)

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
    """All projects, and the rule that picks the batch of an input."""

    def __init__(self) -> None:
        self.by_external_id: dict[str, Project] = {}

    def add(self, project: str, title: str, description: str, status: str) -> Project:
        """Add a project."""
        if project in self.by_external_id:
            raise ConflictError(f"project {project!r} exists already")
        added = Project(project=project, title=title, description=description, status=status)
        self.by_external_id[project] = added
        return added

    def add_batch(self, project: str, batch: str, title: str, status: str, requests: int) -> Batch:
        """Add a batch with a number of requests."""
        batches = self.project(project).batches
        if batch in batches:
            raise ConflictError(f"batch {batch!r} of project {project!r} exists already")
        uids = [str(uuid4()) for _ in range(requests)]
        batches[batch] = Batch(project=project, batch=batch, title=title, status=status, requests=uids)
        return batches[batch]

    def project(self, project: str) -> Project:
        """The project with an external id.

        Raises:
            NotFoundError: there is none.
        """
        found = self.by_external_id.get(project)
        if found is None:
            raise NotFoundError(f"project {project!r} is unknown")
        return found

    def batch(self, project: str, batch: str) -> Batch:
        """The batch with an external id.

        Raises:
            NotFoundError: the project or the batch is unknown.
        """
        found = self.project(project).batches.get(batch)
        if found is None:
            raise NotFoundError(f"batch {batch!r} of project {project!r} is unknown")
        return found

    def batch_for_inputs(self, project: str, batch: str | None) -> Batch:
        """The batch that takes new inputs.

        Args:
            project: external id of the project.
            batch: external id of the batch; None stands for the project's only open batch.

        Raises:
            NotFoundError: the project or the batch is unknown.
            BadRequestError: the batch is closed, or none was named and there is not exactly one open.
        """
        if batch is not None:
            named = self.batch(project, batch)
            # A pending batch is still being configured, but the platform's guide adds inputs to one by name.
            if named.status not in ("open", "pending"):
                raise BadRequestError(
                    f"batch {batch!r} of project {project!r} is {named.status}, closed for new inputs"
                )
            return named
        candidates = [found for found in self.project(project).batches.values() if found.status == "open"]
        if not candidates:
            raise BadRequestError(f"project {project!r} has no open batch")
        if len(candidates) > 1:
            names = ", ".join(candidate.batch for candidate in candidates)
            raise BadRequestError(f"project {project!r} has several open batches, name one of them: {names}")
        return candidates[0]
