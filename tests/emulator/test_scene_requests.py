"""Scenes of the newer kind: one body for all types, and files that may stay in the customer's bucket."""

from typing import Any

import pytest

from kognic_aio.emulator import CALIBRATION_ID, INPUT_UUIDS, WORKSPACE_ID, Platform

from .support import CSV, MISSING, POSE, Caller, Clock, patched

pytestmark = pytest.mark.anyio

SECOND = 1_000_000_000


def resource(name: str, sensor: str, *, external: bool) -> dict[str, Any]:
    source = {"externalResourceUri": f"gs://bucket/{name}"} if external else {"localFilename": name}
    return {"sensorName": sensor, **source}


def frame(index: int, *, clouds: bool = True, external: bool = False) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": str(index),
        "timestampNs": SECOND + index * SECOND // 10,
        "images": [
            {
                "resource": resource(f"{index}.jpg", "CAM", external=external),
                "metadata": {"startShutterTimestampNs": 1, "endShutterTimestampNs": 2, "reversedShutter": False},
            }
        ],
        "metadata": {"tunnel": False},
    }
    if clouds:
        lidar = resource(f"{index}.csv", "lidar", external=external)
        wire["pointClouds"] = {"resources": [lidar], "egoVehiclePose": POSE}
    return wire


def request(*frames: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "workspaceId": WORKSPACE_ID,
        "externalId": "scene-1",
        "calibrationId": CALIBRATION_ID,
        "convertedSpecification": {
            "frames": list(frames),
            "sensorSpecification": {"sensorToPrettyName": {"CAM": "Front"}, "sensorOrder": ["CAM"]},
            "metadata": {"region": "north"},
        },
        **more,
    }


async def summary(caller: Caller, uuid: str) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.get(f"v2/scenes/{uuid}")).data
    return found


async def test_local_files(caller: Caller) -> None:
    """Each local file gets a signed URL by its name; when all are there, the scene can be committed."""
    created = (await caller.post("v2/scenes", request(frame(0), frame(1)))).data
    urls = dict(created["signedUploadUrls"])
    assert sorted(urls) == ["0.csv", "0.jpg", "1.csv", "1.jpg"]
    commit = f"v1/inputs/{created['id']}/actions/commit"
    assert await caller.status(created["id"]) == "pending"
    assert (await caller.post(commit)).status == 400
    for url in urls.values():
        assert (await caller.put(url, CSV)).status == 200
    assert (await caller.post(commit)).status == 200
    assert await caller.status(created["id"]) == "created"


