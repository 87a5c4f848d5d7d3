"""The seven scene types, with their frames."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from attrs import field, frozen

from kognic_aio.model._checks import Checked
from kognic_aio.model._units import Moment, misfits
from kognic_aio.model.ego import EgoVehiclePose, IMUData, UnixTimestampNs
from kognic_aio.model.metadata import Metadata, flat_metadata
from kognic_aio.model.resource import Image, PointCloud, Resource


@frozen(kw_only=True)
class SensorSpecification(Checked):
    """How sensors are shown.

    Args:
        sensor_to_pretty_name: A readable name for a sensor's name.
        sensor_order: The names of the sensors in the order to show them.
    """

    sensor_to_pretty_name: Mapping[str, str] | None = None
    sensor_order: Sequence[str] | None = None


@frozen(kw_only=True)
class CameraSettings(Checked):
    """The size of a camera's images, in pixels."""

    width: int
    height: int


@frozen(kw_only=True)
class BaseFrame(Checked):
    """The files that were recorded at one moment."""

    optional: ClassVar[tuple[str, ...]] = ()
    """The kinds of files that a frame of this type may do without."""

    @property
    def files(self) -> Iterator[Resource]:
        """The images and point clouds of the frame, images first."""
        yield from getattr(self, "images", ())
        yield from getattr(self, "point_clouds", ())

    def _check(self) -> None:
        for name in ("images", "point_clouds"):
            if name not in self.optional and not getattr(self, name, (None,)):
                raise self._wrong(name, "a frame needs at least one, got none")


@frozen(kw_only=True)
class SequenceFrame(BaseFrame):
    """A frame of a sequence.

    Args:
        frame_id: Its id, unique within the scene.
        relative_timestamp: Its time in milliseconds since the start of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.
    """

    frame_id: str
    relative_timestamp: Annotated[int, "milliseconds"]
    metadata: Metadata = field(factory=dict, converter=flat_metadata)


