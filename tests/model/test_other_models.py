"""Calibrations, scene requests and reviews: what is wrong with them is said when they are made."""

from collections.abc import Callable
from typing import Any

import pytest

from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    EgoVehiclePose,
    InputStatus,
    InvalidatedReasonInput,
    Position,
    ProjectBatchStatus,
    RotationQuaternion,
    SceneInvalidatedReason,
)
from kognic_aio.model.calibration import (
    CalibrationType,
    CameraMatrix,
    CustomCameraCalibration,
    CylindricalCalibration,
    LidarCalibration,
    Point2d,
    Point3d,
    SensorCalibration,
    TestCase,
)
from kognic_aio.model.review import ReviewRequest, ReviewWorkflowEnum
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, Resource, SceneRequest, SensorResource

PLACE: dict[str, Any] = {
    "position": Position(x=0, y=0, z=0),
    "rotation_quaternion": RotationQuaternion(w=1, x=0, y=0, z=0),
}
CAMERA: dict[str, Any] = PLACE | {"image_height": 10, "image_width": 20}
POSE = EgoVehiclePose(position=PLACE["position"], rotation=PLACE["rotation_quaternion"])
FILE = LocalFile(filename="a.jpg", data=b"image")
IMAGE = ImageResource(sensor_name="camera", local_file=FILE)
CLOUD = SensorResource(sensor_name="lidar", external_resource_uri="s3://bucket/a.csv")
CASE = TestCase(point3d=Point3d(x=1, y=2, z=3), point2d=Point2d(x=1, y=2))


def frame(**fields: Any) -> Frame:
    given: dict[str, Any] = {"frame_id": "0", "timestamp_ns": 1, "images": [IMAGE]} | fields
    return Frame(**given)


def request(**fields: Any) -> SceneRequest:
    given: dict[str, Any] = {"workspace_id": "w", "external_id": "scene", "frames": [frame()]} | fields
    return SceneRequest(**given)


def image(**fields: Any) -> ImageResource:
    return ImageResource(sensor_name="camera", local_file=FILE, **fields)


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "another kind's type": (
        lambda: LidarCalibration(**PLACE, calibration_type=CalibrationType.PINHOLE),
        "LidarCalibration.calibration_type: is always 'lidar', got 'pinhole'",
    ),
    "a type that is none": (
        lambda: LidarCalibration(**PLACE, calibration_type="radar"),  # type: ignore[arg-type]
        "LidarCalibration.calibration_type: expected one of pinhole, fisheye",
    ),
    "a matrix of strings": (
        lambda: CameraMatrix(fx="1", fy=1, cx=1, cy=1),  # type: ignore[arg-type]
        "CameraMatrix.fx: expected a number, got '1'",
    ),
    "a dict for a matrix": (
        lambda: CylindricalCalibration(**CAMERA, camera_matrix={"fx": 1}),  # type: ignore[arg-type]
        "CylindricalCalibration.camera_matrix: expected CameraMatrix, got {'fx': 1}: ",
    ),
    "a sensor that is none": (
        lambda: SensorCalibration(external_id="all", calibration={"roof": PLACE}),  # type: ignore[dict-item]
        "SensorCalibration.calibration['roof']: expected LidarCalibration or",
    ),
    "a module that is no base64": (
        lambda: CustomCameraCalibration(**CAMERA, wasm_base64="\0asm"),
        "CustomCameraCalibration.wasm_base64: not base64",
    ),
    "a module of other letters": (
        lambda: CustomCameraCalibration(**CAMERA, wasm_base64="é"),
        "CustomCameraCalibration.wasm_base64: not base64",
    ),
    "a dict with something wrong in it": (
        lambda: CylindricalCalibration(**CAMERA, camera_matrix={"fx": "1", "fy": 1, "cx": 1, "cy": 1}),  # type: ignore[arg-type]
        "CylindricalCalibration.camera_matrix: CameraMatrix.fx: expected a number, got '1'",
    ),
    "a file without name": (lambda: LocalFile(filename=""), "LocalFile.filename: expected the path of a file"),
    "too many test cases": (
        lambda: CustomCameraCalibration.from_bytes(b"", **CAMERA, test_cases=[CASE] * 101),
        "CustomCameraCalibration.test_cases: expected at most 100, got 101",
    ),
    "a file from nowhere": (
        Resource,
        "Resource.local_file: pass exactly one of external_resource_uri and local_file",
    ),
    "a file from two places": (
        lambda: ImageResource(sensor_name="camera", local_file=FILE, external_resource_uri="s3://bucket/a.jpg"),
        "ImageResource.local_file: pass exactly one",
    ),
    "a file with two sources": (
        lambda: LocalFile(filename="a.jpg", data=b"image", callback=lambda _: b"image"),
        "LocalFile: pass exactly one of data and callback, got both",
    ),
    "a file of text": (
        lambda: LocalFile(filename="a.jpg", data="image"),  # type: ignore[arg-type]
        "LocalFile.data: got text, expected bytes",
    ),
    "half a shutter": (
        lambda: image(start_shutter_timestamp_ns=1),
        "ImageResource.end_shutter_timestamp_ns: pass both shutter timestamps, or neither",
    ),
    "a shutter that does not open": (
        lambda: image(start_shutter_timestamp_ns=2, end_shutter_timestamp_ns=2),
        "ImageResource.end_shutter_timestamp_ns: 2 is not after start_shutter_timestamp_ns, 2",
    ),
    "a reversed shutter without times": (
        lambda: image(reversed_shutter=True),
        "ImageResource.reversed_shutter: needs both shutter timestamps",
    ),
    "a frame without images": (lambda: frame(images=[]), "Frame.images: a frame needs at least one, got none"),
    "a pose without point clouds": (
        lambda: frame(ego_vehicle_pose=POSE),
        "Frame.ego_vehicle_pose: is for frames with pointclouds, this one has none",
    ),
    "a scene without frames": (
        lambda: request(frames=[]),
        "SceneRequest.frames: scene 'scene' needs at least one frame, got none",
    ),
    "one name for two files": (
        lambda: request(frames=[frame(), frame(images=[image(), IMAGE, _other("a.jpg")])]),
        "SceneRequest.frames: two files of scene 'scene' have the name 'a.jpg'",
    ),
    "a workflow that is none": (
        lambda: ReviewRequest(accepted=False, workflow="corect"),  # type: ignore[arg-type]
        "ReviewRequest.workflow: expected one of correct, correct-review-loop, got 'corect'",
    ),
    "a reason that is none": (
        lambda: SceneInvalidatedReason("ugly"),
        "reason: expected one of bad-content, duplicate, incorrectly-created, got 'ugly'",
    ),
}


