"""The official synchronous client drives the emulator: what it cannot tell from the platform is faithful."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kognic.io.client import KognicIOClient
from kognic.io.model import calibration as calibrations
from kognic.io.model import scene as scenes
from kognic.io.model.annotation import Annotation
from kognic.io.model.input import RequestInputStatus
from kognic.io.model.review.review import AddFeedbackItem, ReviewRequest, ReviewWorkflowEnum
from kognic.io.model.scene import scene_request
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio.emulator import (
    ANNOTATION_ID,
    CALIBRATION_ID,
    INPUT_UUIDS,
    PROJECT_IDS,
    TASK_ID,
    WORKFORCE,
    WORKSPACE_ID,
    Emulator,
    Platform,
)
from kognic_aio.emulator.routes import ROUTES

from .official import (
    IMAGE,
    MAKERS,
    POSITION,
    ROTATION,
    Files,
    drive,
    make_cameras,
    make_cameras_sequence,
    make_lidars_and_cameras_sequence,
    make_lidars_sequence,
)
from .support import CSV, openlabel

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("resource", [resource for resource in MAKERS if resource != "lidars_sequence"])
@pytest.mark.parametrize("from_disk", [True, False], ids=["local files", "bytes"])
async def test_creates_scenes(emulator: Emulator, tmp_path: Path, resource: str, *, from_disk: bool) -> None:
    """It creates a scene of each type with its input, and every byte arrives."""

    def work(client: KognicIOClient) -> tuple[Any, Any, Any]:
        scene = MAKERS[resource](Files(tmp_path if from_disk else None))
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
    scene = make_lidars_sequence(Files(None))
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


# The tour: what the official client does with each endpoint, with what it must see.

Step = Callable[[KognicIOClient, Platform], None]
TOUR: list[Step] = []


def tour(step: Step) -> Step:
    """Make a function a step of the tour."""
    TOUR.append(step)
    return step


@tour
def creates_scenes_everywhere(client: KognicIOClient, platform: Platform) -> None:
    """Scenes of each type, alone, in a project and in a batch."""
    for resource, make in MAKERS.items():
        for where in ({}, {"project": "project-b"}, {"project": "project-b", "batch": "batch-1"}):
            scene = make(Files(None))
            if resource == "lidars_sequence":
                with pytest.raises(AssertionError, match="File count discrepancy"):
                    getattr(client, resource).create(scene, **where)
            else:
                getattr(client, resource).create(scene, **where)


@tour
def creates_scenes_of_the_newer_kind(client: KognicIOClient, platform: Platform) -> None:
    """One scene of local files and one of files in a bucket, which is imported and indexed again."""

    def request(source: Any, *, postpone: bool) -> scene_request.SceneRequest:
        image = scene_request.ImageResource(
            sensor_name="CAM",
            start_shutter_timestamp_ns=1,
            end_shutter_timestamp_ns=2,
            reversed_shutter=True,
            **source("a.jpg", IMAGE),
        )
        cloud = scene_request.SensorResource(sensor_name="lidar", **source("a.csv", CSV))
        frame = scene_request.Frame(
            frame_id="0",
            timestamp_ns=1,
            images=[image],
            pointclouds=[cloud],
            ego_vehicle_pose=scene_request.EgoVehiclePose(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
            metadata={"tunnel": True},
        )
        return scene_request.SceneRequest(
            workspace_id=WORKSPACE_ID,
            external_id="newer",
            frames=[frame],
            sensor_specification=scene_request.SensorSpecification({"CAM": "Front"}, ["CAM"]),
            calibration_id=CALIBRATION_ID,
            metadata={"region": "north"},
            imudata_resource=scene_request.Resource(**source("imu.json", b"[]")),
            should_motion_compensate=True,
            postpone_external_resource_import=postpone,
        )

    def local(name: str, data: bytes) -> dict[str, Any]:
        return {"external_resource_uri": None, "local_file": scene_request.LocalFile(name, data=data)}

    def external(name: str, data: bytes) -> dict[str, Any]:
        return {"external_resource_uri": f"gs://bucket/{name}", "local_file": None}

    uploaded = client.scene.create_scene(request(local, postpone=False)).scene_uuid
    assert platform.scene(uploaded).status == "created"
    summary = client.scene.get_scene_summary(uploaded)
    assert (summary.scene_type, summary.is_motion_compensated) == (scenes.SceneType.LIDARS_AND_CAMERAS_SEQUENCE, True)
    assert client.scene.get_ego_poses(uploaded)["0"].position.x == 1.0
    assert client.scene.get_ego_poses(INPUT_UUIDS[0]) is None
    indexed = client.scene.create_scene(request(external, postpone=True)).scene_uuid
    assert platform.scene(indexed).status == "indexed"
    client.scene.import_indexed_scene(indexed)
    assert platform.scene(indexed).status == "created"
    client.scene.reindex_scene(indexed)
    (found,) = client.scene.get_scenes_by_uuids([indexed])
    assert found.status is scenes.SceneStatus.Indexed


@tour
def invalidates_scenes(client: KognicIOClient, platform: Platform) -> None:
    """An invalidated scene is found only by those who ask for it."""
    client.scene.invalidate_scenes([INPUT_UUIDS[0]], scenes.SceneInvalidatedReason.DUPLICATE)
    assert client.scene.get_scene_summary(INPUT_UUIDS[0], find_invalidated_scenes=True).external_id == "seeded-1"


@tour
def manages_batches(client: KognicIOClient, platform: Platform) -> None:
    """Batches are created and published, and have annotation types."""
    assert len(client.project.get_projects()) == 2
    assert client.project.create_batch("project-a", "new", publish_previous_batches=True).status.value == "open"
    assert client.project.publish_batch("project-a", "new").status.value == "ready"
    assert [batch.status.value for batch in client.project.get_project_batches("project-a")] == [
        "completed",
        "ready",
        "pending",
        "ready",
    ]
    assert client.project.get_annotation_types("project-a") == ["object-detection"]
    assert client.project.get_annotation_types("project-a", "new") == ["object-detection"]


@tour
def follows_the_work(client: KognicIOClient, platform: Platform) -> None:
    """Requests tell their counts, their inputs the task, which is assigned and taken back."""
    without = client.request.get_requests(project_id=PROJECT_IDS["project-a"])
    requests = client.request.get_requests(project_id=PROJECT_IDS["project-a"], include_input_progress_counts=True)
    assert without[1].input_progress_counts is None
    assert requests[1].input_progress_counts.completed == 1
    found = list(client.input.get_request_inputs(request_id=requests[1].id, page_size=1))
    assert [each.status for each in found] == [RequestInputStatus.COMPLETED, RequestInputStatus.NOT_STARTED]
    assert found[0].last_completed_annotation_id == ANNOTATION_ID
    client.task.assign_task(TASK_ID, WORKFORCE[0])
    assert client.input.get_request_input(found[1].id).progress_details.current_task.assigned_user_id == WORKFORCE[0]
    client.task.unassign_task(TASK_ID)
    assert client.input.get_request_input(found[1].id).progress_details.current_task.assigned_user_id is None


@tour
def makes_and_deletes_inputs(client: KognicIOClient, platform: Platform) -> None:
    """Inputs come from scenes and pre-annotations; the pre-annotation is replaced, and the input deleted."""
    (request_id,) = platform.add_batch("project-b", "batch-2")
    pre_annotation = platform.add_pre_annotation(INPUT_UUIDS[1])
    assert client.input.create_from_scene(INPUT_UUIDS[1], request_uuid=request_id, dryrun=True) is None
    made = client.input.create_from_scene(INPUT_UUIDS[1], request_uuid=request_id)
    client.input.update_pre_annotation(made.uuid, pre_annotation)
    other = client.input.create_from_pre_annotation(pre_annotation, project="project-b", batch="batch-1")
    (third,) = client.cameras.create_from_scene(INPUT_UUIDS[1], "project-b", "batch-2")
    inputs = client.input.query_inputs(project="project-b")
    assert [each.uuid for each in inputs] == [made.uuid, other.uuid, third.uuid]
    assert platform.input(made.uuid).pre_annotation.id == pre_annotation  # type: ignore[union-attr]
    client.input.delete_input(made.uuid)
    assert len(client.input.query_inputs(project="project-b")) == 2


@tour
def uses_the_older_calls(client: KognicIOClient, platform: Platform) -> None:
    """The older calls list scenes in projects and invalidate them, and warn that they are older."""
    platform.page_size = 1
    with pytest.deprecated_call():
        found = client.input.get_inputs("project-a", "batch-2", external_ids=["seeded-1", "seeded-2"])
    assert [each.scene_uuid for each in found] == list(INPUT_UUIDS)
    assert found[0].annotation_types == ["object-detection"]
    with pytest.deprecated_call():
        client.input.invalidate_inputs([INPUT_UUIDS[0]], scenes.SceneInvalidatedReason.BAD_CONTENT)
    with pytest.deprecated_call():
        (gone,) = client.input.get_inputs("project-a", include_invalidated=True)
    with pytest.deprecated_call():
        (same,) = client.input.get_inputs_by_uuids([INPUT_UUIDS[0]])
    assert (gone.status.value, gone.batch) == ("invalidated:broken-input", "batch-2")
    assert same == gone


@tour
def reads_annotations(client: KognicIOClient, platform: Platform) -> None:
    """Annotations are read by id, by input, by scene, by project and by batch, with their contents."""
    platform.page_size = 1
    preliminary = platform.add_annotation(INPUT_UUIDS[1], {"n": 1}, preliminary=True)
    platform.add_annotation(INPUT_UUIDS[1], {"n": 2})
    annotation = client.annotation
    by_id = annotation.get_annotation_by_id(ANNOTATION_ID, iso_rotated_cuboids=True)
    assert (by_id.is_preliminary, by_id.input_uuid) == (False, INPUT_UUIDS[0])
    assert annotation.get_annotation_by_id(preliminary).is_preliminary
    of_input: Annotation = annotation.get_annotation_for_input(INPUT_UUIDS[0], iso_rotated_cuboids=True)
    assert of_input == by_id
    (of_scene,) = annotation.get_annotations_for_scene(INPUT_UUIDS[1], iso_rotated_cuboids=True)
    assert of_scene.content == {"n": 2}
    for batch in (None, "batch-2"):
        of_project = list(annotation.get_project_annotations("project-a", "object-detection", batch))
        assert [each.scene_uuid for each in of_project] == list(INPUT_UUIDS)
        assert [each.content for each in of_project] == [by_id.content, {"n": 2}]
    older = annotation.get_annotation(INPUT_UUIDS[1], "object-detection", iso_rotated_cuboids=True)
    assert older.content == {"n": 2}


@tour
def manages_pre_annotations(client: KognicIOClient, platform: Platform) -> None:
    """Pre-annotations come with their content or from a bucket; they are listed, imported, read and deleted."""
    uuid = INPUT_UUIDS[1]
    content = OpenLabelAnnotation.model_validate(openlabel())
    sent = client.pre_annotation.create(uuid, content, dryrun=False, external_id="sent").id
    kept = client.pre_annotation.create_from_cloud_resource(uuid, "kept", "gs://bucket/p.json")
    assert [each["id"] for each in client.pre_annotation.list(statuses=["indexed"])] == [kept]
    client.pre_annotation.make_indexed_pre_annotation_available(kept)
    assert client.pre_annotation.get_with_content(kept).external_id == "kept"
    found = client.pre_annotation.get_with_content(scene_uuid=uuid, external_id="sent")
    assert (found.uuid, found.content.openlabel.metadata.schema_version) == (sent, "1.0.0")
    client.pre_annotation.delete(kept)
    listed = client.pre_annotation.list(
        ids=[sent, kept], external_ids=["sent", "kept"], scene_uuids=[uuid], scene_external_ids=["seeded-2"]
    )
    assert [each["id"] for each in listed] == [sent]


@tour
def reviews_annotations(client: KognicIOClient, platform: Platform) -> None:
    """A review names an error type and asks for a correction; the reviews of own checks are read."""
    error_type = client.review.get_error_types()[0]
    item = AddFeedbackItem(error_type_id=error_type.error_type_id, description="where is the van?")
    request = ReviewRequest(accepted=False, workflow=ReviewWorkflowEnum.CORRECT, feedback_items=[item])
    created = client.review.create_review(ANNOTATION_ID, request).created_review_id
    review = client.review.get_review(created)
    assert [member.error_type_name for member in review.members] == [error_type.name]
    assert client.input.get_request_input(INPUT_UUIDS[0]).progress_details.current_task.task_type.value == "correct"
    (automatic,) = client.review.get_auto_reviews(review.input_uuid)
    assert automatic.members[0].pin.x == 960.0


@tour
def uses_calibrations_and_workspaces(client: KognicIOClient, platform: Platform) -> None:
    """A calibration is created and read, and the workspaces are listed."""
    lidar = calibrations.LidarCalibration(position=POSITION, rotation_quaternion=ROTATION)
    sent = calibrations.SensorCalibration(external_id="mine", calibration={"lidar": lidar})
    assert client.calibration.create_calibration(sent).external_id == "mine"
    assert client.calibration.get_calibration(CALIBRATION_ID).external_id == "calibration-1"
    assert [workspace.id for workspace in client.workspace.get_workspaces()] == [WORKSPACE_ID]


def name_of(step: Step) -> str:
    return step.__name__.replace("_", "-")


async def take(step: Step, emulator: Emulator) -> None:
    await drive(emulator, lambda client: step(client, emulator.platform))


@pytest.mark.parametrize("step", TOUR, ids=name_of)
async def test_tour(emulator: Emulator, step: Step) -> None:
    """It sees what it must at each step of the tour."""
    await take(step, emulator)


async def test_the_tour_is_complete() -> None:
    """On the tour it succeeds with every endpoint that the emulator has, at least once."""
    driven: set[str] = set()
    for step in TOUR:
        async with Emulator() as emulator:
            await take(step, emulator)
            driven |= {request.endpoint for request in emulator.recorder.requests() if request.status == 200}
    assert {route.name for route in ROUTES} - driven == set()
