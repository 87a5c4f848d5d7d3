"""From a source file to a validated module: emcc compiles C and C++, rustc or cargo compiles Rust."""

import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from uuid import uuid4

from anyio import CancelScope

from kognic_aio._regular import read_regular
from kognic_aio._threads import in_thread
from kognic_aio._validation.converters import argument, seconds
from kognic_aio.errors import CompilationError, CompilationOutputError, MissingFileError
from kognic_aio.model.calibration import MAX_MODULE_BYTES
from kognic_aio.wasm.bounds import COMPILATION_TIMEOUT
from kognic_aio.wasm.compilers import run_compiler
from kognic_aio.wasm.contract import FUNCTION_NAME
from kognic_aio.wasm.sandbox import check_extra
from kognic_aio.wasm.validation import validate_wasm_binary

MANIFEST = "Cargo.toml"
SUFFIXES = (".c", ".cc", ".cpp", ".rs")

UNUSABLE = (OSError, RuntimeError, ValueError)
"""What is raised for a name that is too long, leads in a circle, or has a NUL in it."""


async def compile_to_wasm(
    *,
    input_path: str | PathLike[str],
    output_wasm: str | PathLike[str] | None = None,
    skip_validation: bool = False,
    timeout: float = COMPILATION_TIMEOUT,
) -> bytes:
    """Compile a source file to a WebAssembly module, and validate it.

    The compiler has to be on the PATH, but not in the folder of the source or the current one. It sees no `KOGNIC_`
    variable. If the task is cancelled, the compiler is killed, with all that it has started.

    Args:
        input_path: A `.c`, `.cc`, `.cpp` or `.rs` file, or the `Cargo.toml` of a crate of the type cdylib.
        output_wasm: A `.wasm` file to write the module to after its validation. A file that exists is replaced when all
            has gone well, and stays as it is if not.
        skip_validation: Whether to take the module as it is.
        timeout: Seconds that the compiler may take.

    Raises:
        InvalidError: If the timeout is no number of seconds.
        MissingFileError: If there is no such source file.
        CompilationError: If it is no such source, or its compiler is missing, fails, takes longer, prints more than
            4 MiB or makes more than 4 MiB.
        CompilationOutputError: If the output is no `.wasm` file, or cannot be written.
        MissingExtraError: If the extra `wasm` is not installed, which validation needs.
        WasmError: What else `validate_wasm_binary` raises.
    """
    argument("timeout", timeout, seconds)
    source = await in_thread(_checked_source, input_path)
    output = None if output_wasm is None else await in_thread(_checked_output, output_wasm)
    if not skip_validation:
        await in_thread(check_extra)  # better known before the compiler has run
    wasm = await _compiled(source, timeout)
    if not skip_validation:
        await validate_wasm_binary(wasm)
    if output is not None:
        await in_thread(_replace, output, wasm)
    return wasm


def _checked_source(path: str | PathLike[str]) -> Path:
    try:
        source = Path(path).resolve()
        is_file, exists = source.is_file(), source.exists()
    except UNUSABLE as error:
        raise MissingFileError(f"no name of a file: {str(path)!r} ({error})", filename=str(path)) from error
    if not is_file:
        problem = "not a file" if exists else "local file is missing"
        raise MissingFileError(f"{problem}: {str(path)!r}", filename=str(path))
    if source.name != MANIFEST and source.suffix not in SUFFIXES:
        raise CompilationError(f"cannot compile {source.name}: expected {', '.join(SUFFIXES)} or {MANIFEST}")
    return source


def _checked_output(path: str | PathLike[str]) -> Path:
    try:
        output = Path(path).resolve()
        has_folder = output.parent.is_dir()
    except UNUSABLE as error:
        raise CompilationOutputError(f"no name of a file: {str(path)!r} ({error})", path=str(path)) from error
    if output.suffix != ".wasm":
        raise CompilationOutputError(f"the output has to be a .wasm file, got {output.name!r}", path=str(output))
    if not has_folder:
        raise CompilationOutputError(f"the output's folder does not exist: {output.parent}", path=str(output))
    return output


