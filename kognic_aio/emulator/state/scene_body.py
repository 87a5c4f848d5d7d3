"""The rules for the body of a scene, whatever its type."""

from typing import Any

import attrs

from kognic_aio.emulator.state import seeds
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_pose, origin_pose
from kognic_aio.emulator.state.scene_kinds import (
    IMAGE_SUFFIXES,
    MAX_IMAGES,
    MAX_POINT_CLOUDS,
    POINT_CLOUD_SUFFIXES,
    SceneKind,
)


@attrs.define(kw_only=True)
class SceneSpec:
    """What is kept of a scene's body.

    Args:
        internal_id: The uuid that was reserved for the scene.
        external_id: The customer's name for it.
        calibration_id: The calibration of its sensors, if it has cameras.
        imu_id: The resource id of IMU data that was validated before.
        imu_file: The name of IMU data that is among its files.
        filenames: The file name of every resource, by resource id.
        cameras: Names of the sensors with images.
        lidars: Names of the sensors with point clouds.
        metadata: What the customer says about the scene.
        motion_compensated: Whether its point clouds are corrected by its IMU data.
        external: Whether files stay in the customer's bucket until they are imported.
        postponed: Whether the import waits for a request.
        relative_timestamps: Those of its frames, in milliseconds.
        ego_poses: Where the vehicle was, by the id of the frame.
        unix_timestamps: Those of its frames in nanoseconds, by path in the body.
    """

    internal_id: str
    external_id: str
    calibration_id: str | None = None
    imu_id: str | None = None
    imu_file: str | None = None
    filenames: dict[str, str] = attrs.field(factory=dict)
    cameras: set[str] = attrs.field(factory=set)
    lidars: set[str] = attrs.field(factory=set)
    metadata: dict[str, Any] = attrs.field(factory=dict)
    motion_compensated: bool = False
    external: bool = False
    postponed: bool = False
    relative_timestamps: list[int] = attrs.field(factory=list)
    ego_poses: dict[str, Any] = attrs.field(factory=dict)
    unix_timestamps: dict[str, int] = attrs.field(factory=dict)


def simple_spec(kind: SceneKind, scene_uuid: str, external_id: str, frames: int) -> SceneSpec:
    """The spec of a scene without files: all calibrated sensors, and frames at the origin every 100 ms."""
    spec = SceneSpec(internal_id=scene_uuid, external_id=external_id)
    spec.cameras.update(seeds.CAMERAS if kind.cameras else ())
    spec.lidars.update(seeds.LIDARS if kind.lidars else ())
    if kind.sequence:
        spec.relative_timestamps += range(0, 100 * frames, 100)
        if kind.lidars:
            spec.ego_poses.update((str(index), origin_pose()) for index in range(frames))
    return spec


def read_scene(kind: SceneKind, body: Body) -> SceneSpec:
    """Check the body of a scene by the rules that need only the body.

    Raises:
        BadRequestError: If it breaks a rule. The message says where.
    """
    fields = body.fields(*_scene_keys(kind))
    spec = SceneSpec(internal_id=fields["internalId"].text(), external_id=fields["externalId"].text())
    if "calibrationId" in fields:
        spec.calibration_id = fields["calibrationId"].text()
    if "imuData" in fields:
        spec.imu_id = fields["imuData"].text()
    flags = fields["featureFlags"].fields((), ("shouldMotionCompensate",)) if "featureFlags" in fields else {}
    read_extras(fields, flags.get("shouldMotionCompensate"), spec)
    if kind.sequence:
        _read_frames(kind, fields["frames"], spec)
    else:
        _read_frame(kind, fields["frame"], spec, first=True)
    return spec


def _scene_keys(kind: SceneKind) -> tuple[list[str], list[str]]:
    """The required and the optional keys of a scene."""
    required = ["internalId", "externalId", "frames" if kind.sequence else "frame"]
    optional = ["metadata", "featureFlags"]
    if kind.cameras:
        optional.append("sensorSpecification")
        (required if kind.calibrated else optional).append("calibrationId")
    if kind.moves:
        optional.append("imuData")
    return required, optional


def read_extras(fields: dict[str, Body], motion_compensation: Body | None, spec: SceneSpec) -> None:
    """Check the optional members of a scene.

    Args:
        fields: The members of the body, of which metadata, imuData and sensorSpecification are checked.
        motion_compensation: Whether it is wanted; None means yes.
        spec: Keeps what is read.
    """
    wanted = motion_compensation is None or motion_compensation.flag()
    spec.motion_compensated = wanted and "imuData" in fields
    if "metadata" in fields:
        check_metadata(fields["metadata"])
        spec.metadata = fields["metadata"].value
    if "sensorSpecification" in fields:
        given = fields["sensorSpecification"].fields((), ("sensorToPrettyName", "sensorOrder"))
        if "sensorToPrettyName" in given:
            for name in given["sensorToPrettyName"].entries().values():
                name.text()
        if "sensorOrder" in given:
            given["sensorOrder"].texts()


