"""Hostile modules: none takes more than seconds, or 300 MB with all processes, and each is told why it was refused."""

import asyncio
import json
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import anyio
import psutil
import pytest
import wasmtime

from kognic_aio.errors import FunctionNotFoundError, InvalidError, LoadingError, ProjectionError
from kognic_aio.model.calibration import CustomCameraCalibration
from kognic_aio.model.geometry import Position, RotationQuaternion
from kognic_aio.wasm import runner, validate_wasm_binary, validate_wasm_file
from tests.cli.support import COMMAND, environment
from tests.cost import MEGABYTES, SECONDS
from tests.waiting import GENEROUS
from tests.wasm import hostile
from tests.wasm.modules import PINHOLE, PINHOLE_CASES, POINT, known

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.anyio

MEASURED = """
import asyncio, json, sys
from kognic_aio.errors import WasmError
from kognic_aio.wasm import validate_wasm_file
from tests.cost import peak_memory, worked

before, said = worked(), "valid"
try:
    asyncio.run(validate_wasm_file(sys.argv[1]))
except WasmError as error:
    said = f"{type(error).__name__}: {error}"
print(json.dumps([said, worked() - before, peak_memory()]))
"""

LARGE = {
    "20 MB": (hostile.padded(20 << 20), "LoadingError: the module has more than 4,194,304 bytes"),
    "functions": (hostile.bloated(200_000), "LoadingError: "),
    "nested": (hostile.nested(1_000_000), "LoadingError: "),
    "branches": (hostile.branching(4_000), "LoadingError: "),
    "start": (hostile.SLOW_FILL, "cannot be instantiated: it did not end within 200,000,000 instructions"),
    "as large as may be": (hostile.padded((4 << 20) - 1000), "valid"),
    **{name: (module, "LoadingError: ") for name, module in hostile.TOO_MANY.items()},
    **{name: (module, "it did not end within ") for name, module in hostile.BULK.items()},
}


def measured(path: Path) -> tuple[str, float, float]:
    """What is said of a module, after how many seconds of work, with how much memory in MiB at most."""
    command = [sys.executable, "-c", MEASURED, str(path)]
    done = subprocess.run(command, capture_output=True, env=environment(), timeout=GENEROUS, check=True, cwd=ROOT)
    said, seconds, memory = json.loads(done.stdout)
    return said, seconds, memory


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is bounded, and told in kB, on Linux")
def test_what_a_module_can_take(name: str, tmp_path: Path) -> None:
    """Whatever a module is, it is answered after seconds of work and without much memory."""
    content, words = LARGE[name]
    path = tmp_path / "camera.wasm"
    path.write_bytes(content)

    said, seconds, memory = measured(path)

    assert words in said
    assert seconds < SECONDS
    assert memory < MEGABYTES


async def test_all_points_together() -> None:
    """Points that take long each are bounded together, and the error says at which it was."""
    with anyio.fail_after(GENEROUS), pytest.raises(ProjectionError, match="not end within") as caught:
        await validate_wasm_binary(hostile.SLOW, [known(POINT, (0, 0))] * 100)

    assert caught.value.index is not None


async def test_names_cannot_forge() -> None:
    """Names of a module are shown with escapes, and not all of them, nor in all their length."""
    with pytest.raises(FunctionNotFoundError, match=r"\\x1b\[2J\\nError: \\u202e") as caught:
        await validate_wasm_binary(hostile.FORGER)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000

    with pytest.raises(FunctionNotFoundError) as crowded:
        await validate_wasm_binary(hostile.CROWD)
    assert len(crowded.value.exports) == 20

    with pytest.raises(LoadingError) as begging:
        await validate_wasm_binary(hostile.BEGGAR)
    assert len(begging.value.imports) == 20
    assert str(begging.value).isprintable()


async def test_cancelling_kills_the_process() -> None:
    """When a validation is cancelled, its process is gone."""
    with anyio.fail_after(GENEROUS):
        async with anyio.create_task_group() as group:
            group.start_soon(validate_wasm_binary, hostile.BULK["memory.grow"])
            while not (running := runners(psutil.Process())):
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
    assert not any(map(is_runner, running))


def runners(parent: psutil.Process) -> list[psutil.Process]:
    return [child for child in parent.children() if is_runner(child)]


def is_runner(process: psutil.Process) -> bool:
    try:
        return runner.__file__ in process.cmdline()
    except psutil.NoSuchProcess:  # which a zombie is as well
        return False