def _replace(output: Path, wasm: bytes) -> None:
    """Write the output in one step, so that nobody finds half a module, or none where there was one."""
    partial_output = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        partial_output.write_bytes(wasm)
        partial_output.replace(output)
    except OSError as error:
        raise CompilationOutputError(f"cannot write {output}: {error.strerror}", path=str(output)) from error
    finally:
        partial_output.unlink(missing_ok=True)


async def _compiled(source: Path, timeout: float) -> bytes:
    """The module that a source becomes."""
    if source.name == MANIFEST:
        return await _cargo(source, timeout)
    async with _temporary_folder() as folder:
        module = folder / "module.wasm"
        command = _rustc(source, module) if source.suffix == ".rs" else _emcc(source, module)
        await run_compiler(command, source, timeout)
        return await in_thread(_read, module, command)


def _emcc(source: Path, module: Path) -> list[str]:
    return [
        "emcc",
        *("-mmultivalue", "-Xclang", "-target-abi", "-Xclang", "experimental-mv"),
        *("-Oz", "-sSTANDALONE_WASM", f'-sEXPORTED_FUNCTIONS=["_{FUNCTION_NAME}"]', "-Wl,--no-entry"),
        str(source),
        f"-o{module}",
    ]


def _rustc(source: Path, module: Path) -> list[str]:
    return [
        *("rustc", "-v", "--crate-type=cdylib", "-Copt-level=3", "-Cstrip=symbols"),
        *("--target=wasm32-wasip1", "-Ctarget-feature=+multivalue"),
        str(source),
        f"-o{module}",
    ]


async def _cargo(manifest: Path, timeout: float) -> bytes:
    command = [
        *("cargo", "build", "--release", "--target=wasm32-wasip1", f"--manifest-path={manifest}"),
        "--message-format=json-render-diagnostics",  # artifacts as JSON, and for people the usual text
    ]
    messages = await run_compiler(command, manifest, timeout, RUSTFLAGS="-C target-feature=+multivalue")
    return await in_thread(_read, _artifact(messages, manifest, command), command)


def _artifact(messages: bytes, manifest: Path, command: Sequence[str]) -> Path:
    """The module among what cargo says it has built: that of the manifest, or the only one of its workspace."""
    try:
        modules = list(_modules(messages))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise CompilationError(f"cargo has not said what it has built: {error!r}", command=command) from error
    found = [module for crate, module in modules if crate == manifest] or [module for _, module in modules]
    if len(found) == 1:
        return found[0]
    problem = 'it builds no module: its [lib] needs crate-type = ["cdylib"]'
    if found:
        names = ", ".join(module.name for module in found)
        problem = f"a workspace of several modules ({names}): choose one's manifest"
    raise CompilationError(f"{manifest}: {problem}", command=command, exit_code=0)


def _modules(messages: bytes) -> Iterator[tuple[Path, Path]]:
    """The manifest and the module of each crate that becomes one."""
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith(b"{") else {}
        if message.get("reason") == "compiler-artifact" and "cdylib" in message["target"]["kind"]:
            for name in message["filenames"]:
                if name.endswith(".wasm"):
                    yield Path(message["manifest_path"]), Path(name)


def _read(module: Path, command: Sequence[str]) -> bytes:
    try:
        wasm = read_regular(module, MAX_MODULE_BYTES)
    except OSError as error:
        message = f"{command[0]} ended well, but its module cannot be read: {error}"
        raise CompilationError(message, command=command, exit_code=0) from error
    if len(wasm) > MAX_MODULE_BYTES:
        message = f"{command[0]} has made a module of more than {MAX_MODULE_BYTES:,} bytes"
        raise CompilationError(message, command=command, exit_code=0)
    return wasm


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path, None]:
    folder = Path(await in_thread(tempfile.mkdtemp))
    try:
        yield folder
    finally:
        with CancelScope(shield=True):
            await in_thread(partial(shutil.rmtree, folder, ignore_errors=True))
