"""The official synchronous client drives the emulator: what it cannot tell from the platform is faithful."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from kognic.io.client import KognicIOClient
from kognic.io.model import calibration as calibrations
from kognic.io.model import ego
from kognic.io.model import scene as scenes
from kognic.io.model.scene import (
    aggregated_lidars_and_cameras_seq,
    cameras,
    cameras_sequence,
    lidars_and_cameras,
    lidars_and_cameras_sequence,
    lidars_sequence,
)
from kognic.io.model.scene import lidars as lidars_model
from kognic.io.resources.scene.file_data import FileData
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio.emulator import CALIBRATION_ID, INPUT_UUIDS, Emulator, Platform

from .support import CSV

pytestmark = pytest.mark.anyio

IMAGE = b"as good as any image"
POSITION = calibrations.Position(x=0.0, y=0.0, z=0.0)
ROTATION = calibrations.RotationQuaternion(w=1.0, x=0.0, y=0.0, z=0.0)
POSE = ego.EgoVehiclePose(position=POSITION, rotation=ROTATION)
SECOND = 1_000_000_000
IMU = [ego.IMUData(position=POSITION, rotation_quaternion=ROTATION, timestamp=t) for t in (0, 5 * SECOND)]

Work = Callable[[KognicIOClient], Any]


@contextmanager
def official_client(emulator: Emulator) -> Iterator[KognicIOClient]:
    client = KognicIOClient(**emulator.client_options())
    try:
        yield client
    finally:
        client._auth_session.oauth_session.close()


async def drive(emulator: Emulator, work: Work) -> Any:
    """Let the official client work in a thread: it blocks, and runs event loops of its own."""

    def run() -> Any:
        with official_client(emulator) as client:
            return work(client)

    return await anyio.to_thread.run_sync(run)


class Files:
    """Makes images and point clouds of local files, or of bytes."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def image(self, name: str) -> scenes.Image:
        times = scenes.ImageMetadata(shutter_time_start_ns=1, shutter_time_end_ns=2, reversed_shutter=False)
        return scenes.Image(**self._source(f"{name}.png", IMAGE), sensor_name="RFC01", metadata=times)

    def cloud(self, name: str) -> scenes.PointCloud:
        return scenes.PointCloud(**self._source(f"{name}.csv", CSV), sensor_name="RFL01")

    def _source(self, filename: str, content: bytes) -> dict[str, Any]:
        if self.folder is None:
            format_ = FileData.Format(filename.rpartition(".")[2])
            return {"filename": filename, "file_data": FileData(format=format_, data=content)}
        path = self.folder / filename
        path.write_bytes(content)
        return {"filename": str(path)}


def make_cameras(files: Files) -> Any:
    frame = cameras.Frame(images=[files.image("a"), files.image("b")])
    return scenes.Cameras(external_id="official", frame=frame, metadata={"region": "north"})


def make_cameras_sequence(files: Files) -> Any:
    frames = [
        cameras_sequence.Frame(frame_id=str(i), relative_timestamp=100 * i, images=[files.image(str(i))])
        for i in range(2)
    ]
    names = scenes.SensorSpecification(sensor_to_pretty_name={"RFC01": "Front"}, sensor_order=["RFC01"])
    return scenes.CamerasSequence(external_id="official", frames=frames, sensor_specification=names)


def make_lidars(files: Files) -> Any:
    frame = lidars_model.Frame(point_clouds=[files.cloud("a")], unix_timestamp=SECOND)
    return lidars_model.Lidars(external_id="official", frame=frame, imu_data=IMU)


def make_lidars_and_cameras(files: Files) -> Any:
    frame = lidars_and_cameras.Frame(point_clouds=[files.cloud("a")], images=[files.image("a")], unix_timestamp=SECOND)
    return scenes.LidarsAndCameras(external_id="official", frame=frame, calibration_id=CALIBRATION_ID)


