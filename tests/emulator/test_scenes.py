"""The life of a scene on the platform."""

from typing import Any

import pytest

from kognic_aio.emulator import INPUT_UUIDS, WORKSPACE_ID, Platform

from .support import CSV, Caller, Clock, cloud, imu_data, patched, scene_body

pytestmark = pytest.mark.anyio

CREATE = f"v1/inputs/cameras?workspaceId={WORKSPACE_ID}"


async def test_status_follows_the_clock(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A scene is pending, then processing from the commit on, then created when its processing time is over."""
    platform.timing.processing_time = 5.0
    created = (await caller.create()).data
    assert await caller.status(created["internalId"]) == "pending"
    await caller.upload_and_commit(created)
    assert await caller.status(created["internalId"]) == "processing"
    clock.advance(4.9)
    assert await caller.status(created["internalId"]) == "processing"
    clock.advance(0.2)
    assert await caller.status(created["internalId"]) == "created"


async def test_refused_processing(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A scene whose processing is refused fails when its time is over, with the message."""
    platform.timing.processing_time = 5.0
    platform.refuse("processing", "scene-1", "the images are upside down")
    uuid = await caller.make_scene()
    assert await caller.status(uuid) == "processing"
    clock.advance(5)
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [uuid]})).data
    assert (scene["status"], scene["errorMessage"]) == ("failed", "the images are upside down")


async def test_refused_scene(caller: Caller, platform: Platform) -> None:
    """A scene whose creation is refused gets the chosen status and message, and others are not touched."""
    platform.refuse("scene", "scene-1", "not today", status=403)
    answer = await caller.create()
    assert (answer.status, answer.message) == (403, "not today")
    assert (await caller.create(body=scene_body("cameras", "scene-2"))).status == 200


def test_refusing_an_unknown_step(platform: Platform) -> None:
    """A step that does not exist cannot be refused."""
    with pytest.raises(ValueError, match="there is no step 'upload'"):
        platform.refuse("upload", "scene-1", "no")  # type: ignore[arg-type]


async def test_scene_on_the_wire(caller: Caller) -> None:
    """A scene is answered with its ids, type, status, date, calibration and link."""
    uuid = await caller.make_scene("lidars-and-cameras")
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [uuid]})).data
    assert scene.pop("created").endswith("Z")
    assert scene == {
        "uuid": uuid,
        "workspaceId": WORKSPACE_ID,
        "externalId": "scene-1",
        "sceneType": "lidars_and_cameras",
        "status": "created",
        "calibrationId": "c0ffee00-0000-4000-8000-000000000001",
        "viewLink": f"https://app.kognic.com/view/scene/{uuid}",
    }


async def test_internal_id_is_used_once(caller: Caller) -> None:
    """A reserved uuid makes one scene only."""
    internal_id = (await caller.create()).data["internalId"]
    answer = await caller.post(CREATE, {**scene_body("cameras"), "internalId": internal_id})
    assert (answer.status, "is taken" in answer.message) == (409, True)


