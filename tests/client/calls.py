"""One call or more of every public method of the official client, in the words of either client.

A call builds its arguments from a fresh platform, which it may set up first, and a vocabulary.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from attrs import frozen
from kognic.io.model import calibration as official_calibration
from kognic.io.model.calibration import camera
from kognic.io.model.review import review as official_review
from kognic.io.model.scene import SceneInvalidatedReason as OfficialReason
from kognic.io.model.scene import scene_request as official_request
from kognic.io.model.scene.feature_flags import FeatureFlags as OfficialFeatureFlags
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio.emulator import (
    ANNOTATION_ID,
    CALIBRATION_ID,
    INPUT_UUIDS,
    PRE_ANNOTATION_ID,
    PROJECT_IDS,
    TASK_ID,
    WORKSPACE_ID,
    Platform,
)
from kognic_aio.model import (
    EgoVehiclePose,
    FeatureFlags,
    Position,
    RotationQuaternion,
    SceneInvalidatedReason,
    SensorSpecification,
    calibration,
    review,
    scene_request,
)
from tests.scenes import CSV, JPG, KINDS, OFFICIAL, OURS, SOURCES, Vocabulary, build

SCENE, OTHER_SCENE = INPUT_UUIDS
OPENLABEL = OpenLabelAnnotation.model_validate(
    {
        "openlabel": {
            "metadata": {"schema_version": "1.0.0"},
            "frames": {"0": {"frame_properties": {"timestamp": 0, "external_id": "0", "streams": {"RFC01": {}}}}},
            "objects": {"1": {"name": "car", "type": "Car"}},
            "streams": {"RFC01": {"type": "camera"}},
        }
    }
)


@frozen(kw_only=True)
class Words:
    """The names of one client, where the two clients' differ in nothing but the module."""

    scenes: Vocabulary
    calibration: Any
    calibration_parts: Any
    review: Any
    request: Any
    reason: Any
    flags: Any
    pose: Callable[[], Any]
    shown: Callable[[dict[str, str], list[str]], Any]


def _our_pose() -> EgoVehiclePose:
    return EgoVehiclePose(position=Position(x=1, y=2, z=3), rotation=RotationQuaternion(w=1, x=0, y=0, z=0))


def _official_pose() -> official_request.EgoVehiclePose:
    return official_request.EgoVehiclePose(x=1, y=2, z=3, rotation_w=1, rotation_x=0, rotation_y=0, rotation_z=0)


OUR_WORDS = Words(
    scenes=OURS,
    calibration=calibration,
    calibration_parts=calibration,
    review=review,
    request=scene_request,
    reason=SceneInvalidatedReason,
    flags=FeatureFlags,
    pose=_our_pose,
    shown=lambda names, order: SensorSpecification(sensor_to_pretty_name=names, sensor_order=order),
)
_OFFICIAL_PARTS = {
    name: part
    for module in (
        camera.custom_camera_calibration,
        camera.fused_cylindrical_calibration,
        camera.kannala_calibration,
        camera.principal_point_distortion_calibration,
        camera.principal_point_fisheye_calibration,
    )
    for name, part in vars(module).items()
}
"""The official package does not export the parts of all its calibrations."""

OFFICIAL_WORDS = Words(
    scenes=OFFICIAL,
    calibration=official_calibration,
    calibration_parts=SimpleNamespace(**_OFFICIAL_PARTS),
    review=official_review,
    request=official_request,
    reason=OfficialReason,
    flags=OfficialFeatureFlags,
    pose=_official_pose,
    shown=lambda names, order: official_request.SensorSpecification(sensorToPrettyName=names, sensorOrder=order),
)


