"""What kognic-io 2.20.0 has and 2.19.0 had not, held to its changelog: calibrations, poses and IMU data of cameras.

The reference that can be installed is 2.19.0, so that what is sent is compared with what lidar and camera scenes send.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from aiohttp import web

from kognic_aio import FileData, KognicIOClient
from kognic_aio._http.wire import encode
from kognic_aio.model import (
    BaseSceneWithIMUData,
    Cameras,
    CamerasSequence,
    EgoVehiclePose,
    Image,
    IMUData,
    LidarsAndCamerasSequence,
    PointCloud,
    Position,
    RotationQuaternion,
)
from kognic_aio.model import scene_request as new
from tests.scripted import Server, client_of, serving
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

SECOND = 1_000_000_000
HERE = Position(x=1, y=2, z=3)
AHEAD = RotationQuaternion(w=1, x=0, y=0, z=0)
POSE = EgoVehiclePose(position=HERE, rotation=AHEAD)
SENT_POSE = {"position": {"x": 1.0, "y": 2.0, "z": 3.0}, "rotation": {"w": 1.0, "x": 0.0, "y": 0.0, "z": 0.0}}
IMU = [IMUData(position=HERE, rotation_quaternion=AHEAD, timestamp=i * SECOND) for i in range(3)]
SENT_IMU = [
    {"position": SENT_POSE["position"], "rotationQuaternion": SENT_POSE["rotation"], "timestamp": i * SECOND}
    for i in range(3)
]


def image(name: str) -> Image:
    return Image(filename=name, sensor_name="CAM", file_data=FileData(format="jpg", data=name.encode()))


def camera_frame(i: int, **fields: Any) -> CamerasSequence.Frame:
    return CamerasSequence.Frame(frame_id=str(i), relative_timestamp=1000 * i, images=[image(f"{i}.jpg")], **fields)


def cameras_sequence(**fields: Any) -> CamerasSequence:
    moved = {"ego_vehicle_pose": POSE}
    frames = [camera_frame(i, unix_timestamp=(i + 1) * SECOND, **moved) for i in range(2)]
    return CamerasSequence(external_id="scene", frames=frames, calibration_id="calibration", **fields)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A platform that accepts whatever is sent, and wants IMU data and the files of a frame each."""

    def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/v1/inputs/initialize":
            return web.json_response({"sceneUuid": "uuid"})
        if request.path == "/v1/imu":
            return web.json_response({"resourceId": "imu.json", "signedUrl": f"{running.url}/put/imu.json"})
        if request.path == "/v2/scenes":
            return web.json_response({"id": "uuid", "signedUploadUrls": []})
        files = {name: f"{running.url}/put/{name}" for name in ("0.jpg", "1.jpg")}
        return web.json_response({"internalId": "uuid", "files": files})

    async with serving() as running:
        running.always = answer
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[KognicIOClient]:
    async with client_of(server) as opened:
        yield opened


def sent(server: Server, path: str) -> list[Any]:
    """The JSON of every request to a path."""
    return [json.loads(body) for _, given, body, _ in server.requests if given.partition("?")[0] == path]


async def test_a_camera_sequence_with_everything(server: Server, client: KognicIOClient) -> None:
    """IMU data is validated and uploaded apart, and named in the scene beside poses, times and calibration."""
    with anyio.fail_after(GENEROUS):
        created = await client.cameras_sequence.create(cameras_sequence(imu_data=IMU))
    assert created.scene_uuid == "uuid"
    assert sent(server, "/v1/imu") == [{"imuData": SENT_IMU, "internalId": "uuid"}]
    (body,) = sent(server, "/v1/inputs/cameras-sequence")
    assert (body["calibrationId"], body["imuData"], body["internalId"]) == ("calibration", "imu.json", "uuid")
    assert [frame["unixTimestamp"] for frame in body["frames"]] == [SECOND, 2 * SECOND]
    assert [frame["egoVehiclePose"] for frame in body["frames"]] == [SENT_POSE, SENT_POSE]
    uploads = {path: body for method, path, body, _ in server.requests if method == "PUT"}
    assert uploads.keys() == {"/put/0.jpg", "/put/1.jpg", "/put/imu.json"}
    assert json.loads(uploads["/put/imu.json"]) == SENT_IMU
    assert (uploads["/put/0.jpg"], uploads["/put/1.jpg"]) == (b"0.jpg", b"1.jpg")
    assert server.requests[-1][1] == "/v1/inputs/uuid/actions/commit"


async def test_a_dry_run_of_a_camera_sequence(server: Server, client: KognicIOClient) -> None:
    """A dry run validates the IMU data too, and uploads nothing."""
    with anyio.fail_after(GENEROUS):
        assert await client.cameras_sequence.create(cameras_sequence(imu_data=IMU), dryrun=True) is None
    paths = [path.partition("?")[0] for _, path, _, _ in server.requests]
    assert paths == ["/v1/inputs/initialize", "/v1/imu", "/v1/inputs/cameras-sequence"]
    (body,) = sent(server, "/v1/inputs/cameras-sequence")
    assert "imuData" not in body
    assert [headers.get("X-Dryrun") for _, _, _, headers in server.requests] == [None, "", ""]


