"""What the platform accepts as a scene, and what it says about the rest."""

from typing import Any

import pytest

from kognic_aio.emulator import CALIBRATION_ID, WORKSPACE_ID, Platform

from .support import MISSING, POSE, Caller, cloud, image, imu_data, patched, scene_body

pytestmark = pytest.mark.anyio

PATHS = (
    "cameras",
    "cameras-sequence",
    "lidars",
    "lidars-sequence",
    "lidars-and-cameras",
    "lidars-and-cameras-sequence",
    "aggregated-lidars-and-cameras-sequence",
)
LCS = "lidars-and-cameras-sequence"
ALCS = "aggregated-lidars-and-cameras-sequence"

# A type of scene, the place in its body that is changed, what it is changed to, and what is said about it.
BAD_SCENES: list[tuple[str, str, Any, str]] = [
    ("cameras", "externalId", MISSING, "externalId is missing"),
    ("cameras", "externalId", None, "externalId is missing"),
    ("cameras", "externalId", "", "externalId must not be empty"),
    ("cameras", "externalId", 7, "externalId must be a string, got 7"),
    ("cameras", "externalId", "\ud800", "externalId must be valid Unicode"),
    ("cameras", "colour", "red", "colour is an unknown key"),
    ("cameras", "frames", [], "frames is an unknown key"),
    ("cameras", "imuData", "imu", "imuData is an unknown key"),
    ("cameras", "frame", MISSING, "frame is missing"),
    ("cameras", "frame", [], "frame must be an object, got []"),
    ("cameras", "frame.images", MISSING, "frame.images is missing"),
    ("cameras", "frame.images", {}, "frame.images must be a list, got {}"),
    ("cameras", "frame.images", [], "frame.images has 0 items, must have 1 to 9"),
    ("cameras", "frame.images", [image()] * 10, "frame.images has 10 items, must have 1 to 9"),
    ("cameras", "frame.pointClouds", [cloud()], "frame.pointClouds is an unknown key"),
    ("cameras", "frame.frameId", "1", "frame.frameId is an unknown key"),
    ("cameras", "frame.images.0.resourceId", MISSING, "frame.images[0].resourceId is missing"),
    ("cameras", "frame.images.0.filename", MISSING, "frame.images[0].filename is missing"),
    ("cameras", "frame.images.0.sensorName", MISSING, "frame.images[0].sensorName is missing"),
    ("cameras", "frame.images.0.sensorName", "", "frame.images[0].sensorName must not be empty"),
    ("cameras", "frame.images.0.width", 3, "frame.images[0].width is an unknown key"),
    (
        "cameras",
        "frame.images.0.filename",
        "a.pcd",
        "frame.images[0].filename must end in one of .avif, .jpeg, .jpg, .png, .webp, got 'a.pcd'",
    ),
    (
        "cameras",
        "frame.images.0.filename",
        "png",
        "frame.images[0].filename must end in one of .avif, .jpeg, .jpg, .png, .webp, got 'png'",
    ),
    (
        "cameras",
        "frame.images.0.metadata.shutterTimeEndNs",
        9,
        "frame.images[0].metadata.shutterTimeEndNs is before shutterTimeStartNs",
    ),
    (
        "cameras",
        "frame.images.0.metadata.shutterTimeEndNs",
        MISSING,
        "frame.images[0].metadata.shutterTimeEndNs is missing",
    ),
    (
        "cameras",
        "frame.images.0.metadata.shutterTimeStartNs",
        1.5,
        "frame.images[0].metadata.shutterTimeStartNs must be an integer, got 1.5",
    ),
    (
        "cameras",
        "frame.images.0.metadata.reversedShutter",
        "no",
        "frame.images[0].metadata.reversedShutter must be true or false, got 'no'",
    ),
    ("cameras", "metadata", [], "metadata must be an object, got []"),
    (
        "cameras",
        "metadata.nested",
        {"a": 1},
        "metadata.nested must be a string, a number or a bool, got {'a': 1}",
    ),
    ("cameras", "featureFlags.fast", True, "featureFlags.fast is an unknown key"),
    (
        "cameras",
        "featureFlags.shouldMotionCompensate",
        1,
        "featureFlags.shouldMotionCompensate must be true or false, got 1",
    ),
    ("cameras", "sensorSpecification.sensorOrder", "CAM", "sensorSpecification.sensorOrder must be a list"),
    (
        "cameras",
        "sensorSpecification.sensorToPrettyName.CAM",
        1,
        "sensorSpecification.sensorToPrettyName.CAM must be a string",
    ),
    ("cameras-sequence", "frames", [], "frames has 0 items, must have 1 or more"),
    ("cameras-sequence", "frames.1.images", MISSING, "frames[1].images is missing"),
    ("cameras-sequence", "frames.1.frameId", MISSING, "frames[1].frameId is missing"),
    ("cameras-sequence", "frames.1.frameId", "0", "frames[1].frameId '0' is used by an earlier frame"),
    ("cameras-sequence", "frames.0.relativeTimestamp", MISSING, "frames[0].relativeTimestamp is missing"),
    (
        "cameras-sequence",
        "frames.0.relativeTimestamp",
        0.5,
        "frames[0].relativeTimestamp must be an integer, got 0.5",
    ),
    (
        "cameras-sequence",
        "frames.0.relativeTimestamp",
        True,
        "frames[0].relativeTimestamp must be an integer, got True",
    ),
    ("cameras-sequence", "frames.0.metadata.tags", ["a"], "frames[0].metadata.tags must be a string"),
    (
        "cameras-sequence",
        "frames.1.images.0.resourceId",
        "0.jpg",
        "frames[1].images[0].resourceId '0.jpg' is already the id of the file '0.jpg'",
    ),
    ("cameras-sequence", "frames.0.egoVehiclePose", {}, "frames[0].egoVehiclePose.position is missing"),
    ("cameras-sequence", "frames.0.unixTimestamp", 1.5, "frames[0].unixTimestamp must be an integer, got 1.5"),
    ("cameras-sequence", "calibrationId", "nowhere", "calibrationId 'nowhere' is unknown"),
    ("cameras-sequence", "imuData", "mine", "imuData 'mine' is unknown: get a resource id from v1/imu"),
    ("cameras", "calibrationId", "nowhere", "calibrationId 'nowhere' is unknown"),
    ("cameras", "imuData", "mine", "imuData is an unknown key"),
    ("cameras", "frame.unixTimestamp", 1, "frame.unixTimestamp is an unknown key"),
    ("cameras", "frame.egoVehiclePose", POSE, "frame.egoVehiclePose is an unknown key"),
    ("lidars", "frame.pointClouds", MISSING, "frame.pointClouds is missing"),
    ("lidars", "frame.pointClouds", [], "frame.pointClouds has 0 items, must have 1 to 20"),
    ("lidars", "frame.pointClouds", [cloud()] * 21, "frame.pointClouds has 21 items, must have 1 to 20"),
    ("lidars", "frame.images", [image()], "frame.images is an unknown key"),
    ("lidars", "frame.egoVehiclePose", POSE, "frame.egoVehiclePose is an unknown key"),
    ("lidars", "frame.unixTimestamp", "1", "frame.unixTimestamp must be an integer, got '1'"),
    ("lidars", "sensorSpecification", {}, "sensorSpecification is an unknown key"),
    (
        "lidars",
        "frame.pointClouds.0.filename",
        "a.png",
        "frame.pointClouds[0].filename must end in one of .csv, .las, .laz, .pcd, got 'a.png'",
    ),
    ("lidars", "frame.pointClouds.0.metadata", {}, "frame.pointClouds[0].metadata is an unknown key"),
    ("lidars-sequence", "frames.0.pointClouds", [], "frames[0].pointClouds has 0 items, must have 1 to 20"),
    (
        "lidars-sequence",
        "frames.1.egoVehiclePose.position.z",
        MISSING,
        "frames[1].egoVehiclePose.position.z is missing",
    ),
    (
        "lidars-sequence",
        "frames.1.egoVehiclePose.rotation.w",
        "1",
        "frames[1].egoVehiclePose.rotation.w must be a number, got '1'",
    ),
    ("lidars-and-cameras", "calibrationId", MISSING, "calibrationId is missing"),
    ("lidars-and-cameras", "calibrationId", "nowhere", "calibrationId 'nowhere' is unknown"),
    ("lidars-and-cameras", "frame.images", [], "frame.images has 0 items, must have 1 to 9"),
    (
        "lidars-and-cameras",
        "frame.images.0.sensorName",
        "REAR",
        "has no camera 'REAR', which the scene uses",
    ),
    (
        "lidars-and-cameras",
        "frame.pointClouds.0.sensorName",
        "CAM",
        "has no lidar 'CAM', which the scene uses",
    ),
    ("lidars-and-cameras", "imuData", "mine", "imuData 'mine' is unknown: get a resource id from v1/imu"),
    (LCS, "frames.1.pointClouds", [], "frames[1].pointClouds has 0 items, must have 1 to 20"),
    (LCS, "frames.1.pointClouds", MISSING, "frames[1].pointClouds is missing"),
    (ALCS, "frames.0.pointClouds", [], "frames[0].pointClouds has 0 items, must have 1 to 20"),
    (ALCS, "frames.1.pointClouds", [cloud()] * 21, "frames[1].pointClouds has 21 items, must have 0 to 20"),
    (ALCS, "frames.1.egoVehiclePose", MISSING, "frames[1].egoVehiclePose is missing"),
    (ALCS, "frames.1.images", [], "frames[1].images has 0 items, must have 1 to 9"),
]


