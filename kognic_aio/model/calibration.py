"""Calibrations: how the sensors of a vehicle see, told apart by `calibration_type`. Nine kinds are known.

Positions are in metres, and rotations unit quaternions, from the sensor to the calibrated coordinate system.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from os import PathLike
from typing import Any, Self, TypeAlias

from attrs import field, fields, frozen

from kognic_aio._threads import in_thread
from kognic_aio.errors import InvalidError
from kognic_aio.model._checks import Checked
from kognic_aio.model._conform import real_or_nan
from kognic_aio.model._module_file import MAX_MODULE_BYTES, read_module
from kognic_aio.model._units import rotation_problem
from kognic_aio.model.geometry import Position, RotationQuaternion

MOST_TEST_CASES = 100


class CalibrationType(StrEnum):
    """The kinds of calibrations."""

    PINHOLE = "pinhole"
    FISHEYE = "fisheye"
    KANNALA = "kannala"
    LIDAR = "lidar"
    PRINCIPALPOINTDIST = "principal_point_distortion"
    FUSEDCYLINDRICAL = "fused_cylindrical"
    CYLINDRICAL = "cylindrical"
    PRINCIPALPOINTFISHEYE = "principal_point_fisheye"
    CUSTOM = "custom"


class CalibrationPart(Checked):
    """Base of everything inside a calibration of a sensor."""

    __slots__ = ()


@frozen(kw_only=True)
class BaseCalibration(CalibrationPart):
    """What the calibrations of all sensors have: where the sensor is, and where it looks."""

    calibration_type: CalibrationType
    position: Position
    rotation_quaternion: RotationQuaternion

    def _check(self) -> None:
        own = fields(type(self)).calibration_type.default
        if isinstance(own, CalibrationType) and self.calibration_type is not own:
            raise self._wrong("calibration_type", f"is always {own.value!r}, got {self.calibration_type.value!r}")


@frozen(kw_only=True)
class LidarFieldOfView(CalibrationPart):
    """What a lidar sees: angles in degrees, depth in metres."""

    start_angle_deg: float
    stop_angle_deg: float
    depth: float | None = None


@frozen(kw_only=True)
class LidarCalibration(BaseCalibration):
    """A lidar."""

    calibration_type: CalibrationType = CalibrationType.LIDAR
    field_of_view: LidarFieldOfView | None = None


@frozen(kw_only=True)
class CameraMatrix(CalibrationPart):
    """Focal lengths and principal point, in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float


@frozen(kw_only=True)
class DistortionCoefficients(CalibrationPart):
    """Radial (k) and tangential (p) distortion."""

    k1: float
    k2: float
    p1: float
    p2: float
    k3: float


@frozen(kw_only=True)
class BaseCameraCalibration(BaseCalibration):
    """What the calibrations of all cameras have: the size of their images in pixels."""

    image_height: int
    image_width: int


@frozen(kw_only=True)
class BaseStandardCameraCalibration(BaseCameraCalibration):
    """What the calibrations of cameras of a known model have.

    Args:
        field_of_view: In degrees.
    """

    camera_matrix: CameraMatrix
    field_of_view: float | None = None


@frozen(kw_only=True)
class PinholeCalibration(BaseStandardCameraCalibration):
    """A pinhole camera."""

    calibration_type: CalibrationType = CalibrationType.PINHOLE
    distortion_coefficients: DistortionCoefficients


@frozen(kw_only=True)
class FisheyeCalibration(BaseStandardCameraCalibration):
    """A fisheye camera; `xi` is the distance of the unified projection's centre from the sphere's."""

    calibration_type: CalibrationType = CalibrationType.FISHEYE
    distortion_coefficients: DistortionCoefficients
    xi: float


@frozen(kw_only=True)
class KannalaDistortionCoefficients(CalibrationPart):
    """Distortion of a Kannala camera."""

    k1: float
    k2: float
    p1: float
    p2: float


@frozen(kw_only=True)
class UndistortionCoefficients(CalibrationPart):
    """The inverse of a Kannala camera's distortion."""

    l1: float
    l2: float
    l3: float
    l4: float


@frozen(kw_only=True)
class KannalaCalibration(BaseStandardCameraCalibration):
    """A Kannala camera."""

    calibration_type: CalibrationType = CalibrationType.KANNALA
    distortion_coefficients: KannalaDistortionCoefficients
    undistortion_coefficients: UndistortionCoefficients


@frozen(kw_only=True)
class CylindricalCalibration(BaseStandardCameraCalibration):
    """A camera whose images are projected on a cylinder."""

    calibration_type: CalibrationType = CalibrationType.CYLINDRICAL


@frozen(kw_only=True)
class CutAngles(CalibrationPart):
    """Where the image is cut, in degrees."""

    upper: float
    lower: float


@frozen(kw_only=True)
class FusedCylindricalCalibration(BaseStandardCameraCalibration):
    """A camera whose images are projected on a cylinder between two cut angles; all angles in degrees."""

    calibration_type: CalibrationType = CalibrationType.FUSEDCYLINDRICAL
    cut_angles_degree: CutAngles
    vertical_fov_degree: float = 72.5
    horizontal_fov_degree: float = 93.0
    max_altitude_angle_degree: float = 90.0


@frozen(kw_only=True)
class PrincipalPointDistortionCoefficients(CalibrationPart):
    """Radial distortion around a centre of its own."""

    k1: float
    k2: float


@frozen(kw_only=True)
class PrincipalPoint(CalibrationPart):
    """Where the optical axis meets the image, in pixels."""

    x: float
    y: float


@frozen(kw_only=True)
class DistortionCenter(CalibrationPart):
    """The centre of the distortion."""

    x: float
    y: float


