"""NaN in a test case: the camera does not see the point. What kognic-io's validator says, ours says."""

import json
import math
from pathlib import Path

import anyio
import pytest
from kognic.io.model.calibration.camera import custom_camera_calibration as official
from kognic.io.tools.calibration.validation import validate_wasm_binary as validate_officially

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator
from kognic_aio.errors import InvalidError, ProjectionValidationError
from kognic_aio.model.calibration import (
    CustomCameraCalibration,
    Point2d,
    Point3d,
    SensorCalibration,
    TestCase,
)
from kognic_aio.model.geometry import Position, RotationQuaternion
from kognic_aio.wasm import validate_wasm_binary
from tests.cli.support import kognicutil
from tests.waiting import GENEROUS
from tests.wasm.modules import BEHIND, NAN, PINHOLE, known

pytestmark = pytest.mark.anyio

OUTSIDE = (math.nan, math.nan)

CASES = [
    (BEHIND, (1.0, 2.0, -1.0), OUTSIDE, True),
    (BEHIND, (1.0, 2.0, 1.0), (1.0, 2.0), True),
    (BEHIND, (1.0, 2.0, 1.0), OUTSIDE, False),
    (BEHIND, (1.0, 2.0, -1.0), (1.0, 2.0), False),
    (BEHIND, (1.0, 2.0, -1.0), (math.nan, 2.0), False),
    (PINHOLE, (1.0, 2.0, 1.0), OUTSIDE, False),
    (NAN, (1.0, 2.0, 1.0), OUTSIDE, False),  # its second coordinate is infinite
]


@pytest.mark.parametrize(("module", "point", "projected", "agrees"), CASES)
async def test_points_outside(
    module: bytes, point: tuple[float, float, float], projected: tuple[float, float], agrees: bool
) -> None:
    """NaN is expected where the camera sees nothing, and agrees with nothing but NaN, as with kognic-io."""
    (x, y, z), (u, v) = point, projected
    theirs = official.TestCase(point3d=official.Point3d(x=x, y=y, z=z), point2d=official.Point2d(x=u, y=v))

    with anyio.fail_after(GENEROUS):
        if agrees:
            validate_officially(module, [theirs])
            await validate_wasm_binary(module, [known(point, projected)])
            return
        with pytest.raises(Exception, match="Expected"):
            validate_officially(module, [theirs])
        with pytest.raises(ProjectionValidationError):
            await validate_wasm_binary(module, [known(point, projected)])


def calibration() -> SensorCalibration:
    camera = CustomCameraCalibration.from_bytes(
        BEHIND,
        position=Position(x=0, y=0, z=0),
        rotation_quaternion=RotationQuaternion(w=1, x=0, y=0, z=0),
        image_height=480,
        image_width=640,
        test_cases=[known((1, 2, -1), OUTSIDE), known((1, 2, 1), (1, math.nan)), known((1, 2, 1), (1, 2))],
    )
    return SensorCalibration(external_id="all", calibration={"front": camera})


async def test_a_calibration_comes_back(emulator: Emulator, client: KognicIOClient) -> None:
    """JSON has no NaN, so null is sent for it, and null is read as NaN."""
    with anyio.fail_after(GENEROUS):
        created = await client.calibration.create_calibration(calibration())
        found = await client.calibration.get_calibration(created.id)

    (request,) = [each for each in emulator.recorder.requests("POST") if each.path.startswith("/v1/calibrations")]
    cases = json.loads(request.content, parse_constant=pytest.fail)["calibration"]["front"]["test_cases"]
    assert [case["point2d"] for case in cases] == [{"x": None, "y": None}, {"x": 1.0, "y": None}, {"x": 1.0, "y": 2.0}]
    camera = found.calibration["front"]
    assert isinstance(camera, CustomCameraCalibration)
    shown = [(str(case.point2d.x), str(case.point2d.y)) for case in camera.test_cases]
    assert shown == [("nan", "nan"), ("1.0", "nan"), ("1.0", "2.0")]
    with anyio.fail_after(GENEROUS):
        await validate_wasm_binary(camera.get_wasm_bytes(), [camera.test_cases[0], camera.test_cases[2]])


@pytest.mark.parametrize("spelled", ["null", "NaN"])
async def test_cases_of_a_file(spelled: str, tmp_path: Path) -> None:
    """The command reads NaN as JSON has it, and as Python writes it."""
    (tmp_path / "camera.wasm").write_bytes(BEHIND)
    case = f'{{"point3d": {{"x": 1, "y": 2, "z": -1}}, "point2d": {{"x": {spelled}, "y": {spelled}}}}}'
    (tmp_path / "cases.json").write_text(f"[{case}]")
    arguments = ("wasm", "validate", tmp_path / "camera.wasm", "--test-cases", tmp_path / "cases.json")
    done = await anyio.to_thread.run_sync(kognicutil, *arguments)
    assert "agrees with all test cases" in done.stdout


def test_only_points_of_the_image_may_be_nan() -> None:
    """Infinity is none, and the point in front of the camera is somewhere."""
    with pytest.raises(InvalidError, match=r"Point2d.x: expected a number, got inf"):
        Point2d(x=math.inf, y=0)
    with pytest.raises(InvalidError, match=r"Point3d.x: expected a number, got nan"):
        TestCase(point3d=Point3d(x=math.nan, y=0, z=0), point2d=Point2d(x=0, y=0))
