"""The projection of one module: loaded with nothing to import, and run within limits. Needs the extra `wasm`."""

from typing import cast

from wasmtime import Config, Engine, Func, FuncType, Instance, Module, Store, Trap, WasmtimeError

from kognic_aio.errors import FunctionNotFoundError, FunctionSignatureError, LoadingError, ProjectionError
from kognic_aio.wasm.contract import FUNCTION_NAME, SIGNATURE

MAGIC = b"\0asm"

FUEL = 200_000_000
"""Instructions that a call may take: less than a second's worth."""

MEMORY = 64 << 20
"""Bytes of memory that a module may have."""

TABLE = 100_000
"""Elements that a table of it may have."""

THROUGH_MEMORY = "(i32, f64, f64, f64) -> ()"
"""What a compiler makes of the function if it may not return two values: the caller says where to put them."""


class Projection:
    """The projection that a module exports. It blocks, so it belongs in a thread.

    Args:
        wasm: The module.

    Raises:
        LoadingError: If the module cannot be loaded.
        FunctionNotFoundError: If it exports no function of the name.
        FunctionSignatureError: If the function takes or returns something else.
    """

    def __init__(self, wasm: bytes) -> None:
        self._store = _limited_store()
        module = _compiled(wasm, self._store.engine)
        _check_imports(module)
        _check_signature(_function_type(module))
        self._function = self._instantiated(module)

    def project(self, point: tuple[float, float, float], index: int | None = None) -> tuple[float, float]:
        """Project a point.

        Args:
            point: Its coordinates.
            index: The test case that it is from, if it is from one.

        Raises:
            ProjectionError: If the function fails, or takes more instructions than it may.
        """
        self._store.set_fuel(FUEL)
        try:
            u, v = self._function(self._store, *point)
        except (Trap, WasmtimeError) as error:
            reason = self._reason(error)
            which = "the base point" if index is None else f"the point of test case {index}"
            message = f"{FUNCTION_NAME} failed for {which}, {point}: {reason}"
            raise ProjectionError(message, point=point, reason=reason, index=index) from error
        return u, v

    def _instantiated(self, module: Module) -> Func:
        try:
            exports = Instance(self._store, module, []).exports(self._store)
        except (Trap, WasmtimeError) as error:
            raise LoadingError(f"the module cannot be instantiated: {self._reason(error)}") from error
        return cast("Func", exports[FUNCTION_NAME])

    def _reason(self, error: Exception) -> str:
        if self._store.get_fuel() == 0:
            return f"it has not ended within {FUEL:,} instructions"
        return _last_line(error)


def _limited_store() -> Store:
    config = Config()
    config.consume_fuel = True
    store = Store(Engine(config))
    store.set_limits(memory_size=MEMORY, table_elements=TABLE)
    store.set_fuel(FUEL)  # for the function that a module may run when it is instantiated
    return store


def _compiled(wasm: bytes, engine: Engine) -> Module:
    if not wasm.startswith(MAGIC):  # wasmtime would read the text format too, which is no module yet
        raise LoadingError(f"not a WebAssembly module: it has to begin with {MAGIC!r}, got {wasm[:8]!r}")
    try:
        return Module(engine, wasm)
    except WasmtimeError as error:
        raise LoadingError(f"not a valid WebAssembly module: {_last_line(error)}") from error


def _check_imports(module: Module) -> None:
    imports = [f"{wanted.module}.{wanted.name}" for wanted in module.imports]
    if imports:
        raise LoadingError(
            f"the module imports {', '.join(imports)}, but nothing is there to import:"
            " link what it needs into it, and use nothing of the system",
            imports=imports,
        )


def _function_type(module: Module) -> FuncType:
    functions = {export.name: export.type for export in module.exports if isinstance(export.type, FuncType)}
    if FUNCTION_NAME in functions:
        return functions[FUNCTION_NAME]
    raise FunctionNotFoundError(
        f"the module has to export a function {FUNCTION_NAME}, got {', '.join(functions) or 'no function'};"
        ' in C++ it has to be extern "C", in Rust pub and #[no_mangle]',
        function=FUNCTION_NAME,
        exports=list(functions),
    )


def _check_signature(function: FuncType) -> None:
    params, results = (", ".join(map(str, kinds)) for kinds in (function.params, function.results))
    got = f"({params}) -> ({results})"
    if got == SIGNATURE:
        return
    message = f"{FUNCTION_NAME} has to be {SIGNATURE}, got {got}"
    if got == THROUGH_MEMORY:
        message += (
            ", which returns through memory: C and C++ need the flags of compile_to_wasm,"
            ' Rust a function without extern "C" that returns a tuple, and a rustc before 1.82'
        )
    raise FunctionSignatureError(message, expected=SIGNATURE, got=got)


def _last_line(error: Exception) -> str:
    """The cause, which wasmtime puts below its backtrace."""
    return str(error).strip().splitlines()[-1].strip().removeprefix("wasm trap: ")
