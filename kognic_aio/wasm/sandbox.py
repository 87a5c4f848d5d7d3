"""Runs a module in its own process, and reads its output. It trusts none of it: a module may have taken it over."""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TypeAlias

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from attrs import frozen

from kognic_aio import errors
from kognic_aio._json import read_json
from kognic_aio._text import printable
from kognic_aio._threads import in_thread
from kognic_aio.errors import LoadingError, WasmError
from kognic_aio.model.calibration import MAX_MODULE_BYTES
from kognic_aio.wasm import runner
from kognic_aio.wasm.process import Ended, public_environment, run
from kognic_aio.wasm.runner import FUNCTION_NAME, SIGNATURE

Point: TypeAlias = tuple[float, float, float]
Pixel: TypeAlias = tuple[float, float]

VALIDATION_TIMEOUT = 4.0
"""Seconds of elapsed time to compile a module and project all points."""

MAX_PROCESSES = 2
"""Modules validated concurrently. Others wait, before their time begins."""

THROUGH_MEMORY = "(i32, f64, f64, f64) -> ()"
"""The signature from compilers that return two values through memory."""

_limiters: RunVar[CapacityLimiter] = RunVar("kognic_aio.wasm")


@frozen
class Outcome:
    """The projections of a module, and the failure that ended them, if any."""

    pixels: Sequence[Pixel]
    failure: WasmError | None


def check_extra() -> None:
    """Raise a MissingExtraError if wasmtime is not installed. It is not imported here."""
    if find_spec("wasmtime") is None:
        raise errors.MissingExtraError("running WebAssembly needs wasmtime: pip install 'kognic-aio[wasm]'")


async def run_module(wasm: bytes, points: Sequence[Point]) -> Outcome:
    """Load a module and project points with it. If the task is cancelled, its process is killed."""
    await in_thread(check_extra)
    if len(wasm) > MAX_MODULE_BYTES:
        problem = f"the module has more than {MAX_MODULE_BYTES:,} bytes"
        raise LoadingError(f"{problem}: strip it, for example of its names")
    # The time of a module begins here, so that no module times out in the queue.
    async with _validation_limiter():
        return Output(points).outcome(await _run(wasm, points))


def _interpreter() -> str:
    """The Python to run. An embedding program sets it with `multiprocessing.set_executable`."""
    from multiprocessing.spawn import get_executable  # noqa: PLC0415  # reads the current folder, which may block

    return os.fsdecode(get_executable())


async def _run(wasm: bytes, points: Sequence[Point]) -> Ended:
    program = await in_thread(_interpreter)
    try:
        return await run(
            [program, "-I", runner.__file__],
            env=public_environment(),
            timeout=VALIDATION_TIMEOUT,
            max_output=(256 << 10) + 100 * len(points),  # a failure, and a line for each point
            given=json.dumps([sys.path, points]).encode() + b"\n" + wasm,  # it imports the same wasmtime as we would
        )
    except OSError as error:
        raise LoadingError(f"the process for the module cannot be started ({program}): {error}") from error


def _validation_limiter() -> CapacityLimiter:
    """The limiter of this event loop. A limiter belongs to its loop."""
    try:
        return _limiters.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_PROCESSES)
        _limiters.set(limiter)
        return limiter


class Output:
    """Reads the output of a process that projects points, the base point first, line by line."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._is_loaded = False
        self._pixels: list[Pixel] = []

    def outcome(self, ended: Ended) -> Outcome:
        """The outcome of the process."""
        failure = None
        for line in ended.output.splitlines(keepends=True):
            if failure is None and line.endswith(b"\n"):  # the last one may be cut off
                failure = self._read(line)
        if failure is None and len(self._pixels) < len(self._points):
            failure = self._stopped(_reason(ended))
        return Outcome(self._pixels, failure)

    def _read(self, line: bytes) -> WasmError | None:
        """The failure that a line reports, if any."""
        try:
            message: object = read_json(line)
        except ValueError:
            message = None
        match message:
            case ["loaded"]:
                self._is_loaded = True
            case ["projected", float(u), float(v)] if self._is_loaded and len(self._pixels) < len(self._points):
                self._pixels.append((u, v))
            case ["failed", str(kind), detail] if kind in FAILURES:
                return FAILURES[kind](detail)
            case ["failed", "projection", detail] if self._is_loaded and len(self._pixels) < len(self._points):
                return self._stopped(_cause(detail))
            case _:
                return self._stopped("its process sent an unexpected message")
        return None

    def _stopped(self, reason: str) -> WasmError:
        """The failure at the current point, or in loading."""
        done = len(self._pixels)
        if not self._is_loaded or done == len(self._points):
            return LoadingError(f"the module cannot be loaded: {reason}")
        point, index = self._points[done], done - 1 if done else None
        which = "the base point" if index is None else f"the point of test case {index}"
        message = f"{FUNCTION_NAME} failed for {which}, {point}: {reason}"
        return errors.ProjectionError(message, point=point, reason=reason, index=index)


def _reason(ended: Ended) -> str:
    """Why a process ended too early."""
    if ended.timed_out:
        return f"it did not end within {VALIDATION_TIMEOUT:g} s"
    if sys.platform != "win32" and ended.exit_code == -signal.SIGXCPU:
        return f"it did not end within {runner.MAX_CPU_SECONDS} s of processor time"
    memory = f"{runner.MAX_PROCESS_BYTES >> 20} MiB"
    return f"its process crashed (exit code {ended.exit_code}), perhaps because it needs more than {memory} of memory"


def _cause(detail: object) -> str:
    """Why a module was stopped. The runner sends None if the fuel is used up."""
    return f"it did not end within {runner.MAX_FUEL:,} instructions" if detail is None else _shown(detail)


def _imports(detail: object) -> WasmError:
    names = _shown_names(detail)
    return LoadingError(
        f"the module imports {', '.join(names)}, but no imports are provided;"
        " link everything statically and do not use WASI",
        imports=names,
    )


def _no_function(detail: object) -> WasmError:
    names = _shown_names(detail)
    return errors.FunctionNotFoundError(
        f"the module has to export a function {FUNCTION_NAME}, got {', '.join(names) or 'no function'};"
        ' in C++ it has to be extern "C", in Rust pub and #[no_mangle]',
        function=FUNCTION_NAME,
        exports=names,
    )


def _signature(detail: object) -> WasmError:
    got = _shown(detail)
    message = f"{FUNCTION_NAME} has to be {SIGNATURE}, got {got}"
    if got == THROUGH_MEMORY:
        message += (
            ", which returns through memory: C and C++ need the flags of compile_to_wasm,"
            ' Rust a function without extern "C" that returns a tuple, and a rustc before 1.82'
        )
    return errors.FunctionSignatureError(message, expected=SIGNATURE, got=got)


FAILURES: Mapping[str, Callable[[object], WasmError]] = {
    "magic": lambda detail: LoadingError(f"not a WebAssembly module: {_shown(detail)}"),
    "format": lambda detail: LoadingError(f"not a valid WebAssembly module: {_shown(detail)}"),
    "instantiation": lambda detail: LoadingError(f"the module cannot be instantiated: {_cause(detail)}"),
    "imports": _imports,
    "exports": _no_function,
    "signature": _signature,
    "internal": lambda detail: LoadingError(f"wasmtime cannot load the module: {_shown(detail)}"),
}
"""The errors before a point is projected, by the runner's name for each."""


def _shown(text: object) -> str:
    return printable(text, runner.MAX_TEXT)


def _shown_names(names: object) -> list[str]:
    return [_shown(name) for name in names[: runner.MAX_NAMES]] if isinstance(names, list) else []
