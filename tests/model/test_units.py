"""What cannot be meant is said before anything is sent; small and simulated times are taken as they are."""

from collections.abc import Sequence
from typing import Any

import pytest

from kognic_aio import FileData
from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    BaseScene,
    Cameras,
    CamerasSequence,
    EgoVehiclePose,
    Image,
    ImageMetadata,
    IMUData,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    PointCloud,
    Position,
    RotationQuaternion,
)
from kognic_aio.model.calibration import LidarCalibration, SensorCalibration
from kognic_aio.model.scene_request import EgoVehiclePose as FlatPose
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest, SensorResource

NOW = 1_795_834_567
"""Seconds: 27 November 2026."""

FACTORS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
WRONG = [unit for unit in FACTORS if unit != "nanoseconds"]
HERE = Position(x=0, y=0, z=0)
AHEAD = RotationQuaternion(w=1, x=0, y=0, z=0)
POSE = EgoVehiclePose(position=HERE, rotation=AHEAD)
JPG = FileData(format="jpg", data=b"x")
CLOUD = PointCloud(filename="a.csv", file_data=FileData(format="csv", data=b"x"))

SEQUENCES = (CamerasSequence, LidarsSequence, LidarsAndCamerasSequence, AggregatedLidarsAndCamerasSequence)
SINGLES = (Lidars, LidarsAndCameras)
with_units = pytest.mark.parametrize("unit", WRONG)


def tenths(unit: str, count: int = 10) -> list[int]:
    """Unix timestamps every 100 ms, in whole units."""
    return [int((NOW + i / 10) * FACTORS[unit]) for i in range(count)]


def readings(times: Sequence[float], rotation: RotationQuaternion = AHEAD) -> list[IMUData]:
    return [IMUData(position=HERE, rotation_quaternion=rotation, timestamp=time) for time in times]  # type: ignore[arg-type]


def image(shutter: tuple[int, int] | None = None, number: int = 0) -> Image:
    given = None if shutter is None else ImageMetadata(shutter_time_start_ns=shutter[0], shutter_time_end_ns=shutter[1])
    return Image(filename=f"{number}.jpg", file_data=JPG, metadata=given)


def frame(kind: Any, **fields: Any) -> Any:
    given: dict[str, Any] = {"images": [image()]} if "Cameras" in kind.__name__ else {}
    given |= {"point_clouds": [CLOUD]} if "Lidars" in kind.__name__ else {}
    given |= {"ego_vehicle_pose": POSE} if kind is AggregatedLidarsAndCamerasSequence else {}
    return kind.Frame(**given | fields)


def scene(kind: Any, **fields: Any) -> BaseScene:
    needs_calibration = "Lidars" in kind.__name__ and "Cameras" in kind.__name__
    made: BaseScene = kind(
        external_id="scene", **({"calibration_id": "calibration"} if needs_calibration else {}), **fields
    )
    return made


def sequence(
    kind: Any,
    unix: Sequence[int | None] = (),
    relative: Sequence[int] = (),
    shutters: Sequence[tuple[int, int]] = (),
    **fields: Any,
) -> BaseScene:
    count = max(map(len, (unix, relative, shutters)))
    frames = []
    for i in range(count):
        given: dict[str, Any] = {"relative_timestamp": relative[i] if relative else 0, "frame_id": str(i)}
        given |= {"unix_timestamp": unix[i]} if unix else {}
        given |= {"images": [image(shutters[i])]} if shutters else {}
        frames.append(frame(kind, **given))
    return scene(kind, frames=frames, **fields)


def request(times: Sequence[int], **fields: Any) -> SceneRequest:
    given = {"images": [ImageResource(sensor_name="a", local_file=LocalFile(filename="a.jpg"))]} | fields
    frames = [Frame(frame_id=str(i), timestamp_ns=time, **given) for i, time in enumerate(times)]
    return SceneRequest(workspace_id="w", external_id="scene", frames=frames)


def refusal(make: Any) -> str:
    with pytest.raises(InvalidError) as caught:
        make()
    return str(caught.value)


@with_units
@pytest.mark.parametrize("kind", SEQUENCES)
def test_frames_in_another_unit(kind: type[BaseScene], unit: str) -> None:
    """Unix timestamps of frames in seconds, milliseconds or microseconds are an error that names both units."""
    times = tenths(unit)
    expected = f"{kind.__name__}.frames[0].unix_timestamp: {times[0]} looks like {unit}; nanoseconds are expected"
    assert refusal(lambda: sequence(kind, times)) == expected


@with_units
@pytest.mark.parametrize("kind", SINGLES)
def test_one_frame_in_another_unit(kind: type[BaseScene], unit: str) -> None:
    """So is that of a scene of one frame."""
    time = NOW * FACTORS[unit]
    expected = f"{kind.__name__}.frame.unix_timestamp: {time} looks like {unit}; nanoseconds are expected"
    assert refusal(lambda: scene(kind, frame=frame(kind, unix_timestamp=time))) == expected


