"""Bad input is an error of our tree that says what is wrong and where, before anything is sent."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kognic_aio import FileData, KognicError, Limits
from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    Cameras,
    CamerasSequence,
    EgoVehiclePose,
    Image,
    ImageMetadata,
    Lidars,
    PointCloud,
    Position,
    RotationQuaternion,
)

JPG = FileData(format=FileData.Format.JPG, data=b"image")
STREAM = FileData(format=FileData.Format.JPG, data=io.BytesIO(b"image"))
IMAGE = Image(filename="a.jpg", file_data=JPG)
CLOUD = PointCloud(filename="a.csv", file_data=FileData(format=FileData.Format.CSV, data=b"points"))
POSE = EgoVehiclePose(position=Position(x=0, y=0, z=0), rotation=RotationQuaternion(w=1, x=0, y=0, z=0))


def cameras(**fields: Any) -> Cameras:
    given: dict[str, Any] = {"external_id": "scene", "frame": Cameras.Frame(images=[IMAGE])} | fields
    return Cameras(**given)


def frame(**fields: Any) -> CamerasSequence.Frame:
    given: dict[str, Any] = {"frame_id": "0", "relative_timestamp": 0, "images": [IMAGE]} | fields
    return CamerasSequence.Frame(**given)


def aggregated(point_clouds: list[PointCloud]) -> AggregatedLidarsAndCamerasSequence:
    kind = AggregatedLidarsAndCamerasSequence
    first = kind.Frame(
        frame_id="0", relative_timestamp=0, images=[IMAGE], point_clouds=point_clouds, ego_vehicle_pose=POSE
    )
    return kind(external_id="scene", frames=[first], calibration_id="calibration")


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "a scene without frames": (
        lambda: CamerasSequence(external_id="scene", frames=[]),
        "CamerasSequence.frames: scene 'scene' needs at least one frame, got none",
    ),
    "a frame without images": (
        lambda: Cameras.Frame(images=[]),
        "Cameras.Frame.images: a frame needs at least one, got none",
    ),
    "a frame without point clouds": (
        lambda: Lidars.Frame(point_clouds=[]),
        "Lidars.Frame.point_clouds: a frame needs at least one, got none",
    ),
    "an aggregated sequence without any point clouds": (
        lambda: aggregated([]),
        "AggregatedLidarsAndCamerasSequence.frames[0].point_clouds: the first frame needs at least one",
    ),
    "an image that is none": (
        lambda: Cameras.Frame(images=[IMAGE, "b.jpg"]),  # type: ignore[list-item]
        "Cameras.Frame.images[1]: expected Image, got 'b.jpg'",
    ),
    "a point cloud among the images": (
        lambda: Cameras.Frame(images=[CLOUD]),  # type: ignore[list-item]
        "Cameras.Frame.images[0]: expected Image, got PointCloud",
    ),
    "one image in place of a list": (
        lambda: Cameras.Frame(images=IMAGE),  # type: ignore[arg-type]
        "Cameras.Frame.images: expected a list of Image",
    ),
    "a name in place of a list": (
        lambda: Cameras.Frame(images="a.jpg"),  # type: ignore[arg-type]
        "Cameras.Frame.images: expected a list of Image, got 'a.jpg'",
    ),
    "nested metadata": (
        lambda: cameras(metadata={"weather": {"sun": True}}),
        "Cameras.metadata['weather']: expected str or int or float or bool, got {'sun': True}",
    ),
    "metadata that is no mapping": (lambda: cameras(metadata=["a"]), "Cameras.metadata: expected a mapping"),
    "metadata under a number": (lambda: cameras(metadata={1: "a"}), "Cameras.metadata: keys must be str, got 1"),
    "an empty external id": (lambda: cameras(external_id=""), "Cameras.external_id: must not be empty"),
    "an external id that is none": (lambda: cameras(external_id=7), "Cameras.external_id: expected str, got 7"),
    "a fraction of a millisecond": (
        lambda: frame(relative_timestamp=0.5),
        "CamerasSequence.Frame.relative_timestamp: expected an integer, got 0.5",
    ),
    "a frame id twice": (
        lambda: CamerasSequence(external_id="scene", frames=[frame(), frame(relative_timestamp=9)]),
        "CamerasSequence.frames: frame_id '0' is used twice in scene 'scene'",
    ),
    "two files under one resource id": (
        lambda: cameras(
            frame=Cameras.Frame(images=[IMAGE, Image(filename="b.jpg", resource_id="a.jpg", file_data=JPG)])
        ),
        "Cameras.resources: two files of scene 'scene' have the resource_id 'a.jpg': 'a.jpg' and 'b.jpg'",
    ),
    "different data under one name": (
        lambda: cameras(
            frame=Cameras.Frame(
                images=[IMAGE, Image(filename="a.jpg", file_data=FileData(format=FileData.Format.JPG, data=b"x"))]
            )
        ),
        "two files of scene 'scene' have the resource_id 'a.jpg'",
    ),
    "a shutter that ends before it starts": (
        lambda: ImageMetadata(shutter_time_start_ns=2, shutter_time_end_ns=1),
        "ImageMetadata.shutter_time_end_ns: 1 is before shutter_time_start_ns, 2",
    ),
    "an image of a wrong format": (
        lambda: Image(filename="a.gif"),
        "Image.filename: wrong format for Image: 'a.gif', expected one of .png, .jpg, .jpeg, .webp, .avif",
    ),
    "an image without a suffix": (lambda: Image(filename="a"), "Image.filename: wrong format for Image: 'a'"),
    "an image of points": (
        lambda: Image(filename="a", file_data=CLOUD.file_data),
        "Image.filename: wrong format for Image: 'a.csv'",
    ),
    "a point cloud of a wrong format": (
        lambda: PointCloud(filename="a.ply"),
        "PointCloud.filename: wrong format for PointCloud: 'a.ply', expected one of .pcd, .csv, .las, .laz",
    ),
    "a point cloud of pixels": (
        lambda: PointCloud(filename="a", file_data=JPG),
        "PointCloud.filename: wrong format for PointCloud: 'a.jpg'",
    ),
    "no filename": (lambda: Image(filename=""), "Image.filename: '' names no file"),
    "file data without a source": (
        lambda: FileData(format=FileData.Format.JPG),
        "FileData: pass exactly one of data and callback, got neither",
    ),
    "file data with both sources": (
        lambda: FileData(format=FileData.Format.JPG, data=b"x", callback=lambda name: b"x"),
        "FileData: pass exactly one of data and callback, got both",
    ),
    "a stream in text mode": (
        lambda: FileData(format=FileData.Format.JPG, data=io.StringIO("x")),  # type: ignore[arg-type]
        "FileData.data: got text, expected bytes; open files in binary mode ('rb')",
    ),
    "text as data": (
        lambda: FileData(format=FileData.Format.JPG, data="x"),  # type: ignore[arg-type]
        "FileData.data: got text",
    ),
    "a number as data": (
        lambda: FileData(format=FileData.Format.JPG, data=7),  # type: ignore[arg-type]
        "FileData.data: expected bytes, a binary stream or a generator of bytes, got int",
    ),
    "a callback that cannot be called": (
        lambda: FileData(format=FileData.Format.JPG, callback=b"x"),  # type: ignore[arg-type]
        "FileData.callback: expected a callable, got bytes",
    ),
    "an unknown format": (
        lambda: FileData(format="bmp", data=b"x"),
        "FileData.format: expected one of csv, las, laz, pcd, jpg, png, webp, avif, got 'bmp'",
    ),
    "a coordinate that is no number": (
        lambda: Position(x="1", y=0, z=0),  # type: ignore[arg-type]
        "Position.x: expected a number, got '1'",
    ),
    "a coordinate that is infinite": (
        lambda: Position(x=float("inf"), y=0, z=0),
        "Position.x: expected a number, got inf",
    ),
    "a coordinate beyond all numbers": (
        lambda: Position(x=10**400, y=0, z=0),
        "Position.x: expected a number, got 1000",
    ),
    "metadata that JSON does not have": (
        lambda: cameras(metadata={"a": float("nan")}),
        "Cameras.metadata['a']: expected a number, got nan",
    ),
    "no bytes": (
        lambda: FileData(format=FileData.Format.JPG, data=b""),
        "FileData.data: it is empty",
    ),
    "one stream for two files": (
        lambda: cameras(frame=Cameras.Frame(images=[Image(filename=name, file_data=STREAM) for name in "ab"])),
        "Cameras.resources: 'a.jpg' and 'b.jpg' of scene 'scene' share one source",
    ),
    "no room for anything": (lambda: Limits(uploads=0), "Limits.uploads: expected a whole number of at least 1, got 0"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input(what: str) -> None:
    """What is wrong in itself is an InvalidError that names the place and the problem."""
    make, message = BAD[what]
    with pytest.raises(InvalidError) as caught:
        make()
    assert message in str(caught.value)
    assert isinstance(caught.value, KognicError)
    assert isinstance(caught.value, ValueError)


def test_numbers_of_other_libraries() -> None:
    """Integers and floats of any kind are taken, as those of numpy are."""

    class Number:
        def __index__(self) -> int:
            return 7

        def __float__(self) -> float:
            return 0.5

    assert frame(relative_timestamp=Number()).relative_timestamp == 7
    assert Position(x=Number(), y=1, z=2).x == 0.5  # type: ignore[arg-type]


def test_tilde_in_names() -> None:
    """A name that begins with ~ need not be anybody's home."""
    assert Image(filename="~draft.jpg", file_data=JPG).filename == "~draft.jpg"


