"""Arguments that a model does not take, and models of another package: the error says what to write instead."""

import inspect
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import attrs
import pytest
from attrs import fields
from kognic.io.model import calibration as official_calibration
from kognic.io.model import ego as official_ego
from kognic.io.model import scene as official
from kognic.io.model.scene import cameras as official_cameras
from kognic.io.model.scene.metadata.metadata import FrameMetaData as OfficialFrameMetaData
from kognic.io.model.scene.metadata.metadata import MetaData as OfficialMetaData
from kognic.io.resources.scene.file_data import FileData as OfficialFileData

from kognic_aio import FileData, Limits
from kognic_aio._http.wire import encode
from kognic_aio._validation.fields import Validated
from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    Cameras,
    CamerasSequence,
    EgoVehiclePose,
    FrameMetaData,
    Image,
    Lidars,
    MetaData,
    PointCloud,
    Position,
    RotationQuaternion,
    SensorSpecification,
)
from kognic_aio.model.calibration import LidarCalibration, SensorCalibration
from kognic_aio.model.scene_request import LocalFile
from tests.http.models import MODELS

JPG = FileData(format="jpg", data=b"x")
FRAME = Cameras.Frame(images=[Image(filename="a.jpg", file_data=JPG)])


def is_filled_in(model: Any) -> bool:
    """Whether users make such models, with arguments."""
    return issubclass(model, Validated) and bool(fields(model))


CLOUD = PointCloud(filename="a.csv", file_data=FileData(format="csv", data=b"x"))
LIDAR_FRAME = Lidars.Frame(point_clouds=[CLOUD])
CHECKED: list[Any] = [FileData, LocalFile, *(each for each in MODELS if is_filled_in(each))]


def cameras(**fields: Any) -> Cameras:
    given: dict[str, Any] = {"external_id": "a", "frame": FRAME} | fields
    return Cameras(**given)


def official_image() -> Any:
    data = OfficialFileData(format=OfficialFileData.Format.JPG, data=b"x")
    return official.Image(filename="a.jpg", file_data=data)


def official_reading() -> Any:
    return official_ego.IMUData(
        position=official_calibration.Position(x=0, y=0, z=0),
        rotation_quaternion=official_calibration.RotationQuaternion(w=1, x=0, y=0, z=0),
        timestamp=1,
    )


def official_lidar() -> Any:
    return official_calibration.LidarCalibration(
        position=official_calibration.Position(x=0, y=0, z=0),
        rotation_quaternion=official_calibration.RotationQuaternion(w=1, x=0, y=0, z=0),
    )


POSITION: Any = Position
FILE_DATA: Any = FileData

MISUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a name without underscore": (
        lambda: Cameras(externalid="a", frame=FRAME),  # type: ignore[call-arg]
        "Cameras: unknown argument 'externalid', did you mean 'external_id'? It takes external_id, metadata",
    ),
    "a name of the wire": (
        lambda: SensorSpecification(sensorToPrettyName={}),  # type: ignore[call-arg]
        "SensorSpecification: unknown argument 'sensorToPrettyName', did you mean 'sensor_to_pretty_name'?",
    ),
    "a name like none": (
        lambda: Position(x=1, y=2, z=3, q=4),  # type: ignore[call-arg]
        "Position: unknown argument 'q'. It takes x, y, z",
    ),
    "arguments by position": (
        lambda: POSITION(1, 2, 3),
        "Position takes its arguments by name: Position(x=..., y=..., z=...)",
    ),
    "file data by position": (
        lambda: FILE_DATA("jpg", b"x"),
        "FileData takes its arguments by name: FileData(",
    ),
    "a limit by another name": (
        lambda: Limits(upload=3),  # type: ignore[call-arg]
        "Limits: unknown argument 'upload', did you mean 'uploads'? It takes scene_jobs, uploads, in_flight, ",
    ),
    "nothing": (POSITION, "Position: missing x and y and z"),
    "a frame without an id": (
        lambda: CamerasSequence.Frame(relative_timestamp=0, images=[]),  # type: ignore[call-arg]
        "CamerasSequence.Frame: missing frame_id",
    ),
    "a file without a name": (lambda: LocalFile(data=b"x"), "LocalFile: missing filename"),  # type: ignore[call-arg]
    "an attribute that is no argument": (
        lambda: Image(client_filename="a.jpg"),  # type: ignore[call-arg]
        "Image: unknown argument 'client_filename', did you mean 'filename'?",
    ),
    "a mapping with an unknown name": (
        lambda: EgoVehiclePose(position={"x": 1, "y": 2, "zz": 3}, rotation={}),  # type: ignore[arg-type]
        "EgoVehiclePose.position: expected Position, got {'x': 1, 'y': 2, 'zz': 3}: unknown argument 'zz', did",
    ),
}


