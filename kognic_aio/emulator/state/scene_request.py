"""The rules for the newer body of a scene, which is the same for all types and may name files in a bucket."""

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.scene_body import (
    SceneSpec,
    check_metadata,
    check_shutter,
    check_suffix,
    note_frame,
    read_extras,
)
from kognic_aio.emulator.state.scene_kinds import (
    IMAGE_SUFFIXES,
    KINDS,
    MAX_IMAGES,
    MAX_POINT_CLOUDS,
    POINT_CLOUD_SUFFIXES,
    SceneKind,
)

NANOSECONDS_PER_MILLISECOND = 1_000_000


def read_scene_request(scene_uuid: str, body: Body) -> tuple[str, SceneKind, SceneSpec]:
    """Check the body of a scene by the rules that need only the body.

    Returns:
        The workspace, the type of scene, as its frames imply it, and the spec.

    Raises:
        BadRequestError: If it breaks a rule. The message says where.
    """
    fields = body.fields(
        ("workspaceId", "externalId", "convertedSpecification"), ("calibrationId", "postponeExternalResourceImport")
    )
    spec = SceneSpec(internal_id=scene_uuid, external_id=fields["externalId"].text())
    kind = _read_specification(fields["convertedSpecification"], spec)
    if kind.calibrated:
        body.fields(("calibrationId",), fields)
    if "calibrationId" in fields:
        spec.calibration_id = fields["calibrationId"].text()
    if "postponeExternalResourceImport" in fields:
        spec.postponed = fields["postponeExternalResourceImport"].flag()
    return fields["workspaceId"].text(), kind, spec


def _read_specification(specification: Body, spec: SceneSpec) -> SceneKind:
    fields = specification.fields(("frames",), ("sensorSpecification", "metadata", "imuData", "shouldMotionCompensate"))
    read_extras(fields, fields.get("shouldMotionCompensate"), spec)
    if "imuData" in fields:
        imu = fields["imuData"].fields((), ("externalResourceUri", "localFilename"))
        _read_file(imu, fields["imuData"], (), spec)
        spec.imu_file = imu["localFilename"].value if "localFilename" in imu else None
    seen: set[str] = set()
    timestamps: list[int] = []
    with_clouds: list[bool] = []
    for frame in fields["frames"].items(minimum=1):
        given = frame.fields(("id", "timestampNs", "images"), ("pointClouds", "metadata"))
        clouds = given.get("pointClouds")
        note_frame(given["id"], None if clouds is None else _read_clouds(clouds, spec), seen, spec)
        timestamps.append(given["timestampNs"].integer())
        with_clouds.append(clouds is not None)
        for image in given["images"].items(1, MAX_IMAGES):
            _read_image(image, spec)
        if "metadata" in given:
            check_metadata(given["metadata"])
    spec.relative_timestamps += [(time - timestamps[0]) // NANOSECONDS_PER_MILLISECOND for time in timestamps]
    return _kind(with_clouds)


def _kind(with_clouds: list[bool]) -> SceneKind:
    """The type of a sequence, which depends on the frames that have point clouds."""
    lidars, aggregated = any(with_clouds), any(with_clouds) and not all(with_clouds)
    return next(
        kind
        for kind in KINDS
        if kind.cameras and kind.sequence and (kind.lidars, kind.aggregated) == (lidars, aggregated)
    )


def _read_image(image: Body, spec: SceneSpec) -> None:
    fields = image.fields(("resource",), ("metadata",))
    spec.cameras.add(_read_resource(fields["resource"], IMAGE_SUFFIXES, spec))
    if "metadata" in fields:
        check_shutter(fields["metadata"], "startShutterTimestampNs", "endShutterTimestampNs")


def _read_clouds(clouds: Body, spec: SceneSpec) -> Body | None:
    """Keep the point clouds of a frame, and return its ego pose."""
    fields = clouds.fields(("resources",), ("egoVehiclePose",))
    for cloud in fields["resources"].items(1, MAX_POINT_CLOUDS):
        spec.lidars.add(_read_resource(cloud, POINT_CLOUD_SUFFIXES, spec))
    return fields.get("egoVehiclePose")


def _read_resource(resource: Body, suffixes: tuple[str, ...], spec: SceneSpec) -> str:
    """Keep the file of a resource, and return the name of its sensor."""
    fields = resource.fields(("sensorName",), ("externalResourceUri", "localFilename"))
    _read_file(fields, resource, suffixes, spec)
    return fields["sensorName"].text()


def _read_file(fields: dict[str, Body], resource: Body, suffixes: tuple[str, ...], spec: SceneSpec) -> None:
    """Keep the origin of a file: the customer's bucket, or the client, which will upload it."""
    if ("externalResourceUri" in fields) == ("localFilename" in fields):
        raise resource.error("must have either externalResourceUri or localFilename")
    if "localFilename" not in fields:
        fields["externalResourceUri"].text()
        spec.external = True
        return
    filename = fields["localFilename"]
    if suffixes:
        check_suffix(filename, suffixes)
    spec.filenames[filename.text()] = filename.value