async def test_external_files(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A scene whose files are all in a bucket is processed at once and needs no commit."""
    platform.timing.processing_time = 5
    created = (await caller.post("v2/scenes", request(frame(0, external=True)))).data
    assert created.keys() == {"id"}
    assert await caller.status(created["id"]) == "processing"
    assert (await caller.post(f"v1/inputs/{created['id']}/actions/commit")).status == 409
    clock.advance(5)
    assert await caller.status(created["id"]) == "created"


async def test_postponed_import(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A scene whose import is postponed is indexed until it is imported, and can be indexed again."""
    platform.timing.processing_time = 5
    body = request(frame(0, external=True), postponeExternalResourceImport=True)
    uuid = (await caller.post("v2/scenes", body)).data["id"]
    assert await caller.status(uuid) == "indexed"
    assert (await caller.patch(f"v2/scenes/{uuid}", {"status": "created"})).status == 200
    assert await caller.status(uuid) == "processing"
    clock.advance(5)
    assert await caller.status(uuid) == "created"
    assert (await caller.patch(f"v2/scenes/{uuid}", {"status": "indexed"})).status == 200
    assert await caller.status(uuid) == "indexed"


async def test_postponed_import_and_local_files(caller: Caller) -> None:
    """Of a scene whose import is postponed the local files are uploaded first."""
    body = request(frame(0, external=True), frame(1), postponeExternalResourceImport=True)
    created = (await caller.post("v2/scenes", body)).data
    assert await caller.status(created["id"]) == "pending"
    for _, url in created["signedUploadUrls"]:
        await caller.put(url, CSV)
    await caller.post(f"v1/inputs/{created['id']}/actions/commit")
    assert await caller.status(created["id"]) == "indexed"


async def test_inputs_of_a_scene_that_is_indexed_again(caller: Caller, clock: Clock, platform: Platform) -> None:
    """A scene that is indexed again keeps its inputs, also while it is imported anew, but gets no more."""
    uuid = INPUT_UUIDS[0]
    platform.timing.processing_time = 5
    query = {"sceneUuids": [uuid]}
    for status in ("indexed", "created"):
        assert (await caller.patch(f"v2/scenes/{uuid}", {"status": status})).status == 200
        assert len((await caller.post("v2/inputs/query", query)).data) == 1
        answer = await caller.post("v2/inputs", {"sceneUuid": uuid, "projectExtId": "project-b"})
        assert answer.status == 400


async def test_failed_import(caller: Caller, platform: Platform) -> None:
    """A scene whose processing is refused fails when it is imported."""
    platform.refuse("processing", "scene-1", "no such bucket")
    uuid = platform.add_scene("scene-1", indexed=True)
    await caller.patch(f"v2/scenes/{uuid}", {"status": "created"})
    assert await caller.status(uuid) == "failed"


@pytest.mark.parametrize(
    ("uuid", "body", "status", "message"),
    [
        ("nobody", {"status": "created"}, 404, "scene nobody is unknown"),
        (INPUT_UUIDS[0], {"status": "created"}, 400, f"scene {INPUT_UUIDS[0]} is created, not indexed"),
        (INPUT_UUIDS[0], {"status": "failed"}, 400, "status must be 'created' or 'indexed', got 'failed'"),
        (INPUT_UUIDS[0], {}, 400, "status is missing"),
    ],
)
async def test_bad_change(caller: Caller, uuid: str, body: dict[str, Any], status: int, message: str) -> None:
    """Only an indexed scene can be imported, and nothing else be done to a scene."""
    answer = await caller.patch(f"v2/scenes/{uuid}", body)
    assert (answer.status, answer.message) == (status, message)


async def test_only_a_created_scene_is_indexed_again(caller: Caller) -> None:
    """A scene that is not created cannot be indexed again."""
    uuid = (await caller.create()).data["internalId"]
    answer = await caller.patch(f"v2/scenes/{uuid}", {"status": "indexed"})
    assert (answer.status, answer.message) == (400, f"scene {uuid} is pending, not created")


@pytest.mark.parametrize(
    ("frames", "scene_type"),
    [
        ([frame(0, clouds=False)], "cameras_sequence"),
        ([frame(0), frame(1)], "lidars_and_cameras_sequence"),
        ([frame(0), frame(1, clouds=False)], "aggregated_lidars_and_cameras_sequence"),
    ],
)
async def test_type(caller: Caller, frames: list[dict[str, Any]], scene_type: str) -> None:
    """The type of a scene follows from which of its frames have point clouds."""
    uuid = (await caller.post("v2/scenes", request(*frames))).data["id"]
    assert (await summary(caller, uuid))["sceneType"] == scene_type


@pytest.mark.parametrize(
    ("extra", "uploaded", "compensated"),
    [
        ({}, False, False),
        ({"imuData": {"localFilename": "imu.json"}}, True, True),
        ({"imuData": {"externalResourceUri": "gs://bucket/imu.json"}}, False, True),
        ({"imuData": {"localFilename": "imu.json"}, "shouldMotionCompensate": False}, True, False),
    ],
)
async def test_imu_data(caller: Caller, extra: dict[str, Any], *, uploaded: bool, compensated: bool) -> None:
    """IMU data is a file like others, and makes the scene motion compensated unless that is not wanted."""
    body = request(frame(0))
    body["convertedSpecification"].update(extra)
    created = (await caller.post("v2/scenes", body)).data
    assert (await summary(caller, created["id"]))["isMotionCompensated"] is compensated
    assert ("imu.json" in dict(created["signedUploadUrls"])) is uploaded


IMAGE = "convertedSpecification.frames.0.images.0"


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("workspaceId", MISSING, "workspaceId is missing"),
        ("externalId", "", "externalId must not be empty"),
        ("calibrationId", MISSING, "calibrationId is missing"),
        ("calibrationId", "c", "calibrationId 'c' is unknown"),
        ("postponeExternalResourceImport", "no", "postponeExternalResourceImport must be true or false"),
        ("internalId", "i", "internalId is an unknown key"),
        ("convertedSpecification.frames", [], "convertedSpecification.frames has 0 items, must have 1 or more"),
        ("convertedSpecification.frames", [frame(0), frame(0)], "frames[1].id '0' is used by an earlier frame"),
        ("convertedSpecification.metadata", {"a": []}, "convertedSpecification.metadata.a must be a string"),
        ("convertedSpecification.shouldMotionCompensate", 1, "shouldMotionCompensate must be true or false"),
        ("convertedSpecification.imuData", {}, "imuData must have either externalResourceUri or localFilename"),
        ("convertedSpecification.frames.0.timestampNs", 1.5, "frames[0].timestampNs must be an integer"),
        ("convertedSpecification.frames.0.metadata", {"a": {}}, "frames[0].metadata.a must be a string"),
        ("convertedSpecification.frames.0.images", [], "frames[0].images has 0 items, must have 1 to 9"),
        ("convertedSpecification.frames.0.pointClouds.resources", [], "resources has 0 items, must have 1 to 20"),
        ("convertedSpecification.frames.0.pointClouds.egoVehiclePose", {}, "egoVehiclePose.position is missing"),
        (f"{IMAGE}.resource.sensorName", MISSING, "images[0].resource.sensorName is missing"),
        (f"{IMAGE}.resource.sensorName", "X", "has no camera 'X', which the scene uses"),
        (f"{IMAGE}.resource.localFilename", MISSING, "resource must have either externalResourceUri or localFile"),
        (f"{IMAGE}.resource.externalResourceUri", "gs://b", "resource must have either externalResourceUri or local"),
        (f"{IMAGE}.resource.localFilename", "a.bmp", "resource.localFilename must end in one of .avif"),
        (f"{IMAGE}.metadata.endShutterTimestampNs", 0, "endShutterTimestampNs is before startShutterTimestampNs"),
    ],
)
async def test_bad_request(caller: Caller, platform: Platform, where: str, value: Any, message: str) -> None:
    """A scene that breaks a rule is refused, and nothing is left behind."""
    before = platform.summary()
    answer = await caller.post("v2/scenes", patched(request(frame(0)), where, value))
    assert answer.status == 400
    assert message in answer.message
    assert platform.summary() == before


