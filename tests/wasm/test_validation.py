import logging
import pickle
import sys
from pathlib import Path

import anyio
import pytest

from kognic_aio import wasm
from kognic_aio.errors import (
    FunctionNotFoundError,
    FunctionSignatureError,
    KognicError,
    LoadingError,
    MissingExtraError,
    ProjectionError,
    ProjectionValidationError,
    WasmError,
)
from kognic_aio.model.calibration import CustomCameraCalibration, TestCase
from kognic_aio.model.geometry import Position, RotationQuaternion
from kognic_aio.wasm import validate_custom_camera_calibration, validate_wasm_binary, validate_wasm_file
from tests.cli.support import python
from tests.wasm import modules
from tests.wasm.modules import PINHOLE, PINHOLE_CASES, POINT, known

pytestmark = pytest.mark.anyio


def calibration(module: bytes, test_cases: list[TestCase]) -> CustomCameraCalibration:
    return CustomCameraCalibration.from_bytes(
        module,
        position=Position(x=0, y=0, z=0),
        rotation_quaternion=RotationQuaternion(w=1, x=0, y=0, z=0),
        image_height=480,
        image_width=640,
        test_cases=test_cases,
    )


async def test_a_good_module(tmp_path: Path) -> None:
    """A module that projects as its test cases say is valid: as bytes, as a file and in a calibration."""
    path = tmp_path / "camera.wasm"
    path.write_bytes(PINHOLE)

    await validate_wasm_binary(PINHOLE, PINHOLE_CASES)
    await validate_wasm_file(path, PINHOLE_CASES)
    await validate_custom_camera_calibration(calibration(PINHOLE, PINHOLE_CASES))


async def test_a_calibrations_own_test_cases_count() -> None:
    """A calibration is held to its test cases."""
    with pytest.raises(ProjectionValidationError):
        await validate_custom_camera_calibration(calibration(PINHOLE, [known(POINT, (0, 0))]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has to begin with"),
        (b"\x7fELF", "has to begin with"),
        (b"(module)", "has to begin with"),
        (PINHOLE[:-3], "not a valid WebAssembly module: unexpected end"),
        (b"\0asm\x0d\0\1\0", "component"),
        (modules.HOG, "cannot be instantiated: memory minimum size of 65536 pages exceeds memory limits"),
        (modules.SLOW_START, "cannot be instantiated: it did not end within 200,000,000 instructions"),
    ],
    ids=["empty", "elf", "text", "truncated", "component", "hog", "slow-start"],
)
async def test_what_cannot_be_loaded(content: bytes, words: str) -> None:
    """What is no module, or one that asks for too much, cannot be loaded."""
    with pytest.raises(LoadingError, match=words):
        await validate_wasm_binary(content)


async def test_imports() -> None:
    """A module that imports is told what nobody can give it."""
    with pytest.raises(LoadingError, match=r"imports env\.sin, wasi_snapshot_preview1\.proc_exit") as caught:
        await validate_wasm_binary(modules.IMPORTING)

    assert caught.value.imports == ("env.sin", "wasi_snapshot_preview1.proc_exit")


@pytest.mark.parametrize(
    ("module", "exports", "words"),
    [
        (modules.MANGLED, ("_Z22project_point_to_imageddd",), 'got _Z22.*; in C\\+\\+ it has to be extern "C"'),
        (modules.EMPTY, (), "got no function"),
        (modules.NO_FUNCTION, (), "got no function"),
    ],
    ids=["mangled", "empty", "global"],
)
async def test_no_such_function(module: bytes, exports: tuple[str, ...], words: str) -> None:
    """A module without the function is told which functions it has."""
    with pytest.raises(FunctionNotFoundError, match=words) as caught:
        await validate_wasm_binary(module)

    assert caught.value.function == "project_point_to_image"
    assert caught.value.exports == exports


@pytest.mark.parametrize(
    ("module", "got", "words"),
    [
        (modules.SINGLE, "(f64, f64) -> (f32)", "got "),
        (modules.THROUGH_MEMORY, "(i32, f64, f64, f64) -> ()", "which returns through memory: C and C"),
    ],
    ids=["single", "through-memory"],
)
async def test_wrong_signature(module: bytes, got: str, words: str) -> None:
    """A function with another signature is told which it has, and what has made it so."""
    with pytest.raises(FunctionSignatureError, match=words) as caught:
        await validate_wasm_binary(module)

    assert caught.value.expected == "(f64, f64, f64) -> (f64, f64)"
    assert caught.value.got == got


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (modules.TRAP, "wasm `unreachable` instruction executed"),
        (modules.BOTTOMLESS, "call stack exhausted"),
        (modules.ENDLESS, "it did not end within 200,000,000 instructions"),
        (modules.GREEDY, "wasm `unreachable` instruction executed"),
    ],
    ids=["trap", "bottomless", "endless", "greedy"],
)
async def test_a_function_that_fails(module: bytes, reason: str) -> None:
    """A function that traps, or would never end or take all memory, is ended, and the error says for which point."""
    with pytest.raises(ProjectionError, match="failed for the base point") as caught:
        await validate_wasm_binary(module)

    assert (caught.value.point, caught.value.reason, caught.value.index) == (POINT, reason, None)


