"""Scenes in the newer form of `client.scene.create_scene`: of any sensors, from local files or from your own cloud."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import field, fields, frozen

from kognic_aio._validation.converters import instance_of, optional, path_text
from kognic_aio._validation.fields import Validated, from_mapping, with_converters
from kognic_aio.model import geometry, resource
from kognic_aio.model._fitting import Moment, Problems, time_problems
from kognic_aio.model.geometry import Position, RotationQuaternion, UnixTimestampNs
from kognic_aio.model.metadata import Metadata, optional_metadata
from kognic_aio.model.resource import GivenBytes, content_type_of
from kognic_aio.model.scene import SensorSpecification


def _leave_out(model: Validated, *names: str) -> None:
    """Replace empty fields by None, which is not sent."""
    for name in names:
        if not getattr(model, name):
            object.__setattr__(model, name, None)


@frozen(kw_only=True, eq=False, repr=False, field_transformer=with_converters)
class LocalFile(GivenBytes):
    """A file to upload: the local file `filename`, or the bytes of `data` or `callback` under that name.

    Args:
        filename: Path of a local file, as text or as an `os.PathLike`, or a name.

    Raises:
        InvalidError: If there are both data and callback, or the data is text or empty.
    """

    filename: str = field(converter=path_text)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.filename:
            raise self._invalid("filename", "expected the path of a file, got ''")

    @property
    def client_filename(self) -> str:
        """The filename."""
        return self.filename

    @property
    def content_type(self) -> str:
        """The Content-Type to upload with."""
        return content_type_of(self.filename)

    @property
    def file_data(self) -> GivenBytes | None:
        """Where the bytes come from, None for a local file."""
        return None if self.data is None and self.callback is None else self

    def __repr__(self) -> str:
        return f"LocalFile(filename={self.filename!r})"


@frozen(kw_only=True, field_transformer=with_converters)
class Resource(Validated):
    """A file of the scene: one to upload, or one in a cloud that the platform can read.

    Args:
        external_resource_uri: Where the file is in your cloud, such as `s3://bucket/front.jpg`.
        local_file: The file to upload.

    Raises:
        InvalidError: If both are passed, or neither.
    """

    external_resource_uri: str | None = None
    local_file: LocalFile | None = None

    def __attrs_post_init__(self) -> None:
        _leave_out(self, "external_resource_uri")
        if bool(self.external_resource_uri) == bool(self.local_file):
            raise self._invalid("local_file", "pass exactly one of external_resource_uri and local_file")


@frozen(kw_only=True, field_transformer=with_converters)
class SensorResource(Resource):
    """A file that a sensor recorded.

    Args:
        sensor_name: The sensor, as its calibration names it.
    """

    sensor_name: str


@frozen(kw_only=True, field_transformer=with_converters)
class ImageResource(SensorResource):
    """An image.

    Args:
        start_shutter_timestamp_ns, end_shutter_timestamp_ns: When the exposure began and ended, in nanoseconds of Unix
            time.
        reversed_shutter: Whether a rolling shutter scanned from bottom to top, exposing the first row last.

    Raises:
        InvalidError: If only one of the timestamps is passed, or the shutter does not end after it starts.
    """

    start_shutter_timestamp_ns: UnixTimestampNs | None = None
    end_shutter_timestamp_ns: UnixTimestampNs | None = None
    reversed_shutter: bool | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        start, end = self.start_shutter_timestamp_ns, self.end_shutter_timestamp_ns
        if (start is None) != (end is None):
            raise self._invalid("end_shutter_timestamp_ns", "pass both shutter timestamps, or neither")
        if start is not None and end is not None and start >= end:
            raise self._invalid("end_shutter_timestamp_ns", f"{end} is not after start_shutter_timestamp_ns, {start}")
        if self.reversed_shutter is not None and start is None:
            raise self._invalid("reversed_shutter", "needs both shutter timestamps")


@frozen(kw_only=True, field_transformer=with_converters)
class EgoVehiclePose(Validated):
    """The flat pose of the vehicle at one frame: it maps from the ego vehicle to the world.

    Args:
        x, y, z: Where the vehicle is in the world (ego to world), in metres.
        rotation_x, rotation_y, rotation_z: The vector part of a unit quaternion (ego to world).
        rotation_w: The scalar part of the quaternion.
    """

    x: float
    y: float
    z: float
    rotation_x: float
    rotation_y: float
    rotation_z: float
    rotation_w: float

    def to_pose(self) -> geometry.EgoVehiclePose:
        """The nested form of the pose."""
        rotation = RotationQuaternion(w=self.rotation_w, x=self.rotation_x, y=self.rotation_y, z=self.rotation_z)
        return geometry.EgoVehiclePose(position=Position(x=self.x, y=self.y, z=self.z), rotation=rotation)


Uploadable: TypeAlias = resource.Resource | LocalFile
"""A file to upload, of either form of scenes."""

Pose: TypeAlias = EgoVehiclePose | geometry.EgoVehiclePose | Mapping[str, Any]
"""A pose, flat or nested, or the mapping of its arguments."""


def _pose(given: Pose | None) -> geometry.EgoVehiclePose | None:
    """The pose in the platform's form."""
    if isinstance(given, Mapping):
        is_flat = not given.keys() & {each.alias for each in fields(geometry.EgoVehiclePose)}
        given = from_mapping(EgoVehiclePose, given) if is_flat else from_mapping(geometry.EgoVehiclePose, given)
    if isinstance(given, EgoVehiclePose):
        return given.to_pose()
    return _optional_pose(given)