async def test_refused(caller: Caller, platform: Platform) -> None:
    """A scene of the newer kind can be refused, and must name a known workspace."""
    platform.refuse("scene", "scene-1", "not today", status=403)
    answer = await caller.post("v2/scenes", request(frame(0)))
    assert (answer.status, answer.message) == (403, "not today")
    answer = await caller.post("v2/scenes", request(frame(0), workspaceId="w"))
    assert (answer.status, answer.message) == (404, "workspace 'w' is unknown")


async def test_scene_jobs(caller: Caller) -> None:
    """A scene that waits for files is a scene job, one in a bucket is none."""
    await caller.post("v2/scenes", request(frame(0, external=True)))
    assert caller.emulator.recorder.peak["scene-jobs"] == 0
    await caller.post("v2/scenes", request(frame(0)))
    assert caller.emulator.recorder.in_flight["scene-jobs"] == 1


async def test_summary(caller: Caller) -> None:
    """A summary tells what a scene is made of."""
    uuid = (await caller.post("v2/scenes", request(frame(0), frame(1)))).data["id"]
    found = await summary(caller, uuid)
    assert found.pop("created").endswith("Z")
    assert found == {
        "sceneUuid": uuid,
        "externalId": "scene-1",
        "workspaceId": WORKSPACE_ID,
        "sceneType": "lidars_and_cameras_sequence",
        "calibrationId": CALIBRATION_ID,
        "frameRelativeTimes": [0, 100],
        "cameras": ["CAM"],
        "lidars": ["lidar"],
        "isMultiSensor": True,
        "isMotionCompensated": False,
        "metadata": {"region": "north"},
    }


