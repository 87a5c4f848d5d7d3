"""The seven scene types with their frames, their base classes, and the optional features of their creation."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from itertools import pairwise
from typing import Annotated, ClassVar

from attrs import field, frozen

from kognic_aio._validation.converters import argument, member_of
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.model._fitting import Moment, Problems, file_problems, time_problems
from kognic_aio.model.geometry import EgoVehiclePose, IMUData, UnixTimestampNs
from kognic_aio.model.metadata import Metadata, flat_metadata
from kognic_aio.model.resource import Image, PointCloud, Resource


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
class BaseFrame(Validated):
    """The files that were recorded at one moment.

    Args of frames that have them:
        images: 1 to 9 images.
        point_clouds: 1 to 20 point clouds.
        ego_vehicle_pose: Where the vehicle was at this frame (ego to world).
        unix_timestamp: When the frame was recorded, in nanoseconds of Unix time.
    """

    optional: ClassVar[tuple[str, ...]] = ()
    """The kinds of files that a frame of this type may do without."""

    @property
    def files(self) -> Iterator[Resource]:
        """The images and point clouds of the frame, images first."""
        # A frame class declares only what its scene type has. Declared here, images would be arguments of lidar frames.
        yield from getattr(self, "images", ())
        yield from getattr(self, "point_clouds", ())

    def moment(self, place: str) -> Moment:
        """The times and the rotation of the frame; `place` is its path in the scene."""
        images: Sequence[Image] = getattr(self, "images", ())
        pose: EgoVehiclePose | None = getattr(self, "ego_vehicle_pose", None)
        return Moment(
            place=place,
            unix=getattr(self, "unix_timestamp", None),
            relative=getattr(self, "relative_timestamp", None),
            rotation=None if pose is None else pose.rotation,
            shutters=[
                (f"{place}.images[{i}].metadata.shutter_time_start_ns", start, end)
                for i, shutter in enumerate(image.metadata for image in images)
                if shutter is not None
                for start, end in [(shutter.shutter_time_start_ns, shutter.shutter_time_end_ns)]
            ],
        )

    def __attrs_post_init__(self) -> None:
        for name in ("images", "point_clouds"):
            if name not in self.optional and not getattr(self, name, (None,)):
                raise self._invalid(name, "a frame needs at least one, got none")


@frozen(kw_only=True, field_transformer=with_converters)
class SequenceFrame(BaseFrame):
    """A frame of a sequence.

    Args:
        frame_id: Its id, unique within the scene.
        relative_timestamp: Its time, in milliseconds since the start of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.
    """

    frame_id: str
    relative_timestamp: Annotated[int, "milliseconds"]
    metadata: Metadata = field(factory=dict, converter=flat_metadata)


@frozen(kw_only=True, field_transformer=with_converters)
class BaseScene(Validated):
    """Base of all scene types.

    Args:
        external_id: Your own id of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.

    Args of scenes that have them:
        frame: The one frame.
        frames: The frames, in chronological order.
        sensor_specification: How the sensors are shown.
        calibration_id: The id of the calibration, whose sensors have the same names as those of the files.

    Raises:
        InvalidError: If an argument is invalid, for example if there are no frames, or two files have one resource id;
            or if times or rotations cannot be in the expected units, by the rules of `model._fitting`.
    """

    path: ClassVar[str]
    """The scene type in the platform's URLs."""

    external_id: str
    metadata: Metadata = field(factory=dict, converter=flat_metadata)

    @property
    def all_frames(self) -> Sequence[BaseFrame]:
        """The frames of a sequence, or the one frame."""
        frame: BaseFrame | None = getattr(self, "frame", None)
        frames: Sequence[BaseFrame] = getattr(self, "frames", ())
        return frames if frame is None else (frame,)

    @property
    def resources(self) -> Mapping[str, Resource]:
        """Every image and point cloud by its resource id."""
        return {file.resource_id: file for frame in self.all_frames for file in frame.files}

    def __attrs_post_init__(self) -> None:
        self._refuse(self._problems())

    def _problems(self) -> Problems:
        frames = self.all_frames
        if not self.external_id:
            yield "external_id", "must not be empty"
        if not frames:
            yield "frames", f"scene {self.external_id!r} needs at least one frame, got none"
        ids = sorted(frame.frame_id for frame in frames if isinstance(frame, SequenceFrame))
        if twice := next((a for a, b in pairwise(ids) if a == b), None):
            yield "frames", f"frame_id {twice!r} is used twice in scene {self.external_id!r}"
        yield from file_problems(self.external_id, (file for frame in frames for file in frame.files))
        places = ["frame"] if hasattr(self, "frame") else [f"frames[{i}]" for i in range(len(frames))]
        moments = [frame.moment(place) for frame, place in zip(frames, places, strict=True)]
        yield from time_problems(moments, getattr(self, "imu_data", ()))