def make_lidars_and_cameras_sequence(files: Files) -> Any:
    frames = [
        lidars_and_cameras_sequence.Frame(
            frame_id=str(i),
            relative_timestamp=100 * i,
            point_clouds=[files.cloud(str(i))],
            images=[files.image(str(i))],
            ego_vehicle_pose=POSE,
            unix_timestamp=SECOND * i,
        )
        for i in range(2)
    ]
    return scenes.LidarsAndCamerasSequence(
        external_id="official", frames=frames, calibration_id=CALIBRATION_ID, imu_data=IMU
    )


def make_aggregated(files: Files) -> Any:
    frames = [
        aggregated_lidars_and_cameras_seq.Frame(
            frame_id=str(i),
            relative_timestamp=100 * i,
            point_clouds=[] if i else [files.cloud("only")],
            images=[files.image(str(i))],
            ego_vehicle_pose=POSE,
        )
        for i in range(2)
    ]
    return scenes.AggregatedLidarsAndCamerasSequence(
        external_id="official", frames=frames, calibration_id=CALIBRATION_ID
    )


@pytest.mark.parametrize(
    ("resource", "make"),
    [
        ("cameras", make_cameras),
        ("cameras_sequence", make_cameras_sequence),
        ("lidars", make_lidars),
        ("lidars_and_cameras", make_lidars_and_cameras),
        ("lidars_and_cameras_sequence", make_lidars_and_cameras_sequence),
        ("aggregated_lidars_and_cameras_seq", make_aggregated),
    ],
)
@pytest.mark.parametrize("from_disk", [True, False], ids=["local files", "bytes"])
async def test_creates_scenes(
    emulator: Emulator, tmp_path: Path, resource: str, make: Callable[[Files], Any], *, from_disk: bool
) -> None:
    """It creates a scene of each type with its input, and every byte arrives."""

    def work(client: KognicIOClient) -> tuple[Any, Any, Any]:
        scene = make(Files(tmp_path if from_disk else None))
        created = getattr(client, resource).create(scene, project="project-a", batch="batch-2")
        (found,) = client.scene.get_scenes_by_uuids([created.scene_uuid])
        (entry,) = client.input.query_inputs(scene_uuids=[created.scene_uuid])
        return created, found, entry

    created, found, entry = await drive(emulator, work)
    assert (found.status, found.external_id, entry.uuid) == (
        scenes.SceneStatus.Created,
        "official",
        created.request_input_uuid,
    )
    expected = {hashlib.sha256(content).hexdigest() for content in (IMAGE, CSV)}
    scene = emulator.platform.scene(created.scene_uuid)
    for name, stored in scene.files.items():
        assert stored is not None
        assert stored.sha256 in expected or name == scene.spec.imu_id


async def test_dry_run(emulator: Emulator, platform: Platform) -> None:
    """Its dry run validates and creates nothing."""
    before = platform.summary()
    scene = make_lidars_and_cameras_sequence(Files(None))
    answer = await drive(emulator, lambda client: client.lidars_and_cameras_sequence.create(scene, dryrun=True))
    assert answer is None
    assert {**platform.summary(), "tokens_issued": 0} == before


async def test_lidars_sequence(emulator: Emulator, platform: Platform) -> None:
    """It cannot upload the files of a lidar sequence, for reasons of its own; the scene stays pending."""
    frame = lidars_sequence.Frame(frame_id="0", relative_timestamp=0, point_clouds=[Files(None).cloud("a")])
    scene = lidars_sequence.LidarsSequence(external_id="official", frames=[frame])
    with pytest.raises(AssertionError, match="File count discrepancy: 0 != 1"):
        await drive(emulator, lambda client: client.lidars_sequence.create(scene))
    (pending,) = platform.scenes.with_external_id("official")
    assert pending.status == "pending"


async def test_refusal(emulator: Emulator, platform: Platform) -> None:
    """It shows the platform's words for a scene that is refused."""
    platform.refuse("scene", "official", "no night scenes")
    with pytest.raises(RuntimeError, match="no night scenes"):
        await drive(emulator, lambda client: client.cameras.create(make_cameras(Files(None))))


