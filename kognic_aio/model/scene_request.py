"""Scenes in the newer form of `client.scene.create_scene`: of any sensors, from local files or from your own cloud."""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from kognic_aio.errors import InvalidError
from kognic_aio.model._checks import Checked
from kognic_aio.model.ego import EgoVehiclePose, UnixTimestampNs
from kognic_aio.model.file_data import Source, content_type_of
from kognic_aio.model.scene import Metadata, SensorSpecification


def _leave_out(model: Checked, *names: str) -> None:
    """Make what is empty None, which is not sent."""
    for name in names:
        if not getattr(model, name):
            object.__setattr__(model, name, None)


@frozen(kw_only=True, eq=False, repr=False)
class LocalFile(Source):
    """A file to upload: the local file `filename`, or the bytes of `data` or `callback` under that name.

    Args:
        filename: Path of a local file, or a name.
        data: The bytes themselves, or a binary stream, generator or async generator that gives them.
        callback: Called with the filename when its turn comes, sync or async; returns what `data` takes.

    Raises:
        InvalidError: If there are both data and callback, or the data is text or empty.
    """

    filename: str

    def __attrs_post_init__(self) -> None:
        Source.__attrs_post_init__(self)
        filename: object = self.filename
        if not isinstance(filename, str) or not filename:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"LocalFile.filename: expected the path of a file as a string, got {self.filename!r}")

    @property
    def client_filename(self) -> str:
        """The filename."""
        return self.filename

    @property
    def content_type(self) -> str:
        """The Content-Type to upload with."""
        return content_type_of(self.filename)

    @property
    def file_data(self) -> Source | None:
        """Where the bytes come from, None for a local file."""
        return None if self.data is None and self.callback is None else self

    def __repr__(self) -> str:
        return f"LocalFile(filename={self.filename!r})"


@frozen(kw_only=True)
class Resource(Checked):
    """A file of the scene: one to upload, or one in a cloud that the platform can read.

    Raises:
        InvalidError: If both are given, or neither.
    """

    external_resource_uri: str | None = None
    local_file: LocalFile | None = None

    def _check(self) -> None:
        _leave_out(self, "external_resource_uri")
        if bool(self.external_resource_uri) == bool(self.local_file):
            raise self._wrong("local_file", "give exactly one of external_resource_uri and local_file")


@frozen(kw_only=True)
class SensorResource(Resource):
    """A file that a sensor recorded."""

    sensor_name: str


@frozen(kw_only=True)
class ImageResource(SensorResource):
    """An image.

    Args:
        start_shutter_timestamp_ns: When the exposure began, in nanoseconds Unix time.
        end_shutter_timestamp_ns: When the exposure ended, in nanoseconds Unix time.
        reversed_shutter: Whether a rolling shutter scanned from bottom to top, exposing the first row last.

    Raises:
        InvalidError: If only one of the timestamps is given, or the shutter does not end after it starts.
    """

    start_shutter_timestamp_ns: UnixTimestampNs | None = None
    end_shutter_timestamp_ns: UnixTimestampNs | None = None
    reversed_shutter: bool | None = None

    def _check(self) -> None:
        Resource._check(self)
        start, end = self.start_shutter_timestamp_ns, self.end_shutter_timestamp_ns
        if (start is None) != (end is None):
            raise self._wrong("end_shutter_timestamp_ns", "give both shutter timestamps, or neither")
        if start is not None and end is not None and start >= end:
            raise self._wrong("end_shutter_timestamp_ns", f"{end} is not after start_shutter_timestamp_ns, {start}")
        if self.reversed_shutter is not None and start is None:
            raise self._wrong("reversed_shutter", "needs both shutter timestamps")


@frozen(kw_only=True)
class Frame(Checked):
    """What was recorded at one moment.

    Args:
        frame_id: Its id, unique within the scene.
        timestamp_ns: Its time, in nanoseconds Unix time.
        images: At least one.
        pointclouds: They need an `ego_vehicle_pose`.
        metadata: Flat pairs of names and values.

    Raises:
        InvalidError: If there is no image, or not both of point clouds and pose.
    """

    frame_id: str
    timestamp_ns: UnixTimestampNs
    images: Sequence[ImageResource]
    pointclouds: Sequence[SensorResource] | None = None
    ego_vehicle_pose: EgoVehiclePose | None = None
    metadata: Metadata | None = None

    def _check(self) -> None:
        _leave_out(self, "pointclouds", "metadata")
        if not self.images:
            raise self._wrong("images", "a frame needs at least one, got none")
        if (self.pointclouds is None) != (self.ego_vehicle_pose is None):
            raise self._wrong("ego_vehicle_pose", "is for frames with pointclouds, which need one")


@frozen(kw_only=True)
class SceneRequest(Checked):
    """A scene to create.

    Args:
        workspace_id: The workspace to create it in, such as `client.workspace_id`.
        external_id: Your own id of the scene.
        frames: At least one.
        metadata: Flat pairs of names and values.
        imudata_resource: IMU data as a JSON file.
        should_motion_compensate: By default the platform's choice.
        postpone_external_resource_import: Whether to index the scene only, and leave the files in your cloud until
            `client.scene.import_indexed_scene`.

    Raises:
        InvalidError: If there is no frame, or two files have one name.
    """

    workspace_id: str
    external_id: str
    frames: Sequence[Frame]
    sensor_specification: SensorSpecification | None = None
    calibration_id: str | None = None
    metadata: Metadata | None = None
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
        for resource in resources:
            if resource is not None and resource.local_file is not None:
                yield resource.local_file

    def _check(self) -> None:
        _leave_out(self, "calibration_id", "metadata")
        if not self.frames:
            raise self._wrong("frames", f"scene {self.external_id!r} needs at least one frame, got none")
        seen: dict[str, LocalFile] = {}
        for file in self._local_files():
            other = seen.setdefault(file.filename, file)
            if other is not file and not (other.file_data is None and file.file_data is None):
                problem = f"{file.filename!r} stands for two files in scene {self.external_id!r}"
                raise self._wrong("frames", problem)
