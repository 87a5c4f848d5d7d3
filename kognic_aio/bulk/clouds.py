"""Checks point cloud files: CSV, PCD, LAS and LAZ, by their headers and sizes, and the times of their points."""

import csv
import io
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, isinf
from typing import IO, Any, AnyStr, BinaryIO, NamedTuple

from attrs import frozen

from kognic_aio._validation.converters import is_date

CSV_HEADER = ("ts_gps", "x", "y", "z", "intensity")
COLOURS = frozenset({"rgb", "red", "green", "blue"})

MAX_HEADER = 1 << 16
"""Bytes in which the header of a PCD ends, and any line of a text."""

ROWS_CHECKED = 100
"""Rows at the beginning of a CSV or of an ASCII PCD whose numbers are read."""

PCD_TYPES: Mapping[tuple[str, str], str] = {
    **{("F", size): code for size, code in (("4", "f"), ("8", "d"))},
    **{("I", size): code for size, code in (("1", "b"), ("2", "h"), ("4", "i"), ("8", "q"))},
    **{("U", size): code for size, code in (("1", "B"), ("2", "H"), ("4", "I"), ("8", "Q"))},
}
"""The format of `struct` for a TYPE and SIZE."""

LAS_HEADER = 227
"""Bytes of the header of LAS 1.2, by the specification of the ASPRS. Later versions have the same ones first."""

LAS_TIME = 20
"""Where the time of a point is in a record of format 3."""


class Flaw(NamedTuple):
    """Something that is wrong with a file."""

    code: str
    message: str
    is_error: bool = True


@frozen
class Times:
    """When the points of a file were recorded, in nanoseconds of Unix time; None if it does not say."""

    first: int | None
    last: int | None


class BrokenFileError(Exception):
    """A file is not what its name says, or is damaged. The argument is a `Flaw`."""


def _broken(message: str, code: str = "broken-file") -> BrokenFileError:
    return BrokenFileError(Flaw(code, message))


def check_cloud(file: BinaryIO, suffix: str, size: int, *, with_times: bool) -> tuple[list[Flaw], Times | None]:
    """Check a point cloud, and return what is wrong with it, and the times of its points if they can be told.

    Args:
        file: The file, at its beginning.
        suffix: Of its name, such as `.pcd`.
        size: In bytes.
        with_times: Whether to read the times of all points, which takes longer.
    """
    check: Callable[[BinaryIO, int, bool], tuple[list[Flaw], Times | None]] = _CHECKS[suffix]
    try:
        return check(file, size, with_times)
    except BrokenFileError as error:
        return [error.args[0]], None


def _check_csv(file: BinaryIO, _: int, with_times: bool) -> tuple[list[Flaw], Times | None]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        return _check_rows(csv.reader(_lines(text)), with_times)
    except csv.Error as error:
        raise _broken(f"it is not CSV: {error}") from error
    finally:
        text.detach()


