"""Values as people have them, beside the official models: what those take, we take, and the wire is the same."""

import enum
import json
import math
import warnings
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import anyio
import numpy as np
import pytest
from kognic.io.model.calibration import LidarCalibration as OfficialLidar
from kognic.io.model.calibration import Position as OfficialPosition
from kognic.io.model.calibration import RotationQuaternion as OfficialRotation
from kognic.io.model.calibration import SensorCalibration as OfficialCalibration
from kognic.io.model.scene import cameras_sequence
from kognic.io.model.scene.resources.image import Image as OfficialImage
from kognic.io.model.scene.resources.image import ImageMetadata as OfficialImageMetadata
from kognic.io.model.scene.sensor_specification import SensorSpecification as OfficialSpecification
from kognic.io.resources.scene.file_data import FileData as OfficialFileData

from kognic_aio import FileData
from kognic_aio._http.wire import encode, encode_pre_annotation, to_json
from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    CamerasSequence,
    EgoVehiclePose,
    FeatureFlags,
    Image,
    ImageMetadata,
    Position,
    RotationQuaternion,
    SensorSpecification,
)
from kognic_aio.model.calibration import CustomCameraCalibration, LidarCalibration, SensorCalibration
from kognic_aio.model.metadata import FrameMetaData, MetaData
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest
from tests.scripted import client_of, ok, serving
from tests.waiting import GENEROUS


class Name(str, enum.Enum):  # noqa: UP042  # as people write it
    A = "a"


class StrName(enum.StrEnum):
    A = "a"


class Plain(enum.Enum):
    A = "a"


class Number(enum.Enum):
    ONE = 1