async def test_without_imu_data(server: Server, client: KognicIOClient) -> None:
    """Without IMU data none is sent, and the body is that of 2.19.0."""
    with anyio.fail_after(GENEROUS):
        await client.cameras_sequence.create(
            CamerasSequence(external_id="scene", frames=[*map(camera_frame, range(2))])
        )
    assert not sent(server, "/v1/imu")
    (body,) = sent(server, "/v1/inputs/cameras-sequence")
    assert body.keys() == {"externalId", "metadata", "frames", "internalId", "featureFlags"}
    assert body["frames"][0].keys() == {"frameId", "relativeTimestamp", "metadata", "images"}


def test_the_same_as_lidars_and_cameras() -> None:
    """Poses, times and IMU data are sent by the names that lidar and camera scenes have them under."""
    cloud = PointCloud(filename="a.csv", file_data=FileData(format="csv", data=b"x"))
    frames = [
        LidarsAndCamerasSequence.Frame(
            frame_id=frame.frame_id,
            relative_timestamp=frame.relative_timestamp,
            images=frame.images,
            point_clouds=[cloud],
            ego_vehicle_pose=POSE,
            unix_timestamp=frame.unix_timestamp,
        )
        for frame in cameras_sequence().frames
    ]
    expected = encode(
        LidarsAndCamerasSequence(external_id="scene", frames=frames, calibration_id="calibration", imu_data=IMU)
    )
    for frame in expected["frames"]:
        del frame["pointClouds"]
    assert encode(cameras_sequence(imu_data=IMU)) == expected
    assert isinstance(cameras_sequence(), BaseSceneWithIMUData)


def test_a_journal_knows_its_scenes() -> None:
    """What is encoded of a sequence without anything new is as it was, byte for byte: journals compare it."""
    scene = CamerasSequence(external_id="scene", frames=[camera_frame(0)])
    assert json.dumps(encode(scene)) == (
        '{"externalId": "scene", "metadata": {}, "frames": [{"frameId": "0", "relativeTimestamp": 0, "metadata": {}, '
        '"images": [{"filename": "0.jpg", "resourceId": "0.jpg", "sensorName": "CAM", "clientFilename": "0.jpg"}]}]}'
    )


def test_cameras_with_a_calibration() -> None:
    """A scene of one moment names its calibration, if it has one."""
    frame = Cameras.Frame(images=[image("0.jpg")])
    assert encode(Cameras(external_id="scene", frame=frame, calibration_id="mine"))["calibrationId"] == "mine"
    assert "calibrationId" not in encode(Cameras(external_id="scene", frame=frame))


def request(**fields: Any) -> new.SceneRequest:
    image_resource = new.ImageResource(sensor_name="CAM", external_resource_uri="s3://bucket/a.jpg")
    cloud = new.SensorResource(sensor_name="lidar", external_resource_uri="s3://bucket/a.csv")
    frame = new.Frame(frame_id="0", timestamp_ns=1, images=[image_resource], pointclouds=[cloud], **fields)
    return new.SceneRequest(workspace_id="w", external_id="scene", frames=[frame], calibration_id="calibration")


async def test_a_request_without_poses(server: Server, client: KognicIOClient) -> None:
    """A scene request may have point clouds without a pose; then none is sent."""
    with anyio.fail_after(GENEROUS):
        await client.scene.create_scene(request())
        await client.scene.create_scene(request(ego_vehicle_pose=POSE))
    without, with_pose = [
        body["convertedSpecification"]["frames"][0]["pointClouds"] for body in sent(server, "/v2/scenes")
    ]
    assert without == {"resources": [{"sensorName": "lidar", "externalResourceUri": "s3://bucket/a.csv"}]}
    assert with_pose == without | {"egoVehiclePose": SENT_POSE}


FLAT: dict[str, Any] = {"x": 1, "y": 2, "z": 3, "rotation_x": 0, "rotation_y": 0, "rotation_z": 0, "rotation_w": 1}


@pytest.mark.parametrize(
    "pose",
    [new.EgoVehiclePose(**FLAT), FLAT, POSE, {"position": {"x": 1, "y": 2, "z": 3}, "rotation": AHEAD}],
    ids=["flat", "mapping", "of parts", "mapping of parts"],
)
def test_poses_of_requests(pose: Any) -> None:
    """A pose may be flat, as kognic-io has it for scene requests, or of parts; sent is the same."""
    frame = encode(request(ego_vehicle_pose=pose))["convertedSpecification"]["frames"][0]
    assert frame["pointClouds"]["egoVehiclePose"] == SENT_POSE


def test_names_of_the_model_package() -> None:
    """What 2.19.1 lets be imported from the models is there, save for BaseSerializer, which is pydantic's."""
    from kognic_aio.model import Callback, UploadableData  # noqa: PLC0415  # the import is the test

    assert Callback is not None
    assert UploadableData is not None
