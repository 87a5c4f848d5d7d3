"""Positions and rotations, and where the vehicle was: poses and IMU data, which map from the ego vehicle to the world.

The ego vehicle's coordinate system is the reference coordinate system, into which calibrations map the sensors. The
world is a local coordinate system that does not move while the scene lasts.
"""

from typing import Annotated, TypeAlias

from attrs import frozen

from kognic_aio._validation.fields import Validated, with_converters

UnixTimestampNs: TypeAlias = Annotated[int, "nanoseconds"]
"""A Unix timestamp in nanoseconds."""


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


@frozen(kw_only=True, field_transformer=with_converters)
class IMUData(Validated):
    """One reading of the inertial measurement unit. Those of a scene must span the timestamps of all its frames.

    Args:
        position: Where the vehicle is in the world (ego to world), in metres.
        rotation_quaternion: How the vehicle is turned in the world (ego to world), as a unit quaternion.
        timestamp: When it was read, in nanoseconds of Unix time.
    """

    position: Position
    rotation_quaternion: RotationQuaternion
    timestamp: UnixTimestampNs


@frozen(kw_only=True, field_transformer=with_converters)
class EgoVehiclePose(Validated):
    """The pose of the vehicle at one frame: it maps from the ego vehicle to the world.

    Args:
        position: Where the vehicle is in the world (ego to world), in metres.
        rotation: How the vehicle is turned in the world (ego to world), as a unit quaternion.
    """

    position: Position
    rotation: RotationQuaternion
