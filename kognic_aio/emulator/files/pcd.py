"""Point clouds in PCD: the header, and points in one of three forms."""

import re
import struct

import attrs

from kognic_aio.emulator.files.incoming import BadFileError, Incoming, Reading
from kognic_aio.emulator.files.signatures import not_a

# What a field may be, by TYPE and SIZE.
FIELDS = {
    "x": ("F4",),
    "y": ("F4",),
    "z": ("F4",),
    "intensity": ("U4", "F4"),  # often written as decimals
    "timestamp": ("U8",),
    "rgb": ("F4",),
}
COORDINATES = {"x", "y", "z"}
ENTRIES = ("VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA")
OPTIONAL = {"VERSION", "COUNT", "VIEWPOINT"}
MAX_HEADER_LINES = 100
"""Lines of a header and its comments. A file could be comments without end."""

NUMBER = rb"(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?[nN][aA][nN])"
MAX_SHOWN = 80
SIZES = struct.Struct("<II")
"""What precedes compressed points: how many bytes they have compressed, and uncompressed."""


@attrs.frozen
class Header:
    """The header of a PCD file.

    Args:
        fields: The names of what each point has.
        point_size: Bytes of a point where they are binary.
        points: How many points there are.
        organised: Whether the points are in rows and columns.
        data: The form of the points.
    """

    fields: list[str]
    point_size: int
    points: int
    organised: bool
    data: str


def check_pcd(cloud: Incoming) -> Reading[None]:
    """Check the header, and that the points have the form that it says."""
    header = _parsed((yield from _read_entries(cloud)))
    match header.data:
        case "ascii":
            yield from _check_ascii(header, cloud)
        case "binary":
            yield from _check_size(header.points * header.point_size, cloud)
        case "binary_compressed":
            yield from _check_compressed(header, cloud)
        case other:
            raise BadFileError(f"has DATA {other}, must have ascii, binary or binary_compressed")


def _read_entries(cloud: Incoming) -> Reading[dict[str, list[str]]]:
    """Read the header up to DATA: the values of each entry."""
    entries: dict[str, list[str]] = {}
    for _ in range(MAX_HEADER_LINES):
        line = yield from cloud.line()
        if line.startswith(b"#") or not line.strip():
            continue
        name, *values = line.decode("ascii", "replace").split()
        if name not in ENTRIES:
            raise not_a("PCD", line) if not entries else BadFileError(_unknown_entry(line))
        entries[name] = values
        if name == "DATA":
            return entries
    raise BadFileError(f"has no DATA in the first {MAX_HEADER_LINES} lines of its header")


def _unknown_entry(line: bytes) -> str:
    return f"has the line {line[:MAX_SHOWN]!r} in its header, must have one of {' '.join(ENTRIES)}"


def _parsed(entries: dict[str, list[str]]) -> Header:
    for name in ENTRIES:
        if not entries.get(name) and name not in OPTIONAL:
            raise BadFileError(f"has no {name} in its header")
    fields = entries["FIELDS"]
    _check_fields(fields, entries)
    width, height, points = (_number(name, entries) for name in ("WIDTH", "HEIGHT", "POINTS"))
    if width * height != points:
        raise BadFileError(f"has POINTS {points} in its header, but WIDTH {width} and HEIGHT {height}")
    return Header(
        fields=fields,
        point_size=sum(map(int, entries["SIZE"])),
        points=points,
        organised=height > 1,
        data=" ".join(entries["DATA"]),
    )


def _check_fields(fields: list[str], entries: dict[str, list[str]]) -> None:
    """Check that the platform reads the fields, and their types."""
    if len(set(fields)) != len(fields) or not COORDINATES <= set(fields) <= FIELDS.keys():
        raise BadFileError(f"has FIELDS {' '.join(fields)}, must have x y z and may have intensity timestamp rgb")
    for name in ("SIZE", "TYPE", "COUNT"):
        values = entries.get(name, ["1"] * len(fields))
        if len(values) != len(fields):
            raise BadFileError(f"has {name} {' '.join(values)}, must have one for each of FIELDS {' '.join(fields)}")
    for field, size, kind in zip(fields, entries["SIZE"], entries["TYPE"], strict=True):
        if f"{kind}{size}" not in FIELDS[field]:
            wanted = " or ".join(f"TYPE {allowed[0]} and SIZE {allowed[1:]}" for allowed in FIELDS[field])
            raise BadFileError(f"has TYPE {kind} and SIZE {size} for {field}, must have {wanted}")
    if set(entries.get("COUNT", "1")) != {"1"}:
        raise BadFileError(f"has COUNT {' '.join(entries['COUNT'])}, must have 1 for each field")


def _number(name: str, entries: dict[str, list[str]]) -> int:
    value = " ".join(entries[name])
    if not (value.isascii() and value.isdecimal()):
        raise BadFileError(f"has {name} {value[:MAX_SHOWN]} in its header, must have a number")
    return int(value)


def _check_ascii(header: Header, cloud: Incoming) -> Reading[None]:
    point = re.compile(rb"[ \t]*%b(?:[ \t]+%b){%d}[ \t]*" % (NUMBER, NUMBER, len(header.fields) - 1))
    found = 0
    while lines := (yield from cloud.lines()):
        for line in filter(bytes.strip, lines):
            found += 1
            if point.fullmatch(line) is None:
                shown = ascii(line[:MAX_SHOWN].decode("ascii", "replace"))
                raise BadFileError(f"has {shown} as point {found}, must have a number for each of {header.fields}")
    if found != header.points:
        raise BadFileError(f"has {found} points, its header says {header.points}")


def _check_compressed(header: Header, cloud: Incoming) -> Reading[None]:
    if header.organised:
        raise BadFileError("is an organised cloud (HEIGHT above 1), which must not be binary_compressed")
    sizes = yield from cloud.take(SIZES.size)
    if len(sizes) < SIZES.size:
        raise BadFileError("ends before its points")
    compressed, size = SIZES.unpack(sizes)
    if size != header.points * header.point_size:
        stated = header.points * header.point_size
        raise BadFileError(f"has {size} bytes of points before compression, its header says {stated}")
    yield from _check_size(compressed, cloud)


def _check_size(size: int, cloud: Incoming) -> Reading[None]:
    found = yield from cloud.skip_rest()
    if found < size:
        raise BadFileError(f"has {found} bytes of points, its header says {size}")
