"""Validates modules: their function, and their projections of known points."""

import logging
from collections.abc import Sequence
from math import isnan
from os import PathLike

from kognic_aio._regular import read_regular
from kognic_aio._threads import in_thread
from kognic_aio.errors import ProjectionValidationError, WasmError
from kognic_aio.model.calibration import MAX_MODULE_BYTES, CustomCameraCalibration, TestCase
from kognic_aio.wasm.sandbox import Pixel, Point, run_module

log = logging.getLogger("kognic_aio")

BASE_POINT = (1.0, 2.0, 1.0)
"""A point that every module can project."""

TOLERANCE = 1e-5
"""How close a projection has to be to that of a test case, in pixels."""

USUAL_SIZE = 1000
"""Bytes that a module rarely exceeds, unless the compiler linked unused code."""


async def validate_custom_camera_calibration(calibration: CustomCameraCalibration) -> None:
    """Validate the module of a calibration with the calibration's test cases.

    Raises:
        WasmError: As `validate_wasm_binary`.
    """
    await validate_wasm_binary(calibration.get_wasm_bytes(), calibration.test_cases)


async def validate_wasm_file(wasm_file: str | PathLike[str], test_cases: Sequence[TestCase] = ()) -> None:
    """Validate the module of a local file.

    Raises:
        OSError: If the file cannot be read.
        WasmError: As `validate_wasm_binary`.
    """
    wasm = await in_thread(read_regular, wasm_file, MAX_MODULE_BYTES)
    try:
        await validate_wasm_binary(wasm, test_cases)
    except WasmError as error:
        error.explain(f"the module is {str(wasm_file)!r}")
        raise


async def validate_wasm_binary(wasm: bytes, test_cases: Sequence[TestCase] = ()) -> None:
    """Validate a module.

    The module is compiled and run in its own process, without imports. The process is killed after 4 seconds, if it
    uses more than 192 MiB of memory, or if the task is cancelled. At most two modules are validated concurrently.

    Args:
        wasm: The module.
        test_cases: Known projections. Those of the module have to be within 0.00001 pixels, and NaN where those are.

    Raises:
        MissingExtraError: If the extra `wasm` is not installed.
        LoadingError: If the bytes are not a module, or it cannot be instantiated, for example because it has imports.
        FunctionNotFoundError: If it does not export `project_point_to_image`.
        FunctionSignatureError: If that does not take three f64 and return two.
        ProjectionError: If it fails for a point, or does not end.
        ProjectionValidationError: If it disagrees with a test case.
    """
    if len(wasm) > USUAL_SIZE:
        log.warning(
            "a module of %d bytes is larger than usual (%d): the compiler may have linked unused code",
            len(wasm),
            USUAL_SIZE,
        )
    outcome = await run_module(wasm, [BASE_POINT, *map(_point, test_cases)])
    for index, (test_case, got) in enumerate(zip(test_cases, outcome.pixels[1:], strict=False)):
        _check(test_case, got, index)
    if outcome.failure is not None:
        raise outcome.failure


def _check(test_case: TestCase, got: Pixel, index: int) -> None:
    expected = (test_case.point2d.x, test_case.point2d.y)
    if all(map(_agree, got, expected)):
        return
    point = _point(test_case)
    raise ProjectionValidationError(
        f"test case {index}: expected {point} to be projected to {expected}, got {got}",
        index=index,
        point=point,
        expected=expected,
        got=got,
    )


def _point(test_case: TestCase) -> Point:
    return test_case.point3d.x, test_case.point3d.y, test_case.point3d.z


def _agree(a: float, b: float) -> bool:
    """Whether two coordinates are equal within the tolerance. NaN, outside the camera's view, equals only NaN."""
    return (isnan(a) and isnan(b)) or abs(a - b) < TOLERANCE
