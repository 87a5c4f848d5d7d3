"""Reads what the process of a module has answered, whatever that is: a module may have taken it over."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from kognic_aio._json import read_json
from kognic_aio.errors import FunctionNotFoundError, FunctionSignatureError, LoadingError, ProjectionError, WasmError
from kognic_aio.wasm.bounds import MAX_CPU_SECONDS, MAX_FUEL, MAX_PROCESS_BYTES, VALIDATION_TIMEOUT
from kognic_aio.wasm.contract import FUNCTION_NAME, SIGNATURE
from kognic_aio.wasm.process import Ended
from kognic_aio.wasm.shown import shown, shown_names

Point: TypeAlias = tuple[float, float, float]
Pixel: TypeAlias = tuple[float, float]

THROUGH_MEMORY = "(i32, f64, f64, f64) -> ()"
"""What a compiler makes of the function if it may not return two values: the caller says where to put them."""


@frozen
class Outcome:
    """What came of running a module.

    Attributes:
        pixels: Where it has projected points to, in their order, as far as it came.
        failure: Why it came no further; None if it has projected all.
    """

    pixels: Sequence[Pixel]
    failure: WasmError | None


class Answers:
    """The answers of a process, read line by line.

    Args:
        points: What it had to project, the base point first.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._is_loaded = False
        self._pixels: list[Pixel] = []

    def outcome(self, ended: Ended) -> Outcome:
        """What came of it."""
        failure = None
        for line in ended.output.splitlines(keepends=True):
            if failure is None and line.endswith(b"\n"):  # the last one may have been cut off
                failure = self._read(line)
        if failure is None and len(self._pixels) < len(self._points):
            failure = self._stopped(_reason(ended))
        return Outcome(self._pixels, failure)

    def _read(self, line: bytes) -> WasmError | None:
        """The failure that a line tells of, None if it tells of none."""
        try:
            answer: object = read_json(line)
        except ValueError:
            answer = None
        match answer:
            case ["loaded"]:
                self._is_loaded = True
            case ["projected", float(u), float(v)] if self._is_loaded and len(self._pixels) < len(self._points):
                self._pixels.append((u, v))
            case ["failed", str(kind), detail] if kind in FAILURES:
                return FAILURES[kind](detail)
            case ["failed", "projection", detail] if self._is_loaded and len(self._pixels) < len(self._points):
                return self._stopped(_cause(detail))
            case _:
                return self._stopped("its process has answered what is no answer")
        return None

    def _stopped(self, reason: str) -> WasmError:
        """Why it came no further, said of the point at which it was."""
        done = len(self._pixels)
        if not self._is_loaded or done == len(self._points):
            return LoadingError(f"the module cannot be loaded: {reason}")
        point, index = self._points[done], done - 1 if done else None
        which = "the base point" if index is None else f"the point of test case {index}"
        message = f"{FUNCTION_NAME} failed for {which}, {point}: {reason}"
        return ProjectionError(message, point=point, reason=reason, index=index)


def _reason(ended: Ended) -> str:
    """Why a process has ended before it had done everything."""
    if ended.timed_out:
        return f"it has not ended within {VALIDATION_TIMEOUT:g} s"
    if sys.platform != "win32" and ended.exit_code == -signal.SIGXCPU:
        return f"it has not ended within {MAX_CPU_SECONDS} s of processor time"
    most = f"{MAX_PROCESS_BYTES >> 20} MiB"
    return f"its process has crashed (exit code {ended.exit_code}), as when it needs more than {most} of memory"


def _cause(detail: object) -> str:
    """What a module was stopped by; the runner says nothing else of fuel than that there is none left."""
    return f"it has not ended within {MAX_FUEL:,} instructions" if detail is None else shown(detail)


def _imports(detail: object) -> WasmError:
    names = shown_names(detail)
    return LoadingError(
        f"the module imports {', '.join(names)}, but nothing is there to import:"
        " link what it needs into it, and use nothing of the system",
        imports=names,
    )


def _no_function(detail: object) -> WasmError:
    names = shown_names(detail)
    return FunctionNotFoundError(
        f"the module has to export a function {FUNCTION_NAME}, got {', '.join(names) or 'no function'};"
        ' in C++ it has to be extern "C", in Rust pub and #[no_mangle]',
        function=FUNCTION_NAME,
        exports=names,
    )


def _signature(detail: object) -> WasmError:
    got = shown(detail)
    message = f"{FUNCTION_NAME} has to be {SIGNATURE}, got {got}"
    if got == THROUGH_MEMORY:
        message += (
            ", which returns through memory: C and C++ need the flags of compile_to_wasm,"
            ' Rust a function without extern "C" that returns a tuple, and a rustc before 1.82'
        )
    return FunctionSignatureError(message, expected=SIGNATURE, got=got)


FAILURES: Mapping[str, Callable[[object], WasmError]] = {
    "magic": lambda detail: LoadingError(f"not a WebAssembly module: {shown(detail)}"),
    "format": lambda detail: LoadingError(f"not a valid WebAssembly module: {shown(detail)}"),
    "instantiation": lambda detail: LoadingError(f"the module cannot be instantiated: {_cause(detail)}"),
    "imports": _imports,
    "exports": _no_function,
    "signature": _signature,
    "internal": lambda detail: LoadingError(f"wasmtime cannot load the module: {shown(detail)}"),
}
"""The errors of what can be wrong before a point is projected, by the runner's word for it."""