def check_metadata(metadata: Body) -> None:
    """Check that metadata is flat."""
    for value in metadata.entries().values():
        value.scalar()


def _read_frames(kind: SceneKind, frames: Body, spec: SceneSpec) -> None:
    seen: set[str] = set()
    for index, frame in enumerate(frames.items(minimum=1)):
        fields = _read_frame(kind, frame, spec, first=index == 0)
        note_frame(fields["frameId"], fields.get("egoVehiclePose"), seen, spec)
        spec.relative_timestamps.append(fields["relativeTimestamp"].integer())
        if "metadata" in fields:
            check_metadata(fields["metadata"])


def note_frame(frame_id: Body, pose: Body | None, seen: set[str], spec: SceneSpec) -> None:
    """Check that the id of a frame is unique in its sequence, and keep its ego pose.

    Args:
        frame_id: Its id.
        pose: Its ego pose, if it has one.
        seen: The ids of the previous frames.
        spec: Keeps what is read.
    """
    if frame_id.text() in seen:
        raise frame_id.error(f"{frame_id.value!r} is used by an earlier frame")
    seen.add(frame_id.value)
    if pose is not None:
        check_pose(pose)
        spec.ego_poses[frame_id.value] = pose.value


def _read_frame(kind: SceneKind, frame: Body, spec: SceneSpec, *, first: bool) -> dict[str, Body]:
    clouds_optional = kind.aggregated and not first
    fields = frame.fields(*_frame_keys(kind, clouds_optional=clouds_optional))
    for image in fields["images"].items(1, MAX_IMAGES) if kind.cameras else ():
        _read_image(image, spec)
    if "pointClouds" in fields:
        for cloud in fields["pointClouds"].items(0 if clouds_optional else 1, MAX_POINT_CLOUDS):
            resource = cloud.fields(("filename", "resourceId", "sensorName"), ("clientFilename",))
            spec.lidars.add(_read_resource(resource, POINT_CLOUD_SUFFIXES, spec))
    if "unixTimestamp" in fields:
        timestamp = fields["unixTimestamp"]
        spec.unix_timestamps[timestamp.path] = timestamp.integer()
    return fields


def _frame_keys(kind: SceneKind, *, clouds_optional: bool) -> tuple[list[str], list[str]]:
    """The required and the optional keys of a frame."""
    required: list[str] = []
    optional: list[str] = []
    if kind.sequence:
        required += "frameId", "relativeTimestamp"
        optional.append("metadata")
        (required if kind.aggregated else optional).append("egoVehiclePose")
    if kind.cameras:
        required.append("images")
    if kind.lidars:
        (optional if clouds_optional else required).append("pointClouds")
    if kind.moves:
        optional.append("unixTimestamp")
    return required, optional


def _read_image(image: Body, spec: SceneSpec) -> None:
    resource = image.fields(("filename", "resourceId", "sensorName"), ("clientFilename", "metadata"))
    spec.cameras.add(_read_resource(resource, IMAGE_SUFFIXES, spec))
    if "metadata" not in resource:
        return
    check_shutter(resource["metadata"], "shutterTimeStartNs", "shutterTimeEndNs")


def check_shutter(times: Body, start: str, end: str) -> None:
    """Check the shutter times of an image, whose keys are `start` and `end`."""
    fields = times.fields((start, end), ("reversedShutter",))
    if fields[end].integer() < fields[start].integer():
        raise fields[end].error(f"is before {start}")
    if "reversedShutter" in fields:
        fields["reversedShutter"].flag()


def _read_resource(resource: dict[str, Body], suffixes: tuple[str, ...], spec: SceneSpec) -> str:
    """Keep the file of a resource, and return the name of its sensor."""
    filename, resource_id = resource["filename"], resource["resourceId"]
    check_suffix(filename, suffixes)
    if "clientFilename" in resource:
        resource["clientFilename"].text()
    known = spec.filenames.setdefault(resource_id.text(), filename.value)
    if known != filename.value:
        raise resource_id.error(f"{resource_id.value!r} is already the id of the file {known!r}")
    return resource["sensorName"].text()


def check_suffix(filename: Body, suffixes: tuple[str, ...]) -> None:
    """Check that the platform reads files with this suffix."""
    if not filename.text().lower().endswith(suffixes):
        raise filename.error(f"must end in one of {', '.join(suffixes)}, got {filename.value!r}")
