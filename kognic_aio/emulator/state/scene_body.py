"""The rules for the body of a scene, whatever its type."""

import attrs

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_pose
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
        internal_id: the uuid that was reserved for the scene.
        external_id: the customer's name for it.
        calibration_id: the calibration of its sensors, for lidar and camera scenes.
        imu_id: the resource id of its IMU data.
        filenames: the file name of every resource, by resource id.
        cameras: names of the sensors with images.
        lidars: names of the sensors with point clouds.
        relative_timestamps: those of its frames, in milliseconds.
        unix_timestamps: those of its frames in nanoseconds, by path in the body.
    """

    internal_id: str
    external_id: str
    calibration_id: str | None = None
    imu_id: str | None = None
    filenames: dict[str, str] = attrs.field(factory=dict)
    cameras: set[str] = attrs.field(factory=set)
    lidars: set[str] = attrs.field(factory=set)
    relative_timestamps: list[int] = attrs.field(factory=list)
    unix_timestamps: dict[str, int] = attrs.field(factory=dict)


def read_scene(kind: SceneKind, body: Body) -> SceneSpec:
    """Check the body of a scene by all rules that need nothing but the body.

    Raises:
        BadRequestError: it breaks one; the message says where.
    """
    required = ["internalId", "externalId", "frames" if kind.sequence else "frame"]
    optional = ["metadata", "featureFlags"]
    if kind.calibrated:
        required.append("calibrationId")
    if kind.cameras:
        optional.append("sensorSpecification")
    if kind.lidars:
        optional.append("imuData")
    fields = body.fields(required, optional)
    spec = SceneSpec(internal_id=fields["internalId"].text(), external_id=fields["externalId"].text())
    if kind.calibrated:
        spec.calibration_id = fields["calibrationId"].text()
    if "imuData" in fields:
        spec.imu_id = fields["imuData"].text()
    _check_extras(fields)
    if kind.sequence:
        _read_frames(kind, fields["frames"], spec)
    else:
        _read_frame(kind, fields["frame"], spec, first=True)
    return spec


def _check_extras(fields: dict[str, Body]) -> None:
    if "metadata" in fields:
        _check_metadata(fields["metadata"])
    if "featureFlags" in fields:
        for flag in fields["featureFlags"].fields((), ("shouldMotionCompensate",)).values():
            flag.flag()
    if "sensorSpecification" in fields:
        given = fields["sensorSpecification"].fields((), ("sensorToPrettyName", "sensorOrder"))
        if "sensorToPrettyName" in given:
            for name in given["sensorToPrettyName"].entries().values():
                name.text()
        if "sensorOrder" in given:
            given["sensorOrder"].texts()


def _check_metadata(metadata: Body) -> None:
    for value in metadata.entries().values():
        value.scalar()


def _read_frames(kind: SceneKind, frames: Body, spec: SceneSpec) -> None:
    seen: set[str] = set()
    for index, frame in enumerate(frames.items(least=1)):
        fields = _read_frame(kind, frame, spec, first=index == 0)
        frame_id = fields["frameId"]
        if frame_id.text() in seen:
            raise frame_id.error(f"{frame_id.value!r} is used by an earlier frame")
        seen.add(frame_id.value)
        spec.relative_timestamps.append(fields["relativeTimestamp"].integer())
        if "metadata" in fields:
            _check_metadata(fields["metadata"])


def _read_frame(kind: SceneKind, frame: Body, spec: SceneSpec, *, first: bool) -> dict[str, Body]:
    clouds_optional = kind.aggregated and not first
    fields = frame.fields(*_frame_keys(kind, clouds_optional=clouds_optional))
    for image in fields["images"].items(1, MAX_IMAGES) if kind.cameras else ():
        _read_image(image, spec)
    if "pointClouds" in fields:
        for cloud in fields["pointClouds"].items(0 if clouds_optional else 1, MAX_POINT_CLOUDS):
            resource = cloud.fields(("filename", "resourceId", "sensorName"), ("clientFilename",))
            spec.lidars.add(_read_resource(resource, POINT_CLOUD_SUFFIXES, spec))
    if "egoVehiclePose" in fields:
        check_pose(fields["egoVehiclePose"])
    if "unixTimestamp" in fields:
        timestamp = fields["unixTimestamp"]
        spec.unix_timestamps[timestamp.path] = timestamp.integer()
    return fields


def _frame_keys(kind: SceneKind, *, clouds_optional: bool) -> tuple[list[str], list[str]]:
    required: list[str] = []
    optional: list[str] = []
    if kind.sequence:
        required += "frameId", "relativeTimestamp"
        optional.append("metadata")
    if kind.cameras:
        required.append("images")
    if kind.lidars:
        (optional if clouds_optional else required).append("pointClouds")
        optional.append("unixTimestamp")
        if kind.sequence:
            (required if kind.aggregated else optional).append("egoVehiclePose")
    return required, optional


def _read_image(image: Body, spec: SceneSpec) -> None:
    resource = image.fields(("filename", "resourceId", "sensorName"), ("clientFilename", "metadata"))
    spec.cameras.add(_read_resource(resource, IMAGE_SUFFIXES, spec))
    if "metadata" not in resource:
        return
    times = resource["metadata"].fields(("shutterTimeStartNs", "shutterTimeEndNs"), ("reversedShutter",))
    if times["shutterTimeEndNs"].integer() < times["shutterTimeStartNs"].integer():
        raise times["shutterTimeEndNs"].error("is before shutterTimeStartNs")
    if "reversedShutter" in times:
        times["reversedShutter"].flag()


def _read_resource(resource: dict[str, Body], suffixes: tuple[str, ...], spec: SceneSpec) -> str:
    """Note the file of a resource, and return the name of its sensor."""
    filename, resource_id = resource["filename"], resource["resourceId"]
    if not filename.text().lower().endswith(suffixes):
        raise filename.error(f"must end in one of {', '.join(suffixes)}, got {filename.value!r}")
    if "clientFilename" in resource:
        resource["clientFilename"].text()
    known = spec.filenames.setdefault(resource_id.text(), filename.value)
    if known != filename.value:
        raise resource_id.error(f"{resource_id.value!r} already stands for the file {known!r}")
    return resource["sensorName"].text()