def test_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends a validation at once with 130, without a word, and the module's process with it."""
    path = tmp_path / "camera.wasm"
    path.write_bytes(hostile.BULK["memory.grow"])
    command = [*COMMAND, "wasm", "validate", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment()) as process:
        parent = psutil.Process(process.pid)
        deadline = time.monotonic() + GENEROUS
        while not (running := runners(parent)) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)

        assert process.wait(GENEROUS) == 130
        assert process.stderr is not None
        assert process.stderr.read().strip() == b""
    assert running
    assert not any(map(is_runner, running))


async def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that took its process over would find no credentials in its environment."""
    monkeypatch.setenv("KOGNIC_CLIENT_SECRET", "planted")
    with anyio.fail_after(GENEROUS):
        async with anyio.create_task_group() as group:
            group.start_soon(validate_wasm_binary, hostile.BULK["memory.grow"])
            while not (running := runners(psutil.Process())):
                await anyio.sleep(0.01)
            variables = running[0].environ()
            group.cancel_scope.cancel()
    assert variables
    assert not [name for name in variables if name.startswith("KOGNIC_")]


async def test_many_at_once() -> None:
    """However many validations are asked for at once, two processes run, and all are answered."""
    most = 0
    with anyio.fail_after(GENEROUS):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(validate_wasm_binary, PINHOLE, PINHOLE_CASES)
            while len(asyncio.all_tasks()) > 10:
                most = max(most, len(runners(psutil.Process())))
                await anyio.sleep(0.005)
    assert 1 <= most <= 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
async def test_a_file_that_is_none(tmp_path: Path) -> None:
    """What is no regular file is refused, and a pipe is not waited for."""
    os.mkfifo(tmp_path / "camera.wasm")
    with anyio.fail_after(GENEROUS):
        for path in (tmp_path / "camera.wasm", Path("/dev/zero")):
            with pytest.raises(OSError, match="not a regular file"):
                await validate_wasm_file(path)
            with pytest.raises(OSError, match="not a regular file"):
                await custom_camera(path)


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="only root may read it, on Linux")
async def test_a_file_that_has_nothing_yet() -> None:
    """What is a regular file by its mode alone is not waited for; the log of the kernel may have something or not."""
    with anyio.fail_after(GENEROUS):
        for _ in range(2):
            with pytest.raises((OSError, LoadingError)):
                await validate_wasm_file("/proc/kmsg")


async def test_a_name_that_is_none() -> None:
    """No file has a NUL in its name."""
    with pytest.raises(OSError, match="null byte"):
        await validate_wasm_file("camera\0.wasm")


async def custom_camera(path: Path) -> CustomCameraCalibration:
    return await CustomCameraCalibration.from_file(
        path,
        position=Position(x=0, y=0, z=0),
        rotation_quaternion=RotationQuaternion(w=1, x=0, y=0, z=0),
        image_height=480,
        image_width=640,
    )


async def test_a_large_file(tmp_path: Path) -> None:
    """Of a file that is too large, no more is read than shows it."""
    path = tmp_path / "camera.wasm"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with anyio.fail_after(GENEROUS):
        with pytest.raises(LoadingError, match=r"more than 4,194,304 bytes.*camera\.wasm"):
            await validate_wasm_file(path)
        with pytest.raises(InvalidError, match=r"camera\.wasm' has more than 4,194,304 bytes"):
            await custom_camera(path)


async def test_no_interpreter(tmp_path: Path) -> None:
    """Where no process can be started, the error names the program; `multiprocessing` knows which it is."""
    program = multiprocessing.spawn.get_executable()
    multiprocessing.set_executable(str(tmp_path / "python"))
    try:
        with pytest.raises(LoadingError, match=r"cannot be started \(.*/python\): .*No such file"):
            await validate_wasm_binary(PINHOLE)
    finally:
        multiprocessing.set_executable(os.fsdecode(program))


def test_what_can_be_turned_off() -> None:
    """Each feature that modules do without is one that wasmtime has; others would be set in vain."""
    assert [name for name in runner.FEATURES_OFF if not isinstance(vars(wasmtime.Config).get(name), property)] == []


def test_versions_of_wasmtime() -> None:
    """Only versions are allowed that the tests above have been run with: before 46, fuel did not bound a fill."""
    with Path(__file__).parents[2].joinpath("pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]

    assert extras["wasm"] == ["wasmtime>=48,<51"]
