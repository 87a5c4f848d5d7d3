"""Calibrations: the sensors that a scene may have."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

import attrs

from kognic_aio.emulator.errors import BadRequestError, ConflictError
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.geometry import check_position, check_rotation, origin_pose
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.timing import utc_now, wire_date

SensorKind = Literal["camera", "lidar"]

COMMON_FIELDS = ("calibration_type", "position", "rotation_quaternion")
CAMERA_FIELDS = (*COMMON_FIELDS, "image_height", "image_width")
STANDARD_CAMERA_FIELDS = (*CAMERA_FIELDS, "camera_matrix")

# The fields that each kind must have, and may have. Bodies of calibrations are snake_case on the wire.
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "lidar": (COMMON_FIELDS, ("field_of_view",)),
    "custom": ((*CAMERA_FIELDS, "wasm_base64"), ("test_cases",)),
    "pinhole": ((*STANDARD_CAMERA_FIELDS, "distortion_coefficients"), ("field_of_view",)),
    "cylindrical": (STANDARD_CAMERA_FIELDS, ("field_of_view",)),
    "fisheye": ((*STANDARD_CAMERA_FIELDS, "distortion_coefficients", "xi"), ("field_of_view",)),
    "kannala": (
        (*STANDARD_CAMERA_FIELDS, "distortion_coefficients", "undistortion_coefficients"),
        ("field_of_view",),
    ),
    "fused_cylindrical": (
        (*STANDARD_CAMERA_FIELDS, "cut_angles_degree"),
        ("field_of_view", "vertical_fov_degree", "horizontal_fov_degree", "max_altitude_angle_degree"),
    ),
    "principal_point_distortion": (
        (*STANDARD_CAMERA_FIELDS, "principal_point_distortion_coefficients", "distortion_center", "principal_point"),
        ("field_of_view", "lens_projection_coefficients"),
    ),
    "principal_point_fisheye": (
        (*STANDARD_CAMERA_FIELDS, "principal_point_fisheye_coefficients"),
        ("field_of_view",),
    ),
}


# The numbers in each of their parts, by the same pairs. Of a lidar the field of view is a part, of a camera a number.
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "camera_matrix": (("fx", "fy", "cx", "cy"), ()),
    "distortion_coefficients": (("k1", "k2", "p1", "p2"), ("k3",)),
    "undistortion_coefficients": (("l1", "l2", "l3", "l4"), ()),
    "cut_angles_degree": (("upper", "lower"), ()),
    "principal_point_distortion_coefficients": (("k1", "k2"), ()),
    "distortion_center": (("x", "y"), ()),
    "principal_point": (("x", "y"), ()),
    "lens_projection_coefficients": (("c1", "c2", "c3", "c4", "c5", "c6"), ()),
    "principal_point_fisheye_coefficients": (("alpha_l", "alpha_r", "beta_u", "beta_l"), ()),
}


@attrs.frozen(kw_only=True)
class Calibration:
    """A calibration of a set of sensors, kept as it was sent."""

    id: str
    external_id: str
    workspace_id: str
    sensors: Mapping[str, Mapping[str, Any]]
    created: datetime = attrs.field(factory=utc_now)

    def names(self, kind: SensorKind) -> set[str]:
        """The names of its sensors of one kind."""
        return {
            name
            for name, sensor in self.sensors.items()
            if (sensor["calibration_type"] == "lidar") == (kind == "lidar")
        }

    def check_covers(self, kind: SensorKind, sensors: Collection[str]) -> None:
        """Check that all `sensors` of a scene are in it, with this kind.

        Raises:
            BadRequestError: If one is missing.
        """
        missing = set(sensors) - self.names(kind)
        if missing:
            raise BadRequestError(
                f"calibration {self.id} has no {kind} {', '.join(map(repr, sorted(missing)))}, which the scene uses"
            )

    def to_json(self) -> dict[str, Any]:
        """The calibration on the wire."""
        return {
            "id": self.id,
            "externalId": self.external_id,
            "workspaceId": self.workspace_id,
            "created": wire_date(self.created),
            "calibration": self.sensors,
        }


class Calibrations:
    """All calibrations by id. External ids need not be unique."""

    def __init__(self) -> None:
        self.by_id: dict[str, Calibration] = {}

    def create(self, workspace_id: str, body: Body) -> Calibration:
        """Create a calibration from a request.

        Raises:
            BadRequestError: If a sensor has an unknown kind, lacks a field, or has an unknown one.
        """
        fields = body.fields(("externalId", "calibration"))
        if not fields["calibration"].entries():
            raise fields["calibration"].error("has no sensor")
        return self.add(workspace_id, fields["externalId"].text(), fields["calibration"].value)

    def add(
        self,
        workspace_id: str,
        external_id: str,
        sensors: Mapping[str, Mapping[str, Any]],
        calibration_id: str | None = None,
    ) -> Calibration:
        """Add a calibration, under a new id unless one is given.

        Raises:
            BadRequestError: If a sensor has an unknown kind, lacks a field, or has an unknown one.
            ConflictError: If the id exists already.
        """
        new_id = calibration_id or str(uuid4())
        for sensor in Body(sensors, "calibration").entries().values():
            check_sensor(sensor)
        if new_id in self.by_id:
            raise ConflictError(f"calibration {new_id} exists already")
        self.by_id[new_id] = Calibration(id=new_id, external_id=external_id, workspace_id=workspace_id, sensors=sensors)
        return self.by_id[new_id]

    def calibration(self, calibration_id: str) -> Calibration:
        """The calibration with an id.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self.by_id, calibration_id, "calibration")

    def list(self, external_id: str | None) -> list[Calibration]:
        """All calibrations, or those with an external id."""
        return [
            calibration
            for calibration in self.by_id.values()
            if external_id is None or calibration.external_id == external_id
        ]


def check_sensor(sensor: Body) -> None:
    """Check one sensor of a calibration.

    Raises:
        BadRequestError: If its kind is unknown, it lacks a field, or it has an unknown one.
    """
    # Read before the other fields, because the kind decides which there are.
    kind = sensor.entries().get("calibration_type", Body(None, f"{sensor.path}.calibration_type"))
    if kind.text() not in FIELDS:
        raise kind.error(f"must be one of {', '.join(FIELDS)}, got {kind.value!r}")
    fields = sensor.fields(*FIELDS[kind.value])
    check_position(fields["position"])
    check_rotation(fields["rotation_quaternion"])
    for key in ("image_height", "image_width"):
        if key in fields and fields[key].integer() <= 0:
            raise fields[key].error("must be positive")
    for key in PARTS.keys() & fields.keys():
        for number in fields[key].fields(*PARTS[key]).values():
            number.number()


def simple_sensor(kind: SensorKind) -> dict[str, Any]:
    """A sensor at the origin, facing ahead: a pinhole camera of 1920 x 1080 pixels, or a lidar."""
    origin = origin_pose()
    pose = {"position": origin["position"], "rotation_quaternion": origin["rotation"]}
    if kind == "lidar":
        return {"calibration_type": "lidar", **pose}
    return {
        "calibration_type": "pinhole",
        **pose,
        "image_height": 1080,
        "image_width": 1920,
        "camera_matrix": {"fx": 1000.0, "fy": 1000.0, "cx": 960.0, "cy": 540.0},
        "distortion_coefficients": {"k1": 0.0, "k2": 0.0, "p1": 0.0, "p2": 0.0, "k3": 0.0},
    }
