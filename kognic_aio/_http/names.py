"""The names of fields on the wire."""

from collections.abc import Mapping
from typing import get_origin

import attrs

from kognic_aio.model import InputEntry, Resource, Workspace, scene_request
from kognic_aio.model.annotation import BehindUri, ClientAnnotation, PartialClientAnnotation, SignedAnnotation
from kognic_aio.model.calibration import CalibrationPart

WIRE_NAMES: Mapping[type, Mapping[str, str]] = {
    Workspace: {"organization_name": "organization.name"},
    InputEntry: {"scene_uuid": "internalId", "batch": "batchId", "scene_type": "inputType"},
    BehindUri: {"_uri": "uri"},
    SignedAnnotation: {"_signed_url": "signedUrl"},
    ClientAnnotation: {"scene_uuid": "inputUuid"},
    PartialClientAnnotation: {"scene_uuid": "inputUuid"},
    Resource: {"_client_filename": "clientFilename", "_resource_id": "resourceId"},
    scene_request.Resource: {"local_file": "localFilename"},
    scene_request.ImageResource: {
        "external_resource_uri": "resource.externalResourceUri",
        "local_file": "resource.localFilename",
        "sensor_name": "resource.sensorName",
        "start_shutter_timestamp_ns": "metadata.startShutterTimestampNs",
        "end_shutter_timestamp_ns": "metadata.endShutterTimestampNs",
        "reversed_shutter": "metadata.reversedShutter",
    },
    scene_request.Frame: {
        "frame_id": "id",
        "pointclouds": "pointClouds.resources",
        "ego_vehicle_pose": "pointClouds.egoVehiclePose",
    },
    scene_request.SceneRequest: {
        "frames": "convertedSpecification.frames",
        "sensor_specification": "convertedSpecification.sensorSpecification",
        "metadata": "convertedSpecification.metadata",
        "imudata_resource": "convertedSpecification.imuData",
        "should_motion_compensate": "convertedSpecification.shouldMotionCompensate",
    },
}
"""Names that are not the field's in camelCase. A dot leads into an object."""


def wire_names(cls: type) -> dict[str, str]:
    """The name on the wire of each field of a class: camelCase, but for calibrations and what is listed."""
    plain: type = get_origin(cls) or cls
    name_of = str if issubclass(plain, CalibrationPart) else _camel
    names = {field.name: name_of(field.name) for field in attrs.fields(plain)}
    for base in reversed(plain.__mro__):
        names |= WIRE_NAMES.get(base, {})
    return names


def _camel(name: str) -> str:
    """`external_id` is `externalId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
