"""Checks that the parts of a scene fit together: the units and order of its times, its rotations and its files.

A scene is refused only if a value is surely in another unit.

Unix timestamps are nanoseconds. The timestamps of frames, of IMU data and of shutters are three series. A series is
refused if (1) read as seconds, milliseconds or microseconds, all its timestamps are between 2010 and 2033, and (2) read
as nanoseconds, they are closer together than any sensor records. Small times pass, such as those of a simulation. A
single timestamp has no rate. It passes if another series that passes encloses it.

Relative timestamps are milliseconds since the start of the scene. They are refused if they are Unix timestamps in
microseconds or nanoseconds; if frames are at least 12 hours apart, but at most an hour as nanoseconds; or if they run a
thousand or a million times as fast as the Unix timestamps of the same frames.

Frames are in chronological order; some may have the same time. Quaternions have the length 1, within 0.1.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import hypot
from typing import NamedTuple

from kognic_aio._validation.converters import is_date, looks_like
from kognic_aio.model.geometry import IMUData, RotationQuaternion
from kognic_aio.model.resource import Resource

MIN_FRAME_INTERVAL = 2_000_000
"""Nanoseconds between frames, on average: no camera or lidar records 500 frames a second."""

MIN_IMU_INTERVAL = 200_000
"""Nanoseconds between readings, on average: no IMU gives 5,000 a second."""

MIN_EXPOSURE = 50_000
"""Nanoseconds that a shutter is open, for scenes of one frame."""

MAX_FRAME_INTERVAL = 12 * 3_600_000
"""Milliseconds between frames, on average."""

TOLERANCE = 0.1
"""How far the length of a quaternion may be from 1. Rounding makes far less."""

Problems = Iterator[tuple[str, str]]
"""Pairs of a place in a scene and the problem there."""


class Moment(NamedTuple):
    """The times and the rotation of a frame."""

    place: str  # the path of the frame in its scene, such as `frames[3]`
    unix: int | None = None  # nanoseconds of Unix time
    unix_name: str = "unix_timestamp"
    relative: int | None = None  # milliseconds since the start of the scene
    rotation: RotationQuaternion | None = None
    shutters: Sequence[tuple[str, int, int]] = ()  # of each image: its place, and when the exposure began and ended


def time_problems(moments: Sequence[Moment], imu: Sequence[IMUData] = ()) -> Problems:
    """The problems with the times and rotations of a scene's frames and IMU data."""
    yield from _unix_units(moments, imu)
    yield from _relative_units(moments)
    yield from _backwards([(f"{m.place}.relative_timestamp", m.relative) for m in moments])
    yield from _backwards([(f"{m.place}.{m.unix_name}", m.unix) for m in moments])
    for moment in moments:
        if moment.rotation is not None and (problem := rotation_problem(moment.rotation)):
            yield f"{moment.place}.ego_vehicle_pose.rotation", problem
    for index, reading in enumerate(imu):
        if problem := rotation_problem(reading.rotation_quaternion):
            yield f"imu_data[{index}].rotation_quaternion", problem


def rotation_problem(rotation: RotationQuaternion) -> str | None:
    """The problem with a rotation that is not a unit quaternion."""
    length = hypot(rotation.w, rotation.x, rotation.y, rotation.z)
    if abs(length - 1) <= TOLERANCE:
        return None
    given = f"w={rotation.w:g}, x={rotation.x:g}, y={rotation.y:g}, z={rotation.z:g}"
    return f"({given}) has length {length:.3g}; a unit quaternion, of length 1, is expected"


class _Series:
    """Unix timestamps of one kind, in nanoseconds; `place` is the path of the first in the scene."""

    def __init__(self, place: str, times: Sequence[int], min_interval: int) -> None:
        self.place = place
        self.example = times[0]
        self.first, self.last = min(times), max(times)
        self.is_single = len(times) == 1
        # As far apart, on average, as timestamps in nanoseconds.
        self.is_sound = not self.is_single and self.last - self.first >= min_interval * (len(times) - 1)

    def is_around(self, other: "_Series") -> bool:
        return self.first <= other.first and other.last <= self.last


def _unix_units(moments: Sequence[Moment], imu: Sequence[IMUData]) -> Problems:
    series = list(_all_series(moments, imu))
    sound = [each for each in series if each.is_sound]
    for each in series:
        if each.is_sound or (each.is_single and any(other.is_around(each) for other in sound)):
            continue
        if unit := looks_like(each.first, each.last):
            yield each.place, f"{each.example} looks like {unit}; nanoseconds are expected"


