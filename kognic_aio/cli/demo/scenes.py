"""Scenes of all types, made from the files in a folder."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

import click
from attrs import define, fields_dict, frozen

from kognic_aio import SceneWithPreAnnotation
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

MIN_SCENES = 21
"""Scenes for a folder of few files: three of each of the seven types."""

IMAGES, CLOUDS, FRAMES = 2, 1, 3
"""Images and point clouds in a frame, frames in a sequence."""

START_NS, FRAME_MS, METRES_PER_FRAME = 1_648_200_140_000_000_000, 100, 1.4
AHEAD = RotationQuaternion(w=1, x=0, y=0, z=0)
BOX = (320.0, 180.0, 60.0, 40.0)
"""Middle, width and height in pixels."""

TYPES: tuple[type[Any], ...] = (
    *(Cameras, CamerasSequence),
    *(Lidars, LidarsSequence),
    *(LidarsAndCameras, LidarsAndCamerasSequence, AggregatedLidarsAndCamerasSequence),
)

F = TypeVar("F", Image, PointCloud)


@frozen(kw_only=True)
class Files:
    """The images and point clouds in a folder, and how many other files it has."""

    images: Sequence[Path]
    clouds: Sequence[Path]
    others: int

    def __len__(self) -> int:
        return len(self.images) + len(self.clouds)

    def __str__(self) -> str:
        ignored = f", {counted(self.others, 'other file')} ignored" if self.others else ""
        return f"{counted(len(self.images), 'image')} and {counted(len(self.clouds), 'point cloud')}{ignored}"


def find_files(folder: Path) -> Files:
    """Find the images and point clouds in a folder and the folders below it.

    Raises:
        ClickException: If there are none.
    """
    paths = sorted(path for path in folder.resolve().rglob("*") if path.is_file())
    images = [path for path in paths if path.suffix.lower() in Image.SUFFIXES]
    clouds = [path for path in paths if path.suffix.lower() in PointCloud.SUFFIXES]
    files = Files(images=images, clouds=clouds, others=len(paths) - len(images) - len(clouds))
    if not len(files):
        expected = ", ".join(suffix.lstrip(".") for suffix in (*Image.SUFFIXES, *PointCloud.SUFFIXES))
        among = f"no images or point clouds among the {counted(files.others, 'file')} in {folder}"
        raise click.ClickException(f"{among}: expected {expected}")
    return files


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as `1 image` or `1,200 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def make_scenes(files: Files, count: int | None = None) -> list[SceneWithPreAnnotation]:
    """Make scenes of every type that the files allow, in turn.

    Args:
        files: The files to make them from.
        count: How many to make. By default enough to use each file, and to have several of each type.
    """
    images = Deck(Image, files.images, CAMERAS, IMAGES)
    clouds = Deck(PointCloud, files.clouds, LIDARS, CLOUDS)
    lacking = {name for name, deck in (("images", images), ("point_clouds", clouds)) if not deck.files}
    scenes: list[SceneWithPreAnnotation] = []
    for kind in cycle([kind for kind in TYPES if not lacking & fields_dict(kind.Frame).keys()]):
        is_enough = len(scenes) >= MIN_SCENES and not (images.is_left or clouds.is_left)
        if is_enough if count is None else len(scenes) == count:
            break
        scene = _scene(kind, f"demo-{len(scenes) + 1:03}", images, clouds)
        has_boxes = isinstance(scene, CamerasSequence | LidarsAndCamerasSequence)
        scenes.append(SceneWithPreAnnotation(scene, _car_ahead(scene) if has_boxes else None))
    return scenes


@define
class Deck(Generic[F]):
    """Deals the files of a kind in their order, over and over: one for each sensor of a frame, none of them twice."""

    kind: type[F]
    files: Sequence[Path]
    sensors: Sequence[str]
    per_frame: int
    dealt: int = 0

    @property
    def is_left(self) -> bool:
        """Whether a file has not been dealt yet."""
        return self.dealt < len(self.files)

    def deal(self) -> list[F]:
        """The files of the next frame."""
        number = min(self.per_frame, len(self.files))
        hand = [str(self.files[(self.dealt + i) % len(self.files)]) for i in range(number)]
        self.dealt += number
        return [self.kind(filename=file, sensor_name=at) for file, at in zip(hand, self.sensors, strict=False)]


def _scene(kind: type[Any], name: str, images: Deck[Image], clouds: Deck[PointCloud]) -> BaseScene:
    """A scene of a type with all that this type takes."""
    is_single, takes = "frame" in fields_dict(kind), fields_dict(kind).keys()
    frames = [_frame(kind.Frame, i, images, clouds) for i in range(1 if is_single else FRAMES)]
    given: dict[str, Any] = {"external_id": name} | ({"frame": frames[0]} if is_single else {"frames": frames})
    if "calibration_id" in takes and "images" in fields_dict(kind.Frame):
        given["calibration_id"] = CALIBRATION_ID
    if kind is LidarsSequence:
        given["imu_data"] = [
            IMUData(position=_position(i), rotation_quaternion=AHEAD, timestamp=_time_ns(i)) for i in range(FRAMES)
        ]
    scene: BaseScene = kind(**given)
    return scene


def _frame(kind: type[Any], index: int, images: Deck[Image], clouds: Deck[PointCloud]) -> Any:
    """The frame of a moment. Of an aggregated sequence, only the first has point clouds."""
    takes = fields_dict(kind).keys()
    given: dict[str, Any] = {"images": images.deal()} if "images" in takes else {}
    if "point_clouds" in takes and not (kind is AggregatedLidarsAndCamerasSequence.Frame and index):
        given["point_clouds"] = clouds.deal()
    if "frame_id" in takes:
        given |= {"frame_id": str(index), "relative_timestamp": FRAME_MS * index}
    if "ego_vehicle_pose" in takes:
        given["ego_vehicle_pose"] = EgoVehiclePose(position=_position(index), rotation=AHEAD)
    if "unix_timestamp" in takes:
        given["unix_timestamp"] = _time_ns(index)
    return kind(**given)


def _time_ns(frame: int) -> int:
    return START_NS + 1_000_000 * FRAME_MS * frame


def _position(frame: int) -> Position:
    return Position(x=METRES_PER_FRAME * frame, y=0, z=0)


def _car_ahead(scene: CamerasSequence | LidarsAndCamerasSequence) -> dict[str, Any]:
    """OpenLABEL with one car: a box in the first image of each frame."""
    car, camera = str(uuid5(NAMESPACE_URL, scene.external_id)), scene.frames[0].images[0].sensor_name
    box = {"name": "box", "val": BOX, "attributes": {"text": [{"name": "stream", "val": camera}]}}
    frames = {
        str(index): {
            "frame_properties": {"timestamp": frame.relative_timestamp, "external_id": frame.frame_id},
            "objects": {car: {"object_data": {"bbox": [box]}}},
        }
        for index, frame in enumerate(scene.frames)
    }
    content = {"objects": {car: {"name": car, "type": "Car"}}, "frames": frames}
    streams = {camera: {"type": "camera"}}
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "streams": streams, **content}}