def _lines(file: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines of a text, none of which may be much too long for a point."""
    while line := file.readline(MAX_HEADER):
        if len(line) == MAX_HEADER:
            raise _broken(f"it has a line of more than {MAX_HEADER:,} characters")
        yield line


def _check_rows(rows: Iterator[list[str]], with_times: bool) -> tuple[list[Flaw], Times | None]:
    header = next(rows, [])
    names = header[1:] if header[:1] == [""] else header  # pandas writes its index in the first column
    flaws = _header_flaws(names)
    width = len(header)
    times = header.index("ts_gps") if with_times and "ts_gps" in header else None
    first = last = None
    count = 0
    for count, row in enumerate(filter(None, rows), start=1):  # an empty line is no point
        if count <= ROWS_CHECKED:
            _check_row(row, count, width, is_indexed=names is not header)
        if times is not None:
            time = _whole(row[times] if times < len(row) else "")
            first, last = (time, time) if first is None or last is None else (min(first, time), max(last, time))
        elif count > ROWS_CHECKED:
            break
    if count == 0:
        raise _broken("it has no points", "no-points")
    return flaws, Times(first, last) if with_times else None


def _header_flaws(names: Sequence[str]) -> list[Flaw]:
    expected = ",".join(CSV_HEADER)
    lacking = [name for name in ("x", "y", "z") if name not in names]
    strange = [name for name in names if name not in CSV_HEADER and name not in COLOURS]
    if lacking or strange:
        raise _broken(f"its header is {','.join(names)[:100]!r}, expected {expected!r}", "wrong-header")
    own = [name for name in names if name in CSV_HEADER]
    if own != [name for name in CSV_HEADER if name in own] or list(names[: len(own)]) != own:
        return [Flaw("wrong-header", f"its columns are in another order than {expected!r}", is_error=False)]
    return []


def _check_row(row: Sequence[str], number: int, width: int, *, is_indexed: bool) -> None:
    if len(row) != width:
        raise _broken(f"point {number} has {len(row)} values, expected {width}")
    for value in row[1:] if is_indexed else row:
        try:
            is_number = value == "" or not isinf(float(value))
        except ValueError:
            is_number = False
        if not is_number:
            raise _broken(f"point {number} has {value[:40]!r}, expected a number")


def _whole(text: str) -> int:
    """A time as a whole number: it may be written as `1.6e18`. One that is missing is read as 0 by the platform."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return 0


class _Field(NamedTuple):
    name: str
    code: str  # of `struct`
    offset: int  # in bytes
    place: int = 0  # among the values of an ASCII point
    values: int = 1


def _check_pcd(file: BinaryIO, size: int, with_times: bool) -> tuple[list[Flaw], Times | None]:
    header, data = _pcd_header(file), file.tell()
    fields, point_size = _pcd_fields(header)
    width, height = _count(header, "WIDTH"), _count(header, "HEIGHT")
    points = _count(header, "POINTS") if "POINTS" in header else width * height
    if points != width * height:
        raise _broken(f"its POINTS are {points}, but WIDTH x HEIGHT is {width} x {height}")
    if points == 0:
        raise _broken("it has no points", "no-points")
    kind = (header.get("DATA") or [""])[0]
    time = next((each for each in fields if each.name == "timestamp"), None)
    absent = Times(0, 0) if with_times and time is None else None  # as the platform reads a missing time
    if kind == "ascii":
        return [], _ascii_times(file, points, fields, with_times=with_times)
    if kind == "binary":
        if size - data < points * point_size:
            raise _broken(f"it ends after {size - data:,} of {points * point_size:,} bytes of points")
        return [], absent if time is None or not with_times else _record_times(file, points, point_size, time)
    if kind == "binary_compressed":
        if height > 1:
            raise _broken("an organised point cloud (HEIGHT above 1) cannot be binary_compressed", "wrong-header")
        sizes = file.read(8)
        packed, unpacked = struct.unpack("<II", sizes) if len(sizes) == 8 else (0, 0)
        if unpacked != points * point_size or size - data - 8 < packed:
            raise _broken(f"its compressed points are not the {points * point_size:,} bytes of its header")
        return [], absent
    raise _broken(f"its DATA is {kind!r}, expected ascii, binary or binary_compressed", "wrong-header")


def _pcd_header(file: BinaryIO) -> dict[str, list[str]]:
    """The lines of a PCD's header, by their first word."""
    header: dict[str, list[str]] = {}
    while "DATA" not in header:
        line = file.readline(MAX_HEADER)
        if not line or file.tell() > MAX_HEADER:
            raise _broken("its header has no end: a line with DATA is missing", "wrong-header")
        words = line.decode("ascii", "replace").split()
        if words and not words[0].startswith("#"):
            header[words[0]] = words[1:]
    return header


def _pcd_fields(header: Mapping[str, Sequence[str]]) -> tuple[list[_Field], int]:
    """The fields of a point, and its size in bytes."""
    names = header.get("FIELDS", header.get("COLUMNS", ()))  # as versions before 0.6 call them
    sizes, types = header.get("SIZE", ()), header.get("TYPE", ())
    counts = header.get("COUNT", ["1"] * len(names))
    if not names or not len(names) == len(sizes) == len(types) == len(counts):
        raise _broken("its FIELDS, SIZE, TYPE and COUNT are not equally many", "wrong-header")
    if lacking := [axis for axis in "xyz" if axis not in names]:
        raise _broken(f"its FIELDS lack {' and '.join(lacking)}", "wrong-header")
    fields, offset = list[_Field](), 0
    for name, size, kind, count in zip(names, sizes, types, counts, strict=True):
        code = PCD_TYPES.get((kind, size))
        if code is None or not count.isdecimal():
            raise _broken(f"its field {name} has TYPE {kind}, SIZE {size} and COUNT {count}", "wrong-header")
        place = sum(field.values for field in fields)
        fields.append(_Field(name, code, offset, place, int(count)))
        offset += int(size) * int(count)
    if offset == 0:
        raise _broken("its points have no values: every COUNT is 0", "wrong-header")
    return fields, offset


def _count(header: Mapping[str, Sequence[str]], name: str) -> int:
    value = (header.get(name) or [""])[0]
    if not value.isdecimal():
        raise _broken(f"its {name} is {value!r}, expected a number", "wrong-header")
    return int(value)


def _ascii_times(file: BinaryIO, points: int, fields: Sequence[_Field], *, with_times: bool) -> Times | None:
    place = next((each.place for each in fields if each.name == "timestamp"), None)
    width = sum(each.values for each in fields)
    first = last = None
    found = 0
    for line in _lines(file):
        values = line.split()
        if not values:
            continue
        found += 1
        if found <= ROWS_CHECKED:
            _check_row([value.decode("ascii", "replace") for value in values], found, width, is_indexed=False)
        if with_times and place is not None:
            time = _whole(values[place].decode("ascii", "replace") if place < len(values) else "")
            first, last = (time, time) if first is None or last is None else (min(first, time), max(last, time))
    if found < points:
        raise _broken(f"it has {found:,} points, its header says {points:,}")
    return Times(first or 0, last or 0) if with_times else None


def _record_times(file: BinaryIO, points: int, record_size: int, time: _Field) -> Times:
    """The times of points in records of the same size."""
    first = last = None
    value = struct.Struct(f"<{time.code}")
    block = max(1, (1 << 20) // record_size)
    left = points
    while left > 0 and (read := file.read(min(left, block) * record_size)):
        starts = range(time.offset, len(read) - value.size + 1, record_size)
        numbers = (value.unpack_from(read, start)[0] for start in starts)
        values = [int(number) for number in numbers if isfinite(number)]
        left -= block
        if values:
            low, high = min(values), max(values)
            first, last = (low, high) if first is None or last is None else (min(first, low), max(last, high))
    return Times(first, last)


def _check_las(file: BinaryIO, size: int, with_times: bool) -> tuple[list[Flaw], Times | None]:
    header = file.read(LAS_HEADER)
    if len(header) < LAS_HEADER:
        raise _broken(f"its header ends after {len(header)} of {LAS_HEADER} bytes")
    major, minor = header[24], header[25]
    start, kind, record_size, points = struct.unpack_from("<I4xBHI", header, 96)
    is_compressed = bool(kind & 0xC0)
    flaws: list[Flaw] = []
    if (major, minor) != (1, 2) or kind & 0x3F != 3:
        version = f"version {major}.{minor} with point format {kind & 0x3F}"
        flaws.append(Flaw("unusual-las", f"it is LAS {version}; 1.2 with format 3 is known to work", is_error=False))
        if (major, minor) > (1, 3):
            return flaws, None  # its number of points may be elsewhere
    if points == 0:
        raise _broken("it has no points", "no-points")
    if not is_compressed and size < start + points * record_size:
        raise _broken(f"it ends after {size:,} of {start + points * record_size:,} bytes")
    if not with_times or is_compressed or kind != 3 or record_size < LAS_TIME + 8:
        return flaws, None
    file.seek(start)
    times = _record_times(file, points, record_size, _Field("gps_time", "d", LAS_TIME))
    # The specification has seconds here. Only times that are surely nanoseconds can be compared.
    return flaws, times if times.first is not None and is_date(times.first) else None


_CHECKS: Mapping[str, Any] = {".csv": _check_csv, ".pcd": _check_pcd, ".las": _check_las, ".laz": _check_las}
