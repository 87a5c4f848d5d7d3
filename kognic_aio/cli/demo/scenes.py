"""Scenes of several types from files."""

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

from attrs import define

from kognic_aio import SceneWithPreAnnotation
from kognic_aio.cli.demo.files import Files
from kognic_aio.cli.demo.pre_annotation import car_ahead
from kognic_aio.emulator import CALIBRATION_ID, CAMERAS, LIDARS
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    BaseScene,
    Cameras,
    CamerasSequence,
    EgoVehiclePose,
    Image,
    IMUData,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    PointCloud,
    Position,
    RotationQuaternion,
)

AT_LEAST = 21
"""Scenes for a folder of few files: three of each of the seven types."""

IMAGES, CLOUDS, FRAMES = 2, 1, 3
"""Images and point clouds in a frame, frames in a sequence."""

START_NS = 1_648_200_140_000_000_000
FRAME_MS = 100
METRES_PER_FRAME = 1.4
AHEAD = RotationQuaternion(w=1, x=0, y=0, z=0)


def make_scenes(files: Files, count: int | None = None) -> list[SceneWithPreAnnotation]:
    """Make scenes of every type that the files allow, in turn.

    Args:
        files: What to make them from.
        count: How many. By default enough for each file to be in one, and for several of each type.
    """
    maker = Maker(Deck(files.images), Deck(files.clouds))
    scenes: list[SceneWithPreAnnotation] = []
    for make in cycle(maker.recipes):
        if len(scenes) == count or (count is None and len(scenes) >= AT_LEAST and maker.has_dealt_all):
            break
        scenes.append(_with_pre_annotation(make(f"demo-{len(scenes) + 1:03}")))
    return scenes


def _with_pre_annotation(scene: BaseScene) -> SceneWithPreAnnotation:
    match scene:
        case CamerasSequence() | LidarsAndCamerasSequence():
            return SceneWithPreAnnotation(scene, car_ahead(scene))
        case _:
            return SceneWithPreAnnotation(scene)


@define
class Deck:
    """Files that are dealt in their order, over and over."""

    files: Sequence[Path]
    dealt: int = 0

    def deal(self, count: int) -> list[str]:
        """The next files; none of them twice."""
        count = min(count, len(self.files))
        hand = [str(self.files[(self.dealt + i) % len(self.files)]) for i in range(count)]
        self.dealt += count
        return hand

    @property
    def has_dealt_all(self) -> bool:
        """Whether every file has been dealt."""
        return self.dealt >= len(self.files)


@define
class Maker:
    """Makes scenes, under the external id that it is told."""

    images: Deck
    clouds: Deck

    @property
    def recipes(self) -> Sequence[Callable[[str], BaseScene]]:
        """A maker for each type that the files allow."""
        cameras = (self.cameras, self.cameras_sequence) if self.images.files else ()
        lidars = (self.lidars, self.lidars_sequence) if self.clouds.files else ()
        both = (self.lidars_and_cameras, self.lidars_and_cameras_sequence, self.aggregated)
        return (*cameras, *lidars, *(both if cameras and lidars else ()))

    @property
    def has_dealt_all(self) -> bool:
        """Whether every file is in a scene."""
        return self.images.has_dealt_all and self.clouds.has_dealt_all

    def cameras(self, external_id: str) -> Cameras:
        """Images of one moment."""
        return Cameras(external_id=external_id, frame=Cameras.Frame(images=self._images()))

    def cameras_sequence(self, external_id: str) -> CamerasSequence:
        """Images of several moments."""
        frames = [
            CamerasSequence.Frame(frame_id=str(i), relative_timestamp=FRAME_MS * i, images=self._images())
            for i in range(FRAMES)
        ]
        return CamerasSequence(external_id=external_id, frames=frames, metadata={"region": "EU"})

    def lidars(self, external_id: str) -> Lidars:
        """Point clouds of one moment."""
        return Lidars(external_id=external_id, frame=Lidars.Frame(point_clouds=self._clouds()))

    def lidars_sequence(self, external_id: str) -> LidarsSequence:
        """Point clouds of several moments, with IMU data."""
        frames = [
            LidarsSequence.Frame(
                frame_id=str(i),
                relative_timestamp=FRAME_MS * i,
                unix_timestamp=_time_ns(i),
                point_clouds=self._clouds(),
            )
            for i in range(FRAMES)
        ]
        imu = [IMUData(position=_position(i), rotation_quaternion=AHEAD, timestamp=_time_ns(i)) for i in range(FRAMES)]
        return LidarsSequence(external_id=external_id, frames=frames, imu_data=imu)

    def lidars_and_cameras(self, external_id: str) -> LidarsAndCameras:
        """Point clouds and images of one moment."""
        frame = LidarsAndCameras.Frame(point_clouds=self._clouds(), images=self._images())
        return LidarsAndCameras(external_id=external_id, frame=frame, calibration_id=CALIBRATION_ID)

    def lidars_and_cameras_sequence(self, external_id: str) -> LidarsAndCamerasSequence:
        """Point clouds and images of several moments."""
        frames = [
            LidarsAndCamerasSequence.Frame(
                frame_id=str(i),
                relative_timestamp=FRAME_MS * i,
                point_clouds=self._clouds(),
                images=self._images(),
            )
            for i in range(FRAMES)
        ]
        return LidarsAndCamerasSequence(external_id=external_id, frames=frames, calibration_id=CALIBRATION_ID)

    def aggregated(self, external_id: str) -> AggregatedLidarsAndCamerasSequence:
        """Images of several moments, and point clouds in the first."""
        frames = [
            AggregatedLidarsAndCamerasSequence.Frame(
                frame_id=str(i),
                relative_timestamp=FRAME_MS * i,
                point_clouds=() if i else self._clouds(),
                images=self._images(),
                ego_vehicle_pose=EgoVehiclePose(position=_position(i), rotation=AHEAD),
            )
            for i in range(FRAMES)
        ]
        return AggregatedLidarsAndCamerasSequence(external_id=external_id, frames=frames, calibration_id=CALIBRATION_ID)

    def _images(self) -> list[Image]:
        dealt = zip(self.images.deal(IMAGES), CAMERAS, strict=False)
        return [Image(filename=filename, sensor_name=sensor) for filename, sensor in dealt]

    def _clouds(self) -> list[PointCloud]:
        dealt = zip(self.clouds.deal(CLOUDS), LIDARS, strict=False)
        return [PointCloud(filename=filename, sensor_name=sensor) for filename, sensor in dealt]


def _time_ns(frame: int) -> int:
    return START_NS + 1_000_000 * FRAME_MS * frame


def _position(frame: int) -> Position:
    return Position(x=METRES_PER_FRAME * frame, y=0, z=0)