@frozen
class Arguments:
    """What to call a method with."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def of(*args: Any, **kwargs: Any) -> Arguments:
    return Arguments(args, kwargs)


@frozen(kw_only=True)
class Call:
    """A call of a method that both clients have.

    Args:
        method: The attribute of the client and its method.
        arguments: Makes the arguments, and before that what they need on the platform.
        deprecated: Whether ours has to warn.
        failure: What the official client raises, after requests that are as they should be.
    """

    method: str
    arguments: Callable[[Platform, Words], Arguments]
    what: str = ""
    deprecated: bool = False
    failure: type[Exception] | None = None

    def __str__(self) -> str:
        return f"{self.method}({self.what})"


CALLS: list[Call] = []


def call(method: str, arguments: Callable[[Platform, Words], Arguments], what: str = "", **rest: Any) -> None:
    CALLS.append(Call(method=method, arguments=arguments, what=what, **rest))


# Projects, requests, tasks, workspaces
call("project.get_projects", lambda p, w: of())
call("project.get_project_batches", lambda p, w: of("project-a"))
call("project.create_batch", lambda p, w: of("project-a", "batch-4"))
call("project.create_batch", lambda p, w: of("project-a", "b", publish_previous_batches=True), "publishing others")
call("project.publish_batch", lambda p, w: of("project-a", "batch-2"))
call("project.get_annotation_types", lambda p, w: of("project-a"))
call("project.get_annotation_types", lambda p, w: of("project-a", batch="batch-2"), "of a batch")
call("request.get_requests", lambda p, w: of(project_id=PROJECT_IDS["project-a"]))
call(
    "request.get_requests",
    lambda p, w: of(project_id=PROJECT_IDS["project-a"], include_input_progress_counts=True),
    "with counts",
)
call("task.assign_task", lambda p, w: of(TASK_ID, 101))
call("task.unassign_task", lambda p, w: of(task_id=TASK_ID))
call("workspace.get_workspaces", lambda p, w: of())
call("workspace.get_workspaces", lambda p, w: of(roles=["developer", "owner"], organization_ids=[1]), "filtered")
call("workspace.get_workspaces", lambda p, w: of(roles="developer", organization_ids=1), "of one role and organization")


# Inputs
def _request_of(platform: Platform) -> str:
    return platform.input(SCENE).request.id


def _other_pre_annotation(platform: Platform) -> str:
    return platform.add_pre_annotation(OTHER_SCENE, external_id="other")


call("input.get_request_inputs", lambda p, w: of(request_id=_request_of(p)))
call(
    "input.get_request_inputs",
    lambda p, w: of(request_id=_request_of(p), scene_id=SCENE, page_size=1),
    "of a scene",
)
call("input.get_request_input", lambda p, w: of(request_input_id=SCENE))
call("input.delete_input", lambda p, w: of(SCENE))
call("input.query_inputs", lambda p, w: of(project="project-a"))
call(
    "input.query_inputs",
    lambda p, w: of(project="project-a", batch="batch-2", scene_uuids=[SCENE], external_ids=["seeded-1"]),
    "filtered",
)
call("input.create_from_scene", lambda p, w: of(SCENE, project="project-b"))
call("input.create_from_scene", lambda p, w: of(SCENE, PRE_ANNOTATION_ID, "project-b", "batch-1"), "all")
call("input.create_from_scene", lambda p, w: of(p.add_scene("new"), request_uuid=_request_of(p)), "to a request")
call("input.create_from_scene", lambda p, w: of(SCENE, project="project-b", dryrun=True), "dry run")
call("input.create_from_pre_annotation", lambda p, w: of(PRE_ANNOTATION_ID, project="project-b"))
call("input.create_from_pre_annotation", lambda p, w: of(PRE_ANNOTATION_ID, project="project-b", dryrun=True), "dry")
call("input.update_pre_annotation", lambda p, w: of(OTHER_SCENE, _other_pre_annotation(p)))
call("input.get_inputs", lambda p, w: of("project-a"), deprecated=True)
call(
    "input.get_inputs",
    lambda p, w: of(project="project-a", batch="batch-2", include_invalidated=True, external_ids=["seeded-1"]),
    "filtered",
    deprecated=True,
)
call("input.get_inputs_by_uuids", lambda p, w: of(scene_uuids=[SCENE]), deprecated=True)
call("input.get_inputs_by_uuids", lambda p, w: of(input_uuids=[SCENE]), "by the older name", deprecated=True)
call("input.invalidate_inputs", lambda p, w: of([SCENE], w.reason.BAD_CONTENT), deprecated=True)
call(
    "input.invalidate_inputs",
    lambda p, w: of(input_uuids=[SCENE], invalidated_reason=w.reason.DUPLICATE),
    "by the older name",
    deprecated=True,
)
call("input.add_annotation_type", lambda p, w: of(SCENE, "lane"), deprecated=True)
call("input.remove_annotation_types", lambda p, w: of(input_uuid=SCENE, annotation_types=["lane"]), deprecated=True)


# Scenes
def _with_poses(platform: Platform) -> str:
    return platform.add_scene("driven", path="lidars-and-cameras-sequence", frames=11)


def _scene_request(words: Words, **more: Any) -> Any:
    request = words.request

    def local(name: str, data: bytes) -> Any:
        return request.LocalFile(filename=name, data=data)

    def image(number: int) -> Any:
        return request.ImageResource(
            external_resource_uri=None,
            local_file=local(f"{number}.jpg", JPG),
            sensor_name="RFC01",
            start_shutter_timestamp_ns=10 + number,
            end_shutter_timestamp_ns=20 + number,
            reversed_shutter=True,
        )

    def cloud(number: int) -> Any:
        return request.SensorResource(
            external_resource_uri=None, local_file=local(f"{number}.csv", CSV), sensor_name="RFL01"
        )

    frames = [
        request.Frame(
            frame_id=str(number),
            timestamp_ns=100 * (number + 1),
            images=[image(number)],
            pointclouds=[cloud(number)],
            ego_vehicle_pose=words.pose(),
            metadata={"dark": False},
        )
        for number in range(2)
    ]
    imu = request.Resource(external_resource_uri="s3://bucket/imu.json", local_file=None)
    return request.SceneRequest(
        workspace_id=WORKSPACE_ID,
        external_id="requested",
        frames=frames,
        sensor_specification=words.shown({"RFC01": "front"}, ["RFC01"]),
        calibration_id=CALIBRATION_ID,
        metadata={"region": "north"},
        imudata_resource=imu,
        should_motion_compensate=False,
        **more,
    )


def _in_the_cloud(words: Words) -> Any:
    request = words.request
    image = request.ImageResource(external_resource_uri="s3://bucket/0.jpg", local_file=None, sensor_name="RFC01")
    frame = request.Frame(frame_id="0", timestamp_ns=100, images=[image])
    return request.SceneRequest(
        workspace_id=WORKSPACE_ID, external_id="indexed", frames=[frame], postpone_external_resource_import=True
    )


call("scene.get_scenes_by_uuids", lambda p, w: of([SCENE, OTHER_SCENE]))
call("scene.get_scenes_by_external_ids", lambda p, w: of(external_ids=["seeded-1", "seeded-2"]))
call("scene.get_scene_summary", lambda p, w: of(_with_poses(p)))
call("scene.get_scene_summary", lambda p, w: of(SCENE, find_invalidated_scenes=True), "invalidated ones too")
call("scene.get_ego_poses", lambda p, w: of(_with_poses(p)))
call("scene.get_ego_poses", lambda p, w: of(SCENE), "without any")
call("scene.invalidate_scenes", lambda p, w: of([SCENE], w.reason.INCORRECTLY_CREATED))
call("scene.create_scene", lambda p, w: of(_scene_request(w)))
call("scene.create_scene", lambda p, w: of(_in_the_cloud(w)), "in the cloud")
call("scene.import_indexed_scene", lambda p, w: of(p.add_scene("indexed", indexed=True)))
call("scene.reindex_scene", lambda p, w: of(SCENE))


# Calibrations
def _calibration(words: Words) -> Any:
    c = words.calibration
    place = {
        "position": c.Position(x=1, y=2, z=3),
        "rotation_quaternion": c.RotationQuaternion(w=1, x=0, y=0, z=0),
    }
    camera = place | {"image_height": 1080, "image_width": 1920}
    known = camera | {"camera_matrix": c.CameraMatrix(fx=1, fy=2, cx=3, cy=4), "field_of_view": 90.5}
    parts = words.calibration_parts
    distorted = {"distortion_coefficients": c.DistortionCoefficients(k1=1, k2=2, p1=3, p2=4, k3=5)}
    cases = [parts.TestCase(point3d=parts.Point3d(x=1, y=2, z=3), point2d=parts.Point2d(x=4, y=5))]
    sensors = {
        "lidar": c.LidarCalibration(**place, field_of_view=c.LidarFieldOfView(start_angle_deg=1, stop_angle_deg=2)),
        "pinhole": c.PinholeCalibration(**known, **distorted),
        "fisheye": c.FisheyeCalibration(**known, **distorted, xi=0.5),
        "kannala": c.KannalaCalibration(
            **known,
            distortion_coefficients=parts.KannalaDistortionCoefficients(k1=1, k2=2, p1=3, p2=4),
            undistortion_coefficients=parts.UndistortionCoefficients(l1=1, l2=2, l3=3, l4=4),
        ),
        "cylindrical": c.CylindricalCalibration(**known),
        "fused": c.FusedCylindricalCalibration(**known, cut_angles_degree=parts.CutAngles(upper=1, lower=2)),
        "distorted": c.PrincipalPointDistortionCalibration(
            **known,
            principal_point_distortion_coefficients=parts.PrincipalPointDistortionCoefficients(k1=1, k2=2),
            distortion_center=parts.DistortionCenter(x=1, y=2),
            principal_point=parts.PrincipalPoint(x=1, y=2),
            lens_projection_coefficients=parts.LensProjectionCoefficients(c1=1, c2=2, c3=3, c4=4, c5=5, c6=6),
        ),
        "asymmetric": c.PrincipalPointFisheyeCalibration(
            **known,
            principal_point_fisheye_coefficients=parts.PrincipalPointFisheyeCoefficients(
                alpha_l=1, alpha_r=2, beta_u=3, beta_l=4
            ),
        ),
        "custom": c.CustomCameraCalibration.from_bytes(b"\0asm\1\0\0\0", **camera, test_cases=cases),
    }
    return c.SensorCalibration(external_id="all kinds", calibration=sensors)


call("calibration.get_calibration", lambda p, w: of(CALIBRATION_ID))
call("calibration.get_calibrations", lambda p, w: of())
call("calibration.get_calibrations", lambda p, w: of(external_id="calibration-1"), "by external id")
call("calibration.create_calibration", lambda p, w: of(_calibration(w)))


# Pre-annotations
def _indexed(platform: Platform) -> str:
    return platform.add_pre_annotation(OTHER_SCENE, external_id="other", status="indexed")


def _many(platform: Platform) -> None:
    for number in range(1001):
        platform.add_pre_annotation(OTHER_SCENE, external_id=str(number))


def _after(arrange: Callable[[Platform], Any], arguments: Arguments) -> Callable[[Platform, Words], Arguments]:
    def make(platform: Platform, _: Words) -> Arguments:
        arrange(platform)
        return arguments

    return make


call("pre_annotation.create", lambda p, w: of(SCENE, OPENLABEL, False, "mine"))
call("pre_annotation.create", lambda p, w: of(SCENE, OPENLABEL, dryrun=True), "dry run")
call("pre_annotation.list", lambda p, w: of())
call("pre_annotation.list", _after(_many, of(scene_uuids=[OTHER_SCENE])), "of two pages")
call(
    "pre_annotation.list",
    lambda p, w: of(
        ids=[PRE_ANNOTATION_ID, ANNOTATION_ID],
        external_ids=["seeded", "other"],
        scene_uuids=[SCENE],
        scene_external_ids=["seeded-1"],
        statuses=["available", "processing"],
    ),
    "filtered",
)
call(
    "pre_annotation.list",
    lambda p, w: of(
        ids=PRE_ANNOTATION_ID,
        external_ids="seeded",
        scene_uuids=SCENE,
        scene_external_ids="seeded-1",
        statuses="available",
    ),
    "filtered by one of each",
)
call("pre_annotation.create_from_cloud_resource", lambda p, w: of(SCENE, "mine", "s3://bucket/file.json"))
call(
    "pre_annotation.create_from_cloud_resource",
    lambda p, w: of(SCENE, "mine", "s3://bucket/file.json", postpone_import=False),
    "at once",
)
call("pre_annotation.make_indexed_pre_annotation_available", lambda p, w: of(_indexed(p)))
call("pre_annotation.delete", lambda p, w: of(_other_pre_annotation(p)))
call("pre_annotation.get_with_content", lambda p, w: of(PRE_ANNOTATION_ID))
call("pre_annotation.get_with_content", lambda p, w: of(scene_uuid=SCENE, external_id="seeded"), "by external id")


# Annotations and reviews
def _annotated(platform: Platform) -> None:
    """Three annotations, one to a page."""
    platform.page_size = 1
    for number in range(2):
        scene = platform.add_scene(f"annotated-{number}")
        for made in platform.add_input(scene, "project-a", "batch-2"):
            platform.add_annotation(made.uuid, {"openlabel": {"number": number}})


call("annotation.get_annotation_by_id", lambda p, w: of(ANNOTATION_ID))
call("annotation.get_annotation_by_id", lambda p, w: of(ANNOTATION_ID, iso_rotated_cuboids=True), "in ISO")
call("annotation.get_annotation_for_input", lambda p, w: of(SCENE))
call("annotation.get_annotation_for_input", lambda p, w: of(SCENE, iso_rotated_cuboids=True), "in ISO")
call("annotation.get_annotations_for_scene", lambda p, w: of(SCENE))
call("annotation.get_annotations_for_scene", lambda p, w: of(SCENE, True), "in ISO")
call("annotation.get_project_annotations", _after(_annotated, of("project-a", "object-detection")))
call(
    "annotation.get_project_annotations",
    _after(_annotated, of("project-a", "object-detection", batch="batch-2", iso_rotated_cuboids=True)),
    "of a batch in ISO",
)
call(
    "annotation.get_project_annotations",
    _after(_annotated, of("project-a", "object-detection", include_content=False)),
    "without content",
)
call("annotation.get_annotation", lambda p, w: of(SCENE, "object-detection"))
call("annotation.get_annotation", lambda p, w: of(SCENE, "object-detection", True), "in ISO")
call(
    "annotation.get_annotation",
    lambda p, w: of(input_uuid=SCENE, annotation_type="object-detection"),
    "by the older name",
    deprecated=True,
)


def _review(words: Words) -> Any:
    r = words.review
    item = r.AddFeedbackItem(
        sensor_id="CAM",
        frame_id="0",
        pin=r.AddFeedbackItemPin(x=1, y=2, z=3, world_coordinates=True, origin_frame="0"),
        description="too small",
        suggested_property=r.AddFeedbackItemSuggestedProperty(property_name="size", suggested_property_value="2"),
        error_type_id="wrong-class",
        metadata={"by": "hand"},
    )
    return r.ReviewRequest(feedback_items=[item], workflow=r.ReviewWorkflowEnum.CORRECT, accepted=False)


def _reviewed(platform: Platform) -> str:
    return platform.add_auto_review(SCENE, [{"errorTypeId": "other", "description": "hm"}])


call("review.create_review", lambda p, w: of(ANNOTATION_ID, _review(w)))
call("review.create_review", lambda p, w: of(ANNOTATION_ID, w.review.ReviewRequest(accepted=True)), "accepting")
call("review.get_review", lambda p, w: of(_reviewed(p)))
call("review.get_auto_reviews", lambda p, w: of(SCENE))
call("review.get_error_types", lambda p, w: of())


# Scenes of the seven types
def _created(kind: str, **arguments: Any) -> Callable[[Platform, Words], Arguments]:
    def make(_: Platform, words: Words) -> Arguments:
        scene = build(kind, SOURCES["bytes"], Path(), words.scenes).scene
        return of(scene, **arguments, feature_flags=words.flags())

    return make


def _created_by_name(kind: str, name: str) -> Callable[[Platform, Words], Arguments]:
    def make(_: Platform, words: Words) -> Arguments:
        return of(**{name: build(kind, SOURCES["bytes"], Path(), words.scenes).scene})

    return make


for _kind, (_attribute, _) in KINDS.items():
    # kognic-io hands no files of a LidarsSequence on to the upload
    _failure = AssertionError if _kind == "LidarsSequence" else None
    _create = f"{_attribute}.create"
    call(_create, _created(_kind), failure=_failure)
    call(_create, _created(_kind, project="project-a"), "in a project", failure=_failure)
    call(_create, _created(_kind, project="project-a", batch="batch-3"), "in a batch", failure=_failure)
    call(_create, _created(_kind, annotation_types=["lane"]), "older", deprecated=True, failure=_failure)
    call(_create, _created_by_name(_kind, _attribute), "by name", deprecated=True, failure=_failure)
    call(_create, _created(_kind, dryrun=True), "dry run")
    call(f"{_attribute}.create_from_scene", lambda p, w: of(SCENE, "project-b"))
    call(f"{_attribute}.create_from_scene", lambda p, w: of(SCENE, "project-a", "batch-3", dryrun=True), "dry run")

NOT_TAKEN_OVER = {
    f"{attribute}.create_upload_spec": "an internal of the official client's uploads" for attribute, _ in KINDS.values()
}
"""Public methods of the official client that ours does not have, and why."""


def public_methods(client: Any) -> dict[str, Callable[..., Any]]:
    """The methods of a client's resources that do not begin with an underscore."""
    methods: dict[str, Callable[..., Any]] = {}
    for attribute in sorted(name for name in dir(client) if not name.startswith("_")):
        resource = getattr(client, attribute, None)
        if type(resource).__module__.startswith(("kognic.io.resources", "kognic_aio.resources")):
            for name in dir(resource):
                if not name.startswith("_") and callable(getattr(resource, name)):
                    methods[f"{attribute}.{name}"] = getattr(resource, name)
    return methods
