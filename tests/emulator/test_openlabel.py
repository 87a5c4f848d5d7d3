"""Pre-annotations are validated as `kognic-openlabel` does, and must fit their scene."""

import json
import random
from typing import Any

import pydantic
import pytest
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio.emulator import CAMERAS, LIDARS, Platform, PlatformError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.elements import annotation

from .openlabels import CAR, everything, mutated
from .support import MISSING, Caller, patched

pytestmark = pytest.mark.anyio

SCENE = "lidars-and-cameras-sequence"
OBJECT = f"objects.{CAR}"
IN_FRAME = f"frames.1.objects.{CAR}.object_data"


def refusal(document: Any) -> str | None:
    """What our rules for the shape of a document say against it."""
    try:
        annotation(Body(document, "preAnnotation"))
    except PlatformError as error:
        return error.message
    return None


def official_takes(document: Any, *, strict: bool = False) -> bool:
    """Whether the official models take a document, converting what can be converted unless they are strict."""
    try:
        if strict:
            OpenLabelAnnotation.model_validate_json(json.dumps(document), strict=True)
        else:
            OpenLabelAnnotation.model_validate(document)
    except pydantic.ValidationError:
        return False
    return True


def is_about_a_cuboid(message: str) -> bool:
    """Whether a refusal is one that we are stricter about on purpose: 10 values, where 9 and others are taken too."""
    return "cuboid[" in message and ".val has " in message and message.endswith("must have 10")


@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_the_official_models(seed: int) -> None:
    """What the official models refuse is refused, and what they take without converting it is taken."""
    dice = random.Random(seed)
    taken = refused = 0
    for _ in range(250):
        document = everything()
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            document = mutated(document, dice)
        message = refusal(document)
        if message is None:
            assert official_takes(document), document
            taken += 1
        else:
            assert not official_takes(document, strict=True) or is_about_a_cuboid(message), message
            refused += 1
    assert taken > 20
    assert refused > 20


CONVERTED = [
    (f"{IN_FRAME}.bbox.0.val", ["1", "2", "3", "4"], "bbox[0].val[0] must be a number, got '1'"),
    (f"{IN_FRAME}.bbox.0.val", [True, 2, 3, 4], "bbox[0].val[0] must be a number, got True"),
    (f"{IN_FRAME}.poly3d.0.closed", "yes", "poly3d[0].closed must be true or false, got 'yes'"),
    (f"{IN_FRAME}.poly3d.0.closed", 1, "poly3d[0].closed must be true or false, got 1"),
    (f"{OBJECT}.frame_intervals.0.frame_end", "1", "frame_intervals[0].frame_end must be an integer, got '1'"),
]


@pytest.mark.parametrize(("where", "value", "message"), CONVERTED)
def test_conversions_are_refused(where: str, value: Any, message: str) -> None:
    """A number or a bool in another form is refused, though the official models convert it."""
    document = patched(everything(), f"openlabel.{where}", value)
    assert official_takes(document)
    assert not official_takes(document, strict=True)
    assert message in str(refusal(document))


@pytest.mark.parametrize("length", [0, 9, 11])
def test_cuboids_have_ten_values(length: int) -> None:
    """A cuboid has 10 values, though the official models take any number of them."""
    document = patched(everything(), f"openlabel.{IN_FRAME}.cuboid.0.val", [0.5] * length)
    assert official_takes(document, strict=True)
    assert str(refusal(document)).endswith(f"object_data.cuboid[0].val has {length} items, must have 10")


async def answer(caller: Caller, document: Any, path: str = SCENE) -> tuple[int, str]:
    uuid = await caller.make_scene(path)
    response = await caller.post("v1/pre-annotations", {"sceneUuid": uuid, "preAnnotation": document})
    return response.status, "" if response.status == 200 else response.message