async def test_projects(emulator: Emulator) -> None:
    """It lists projects and batches."""

    def work(client: KognicIOClient) -> dict[str, list[str]]:
        return {
            project.project: [
                f"{batch.batch} {batch.status.value}" for batch in client.project.get_project_batches(project.project)
            ]
            for project in client.project.get_projects()
        }

    assert await drive(emulator, work) == {
        "project-a": ["batch-1 completed", "batch-2 open", "batch-3 pending"],
        "project-b": ["batch-1 open"],
    }


async def test_calibrations(emulator: Emulator) -> None:
    """It creates a calibration, gets it back, lists those with its external id, and reads the seeded one."""
    sensors = {
        "lidar": calibrations.LidarCalibration(position=POSITION, rotation_quaternion=ROTATION),
        "CAM": calibrations.PinholeCalibration(
            position=POSITION,
            rotation_quaternion=ROTATION,
            image_height=1080,
            image_width=1920,
            camera_matrix=calibrations.CameraMatrix(fx=1.0, fy=1.0, cx=1.0, cy=1.0),
            distortion_coefficients=calibrations.DistortionCoefficients(k1=0, k2=0, p1=0, p2=0, k3=0),
        ),
    }

    def work(client: KognicIOClient) -> None:
        sent = calibrations.SensorCalibration(external_id="mine", calibration=sensors)
        created = client.calibration.create_calibration(sent)
        assert client.calibration.get_calibration(created.id) == created
        assert client.calibration.get_calibrations("mine") == [created]
        assert "RFC01" in client.calibration.get_calibration(CALIBRATION_ID).calibration

    await drive(emulator, work)


async def test_pre_annotation_and_inputs(emulator: Emulator, platform: Platform) -> None:
    """It pre-annotates a scene, makes an input of it, and finds the inputs of all pages."""
    platform.page_size = 1
    content = OpenLabelAnnotation.model_validate(
        {
            "openlabel": {
                "metadata": {"schema_version": "1.0.0"},
                "frames": {"0": {"frame_properties": {"timestamp": 100, "external_id": "1"}}},
            }
        }
    )

    def work(client: KognicIOClient) -> tuple[str, str]:
        uuid = client.cameras_sequence.create(make_cameras_sequence(Files(None))).scene_uuid
        client.pre_annotation.create(uuid, content, dryrun=True, external_id="p")
        created = client.pre_annotation.create(uuid, content, dryrun=False, external_id="p")
        (entry,) = client.cameras_sequence.create_from_scene(uuid, "project-a")
        inputs = client.input.query_inputs(project="project-a")
        assert [found.uuid for found in inputs] == [*INPUT_UUIDS, entry.uuid]
        return uuid, created.id

    uuid, created_id = await drive(emulator, work)
    assert [kept.id for kept in platform.pre_annotations.of_scene(uuid)] == [created_id]


async def test_invalidation(emulator: Emulator) -> None:
    """It invalidates scenes, whose inputs are gone then."""

    def work(client: KognicIOClient) -> tuple[Any, list[Any]]:
        client.scene.invalidate_scenes(list(INPUT_UUIDS), scenes.SceneInvalidatedReason.BAD_CONTENT)
        (found,) = client.scene.get_scenes_by_external_ids(["seeded-1"])
        return found.status, client.input.query_inputs(project="project-a")

    assert await drive(emulator, work) == (scenes.SceneStatus.InvalidatedBadContent, [])


async def test_refresh(emulator: Emulator, platform: Platform) -> None:
    """It renews a token that is about to expire, with the refresh token that it was given."""
    platform.timing.token_lifetime = 30  # seconds; it renews a minute ahead
    assert len(await drive(emulator, lambda client: client.project.get_projects())) == 2
    forms = [request.content for request in emulator.recorder.requests("POST", "/v1/auth/oauth/token")]
    assert any(b"grant_type=refresh_token" in form for form in forms)