async def test_internal_id_must_be_reserved(caller: Caller) -> None:
    """A uuid that was not reserved makes no scene."""
    answer = await caller.post(CREATE, {**scene_body("cameras"), "internalId": "mine"})
    assert answer.status == 400
    assert "internalId 'mine' was not reserved in workspace" in answer.message


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("v1/inputs/initialize", {"workspaceId": "w"}, 404, "workspace 'w' is unknown"),
        ("v1/inputs/initialize", {}, 400, "workspaceId is missing"),
        ("v1/imu?workspaceId=w", {"imuData": imu_data(1), "internalId": "i"}, 404, "workspace 'w' is unknown"),
        ("v1/imu", {"imuData": [], "internalId": "i"}, 400, "the query lacks workspaceId"),
        ("v1/inputs/cameras?workspaceId=w", {}, 400, "internalId is missing"),
        ("v1/inputs/cameras", {}, 400, "the query lacks workspaceId"),
    ],
)
async def test_workspace_must_be_known(
    caller: Caller, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    """What belongs to a workspace must name one that exists."""
    answer = await caller.post(path, body)
    assert (answer.status, answer.message) == (status, message)


async def test_dry_run_creates_nothing(caller: Caller, platform: Platform) -> None:
    """A dry run validates the IMU data and the scene and leaves nothing behind."""
    before = platform.summary()
    imu = {"imuData": imu_data(1, 2), "internalId": await caller.reserve()}
    validated = await caller.post(f"v1/imu?workspaceId={WORKSPACE_ID}", imu, dry_run=True)
    created = await caller.create(where="project/project-a/", dry_run=True)
    assert (validated.data, created.data) == (None, None)
    assert platform.summary() == before


async def test_dry_run_refuses(caller: Caller, platform: Platform) -> None:
    """A dry run refuses what a real run would refuse, queued refusals too."""
    bad = await caller.create(body=patched(scene_body("cameras"), "frame.images", []), dry_run=True)
    platform.refuse("scene", "scene-1", "not today")
    refused = await caller.create(dry_run=True)
    assert (bad.status, refused.status, refused.message) == (400, 400, "not today")


async def test_commit_needs_all_files(caller: Caller) -> None:
    """A scene cannot be committed before all its files and its IMU data are there."""
    internal_id = await caller.reserve()
    imu = {"imuData": imu_data(0, 2_000_000_000), "internalId": internal_id}
    validated = (await caller.post(f"v1/imu?workspaceId={WORKSPACE_ID}", imu)).data
    body = {**scene_body("lidars"), "internalId": internal_id, "imuData": validated["resourceId"]}
    created = (await caller.post(f"v1/inputs/lidars?workspaceId={WORKSPACE_ID}", body)).data
    commit = f"v1/inputs/{internal_id}/actions/commit"
    answer = await caller.post(commit)
    assert (answer.status, answer.message) == (
        400,
        f"scene {internal_id} lacks the files 0.csv, imu-{internal_id}.json",
    )
    await caller.put(created["files"]["0.csv"], CSV)
    assert f"lacks the files imu-{internal_id}.json" in (await caller.post(commit)).message
    await caller.put(validated["signedUrl"], b"[]")
    assert (await caller.post(commit)).status == 200
    assert await caller.status(internal_id) == "created"


async def test_commit_once(caller: Caller) -> None:
    """A scene is committed once."""
    uuid = await caller.make_scene()
    answer = await caller.post(f"v1/inputs/{uuid}/actions/commit")
    assert (answer.status, answer.message) == (409, f"scene {uuid} is committed already")


async def test_commit_of_an_unknown_scene(caller: Caller) -> None:
    """A scene that is only reserved cannot be committed."""
    answer = await caller.post(f"v1/inputs/{await caller.reserve()}/actions/commit")
    assert answer.status == 404


@pytest.mark.parametrize(
    ("filename", "content", "message"),
    [
        ("a.csv", b"", "file a.csv is empty"),
        ("a.pcd", b"", "file a.pcd is empty"),
        ("a.csv", b"x,y,z,intensity\n1,2,3,4\n", "file a.csv must begin with the header ts_gps,x,y,z,intensity"),
        ("a.CSV", b"ts_gps,x,y,z,intensity,ring\n", "file a.CSV must begin with the header"),
        ("a.csv", b"\xef\xbb\xbfts_gps,x,y,z,intensity\n", "file a.csv must begin with the header"),
        ("a.csv", CSV, None),
        ("a.csv", b"ts_gps,x,y,z,intensity\r\n1,2,3,4,5\r\n", None),
        ("a.las", b"anything", None),
    ],
)
async def test_processing_looks_at_files(
    caller: Caller, platform: Platform, filename: str, content: bytes, message: str | None
) -> None:
    """Processing fails for an empty file and for a CSV without the right header."""
    body = patched(scene_body("lidars"), "frame.pointClouds", [cloud(filename)])
    created = (await caller.create("lidars", body)).data
    await caller.upload_and_commit(created, content)
    scene = platform.scene(created["internalId"])
    assert scene.status == ("failed" if message else "created")
    assert (message or "") in (scene.failure or "")


async def test_query_by_uuid(caller: Caller) -> None:
    """Scenes are answered in the order of the request, each once."""
    uuids = [await caller.make_scene() for _ in range(3)]
    asked = [uuids[2], uuids[0], uuids[2]]
    found = (await caller.post("v2/scenes/query", {"sceneUuids": asked})).data
    assert [scene["uuid"] for scene in found] == [uuids[2], uuids[0]]


async def test_query_by_external_id(caller: Caller) -> None:
    """External ids are not unique: all scenes that have one are answered."""
    uuids = [await caller.make_scene() for _ in range(2)]
    found = (await caller.post("v2/scenes/query", {"externalIds": ["scene-1", "seeded-1"]})).data
    assert [scene["uuid"] for scene in found] == [*uuids, INPUT_UUIDS[0]]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"sceneUuids": [INPUT_UUIDS[0], "nobody"]}, 404, "scene nobody is unknown"),
        ({"externalIds": ["seeded-1", "nobody"]}, 404, "no scene has the external id 'nobody'"),
        ({}, 400, "pass either sceneUuids or externalIds"),
        ({"sceneUuids": [], "externalIds": []}, 400, "pass either sceneUuids or externalIds"),
        ({"sceneUuids": "abc"}, 400, "sceneUuids must be a list, got 'abc'"),
        ({"uuids": []}, 400, "uuids is an unknown key"),
    ],
)
async def test_bad_query(caller: Caller, body: dict[str, Any], status: int, message: str) -> None:
    """A query for any unknown scene finds none, and one without sense is refused."""
    answer = await caller.post("v2/scenes/query", body)
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("bad-content", "invalidated:broken-input"),
        ("duplicate", "invalidated:duplicate"),
        ("incorrectly-created", "invalidated:incorrectly-created"),
    ],
)
async def test_invalidation_removes_inputs(caller: Caller, reason: str, status: str) -> None:
    """An invalidated scene says why, and its inputs are gone."""
    uuid = await caller.make_scene(where="project/project-a/")
    query = {"sceneUuids": [uuid]}
    assert len((await caller.post("v2/inputs/query", query)).data) == 1
    answer = await caller.post("v2/scenes/actions/invalidate", {"sceneUuids": [uuid], "reason": reason})
    assert answer.status == 200
    assert await caller.status(uuid) == status
    assert (await caller.post("v2/inputs/query", query)).data == []


