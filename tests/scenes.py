"""Scenes of all seven types from any form of file data, in the vocabulary of either client.

The official models have the same names as ours, so one description builds a scene for each.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from attrs import frozen
from kognic.io.model import ego as official_ego
from kognic.io.model import scene as official
from kognic.io.model.calibration import Position, RotationQuaternion
from kognic.io.model.scene import (
    aggregated_lidars_and_cameras_seq,
    cameras,
    cameras_sequence,
    lidars,
    lidars_and_cameras,
    lidars_and_cameras_sequence,
    lidars_sequence,
)
from kognic.io.resources.scene.file_data import FileData as OfficialFileData

from kognic_aio import FileData, model
from kognic_aio.emulator import CALIBRATION_ID

SECOND = 1_000_000_000
JPG = b"\xff\xd8\xff\xe0 as good as any image"
CSV = b"ts_gps,x,y,z,intensity\n0,1.0,2.0,3.0,7\n"


@frozen
class Vocabulary:
    """The names of one client's models."""

    models: Any
    file_data: Any
    frames: dict[str, Any]

    def frame(self, kind: str, **fields: Any) -> Any:
        return self.frames[kind](**fields)

    def scene(self, kind: str, **fields: Any) -> Any:
        return getattr(self.models, kind)(external_id=f"scene-{kind}", **fields)


class _OfficialModels:
    """The official models in one place; the package does not export all of them."""

    AggregatedLidarsAndCamerasSequence = official.AggregatedLidarsAndCamerasSequence
    Cameras = official.Cameras
    CamerasSequence = official.CamerasSequence
    EgoVehiclePose = official_ego.EgoVehiclePose
    IMUData = official_ego.IMUData
    Image = official.Image
    ImageMetadata = official.ImageMetadata
    Lidars = lidars.Lidars
    LidarsAndCameras = official.LidarsAndCameras
    LidarsAndCamerasSequence = official.LidarsAndCamerasSequence
    LidarsSequence = lidars_sequence.LidarsSequence
    PointCloud = official.PointCloud
    Position = Position
    RotationQuaternion = RotationQuaternion
    SensorSpecification = official.SensorSpecification


KINDS = {
    "Cameras": ("cameras", cameras),
    "CamerasSequence": ("cameras_sequence", cameras_sequence),
    "Lidars": ("lidars", lidars),
    "LidarsSequence": ("lidars_sequence", lidars_sequence),
    "LidarsAndCameras": ("lidars_and_cameras", lidars_and_cameras),
    "LidarsAndCamerasSequence": ("lidars_and_cameras_sequence", lidars_and_cameras_sequence),
    "AggregatedLidarsAndCamerasSequence": ("aggregated_lidars_and_cameras_seq", aggregated_lidars_and_cameras_seq),
}
"""The client's attribute for each scene type, and the official module of its frame."""

OURS = Vocabulary(model, FileData, {kind: getattr(model, kind).Frame for kind in KINDS})
OFFICIAL = Vocabulary(_OfficialModels, OfficialFileData, {kind: module.Frame for kind, (_, module) in KINDS.items()})

Source = Callable[[Vocabulary, Path, str, bytes], dict[str, Any]]
"""Makes the arguments of an image or point cloud: from a folder, a name and the bytes that it must have."""


def local_file(_: Vocabulary, folder: Path, name: str, content: bytes) -> dict[str, Any]:
    path = folder / name
    path.write_bytes(content)
    return {"filename": str(path)}


def _given(data: Callable[[Path, str, bytes], Any]) -> Source:
    def source(words: Vocabulary, folder: Path, name: str, content: bytes) -> dict[str, Any]:
        format_ = words.file_data.Format(name.rpartition(".")[2])
        return {"filename": name, "file_data": words.file_data(format=format_, data=data(folder, name, content))}

    return source


def _called(callback: Callable[[Path, str, bytes], Callable[[str], Any]]) -> Source:
    def source(words: Vocabulary, folder: Path, name: str, content: bytes) -> dict[str, Any]:
        format_ = words.file_data.Format(name.rpartition(".")[2])
        call = callback(folder, name, content)
        return {"filename": name, "file_data": words.file_data(format=format_, callback=call)}

    return source


def _opened(folder: Path, name: str, content: bytes) -> Any:
    path = folder / name
    path.write_bytes(content)
    return path.open("rb")


def _halves(content: bytes) -> Iterator[bytes]:
    middle = len(content) // 2
    yield content[:middle]
    yield content[middle:]


