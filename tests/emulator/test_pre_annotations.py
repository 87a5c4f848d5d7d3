"""Pre-annotations."""

from typing import Any

import pytest

from kognic_aio.emulator import INPUT_UUIDS, PRE_ANNOTATION_ID, Platform, PlatformError

from .support import Caller, Clock, openlabel

pytestmark = pytest.mark.anyio

METADATA = {"schema_version": "1.0.0"}


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
        {"openlabel": {"metadata": METADATA}},
        {"openlabel": {"metadata": METADATA, "frames": None, "objects": {"1": {"name": "car", "type": "Car"}}}},
        {"openlabel": {"metadata": METADATA, "frames": {"0": {"objects": {}}}}},
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
            "frames.0.frame_properties.timestamp must be an integer, got [1]",
        ),
        (
            {"openlabel": {"metadata": METADATA, "frames": []}},
            "preAnnotation.openlabel.frames must be an object, got []",
        ),
    ],
)
async def test_bad_pre_annotation(caller: Caller, platform: Platform, content: Any, message: str) -> None:
    """What is not OpenLABEL 1.0.0 for the frames of the scene is refused."""
    uuid = await caller.make_scene("cameras-sequence")
    status, said = await pre_annotate(caller, uuid, content)
    assert status == 400
    assert said.endswith(message)
    assert not platform.pre_annotations.of_scene(uuid)


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
    body = {"sceneUuid": INPUT_UUIDS[1], "preAnnotation": openlabel(), "externalId": "p"}
    for _ in range(2):
        assert (await caller.post("v1/pre-annotations", body, dry_run=True)).data.keys() == {"id"}
    assert not platform.pre_annotations.of_scene(INPUT_UUIDS[1])


def from_bucket(external_id: str = "p", scene_uuid: str = INPUT_UUIDS[1], **more: Any) -> dict[str, Any]:
    return {"sceneUuid": scene_uuid, "externalId": external_id, "externalResourceId": "gs://bucket/p.json", **more}


