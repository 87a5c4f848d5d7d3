"""Enums of the platform, which may grow."""

from enum import StrEnum


class OpenEnum(StrEnum):
    """An enum that takes values it does not know, so that a new status does not break the answer it stands in."""

    @classmethod
    def _missing_(cls, value: object) -> "OpenEnum | None":
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member
