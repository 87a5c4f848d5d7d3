"""IMU data, which is validated before its scene is created."""

from collections.abc import Mapping

import attrs

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_position, check_rotation


@attrs.frozen(kw_only=True)
class Imu:
    """The IMU data of a scene: its resource id, and the time that it spans in nanoseconds."""

    resource_id: str
    start: int
    end: int

    def fault_of_times(self, unix_timestamps: Mapping[str, int]) -> str | None:
        """The problem if a frame lies outside the data, or None.

        Args:
            unix_timestamps: The timestamps of the frames, in nanoseconds, by their path in the scene's body.
        """
        for path, timestamp in unix_timestamps.items():
            if not self.start <= timestamp <= self.end:
                return f"{path} {timestamp} is outside the IMU data, which spans {self.start} to {self.end}"
        return None


def read_imu(data: Body, resource_id: str) -> Imu:
    """Check a list of IMU data.

    Raises:
        BadRequestError: If it is empty, or an item is not a position, a rotation and a time.
    """
    timestamps: list[int] = []
    for item in data.items(minimum=1):
        fields = item.fields(("position", "rotationQuaternion", "timestamp"))
        check_position(fields["position"])
        check_rotation(fields["rotationQuaternion"])
        timestamps.append(fields["timestamp"].integer())
    return Imu(resource_id=resource_id, start=min(timestamps), end=max(timestamps))
