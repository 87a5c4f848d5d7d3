"""Where the vehicle was: IMU data and ego poses, both in the local coordinate system."""

from typing import Annotated, TypeAlias

from attrs import frozen

from kognic_aio.model._checks import Checked
from kognic_aio.model.geometry import Position, RotationQuaternion

UnixTimestampNs: TypeAlias = Annotated[int, "nanoseconds"]
"""A Unix timestamp in nanoseconds."""


@frozen(kw_only=True)
class IMUData(Checked):
    """One reading of the Inertial Measurement Unit; those of a scene must span the timestamps of its frames."""

    position: Position
    rotation_quaternion: RotationQuaternion
    timestamp: UnixTimestampNs


@frozen(kw_only=True)
class EgoVehiclePose(Checked):
    """The pose of the vehicle at one frame."""

    position: Position
    rotation: RotationQuaternion