@pytest.mark.parametrize("name", ["~/a.jpg", "~root/a.jpg", "~"])
def test_names_of_files_from_memory_show_no_home_folder(name: str) -> None:
    """What the platform is told of a file from memory is the name that it was given."""
    assert Image(filename=name, file_data=JPG).client_filename == name
    assert Image(filename=name, file_data=JPG).filename == (name if name.endswith(".jpg") else f"{name}.jpg")


def test_models_do_not_change() -> None:
    """Models are frozen, and keep their lists as tuples."""
    images = [IMAGE]
    made = Cameras.Frame(images=images)
    images.clear()
    assert made.images == (IMAGE,)
    with pytest.raises(AttributeError):
        made.images = ()  # type: ignore[misc]


def test_one_file_in_several_frames() -> None:
    """The same file may stand in several frames, and is one resource."""
    scene = CamerasSequence(external_id="scene", frames=[frame(), frame(frame_id="1", relative_timestamp=9)])
    assert list(scene.resources) == ["a.jpg"]


def test_models_do_no_io(tmp_path: Path) -> None:
    """A model takes the name of a file that does not exist: only creating the scene looks for it."""
    assert Image(filename=str(tmp_path / "nowhere.jpg")).filename.endswith("nowhere.jpg")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (Path("front.jpg"), "is the filename of its image"),
        (lambda: iter([b"image"]), "call it, or pass it as callback="),
    ],
    ids=["path", "function"],
)
def test_what_is_no_data(data: Any, hint: str) -> None:
    """A path or a function in the place of data is an error that says where it belongs."""
    with pytest.raises(InvalidError, match=hint):
        FileData(format="jpg", data=data)
