"""Runs a module in a process of its own, which can be killed, and which the system bounds as well."""

import json
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from kognic_aio._threads import in_thread
from kognic_aio.errors import LoadingError, MissingExtraError
from kognic_aio.model._module_file import MAX_MODULE_BYTES
from kognic_aio.wasm import bounds, runner
from kognic_aio.wasm.answers import Answers, Outcome, Point
from kognic_aio.wasm.contract import FUNCTION_NAME, SIGNATURE
from kognic_aio.wasm.process import Ended, public_environment, run

_turns: RunVar[CapacityLimiter] = RunVar("kognic_aio.wasm")


def check_extra() -> None:
    """See that the library that runs modules is there, without loading it into this process.

    Raises:
        MissingExtraError: If the extra `wasm` is not installed.
    """
    if find_spec("wasmtime") is None:
        raise MissingExtraError("running WebAssembly needs wasmtime: pip install 'kognic-aio[wasm]'")


async def run_module(wasm: bytes, points: Sequence[Point]) -> Outcome:
    """Load a module and have it project points. If the task is cancelled, its process is killed.

    Raises:
        MissingExtraError: If the extra `wasm` is not installed.
        LoadingError: If the module is too large, or no process can be started for it.
    """
    await in_thread(check_extra)
    if len(wasm) > MAX_MODULE_BYTES:
        problem = f"the module has more than {MAX_MODULE_BYTES:,} bytes"
        raise LoadingError(f"{problem}: have its compiler leave out what it does not need, such as names")
    async with _turn():
        return Answers(points).outcome(await _run(wasm, points))


def _interpreter() -> str:
    """Python: where it is embedded, `multiprocessing.set_executable` names one."""
    from multiprocessing.spawn import get_executable  # noqa: PLC0415 - looks at the current folder, which may block

    return os.fsdecode(get_executable())


async def _run(wasm: bytes, points: Sequence[Point]) -> Ended:
    program = await in_thread(_interpreter)
    try:
        return await run(
            [program, "-I", runner.__file__],
            env=public_environment(),
            timeout=bounds.VALIDATION_TIMEOUT,
            max_output=bounds.MAX_ANSWER_BYTES + bounds.MAX_PIXEL_BYTES * len(points),
            given=json.dumps(_task(points)).encode() + b"\n" + wasm,
        )
    except OSError as error:
        raise LoadingError(f"the process for the module cannot be started ({program}): {error}") from error


def _turn() -> CapacityLimiter:
    """One limiter for each event loop, as a limiter belongs to its loop."""
    try:
        return _turns.get()
    except LookupError:
        limiter = CapacityLimiter(bounds.MAX_PROCESSES)
        _turns.set(limiter)
        return limiter


def _task(points: Sequence[Point]) -> runner.Task:
    return {
        "path": sys.path,  # from which we would import it ourselves
        "function": FUNCTION_NAME,
        "signature": SIGNATURE,
        "points": points,
        "limits": {
            "RLIMIT_CPU": bounds.MAX_CPU_SECONDS,
            "RLIMIT_DATA": bounds.MAX_PROCESS_BYTES,
            "RLIMIT_AS": bounds.MAX_ADDRESS_SPACE,
            "RLIMIT_CORE": 0,
        },
        "fuel": bounds.MAX_FUEL,
        "memory": bounds.MAX_MEMORY_BYTES,
        "tables": bounds.MAX_TABLES,
        "elements": bounds.MAX_TABLE_ELEMENTS,
    }