class Level(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


VALUES: dict[str, Any] = {
    "str": "a",
    "digits": "3",
    "decimals": "1.5",
    "bytes": b"a",
    "bytearray": bytearray(b"3"),
    "no UTF-8": b"\xff",
    "subclass of str": Text("a"),
    "str of numpy": np.str_("a"),
    "str-enum": Name.A,
    "StrEnum": StrName.A,
    "plain enum": Plain.A,
    "enum of int": Number.ONE,
    "IntEnum": Level.ONE,
    "int": 7,
    "one": 1,
    "huge int": 10**30,
    "int64": np.int64(3),
    "uint8": np.uint8(1),
    "float": 1.5,
    "whole float": 1e18,
    "zero": 0.0,
    "float64": np.float64(1e18),
    "float32": np.float32(0.5),
    "float16": np.float16(2),
    "longdouble": np.longdouble(3),
    "Decimal": Decimal("1e18"),
    "fraction of a Decimal": Decimal("1.5"),
    "Fraction": Fraction(3),
    "nan": math.nan,
    "inf": math.inf,
    "Decimal of nan": Decimal("nan"),
    "bool": True,
    "bool of numpy": np.bool_(True),
    "array without dimensions": np.array(3),
    "array": np.array([3]),
    "date of numpy": np.datetime64("2026-01-01", "ns"),
    "duration of numpy": np.timedelta64(5, "ns"),
    "datetime": datetime(2026, 1, 1),  # noqa: DTZ001  # people pass such
    "UUID": UUID(int=0),
    "Path": Path("a"),
    "list": [1],
    "dict": {"a": 1},
    "None": None,
}

OURS_DATA = FileData(format="jpg", data=b"x")
OFFICIAL_DATA = OfficialFileData(format=OfficialFileData.Format.JPG, data=b"x")
ZERO = {"x": 0, "y": 0, "z": 0}
TURN = {"w": 1, "x": 0, "y": 0, "z": 0}
OUR_PLACE: dict[str, Any] = {"position": Position(**ZERO), "rotation_quaternion": RotationQuaternion(**TURN)}
OFFICIAL_PLACE: dict[str, Any] = {
    "position": OfficialPosition(**ZERO),
    "rotation_quaternion": OfficialRotation(**TURN),
}


def our_frame(**fields: Any) -> CamerasSequence.Frame:
    image = Image(filename="a", file_data=OURS_DATA)
    given: dict[str, Any] = {"frame_id": "0", "relative_timestamp": 0, "images": [image]} | fields
    return CamerasSequence.Frame(**given)


def their_frame(**fields: Any) -> Any:
    image = OfficialImage(filename="a", file_data=OFFICIAL_DATA)
    return cameras_sequence.Frame(**{"frame_id": "0", "relative_timestamp": 0, "images": [image]} | fields)


def our_scene(**fields: Any) -> CamerasSequence:
    return CamerasSequence(**{"external_id": "scene", "frames": [our_frame()]} | fields)


def their_scene(**fields: Any) -> Any:
    return cameras_sequence.CamerasSequence(**{"external_id": "scene", "frames": [their_frame()]} | fields)


Make = Callable[[Any], Any]

FIELDS: dict[str, tuple[str, Make, Make]] = {
    "filename": (
        "path",
        lambda value: Image(filename=value, file_data=OURS_DATA),
        lambda value: OfficialImage(filename=value, file_data=OFFICIAL_DATA),
    ),
    "sensor_name": (
        "text",
        lambda value: Image(filename="a", sensor_name=value, file_data=OURS_DATA),
        lambda value: OfficialImage(filename="a", sensor_name=value, file_data=OFFICIAL_DATA),
    ),
    "external_id": ("text", lambda value: our_scene(external_id=value), lambda value: their_scene(external_id=value)),
    "frame_id": ("text", lambda value: our_frame(frame_id=value), lambda value: their_frame(frame_id=value)),
    "sensor_order": (
        "text",
        lambda value: SensorSpecification(sensor_order=[value]),
        lambda value: OfficialSpecification(sensor_order=[value]),
    ),
    "pretty name": (
        "text",
        lambda value: SensorSpecification(sensor_to_pretty_name={"a": value}),
        lambda value: OfficialSpecification(sensor_to_pretty_name={"a": value}),
    ),
    "name of a pretty name": (
        "text",
        lambda value: SensorSpecification(sensor_to_pretty_name={value: "a"}),
        lambda value: OfficialSpecification(sensor_to_pretty_name={value: "a"}),
    ),
    "key of a calibration": (
        "text",
        lambda value: SensorCalibration(external_id="all", calibration={value: LidarCalibration(**OUR_PLACE)}),
        lambda value: OfficialCalibration(external_id="all", calibration={value: OfficialLidar(**OFFICIAL_PLACE)}),
    ),
    "relative_timestamp": (
        "integer",
        lambda value: our_frame(relative_timestamp=value),
        lambda value: their_frame(relative_timestamp=value),
    ),
    "shutter_time_start_ns": (
        "nanoseconds",
        lambda value: ImageMetadata(shutter_time_start_ns=value, shutter_time_end_ns=10**31),
        lambda value: OfficialImageMetadata(shutter_time_start_ns=value, shutter_time_end_ns=10**31),
    ),
    "coordinate": (
        "number",
        lambda value: Position(x=value, y=0, z=0),
        lambda value: OfficialPosition(x=value, y=0, z=0),
    ),
    "coordinate in a mapping": (
        "number",
        lambda value: EgoVehiclePose(position={"x": value, "y": 0, "z": 0}, rotation=TURN).position,  # type: ignore[arg-type]
        lambda value: OfficialPosition(x=value, y=0, z=0),
    ),
    "reversed_shutter": (
        "flag",
        lambda value: ImageMetadata(shutter_time_start_ns=1, shutter_time_end_ns=2, reversed_shutter=value),
        lambda value: OfficialImageMetadata(shutter_time_start_ns=1, shutter_time_end_ns=2, reversed_shutter=value),
    ),
    "metadata": (
        "metadata",
        lambda value: our_frame(metadata={"weather": value}),
        lambda value: their_frame(metadata={"weather": value}),
    ),
    "metadata of a scene": (
        "metadata",
        lambda value: our_scene(metadata={"weather": value}),
        lambda value: their_scene(metadata={"weather": value}),
    ),
    "region": (
        "region",
        lambda value: our_scene(metadata={"region": value}),
        lambda value: their_scene(metadata={"region": value}),
    ),
    "key of metadata": (
        "text",
        lambda value: our_frame(metadata={value: 1}),
        lambda value: their_frame(metadata={value: 1}),
    ),
}
"""Where values go: what of our models takes one, and what of the official ones."""

TEXT_IS_NO_NUMBER = "text where a number goes is a mistake more often than a number"
FLAG_IS_NO_NUMBER = "a flag where a number goes is a mistake more often than 0 or 1"
NO_UNIT = "the official client takes its bare number, whatever unit that has"
NO_INTEGER = "it is no number: the official client sends the text and warns"
INTEGERS = ("integer", "nanoseconds")
NOT_FLAT = "metadata has text, numbers and flags, of which bytes are none: the official client takes them for a region"
REFUSED: dict[tuple[str, str], str] = {
    **{(kind, name): TEXT_IS_NO_NUMBER for kind in INTEGERS for name in ("digits",)},
    **{("number", name): TEXT_IS_NO_NUMBER for name in ("digits", "decimals")},
    **{(kind, "duration of numpy"): NO_UNIT for kind in ("integer", "nanoseconds", "number")},
    **{(kind, "date of numpy"): NO_UNIT for kind in ("integer", "number")},
    **{(kind, name): FLAG_IS_NO_NUMBER for kind in (*INTEGERS, "number") for name in ("bool", "bool of numpy")},
    **{(kind, "plain enum"): NO_INTEGER for kind in INTEGERS},
    **{("region", name): NOT_FLAT for name in ("bytes", "bytearray")},
}
"""What the official client takes and we do not, with the reason."""

DIFFERENT: dict[tuple[str, str], str] = {
    ("path", "str-enum"): "the official client names the file after the member, Name.A.jpg, and not after its value",
    ("path", "subclass of str"): "the official client takes what __str__ says",
    ("region", "enum of int"): "the official client makes it text",
    ("region", "IntEnum"): "the official client makes it text",
}
"""What both take, but sent is another thing, with the reason."""

ENUMS = {"str-enum", "StrEnum", "plain enum", "enum of int", "IntEnum"}
NUMBERS = {"int64", "uint8", "float32", "float16", "longdouble", "array without dimensions"}
MORE: dict[str, set[str]] = {
    "path": {"Path", "plain enum"},
    "text": {"bytes", "enum of int", "IntEnum", "plain enum", "digits"},
    "integer": ENUMS,
    "nanoseconds": ENUMS,
    "number": ENUMS | {"longdouble"},
    "flag": ENUMS | {"uint8"},
    "metadata": ENUMS | NUMBERS | {"bool of numpy", "None"},
    "region": {"None", "int", "one", "huge int", "float", "whole float", "zero", "float64", "bool"}
    | NUMBERS
    | {"bool of numpy"},
}
"""What we take and the official client does not."""


def sent_by_official(make: Make, value: Any) -> str | None:
    """The JSON that the official client sends, None if it refuses the value or cannot send it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydantic, about what it took without looking
        try:
            return json.dumps(make(value).to_dict(), allow_nan=False, sort_keys=True)
        except Exception:  # it raises what it likes
            return None


def sent_by_us(make: Make, value: Any) -> str | None:
    try:
        body = encode(make(value))
    except InvalidError:
        return None
    return json.dumps(body, sort_keys=True)


def is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


CASES = [
    (field, name)
    for field in FIELDS
    for name, value in VALUES.items()
    if is_hashable(value) or not field.startswith(("key", "name"))
]


@pytest.mark.parametrize(("field", "value"), CASES)
def test_values(field: str, value: str) -> None:
    """What the official models take, ours take, and send the same JSON; what differs is listed with its reason."""
    kind, ours, official = FIELDS[field]
    expected, sent = sent_by_official(official, VALUES[value]), sent_by_us(ours, VALUES[value])
    if (kind, value) in REFUSED:
        assert sent is None
    elif (kind, value) in DIFFERENT:
        assert sent is not None
        assert sent != expected
    elif expected is not None:
        assert sent == expected
    elif sent is not None:
        assert value in MORE[kind]


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, value in [*REFUSED, *DIFFERENT] if kind != "region"]
)
def test_the_lists_say_what_is(kind: str, value: str) -> None:
    """Of each exception that is listed there is a field where the official client takes the value."""
    makers = [official for of_kind, _, official in FIELDS.values() if of_kind == kind]
    assert any(sent_by_official(official, VALUES[value]) for official in makers)


def test_what_is_taken_in_metadata() -> None:
    """Metadata of numpy, enums and None is sent as plain JSON."""
    given = {
        "count": np.int64(3),
        "speed": np.float32(0.5),
        "dark": np.bool_(False),
        "weather": Plain.A,
        Name.A: Level.ONE,
        "unknown": None,
        "array": np.array(2),
    }
    expected = '{"metadata":{"count":3,"speed":0.5,"dark":false,"weather":"a","a":1,"array":2}}'
    body = encode(our_scene(metadata=given))
    assert json.dumps({"metadata": body["metadata"]}, separators=(",", ":")) == expected
    assert [type(value) for value in our_scene(metadata=given).metadata.values()] == [int, float, bool, str, int, int]


def test_keys_that_become_the_same() -> None:
    """Two keys of one name are an error, and not one value less."""
    with pytest.raises(InvalidError, match=r"metadata: duplicate key 'a' \(also given as <Plain.A: 'a'>\)"):
        our_scene(metadata={"a": 1, Plain.A: 2})


@pytest.mark.parametrize("given", [1.5, np.float32(0.5), Decimal("0.1"), Fraction(1, 3)])
def test_fractions_of_nanoseconds(given: Any) -> None:
    """What is no whole number of nanoseconds says so, with the unit."""
    with pytest.raises(
        InvalidError, match=r"shutter_time_start_ns: expected an integer, got .*; nanoseconds are expected"
    ):
        ImageMetadata(shutter_time_start_ns=given, shutter_time_end_ns=2)


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_dates_of_numpy(unit: str) -> None:
    """A date of numpy is nanoseconds where those go, whatever unit it has."""
    start = np.datetime64("2026-01-01T00:00:00", unit)  # type: ignore[call-overload]
    shutter = ImageMetadata(shutter_time_start_ns=start, shutter_time_end_ns=start)
    assert shutter.shutter_time_start_ns == 1_767_225_600_000_000_000


@pytest.mark.parametrize("unit", ["s", "ms", "ns", "D"])
def test_no_date_of_numpy(unit: str) -> None:
    """NaT is no time, and neither is a date that nanoseconds cannot hold."""
    dates = [np.datetime64("NaT", unit)]  # type: ignore[call-overload]
    if unit != "ns":
        dates.append(np.datetime64("9999-01-01", unit))  # type: ignore[call-overload]
    for date in dates:
        with pytest.raises(InvalidError, match=r"shutter_time_start_ns: expected an integer, got .*; nanoseconds"):
            ImageMetadata(shutter_time_start_ns=date, shutter_time_end_ns=10**19)


def test_seconds_with_a_fraction() -> None:
    """What `time.time()` gives is recognised, though it is no integer."""
    with pytest.raises(InvalidError, match=r"got 1795834567\.25; nanoseconds .*, and this looks like seconds"):
        ImageMetadata(shutter_time_start_ns=1795834567.25, shutter_time_end_ns=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [PurePosixPath("folder/a.b.jpg"), Path("folder") / "a.b.jpg", "folder/a.b.jpg"])
def test_paths(path: Any) -> None:
    """A path is a filename wherever one goes."""
    image = Image(filename=path)
    assert encode(image) == {
        "filename": "folder/a.b.jpg",
        "clientFilename": "folder/a.b.jpg",
        "resourceId": "folder/a_b.jpg",
        "sensorName": "CAM",
    }
    frame = Frame(
        frame_id="0",
        timestamp_ns=1,
        images=[ImageResource(sensor_name="a", local_file=LocalFile(filename=path))],
    )
    scene = SceneRequest(workspace_id="w", external_id="e", frames=[frame])
    assert list(scene.get_files()) == ["folder/a.b.jpg"]


@pytest.mark.anyio
async def test_a_module_by_its_path(tmp_path: Path) -> None:
    """The module of a custom camera is read from a path too."""
    (tmp_path / "camera.wasm").write_bytes(b"\0asm")
    camera = await CustomCameraCalibration.from_file(
        tmp_path / "camera.wasm", **OUR_PLACE, image_height=np.int32(1), image_width=2.0
    )
    assert camera.get_wasm_bytes() == b"\0asm"
    assert (camera.image_height, camera.image_width) == (1, 2)


def test_pre_annotations_of_numpy() -> None:
    """A pre-annotation made with numpy and enums is plain JSON; NaN in it is an error."""
    box = {Plain.A: np.arange(3.0), "n": np.int64(3), "on": np.bool_(True), "none": None, np.int64(5): Name.A}
    assert encode_pre_annotation({"openlabel": [box]}) == (
        b'{"openlabel": [{"a": [0.0, 1.0, 2.0], "n": 3, "on": true, "5": "a"}]}'
    )
    with pytest.raises(InvalidError, match="pre_annotation cannot be JSON"):
        encode_pre_annotation({"openlabel": np.array([1.0, np.nan])})


def test_features_of_another_enum() -> None:
    """A feature may be named by its value; what is none is an error, and not silently off."""
    assert FeatureFlags("shouldMotionCompensate") == FeatureFlags.defaults()  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="FeatureFlags: expected one of shouldMotionCompensate, got 'fast'"):
        FeatureFlags("fast")  # type: ignore[arg-type]


def test_json_is_plain() -> None:
    """Nothing of numpy is left in what is sent."""
    place: dict[str, Any] = {"x": np.float32(1), "y": np.int8(2), "z": np.array(0.5)}
    turn = dict(zip("wxyz", np.array([1.0, 0.0, 0.0, 0.0]), strict=True))
    lidar = LidarCalibration(position=place, rotation_quaternion=turn)  # type: ignore[arg-type]
    sent = to_json(encode(SensorCalibration(external_id=Plain.A, calibration={Plain.A: lidar})))  # type: ignore[arg-type,dict-item]
    assert json.loads(sent)["calibration"]["a"]["position"] == {"x": 1.0, "y": 2.0, "z": 0.5}


@pytest.mark.anyio
async def test_arguments_of_calls() -> None:
    """Ids and numbers of calls may be numpy's or an enum's too, in paths, queries and bodies."""
    async with serving() as server, client_of(server) as client:
        server.always = ok({"data": []})
        with anyio.fail_after(GENEROUS):
            await client.task.assign_task(Plain.A, np.int64(7))  # type: ignore[arg-type]
            await client.input.query_inputs(project=Plain.A, external_ids=[np.str_("b"), np.int64(3)])  # type: ignore[arg-type,list-item]
            await client.request.get_requests(project_id=np.int64(5))  # type: ignore[arg-type]
    (_, task, assigned, _), (_, _, query, _), (_, requests, _, _) = server.requests
    assert (task, json.loads(assigned)) == ("/v1/tasks/a", {"assignedUserId": 7})
    assert json.loads(query) == {"project": "a", "externalIds": ["b", "3"]}
    assert requests == "/v2/requests?projectId=5"


@pytest.mark.parametrize("kind", [MetaData, FrameMetaData])
def test_metadata_dumps_itself(kind: Any) -> None:
    """Metadata is dumped as pydantic's models are: to a dict of its own."""
    metadata = kind(region="EU", lane=3, driver=None)
    dumped = metadata.model_dump()
    assert (dumped, type(dumped)) == ({"region": "EU", "lane": 3}, dict)
    dumped["lane"] = 4
    assert metadata["lane"] == 3