async def test_summary_of_an_older_scene(caller: Caller) -> None:
    """A scene of a single frame has no times, and without a lidar no calibration."""
    found = await summary(caller, await caller.make_scene())
    assert found["metadata"] == {"region": "north", "wet": True, "lanes": 2, "limit": 13.9}
    assert (found["cameras"], found["lidars"], found["isMultiSensor"]) == (["CAM"], [], False)
    assert found.keys().isdisjoint({"frameRelativeTimes", "calibrationId"})


async def test_summary_of_an_invalidated_scene(caller: Caller, platform: Platform) -> None:
    """An invalidated scene is only found if that is asked for, in any spelling of true."""
    path = f"v2/scenes/{INPUT_UUIDS[0]}"
    platform.invalidate_scene(INPUT_UUIDS[0], "duplicate")
    for query in ("", "?includeInvalidated=False"):
        answer = await caller.get(f"{path}{query}")
        assert (answer.status, answer.message) == (404, f"scene {INPUT_UUIDS[0]} is invalidated:duplicate")
    for query in ("?includeInvalidated=True", "?includeInvalidated=true"):
        assert (await caller.get(f"{path}{query}")).data["externalId"] == "seeded-1"
    assert (await caller.get("v2/scenes/nobody?includeInvalidated=true")).status == 404


@pytest.mark.parametrize("path", ["lidars-sequence", "aggregated-lidars-and-cameras-sequence"])
async def test_ego_poses(caller: Caller, path: str) -> None:
    """The ego poses of a sequence are got by the ids of its frames."""
    uuid = await caller.make_scene(path)
    assert (await caller.get(f"v2/scenes/{uuid}/ego-poses")).data == {"poses": {"0": POSE, "1": POSE}}


async def test_ego_poses_of_the_newer_kind(caller: Caller) -> None:
    """The frames without point clouds have no ego pose beside them."""
    uuid = (await caller.post("v2/scenes", request(frame(0), frame(1, clouds=False)))).data["id"]
    assert (await caller.get(f"v2/scenes/{uuid}/ego-poses")).data == {"poses": {"0": POSE}}


async def test_point_clouds_without_ego_pose(caller: Caller) -> None:
    """Frames with point clouds need no ego pose, neither all nor some of them."""
    frames = [frame(index) for index in range(2)]
    del frames[0]["pointClouds"]["egoVehiclePose"]
    uuid = (await caller.post("v2/scenes", request(*frames))).data["id"]
    assert (await caller.get(f"v2/scenes/{uuid}/ego-poses")).data == {"poses": {"1": POSE}}
    del frames[1]["pointClouds"]["egoVehiclePose"]
    uuid = (await caller.post("v2/scenes", request(*frames))).data["id"]
    assert (await caller.get(f"v2/scenes/{uuid}/ego-poses")).status == 404


async def test_no_ego_poses(caller: Caller, platform: Platform) -> None:
    """A scene without ego poses, an invalidated and an unknown one have none to get."""
    posed = platform.add_scene("x", path="lidars-sequence")
    platform.invalidate_scene(posed)
    messages = {
        INPUT_UUIDS[0]: f"scene {INPUT_UUIDS[0]} has no ego poses",
        posed: f"scene {posed} is invalidated:incorrectly-created",
        "nobody": "scene nobody is unknown",
    }
    for uuid, message in messages.items():
        answer = await caller.get(f"v2/scenes/{uuid}/ego-poses")
        assert (answer.status, answer.message) == (404, message)


async def test_scenes_that_are_set_up(caller: Caller, platform: Platform) -> None:
    """A scene that a test sets up may have any number of frames, be in a bucket, or have failed."""
    many = platform.add_scene("x", path="lidars-and-cameras-sequence", frames=3)
    found = await summary(caller, many)
    assert (found["frameRelativeTimes"], found["calibrationId"]) == ([0, 100, 200], CALIBRATION_ID)
    assert list((await caller.get(f"v2/scenes/{many}/ego-poses")).data["poses"]) == ["0", "1", "2"]
    assert await caller.status(platform.add_scene("x", indexed=True)) == "indexed"
    failed = platform.add_scene("x", failure="too dark")
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [failed]})).data
    assert (scene["status"], scene["errorMessage"]) == ("failed", "too dark")
