"""Pre-annotations: OpenLABEL from which annotators start."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from attrs import frozen


class OpenLabelModel(Protocol):
    """A `kognic.openlabel` model, or anything that dumps itself as pydantic's models do."""

    def model_dump(self, *, exclude_none: bool = ..., by_alias: bool = ...) -> dict[str, Any]:
        """The content as a dict."""


PreAnnotation: TypeAlias = OpenLabelModel | Mapping[str, Any] | bytes | bytearray | str
"""OpenLABEL 1.0.0: a `kognic.openlabel` model, a dict, or JSON."""


@frozen(kw_only=True)
class CreatedPreAnnotation:
    """A pre-annotation on the platform.

    Args:
        id: Its uuid.
    """

    id: str


@frozen(kw_only=True)
class ResolvedPreAnnotation:
    """A pre-annotation with its content.

    Args:
        uuid, external_id: The platform's id of it, and your own.
        scene_uuid, created: Its scene, and when it was created.
        content: OpenLABEL as the platform sent it.
    """

    uuid: str
    scene_uuid: str
    external_id: str
    created: datetime
    content: Mapping[str, Any]
