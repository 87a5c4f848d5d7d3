"""What people write, as type checkers see it: mypy and pyright look at this file in strict mode, nobody runs it."""

from enum import Enum
from pathlib import Path

from pydantic import BaseModel

from kognic_aio import FileData
from kognic_aio.model import Cameras, CamerasSequence, Image, MetaData, PointCloud, UnixTimestampNs
from kognic_aio.model.scene_request import EgoVehiclePose, Frame, ImageResource, LocalFile, SceneRequest, SensorResource


class Weather(Enum):
    """Metadata of one's own."""

    RAIN = "rain"


class Trip(BaseModel):
    """Metadata as a model of pydantic."""

    driver: str


def metadata(rows: dict[str, object], numbers: dict[str, float], trip: Trip, weather: dict[Weather, int]) -> None:
    """Metadata is whatever mapping people have, or a model."""
    frame = Cameras.Frame(images=[Image(filename=Path("a.jpg"))])
    for given in (rows, numbers, trip, weather, MetaData(region="EU", driver="x"), None):
        scene = Cameras(external_id="a", frame=frame, metadata=given)
        CamerasSequence.Frame(frame_id="0", relative_timestamp=0, images=frame.images, metadata=given)
        SceneRequest(workspace_id="w", external_id="a", frames=request_frames(), metadata=given)
        value: str | int | float | bool = scene.metadata["region"]
        print(value)


def request_frames() -> list[Frame]:
    """File names are paths, and poses flat."""
    time: UnixTimestampNs = 1
    pose = EgoVehiclePose(x=1, y=2, z=3, rotation_x=0, rotation_y=0, rotation_z=0, rotation_w=1)
    image = ImageResource(sensor_name="a", local_file=LocalFile(filename=Path("a.jpg")))
    cloud = SensorResource(sensor_name="b", local_file=LocalFile(filename="b.csv", data=b"x"))
    return [Frame(frame_id="0", timestamp_ns=time, images=[image], pointclouds=[cloud], ego_vehicle_pose=pose)]


def names(path: Path) -> list[str]:
    """What is read is text."""
    cloud = PointCloud(filename=path, file_data=FileData(format="csv", callback=lambda name: name.encode()))
    return [cloud.filename, cloud.client_filename, cloud.resource_id, LocalFile(filename=path).filename]
