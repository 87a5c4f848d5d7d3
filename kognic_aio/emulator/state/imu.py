"""IMU data, validated before the scene that it belongs to is created."""

from collections.abc import Mapping

import attrs

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_position, check_rotation


@attrs.frozen(kw_only=True)
class Imu:
    """The IMU data of one scene: where it is stored, and the time it spans in nanoseconds."""

    resource_id: str
    start: int
    end: int

    def fault_of_times(self, unix_timestamps: Mapping[str, int]) -> str | None:
        """What is wrong if not every frame lies within the data, or None.

        Args:
            unix_timestamps: nanoseconds of each frame, by path in the scene's body.
        """
        for path, timestamp in unix_timestamps.items():
            if not self.start <= timestamp <= self.end:
                return f"{path} {timestamp} is outside the IMU data, which spans {self.start} to {self.end}"
        return None


def read_imu(data: Body, resource_id: str) -> Imu:
    """Check a list of IMU data.

    Raises:
        BadRequestError: it is empty, or an item is not a position, a rotation and a time.
    """
    timestamps: list[int] = []
    for item in data.items(least=1):
        fields = item.fields(("position", "rotationQuaternion", "timestamp"))
        check_position(fields["position"])
        check_rotation(fields["rotationQuaternion"])
        timestamps.append(fields["timestamp"].integer())
    return Imu(resource_id=resource_id, start=min(timestamps), end=max(timestamps))