@pytest.mark.parametrize(("path", "where", "value", "message"), BAD_SCENES)
async def test_a_bad_scene_is_refused(caller: Caller, path: str, where: str, value: Any, message: str) -> None:
    """A scene that breaks a rule is refused with a message that says where and why, and nothing is created."""
    answer = await caller.create(path, patched(scene_body(path), where, value))
    assert answer.status == 400
    assert message in answer.message
    assert caller.emulator.platform.summary()["scenes"] == {"created": 2}


@pytest.mark.parametrize("path", PATHS)
async def test_a_good_scene_is_created(caller: Caller, platform: Platform, path: str) -> None:
    """A scene of each type goes all the way."""
    scene = platform.scene(await caller.make_scene(path))
    assert (scene.status, scene.kind.path) == ("created", path)


# A type of scene and a change that must do no harm.
@pytest.mark.parametrize(
    ("path", "where", "value"),
    [
        ("cameras", "metadata", None),
        ("cameras", "metadata", MISSING),
        ("cameras", "featureFlags", MISSING),
        ("cameras", "featureFlags", {}),
        ("cameras", "sensorSpecification", MISSING),
        ("cameras", "calibrationId", CALIBRATION_ID),
        ("cameras-sequence", "calibrationId", CALIBRATION_ID),
        ("cameras-sequence", "frames.1.egoVehiclePose", POSE),
        ("cameras-sequence", "frames.1.unixTimestamp", 1_700_000_000_000_000_000),
        ("cameras", "frame.images.0.metadata", MISSING),
        ("cameras", "frame.images.0.metadata.reversedShutter", True),
        ("cameras", "frame.images.0.clientFilename", MISSING),
        ("cameras", "frame.images.0.filename", "A.JPEG"),
        ("cameras", "frame.images", [image(f"{index}.avif") for index in range(9)]),
        ("lidars", "frame.unixTimestamp", MISSING),
        ("lidars", "frame.pointClouds", [cloud(f"{index}.csv") for index in range(20)]),
        ("lidars-sequence", "frames.0.egoVehiclePose", MISSING),
        (ALCS, "frames.1.pointClouds", []),
        (ALCS, "frames.1.pointClouds", MISSING),
    ],
)
async def test_what_may_be_left_out(caller: Caller, path: str, where: str, value: Any) -> None:
    """What is optional may be left out, and the limits themselves are allowed."""
    answer = await caller.create(path, patched(scene_body(path), where, value))
    assert answer.status == 200, answer.text