async def test_a_test_case_that_fails() -> None:
    """A function that fails for a test case's point is told which."""
    near, far = known((1, 2, 3), (1, 2)), known((1, 2, 99), (1, 2))

    with pytest.raises(ProjectionError, match="failed for the point of test case 1") as caught:
        await validate_wasm_binary(modules.TRAP_FAR_AWAY, [near, far])

    assert caught.value.index == 1
    assert caught.value.point == (1, 2, 99)


async def test_a_wrong_projection() -> None:
    """A test case that the function does not agree with is in the error: which, what was expected, what came."""
    with pytest.raises(ProjectionValidationError, match=r"test case 1: .* to \(420\.0, 441\.0\), got") as caught:
        await validate_wasm_binary(PINHOLE, [PINHOLE_CASES[0], known(POINT, (420, 441))])

    error = caught.value
    assert (error.index, error.point, error.expected, error.got) == (1, POINT, (420, 441), (420, 440))


@pytest.mark.parametrize("off", [0.9e-5, -0.9e-5])
async def test_within_the_tolerance(off: float) -> None:
    """A projection may be a little off."""
    await validate_wasm_binary(PINHOLE, [known(POINT, (420 + off, 440))])


@pytest.mark.parametrize("off", [1.1e-5, -1.1e-5])
async def test_beyond_the_tolerance(off: float) -> None:
    """A projection may not be more than a little off."""
    with pytest.raises(ProjectionValidationError):
        await validate_wasm_binary(PINHOLE, [known(POINT, (420, 440 + off))])


async def test_neither_nan_nor_infinity_is_near() -> None:
    """A function may answer NaN and infinity, but for a test case they are wrong."""
    await validate_wasm_binary(modules.NAN)
    with pytest.raises(ProjectionValidationError, match=r"got \(nan, inf\)"):
        await validate_wasm_binary(modules.NAN, [known(POINT, (420, 440))])


async def test_the_error_names_the_file(tmp_path: Path) -> None:
    """What is wrong with the module of a file says which file it is."""
    path = tmp_path / "camera.wasm"
    path.write_bytes(modules.EMPTY)

    with pytest.raises(FunctionNotFoundError, match=r"the module is '.*camera\.wasm'"):
        await validate_wasm_file(path)


async def test_no_such_file(tmp_path: Path) -> None:
    """A file that cannot be read is an OSError."""
    with pytest.raises(FileNotFoundError):
        await validate_wasm_file(tmp_path / "camera.wasm")


@pytest.mark.parametrize(("padding", "warnings"), [(0, 0), (2000, 1)])
async def test_an_unusual_size(padding: int, warnings: int, caplog: pytest.LogCaptureFixture) -> None:
    """A module that is larger than usual is valid, but a warning says so."""
    caplog.set_level(logging.WARNING, "kognic_aio")

    await validate_wasm_binary(modules.projecting("f64.const 0 " * 2 + "nop " * padding))

    assert len(caplog.records) == warnings


async def test_cancelling_does_not_wait_for_the_module() -> None:
    """The module runs in a process of its own, so a validation can be cancelled however long it takes."""
    async with anyio.create_task_group() as group:
        group.start_soon(validate_wasm_binary, modules.ENDLESS)
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()

    assert group.cancel_scope.cancelled_caught


async def test_errors_travel_with_their_data() -> None:
    """An error that was pickled has its data and words."""
    with pytest.raises(ProjectionValidationError) as caught:
        await validate_wasm_binary(PINHOLE, [known(POINT, (0, 0))])
    copy = pickle.loads(pickle.dumps(caught.value))

    assert vars(copy) == vars(caught.value)
    assert str(copy) == str(caught.value)


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wasmtime, validating says how to get it, in an error that is an ImportError too."""
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    monkeypatch.delitem(sys.modules, "kognic_aio.wasm.module", raising=False)

    with pytest.raises(MissingExtraError, match=r"pip install 'kognic-aio\[wasm\]'") as caught:
        await validate_wasm_binary(PINHOLE)

    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, KognicError)
    assert not isinstance(caught.value, WasmError)


async def test_importing_does_without_the_extra() -> None:
    """Nothing imports wasmtime before a module is validated."""
    done = python("import sys, kognic_aio.wasm, kognic_aio.cli.app; print('wasmtime' in sys.modules)")

    assert done.stdout == "False\n"


def test_public_names() -> None:
    """The public names are listed, in order, and exist."""
    assert wasm.__all__ == sorted(wasm.__all__)
    assert all(hasattr(wasm, name) for name in wasm.__all__)