async def test_everything(caller: Caller, platform: Platform) -> None:
    """A document that has some of everything is taken and kept as it is, and the official models take it too."""
    document = everything()
    assert official_takes(document, strict=True)
    uuid = await caller.make_scene(SCENE)
    response = await caller.post("v1/pre-annotations", {"sceneUuid": uuid, "preAnnotation": document})
    (kept,) = platform.pre_annotations.of_scene(uuid)
    assert (response.data, kept.content) == ({"id": kept.id}, document)


# A change of the document, and where and why it is refused.
BAD: list[tuple[str, Any, str]] = [
    ("metadata", MISSING, "metadata is missing"),
    ("metadata.schema_version", "1.0", "metadata.schema_version must be '1.0.0', got '1.0'"),
    ("objects.car", {"name": "a", "type": "b"}, "objects has the key 'car', must have a number or a UUID"),
    ("frames.first", {}, "frames has the key 'first', must have a number"),
    (f"{OBJECT}.type", MISSING, f"objects.{CAR}.type is missing"),
    (f"{OBJECT}.colour", "red", f"objects.{CAR}.colour is an unknown key"),
    (f"{IN_FRAME}.bbox.0.val", [1, 2, 3], f"{IN_FRAME}.bbox[0].val has 3 items, must have 4"),
    (f"{IN_FRAME}.cube", [], f"{IN_FRAME}.cube is an unknown key"),
    ("streams.CAM.type", "webcam", "streams.CAM.type must be 'camera' or 'lidar' or 'radar' or 'gps_imu' or 'other'"),
    # What is named must be declared.
    (OBJECT, MISSING, f"frames.0.objects.{CAR} is not declared: openlabel.objects has no {CAR}"),
    ("actions", MISSING, "frames.0.actions.1 is not declared: openlabel.actions has no 1"),
    ("events.3", MISSING, "frames.0.events.3 is not declared: openlabel.events has no 3"),
    ("contexts.-1", MISSING, "frames.0.contexts.-1 is not declared: openlabel.contexts has no -1"),
    ("relations", {}, "frames.0.relations.4 is not declared: openlabel.relations has no 4"),
    (
        "frames.1.frame_properties.streams.BACK",
        {},
        "frames.1.frame_properties.streams.BACK is not declared: openlabel.streams has no 'BACK'",
    ),
    (
        f"{IN_FRAME}.bbox.0.attributes.text.0.val",
        "BACK",
        f"{IN_FRAME}.bbox[0].attributes.text[0].val 'BACK' is not declared in openlabel.streams",
    ),
    (
        f"{OBJECT}.object_data.bbox.0.attributes.text.0.val",
        "BACK",
        f"{OBJECT}.object_data.bbox[0].attributes.text[0].val 'BACK' is not declared in openlabel.streams",
    ),
    (
        f"{IN_FRAME}.cuboid.0.coordinate_system",
        "moon",
        f"{IN_FRAME}.cuboid[0].coordinate_system 'moon' is not declared in openlabel.coordinate_systems",
    ),
    (f"{OBJECT}.coordinate_system", "moon", f"{OBJECT}.coordinate_system 'moon' is not declared in"),
    ("coordinate_systems.lidar.parent", "moon", "coordinate_systems.lidar.parent 'moon' is not declared in"),
    ("coordinate_systems.lidar.children", ["moon"], "coordinate_systems.lidar.children[0] 'moon' is not declared in"),
    (
        "frames.0.frame_properties.transforms.lidar_to_world.dst",
        "moon",
        "frames.0.frame_properties.transforms.lidar_to_world.dst 'moon' is not declared in",
    ),
    (
        f"{OBJECT}.object_data_pointers.wheel",
        {"frame_intervals": []},
        f"{OBJECT}.object_data_pointers.wheel points at no data: the element has none with the name 'wheel'",
    ),
    (
        f"{OBJECT}.object_data_pointers.box.type",
        "cuboid",
        f"{OBJECT}.object_data_pointers.box points at a cuboid, but the data 'box' is bbox",
    ),
    ("frame_intervals.0.frame_end", 2, "frame_intervals[0].frame_end 2 is not declared in openlabel.frames"),
    (
        f"{OBJECT}.object_data_pointers.box.frame_intervals.0",
        {"frame_start": -1},
        "frame_intervals[0].frame_start -1 is not declared in openlabel.frames",
    ),
    (
        "actions.1.frame_intervals.0",
        {"frame_start": 1, "frame_end": 0},
        "actions.1.frame_intervals[0].frame_end 0 is before frame_start, 1",
    ),
    ("relations.4.frame_intervals", [{"frame_end": 9}], "relations.4.frame_intervals[0].frame_end 9 is not declared"),
    # What is declared must be of the scene.
    ("streams.BACK", {"type": "camera"}, "streams.BACK is no sensor of the scene, which has CAM, lidar"),
    ("streams.BACK", {}, "streams.BACK is no sensor of the scene, which has CAM, lidar"),
    (
        "frames.1.frame_properties.timestamp",
        50,
        "frames.1.frame_properties.timestamp 50 is not the relative timestamp of a frame of the scene",
    ),
]


