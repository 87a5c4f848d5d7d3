"""Point clouds in LAS, and in LAZ, which is LAS with compressed points."""

import struct

import attrs

from kognic_aio.emulator.files.incoming import BadFileError, Incoming, Reading
from kognic_aio.emulator.files.signatures import SIGNATURE_SIZE, not_a

SIGNATURE = b"LASF"
VERSION = (1, 2)
POINT_FORMAT = 3
POINT_SIZE = 34
"""Bytes of a point of this format. Customers may add bytes of their own."""
COMPRESSED = 0x80
"""The bit of the point format that marks compression by LASzip."""

# The header of LAS 1.2, up to the number of points. Later versions only append to it.
HEADER = struct.Struct("<24x2B68xHI4xBHI")
HEADER_SIZE = 227


@attrs.frozen
class Header:
    """The header of a LAS file.

    Args:
        major: The version before the dot.
        minor: The version after the dot.
        size: Bytes of the header.
        offset: Where the points begin.
        format: What the points consist of, with the bit of compression.
        point_size: Bytes of a point.
        points: How many points there are.
    """

    major: int
    minor: int
    size: int
    offset: int
    format: int
    point_size: int
    points: int


def check_las(cloud: Incoming) -> Reading[None]:
    """Check that a cloud is LAS 1.2 with all its points, in format 3."""
    header = yield from _read_header(cloud, "LAS")
    if header.format & COMPRESSED:
        raise BadFileError("is compressed: it must be LAS, or its name must end in .laz")
    if (header.major, header.minor) != VERSION:
        raise BadFileError(f"is LAS {header.major}.{header.minor}, must be LAS {VERSION[0]}.{VERSION[1]}")
    if header.format != POINT_FORMAT:
        raise BadFileError(f"has point format {header.format}, must have point format {POINT_FORMAT}")
    if header.point_size < POINT_SIZE:
        raise BadFileError(f"has points of {header.point_size} bytes, format {POINT_FORMAT} has {POINT_SIZE}")
    # The values of points are not checked, as any are valid.
    yield from _skip(cloud, header.offset - HEADER_SIZE + header.points * header.point_size)


def check_laz(cloud: Incoming) -> Reading[None]:
    """Check that a cloud has the header of LAZ, and all that precedes its points."""
    header = yield from _read_header(cloud, "LAZ")
    if not header.format & COMPRESSED:
        raise BadFileError("is not compressed: it must be LAZ, or its name must end in .las")
    # The header does not say how many bytes the compressed points have.
    yield from _skip(cloud, header.offset - HEADER_SIZE)


def _read_header(cloud: Incoming, expected: str) -> Reading[Header]:
    data = yield from cloud.take(SIGNATURE_SIZE)
    if not data.startswith(SIGNATURE):
        raise not_a(expected, data)
    data += yield from cloud.take(HEADER_SIZE - SIGNATURE_SIZE)
    if len(data) < HEADER_SIZE:
        raise BadFileError(f"ends after {len(data)} bytes of its header, which has {HEADER_SIZE}")
    header = Header(*HEADER.unpack_from(data))
    if header.size < HEADER_SIZE or header.offset < header.size:
        raise BadFileError(f"has a broken header: of {header.size} bytes, with the points at {header.offset}")
    return header


def _skip(cloud: Incoming, size: int) -> Reading[None]:
    """Check that at least so many bytes follow."""
    found = yield from cloud.skip_rest()
    if found < size:
        raise BadFileError(f"ends {size - found} bytes before the end that its header states")
