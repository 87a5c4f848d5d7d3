"""Scenes of all types, made from the files in a folder."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from kognic_aio import SceneWithPreAnnotation, model
from kognic_aio.cli.output import counted
from kognic_aio.emulator import CALIBRATION_ID, CAMERAS, LIDARS

TYPES: Sequence[type[model.BaseScene]] = (
    *(model.Cameras, model.CamerasSequence, model.Lidars, model.LidarsSequence),
    *(model.LidarsAndCameras, model.LidarsAndCamerasSequence, model.AggregatedLidarsAndCamerasSequence),
)

START_NS = 1_648_200_140_000_000_000
FRAMES = 3
"""Frames of a sequence."""

AHEAD = model.RotationQuaternion(w=1, x=0, y=0, z=0)
DRIVE = [
    model.IMUData(
        position=model.Position(x=1.4 * i, y=0, z=0), rotation_quaternion=AHEAD, timestamp=START_NS + i * 10**8
    )
    for i in range(6)
]
"""Where the car is every 100 ms, while the points of the sample files were seen."""

CAMERA, CAR = CAMERAS[0], "c0ffee00-0000-4000-8000-0000000000ca"
STREAM = {"text": [{"name": "stream", "val": CAMERA}]}
BOX = {"name": "box", "val": (317.5, 219.0, 45.0, 22.0), "attributes": STREAM}  # middle, width, height in pixels
FRAME = {"frame_properties": {"timestamp": 0, "external_id": "0"}, "objects": {CAR: {"object_data": {"bbox": [BOX]}}}}
CAR_AHEAD = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0"},
        "streams": {CAMERA: {"type": "camera"}},
        "objects": {CAR: {"name": "car", "type": "Car"}},
        "frames": {"0": FRAME},
    }
}
"""OpenLABEL with one car: a box in the first image of a sequence."""


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
    """Find the images and point clouds in a folder and its subfolders. There must be some."""
    paths = sorted(path for path in folder.resolve().rglob("*") if path.is_file())
    images = [path for path in paths if path.suffix.lower() in model.Image.SUFFIXES]
    clouds = [path for path in paths if path.suffix.lower() in model.PointCloud.SUFFIXES]
    if not images and not clouds:
        expected = ", ".join(suffix.lstrip(".") for suffix in (*model.Image.SUFFIXES, *model.PointCloud.SUFFIXES))
        among = f"no images or point clouds among the {counted(len(paths), 'file')} in {folder}"
        raise click.ClickException(f"{among}: expected {expected}")
    return Files(images=images, clouds=clouds, others=len(paths) - len(images) - len(clouds))


def make_scenes(files: Files, count: int | None = None) -> list[SceneWithPreAnnotation]:
    """Make scenes of each possible type in turn: `count`, or by default enough to use every file."""
    images, clouds = _deal(files.images, CAMERAS[:2]), _deal(files.clouds, LIDARS[:1])
    lacking = [word for word, found in (("cameras", files.images), ("lidars", files.clouds)) if not found]
    unused = set(map(str, (*files.images, *files.clouds)))
    scenes: list[SceneWithPreAnnotation] = []
    for scene_type in cycle([each for each in TYPES if not any(word in each.path for word in lacking)]):
        if len(scenes) == count or (count is None and len(scenes) >= 3 * len(TYPES) and not unused):
            break
        scene = _scene(scene_type, f"demo-{len(scenes) + 1:03}", images, clouds)
        unused -= {file.filename for file in scene.resources.values()}
        has_car = scene_type in (model.CamerasSequence, model.LidarsAndCamerasSequence)
        scenes.append(SceneWithPreAnnotation(scene, CAR_AHEAD if has_car else None))
    return scenes


def _deal(files: Sequence[Path], sensors: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Deal the files to the sensors of each next frame, over and over. A frame has no file twice."""
    dealt = cycle(files)
    while True:
        yield [{"sensor_name": sensor, "filename": next(dealt)} for sensor in sensors[: len(files)]]


def _scene(
    scene_type: type[model.BaseScene], external_id: str, images: Iterator[Any], clouds: Iterator[Any]
) -> model.BaseScene:
    """A scene with all that its type takes, which the path says. The model turns mappings into frames."""
    is_sequence, has_images, has_clouds = (word in scene_type.path for word in ("sequence", "cameras", "lidars"))
    frames: list[dict[str, Any]] = []
    for index, at in enumerate(DRIVE[: FRAMES if is_sequence else 1]):
        frame: dict[str, Any] = {}
        if is_sequence:
            pose = model.EgoVehiclePose(position=at.position, rotation=at.rotation_quaternion)
            frame = {"frame_id": str(index), "relative_timestamp": 100 * index, "ego_vehicle_pose": pose}
            frame["unix_timestamp"] = at.timestamp
        if has_images:
            frame["images"] = next(images)
        if has_clouds:  # those of an aggregated sequence are in its first frame
            frame["point_clouds"] = () if index and "aggregated" in scene_type.path else next(clouds)
        frames.append(frame)
    given: dict[str, Any] = {"frames": frames} if is_sequence else {"frame": frames[0]}
    if has_images:
        given["calibration_id"] = CALIBRATION_ID
    if scene_type is model.LidarsSequence:
        given["imu_data"] = DRIVE
    return scene_type(external_id=external_id, **given)
