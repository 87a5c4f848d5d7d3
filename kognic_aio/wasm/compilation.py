"""From a source file to a validated module."""

from os import PathLike
from pathlib import Path
from uuid import uuid4

from kognic_aio._threads import in_thread
from kognic_aio._validation.converters import argument, seconds
from kognic_aio.errors import CompilationError, CompilationOutputError, MissingFileError
from kognic_aio.wasm.bounds import COMPILATION_TIMEOUT
from kognic_aio.wasm.compilers import MANIFEST, SUFFIXES, compiled
from kognic_aio.wasm.sandbox import check_extra
from kognic_aio.wasm.validation import validate_wasm_binary

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

    The compiler has to be on the PATH, in neither the folder of the source nor the current one. It gets to know no
    `KOGNIC_` variable. It is killed, with all that it has started, if the task is cancelled.

    Args:
        input_path: A `.c`, `.cc`, `.cpp` or `.rs` file, or the `Cargo.toml` of a crate of the type cdylib.
        output_wasm: A `.wasm` file to write the module to, which has been validated by then. A file that is there is
            replaced when all has gone well, and stays as it is if not.
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
    wasm = await compiled(source, timeout)
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
    """Write the output at once: nobody finds half a module, or none where there was one."""
    partial = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        partial.write_bytes(wasm)
        partial.replace(output)
    except OSError as error:
        raise CompilationOutputError(f"cannot write {output}: {error.strerror}", path=str(output)) from error
    finally:
        partial.unlink(missing_ok=True)
