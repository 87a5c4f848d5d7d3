"""Checks the files of a scene: that they are there, and are what their names say."""

import io
import os
from collections.abc import Iterator
from pathlib import PurePath
from stat import S_ISREG
from typing import BinaryIO

import imagesize
from attrs import frozen

from kognic_aio._regular import open_regular
from kognic_aio.bulk.clouds import Flaw, Times, check_cloud
from kognic_aio.model import FileFormat

MAX_MAGIC = 32
"""Bytes at the beginning of a file that tell its format."""

TRAILER = 1 << 16
"""Bytes at the end of a JPEG among which its end is looked for. Cameras may append something to it."""

SAME = {"jpeg": "jpg"}
"""Suffixes that mean another one."""


@frozen
class Found:
    """What a file was found to be.

    Args:
        flaws: What is wrong with it.
        width, height: Of an image, in pixels; None if they cannot be told.
        times: When the points of a point cloud were recorded, if they were asked for and can be told.
    """

    flaws: tuple[Flaw, ...] = ()
    width: int | None = None
    height: int | None = None
    times: Times | None = None


def check_file(name: str, data: bytes | None = None, *, with_times: bool = False) -> Found:
    """Check an image or a point cloud.

    Args:
        name: The path of the file, or with `data` its name.
        data: Its bytes, if it is not a local file.
        with_times: Whether to read the times of all points.
    """
    if data is not None:
        return _check(io.BytesIO(data), name, len(data), with_times=with_times)
    try:
        status = os.stat(name)  # noqa: PTH116  # pathlib is slower
        if not S_ISREG(status.st_mode):
            return _flawed("no-file", "it is not a file")
        if status.st_size == 0:
            return _flawed("empty-file", "it is empty")
        with open_regular(name) as file:
            return _check(file, name, status.st_size, with_times=with_times)
    except FileNotFoundError:
        return _flawed("missing-file", "it is missing")
    except (OSError, ValueError) as error:
        return _flawed("unreadable-file", str(getattr(error, "strerror", None) or error))


def _flawed(code: str, message: str) -> Found:
    return Found((Flaw(code, message),))


def _check(file: BinaryIO, name: str, size: int, *, with_times: bool) -> Found:
    suffix = PurePath(name).suffix.lower()
    named = SAME.get(suffix.removeprefix("."), suffix.removeprefix("."))
    head = file.read(MAX_MAGIC)
    file.seek(0)
    kind = _format_of(head)
    if named != kind and not (named == "laz" and kind == "las"):
        if kind is not None:
            return _flawed("wrong-format", f"it is named {suffix}, but is {kind}")
        if named != "csv":
            return _flawed("wrong-format", f"it is named {suffix}, but does not begin like one")
    if FileFormat(named).is_pointcloud:
        flaws, times = check_cloud(file, suffix, size, with_times=with_times)
        return Found((*flaws,), times=times)
    return _check_image(file, named, size)


def _format_of(head: bytes) -> str | None:
    """The format of a file that begins with some bytes. CSV has no sign of its own."""
    return next((name for name, is_like in _signs(head) if is_like), None)


def _signs(head: bytes) -> Iterator[tuple[str, bool]]:
    yield "jpg", head.startswith(b"\xff\xd8\xff")
    yield "png", head.startswith(b"\x89PNG\r\n\x1a\n")
    yield "webp", head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    yield "avif", head[4:8] == b"ftyp" and (b"avif" in head[8:] or b"avis" in head[8:])
    yield "las", head.startswith(b"LASF")
    yield "pcd", head.startswith((b"#", b"VERSION ", b"FIELDS ", b"COLUMNS "))


def _check_image(file: BinaryIO, kind: str, size: int) -> Found:
    try:
        width, height = imagesize.get(file, exif_rotation=False)
    except Exception as error:  # whatever it stumbles over in a damaged file
        return _flawed("broken-file", f"its header is damaged: {error}")
    if width <= 0 or height <= 0:
        return _flawed("broken-file", "its header is damaged, or the file ends in it")
    return Found((*_cut(file, kind, size),), width=int(width), height=int(height))


def _cut(file: BinaryIO, kind: str, size: int) -> Iterator[Flaw]:
    """Whether an image ends too early, as after an interrupted copy."""
    if kind == "jpg":
        file.seek(max(0, size - TRAILER))
        if b"\xff\xd9" not in file.read():  # many decoders do without it
            yield Flaw("cut-file", "it has no end, and may be cut off", is_error=False)
    elif _end(file, kind, size) > size:
        yield Flaw("cut-file", "it is cut off: a part of it is missing at the end")


def _end(file: BinaryIO, kind: str, size: int) -> int:
    """Where an image ends by what it says of its parts, in bytes, or where the first part that is not whole does."""
    if kind == "webp":
        file.seek(4)
        return 8 + int.from_bytes(file.read(4), "little")
    end, name = (8, b"") if kind == "png" else (0, b"")
    while end < size and name != b"IEND":
        file.seek(end)
        length, name = int.from_bytes(file.read(4)), file.read(4)
        if kind == "png":
            end += length + 12  # with length, name and checksum
        elif length == 0:  # the last box of AVIF may go to the end
            return size
        else:  # a size of 1 means that one of 64 bits follows; a box has 8 bytes at least
            end += max(8, int.from_bytes(file.read(8)) if length == 1 else length)
    return end if kind == "avif" or name == b"IEND" else size + 1
