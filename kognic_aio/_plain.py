"""Values as people have them, made Python's own."""

from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """The value of an enum's member, Python's own number for a scalar of numpy; anything else as it is."""
    if isinstance(value, Enum):
        return plain(value.value)
    if getattr(value, "shape", None) == () and numpy_kind(value) in "biufc":
        return value.item()
    return value


def numpy_kind(value: Any) -> str:
    """What numpy calls the kind of a scalar or array: f for floats, M and m for dates and durations, "" for others."""
    return getattr(getattr(value, "dtype", None), "kind", "")