@pytest.mark.parametrize(("where", "value", "message"), BAD)
async def test_where_and_why(caller: Caller, where: str, value: Any, message: str) -> None:
    """A refusal says where the document is wrong, and why."""
    status, said = await answer(caller, patched(everything(), f"openlabel.{where}", value))
    assert status == 400
    assert said.startswith("preAnnotation.openlabel.")
    assert message in said


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("frames.1.frame_properties.timestamp", 100.0),
        ("frames.1.frame_properties.timestamp", None),
        ("streams.anything", {"type": "radar"}),
        ("streams.all of them", {"type": "lidar"}),
        (f"{IN_FRAME}.cuboid.0.val", None),
        (f"{OBJECT}.object_data_pointers.box.type", None),
        ("objects.17", {"name": "", "type": ""}),
        ("frames.1.objects", None),
        ("frame_intervals", [{}]),
    ],
)
async def test_what_does_no_harm(caller: Caller, where: str, value: Any) -> None:
    """What the official models take and the scene agrees with is taken."""
    document = patched(everything(), f"openlabel.{where}", value)
    assert official_takes(document)
    assert await answer(caller, document) == (200, "")


async def test_intervals_without_frames(caller: Caller) -> None:
    """Intervals of a document without frames have none to be compared with."""
    document = everything()
    del document["openlabel"]["frames"]
    assert await answer(caller, document) == (200, "")


async def test_streams_of_other_scenes(caller: Caller) -> None:
    """A camera is no lidar, and a scene without lidars has no stream of one."""
    document: dict[str, Any] = {
        "openlabel": {"metadata": {"schema_version": "1.0.0"}, "streams": {"lidar": {"type": "lidar"}}}
    }
    assert await answer(caller, document) == (200, "")
    status, message = await answer(caller, document, "cameras")
    assert (status, message) == (
        400,
        "preAnnotation.openlabel.streams.lidar is no sensor of the scene, which has CAM",
    )
    swapped = patched(document, "openlabel.streams", {"lidar": {"type": "camera"}})
    assert (await answer(caller, swapped))[0] == 400


async def test_streams_of_a_scene_that_was_set_up(caller: Caller, platform: Platform) -> None:
    """A scene that was set up without files has the sensors of the calibration, whose streams may be named."""
    uuid = platform.add_scene("set up", path="lidars-and-cameras")
    streams = {name: {"type": kind} for kind, names in (("camera", CAMERAS), ("lidar", LIDARS)) for name in names}
    document = {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "streams": streams}}
    assert (await caller.post("v1/pre-annotations", {"sceneUuid": uuid, "preAnnotation": document})).status == 200


async def test_deep_nesting(caller: Caller) -> None:
    """A document that is nested without end is refused, and the emulator stands it."""
    inner: dict[str, Any] = {"val": 1}
    for _ in range(300):
        inner = {"val": 1, "attributes": {"num": [inner]}}
    document = everything()
    document["openlabel"]["frames"]["0"]["actions"]["1"]["action_data"] = {"num": [inner]}
    assert await answer(caller, document) == (400, "preAnnotation is nested too deeply")
