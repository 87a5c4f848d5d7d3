"""The seven scene types, each with its frame."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.model.base_scene import BaseFrame, BaseScene, BaseSceneWithIMUData, SequenceFrame
from kognic_aio.model.ego import EgoVehiclePose, UnixTimestampNs
from kognic_aio.model.resource import Image, PointCloud


@frozen(kw_only=True, field_transformer=with_converters)
class SensorSpecification(Validated):
    """How sensors are shown.

    Args:
        sensor_to_pretty_name: A readable name for the name of each sensor.
        sensor_order: The names of the sensors in the order to show them.
    """

    sensor_to_pretty_name: Mapping[str, str] | None = None
    sensor_order: Sequence[str] | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class CameraSettings(Validated):
    """The size of a camera's images.

    Args:
        width, height: In pixels.
    """

    width: int
    height: int


@frozen(kw_only=True, field_transformer=with_converters)
class Cameras(BaseScene):
    """Images of one moment.

    Args:
        frame: The one frame.
        sensor_specification: How the sensors are shown.
        calibration_id: The calibration of the scene's cameras, if they are calibrated.
    """

    path = "cameras"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The images of a scene.

        Args:
            images: 1 to 9 images.
        """

        images: Sequence[Image]

    frame: Frame
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class CamerasSequence(BaseSceneWithIMUData):
    """Images of several moments.

    Poses and IMU data are of the coordinate system that the calibration maps the cameras into.

    Args:
        frames: The frames, in the order of their times.
        sensor_specification: How the sensors are shown.
        calibration_id: The calibration of the scene's cameras, if they are calibrated.
    """

    path = "cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The images of one moment.

        Args:
            images: 1 to 9 images.
            ego_vehicle_pose: Where the vehicle was at this frame (ego to world).
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class Lidars(BaseSceneWithIMUData):
    """Point clouds of one moment.

    Args:
        frame: The one frame.
    """

    path = "lidars"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The point clouds of a scene.

        Args:
            point_clouds: 1 to 20 point clouds.
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        point_clouds: Sequence[PointCloud]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsSequence(BaseSceneWithIMUData):
    """Point clouds of several moments.

    Args:
        frames: The frames, in the order of their times.
    """

    path = "lidars-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The point clouds of one moment.

        Args:
            point_clouds: 1 to 20 point clouds.
            ego_vehicle_pose: Where the vehicle was at this frame (ego to world).
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        point_clouds: Sequence[PointCloud]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsAndCameras(BaseSceneWithIMUData):
    """Point clouds and images of one moment.

    Args:
        frame: The one frame.
        calibration_id: The calibration of the scene's sensors, by the names that its files give them.
        sensor_specification: How the sensors are shown.
    """

    path = "lidars-and-cameras"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The point clouds and images of a scene.

        Args:
            point_clouds: 1 to 20 point clouds.
            images: 1 to 9 images.
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Point clouds and images of several moments.

    Args:
        frames: The frames, in the order of their times.
        calibration_id: The calibration of the scene's sensors, by the names that its files give them.
        sensor_specification: How the sensors are shown.
    """

    path = "lidars-and-cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The point clouds and images of one moment.

        Args:
            point_clouds: 1 to 20 point clouds.
            images: 1 to 9 images.
            ego_vehicle_pose: Where the vehicle was at this frame (ego to world).
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class AggregatedLidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Images of several moments, with point clouds that are aggregated over all of them.

    Args:
        frames: The frames, in the order of their times.
        calibration_id: The calibration of the scene's sensors, by the names that its files give them.
        sensor_specification: How the sensors are shown.
    """

    path = "aggregated-lidars-and-cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The images of one moment, and the point clouds that were recorded with them.

        Args:
            point_clouds: 1 to 20 point clouds. Later frames than the first may do without.
            images: 1 to 9 images.
            ego_vehicle_pose: Where the vehicle was at this frame (ego to world).
            unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
        """

        optional = ("point_clouds",)

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.frames[0].point_clouds:
            raise self._invalid("frames[0].point_clouds", "the first frame needs at least one, got none")
