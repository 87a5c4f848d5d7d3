"""Images and point clouds: the files of a scene."""

from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen

from kognic_aio._validation.converters import path_text
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.model.file_data import FileData, content_type_of
from kognic_aio.model.geometry import UnixTimestampNs

CAMERA_SENSOR_DEFAULT = "CAM"
"""The name of a camera that was not named."""

LIDAR_SENSOR_DEFAULT = "lidar"
"""The name of a lidar that was not named."""


@frozen(kw_only=True, field_transformer=with_converters)
class Resource(Validated):
    """A file of a scene: the local file `filename`, or the bytes of `file_data` under that name.

    Args:
        filename: Path of a local file, as text or as an `os.PathLike`; with `file_data`, a name. `~` stands for the
            home folder.
        resource_id: The file's id within the scene. By default the filename, with every dot but the last replaced by
            `_`.
        sensor_name: The sensor that recorded the file, as its calibration names it.
        file_data: Where the bytes come from, if not from the local file.

    Raises:
        InvalidError: If the filename names no file, or the format is not one that the platform takes.
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    _client_filename: str = field(alias="filename", converter=path_text)
    _resource_id: str | None = field(default=None, alias="resource_id")
    sensor_name: str
    file_data: FileData | None = None
    filename: str = field(init=False, eq=False)
    """The name on the platform: the given one, with the suffix of the data's format if it lacks it."""

    @property
    def client_filename(self) -> str:
        """The name that it was given."""
        return self._client_filename

    @property
    def resource_id(self) -> str:
        """The id within the scene. Storage allows one dot, so the default replaces all but the last."""
        return self._default_resource_id if self._resource_id is None else self._resource_id

    @property
    def is_named_by_filename(self) -> bool:
        """Whether the resource id is made from the filename: it was not given, or is the path of the file itself.

        A given name without a folder is an id of its own, as it stays the same wherever the file is.
        """
        if self._resource_id is None:
            return True
        given = Path(self._resource_id)
        has_folder = given.name != self._resource_id
        return has_folder and given in map(Path, (self.filename, self.client_filename, self._default_resource_id))

    @property
    def _default_resource_id(self) -> str:
        folder, slash, name = self.filename.rpartition("/")
        return folder + slash + name.replace(".", "_", name.count(".") - 1)

    @property
    def content_type(self) -> str:
        """The Content-Type to upload with."""
        return content_type_of(self.filename)

    def __attrs_post_init__(self) -> None:
        path = Path(self.client_filename)
        if self.file_data is None:
            with suppress(RuntimeError):  # a name such as ~draft.jpg, which is no user's home
                path = path.expanduser()
        if not path.name:
            raise self._invalid("filename", f"{self.client_filename!r} names no file")
        if self.file_data is not None and path.suffix != self.file_data.suffix:
            path = path.with_name(path.name + self.file_data.suffix)
        object.__setattr__(self, "filename", str(path))
        if path.suffix.lower() not in self.SUFFIXES:
            kind, expected = type(self).__name__, ", ".join(self.SUFFIXES)
            raise self._invalid("filename", f"wrong format for {kind}: {str(path)!r}, expected one of {expected}")


@frozen(kw_only=True, field_transformer=with_converters)
class ImageMetadata(Validated):
    """When the shutter was open.

    Args:
        shutter_time_start_ns, shutter_time_end_ns: When the exposure began and ended, in nanoseconds of Unix time.
        reversed_shutter: Whether a rolling shutter scanned from bottom to top, exposing the first row last.

    Raises:
        InvalidError: If the shutter ends before it starts.
    """

    shutter_time_start_ns: UnixTimestampNs
    shutter_time_end_ns: UnixTimestampNs
    reversed_shutter: bool | None = None

    def __attrs_post_init__(self) -> None:
        if self.shutter_time_end_ns < self.shutter_time_start_ns:
            problem = f"{self.shutter_time_end_ns} is before shutter_time_start_ns, {self.shutter_time_start_ns}"
            raise self._invalid("shutter_time_end_ns", problem)


@frozen(kw_only=True, field_transformer=with_converters)
class Image(Resource):
    """An image of one camera: png, jpg, jpeg, webp or avif.

    Args:
        sensor_name: The camera, as its calibration names it.
        metadata: When the shutter was open.
    """

    SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")

    sensor_name: str = CAMERA_SENSOR_DEFAULT
    metadata: ImageMetadata | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class PointCloud(Resource):
    """A point cloud of one lidar: pcd, csv, las or laz. Points are in metres, in the lidar's coordinate system.

    Args:
        sensor_name: The lidar, as its calibration names it.
    """

    SUFFIXES = (".pcd", ".csv", ".las", ".laz")

    sensor_name: str = LIDAR_SENSOR_DEFAULT
