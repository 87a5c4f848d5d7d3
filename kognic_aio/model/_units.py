"""The units of a scene's times and rotations. A scene is refused only if a value is surely in another unit.

Unix timestamps are nanoseconds. The timestamps of frames, of IMU data and of shutters are three series. A series is
refused if two things hold: in seconds, milliseconds or microseconds all of its timestamps are dates between 2010 and
2033; and in nanoseconds they follow each other faster than any sensor records. Small times pass, as those of a
simulation or of a clock that started with the machine. A single timestamp has no rate. It passes if another series
that passes encloses it.

Relative timestamps are milliseconds since the start of the scene. They are refused if they are Unix timestamps in
microseconds or nanoseconds; if frames are at least 12 hours apart, but at most an hour as nanoseconds; or if they run a
thousand or a million times as fast as the Unix timestamps of the same frames.

Frames are in the order of their times, some of which may be equal. Quaternions have the length 1, within 0.1.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot
from typing import NamedTuple

from kognic_aio._validation.converters import is_date, looks_like
from kognic_aio.model.ego import IMUData
from kognic_aio.model.geometry import RotationQuaternion

MIN_FRAME_INTERVAL = 2_000_000
"""Nanoseconds between frames, on average: no camera or lidar records 500 frames a second."""

MIN_IMU_INTERVAL = 200_000
"""Nanoseconds between readings, on average: no IMU gives 5,000 a second."""

MIN_EXPOSURE = 50_000
"""Nanoseconds that a shutter is open, for scenes of one frame."""

MAX_FRAME_INTERVAL = 12 * 3_600_000
"""Milliseconds between frames, on average."""

HOUR = 3_600 * 10**9
"""Nanoseconds of an hour."""

TOLERANCE = 0.1
"""How far the length of a quaternion may be from 1. Rounding makes far less."""

Problems = Iterator[tuple[str, str]]
"""Pairs of a place in a scene and what is wrong there."""


class Moment(NamedTuple):
    """What a frame says of its time.

    Args:
        place: Where the frame stands in its scene, such as `frames[3]`.
        unix: Its time, in nanoseconds of Unix time.
        unix_name: The name of that field.
        relative: Its time, in milliseconds since the start of the scene.
        rotation: How the vehicle is turned.
        shutters: The exposure of each image: its place, and when it began and ended in nanoseconds of Unix time.
    """

    place: str
    unix: int | None = None
    unix_name: str = "unix_timestamp"
    relative: int | None = None
    rotation: RotationQuaternion | None = None
    shutters: Sequence[tuple[str, int, int]] = ()


def misfits(moments: Sequence[Moment], imu: Sequence[IMUData] = ()) -> Problems:
    """What is wrong with the times and rotations of a scene's frames and IMU data."""
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
    """What is wrong with a rotation that is not a unit quaternion."""
    length = hypot(rotation.w, rotation.x, rotation.y, rotation.z)
    if abs(length - 1) <= TOLERANCE:
        return None
    given = f"w={rotation.w:g}, x={rotation.x:g}, y={rotation.y:g}, z={rotation.z:g}"
    return f"({given}) has length {length:.3g}; a unit quaternion, of length 1, is expected"


class _Series(NamedTuple):
    """Unix timestamps of one kind, in nanoseconds.

    Args:
        place: Where the first of them stands.
        example: The first of them.
        min_interval: The shortest interval between two, on average.
        first: The earliest.
        last: The latest.
        steps: The number of intervals.
    """

    place: str
    example: int
    min_interval: int
    first: int
    last: int
    steps: int

    @property
    def is_sound(self) -> bool:
        """Whether they are as far apart as timestamps in nanoseconds."""
        return self.steps > 0 and self.last - self.first >= self.min_interval * self.steps

    def is_around(self, other: "_Series") -> bool:
        """Whether it encloses another series."""
        return self.first <= other.first and other.last <= self.last


def _series(place: str, times: Sequence[int], min_interval: int) -> _Series:
    return _Series(place, times[0], min_interval, min(times), max(times), len(times) - 1)


def _unix_units(moments: Sequence[Moment], imu: Sequence[IMUData]) -> Problems:
    series = [*_frames(moments), *_imu(imu), *_shutters(moments)]
    sound = [each for each in series if each.is_sound]
    for each in series:
        unit = looks_like(each.first, each.last)
        if unit is None or each in sound or (each.steps == 0 and any(s.is_around(each) for s in sound)):
            continue
        yield each.place, f"{each.example} looks like {unit}; nanoseconds are expected"


def _frames(moments: Sequence[Moment]) -> Iterator[_Series]:
    given = [(f"{m.place}.{m.unix_name}", m.unix) for m in moments if m.unix is not None]
    if given:
        yield _series(given[0][0], [time for _, time in given], MIN_FRAME_INTERVAL)


def _imu(imu: Sequence[IMUData]) -> Iterator[_Series]:
    if imu:
        yield _series("imu_data[0].timestamp", [reading.timestamp for reading in imu], MIN_IMU_INTERVAL)


def _shutters(moments: Sequence[Moment]) -> Iterator[_Series]:
    """When the first shutter of each frame opened. For a single frame also when its last one closed."""
    given = [moment.shutters for moment in moments if moment.shutters]
    if not given:
        return
    (place, _, _), *_ = given[0]
    openings = [min(start for _, start, _ in shutters) for shutters in given]
    if len(given) > 1:
        yield _series(place, openings, MIN_FRAME_INTERVAL)
    else:
        yield _series(place, [*openings, max(end for _, _, end in given[0])], MIN_EXPOSURE)


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
    if MAX_FRAME_INTERVAL <= duration / (len(relative) - 1) <= HOUR:
        return "nanoseconds"
    times = [time for time in unix if time is not None and is_date(time)]
    passed = max(times) - min(times) if len(times) == len(relative) else 0
    for unit, ratio in (("nanoseconds", 10**6), ("microseconds", 10**3)):
        if passed > 0 and abs(duration * 10**6 / (passed * ratio) - 1) < TOLERANCE:
            return unit
    return None


def _backwards(times: Sequence[tuple[str, int | None]]) -> Problems:
    given = [(place, time) for place, time in times if time is not None]
    for (_, before), (place, time) in pairwise(given):
        if time < before:
            yield (
                place,
                f"{time} is before {before}, that of the frame before it; frames go in the order of their times",
            )