def _other(filename: str) -> ImageResource:
    return ImageResource(sensor_name="other", local_file=LocalFile(filename=filename, data=b"another"))


@pytest.mark.parametrize("what", BAD)
def test_bad_models(what: str) -> None:
    """What is wrong is said with where it is."""
    make, problem = BAD[what]
    with pytest.raises(InvalidError) as caught:
        make()
    assert problem in str(caught.value)


def test_strings_stand_for_members() -> None:
    """A member of an enum may be given by its value."""
    assert ReviewRequest(accepted=False, workflow="correct").workflow is ReviewWorkflowEnum.CORRECT  # type: ignore[arg-type]


def test_a_dict_stands_for_a_model() -> None:
    """A model inside another may be the dict of its fields, as in JSON that was read from a file."""
    place = {"position": {"x": 0, "y": 0, "z": 0}, "rotation_quaternion": {"w": 1, "x": 0, "y": 0, "z": 0}}
    assert LidarCalibration(**place) == LidarCalibration(**PLACE)  # type: ignore[arg-type]


def test_what_is_empty_is_left_out() -> None:
    """Empty texts and mappings of a scene request are none, as the official client sends them."""
    assert request(calibration_id="", metadata={}) == request()


def test_files_of_a_request() -> None:
    """One file may be in several frames; empty lists of point clouds are none."""
    assert request(frames=[frame(), frame(frame_id="1", pointclouds=[])]).get_files() == {"a.jpg": FILE}


def test_local_files_keep_their_bytes_to_themselves() -> None:
    """The repr of a file names it and does not show its data."""
    assert repr(FILE) == "LocalFile(filename='a.jpg')"


def test_the_guides_tables() -> None:
    """The statuses and reasons of the platform's guide are there under their names."""
    statuses = "pending processing created failed"
    invalidated = ("broken-input", "duplicate", "incorrectly-created")
    expected = {*statuses.split(), *(f"invalidated:{reason}" for reason in invalidated)}
    assert expected <= {status.value for status in InputStatus}
    assert [reason.value for reason in InvalidatedReasonInput] == ["bad-content", "duplicate", "incorrectly-created"]
    assert {"pending", "open", "ready", "in-progress", "completed"} <= {status.value for status in ProjectBatchStatus}
