"""Whether a module is what the platform asks for, and projects as it should."""

import logging
from collections.abc import Sequence
from math import isnan
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from kognic_aio._threads import in_thread
from kognic_aio.errors import MissingExtraError, ProjectionValidationError, WasmError
from kognic_aio.model.calibration import CustomCameraCalibration, TestCase
from kognic_aio.wasm.contract import BASE_POINT, TOLERANCE, USUAL_SIZE

if TYPE_CHECKING:
    from kognic_aio.wasm.module import Projection

log = logging.getLogger("kognic_aio")


async def validate_custom_camera_calibration(calibration: CustomCameraCalibration) -> None:
    """Check the module of a calibration, and that it projects the calibration's test cases as they say.

    Raises:
        WasmError: What `validate_wasm_binary` raises.
    """
    await validate_wasm_binary(calibration.get_wasm_bytes(), calibration.test_cases)


async def validate_wasm_file(wasm_file: str | PathLike[str], test_cases: Sequence[TestCase] = ()) -> None:
    """Check the module of a local file, and that it projects some test cases as they say.

    Raises:
        OSError: If the file cannot be read.
        WasmError: What `validate_wasm_binary` raises.
    """
    wasm = await in_thread(Path(wasm_file).read_bytes)
    try:
        await validate_wasm_binary(wasm, test_cases)
    except WasmError as error:
        error.explain(f"the module is {str(wasm_file)!r}")
        raise


async def validate_wasm_binary(wasm: bytes, test_cases: Sequence[TestCase] = ()) -> None:
    """Check a module, and that it projects some test cases as they say.

    The module runs in a thread, without access to anything, and is stopped if it takes too much time or memory.

    Args:
        wasm: The module.
        test_cases: Known projections; the module's have to be within 0.00001 pixels, and NaN where NaN is expected.

    Raises:
        MissingExtraError: If the extra `wasm` is not installed.
        LoadingError: If these bytes are no module, or one that cannot be instantiated, for lack of imports for example.
        FunctionNotFoundError: If it does not export `project_point_to_image`.
        FunctionSignatureError: If that does not take three f64, or does not return two.
        ProjectionError: If it fails for a point, or does not come to an end.
        ProjectionValidationError: If it does not agree with a test case.
    """
    if len(wasm) > USUAL_SIZE:
        log.warning(
            "a module of %d bytes is larger than usual (%d): its compiler may have put into it what it does not need",
            len(wasm),
            USUAL_SIZE,
        )
    await in_thread(_validate, wasm, test_cases)


def projection_class() -> "type[Projection]":
    """What runs modules, imported when it is first needed, as its library is optional.

    Raises:
        MissingExtraError: If the extra `wasm` is not installed.
    """
    try:
        from kognic_aio.wasm.module import Projection  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as error:
        if error.name != "wasmtime":
            raise
        raise MissingExtraError("running WebAssembly needs wasmtime: pip install 'kognic-aio[wasm]'") from error
    return Projection


def _validate(wasm: bytes, test_cases: Sequence[TestCase]) -> None:
    projection = projection_class()(wasm)
    projection.project(BASE_POINT)
    for index, test_case in enumerate(test_cases):
        _check(projection, test_case, index)


def _check(projection: "Projection", test_case: TestCase, index: int) -> None:
    point = (test_case.point3d.x, test_case.point3d.y, test_case.point3d.z)
    expected = (test_case.point2d.x, test_case.point2d.y)
    got = projection.project(point, index)
    if all(map(_agree, got, expected)):
        return
    raise ProjectionValidationError(
        f"test case {index}: {point} has to be projected to {expected}, got {got}",
        index=index,
        point=point,
        expected=expected,
        got=got,
    )


def _agree(a: float, b: float) -> bool:
    """Whether two coordinates are the same. NaN, which is outside of what the camera sees, is so only with NaN."""
    return (isnan(a) and isnan(b)) or abs(a - b) < TOLERANCE
