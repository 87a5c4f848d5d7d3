"""Metadata of scenes and frames: flat pairs of names and values."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeAlias

from kognic_aio._validation.converters import Mismatch, argument, instance_of, mapping_of, optional, plain, real, shown

MetadataValue: TypeAlias = str | int | float | bool
"""Finite numbers, text and flags."""

Metadata: TypeAlias = Mapping[str, MetadataValue]
"""Flat pairs of names and values. The platform knows `region`: where the data was collected."""


class MetadataModel(Protocol):
    """A model of pydantic, or another with `model_dump`."""

    def model_dump(self) -> dict[str, Any]:
        """The pairs."""
        ...


MetadataInput: TypeAlias = Mapping[Any, object] | MetadataModel
"""The accepted forms of metadata. Each value is checked, whatever its annotation; None is left out."""


def flat_metadata(given: MetadataInput | None) -> Metadata:
    """The pairs of some metadata."""
    if given is not None and not isinstance(given, Mapping) and hasattr(given, "model_dump"):
        given = given.model_dump()
    pairs = _flat_values({} if given is None else given)
    return {name: value for name, value in pairs.items() if value is not None}


def optional_metadata(given: MetadataInput | None) -> Metadata | None:
    """The pairs of some metadata, None if there are none."""
    return flat_metadata(given) or None


def _flat(value: Any) -> MetadataValue | None:
    given = plain(value)
    if isinstance(given, str):
        return str.__str__(given)
    if given is None or isinstance(given, bool):
        return given
    if isinstance(given, int):
        return int(given)
    if isinstance(given, float):
        return real(given)
    raise Mismatch(f"expected str or int or float or bool, got {shown(value)}")


_flat_values = mapping_of(_flat)


class FrameMetaData(dict[str, MetadataValue]):
    """Metadata of a frame, as a mapping whose values are attributes too.

    Args:
        pairs: The values by name; those that are None are left out.

    Raises:
        InvalidError: If a value is not flat.
    """

    def __init__(self, **pairs: object) -> None:
        super().__init__(argument(type(self).__name__, pairs, flat_metadata))

    @classmethod
    def model_validate(cls, pairs: Mapping[str, object]) -> Self:
        """Metadata from a mapping. Keys may be any text, such as `location-lat`."""
        return cls(**pairs)

    def model_dump(self) -> dict[str, MetadataValue]:
        """The pairs as a plain dict."""
        return dict(self)

    def __getattr__(self, name: str) -> MetadataValue:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no {name!r}") from None


class MetaData(FrameMetaData):
    """Metadata of a scene, as a mapping whose values are attributes too.

    Args:
        region: Where the data was collected; the platform may have instructions for it.
        pairs: More values by name; those that are None are left out.

    Raises:
        InvalidError: If a value is not flat, or the region is not text.
    """

    def __init__(self, *, region: str | None = None, **pairs: object) -> None:
        super().__init__(region=region, **pairs)
        argument("MetaData.region", self.get("region"), optional(instance_of(str)))

    @property
    def region(self) -> MetadataValue | None:
        """Where the data was collected, if known."""
        return self.get("region")
