"""The program that compiles and runs one module in its own process, which `sandbox` starts.

It imports nothing of this package: that would take ten times as long as a validation. Its standard input is a line of
JSON, with the path to import wasmtime from and the points, then the module. Its output is lines of JSON: `["loaded"]`,
`["projected", u, v]` for each point, or `["failed", kind, detail]`, the last one.
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from wasmtime import Func, FuncType, Module, Store

MAGIC = b"\0asm"

FUNCTION_NAME = "project_point_to_image"
"""The function that the platform calls."""

SIGNATURE = "(f64, f64, f64) -> (f64, f64)"
"""From x, y and z in metres to u and v in pixels."""

MAX_FUEL = 200_000_000
"""Instructions of a call: less than a second's worth. A byte that an instruction fills or copies counts as one."""

MAX_MEMORY_BYTES = 64 << 20
"""Bytes of a module's memory. It may have one memory."""

MAX_TABLES = 4
"""Tables of a module."""

MAX_TABLE_ELEMENTS = 100_000
"""Elements of each of its tables."""

MAX_CPU_SECONDS = 3
"""Seconds of processor time to compile a module and project all points, where the system can bound it."""

MAX_PROCESS_BYTES = 192 << 20
"""Bytes of writable memory of this process, where the system can bound it."""

LIMITS = {
    "RLIMIT_CPU": MAX_CPU_SECONDS,
    "RLIMIT_DATA": MAX_PROCESS_BYTES,
    "RLIMIT_AS": 16 << 30,  # wasmtime reserves some GiB of addresses for a memory
    "RLIMIT_CORE": 0,
}
"""The system's limits for this process, by their names in `resource`."""

MAX_NAMES = 20
"""Names of imports or exports in the output: a module may have megabytes of them."""

MAX_TEXT = 500
"""Characters of each text in the output."""

FEATURES_OFF = (
    *("wasm_threads", "wasm_memory64", "wasm_multi_memory", "wasm_gc", "wasm_function_references"),
    *("wasm_exceptions", "wasm_stack_switching", "wasm_component_model", "wasm_custom_page_sizes"),
)
"""No compiler needs these for a projection. Each would need bounds, and may have bugs in wasmtime."""


def main() -> None:
    """Run the module from the standard input."""
    path, points = json.loads(sys.stdin.buffer.readline())
    sys.path[:] = path
    _limit()
    store = _limited_store()
    function = _loaded(sys.stdin.buffer.read(), store)
    say("loaded")
    for point in points:
        _project(function, store, point)


def say(*words: object) -> None:
    """Write a line of output, and flush it: the process may end at any time."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def fail(kind: str, detail: str | Sequence[str] | None) -> NoReturn:
    """Report a failure, and exit."""
    if isinstance(detail, str):
        detail = detail[: MAX_TEXT + 1]  # one more, which shows that it was cut
    elif detail is not None:
        detail = [name[: MAX_TEXT + 1] for name in detail[:MAX_NAMES]]
    say("failed", kind, detail)
    sys.exit()


def _limit() -> None:
    """Set the system's limits for this process; Windows has none."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    for name, limit in LIMITS.items():
        try:
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (bound, hard if name == "RLIMIT_CPU" else bound))
        except (AttributeError, ValueError, OSError):  # macOS lacks some, and refuses to set others
            continue


def _limited_store() -> "Store":
    from wasmtime import Config, Engine, Store  # noqa: PLC0415  # the standard input says where it is

    config = Config()
    config.consume_fuel = True
    config.parallel_compilation = False  # one thread per core, each with its own memory
    config.cranelift_opt_level = "none"  # a function is called a hundred times at most
    for feature in FEATURES_OFF:
        setattr(config, feature, False)
    store = Store(Engine(config))
    store.set_limits(
        memory_size=MAX_MEMORY_BYTES, memories=1, tables=MAX_TABLES, table_elements=MAX_TABLE_ELEMENTS, instances=1
    )
    store.set_fuel(MAX_FUEL)  # for the start function of the module
    return store


def _loaded(wasm: bytes, store: "Store") -> "Func":
    from wasmtime import Instance, Module, Trap, WasmtimeError  # noqa: PLC0415  # as above

    if not wasm.startswith(MAGIC):  # wasmtime would accept the text format too
        fail("magic", f"it has to begin with {MAGIC!r}, got {wasm[:8]!r}")
    try:
        module = Module(store.engine, wasm)
    except WasmtimeError as error:
        fail("format", _last_line(error))
    _check(module)
    try:
        exports = Instance(store, module, []).exports(store)
    except (Trap, WasmtimeError) as error:
        fail("instantiation", _reason(error, store))
    return cast("Func", exports[FUNCTION_NAME])


def _check(module: "Module") -> None:
    from wasmtime import FuncType  # noqa: PLC0415  # as above

    if imports := [f"{wanted.module}.{wanted.name}" for wanted in module.imports]:
        fail("imports", imports)
    functions = {export.name: export.type for export in module.exports if isinstance(export.type, FuncType)}
    if FUNCTION_NAME not in functions:
        fail("exports", list(functions))
    if (signature := _signature(functions[FUNCTION_NAME])) != SIGNATURE:
        fail("signature", signature)


def _signature(function: "FuncType") -> str:
    params, results = (", ".join(map(str, kinds)) for kinds in (function.params, function.results))
    return f"({params}) -> ({results})"


def _project(function: "Func", store: "Store", point: tuple[float, float, float]) -> None:
    from wasmtime import Trap, WasmtimeError  # noqa: PLC0415  # as above

    store.set_fuel(MAX_FUEL)
    try:
        u, v = function(store, *point)
    except (Trap, WasmtimeError) as error:
        fail("projection", _reason(error, store))
    say("projected", u, v)


def _reason(error: Exception, store: "Store") -> str | None:
    """The reason for a failure; None if the fuel is used up."""
    return None if store.get_fuel() == 0 else _last_line(error)


def _last_line(error: Exception) -> str:
    """The cause, which wasmtime puts below its backtrace."""
    return str(error).strip().splitlines()[-1].strip().removeprefix("wasm trap: ")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        fail("internal", f"{type(error).__name__}: {error}")
