"""Calibrations."""

from typing import Any

import pytest

from kognic_aio.emulator import (
    CALIBRATION_EXTERNAL_ID,
    CALIBRATION_ID,
    CAMERAS,
    LIDARS,
    WORKSPACE_ID,
    Platform,
    PlatformError,
)

from .support import MISSING, Caller, patched, scene_body

pytestmark = pytest.mark.anyio

POSE = {
    "position": {"x": 0.0, "y": 0.0, "z": 0.0},
    "rotation_quaternion": {"w": 1.0, "x": 0.0, "y": 0.0, "z": 0.0},
}
LIDAR = {"calibration_type": "lidar", **POSE}
CAMERA = {
    "calibration_type": "cylindrical",
    **POSE,
    "image_height": 1080,
    "image_width": 1920,
    "camera_matrix": {"fx": 1.0, "fy": 1.0, "cx": 1.0, "cy": 1.0},
}
BODY = {"externalId": "mine", "calibration": {"CAM": CAMERA, "lidar": LIDAR}}
CREATE = f"v1/calibrations?workspaceId={WORKSPACE_ID}"


async def test_create_and_get(caller: Caller) -> None:
    """A calibration is answered as it was sent, with an id, a workspace and a date."""
    created = (await caller.post(CREATE, BODY)).data
    assert (await caller.get(f"v1/calibrations?id={created['id']}")).data == created
    assert {key: created[key] for key in BODY} == BODY
    assert created["workspaceId"] == WORKSPACE_ID


async def test_list(caller: Caller) -> None:
    """Calibrations are listed, all or those with an external id, which need not be unique."""
    ids = [(await caller.post(CREATE, BODY)).data["id"] for _ in range(2)]
    everything = (await caller.get("v1/calibrations")).data
    mine = (await caller.get("v1/calibrations?externalId=mine")).data
    assert [found["id"] for found in everything] == [CALIBRATION_ID, *ids]
    assert [found["id"] for found in mine] == ids
    assert (await caller.get("v1/calibrations?externalId=nobody")).data == []


async def test_seeded_calibration(caller: Caller) -> None:
    """A fresh platform has a calibration of the documented sensors."""
    seeded = (await caller.get(f"v1/calibrations?id={CALIBRATION_ID}")).data
    assert seeded["externalId"] == CALIBRATION_EXTERNAL_ID
    assert list(seeded["calibration"]) == [*CAMERAS, *LIDARS]


async def test_unknown_calibration(caller: Caller) -> None:
    """There is no calibration with an unknown id."""
    answer = await caller.get("v1/calibrations?id=nobody")
    assert (answer.status, answer.message) == (404, "calibration 'nobody' is unknown")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("externalId", MISSING, "externalId is missing"),
        ("calibration", {}, "calibration has no sensor"),
        ("calibration.CAM.calibration_type", "mirror", "calibration.CAM.calibration_type must be one of lidar,"),
        ("calibration.CAM.calibration_type", MISSING, "calibration.CAM.calibration_type must be a string"),
        ("calibration.CAM.calibration_type", [], "calibration.CAM.calibration_type must be a string"),
        ("calibration.CAM.calibration_type", "fisheye", "calibration.CAM.distortion_coefficients is missing"),
        ("calibration.CAM.image_width", 0, "calibration.CAM.image_width must be positive"),
        ("calibration.CAM.position.x", MISSING, "calibration.CAM.position.x is missing"),
        ("calibration.lidar.image_width", 5, "calibration.lidar.image_width is an unknown key"),
        ("calibration.lidar.rotation_quaternion", MISSING, "calibration.lidar.rotation_quaternion is missing"),
    ],
)
async def test_bad_calibration(caller: Caller, where: str, value: Any, message: str) -> None:
    """A calibration that breaks a rule is refused."""
    answer = await caller.post(CREATE, patched(BODY, where, value))
    assert answer.status == 400
    assert message in answer.message


async def test_own_calibration(caller: Caller, platform: Platform) -> None:
    """A scene may use a calibration that a test has set up."""
    own = platform.add_calibration("own", {"F": "camera", "L": "lidar"})
    body = patched(scene_body("lidars-and-cameras"), "calibrationId", own)
    body = patched(body, "frame.images.0.sensorName", "F")
    body = patched(body, "frame.pointClouds.0.sensorName", "L")
    assert platform.scene(await caller.make_scene("lidars-and-cameras", body)).status == "created"


async def test_own_content(caller: Caller, platform: Platform) -> None:
    """A calibration may be set up with the whole content of its sensors, which must be good."""
    own = platform.add_calibration("own", {"F": CAMERA, "L": "lidar"})
    assert (await caller.get(f"v1/calibrations?id={own}")).data["calibration"]["F"] == CAMERA
    with pytest.raises(PlatformError, match=r"calibration\.F\.camera_matrix is missing"):
        platform.add_calibration("own", {"F": patched(CAMERA, "camera_matrix", MISSING)})
