"""Checks scenes before they are uploaded, without a network: all that can be known, all problems at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import hypot

from attrs import evolve, frozen

from kognic_aio._validation.converters import looks_like
from kognic_aio.bulk.description import DescribedScene
from kognic_aio.bulk.files import Found, check_file
from kognic_aio.bulk.openlabel import check_pre_annotation
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    EgoVehiclePose,
    Image,
    IMUData,
    PreAnnotation,
    Resource,
    RotationQuaternion,
)
from kognic_aio.model._fitting import TOLERANCE
from kognic_aio.model.calibration import BaseCameraCalibration, Calibration, LidarCalibration, SensorCalibration
from kognic_aio.model.resource import UploadableData
from kognic_aio.model.scene import SequenceFrame
from kognic_aio.model.scene_request import LocalFile, SceneRequest, SensorResource
from kognic_aio.pipeline.result import SceneWithPreAnnotation
from kognic_aio.pipeline.source import annotations_of
from kognic_aio.scenes.job import AnyScene

MAX_IMAGES = 9
MAX_POINT_CLOUDS = 20
"""Of a frame."""

CENTURY = (946_684_800 * 10**9, 4_102_444_800 * 10**9)
"""From 2000 to 2100, in nanoseconds of Unix time."""

EXACT = 0.01
"""How far the length of a quaternion may be from 1 without a warning."""


@frozen(kw_only=True)
class _File:
    """A file of a frame. One in a cloud has no path and no data."""

    sensor: str
    is_image: bool
    name: str
    is_local: bool = True
    data: UploadableData | None = None


@frozen(kw_only=True)
class _Frame:
    """A frame of a scene in either form."""

    id: str | None
    time: int | None
    relative_time: int | None = None
    pose: EgoVehiclePose | None
    files: Sequence[_File]


def check_scene(
    scene: AnyScene | SceneWithPreAnnotation,
    *,
    calibration: SensorCalibration | None = None,
    motion_compensation: bool = True,
) -> tuple[Problem, ...]:
    """Check a scene as far as it can be without a network. It blocks, as it reads from the scene's files.

    Args:
        scene: The scene, perhaps with pre-annotations. Its streams, generators and callbacks are not touched.
        calibration: The calibration of its sensors, if it is at hand.
        motion_compensation: Whether points are to be moved, for which IMU data must span the time of each.

    Returns:
        What is wrong with it, or may be. Nothing if it is in order.
    """
    pre_annotations: Mapping[str | None, PreAnnotation] = {}
    if isinstance(scene, SceneWithPreAnnotation):
        pre_annotations, scene = annotations_of(scene), scene.scene
    return check_parts(scene, pre_annotations, calibration, motion_compensation=motion_compensation)


def check_parts(
    scene: AnyScene,
    pre_annotations: Mapping[str | None, PreAnnotation],
    calibration: SensorCalibration | None,
    *,
    motion_compensation: bool,
) -> tuple[Problem, ...]:
    """Check a scene and what comes with it; see `check_scene`."""
    checking = _Checking(scene, calibration, motion_compensation=motion_compensation)
    problems = [*checking.problems()]
    for name, each in pre_annotations.items():
        problems += check_pre_annotation(name, each, scene, checking.sensors)
    return (*problems,)


def examined(scene: DescribedScene, *, motion_compensation: bool) -> DescribedScene:
    """Check a scene that was read from its description, and add what is wrong with it to its problems."""
    if scene.scene is None:
        return scene
    found = check_parts(scene.scene, scene.pre_annotations, scene.calibration, motion_compensation=motion_compensation)
    return evolve(scene, problems=(*scene.problems, *found))


class _Checking:
    """The check of one scene."""

    def __init__(self, scene: AnyScene, calibration: SensorCalibration | None, *, motion_compensation: bool) -> None:
        self._scene = scene
        self._calibration: Mapping[str, Calibration] | None = None if calibration is None else calibration.calibration
        self._frames = [*_frames_of(scene)]
        self._imu: Sequence[IMUData] = getattr(scene, "imu_data", ())
        self._compensates = motion_compensation and bool(self._imu)

    @property
    def sensors(self) -> frozenset[str]:
        """The names of all sensors."""
        return frozenset(file.sensor for frame in self._frames for file in frame.files)

    def problems(self) -> Iterator[Problem]:
        """All problems."""
        yield from self._numbers()
        yield from self._sensors()
        yield from self._frame_times()
        yield from self._poses()
        yield from self._imu_data()
        for frame in self._frames:
            for file in frame.files:
                yield from self._file(frame, file)

    def _problem(
        self, code: str, message: str, frame: _Frame | None = None, file: str | None = None, hint: str | None = None
    ) -> Problem:
        place = None if frame is None else frame.id
        return Problem(code=code, scene=self._scene.external_id, frame=place, file=file, message=message, hint=hint)

    def _warning(self, code: str, message: str, frame: _Frame | None = None, hint: str | None = None) -> Problem:
        return evolve(self._problem(code, message, frame, hint=hint), severity=Severity.WARNING)

    def _numbers(self) -> Iterator[Problem]:
        """How many files a frame has, and whether every frame has the same sensors."""
        for frame in self._frames:
            for is_image, what, most in ((True, "images", MAX_IMAGES), (False, "point clouds", MAX_POINT_CLOUDS)):
                count = sum(file.is_image is is_image for file in frame.files)
                if count > most:
                    yield self._problem("too-many-files", f"it has {count} {what}, at most {most} are allowed", frame)
            for (sensor, is_image), count in Counter((file.sensor, file.is_image) for file in frame.files).items():
                if count > 1:
                    what = "images" if is_image else "point clouds"
                    yield self._problem("sensor-twice", f"sensor {sensor!r} has {count} {what} in it", frame)
        is_aggregated = isinstance(
            self._scene, AggregatedLidarsAndCamerasSequence
        )  # its point clouds come as they like
        counted = [
            {(file.sensor, file.is_image) for file in frame.files if file.is_image or not is_aggregated}
            for frame in self._frames
        ]
        for sensor, is_image in sorted(set[tuple[str, bool]]().union(*counted)):
            lacking = [
                frame for frame, there in zip(self._frames, counted, strict=True) if (sensor, is_image) not in there
            ]
            if lacking:
                what = "image" if is_image else "point cloud"
                numbers = f"{len(self._frames) - len(lacking)} of {len(self._frames)} frames have one"
                yield self._problem("missing-sensor", f"sensor {sensor!r} has no {what} in it; {numbers}", lacking[0])

    def _sensors(self) -> Iterator[Problem]:
        """Whether the calibration has every sensor, and as what it is."""
        if self._calibration is None:
            return
        for sensor, is_image in sorted(
            {(file.sensor, file.is_image) for frame in self._frames for file in frame.files}
        ):
            calibrated = self._calibration.get(sensor)
            what = "camera" if is_image else "lidar"
            if calibrated is None:
                hint = f"it has {', '.join(sorted(self._calibration))}"
                yield self._problem("unknown-sensor", f"the calibration lacks the {what} {sensor!r}", hint=hint)
            elif isinstance(calibrated, LidarCalibration) is is_image:
                kind = calibrated.calibration_type.value
                yield self._problem("unknown-sensor", f"{what} {sensor!r} has a calibration of the type {kind!r}")

    def _frame_times(self) -> Iterator[Problem]:
        """Whether timestamps are of this century, and differ. The model has checked that they do not go back."""
        timed = [(frame, frame.time) for frame in self._frames if frame.time is not None]
        for frame, time in timed:
            if not _is_this_century(time) and not looks_like(time):  # which the model has refused
                message = f"its timestamp is {time}, expected nanoseconds of Unix time in this century"
                yield self._problem("wrong-time", message, frame)
                break
        for (_, before), (frame, time) in pairwise(timed):
            if time == before:
                yield self._problem("wrong-time", f"its timestamp is that of the frame before, {time}", frame)
                return
        for earlier, frame in pairwise(self._frames):
            if frame.relative_time is not None and frame.relative_time == earlier.relative_time:
                message = f"its relative timestamp is that of the frame before, {frame.relative_time} ms"
                yield self._warning("same-time", message, frame)
                break

    def _poses(self) -> Iterator[Problem]:
        """Whether poses are there or not for all frames, and their quaternions are of length 1."""
        with_pose = [frame for frame in self._frames if frame.pose is not None]
        if with_pose and len(with_pose) < len(self._frames):
            first = next(frame for frame in self._frames if frame.pose is None)
            numbers = f"{len(with_pose)} of {len(self._frames)} frames have one"
            yield self._problem("missing-pose", f"it has no ego vehicle pose; {numbers}", first)
        for frame in with_pose:
            if frame.pose is not None and (inexact := _inexact(frame.pose.rotation)):
                yield self._warning("inexact-rotation", f"its rotation has the length {inexact:.4f}, expected 1", frame)
                break

    def _imu_data(self) -> Iterator[Problem]:
        """Whether IMU data rise, and span every frame."""
        if not self._imu:
            return
        times = [reading.timestamp for reading in self._imu]
        for number, (before, after) in enumerate(pairwise(times), start=1):
            if after <= before:
                yield self._problem("imu-order", f"imu_data[{number}].timestamp: {after} is not after {before}")
                break
        for reading in self._imu:
            if inexact := _inexact(reading.rotation_quaternion):
                message = f"IMU data have a rotation of the length {inexact:.4f}, expected 1"
                yield self._warning("inexact-rotation", message)
                break
        first, last = min(times), max(times)
        for frame in self._frames:
            if frame.time is not None and not first <= frame.time <= last and not looks_like(first, last):
                message = f"its timestamp {frame.time} is outside of the IMU data, {first} to {last}"
                yield self._problem("imu-span", message, frame)

    def _file(self, frame: _Frame, file: _File) -> Iterator[Problem]:
        data = bytes(file.data) if isinstance(file.data, bytes | bytearray | memoryview) else None
        if data is None and not file.is_local:
            return
        found = check_file(file.name, data, with_times=self._compensates and not file.is_image)
        for flaw in found.flaws:
            problem = self._problem(flaw.code, flaw.message, frame, file.name)
            yield problem if flaw.is_error else evolve(problem, severity=Severity.WARNING)
        yield from self._size(frame, file, found)
        yield from self._point_times(frame, file, found)

    def _size(self, frame: _Frame, file: _File, found: Found) -> Iterator[Problem]:
        """Whether an image has the size that its calibration says."""
        calibrated = None if self._calibration is None else self._calibration.get(file.sensor)
        if found.width is None or not isinstance(calibrated, BaseCameraCalibration):
            return
        width, height = calibrated.image_width, calibrated.image_height
        if (found.width, found.height) != (width, height):
            message = (
                f"it has {found.width} x {found.height} pixels, the calibration of {file.sensor!r} {width} x {height}"
            )
            yield self._problem("image-size", message, frame, file.name)

    def _point_times(self, frame: _Frame, file: _File, found: Found) -> Iterator[Problem]:
        """Whether IMU data span the time of each point, if points are to be moved."""
        if not self._imu or found.times is None or found.times.first is None or found.times.last is None:
            return
        times = [reading.timestamp for reading in self._imu]
        first, last = min(times), max(times)
        if not first <= found.times.first <= found.times.last <= last and not looks_like(first, last):
            own = f"its points are from {found.times.first} to {found.times.last}"
            message = f"{own}, the IMU data from {first} to {last}"
            hint = "motion compensation needs IMU data for every point; turn it off with --no-motion-compensation"
            yield self._problem("imu-span", message, frame, file.name, hint)


def _is_this_century(time: int) -> bool:
    return CENTURY[0] <= time < CENTURY[1]


def _inexact(rotation: RotationQuaternion) -> float | None:
    """The length of a quaternion if it is not quite 1. One that is far from it was refused by the model."""
    length = hypot(rotation.w, rotation.x, rotation.y, rotation.z)
    return length if EXACT < abs(length - 1) <= TOLERANCE else None


def _frames_of(scene: AnyScene) -> Iterator[_Frame]:
    if isinstance(scene, SceneRequest):
        for frame in scene.frames:
            files = [*_requested(frame.images, is_image=True), *_requested(frame.pointclouds or (), is_image=False)]
            yield _Frame(id=frame.frame_id, time=frame.timestamp_ns, pose=frame.ego_vehicle_pose, files=files)
        return
    for each in scene.all_frames:
        yield _Frame(
            id=each.frame_id if isinstance(each, SequenceFrame) else None,
            time=getattr(each, "unix_timestamp", None),
            relative_time=getattr(each, "relative_timestamp", None),
            pose=getattr(each, "ego_vehicle_pose", None),
            files=[_file_of(file.sensor_name, file, is_image=isinstance(file, Image)) for file in each.files],
        )


def _requested(resources: Iterable[SensorResource], *, is_image: bool) -> Iterator[_File]:
    for each in resources:
        if each.local_file is None:
            yield _File(
                sensor=each.sensor_name, is_image=is_image, name=each.external_resource_uri or "", is_local=False
            )
        else:
            yield _file_of(each.sensor_name, each.local_file, is_image=is_image)


def _file_of(sensor: str, file: Resource | LocalFile, *, is_image: bool) -> _File:
    given = file.file_data
    data = None if given is None else given.data
    return _File(sensor=sensor, is_image=is_image, name=file.filename, is_local=given is None, data=data)
