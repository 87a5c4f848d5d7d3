"""Positions and rotations."""

from attrs import frozen

from kognic_aio._validation.fields import Validated, with_converters


@frozen(kw_only=True, field_transformer=with_converters)
class Position(Validated):
    """A point.

    Args:
        x, y, z: In metres.
    """

    x: float
    y: float
    z: float


@frozen(kw_only=True, field_transformer=with_converters)
class RotationQuaternion(Validated):
    """A rotation as a unit quaternion: scenes and calibrations refuse one whose length is not 1, within 0.1.

    Args:
        w: The scalar part.
        x, y, z: The vector part.
    """

    w: float
    x: float
    y: float
    z: float
