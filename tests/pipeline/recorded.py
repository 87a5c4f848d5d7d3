"""The scenes that `version_1.sql` and `version_3.sql` know: the journals of runs over them by those versions.

They are made here and nowhere else, as they must never change.
"""

from typing import Any

from kognic_aio import FileData, SceneWithPreAnnotation
from kognic_aio.emulator import CALIBRATION_ID
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
    SensorSpecification,
)

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


def image(name: str, **fields: Any) -> Image:
    shutter = ImageMetadata(shutter_time_start_ns=START, shutter_time_end_ns=START + 5)
    data = FileData(data=b"\xff\xd8\xff\xe0 an image", format="jpg")
    return Image(filename=name, sensor_name="RFC01", metadata=shutter, file_data=data, **fields)


def cloud(name: str) -> PointCloud:
    data = FileData(data=b"ts_gps,x,y,z,intensity\n0,1.0,2.0,3.0,7\n", format="csv")
    return PointCloud(filename=name, sensor_name="RFL01", file_data=data)


def scenes() -> list[SceneWithPreAnnotation]:
    """A scene of each type, the first and the last with a pre-annotation, and some that had not ended well."""
    here, turned = Position(x=1.0, y=2.0, z=3.5), RotationQuaternion(w=1.0, x=0.0, y=0.0, z=0.0)
    pose = EgoVehiclePose(position=here, rotation=turned)
    imu = [IMUData(position=here, rotation_quaternion=turned, timestamp=START + n * SECOND) for n in range(3)]
    shown = SensorSpecification(sensor_to_pretty_name={"RFC01": "Front"}, sensor_order=["RFC01"])
    region: Any = {"region": "north", "wet": True, "speed": 1.5, "trip": 7}
    images, clouds = [image("front.0.jpg"), image("left.jpg", resource_id="own.jpg")], [cloud("roof.csv")]
    place: dict[str, Any] = {"calibration_id": CALIBRATION_ID, "sensor_specification": shown}
    moment: dict[str, Any] = {"frame_id": "0", "relative_timestamp": 0, "metadata": {"lane": 1}}
    then: dict[str, Any] = {"ego_vehicle_pose": pose, "unix_timestamp": START + SECOND}
    made: list[BaseScene] = [
        Cameras(external_id="cameras", frame=Cameras.Frame(images=images), metadata=region, sensor_specification=shown),
        CamerasSequence(external_id="cameras-sequence", frames=[CamerasSequence.Frame(images=images, **moment)]),
        Lidars(external_id="lidars", frame=Lidars.Frame(point_clouds=clouds, unix_timestamp=START), imu_data=imu),
        LidarsSequence(
            external_id="lidars-sequence", frames=[LidarsSequence.Frame(point_clouds=clouds, **moment, **then)]
        ),
        LidarsAndCameras(
            external_id="lidars-and-cameras",
            frame=LidarsAndCameras.Frame(point_clouds=clouds, images=images),
            **place,
        ),
        LidarsAndCamerasSequence(
            external_id="lidars-and-cameras-sequence",
            frames=[LidarsAndCamerasSequence.Frame(point_clouds=clouds, images=images, **moment, **then)],
            imu_data=imu,
            **place,
        ),
        AggregatedLidarsAndCamerasSequence(
            external_id="aggregated-lidars-and-cameras-sequence",
            frames=[AggregatedLidarsAndCamerasSequence.Frame(point_clouds=clouds, images=images, **moment, **then)],
            **place,
        ),
        Cameras(external_id="failed", frame=Cameras.Frame(images=images)),
        Cameras(external_id="hangs", frame=Cameras.Frame(images=images)),
    ]
    annotated = ("cameras", "aggregated-lidars-and-cameras-sequence")
    return [SceneWithPreAnnotation(each, OPENLABEL if each.external_id in annotated else None) for each in made]
