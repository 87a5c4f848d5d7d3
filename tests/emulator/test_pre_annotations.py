"""Pre-annotations."""

from typing import Any

import pytest

from kognic_aio.emulator import INPUT_UUIDS, Platform

from .support import Caller

pytestmark = pytest.mark.anyio


def openlabel(*timestamps: Any) -> dict[str, Any]:
    """OpenLABEL of the right version with a frame per timestamp."""
    frames = {str(i): {"frame_properties": {"timestamp": t}} for i, t in enumerate(timestamps)}
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "frames": frames}}


async def pre_annotate(caller: Caller, scene_uuid: str, content: Any, **more: Any) -> tuple[int, str]:
    body = {"sceneUuid": scene_uuid, "preAnnotation": content, **more}
    answer = await caller.post("v1/pre-annotations", body)
    return answer.status, "" if answer.status == 200 else answer.message


@pytest.mark.parametrize(
    "content",
    [
        openlabel(0, 100),
        openlabel("0", "100"),
        openlabel(100),
        openlabel(100.0),
        openlabel(None),
        openlabel(),
        {"openlabel": {}},
        {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "frames": None, "objects": {"a": {}}}},
        {"openlabel": {"frames": {"0": {"objects": {}}}}},
    ],
)
async def test_good_pre_annotation(caller: Caller, platform: Platform, content: dict[str, Any]) -> None:
    """OpenLABEL whose frames are among those of the scene is kept as it was sent."""
    uuid = await caller.make_scene("cameras-sequence")
    answer = await caller.post("v1/pre-annotations", {"sceneUuid": uuid, "preAnnotation": content})
    (kept,) = platform.pre_annotations.of_scene(uuid)
    assert (answer.data, kept.content) == ({"id": kept.id}, content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "preAnnotation is missing"),
        ([], "preAnnotation must be an object, got []"),
        ({}, "preAnnotation.openlabel is missing"),
        ({**openlabel(), "x": 1}, "preAnnotation.x is an unknown key"),
        (
            {"openlabel": {"metadata": {"schema_version": "0.9"}}},
            "preAnnotation.openlabel.metadata.schema_version must be '1.0.0', got '0.9'",
        ),
        (
            openlabel(0, 50),
            "frames.1.frame_properties.timestamp 50 is not the relative timestamp of a frame of the scene",
        ),
        (
            openlabel("soon"),
            "frames.0.frame_properties.timestamp 'soon' is not a number",
        ),
        (
            openlabel([1]),
            "frames.0.frame_properties.timestamp must be a number, got [1]",
        ),
        ({"openlabel": {"frames": []}}, "preAnnotation.openlabel.frames must be an object, got []"),
    ],
)
async def test_bad_pre_annotation(caller: Caller, platform: Platform, content: Any, message: str) -> None:
    """What is not OpenLABEL 1.0.0 for the frames of the scene is refused."""
    uuid = await caller.make_scene("cameras-sequence")
    status, said = await pre_annotate(caller, uuid, content)
    assert status == 400
    assert said.endswith(message)
    assert not platform.pre_annotations.by_id


async def test_frames_of_a_single_scene(caller: Caller) -> None:
    """A scene that is no sequence has no timestamps to compare with."""
    assert await pre_annotate(caller, INPUT_UUIDS[0], openlabel(1234)) == (200, "")


async def test_external_id_is_unique_per_scene(caller: Caller) -> None:
    """An external id serves once for each scene."""
    first, second = INPUT_UUIDS
    assert await pre_annotate(caller, first, openlabel(), externalId="p") == (200, "")
    assert await pre_annotate(caller, second, openlabel(), externalId="p") == (200, "")
    assert await pre_annotate(caller, first, openlabel()) == (200, "")
    assert await pre_annotate(caller, first, openlabel(), externalId="p") == (
        409,
        f"scene {first} has a pre-annotation 'p' already",
    )


async def test_scene_must_be_created(caller: Caller, platform: Platform) -> None:
    """A pre-annotation needs a scene that is created."""
    pending = (await caller.create()).data["internalId"]
    platform.invalidate_scene(INPUT_UUIDS[0])
    assert await pre_annotate(caller, "nobody", openlabel()) == (404, "scene nobody is unknown")
    assert await pre_annotate(caller, pending, openlabel()) == (
        400,
        f"scene {pending} is pending, not created",
    )
    assert (await pre_annotate(caller, INPUT_UUIDS[0], openlabel()))[0] == 400


async def test_refused_pre_annotation(caller: Caller, platform: Platform) -> None:
    """The pre-annotation of one scene can be refused."""
    platform.refuse("pre-annotation", "seeded-1", "too vague", status=422)
    assert await pre_annotate(caller, INPUT_UUIDS[0], openlabel()) == (422, "too vague")
    assert await pre_annotate(caller, INPUT_UUIDS[1], openlabel()) == (200, "")


async def test_dry_run(caller: Caller, platform: Platform) -> None:
    """A dry run validates, answers an id, and keeps nothing."""
    body = {"sceneUuid": INPUT_UUIDS[0], "preAnnotation": openlabel(), "externalId": "p"}
    for _ in range(2):
        assert (await caller.post("v1/pre-annotations", body, dry_run=True)).data.keys() == {"id"}
    assert not platform.pre_annotations.by_id
