"""Calibrations of the sensors of a vehicle. Their `calibration_type` is one of nine kinds.

A calibration maps from the sensor to the reference coordinate system, which is the ego vehicle's and the same for all
of its sensors. The names of coefficients, and the models of cameras where there is one, are OpenCV's.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from os import PathLike
from typing import Any, Self, TypeAlias

from attrs import field, fields, frozen

from kognic_aio._regular import read_regular
from kognic_aio._threads import in_thread
from kognic_aio._validation.converters import real_or_nan
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.errors import InvalidError
from kognic_aio.model._fitting import rotation_problem
from kognic_aio.model.geometry import Position, RotationQuaternion

MAX_MODULE_BYTES = 4 << 20
"""Bytes of a WebAssembly module. A usual one has less than 1,000; one with all of its standard library, about 2 MB."""

MAX_TEST_CASES = 100
"""Test cases of a custom camera that the platform takes."""


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


class CalibrationPart(Validated):
    """Base of everything inside a calibration of a sensor."""

    __slots__ = ()


@frozen(kw_only=True, field_transformer=with_converters)
class BaseCalibration(CalibrationPart):
    """Base of the calibrations of all sensors: the sensor's position and rotation.

    Args:
        calibration_type: The kind of calibration, which its class sets.
        position: Where the sensor is in the reference coordinate system (sensor to reference), in metres.
        rotation_quaternion: How the sensor is turned in the reference coordinate system (sensor to reference), as a
            unit quaternion.
    """

    calibration_type: CalibrationType
    position: Position
    rotation_quaternion: RotationQuaternion

    def __attrs_post_init__(self) -> None:
        own = fields(type(self)).calibration_type.default
        if isinstance(own, CalibrationType) and self.calibration_type is not own:
            raise self._invalid("calibration_type", f"is always {own.value!r}, got {self.calibration_type.value!r}")


@frozen(kw_only=True, field_transformer=with_converters)
class LidarFieldOfView(CalibrationPart):
    """The sector that a lidar sees.

    Args:
        start_angle_deg, stop_angle_deg: Where it begins and ends, in degrees.
        depth: How far the lidar sees, in metres.
    """

    start_angle_deg: float
    stop_angle_deg: float
    depth: float | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class LidarCalibration(BaseCalibration):
    """A lidar.

    Args:
        field_of_view: The sector that it sees.
    """

    calibration_type: CalibrationType = CalibrationType.LIDAR
    field_of_view: LidarFieldOfView | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class CameraMatrix(CalibrationPart):
    """Focal lengths and principal point.

    Args:
        fx, fy: Horizontal and vertical focal length, in pixels.
        cx, cy: Horizontal and vertical position of the principal point, in pixels.
    """

    fx: float
    fy: float
    cx: float
    cy: float


@frozen(kw_only=True, field_transformer=with_converters)
class DistortionCoefficients(CalibrationPart):
    """Distortion of a lens.

    Args:
        k1, k2, k3: Radial distortion, without a unit.
        p1, p2: Tangential distortion, without a unit.
    """

    k1: float
    k2: float
    p1: float
    p2: float
    k3: float


@frozen(kw_only=True, field_transformer=with_converters)
class BaseCameraCalibration(BaseCalibration):
    """Base of the calibrations of all cameras: the size of their images.

    Args:
        image_height, image_width: In pixels.
    """

    image_height: int
    image_width: int


@frozen(kw_only=True, field_transformer=with_converters)
class BaseStandardCameraCalibration(BaseCameraCalibration):
    """Base of the calibrations of cameras of a known model.

    Args:
        camera_matrix: Focal lengths and principal point.
        field_of_view: The angle that the camera sees, in degrees.
    """

    camera_matrix: CameraMatrix
    field_of_view: float | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class PinholeCalibration(BaseStandardCameraCalibration):
    """A pinhole camera.

    Args:
        distortion_coefficients: Distortion of the lens.
    """

    calibration_type: CalibrationType = CalibrationType.PINHOLE
    distortion_coefficients: DistortionCoefficients


@frozen(kw_only=True, field_transformer=with_converters)
class FisheyeCalibration(BaseStandardCameraCalibration):
    """A fisheye camera, after the unified model of Mei and Rives.

    Args:
        distortion_coefficients: Distortion of the lens.
        xi: Distance of the projection's centre from that of the unit sphere, without a unit.
    """

    calibration_type: CalibrationType = CalibrationType.FISHEYE
    distortion_coefficients: DistortionCoefficients
    xi: float


@frozen(kw_only=True, field_transformer=with_converters)
class KannalaDistortionCoefficients(CalibrationPart):
    """Distortion of a Kannala camera.

    Args:
        k1, k2: Radial distortion, without a unit.
        p1, p2: k3 and k4 of the model, without a unit.
    """

    k1: float
    k2: float
    p1: float
    p2: float


@frozen(kw_only=True, field_transformer=with_converters)
class UndistortionCoefficients(CalibrationPart):
    """The inverse of a Kannala camera's distortion.

    Args:
        l1, l2, l3, l4: Coefficients, without a unit.
    """

    l1: float
    l2: float
    l3: float
    l4: float


@frozen(kw_only=True, field_transformer=with_converters)
class KannalaCalibration(BaseStandardCameraCalibration):
    """A fisheye camera, after the model of Kannala and Brandt.

    Args:
        distortion_coefficients: Distortion of the lens.
        undistortion_coefficients: The inverse of the distortion.
    """

    calibration_type: CalibrationType = CalibrationType.KANNALA
    distortion_coefficients: KannalaDistortionCoefficients
    undistortion_coefficients: UndistortionCoefficients


@frozen(kw_only=True, field_transformer=with_converters)
class CylindricalCalibration(BaseStandardCameraCalibration):
    """A camera whose images are projected on a cylinder."""

    calibration_type: CalibrationType = CalibrationType.CYLINDRICAL


@frozen(kw_only=True, field_transformer=with_converters)
class CutAngles(CalibrationPart):
    """The angles between which the image is a cylinder's.

    Args:
        upper, lower: In degrees.
    """

    upper: float
    lower: float


@frozen(kw_only=True, field_transformer=with_converters)
class FusedCylindricalCalibration(BaseStandardCameraCalibration):
    """A camera whose images are projected on a cylinder between two cut angles.

    Args:
        cut_angles_degree: The cut angles, in degrees.
        vertical_fov_degree, horizontal_fov_degree: Fields of view, in degrees.
        max_altitude_angle_degree: The highest altitude angle, in degrees.
    """

    calibration_type: CalibrationType = CalibrationType.FUSEDCYLINDRICAL
    cut_angles_degree: CutAngles
    vertical_fov_degree: float = 72.5
    horizontal_fov_degree: float = 93.0
    max_altitude_angle_degree: float = 90.0


@frozen(kw_only=True, field_transformer=with_converters)
class PrincipalPointDistortionCoefficients(CalibrationPart):
    """Radial distortion around a centre of its own.

    Args:
        k1, k2: Radial distortion, without a unit.
    """

    k1: float
    k2: float


@frozen(kw_only=True, field_transformer=with_converters)
class PrincipalPoint(CalibrationPart):
    """Where the optical axis meets the image.

    Args:
        x, y: In pixels.
    """

    x: float
    y: float


@frozen(kw_only=True, field_transformer=with_converters)
class DistortionCenter(CalibrationPart):
    """The centre of the distortion.

    Args:
        x, y: Its horizontal and vertical position in the image.
    """

    x: float
    y: float


@frozen(kw_only=True, field_transformer=with_converters)
class LensProjectionCoefficients(CalibrationPart):
    """The polynomial of a lens.

    Args:
        c1, c2, c3, c4, c5, c6: Coefficients, in order.
    """

    c1: float
    c2: float
    c3: float
    c4: float
    c5: float
    c6: float

    def get_coefficients(self) -> list[float]:
        """All coefficients, in order."""
        return [self.c1, self.c2, self.c3, self.c4, self.c5, self.c6]


@frozen(kw_only=True, field_transformer=with_converters)
class PrincipalPointDistortionCalibration(BaseStandardCameraCalibration):
    """A camera whose distortion has a centre of its own.

    Args:
        principal_point_distortion_coefficients: Radial distortion.
        distortion_center: The centre of the distortion.
        principal_point: Where the optical axis meets the image.
        lens_projection_coefficients: The polynomial of the lens. By default that of the model SF806.
    """

    calibration_type: CalibrationType = CalibrationType.PRINCIPALPOINTDIST
    principal_point_distortion_coefficients: PrincipalPointDistortionCoefficients
    distortion_center: DistortionCenter
    principal_point: PrincipalPoint
    lens_projection_coefficients: LensProjectionCoefficients | None = None


@frozen(kw_only=True, field_transformer=with_converters)
class PrincipalPointFisheyeCoefficients(CalibrationPart):
    """Coefficients of the four quadrants of an asymmetric fisheye lens.

    Args:
        alpha_l, alpha_r: To the left and to the right.
        beta_u, beta_l: Upwards and downwards.
    """

    alpha_l: float
    alpha_r: float
    beta_u: float
    beta_l: float


@frozen(kw_only=True, field_transformer=with_converters)
class PrincipalPointFisheyeCalibration(BaseStandardCameraCalibration):
    """A fisheye camera with an asymmetric lens.

    Args:
        principal_point_fisheye_coefficients: Coefficients of the four quadrants of the lens.
    """

    calibration_type: CalibrationType = CalibrationType.PRINCIPALPOINTFISHEYE
    principal_point_fisheye_coefficients: PrincipalPointFisheyeCoefficients


@frozen(kw_only=True, field_transformer=with_converters)
class Point3d(CalibrationPart):
    """A point in the coordinate system of the camera.

    Args:
        x, y, z: In metres.
    """

    x: float
    y: float
    z: float


@frozen(kw_only=True, field_transformer=with_converters)
class Point2d(CalibrationPart):
    """A point of the image; NaN for both if the point is outside the camera's view.

    Args:
        x, y: In pixels.
    """

    x: float = field(converter=real_or_nan)
    y: float = field(converter=real_or_nan)


@frozen(kw_only=True, field_transformer=with_converters)
class TestCase(CalibrationPart):
    """The expected projection of a point by a custom camera.

    Args:
        point3d: The point, in metres in the coordinate system of the camera.
        point2d: Where it is in the image, in pixels.
    """

    __test__ = False  # pytest takes it for a test by its name, which is the official client's

    point3d: Point3d
    point2d: Point2d


@frozen(kw_only=True, field_transformer=with_converters)
class CustomCameraCalibration(BaseCameraCalibration):
    """A camera with a custom projection: a WebAssembly module that exports `project_point_to_image`.

    `kognic_aio.wasm` compiles and validates such modules.

    Args:
        wasm_base64: The module, in base64. Its function takes x, y and z in metres, in the coordinate system of the
            camera, and returns x and y in pixels.
        test_cases: Known projections, at most 100. A validation compares the module's with them.

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
            InvalidError: If it has more than 4 MiB, or as the constructor.
        """
        wasm = await in_thread(read_regular, wasm_path, MAX_MODULE_BYTES)
        if len(wasm) > MAX_MODULE_BYTES:
            raise InvalidError(f"{str(wasm_path)!r} has more than {MAX_MODULE_BYTES:,} bytes: is it a module?")
        return cls.from_bytes(wasm, **fields)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if len(self.test_cases) > MAX_TEST_CASES:
            raise self._invalid("test_cases", f"expected at most {MAX_TEST_CASES}, got {len(self.test_cases)}")
        try:
            base64.b64decode("".join(self.wasm_base64.split()), validate=True)
        except ValueError as error:
            raise self._invalid("wasm_base64", f"not base64: {error}") from error


@frozen(kw_only=True)
class UnknownCalibration:
    """A calibration of a kind that this version does not know.

    Args:
        calibration_type: The platform's name of the kind.
        content: The calibration as the platform sent it.
    """

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


@frozen(kw_only=True, field_transformer=with_converters)
class SensorCalibration(Validated):
    """A calibration to create.

    Args:
        external_id: Your own id of it.
        calibration: The calibration of each sensor, by the sensor's name.

    Raises:
        InvalidError: If the length of a rotation quaternion is not 1, within 0.1.
    """

    external_id: str
    calibration: Mapping[str, Calibration]

    def __attrs_post_init__(self) -> None:
        self._refuse(
            (f"calibration[{sensor!r}].rotation_quaternion", problem)
            for sensor, calibration in self.calibration.items()
            if (problem := rotation_problem(calibration.rotation_quaternion))
        )


@frozen(kw_only=True)
class SensorCalibrationEntry:
    """A calibration on the platform.

    Args:
        id, external_id: The platform's id of it, which scenes take as `calibration_id`, and your own.
        created, workspace_id: When and where it was created.
        calibration: The calibration of each sensor, by the sensor's name.
    """

    id: str
    external_id: str
    created: datetime
    workspace_id: str | None = None
    calibration: Mapping[str, Calibration | UnknownCalibration] = field(
        factory=dict[str, Calibration | UnknownCalibration]
    )