@frozen(kw_only=True, field_transformer=with_converters)
class BaseSceneWithIMUData(BaseScene):
    """A scene that may have IMU data, which says how its vehicle moved.

    Args:
        imu_data: Readings that span the `unix_timestamp` of every frame (ego to world).
    """

    imu_data: Sequence[IMUData] = ()


@frozen(kw_only=True, field_transformer=with_converters)
class Cameras(BaseScene):
    """Images of one moment."""

    path = "cameras"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The images of a scene."""

        images: Sequence[Image]

    frame: Frame
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class CamerasSequence(BaseSceneWithIMUData):
    """Images of several moments.

    Poses and IMU data say where the reference coordinate system of the calibration is in the world.
    """

    path = "cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The images of one moment."""

        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class Lidars(BaseSceneWithIMUData):
    """Point clouds of one moment."""

    path = "lidars"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The point clouds of a scene."""

        point_clouds: Sequence[PointCloud]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsSequence(BaseSceneWithIMUData):
    """Point clouds of several moments."""

    path = "lidars-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The point clouds of one moment."""

        point_clouds: Sequence[PointCloud]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsAndCameras(BaseSceneWithIMUData):
    """Point clouds and images of one moment."""

    path = "lidars-and-cameras"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(BaseFrame):
        """The point clouds and images of a scene."""

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class LidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Point clouds and images of several moments."""

    path = "lidars-and-cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The point clouds and images of one moment."""

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class AggregatedLidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Images of several moments, with point clouds that are aggregated over all of them."""

    path = "aggregated-lidars-and-cameras-sequence"

    @frozen(kw_only=True, field_transformer=with_converters)
    class Frame(SequenceFrame):
        """The images of one moment, and the point clouds that were recorded with them.

        Args:
            point_clouds: 1 to 20 point clouds. Later frames than the first may do without.
        """

        optional = ("point_clouds",)

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None

    def _problems(self) -> Problems:
        yield from super()._problems()
        if self.frames and not self.frames[0].point_clouds:
            yield "frames[0].point_clouds", "the first frame needs at least one, got none"


@frozen(init=False)
class FeatureFlags:
    """The features that are on; all others are off.

    Args:
        flags: The features to turn on; `FeatureFlags()` turns all off. Where none are given, `FeatureFlags.defaults()`
            applies.

    Raises:
        InvalidError: If one is not a feature.
    """

    class PointCloudFeatures(Enum):
        """Features for point clouds.

        Motion compensation moves points to their position at the `unix_timestamp` of their frame, or else at the
        median of their own times. IMU data must then span the times of all points.
        """

        MOTION_COMPENSATION = "shouldMotionCompensate"

    flags: frozenset[PointCloudFeatures]

    def __init__(self, *flags: PointCloudFeatures) -> None:
        feature = member_of(self.PointCloudFeatures)
        object.__setattr__(self, "flags", frozenset(argument("FeatureFlags", flag, feature) for flag in flags))

    @classmethod
    def defaults(cls) -> "FeatureFlags":
        """Motion compensation on."""
        return cls(cls.PointCloudFeatures.MOTION_COMPENSATION)

    def to_dict(self) -> dict[str, bool]:
        """Every known feature and whether it is on."""
        return {feature.value: feature in self.flags for feature in self.PointCloudFeatures}