async def listed(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    """All pre-annotations that pass a filter."""
    answer = await caller.get(f"v2/pre-annotations?{query}")
    assert answer.status == 200, answer.text
    assert answer.json["hasNext"] is False
    found: list[dict[str, Any]] = answer.json["data"]
    return found


async def test_postponed_import(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A pre-annotation in a bucket is indexed if its import is postponed, and imported when that is asked for."""
    platform.timing.processing_time = 5
    body = from_bucket(postponeExternalResourceImport=True)
    path = f"v2/pre-annotations/{(await caller.post('v2/pre-annotations', body)).data['id']}"
    assert (await caller.get(f"{path}/resolved")).message.endswith("is indexed, not available")
    assert (await caller.patch(path, {"status": "processing"})).status == 200
    (found,) = await listed(caller, "externalIds=p")
    assert found["status"] == "processing"
    assert (await caller.get(f"{path}/resolved")).status == 400
    clock.advance(5)
    assert (await caller.get(f"{path}/resolved")).data["externalId"] == "p"
    answer = await caller.patch(path, {"status": "processing"})
    assert (answer.status, answer.message.endswith("is available, not indexed")) == (400, True)


@pytest.mark.parametrize("more", [{}, {"postponeExternalResourceImport": False}])
async def test_import_at_once(caller: Caller, platform: Platform, clock: Clock, more: dict[str, Any]) -> None:
    """A pre-annotation in a bucket is imported at once unless that is postponed."""
    platform.timing.processing_time = 5
    await caller.post("v2/pre-annotations", from_bucket(**more))
    assert [each["status"] for each in await listed(caller, "externalIds=p")] == ["processing"]
    clock.advance(5)
    assert [each["status"] for each in await listed(caller, "externalIds=p")] == ["available"]


async def test_on_the_wire(caller: Caller) -> None:
    """A pre-annotation is listed with its scene, its status and where it comes from, and got with its content."""
    created = (await caller.post("v2/pre-annotations", from_bucket())).data
    (found,) = await listed(caller, "externalIds=p")
    date = found.pop("created")
    assert found == {
        "id": created["id"],
        "externalId": "p",
        "sceneUuid": INPUT_UUIDS[1],
        "sceneExternalId": "seeded-2",
        "status": "available",
        "externalResourceId": "gs://bucket/p.json",
    }
    assert (await caller.get(f"v2/pre-annotations/{created['id']}/resolved")).data == {
        "uuid": created["id"],
        "sceneUuid": INPUT_UUIDS[1],
        "externalId": "p",
        "created": date,
        "content": {"openlabel": {"metadata": {"schema_version": "1.0.0"}}},
    }


async def test_without_external_id(caller: Caller) -> None:
    """A pre-annotation that was given no external id has its id for one."""
    body = {"sceneUuid": INPUT_UUIDS[1], "preAnnotation": openlabel(7)}
    created = (await caller.post("v1/pre-annotations", body)).data
    found = (await caller.get(f"v2/pre-annotations/{created['id']}/resolved")).data
    assert (found["externalId"], found["content"]) == (created["id"], openlabel(7))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["seeded", "a", "b", "c"]),
        (f"uuids={PRE_ANNOTATION_ID}&uuids=nobody", ["seeded"]),
        ("externalIds=a&externalIds=c", ["a", "c"]),
        (f"sceneUuids={INPUT_UUIDS[0]}", ["seeded", "b"]),
        ("sceneExternalIds=seeded-2", ["a", "c"]),
        ("statuses=indexed", ["c"]),
        ("statuses=available&sceneExternalIds=seeded-2", ["a"]),
        ("externalIds=nobody", []),
    ],
)
async def test_filters(caller: Caller, platform: Platform, query: str, found: list[str]) -> None:
    """Pre-annotations can be filtered by id, external id, scene and status, all at once."""
    platform.add_pre_annotation(INPUT_UUIDS[1], external_id="a")
    platform.add_pre_annotation(INPUT_UUIDS[0], external_id="b")
    platform.add_pre_annotation(INPUT_UUIDS[1], external_id="c", status="indexed")
    assert [each["externalId"] for each in await listed(caller, query)] == found


@pytest.mark.parametrize("query", ["", "&sceneExternalIds=seeded-2&sceneExternalIds=seeded-1"])
async def test_offset_and_limit(caller: Caller, platform: Platform, query: str) -> None:
    """Pages are as long as is asked for, and say whether there is a next one."""
    names = ["seeded", *map(str, range(6))]
    for name in names[1:]:
        platform.add_pre_annotation(INPUT_UUIDS[1], external_id=name)
    for offset, more in ((0, True), (3, True), (6, False), (9, False)):
        page = (await caller.get(f"v2/pre-annotations?offset={offset}&limit=3{query}")).json
        assert [each["externalId"] for each in page["data"]] == names[offset : offset + 3]
        assert page["hasNext"] is more
    platform.page_size = 4
    assert len((await caller.get("v2/pre-annotations")).json["data"]) == 4


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit must be an integer of 1 or more, got '0'"),
        ("offset=-1", "offset must be an integer of 0 or more, got '-1'"),
        ("offset=x", "offset must be an integer of 0 or more, got 'x'"),
        ("statuses=lost", "statuses must be among indexed, processing, available, got 'lost'"),
    ],
)
async def test_bad_list(caller: Caller, query: str, message: str) -> None:
    """A list that cannot be is refused."""
    answer = await caller.get(f"v2/pre-annotations?{query}")
    assert (answer.status, answer.message) == (400, message)


async def test_delete(caller: Caller, platform: Platform) -> None:
    """A deleted pre-annotation is gone, and its external id free again."""
    path = f"v2/pre-annotations/{PRE_ANNOTATION_ID}"
    assert (await caller.delete(path)).status == 200
    assert await listed(caller) == []
    platform.add_pre_annotation(INPUT_UUIDS[0], external_id="seeded")
    for answer in (
        await caller.delete(path),
        await caller.patch(path, {"status": "processing"}),
        await caller.get(f"{path}/resolved"),
    ):
        assert (answer.status, answer.message) == (404, f"pre-annotation {PRE_ANNOTATION_ID!r} is unknown")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (from_bucket("seeded", INPUT_UUIDS[0]), 409, f"scene {INPUT_UUIDS[0]} has a pre-annotation 'seeded' already"),
        (from_bucket(scene_uuid="nobody"), 404, "scene nobody is unknown"),
        (from_bucket(postponeExternalResourceImport="no"), 400, "postponeExternalResourceImport must be true or false"),
        (from_bucket(externalResourceId=None), 400, "externalResourceId is missing"),
        (from_bucket(preAnnotation=openlabel()), 400, "preAnnotation is an unknown key"),
    ],
)
async def test_bad_resource(caller: Caller, body: dict[str, Any], status: int, message: str) -> None:
    """A pre-annotation in a bucket that breaks a rule is refused."""
    answer = await caller.post("v2/pre-annotations", body)
    assert answer.status == status
    assert answer.message.startswith(message)


async def test_scene_of_a_resource(caller: Caller, platform: Platform) -> None:
    """A pre-annotation in a bucket may belong to a scene that is in a bucket itself, but to no pending one."""
    indexed = platform.add_scene("x", indexed=True)
    pending = (await caller.create()).data["internalId"]
    assert (await caller.post("v2/pre-annotations", from_bucket(scene_uuid=indexed))).status == 200
    answer = await caller.post("v2/pre-annotations", from_bucket(scene_uuid=pending))
    assert (answer.status, answer.message) == (400, f"scene {pending} is pending, not created or indexed")


async def test_refused_resource(caller: Caller, platform: Platform) -> None:
    """The pre-annotation of one scene can be refused when it comes from a bucket, too."""
    platform.refuse("pre-annotation", "seeded-2", "too vague", status=422)
    assert (await caller.post("v2/pre-annotations", from_bucket())).status == 422


@pytest.mark.parametrize("status", ["available", "indexed", 7])
async def test_bad_import(caller: Caller, platform: Platform, status: Any) -> None:
    """A pre-annotation can only be asked to begin processing."""
    indexed = platform.add_pre_annotation(INPUT_UUIDS[1], status="indexed")
    answer = await caller.patch(f"v2/pre-annotations/{indexed}", {"status": status})
    assert answer.status == 400
    assert answer.message.startswith("status must be")


def test_names_are_unique(platform: Platform) -> None:
    """A scene cannot be set up with two pre-annotations of one name."""
    with pytest.raises(PlatformError, match="has a pre-annotation 'seeded' already"):
        platform.add_pre_annotation(INPUT_UUIDS[0], external_id="seeded")