async def _async_halves(content: bytes) -> AsyncIterator[bytes]:
    for half in _halves(content):
        yield half


def _sync_callback(result: Callable[[bytes], Any]) -> Source:
    return _called(lambda folder, name, content: lambda filename: result(content))


def _async_callback(result: Callable[[bytes], Any]) -> Source:
    def make(folder: Path, name: str, content: bytes) -> Callable[[str], Any]:
        async def call(filename: str) -> Any:
            return result(content)

        return call

    return _called(make)


SOURCES: dict[str, Source] = {
    "local-file": local_file,
    "bytes": _given(lambda folder, name, content: content),
    "memory-stream": _given(lambda folder, name, content: BytesIO(content)),
    "open-file": _given(_opened),
    "generator": _given(lambda folder, name, content: _halves(content)),
    "async-generator": _given(lambda folder, name, content: _async_halves(content)),
    "sync-callback": _sync_callback(bytes),
    "sync-callback-stream": _sync_callback(BytesIO),
    "sync-callback-generator": _sync_callback(_halves),
    "async-callback": _async_callback(bytes),
    "async-callback-stream": _async_callback(BytesIO),
    "async-callback-async-generator": _async_callback(_async_halves),
}


@frozen
class Built:
    """A scene, and the bytes of each of its files by name."""

    scene: Any
    contents: dict[str, bytes]


def build(kind: str, source: Source, folder: Path, words: Vocabulary = OURS) -> Built:
    """A scene of a type with everything that the type can have, its files coming from a source."""
    contents: dict[str, bytes] = {}

    def image(name: str) -> Any:
        contents[f"{name}.jpg"] = JPG + name.encode()
        shutter = words.models.ImageMetadata(shutter_time_start_ns=SECOND, shutter_time_end_ns=SECOND + 5)
        arguments = source(words, folder, f"{name}.jpg", contents[f"{name}.jpg"])
        return words.models.Image(sensor_name="RFC01", metadata=shutter, **arguments)

    def cloud(name: str) -> Any:
        contents[f"{name}.csv"] = CSV + name.encode()
        return words.models.PointCloud(
            sensor_name="RFL01", **source(words, folder, f"{name}.csv", contents[f"{name}.csv"])
        )

    here = words.models.Position(x=1.0, y=2.0, z=3.5)
    turned = words.models.RotationQuaternion(w=1.0, x=0.0, y=0.0, z=0.0)
    pose = words.models.EgoVehiclePose(position=here, rotation=turned)
    imu = [
        words.models.IMUData(position=here, rotation_quaternion=turned, timestamp=second * SECOND)
        for second in range(4)
    ]
    shown = words.models.SensorSpecification(sensor_to_pretty_name={"RFC01": "Front"}, sensor_order=["RFC01"])
    has_images, has_clouds = "Cameras" in kind, "Lidars" in kind
    is_sequence = "Sequence" in kind

    def frame(number: int) -> Any:
        fields: dict[str, Any] = {}
        if has_images:
            fields["images"] = [image(f"front.{number}"), image(f"left_{number}")]
        if has_clouds:
            fields["point_clouds"] = [cloud(f"roof_{number}")]
            fields["unix_timestamp"] = (number + 1) * SECOND
        if is_sequence:
            fields |= {"frame_id": str(number), "relative_timestamp": 100 * number}
            fields["metadata"] = {"lane": number, "dark": False}
            fields |= {"ego_vehicle_pose": pose} if has_clouds else {}
        return words.frame(kind, **fields)

    fields: dict[str, Any] = {"metadata": {"region": "north", "wet": True, "speed": 1.5, "trip": 7}}
    fields |= {"frames": [frame(0), frame(1)]} if is_sequence else {"frame": frame(0)}
    fields |= {"sensor_specification": shown} if has_images else {}
    fields |= {"imu_data": imu} if has_clouds else {}
    fields |= {"calibration_id": CALIBRATION_ID} if has_images and has_clouds else {}
    return Built(words.scene(kind, **fields), contents)


def cameras_scene(external_id: str, content: bytes = JPG, *, files: int = 1, **file_data: Any) -> model.Cameras:
    """A small Cameras scene, its files all of the same data."""
    given = file_data or {"data": content}
    images = [model.Image(filename=f"{i}.jpg", file_data=FileData(format="jpg", **given)) for i in range(files)]
    return model.Cameras(external_id=external_id, frame=model.Cameras.Frame(images=images))
