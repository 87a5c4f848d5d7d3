"""Positions and rotations."""

from attrs import frozen

from kognic_aio.model._checks import checked


@frozen(kw_only=True, field_transformer=checked)
class Position:
    """A point in metres."""

    x: float
    y: float
    z: float


@frozen(kw_only=True, field_transformer=checked)
class RotationQuaternion:
    """A rotation as a unit quaternion."""

    w: float
    x: float
    y: float
    z: float