async def test_invalidation_is_final(caller: Caller, platform: Platform) -> None:
    """The first reason of an invalidation stays, and the scene cannot be used any more."""
    uuid = (await caller.create()).data["internalId"]
    platform.invalidate_scene(uuid, "duplicate")
    platform.invalidate_scene(uuid, "bad-content")
    assert await caller.status(uuid) == "invalidated:duplicate"
    assert (await caller.post(f"v1/inputs/{uuid}/actions/commit")).message == f"scene {uuid} is invalidated"
    answer = await caller.post("v1/inputs", {"sceneUuid": uuid, "project": "project-a"})
    assert answer.message == f"scene {uuid} is invalidated:duplicate, not created"


@pytest.mark.parametrize(
    ("uuids", "reason", "status"), [(["nobody"], "duplicate", 404), ([INPUT_UUIDS[0]], "boring", 400)]
)
async def test_bad_invalidation(caller: Caller, uuids: list[str], reason: str, status: int) -> None:
    """Unknown scenes and unknown reasons are refused, and then nothing is invalidated."""
    body = {"sceneUuids": [INPUT_UUIDS[0], *uuids], "reason": reason}
    assert (await caller.post("v2/scenes/actions/invalidate", body)).status == status
    assert await caller.status(INPUT_UUIDS[0]) == "created"
