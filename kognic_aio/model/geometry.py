"""Positions and rotations."""

from attrs import frozen

from kognic_aio.model._checks import Checked


@frozen(kw_only=True)
class Position(Checked):
    """A point in metres."""

    x: float
    y: float
    z: float


@frozen(kw_only=True)
class RotationQuaternion(Checked):
    """A rotation as a unit quaternion."""

    w: float
    x: float
    y: float
    z: float
