"""The official synchronous client, and scenes of each type to drive it with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from kognic.io.client import KognicIOClient
from kognic.io.model import calibration as calibrations
from kognic.io.model import ego
from kognic.io.model import scene as scenes
from kognic.io.model.scene import (
    aggregated_lidars_and_cameras_seq,
    cameras,
    cameras_sequence,
    lidars_and_cameras,
    lidars_and_cameras_sequence,
    lidars_sequence,
)
from kognic.io.model.scene import lidars as lidars_model
from kognic.io.resources.scene.file_data import FileData

from kognic_aio.emulator import CALIBRATION_ID, Emulator

from .support import CSV

IMAGE = b"as good as any image"
POSITION = calibrations.Position(x=0.0, y=0.0, z=0.0)
ROTATION = calibrations.RotationQuaternion(w=1.0, x=0.0, y=0.0, z=0.0)
POSE = ego.EgoVehiclePose(position=POSITION, rotation=ROTATION)
SECOND = 1_000_000_000
IMU = [ego.IMUData(position=POSITION, rotation_quaternion=ROTATION, timestamp=t) for t in (0, 5 * SECOND)]

Work = Callable[[KognicIOClient], Any]


@contextmanager
def official_client(emulator: Emulator) -> Iterator[KognicIOClient]:
    client = KognicIOClient(**emulator.client_options())
    try:
        yield client
    finally:
        client._auth_session.oauth_session.close()


async def drive(emulator: Emulator, work: Work) -> Any:
    """Let the official client work in a thread: it blocks, and runs event loops of its own."""

    def run() -> Any:
        with official_client(emulator) as client:
            return work(client)

    return await anyio.to_thread.run_sync(run)


class Files:
    """Makes images and point clouds of local files, or of bytes."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def image(self, name: str) -> scenes.Image:
        times = scenes.ImageMetadata(shutter_time_start_ns=1, shutter_time_end_ns=2, reversed_shutter=False)
        return scenes.Image(**self._source(f"{name}.png", IMAGE), sensor_name="RFC01", metadata=times)

    def cloud(self, name: str) -> scenes.PointCloud:
        return scenes.PointCloud(**self._source(f"{name}.csv", CSV), sensor_name="RFL01")

    def _source(self, filename: str, content: bytes) -> dict[str, Any]:
        if self.folder is None:
            format_ = FileData.Format(filename.rpartition(".")[2])
            return {"filename": filename, "file_data": FileData(format=format_, data=content)}
        path = self.folder / filename
        path.write_bytes(content)
        return {"filename": str(path)}


def make_cameras(files: Files) -> Any:
    frame = cameras.Frame(images=[files.image("a"), files.image("b")])
    return scenes.Cameras(external_id="official", frame=frame, metadata={"region": "north"})


def make_cameras_sequence(files: Files) -> Any:
    frames = [
        cameras_sequence.Frame(frame_id=str(i), relative_timestamp=100 * i, images=[files.image(str(i))])
        for i in range(2)
    ]
    names = scenes.SensorSpecification(sensor_to_pretty_name={"RFC01": "Front"}, sensor_order=["RFC01"])
    return scenes.CamerasSequence(external_id="official", frames=frames, sensor_specification=names)


def make_lidars(files: Files) -> Any:
    frame = lidars_model.Frame(point_clouds=[files.cloud("a")], unix_timestamp=SECOND)
    return lidars_model.Lidars(external_id="official", frame=frame, imu_data=IMU)


def make_lidars_sequence(files: Files) -> Any:
    frame = lidars_sequence.Frame(frame_id="0", relative_timestamp=0, point_clouds=[files.cloud("a")])
    return lidars_sequence.LidarsSequence(external_id="official", frames=[frame])


def make_lidars_and_cameras(files: Files) -> Any:
    frame = lidars_and_cameras.Frame(point_clouds=[files.cloud("a")], images=[files.image("a")], unix_timestamp=SECOND)
    return scenes.LidarsAndCameras(external_id="official", frame=frame, calibration_id=CALIBRATION_ID)


def make_lidars_and_cameras_sequence(files: Files) -> Any:
    frames = [
        lidars_and_cameras_sequence.Frame(
            frame_id=str(i),
            relative_timestamp=100 * i,
            point_clouds=[files.cloud(str(i))],
            images=[files.image(str(i))],
            ego_vehicle_pose=POSE,
            unix_timestamp=SECOND * i,
        )
        for i in range(2)
    ]
    return scenes.LidarsAndCamerasSequence(
        external_id="official", frames=frames, calibration_id=CALIBRATION_ID, imu_data=IMU
    )


def make_aggregated(files: Files) -> Any:
    frames = [
        aggregated_lidars_and_cameras_seq.Frame(
            frame_id=str(i),
            relative_timestamp=100 * i,
            point_clouds=[] if i else [files.cloud("only")],
            images=[files.image(str(i))],
            ego_vehicle_pose=POSE,
        )
        for i in range(2)
    ]
    return scenes.AggregatedLidarsAndCamerasSequence(
        external_id="official", frames=frames, calibration_id=CALIBRATION_ID
    )


# What makes a scene of each type, by the client's own name for it.
MAKERS: dict[str, Callable[[Files], Any]] = {
    "cameras": make_cameras,
    "cameras_sequence": make_cameras_sequence,
    "lidars": make_lidars,
    "lidars_sequence": make_lidars_sequence,
    "lidars_and_cameras": make_lidars_and_cameras,
    "lidars_and_cameras_sequence": make_lidars_and_cameras_sequence,
    "aggregated_lidars_and_cameras_seq": make_aggregated,
}
