"""IMU data, validated before the scene that it belongs to is created."""

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_position, check_rotation


@attrs.frozen(kw_only=True)
class Imu:
    """The IMU data of one scene: where it is stored, and the time it spans in nanoseconds."""

    resource_id: str
    start: int
    end: int

    def check_spans(self, unix_timestamps: dict[str, int]) -> None:
        """Check that every frame lies within the data.

        Args:
            unix_timestamps: nanoseconds of each frame, by path in the scene's body.

        Raises:
            BadRequestError: one lies outside.
        """
        for path, timestamp in unix_timestamps.items():
            if not self.start <= timestamp <= self.end:
                raise BadRequestError(
                    f"{path} {timestamp} is outside the IMU data, which spans {self.start} to {self.end}"
                )


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