@pytest.mark.parametrize("what", MISUSED)
def test_misuse(what: str) -> None:
    """What a model does not take, or lacks, is an InvalidError with what it takes and what was likely meant."""
    make, message = MISUSED[what]
    with pytest.raises(InvalidError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("model", CHECKED, ids=lambda model: model.__qualname__)
def test_every_model_knows_its_arguments(model: Any) -> None:
    """Every model answers an unknown argument, one by position and a missing one with an error of our tree."""
    names = [str(field.alias) for field in fields(model) if field.init]
    with pytest.raises(InvalidError, match=f"unknown argument '{names[0]}s', did you mean '{names[0]}'"):
        model(**{f"{names[0]}s": 1})
    with pytest.raises(InvalidError, match=r"takes its arguments by name"):
        model(1)
    if any(field.default is attrs.NOTHING for field in fields(model) if field.init):
        with pytest.raises(InvalidError, match="missing"):
            model()


@pytest.mark.parametrize("model", CHECKED, ids=lambda model: model.__qualname__)
def test_every_field_is_converted(model: Any) -> None:
    """No field of what users fill in takes values as they come."""
    assert all(field.converter for field in fields(model) if field.init)


@pytest.mark.parametrize("model", [FileData, LocalFile, *MODELS], ids=lambda model: model.__qualname__)
def test_every_argument_is_described(model: Any) -> None:
    """`help()` of a model says what each of its arguments means, also of those that it inherits."""
    _, _, described = inspect.cleandoc(model.__doc__).partition("Args:\n")
    entries = [line.strip().partition(":")[0] for line in described.split("\n\n")[0].splitlines() if line[4] != " "]
    names = [name for entry in entries for name in entry.split(", ")]
    assert sorted(names) == sorted(str(field.alias) for field in fields(model) if field.init)


def test_signatures_say_what_is_taken() -> None:
    """A constructor's signature has the annotations of the fields, or what their own converters take."""
    signature = inspect.signature(Image)
    annotations = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    assert annotations["filename"] == str | PathLike[str]
    assert annotations["sensor_name"] is str


IMPORT = ", which is kognic-io's: `from {} import {}` instead"

FOREIGN: dict[str, tuple[Callable[[], Any], str]] = {
    "an image": (
        lambda: Cameras.Frame(images=[official_image()]),
        "Frame.images[0]: got Image of kognic.io.model.scene.resources.image"
        + IMPORT.format("kognic_aio.model", "Image"),
    ),
    "an image where point clouds go": (
        lambda: Lidars.Frame(point_clouds=[official_image()]),
        "Lidars.Frame.point_clouds[0]: got Image of kognic.io.model.scene.resources.image"
        + IMPORT.format("kognic_aio.model", "PointCloud"),
    ),
    "a frame": (
        lambda: cameras(frame=official_cameras.Frame(images=[official_image()])),
        "Cameras.frame: got Frame of kognic.io.model.scene.cameras.frame"
        + IMPORT.format("kognic_aio.model", "Cameras")
        + ", and use Cameras.Frame",
    ),
    "file data": (
        lambda: Image(filename="a.jpg", file_data=official_image().file_data),
        "Image.file_data: got FileData of kognic.io.resources.scene.file_data"
        + IMPORT.format("kognic_aio", "FileData"),
    ),
    "a position": (
        lambda: EgoVehiclePose(
            position=official_calibration.Position(x=0, y=0, z=0),
            rotation=RotationQuaternion(w=1, x=0, y=0, z=0),
        ),
        "EgoVehiclePose.position: got Position of kognic.io.model.calibration.common"
        + IMPORT.format("kognic_aio.model", "Position"),
    ),
    "a calibration": (
        lambda: SensorCalibration(external_id="all", calibration={"roof": official_lidar()}),
        "got LidarCalibration of kognic.io.model.calibration.lidar.lidar_calibration"
        + IMPORT.format("kognic_aio.model.calibration", "LidarCalibration"),
    ),
    "a reading": (
        lambda: Lidars(external_id="a", frame=LIDAR_FRAME, imu_data=[official_reading()]),
        "Lidars.imu_data[0]: got IMUData of kognic.io.model.ego.imu_data"
        + IMPORT.format("kognic_aio.model", "IMUData"),
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_models_of_kognic_io(what: str) -> None:
    """A model of kognic-io in one of ours is an error that names both modules, and the import to change."""
    make, message = FOREIGN[what]
    with pytest.raises(InvalidError) as caught:
        make()
    assert message in str(caught.value)


def test_namesakes_of_ones_own() -> None:
    """A class of the same name from anywhere is told apart by its module."""

    class Image:
        """Some other image."""

    with pytest.raises(InvalidError, match=r"expected Image of kognic_aio.model, got .*Image of tests.model"):
        Cameras.Frame(images=[Image()])  # type: ignore[list-item]


METADATA: dict[str, tuple[Any, dict[str, Any]]] = {
    "our class": (MetaData(region="EU", driver="x", wet=True), {"region": "EU", "driver": "x", "wet": True}),
    "our class without a region": (MetaData(driver="x"), {"driver": "x"}),
    "our class for frames": (FrameMetaData(lane=3), {"lane": 3}),
    "the official class": (OfficialMetaData(region="EU", driver="x"), {"region": "EU", "driver": "x"}),
    "the official class without a region": (OfficialMetaData(driver="x"), {"driver": "x"}),
    "the official class for frames": (OfficialFrameMetaData(lane=3), {"lane": 3}),
    "a mapping": ({"region": "EU"}, {"region": "EU"}),
    "nothing": (None, {}),
}


@pytest.mark.parametrize("what", METADATA)
def test_metadata(what: str) -> None:
    """Metadata is a mapping, one of our classes, or whatever dumps itself; sent is the same."""
    given, expected = METADATA[what]
    assert encode(cameras(metadata=given))["metadata"] == expected
    frame = CamerasSequence.Frame(frame_id="0", relative_timestamp=0, images=FRAME.images, metadata=given)
    assert encode(frame)["metadata"] == expected


def test_metadata_has_attributes() -> None:
    """The values of our classes are attributes, as of the official ones."""
    given = MetaData(region="EU", driver="x")
    assert (given.region, given.driver) == ("EU", "x")
    assert MetaData.model_validate({"location-lat": 57.7}) == {"location-lat": 57.7}
    with pytest.raises(AttributeError, match="MetaData has no 'passenger'"):
        _ = given.passenger
    with pytest.raises(InvalidError, match=r"MetaData\['trip'\]: expected str or int or float or bool, got \[1\]"):
        MetaData(trip=[1])
    with pytest.raises(InvalidError, match=r"MetaData\.region: expected str, got 7"):
        MetaData(region=7)  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match=r"Cameras.metadata: expected a mapping, got PosixPath"):
        cameras(metadata=Path("a"))


def test_evolving() -> None:
    """A model with a change is another model, checked as the first."""
    image = FRAME.images[0]
    assert attrs.evolve(image, sensor_name="left").sensor_name == "left"
    assert attrs.evolve(image, filename=Path("b.jpg")).resource_id == "b.jpg"
    with pytest.raises(InvalidError, match="unknown argument 'sensor', did you mean 'sensor_name'"):
        attrs.evolve(image, sensor="left")  # type: ignore[call-arg]
    lidar = LidarCalibration(
        position=Position(x=0, y=0, z=0), rotation_quaternion=RotationQuaternion(w=1, x=0, y=0, z=0)
    )
    moved: Any = {"x": 1, "y": 0, "z": 0}
    assert attrs.evolve(lidar, position=moved).position == Position(x=1, y=0, z=0)
