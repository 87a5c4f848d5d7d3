"""Makes small images and point clouds of every kind that the platform reads."""

import struct
import zlib
from collections.abc import Mapping

FIELDS = {"x": "F4", "y": "F4", "z": "F4", "intensity": "U4", "timestamp": "U8", "rgb": "F4"}
CODES = {"F4": "f", "F8": "d", "U1": "B", "U2": "H", "U4": "I", "U8": "Q", "I4": "i"}


def png() -> bytes:
    """A grey PNG of one pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(100) + b"\xff\xd9"


def webp() -> bytes:
    return b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8 " + bytes(22)


def avif(major: bytes = b"avif", compatible: bytes = b"avifmif1miaf") -> bytes:
    brands = major + bytes(4) + compatible
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + b"\0\0\0\x08meta"


def las(
    *,
    minor: int = 2,
    point_format: int = 3,
    point_size: int = 34,
    points: int = 3,
    there: int | None = None,
    header_size: int = 227,
) -> bytes:
    """LAS whose header states some points, of which maybe not all are there."""
    header = bytearray(header_size)
    header[:4] = b"LASF"
    header[24:26] = bytes((1, minor))
    struct.pack_into("<H", header, 94, header_size)
    struct.pack_into("<I", header, 96, header_size)
    header[104] = point_format
    struct.pack_into("<H", header, 105, point_size)
    struct.pack_into("<I", header, 107, points)
    return bytes(header) + bytes((points if there is None else there) * point_size)


def laz(*, minor: int = 2, header_size: int = 227) -> bytes:
    return las(minor=minor, point_format=0x80 | 3, header_size=header_size, there=1)


def pcd(
    *,
    data: str = "binary",
    fields: Mapping[str, str] = FIELDS,
    points: int = 2,
    there: int | None = None,
    height: int = 1,
    changes: Mapping[str, str | None] | None = None,
) -> bytes:
    """PCD with points of zeros and ones.

    Args:
        data: ascii, binary or binary_compressed.
        fields: type and size by name.
        points: how many the header states.
        there: how many there are; by default as many.
        height: rows of an organised cloud.
        changes: other lines for entries of the header, None to leave one out.
    """
    count = points if there is None else there
    entries: dict[str, str | None] = {
        "VERSION": ".7",
        "FIELDS": " ".join(fields),
        "SIZE": " ".join(kind[1:] for kind in fields.values()),
        "TYPE": " ".join(kind[:1] for kind in fields.values()),
        "COUNT": " ".join("1" for _ in fields),
        "WIDTH": str(points // height),
        "HEIGHT": str(height),
        "VIEWPOINT": "0 0 0 1 0 0 0",
        "POINTS": str(points),
        "DATA": data,
        **(changes or {}),
    }
    lines = ["# .PCD v.7 - Point Cloud Data file format"]
    lines += [f"{name} {values}" for name, values in entries.items() if values is not None]
    return "\n".join([*lines, ""]).encode() + _points(data, fields, count)


def _points(data: str, fields: Mapping[str, str], count: int) -> bytes:
    if data == "ascii":
        row = " ".join("1.5" if kind[0] == "F" else "1" for kind in fields.values())
        return f"{row}\n".encode() * count
    point = struct.pack("<" + "".join(CODES[kind] for kind in fields.values()), *(1 for _ in fields))
    if data == "binary_compressed":
        # A run of literals is valid LZF: one byte that tells the length, then the bytes.
        raw = point * count
        parts = [raw[index : index + 32] for index in range(0, len(raw), 32)]
        packed = b"".join(bytes([len(part) - 1]) + part for part in parts)
        return struct.pack("<II", len(packed), len(raw)) + packed
    return point * count