_optional_pose = optional(instance_of(geometry.EgoVehiclePose))


@frozen(kw_only=True, field_transformer=with_converters)
class Frame(Validated):
    """The images and point clouds of one moment.

    Args:
        frame_id: Its id, unique within the scene.
        timestamp_ns: Its time, in nanoseconds of Unix time.
        images: At least one.
        pointclouds: Those that were recorded with the images.
        ego_vehicle_pose: For frames with point clouds: the pose of the vehicle, which maps from the ego vehicle to the
            world. Flat (this module's) or nested (geometry's); stored as nested.
        metadata: Flat pairs of names and values; those that are None are left out.

    Raises:
        InvalidError: If there is no image, or a pose without point clouds.
    """

    frame_id: str
    timestamp_ns: UnixTimestampNs
    images: Sequence[ImageResource]
    pointclouds: Sequence[SensorResource] | None = None
    ego_vehicle_pose: geometry.EgoVehiclePose | None = field(default=None, converter=_pose)
    metadata: Metadata | None = field(default=None, converter=optional_metadata)

    def __attrs_post_init__(self) -> None:
        _leave_out(self, "pointclouds")
        if not self.images:
            raise self._invalid("images", "a frame needs at least one, got none")
        if self.pointclouds is None and self.ego_vehicle_pose is not None:
            raise self._invalid("ego_vehicle_pose", "is for frames with pointclouds, this one has none")

    def moment(self, place: str) -> Moment:
        """The times and the rotation of the frame."""
        shutters = [
            (f"{place}.images[{i}].start_shutter_timestamp_ns", start, end)
            for i, image in enumerate(self.images)
            for start, end in [(image.start_shutter_timestamp_ns, image.end_shutter_timestamp_ns)]
            if start is not None and end is not None
        ]
        rotation = None if self.ego_vehicle_pose is None else self.ego_vehicle_pose.rotation
        time = self.timestamp_ns
        return Moment(place=place, unix=time, unix_name="timestamp_ns", rotation=rotation, shutters=shutters)


@frozen(kw_only=True, field_transformer=with_converters)
class SceneRequest(Validated):
    """A scene to create.

    Args:
        workspace_id: The workspace to create it in, such as `client.workspace_id`.
        external_id: Your own id of the scene.
        frames: At least one, in chronological order.
        sensor_specification: How the sensors are shown.
        calibration_id: The calibration of the scene's sensors, which has all of their names.
        metadata: Flat pairs of names and values; those that are None are left out.
        imudata_resource: IMU data as a JSON file, in the form of `IMUData`: ego to world, metres, unit quaternions and
            nanoseconds of Unix time.
        should_motion_compensate: Whether to move points to where they were at the time of their frame. By default the
            platform decides.
        postpone_external_resource_import: Whether to index the scene only, and leave the files in your cloud until
            `client.scene.import_indexed_scene`.

    Raises:
        InvalidError: If there is no frame, or two files have one name; or if times or rotations cannot be in the
            expected units, by the rules of `model._fitting`.
    """

    workspace_id: str
    external_id: str
    frames: Sequence[Frame]
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None
    metadata: Metadata | None = field(default=None, converter=optional_metadata)
    imudata_resource: Resource | None = None
    should_motion_compensate: bool | None = None
    postpone_external_resource_import: bool | None = None

    def get_files(self) -> Mapping[str, LocalFile]:
        """Every file to upload, by its filename."""
        return {file.filename: file for file in self._local_files()}

    def _local_files(self) -> Iterator[LocalFile]:
        resources: list[Resource | None] = [self.imudata_resource]
        for frame in self.frames:
            resources += [*frame.images, *(frame.pointclouds or ())]
        for each in resources:
            if each is not None and each.local_file is not None:
                yield each.local_file

    def __attrs_post_init__(self) -> None:
        _leave_out(self, "calibration_id")
        self._refuse(self._problems())

    def _problems(self) -> Problems:
        if not self.frames:
            yield "frames", f"scene {self.external_id!r} needs at least one frame, got none"
        yield from time_problems([frame.moment(f"frames[{i}]") for i, frame in enumerate(self.frames)])
        seen: dict[str, LocalFile] = {}
        for file in self._local_files():
            other = seen.setdefault(file.filename, file)
            if other is not file and not (other.file_data is None and file.file_data is None):
                yield "frames", f"two files of scene {self.external_id!r} have the name {file.filename!r}"