@frozen(kw_only=True)
class LensProjectionCoefficients(CalibrationPart):
    """The polynomial of the lens."""

    c1: float
    c2: float
    c3: float
    c4: float
    c5: float
    c6: float

    def get_coefficients(self) -> list[float]:
        """All of them, in order."""
        return [self.c1, self.c2, self.c3, self.c4, self.c5, self.c6]


@frozen(kw_only=True)
class PrincipalPointDistortionCalibration(BaseStandardCameraCalibration):
    """A camera whose distortion has a centre of its own."""

    calibration_type: CalibrationType = CalibrationType.PRINCIPALPOINTDIST
    principal_point_distortion_coefficients: PrincipalPointDistortionCoefficients
    distortion_center: DistortionCenter
    principal_point: PrincipalPoint
    lens_projection_coefficients: LensProjectionCoefficients | None = None


@frozen(kw_only=True)
class PrincipalPointFisheyeCoefficients(CalibrationPart):
    """The four quadrants of an asymmetric fisheye lens."""

    alpha_l: float
    alpha_r: float
    beta_u: float
    beta_l: float


@frozen(kw_only=True)
class PrincipalPointFisheyeCalibration(BaseStandardCameraCalibration):
    """A fisheye camera with an asymmetric lens."""

    calibration_type: CalibrationType = CalibrationType.PRINCIPALPOINTFISHEYE
    principal_point_fisheye_coefficients: PrincipalPointFisheyeCoefficients


@frozen(kw_only=True)
class Point3d(CalibrationPart):
    """A point in front of the camera, in metres."""

    x: float
    y: float
    z: float


@frozen(kw_only=True)
class Point2d(CalibrationPart):
    """A point of the image, in pixels; NaN for both where a camera does not see."""

    x: float = field(converter=real_or_nan)
    y: float = field(converter=real_or_nan)


@frozen(kw_only=True)
class TestCase(CalibrationPart):
    """Where a custom camera has to project a point to."""

    __test__ = False  # pytest takes it for a test by its name, which is the official client's

    point3d: Point3d
    point2d: Point2d


@frozen(kw_only=True)
class CustomCameraCalibration(BaseCameraCalibration):
    """A camera with a projection of its own: a WebAssembly module that exports `project_point_to_image`.

    `kognic_aio.wasm` compiles and validates such modules.

    Args:
        wasm_base64: The module, in base64.
        test_cases: Known projections, at most 100, which a validation compares with the module's.

    Raises:
        InvalidError: If it is not base64, or there are too many test cases.
    """

    calibration_type: CalibrationType = CalibrationType.CUSTOM
    wasm_base64: str
    test_cases: Sequence[TestCase] = ()

    def get_wasm_bytes(self) -> bytes:
        """The module."""
        return base64.b64decode(self.wasm_base64)

    @classmethod
    def from_bytes(cls, wasm_bytes: bytes, **fields: Any) -> Self:
        """A calibration with this module; `fields` are its other arguments."""
        return cls(wasm_base64=base64.b64encode(wasm_bytes).decode(), **fields)

    @classmethod
    async def from_file(cls, wasm_path: str | PathLike[str], **fields: Any) -> Self:
        """A calibration with the module of a local file; `fields` are its other arguments.

        Raises:
            OSError: If the file cannot be read.
            InvalidError: If it has more than 4 MiB, or for what else the constructor raises it.
        """
        wasm = await in_thread(read_module, wasm_path)
        if len(wasm) > MAX_MODULE_BYTES:
            raise InvalidError(f"{str(wasm_path)!r} has more than {MAX_MODULE_BYTES:,} bytes: is it a module?")
        return cls.from_bytes(wasm, **fields)

    def _check(self) -> None:
        BaseCalibration._check(self)
        if len(self.test_cases) > MOST_TEST_CASES:
            raise self._wrong("test_cases", f"expected at most {MOST_TEST_CASES}, got {len(self.test_cases)}")
        try:
            base64.b64decode("".join(self.wasm_base64.split()), validate=True)
        except ValueError as error:
            raise self._wrong("wasm_base64", f"not base64: {error}") from error


@frozen(kw_only=True)
class UnknownCalibration:
    """A calibration of a kind that this version does not know, as the platform sent it."""

    calibration_type: str
    content: Mapping[str, Any]


Calibration: TypeAlias = (
    LidarCalibration
    | PinholeCalibration
    | FisheyeCalibration
    | KannalaCalibration
    | CylindricalCalibration
    | FusedCylindricalCalibration
    | PrincipalPointDistortionCalibration
    | PrincipalPointFisheyeCalibration
    | CustomCameraCalibration
)
"""The calibration of one sensor, of any of the nine kinds."""


@frozen(kw_only=True)
class SensorCalibration(Checked):
    """A calibration to create.

    Args:
        external_id: Your own id of it.
        calibration: The calibration of each sensor, by the sensor's name.

    Raises:
        InvalidError: If the length of a rotation quaternion is not 1, within 0.1.
    """

    external_id: str
    calibration: Mapping[str, Calibration]

    def _check(self) -> None:
        for sensor, calibration in self.calibration.items():
            if problem := rotation_problem(calibration.rotation_quaternion):
                raise self._wrong(f"calibration[{sensor!r}].rotation_quaternion", problem)


@frozen(kw_only=True)
class SensorCalibrationEntry:
    """A calibration on the platform."""

    id: str
    external_id: str
    created: datetime
    workspace_id: str | None = None
    calibration: Mapping[str, Calibration | UnknownCalibration] = field(
        factory=dict[str, Calibration | UnknownCalibration]
    )
