"""Scenes with IMU data: what of it must fit, and what happens when it does not."""

from typing import Any

import pytest

from kognic_aio.emulator import CALIBRATION_ID, WORKSPACE_ID, Platform

from .support import POSE, Caller, imu_data, patched, scene_body

pytestmark = pytest.mark.anyio

LCS = "lidars-and-cameras-sequence"
SECOND = 1_000_000_000


async def with_imu(caller: Caller, path: str, body: dict[str, Any], *times: int) -> dict[str, Any]:
    """Validate IMU data of these times, create the scene that names it, and upload both."""
    internal_id = await caller.reserve()
    imu = {"imuData": imu_data(*times), "internalId": internal_id}
    validated = (await caller.post(f"v1/imu?workspaceId={WORKSPACE_ID}", imu)).data
    await caller.put(validated["signedUrl"])
    created = (await caller.create(path, {**body, "internalId": internal_id, "imuData": validated["resourceId"]})).data
    await caller.upload_and_commit(created)
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [internal_id]})).data
    return dict(scene)


def moving_cameras() -> dict[str, Any]:
    """A sequence of cameras alone with all that tells how the vehicle moved."""
    body = patched(scene_body("cameras-sequence"), "calibrationId", CALIBRATION_ID)
    for index in range(2):
        body["frames"][index].update(egoVehiclePose=POSE, unixTimestamp=SECOND * (index + 1))
    return body


BODIES = {path: scene_body(path) for path in ("lidars-sequence", LCS)} | {"cameras-sequence": moving_cameras()}


@pytest.mark.parametrize("path", BODIES)
async def test_times_that_span_the_frames(caller: Caller, path: str) -> None:
    """A scene whose frames lie within its IMU data, both ends included, is created."""
    scene = await with_imu(caller, path, BODIES[path], 2 * SECOND, SECOND)
    assert scene["status"] == "created"


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            (0, 2 * SECOND - 1),
            "frames[1].unixTimestamp 2000000000 is outside the IMU data, which spans 0 to 1999999999",
        ),
        ((SECOND + 1, 9 * SECOND), "frames[0].unixTimestamp 1000000000 is outside the IMU data"),
        ((0, 3), "frames[0].unixTimestamp 1000000000 is outside the IMU data, which spans 0 to 3"),
    ],
)
async def test_times_that_do_not_span_the_frames(
    caller: Caller, path: str, times: tuple[int, int], message: str
) -> None:
    """A scene with a frame outside its IMU data is created and uploaded, and its processing fails."""
    scene = await with_imu(caller, path, BODIES[path], *times)
    assert scene["status"] == "failed"
    assert message in scene["errorMessage"]


async def test_without_motion_compensation(caller: Caller) -> None:
    """With motion compensation off, the times of IMU data do not matter."""
    body = patched(scene_body(LCS), "featureFlags.shouldMotionCompensate", value=False)
    assert (await with_imu(caller, LCS, body, 0, 1))["status"] == "created"


async def test_frames_without_time(caller: Caller) -> None:
    """A frame that does not tell its time is not looked at."""
    body = scene_body(LCS)
    for frame in body["frames"]:
        del frame["unixTimestamp"]
    assert (await with_imu(caller, LCS, body, 0, 1))["status"] == "created"


async def test_cameras_that_move(caller: Caller, platform: Platform) -> None:
    """A sequence of cameras alone has a calibration, IMU data and ego poses, and tells of them."""
    uuid = (await with_imu(caller, "cameras-sequence", moving_cameras(), 0, 5 * SECOND))["uuid"]
    summary = (await caller.get(f"v2/scenes/{uuid}")).data
    assert (summary["calibrationId"], summary["isMotionCompensated"]) == (CALIBRATION_ID, True)
    poses = (await caller.get(f"v2/scenes/{uuid}/ego-poses")).data
    assert poses == {"poses": {"0": POSE, "1": POSE}}


async def test_dry_run_keeps_no_imu_data(caller: Caller) -> None:
    """A dry run checks the form of IMU data, and keeps none that a scene could name."""
    internal_id = await caller.reserve()
    imu = {"imuData": imu_data(0, 1), "internalId": internal_id}
    path = f"v1/imu?workspaceId={WORKSPACE_ID}"
    assert (await caller.post(path, imu, dry_run=True)).data is None
    assert (await caller.post(path, patched(imu, "imuData.0.timestamp", "now"), dry_run=True)).status == 400
    body = {**scene_body(LCS), "internalId": internal_id, "imuData": f"imu-{internal_id}.json"}
    assert "is unknown: get a resource id" in (await caller.create(LCS, body)).message
