"""Where the bytes of a file come from when they are not in the local file that its name says."""

import io
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from enum import StrEnum
from os import PathLike
from pathlib import PurePath
from typing import Any, BinaryIO, Protocol, TypeAlias

from attrs import field, frozen

from kognic_aio._validation.converters import Mismatch, member_of
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.errors import InvalidError

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
class Source(Validated):
    """A source of the bytes of a file: at most one of `data` and `callback`.

    Args:
        data: The bytes themselves, or a binary stream, generator or async generator that gives them.
        callback: Called with the filename when its turn comes, sync or async; returns what `data` takes.
    """

    data: UploadableData | None = field(default=None, converter=_data)
    callback: Callback | None = field(default=None, converter=_callback)

    def __attrs_post_init__(self) -> None:
        if self.data is not None and self.callback is not None:
            raise InvalidError(f"{type(self).__name__}: give exactly one of data and callback, got both")


@frozen(kw_only=True, eq=False, repr=False, field_transformer=with_converters)
class FileData(Source):
    """A source of the bytes of a file: exactly one of `data` and `callback`.

    Bytes, seekable streams and callbacks can be sent again after a failed attempt; generators and other streams only
    once. A stream is closed after its upload.

    Args:
        format: The format of the bytes, such as `jpg`. Its suffix is appended to a filename that lacks it.

    Raises:
        InvalidError: If both or neither source is given, or the data is text or empty.
    """

    Format = FileFormat

    format: FileFormat = field(converter=_format)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.data is None and self.callback is None:
            raise InvalidError("FileData: give exactly one of data and callback, got neither")

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


class Uploadable(Protocol):
    """A file as its upload sees it."""

    @property
    def filename(self) -> str:
        """Path of the local file, if it is one."""

    @property
    def client_filename(self) -> str:
        """The name that its owner gave it."""

    @property
    def content_type(self) -> str:
        """The Content-Type to upload with."""

    @property
    def file_data(self) -> Source | None:
        """Where the bytes come from, None for a local file."""


def bytes_source(data: Any) -> UploadableData:
    """Anything that gives bytes, as it is."""
    if isinstance(data, str | io.TextIOBase):
        raise Mismatch("got text, expected bytes; open files in binary mode ('rb')")
    if isinstance(data, bytes | bytearray | memoryview | Iterator | AsyncIterable) or hasattr(data, "read"):
        return data  # type: ignore[no-any-return]  # whatever it is, it can be read
    hint = ""
    if isinstance(data, PathLike):
        hint = "; a local file is the filename of its image or point cloud, without file_data"
    elif callable(data):
        hint = "; call it, or give it as callback="
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
"""Of the formats that have one. Tables of the machine would make uploads differ from host to host."""


def content_type_of(filename: str) -> str:
    """The Content-Type to upload a file of this name with."""
    return CONTENT_TYPES.get(PurePath(filename).suffix.lower(), "application/octet-stream")
