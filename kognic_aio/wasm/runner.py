"""The program that compiles and runs one module in its own process, which `sandbox` starts.

It imports nothing of this package: that would take ten times as long as a validation. Its task has all rules and
bounds. Its standard input is the task as a line of JSON, then the module. Its output is lines of JSON: `["loaded"]`,
`["projected", u, v]` for each point, or `["failed", kind, detail]`, the last one.
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, TypedDict, cast

if TYPE_CHECKING:
    from wasmtime import Func, FuncType, Module, Store

MAGIC = b"\0asm"

MAX_NAMES = 20
"""Names of imports or exports in the output: a module may have megabytes of them."""

MAX_TEXT = 500
"""Characters of each text in the output."""

FEATURES_OFF = (
    *("wasm_threads", "wasm_memory64", "wasm_multi_memory", "wasm_gc", "wasm_function_references"),
    *("wasm_exceptions", "wasm_stack_switching", "wasm_component_model", "wasm_custom_page_sizes"),
)
"""No compiler needs these for a projection. Each would need bounds, and may have bugs in wasmtime."""


class Task(TypedDict):
    """The points to project with a module, and its bounds."""

    path: Sequence[str]  # where to import wasmtime from
    function: str  # the export of the module to call
    signature: str  # its parameters and results
    points: Sequence[tuple[float, float, float]]
    limits: dict[str, int]  # of the process, by names such as `RLIMIT_CPU`, where the system has them
    fuel: int  # instructions of a call
    memory: int  # bytes
    tables: int
    elements: int  # of each table


def main() -> None:
    """Run the task from the standard input."""
    task: Task = json.loads(sys.stdin.buffer.readline())
    sys.path[:] = task["path"]
    _limit(task["limits"])
    store = _limited_store(task)
    module = _compiled(sys.stdin.buffer.read(), store)
    _check(module, task)
    function = _instantiated(module, store, task)
    say("loaded")
    for point in task["points"]:
        _project(function, store, point, task["fuel"])


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


def _limit(limits: dict[str, int]) -> None:
    """Set the system's limits for this process; Windows has none."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # not on Windows

    for name, limit in limits.items():
        try:
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (bound, hard if name == "RLIMIT_CPU" else bound))
        except (AttributeError, ValueError, OSError):  # macOS lacks some, and refuses to set others
            continue


def _limited_store(task: Task) -> "Store":
    from wasmtime import Config, Engine, Store  # noqa: PLC0415  # the task says where it is

    config = Config()
    config.consume_fuel = True
    config.parallel_compilation = False  # one thread per core, each with its own memory
    config.cranelift_opt_level = "none"  # a function is called a hundred times at most
    for feature in FEATURES_OFF:
        setattr(config, feature, False)
    store = Store(Engine(config))
    store.set_limits(
        memory_size=task["memory"], memories=1, tables=task["tables"], table_elements=task["elements"], instances=1
    )
    store.set_fuel(task["fuel"])  # for the start function of the module
    return store


def _compiled(wasm: bytes, store: "Store") -> "Module":
    from wasmtime import Module, WasmtimeError  # noqa: PLC0415  # as above

    if not wasm.startswith(MAGIC):  # wasmtime would accept the text format too
        fail("magic", f"it has to begin with {MAGIC!r}, got {wasm[:8]!r}")
    try:
        return Module(store.engine, wasm)
    except WasmtimeError as error:
        fail("format", _last_line(error))


def _check(module: "Module", task: Task) -> None:
    from wasmtime import FuncType  # noqa: PLC0415  # as above

    if imports := [f"{wanted.module}.{wanted.name}" for wanted in module.imports]:
        fail("imports", imports)
    functions = {export.name: export.type for export in module.exports if isinstance(export.type, FuncType)}
    if task["function"] not in functions:
        fail("exports", list(functions))
    if (signature := _signature(functions[task["function"]])) != task["signature"]:
        fail("signature", signature)


def _signature(function: "FuncType") -> str:
    params, results = (", ".join(map(str, kinds)) for kinds in (function.params, function.results))
    return f"({params}) -> ({results})"


def _instantiated(module: "Module", store: "Store", task: Task) -> "Func":
    from wasmtime import Instance, Trap, WasmtimeError  # noqa: PLC0415  # as above

    try:
        exports = Instance(store, module, []).exports(store)
    except (Trap, WasmtimeError) as error:
        fail("instantiation", _reason(error, store))
    return cast("Func", exports[task["function"]])


def _project(function: "Func", store: "Store", point: tuple[float, float, float], fuel: int) -> None:
    from wasmtime import Trap, WasmtimeError  # noqa: PLC0415  # as above

    store.set_fuel(fuel)
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