async def test_one_url_per_resource(caller: Caller) -> None:
    """A file that several frames use is uploaded once."""
    body = patched(scene_body("cameras-sequence"), "frames.1.images.0", image("0.jpg"))
    assert list((await caller.create("cameras-sequence", body)).data["files"]) == ["0.jpg"]


async def test_body_that_is_no_object(caller: Caller) -> None:
    """A body that is JSON but no object is refused."""
    answer = await caller.post(f"v1/inputs/cameras?workspaceId={WORKSPACE_ID}", [1])
    assert (answer.status, answer.message) == (400, "the body must be an object, got [1]")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("imuData", [], "imuData has 0 items, must have 1 or more"),
        ("imuData", MISSING, "imuData is missing"),
        ("imuData.0.timestamp", 1.5, "imuData[0].timestamp must be an integer, got 1.5"),
        ("imuData.0.rotationQuaternion", MISSING, "imuData[0].rotationQuaternion is missing"),
        ("imuData.0.position.x", "a", "imuData[0].position.x must be a number, got 'a'"),
        ("internalId", "mine", "internalId 'mine' was not reserved"),
    ],
)
async def test_bad_imu_data(caller: Caller, where: str, value: Any, message: str) -> None:
    """IMU data that breaks a rule is refused."""
    body = {"imuData": imu_data(1, 2), "internalId": await caller.reserve()}
    answer = await caller.post(f"v1/imu?workspaceId={WORKSPACE_ID}", patched(body, where, value))
    assert answer.status == 400
    assert message in answer.message