@frozen(kw_only=True)
class BaseScene(Checked):
    """What all scene types share.

    Args:
        external_id: The caller's own id of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.

    Raises:
        InvalidError: If something is wrong in itself, as a scene without frames, or two files under one resource id;
            or if times or rotations cannot be in the units that are expected, by the rules of `model._units`.
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

    def _check(self) -> None:
        if not self.external_id:
            raise self._wrong("external_id", "must not be empty")
        if not self.all_frames:
            raise self._wrong("frames", f"scene {self.external_id!r} needs at least one frame, got none")
        self._check_frame_ids()
        self._check_resource_ids()
        self._check_sources()
        self._check_units()

    def _check_frame_ids(self) -> None:
        ids = sorted(frame.frame_id for frame in self.all_frames if isinstance(frame, SequenceFrame))
        if twice := next((a for a, b in pairwise(ids) if a == b), None):
            raise self._wrong("frames", f"frame_id {twice!r} is used twice in scene {self.external_id!r}")

    def _check_resource_ids(self) -> None:
        """One object is stored for a resource id: two different files under it would lose one of them."""
        seen: dict[str, Resource] = {}
        for frame in self.all_frames:
            for file in frame.files:
                other = seen.setdefault(file.resource_id, file)
                if other is not file and not _same_source(file, other):
                    problem = f"resource_id {file.resource_id!r} stands for two files in scene {self.external_id!r}"
                    raise self._wrong("resources", f"{problem}: {other.filename!r} and {file.filename!r}")

    def _check_sources(self) -> None:
        """A stream or generator gives its bytes once: two files would each get half of them."""
        seen: dict[int, Resource] = {}
        for file in self.resources.values():
            data = None if file.file_data is None else file.file_data.data
            if data is None or isinstance(data, bytes | bytearray | memoryview):
                continue
            other = seen.setdefault(id(data), file)
            if other is not file:
                problem = f"{other.filename!r} and {file.filename!r} of scene {self.external_id!r} share one source"
                raise self._wrong("resources", f"{problem}; give each its own, or a callback that opens it")

    def _check_units(self) -> None:
        is_sequence = not hasattr(self, "frame")
        moments = [
            _moment(frame, f"frames[{i}]" if is_sequence else "frame") for i, frame in enumerate(self.all_frames)
        ]
        for place, problem in misfits(moments, getattr(self, "imu_data", ())):
            raise self._wrong(place, problem)


def _moment(frame: BaseFrame, place: str) -> Moment:
    """What a frame says of its time."""
    images: Sequence[Image] = getattr(frame, "images", ())
    pose: EgoVehiclePose | None = getattr(frame, "ego_vehicle_pose", None)
    return Moment(
        place=place,
        unix=getattr(frame, "unix_timestamp", None),
        relative=getattr(frame, "relative_timestamp", None),
        rotation=None if pose is None else pose.rotation,
        shutters=[
            (f"{place}.images[{i}].metadata.shutter_time_start_ns", shutter.shutter_time_start_ns, end)
            for i, shutter in enumerate(image.metadata for image in images)
            if shutter is not None
            for end in (shutter.shutter_time_end_ns,)
        ],
    )


def _same_source(a: Resource, b: Resource) -> bool:
    if a.filename != b.filename:
        return False
    if a.file_data is None or b.file_data is None:
        return a.file_data is b.file_data
    same_bytes = isinstance(a.file_data.data, bytes) and a.file_data.data == b.file_data.data
    return same_bytes or a.file_data is b.file_data


@frozen(kw_only=True)
class BaseSceneWithIMUData(BaseScene):
    """A scene whose vehicle's movement may be given by IMU data.

    Args:
        imu_data: Readings that span the `unix_timestamp` of every frame.
    """

    imu_data: Sequence[IMUData] = ()


@frozen(kw_only=True)
class Cameras(BaseScene):
    """Images of one moment.

    Args:
        calibration_id: The calibration of the scene's cameras, if they are calibrated.
    """

    path = "cameras"

    @frozen(kw_only=True)
    class Frame(BaseFrame):
        """1 to 9 images."""

        images: Sequence[Image]

    frame: Frame
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True)
class CamerasSequence(BaseSceneWithIMUData):
    """Images of several moments.

    Poses and IMU data are in the frame of reference that the cameras' calibration maps into.

    Args:
        calibration_id: The calibration of the scene's cameras, if they are calibrated.
    """

    path = "cameras-sequence"

    @frozen(kw_only=True)
    class Frame(SequenceFrame):
        """1 to 9 images."""

        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None


@frozen(kw_only=True)
class Lidars(BaseSceneWithIMUData):
    """Point clouds of one moment."""

    path = "lidars"

    @frozen(kw_only=True)
    class Frame(BaseFrame):
        """1 to 20 point clouds."""

        point_clouds: Sequence[PointCloud]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame


@frozen(kw_only=True)
class LidarsSequence(BaseSceneWithIMUData):
    """Point clouds of several moments."""

    path = "lidars-sequence"

    @frozen(kw_only=True)
    class Frame(SequenceFrame):
        """1 to 20 point clouds."""

        point_clouds: Sequence[PointCloud]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]


@frozen(kw_only=True)
class LidarsAndCameras(BaseSceneWithIMUData):
    """Point clouds and images of one moment.

    Args:
        calibration_id: The calibration of the scene's sensors.
    """

    path = "lidars-and-cameras"

    @frozen(kw_only=True)
    class Frame(BaseFrame):
        """1 to 20 point clouds and 1 to 9 images."""

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        unix_timestamp: UnixTimestampNs | None = None

    frame: Frame
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True)
class LidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Point clouds and images of several moments.

    Args:
        calibration_id: The calibration of the scene's sensors.
    """

    path = "lidars-and-cameras-sequence"

    @frozen(kw_only=True)
    class Frame(SequenceFrame):
        """1 to 20 point clouds and 1 to 9 images."""

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose | None = None
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None


@frozen(kw_only=True)
class AggregatedLidarsAndCamerasSequence(BaseSceneWithIMUData):
    """Images of several moments, with point clouds that are aggregated over all of them.

    Args:
        calibration_id: The calibration of the scene's sensors.
    """

    path = "aggregated-lidars-and-cameras-sequence"

    @frozen(kw_only=True)
    class Frame(SequenceFrame):
        """1 to 9 images and 1 to 20 point clouds; later frames than the first may do without point clouds."""

        optional = ("point_clouds",)

        point_clouds: Sequence[PointCloud]
        images: Sequence[Image]
        ego_vehicle_pose: EgoVehiclePose
        unix_timestamp: UnixTimestampNs | None = None

    frames: Sequence[Frame]
    calibration_id: str
    sensor_specification: SensorSpecification | None = None

    def _check(self) -> None:
        super()._check()
        if not self.frames[0].point_clouds:
            raise self._wrong("frames[0].point_clouds", "the first frame needs at least one, got none")
