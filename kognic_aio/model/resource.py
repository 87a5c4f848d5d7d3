"""The files of a scene: images and point clouds, and where their bytes come from if not from a local file."""

import io
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from os import PathLike
from pathlib import Path, PurePath
from typing import Any, BinaryIO, ClassVar, TypeAlias

from attrs import field, frozen

from kognic_aio._validation.converters import Mismatch, member_of, path_text
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.errors import InvalidError
from kognic_aio.model.geometry import UnixTimestampNs

CAMERA_SENSOR_DEFAULT = "CAM"
"""The name of a camera that was not named."""

LIDAR_SENSOR_DEFAULT = "lidar"
"""The name of a lidar that was not named."""

UploadableData: TypeAlias = bytes | bytearray | memoryview | BinaryIO | Iterator[bytes] | AsyncIterable[bytes]
"""Bytes, a stream that is open in binary mode, a generator of bytes, or an async generator of bytes."""

Callback: TypeAlias = Callable[[str], UploadableData | Awaitable[UploadableData]]
"""Called with the filename when its turn comes; sync callbacks run in a worker thread."""


class FileFormat(StrEnum):
    """The formats of images and point clouds that the platform takes."""

    CSV = "csv"
    LAS = "las"
    LAZ = "laz"
    PCD = "pcd"
    JPG = "jpg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def is_pointcloud(self) -> bool:
        """Whether a point cloud may have this format."""
        return self in (FileFormat.CSV, FileFormat.LAS, FileFormat.LAZ, FileFormat.PCD)

    @property
    def is_image(self) -> bool:
        """Whether an image may have this format."""
        return not self.is_pointcloud


def _format(value: str) -> FileFormat:
    return member_of(FileFormat)(value)


def _data(value: UploadableData | None) -> UploadableData | None:
    if value is not None:
        bytes_source(value)
    if isinstance(value, bytes | bytearray | memoryview) and not value:
        raise Mismatch("it is empty")
    return value


def _callback(value: Callback | None) -> Callback | None:
    if value is None or callable(value):
        return value
    raise Mismatch(f"expected a callable, got {type(value).__name__}")


@frozen(kw_only=True, eq=False, repr=False, field_transformer=with_converters)
class GivenBytes(Validated):
    """Where the bytes of a file come from: at most one of `data` and `callback`.

    Args:
        data: The bytes themselves, at least one, or a binary stream, generator or async generator that yields them.
        callback: Called with the filename when its turn comes, sync or async; returns what `data` takes.
    """

    data: UploadableData | None = field(default=None, converter=_data)
    callback: Callback | None = field(default=None, converter=_callback)

    def __attrs_post_init__(self) -> None:
        if self.data is not None and self.callback is not None:
            raise InvalidError(f"{type(self).__name__}: pass exactly one of data and callback, got both")


@frozen(kw_only=True, eq=False, repr=False, field_transformer=with_converters)
class FileData(GivenBytes):
    """Where the bytes of a file come from: exactly one of `data` and `callback`.

    Generators and streams are read once, and spooled for later attempts. A callback is called anew for each attempt. A
    stream is closed after its upload.

    Args:
        format: The format of the bytes, such as `jpg`. Its suffix is appended to a filename that lacks it.

    Raises:
        InvalidError: If both or neither source is passed, or the data is text or empty.
    """

    Format = FileFormat

    format: FileFormat = field(converter=_format)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.data is None and self.callback is None:
            raise InvalidError("FileData: pass exactly one of data and callback, got neither")

    @property
    def suffix(self) -> str:
        """The file suffix of the format, with its dot."""
        return f".{self.format.value}"

    @property
    def content_type(self) -> str:
        """The Content-Type to upload with."""
        return content_type_of(f"data{self.suffix}")

    def __repr__(self) -> str:
        source = "callback" if self.data is None else type(self.data).__name__
        return f"FileData(format={self.format.value!r}, {source})"


def bytes_source(data: Any) -> UploadableData:
    """Check that data can be read as bytes, and return it unchanged."""
    if isinstance(data, str | io.TextIOBase):
        raise Mismatch("got text, expected bytes; open files in binary mode ('rb')")
    if isinstance(data, bytes | bytearray | memoryview | Iterator | AsyncIterable) or hasattr(data, "read"):
        return data  # type: ignore[no-any-return]  # whatever it is, it can be read
    hint = ""
    if isinstance(data, PathLike):
        hint = "; a local file is the filename of its image or point cloud, without file_data"
    elif callable(data):
        hint = "; call it, or pass it as callback="
    raise Mismatch(f"expected bytes, a binary stream or a generator of bytes, got {type(data).__name__}{hint}")


CONTENT_TYPES = {
    ".avif": "image/avif",
    ".csv": "text/csv",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""Content-Types by suffix. `mimetypes` would make uploads differ from machine to machine."""


def content_type_of(filename: str) -> str:
    """The Content-Type to upload a file of this name with."""
    return CONTENT_TYPES.get(PurePath(filename).suffix.lower(), "application/octet-stream")


@frozen(kw_only=True, field_transformer=with_converters)
class Resource(Validated):
    """A file of a scene: the local file `filename`, or the bytes of `file_data` under that name.

    Args:
        filename: Path of a local file, as text or as an `os.PathLike`; with `file_data`, a name. `~` stands for the
            home folder.
        resource_id: The file's id within the scene. By default the filename, with every dot but the last replaced by
            `_`.
        sensor_name: The camera or lidar that recorded the file, as its calibration names it.
        file_data: Where the bytes come from, if not from the local file.

    Raises:
        InvalidError: If the filename names no file, or the format is not one that the platform takes.
    """

    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    client_filename: str = field(alias="filename", converter=path_text)
    """The name that it was given."""
    _resource_id: str | None = field(default=None, alias="resource_id")
    sensor_name: str
    file_data: FileData | None = None
    filename: str = field(init=False, eq=False)
    """The name on the platform: the given one, with the suffix of the data's format if it lacks it."""

    @property
    def resource_id(self) -> str:
        """The id within the scene. Storage allows one dot, so the default replaces all but the last."""
        return self._default_resource_id if self._resource_id is None else self._resource_id

    @property
    def is_named_by_filename(self) -> bool:
        """Whether the resource id is made from the filename: it was not given, or is the path of the file itself.

        A given name without a folder is an id of its own: it stays the same wherever the file is.
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
        metadata: When the shutter was open.
    """

    SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")

    sensor_name: str = CAMERA_SENSOR_DEFAULT
    metadata: ImageMetadata | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class PointCloud(Resource):
    """A point cloud of one lidar: pcd, csv, las or laz. Points are in metres, in the lidar's coordinate system."""

    SUFFIXES = (".pcd", ".csv", ".las", ".laz")

    sensor_name: str = LIDAR_SENSOR_DEFAULT