@pytest.mark.parametrize("time", [1_700_000_000, 1_700_000_000.0, 1_400_000_000, 1_700_000_000_000.0])
def test_round_times_in_another_unit(time: float) -> None:
    """Round ones are recognised too, also as floats."""
    assert "nanoseconds are expected" in refusal(lambda: scene(Lidars, frame=frame(Lidars, unix_timestamp=time)))


@with_units
@pytest.mark.parametrize("kind", [Lidars, *SEQUENCES])
def test_imu_data_in_another_unit(kind: type[BaseScene], unit: str) -> None:
    """IMU data in another unit is an error, if the frames are right too."""
    imu = readings(tenths(unit, 30))
    times = {"unix": tenths("nanoseconds")}
    one = {"frame": frame(kind, unix_timestamp=tenths("nanoseconds")[0]), "imu_data": imu} if kind is Lidars else None
    message = refusal(lambda: scene(kind, **one) if one else sequence(kind, **times, imu_data=imu))  # type: ignore[arg-type]
    expected = f"{imu[0].timestamp} looks like {unit}; nanoseconds are expected"
    assert message == f"{kind.__name__}.imu_data[0].timestamp: {expected}"


@with_units
@pytest.mark.parametrize("kind", [CamerasSequence, LidarsAndCamerasSequence])
def test_shutters_in_another_unit(kind: type[BaseScene], unit: str) -> None:
    """Shutter times in another unit are an error, whether the scene has one frame or several."""
    shutters = [(time, time + FACTORS[unit] // 50) for time in tenths(unit)]
    place = "images[0].metadata.shutter_time_start_ns"
    expected = f"{place}: {shutters[0][0]} looks like {unit}; nanoseconds are expected"
    assert refusal(lambda: sequence(kind, shutters=shutters)) == f"{kind.__name__}.frames[0].{expected}"
    one = Cameras.Frame(images=[image(shutters[0])])
    assert refusal(lambda: scene(Cameras, frame=one)) == f"Cameras.frame.{expected}"


@with_units
def test_requests_in_another_unit(unit: str) -> None:
    """The same holds for scene requests, their frames and shutters."""
    times = tenths(unit)
    expected = f"{times[0]} looks like {unit}; nanoseconds are expected"
    assert refusal(lambda: request(times)) == f"SceneRequest.frames[0].timestamp_ns: {expected}"
    assert refusal(lambda: request(times[:1])) == f"SceneRequest.frames[0].timestamp_ns: {expected}"
    shutter = ImageResource(
        sensor_name="a",
        local_file=LocalFile(filename="a.jpg"),
        start_shutter_timestamp_ns=times[0],
        end_shutter_timestamp_ns=times[0] + 1,
    )
    place = "SceneRequest.frames[0].images[0].start_shutter_timestamp_ns"
    assert refusal(lambda: request([1], images=[shutter])) == f"{place}: {expected}"


SMALL: dict[str, list[int]] = {
    "seconds since the start": [0, 10**9, 2 * 10**9, 3 * 10**9],
    "one second": [10**9],
    "the second that reads 2023": [1_300_000_000, 1_400_000_000, 1_500_000_000],
    "at 100 Hz, where it reads 2023": [1_700_000_000 + i * 10_000_000 for i in range(9)],
    "half an hour into a simulation": [1_700_000_000_000 + i * 100_000_000 for i in range(9)],
    "a computer that runs for 19 days": [1_700_000_000_000_000 + i * 100_000_000 for i in range(9)],
    "counted": [0, 1, 2, 3],
    "today": [NOW * 10**9 + i * 100_000_000 for i in range(9)],
    "before 1970": [-5, -4],
    "all the same": [5, 5, 5],
}


@pytest.mark.parametrize("what", SMALL)
@pytest.mark.parametrize("kind", SEQUENCES)
def test_small_times(kind: type[BaseScene], what: str) -> None:
    """Times since the start of a recording, a simulation or a machine are taken as they are."""
    times = SMALL[what]
    made = sequence(kind, times, imu_data=readings(times))
    assert [getattr(each, "unix_timestamp", None) for each in made.all_frames] == times
    assert len(request(times).frames) == len(times)
    if kind is CamerasSequence:
        assert sequence(kind, shutters=[(time, time) for time in times]).all_frames


def test_a_simulated_frame_amid_its_imu_data() -> None:
    """A single time that could be seconds is taken if IMU data passes around it as nanoseconds."""
    imu = readings(range(1_400_000_000, 1_600_000_000, 10_000_000))
    assert scene(Lidars, frame=frame(Lidars, unix_timestamp=1_500_000_000), imu_data=imu).all_frames


def test_a_simulated_shutter() -> None:
    """An exposure of some milliseconds tells that it is in nanoseconds."""
    assert scene(Cameras, frame=Cameras.Frame(images=[image((1_500_000_000, 1_505_000_000))])).all_frames


RELATIVE: dict[str, tuple[list[int], list[int], str]] = {
    "nanoseconds": ([0, 10**8, 2 * 10**8], [], "200000000 looks like nanoseconds; "),
    "nanoseconds at 20 Hz": ([0, 50_000_000], [], "50000000 looks like nanoseconds; "),
    "Unix time": (tenths("nanoseconds", 2), [], "looks like nanoseconds of Unix time; "),
    "Unix time, microseconds": (tenths("microseconds", 2), [], "looks like microseconds of Unix time; "),
    "microseconds": ([0, 10**5, 2 * 10**5], tenths("nanoseconds", 3), "200000 looks like microseconds; "),
    "nanoseconds at 100 Hz": ([0, 10**7], [NOW * 10**9, NOW * 10**9 + 10**7], "10000000 looks like nanoseconds; "),
}


@pytest.mark.parametrize("what", RELATIVE)
@pytest.mark.parametrize("kind", SEQUENCES)
def test_relative_timestamps_in_another_unit(kind: type[BaseScene], what: str) -> None:
    """Relative timestamps that cannot be milliseconds are an error with the unit that was expected."""
    relative, unix, problem = RELATIVE[what]
    message = refusal(lambda: sequence(kind, unix, relative))
    assert f"{kind.__name__}.frames[{len(relative) - 1}].relative_timestamp: " in message
    assert problem + "milliseconds since the start of the scene are expected" in message


@pytest.mark.parametrize(
    "relative",
    [
        [0, 0, 0],
        [0, 1, 2],
        [0, 100, 200],
        [-200, -100, 0],
        [0, 3_600_000, 7_200_000],
        [0, 10**5, 2 * 10**5],
        tenths("milliseconds", 3),
        tenths("seconds", 3),
    ],
)
def test_relative_timestamps_that_can_be_meant(relative: list[int]) -> None:
    """Indices, equal times, an hour between frames, Unix time in milliseconds: all are taken."""
    assert sequence(CamerasSequence, (), relative).all_frames


@pytest.mark.parametrize("kind", SEQUENCES)
def test_frames_that_run_backwards(kind: type[BaseScene]) -> None:
    """A frame before the one before it is an error that names both times; frames without a time are passed over."""
    message = refusal(lambda: sequence(kind, (), [0, 100, 50]))
    assert message.startswith(
        f"{kind.__name__}.frames[2].relative_timestamp: 50 is before 100, the time of the previous frame"
    )
    message = refusal(lambda: sequence(kind, [5, None, 4], [0, 1, 2]))
    assert message.startswith(f"{kind.__name__}.frames[2].unix_timestamp: 4 is before 5")
    assert "SceneRequest.frames[1].timestamp_ns: 1 is before 2" in refusal(lambda: request([2, 1]))
    assert sequence(kind, [5, None, 5], [0, 0, 0]).all_frames


NO_ROTATIONS = [
    RotationQuaternion(w=0, x=0, y=0, z=0),
    RotationQuaternion(w=1, x=1, y=1, z=1),
    RotationQuaternion(w=0.5, x=0, y=0, z=0),
    RotationQuaternion(w=0, x=0, y=0, z=90),
]
ROTATIONS = [AHEAD, RotationQuaternion(w=-0.7071, x=0, y=0, z=0.7071), RotationQuaternion(w=0.95, x=0.05, y=0, z=0)]


@pytest.mark.parametrize("rotation", NO_ROTATIONS)
def test_quaternions_that_are_none(rotation: RotationQuaternion) -> None:
    """A quaternion that is far from length 1 is an error wherever one is sent."""
    pose = EgoVehiclePose(position=HERE, rotation=rotation)
    for kind in SEQUENCES:
        moved = frame(kind, frame_id="0", relative_timestamp=0, ego_vehicle_pose=pose)
        message = refusal(lambda kind=kind, moved=moved: scene(kind, frames=[moved]))
        assert f"{kind.__name__}.frames[0].ego_vehicle_pose.rotation: (w={rotation.w:g}" in message
        assert "a unit quaternion, of length 1, is expected" in message
    imu = readings([1, 2], rotation)
    place = "Lidars.imu_data[0].rotation_quaternion: (w="
    assert place in refusal(lambda: scene(Lidars, frame=frame(Lidars), imu_data=imu))
    flat = FlatPose(
        x=0,
        y=0,
        z=0,
        rotation_x=rotation.x,
        rotation_y=rotation.y,
        rotation_z=rotation.z,
        rotation_w=rotation.w,
    )
    cloud = SensorResource(sensor_name="b", external_resource_uri="s3://bucket/b.csv")
    place = "SceneRequest.frames[0].ego_vehicle_pose.rotation: (w="
    assert place in refusal(lambda: request([1], pointclouds=[cloud], ego_vehicle_pose=flat))
    lidar = LidarCalibration(position=HERE, rotation_quaternion=rotation)
    place = "SensorCalibration.calibration['roof'].rotation_quaternion: (w="
    assert place in refusal(lambda: SensorCalibration(external_id="all", calibration={"roof": lidar}))


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_quaternions_that_are_rounded(rotation: RotationQuaternion) -> None:
    """Rounded ones are taken."""
    assert scene(Lidars, frame=frame(Lidars), imu_data=readings([1, 2], rotation)).all_frames


def test_what_the_platform_says_is_not_judged() -> None:
    """A pose that is read may have any rotation: only what is sent is looked at."""
    assert EgoVehiclePose(position=HERE, rotation=NO_ROTATIONS[0]).rotation.w == 0
