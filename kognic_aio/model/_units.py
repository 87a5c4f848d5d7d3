"""Whether the times and rotations of a scene can be meant as they are: refused is what is surely in another unit.

Unix timestamps are nanoseconds. Those of frames, of IMU data and of shutters are judged apart, each by all of a scene:
they are refused if read in seconds, milliseconds or microseconds they are all dates between 2010 and 2033, and read in
nanoseconds follow each other faster than anything records. So small times, as of a simulation or of a clock that began
with the machine, are taken: 1.3 s, 1.4 s, 1.5 s are too far apart to be seconds of a recording. A single time tells no
speed; it is taken if others of its scene that pass lie around it.

Relative timestamps are milliseconds since the start of the scene. They are refused if they are Unix timestamps in
microseconds or nanoseconds; if frames were at least 12 hours apart, which are at most an hour as nanoseconds; or if
they run a thousand or a million times as fast as the Unix timestamps of the same frames.

Frames go in the order of their times, of which some may be equal. Quaternions have the length 1, give or take 0.1.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import hypot
from typing import NamedTuple

from kognic_aio.model._epoch import is_date, looks_like
from kognic_aio.model.ego import IMUData
from kognic_aio.model.geometry import RotationQuaternion

FASTEST_FRAMES = 2_000_000
"""Nanoseconds from frame to frame, on average: no camera or lidar gives 500 frames a second."""

FASTEST_IMU = 200_000
"""Nanoseconds from reading to reading, on average: no IMU gives 5,000 a second."""

SHORTEST_EXPOSURE = 50_000
"""Nanoseconds that a shutter is open, of a scene with one frame."""

SLOWEST_FRAMES = 12 * 3_600_000
"""Milliseconds from frame to frame, on average."""

HOUR = 3_600 * 10**9
"""In nanoseconds."""

TOLERANCE = 0.1
"""By how much the length of a quaternion may differ from 1; rounding makes far less."""

Problems = Iterator[tuple[str, str]]
"""Where something is wrong, and what."""


class Moment(NamedTuple):
    """What a frame says of its time.

    Args:
        place: Where the frame stands in its scene, such as `frames[3]`.
        unix: Its time in nanoseconds Unix time.
        unix_name: The name of that field.
        relative: Its time in milliseconds since the start of the scene.
        rotation: Of the vehicle.
        shutters: When the exposure of each image began and ended, in nanoseconds Unix time, with the place of these.
    """

    place: str
    unix: int | None = None
    unix_name: str = "unix_timestamp"
    relative: int | None = None
    rotation: RotationQuaternion | None = None
    shutters: Sequence[tuple[str, int, int]] = ()


def misfits(moments: Sequence[Moment], imu: Sequence[IMUData] = ()) -> Problems:
    """What cannot be meant in a scene of such frames and such IMU data."""
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
    """What is wrong with a rotation, if it is no unit quaternion."""
    length = hypot(rotation.w, rotation.x, rotation.y, rotation.z)
    if abs(length - 1) <= TOLERANCE:
        return None
    given = f"w={rotation.w:g}, x={rotation.x:g}, y={rotation.y:g}, z={rotation.z:g}"
    return f"({given}) has length {length:.3g}; a unit quaternion, of length 1, is expected"


class _Series(NamedTuple):
    """Unix timestamps of one kind, in nanoseconds.

    Args:
        place: Where one of them stands.
        example: That one.
        fastest: How far apart they are at least, on average.
        first: The earliest.
        last: The latest.
        steps: How many come after the earliest.
    """

    place: str
    example: int
    fastest: int
    first: int
    last: int
    steps: int

    @property
    def is_sound(self) -> bool:
        """Whether they are as far apart as nanoseconds are."""
        return self.steps > 0 and self.last - self.first >= self.fastest * self.steps

    def is_around(self, other: "_Series") -> bool:
        """Whether the other's times lie between these."""
        return self.first <= other.first and other.last <= self.last


def _series(place: str, times: Sequence[int], fastest: int) -> _Series:
    return _Series(place, times[0], fastest, min(times), max(times), len(times) - 1)


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
        yield _series(given[0][0], [time for _, time in given], FASTEST_FRAMES)


def _imu(imu: Sequence[IMUData]) -> Iterator[_Series]:
    if imu:
        yield _series("imu_data[0].timestamp", [reading.timestamp for reading in imu], FASTEST_IMU)


def _shutters(moments: Sequence[Moment]) -> Iterator[_Series]:
    """When the first shutter opened for each frame; of a single frame also when the last one closed."""
    given = [moment.shutters for moment in moments if moment.shutters]
    if not given:
        return
    (place, _, _), *_ = given[0]
    openings = [min(start for _, start, _ in shutters) for shutters in given]
    if len(given) > 1:
        yield _series(place, openings, FASTEST_FRAMES)
    else:
        yield _series(place, [*openings, max(end for _, _, end in given[0])], SHORTEST_EXPOSURE)


def _relative_units(moments: Sequence[Moment]) -> Problems:
    given = [(moment.place, moment.relative) for moment in moments if moment.relative is not None]
    unit = _relative_unit([relative for _, relative in given], [moment.unix for moment in moments])
    if unit is not None:
        place, value = given[-1]
        expected = "milliseconds since the start of the scene are expected"
        yield f"{place}.relative_timestamp", f"{value} looks like {unit}; {expected}"


def _relative_unit(relative: Sequence[int], unix: Sequence[int | None]) -> str | None:
    """The unit that relative timestamps are in, if it cannot be milliseconds."""
    if relative and all(is_date(time) for time in relative):
        return "nanoseconds of Unix time"
    if relative and all(is_date(time * 10**3) for time in relative):
        return "microseconds of Unix time"
    if len(relative) < 2:
        return None
    duration = max(relative) - min(relative)
    if SLOWEST_FRAMES <= duration / (len(relative) - 1) <= HOUR:
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