def _all_series(moments: Sequence[Moment], imu: Sequence[IMUData]) -> Iterator[_Series]:
    frames = [(f"{m.place}.{m.unix_name}", m.unix) for m in moments if m.unix is not None]
    if frames:
        yield _Series(frames[0][0], [time for _, time in frames], MIN_FRAME_INTERVAL)
    if imu:
        yield _Series("imu_data[0].timestamp", [reading.timestamp for reading in imu], MIN_IMU_INTERVAL)
    exposed = [moment.shutters for moment in moments if moment.shutters]
    openings = [min(start for _, start, _ in shutters) for shutters in exposed]
    if len(exposed) > 1:
        yield _Series(exposed[0][0][0], openings, MIN_FRAME_INTERVAL)
    elif exposed:  # one opening has no rate, so the last closing is taken with it
        yield _Series(exposed[0][0][0], [*openings, max(end for _, _, end in exposed[0])], MIN_EXPOSURE)


def _relative_units(moments: Sequence[Moment]) -> Problems:
    given = [(moment.place, moment.relative) for moment in moments if moment.relative is not None]
    unit = _relative_unit([relative for _, relative in given], [moment.unix for moment in moments])
    if unit is not None:
        place, value = given[-1]
        expected = "milliseconds since the start of the scene are expected"
        yield f"{place}.relative_timestamp", f"{value} looks like {unit}; {expected}"


def _relative_unit(relative: Sequence[int], unix: Sequence[int | None]) -> str | None:
    """The unit of relative timestamps that cannot be milliseconds."""
    if relative and all(is_date(time) for time in relative):
        return "nanoseconds of Unix time"
    if relative and all(is_date(time * 10**3) for time in relative):
        return "microseconds of Unix time"
    if len(relative) < 2:
        return None
    duration = max(relative) - min(relative)
    one_hour = 3_600 * 10**9  # in nanoseconds
    intervals = len(relative) - 1
    if MAX_FRAME_INTERVAL * intervals <= duration <= one_hour * intervals:
        return "nanoseconds"
    times = [time for time in unix if time is not None and is_date(time)]
    passed = max(times) - min(times) if len(times) == len(relative) else 0
    for unit, ratio in (("nanoseconds", 10**6), ("microseconds", 10**3)):
        if passed > 0 and abs(duration * 10**6 - passed * ratio) < TOLERANCE * passed * ratio:
            return unit
    return None


def _backwards(times: Sequence[tuple[str, int | None]]) -> Problems:
    given = [(place, time) for place, time in times if time is not None]
    for (_, before), (place, time) in pairwise(given):
        if time < before:
            problem = f"{time} is before {before}, the time of the previous frame"
            yield place, f"{problem}; frames must be in chronological order"


def file_problems(scene: str, files: Iterable[Resource]) -> Problems:
    """The problems with the files of a scene; `scene` is its external id."""
    by_id: dict[str, Resource] = {}
    for file in files:
        other = by_id.setdefault(file.resource_id, file)
        if other is not file and not _is_same_source(file, other):
            # The platform stores one object for a resource id, so one of the two would be lost.
            problem = f"two files of scene {scene!r} have the resource_id {file.resource_id!r}"
            yield "resources", f"{problem}: {other.filename!r} and {file.filename!r}"
    by_data: dict[int, Resource] = {}
    for file in by_id.values():
        data = None if file.file_data is None else file.file_data.data
        if data is None or isinstance(data, bytes | bytearray | memoryview):
            continue
        other = by_data.setdefault(id(data), file)
        if other is not file:
            # A stream or generator gives its bytes once, so each file would get a part of them.
            problem = f"{other.filename!r} and {file.filename!r} of scene {scene!r} share one source"
            yield "resources", f"{problem}; pass a new one for each, or a callback that opens it"


def _is_same_source(a: Resource, b: Resource) -> bool:
    if a.filename != b.filename:
        return False
    if a.file_data is None or b.file_data is None:
        return a.file_data is b.file_data
    has_same_bytes = isinstance(a.file_data.data, bytes) and a.file_data.data == b.file_data.data
    return has_same_bytes or a.file_data is b.file_data
