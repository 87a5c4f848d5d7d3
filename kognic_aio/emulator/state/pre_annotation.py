"""A pre-annotation: the OpenLABEL from which annotators of a scene start."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.state.openlabel.elements import SCHEMA_VERSION
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.timing import Timing, utc_now, wire_date

STATUSES = ("indexed", "processing", "available")


def empty_openlabel() -> dict[str, Any]:
    """OpenLABEL without objects, in place of content that the emulator cannot read from a customer's bucket."""
    return {"openlabel": {"metadata": {"schema_version": SCHEMA_VERSION}}}


@attrs.define(kw_only=True, eq=False)
class PreAnnotation:
    """A pre-annotation of a scene, kept as it was sent.

    Its status follows from what was done to it and from the clock, as that of a scene.
    """

    id: str = attrs.field(factory=lambda: str(uuid4()))
    scene: Scene
    external_id: str = attrs.field(default=attrs.Factory(lambda self: self.id, takes_self=True))
    """The customer's name for it, unique in the scene; by default its id."""
    content: dict[str, Any] = attrs.field(repr=False)
    resource_uri: str | None = None
    """Its place in the customer's bucket."""
    ready_at: float | None = None
    """When its import ends, on the platform's clock; None while it is only indexed."""
    created: datetime = attrs.field(factory=utc_now)
    _timing: Timing = attrs.field(repr=False, alias="timing")

    @property
    def status(self) -> str:
        """`indexed`, `processing` or `available`, now."""
        if self.ready_at is None:
            return "indexed"
        return "processing" if self._timing.clock() < self.ready_at else "available"

    def check_available(self) -> None:
        """Check that its content has been imported.

        Raises:
            BadRequestError: If it has not been imported.
        """
        if self.status != "available":
            raise BadRequestError(f"pre-annotation {self.id} is {self.status}, not available")

    def start_import(self) -> None:
        """Begin to import its content.

        Raises:
            BadRequestError: If its import has begun already.
        """
        if self.status != "indexed":
            raise BadRequestError(f"pre-annotation {self.id} is {self.status}, not indexed")
        self.ready_at = self._timing.clock() + self._timing.processing_time

    def to_json(self) -> dict[str, Any]:
        """The pre-annotation on the wire, without its content."""
        wire: dict[str, Any] = {
            "id": self.id,
            "externalId": self.external_id,
            "sceneUuid": self.scene.uuid,
            "sceneExternalId": self.scene.external_id,
            "status": self.status,
            "created": wire_date(self.created),
        }
        if self.resource_uri is not None:
            wire["externalResourceId"] = self.resource_uri
        return wire

    def to_resolved(self) -> dict[str, Any]:
        """The pre-annotation on the wire, with its content."""
        return {
            "uuid": self.id,
            "sceneUuid": self.scene.uuid,
            "externalId": self.external_id,
            "created": wire_date(self.created),
            "content": self.content,
        }
