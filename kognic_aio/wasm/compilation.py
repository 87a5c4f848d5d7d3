"""Compiles a source file to a validated module: emcc for C and C++, rustc or cargo for Rust."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from anyio import CancelScope

from kognic_aio._regular import read_all
from kognic_aio._text import printable
from kognic_aio._threads import in_thread
from kognic_aio._validation.converters import argument, seconds
from kognic_aio.errors import CompilationError, CompilationOutputError, MissingFileError
from kognic_aio.model.calibration import MAX_MODULE_BYTES
from kognic_aio.wasm.process import Ended, public_environment, run
from kognic_aio.wasm.runner import FUNCTION_NAME
from kognic_aio.wasm.sandbox import check_extra
from kognic_aio.wasm.validation import validate_wasm_binary

COMPILATION_TIMEOUT = 600.0
"""Seconds for a compiler. The first run of emcc builds its own libraries, and cargo fetches dependencies."""

MAX_OUTPUT_BYTES = 4 << 20
"""Bytes of a compiler's output. cargo prints about 1 kB for each crate."""

MAX_SHOWN_BYTES = 32 << 10
"""Bytes of that output in an error."""

MANIFEST = "Cargo.toml"
SUFFIXES = (".c", ".cc", ".cpp", ".rs")

HOW_TO_GET: Mapping[str, str] = {
    "emcc": "install Emscripten, from emscripten.org or as your system's package `emscripten`",
    "rustc": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
    "cargo": "install Rust from rustup.rs, then `rustup target add wasm32-wasip1`",
}

LAUNCHED = tuple(os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")) if sys.platform == "win32" else ("",)
"""Suffixes of programs, which Windows lets users omit."""

EMCC = (
    *("emcc", "-mmultivalue", "-Xclang", "-target-abi", "-Xclang", "experimental-mv"),
    *("-Oz", "-sSTANDALONE_WASM", f'-sEXPORTED_FUNCTIONS=["_{FUNCTION_NAME}"]', "-Wl,--no-entry"),
)
RUSTC = (
    *("rustc", "-v", "--crate-type=cdylib", "-Copt-level=3", "-Cstrip=symbols"),
    *("--target=wasm32-wasip1", "-Ctarget-feature=+multivalue"),
)

UNUSABLE = (OSError, RuntimeError, ValueError)
"""Raised for a path that is too long, leads in a circle, or has a NUL in it."""


async def compile_to_wasm(
    *,
    input_path: str | PathLike[str],
    output_wasm: str | PathLike[str] | None = None,
    skip_validation: bool = False,
    timeout: float = COMPILATION_TIMEOUT,
) -> bytes:
    """Compile a source file to a WebAssembly module, and validate it.

    The compiler has to be on the PATH, but not in the folder of the source or the current folder. It gets no `KOGNIC_`
    variables. If the task is cancelled, the compiler and all its child processes are killed.

    Args:
        input_path: A `.c`, `.cc`, `.cpp` or `.rs` file, or the `Cargo.toml` of a crate of the type cdylib.
        output_wasm: A `.wasm` file to write the module to after its validation. An existing file is replaced only if
            everything succeeds.
        skip_validation: Whether to skip the validation.
        timeout: Seconds that the compiler may take.

    Raises:
        InvalidError: If the timeout is not a number of seconds.
        MissingFileError: If there is no such source file.
        CompilationError: If it is another kind of file, or its compiler is missing, fails, times out, or writes more
            than 4 MiB of output or a module of more than 4 MiB.
        CompilationOutputError: If the output is not a `.wasm` file, or cannot be written.
        MissingExtraError: If the extra `wasm` is not installed, which validation needs.
        WasmError: As `validate_wasm_binary`.
    """
    argument("timeout", timeout, seconds)
    source = await in_thread(_checked_source, input_path)
    output = None if output_wasm is None else await in_thread(_checked_output, output_wasm)
    if not skip_validation:
        await in_thread(check_extra)  # before the compiler runs, which may take minutes
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
        raise MissingFileError(f"not a file name: {str(path)!r} ({error})", filename=str(path)) from error
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
        raise CompilationOutputError(f"not a file name: {str(path)!r} ({error})", path=str(path)) from error
    if output.suffix != ".wasm":
        raise CompilationOutputError(f"the output has to be a .wasm file, got {output.name!r}", path=str(output))
    if not has_folder:
        raise CompilationOutputError(f"the output's folder does not exist: {output.parent}", path=str(output))
    return output


def _replace(output: Path, wasm: bytes) -> None:
    """Replace the output atomically, so that nobody reads half a module."""
    partial_output = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        partial_output.write_bytes(wasm)
        partial_output.replace(output)
    except OSError as error:
        raise CompilationOutputError(f"cannot write {output}: {error.strerror}", path=str(output)) from error
    finally:
        partial_output.unlink(missing_ok=True)


async def _compiled(source: Path, timeout: float) -> bytes:
    """The module compiled from a source."""
    if source.name == MANIFEST:
        return await _cargo(source, timeout)
    folder = await in_thread(partial(TemporaryDirectory, ignore_cleanup_errors=True))
    try:
        module = Path(folder.name, "module.wasm")
        command = [*(RUSTC if source.suffix == ".rs" else EMCC), str(source), f"-o{module}"]
        await _run_compiler(command, source, timeout)
        return await in_thread(_read, module, command)
    finally:
        with CancelScope(shield=True):
            await in_thread(folder.cleanup)


async def _cargo(manifest: Path, timeout: float) -> bytes:
    command = [
        *("cargo", "build", "--release", "--target=wasm32-wasip1", f"--manifest-path={manifest}"),
        "--message-format=json-render-diagnostics",  # artifacts as JSON, and the usual text for people
    ]
    messages = await _run_compiler(command, manifest, timeout, RUSTFLAGS="-C target-feature=+multivalue")
    return await in_thread(_read, _artifact(messages, manifest, command), command)


def _artifact(messages: bytes, manifest: Path, command: Sequence[str]) -> Path:
    """The path of the module that cargo built: that of the manifest, or the only one of its workspace."""
    try:
        modules = list(_modules(messages))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise CompilationError(f"cannot read the messages of cargo: {error!r}", command=command) from error
    found = [module for crate, module in modules if crate == manifest] or [module for _, module in modules]
    if len(found) == 1:
        return found[0]
    problem = 'it builds no module: its [lib] needs crate-type = ["cdylib"]'
    if found:
        names = ", ".join(module.name for module in found)
        problem = f"a workspace of several modules ({names}): choose one's manifest"
    raise CompilationError(f"{manifest}: {problem}", command=command, exit_code=0)


def _modules(messages: bytes) -> Iterator[tuple[Path, Path]]:
    """The manifest and the module of each crate that was built to a module."""
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith(b"{") else {}
        if message.get("reason") == "compiler-artifact" and "cdylib" in message["target"]["kind"]:
            for name in message["filenames"]:
                if name.endswith(".wasm"):
                    yield Path(message["manifest_path"]), Path(name)


def _read(module: Path, command: Sequence[str]) -> bytes:
    try:
        return read_all(module, MAX_MODULE_BYTES)
    except OSError as error:
        message = f"{command[0]} succeeded, but its module cannot be used: {error}"
        raise CompilationError(message, command=command, exit_code=0) from error


async def _run_compiler(command: Sequence[str], source: Path, timeout: float, **defaults: str) -> bytes:
    """The standard output of a compiler, run in the folder of a source; `defaults` are environment variables.

    It raises a CompilationError if the compiler is missing, fails, times out or prints too much.
    """
    name, *arguments = command
    path = await in_thread(_trusted_path, source)
    found = await in_thread(_program, name, path)
    if found is None:
        raise CompilationError(
            f"compiling {source.name} needs {name}, which is not on the PATH: {HOW_TO_GET[name]}", command=command
        )
    # The compiler has to find its own tools on the same PATH.
    environment = {**defaults, **public_environment(), "PATH": path, "NoDefaultCurrentDirectoryInExePath": "1"}
    try:
        ended = await run(
            [found, *arguments], env=environment, timeout=timeout, max_output=MAX_OUTPUT_BYTES, cwd=source.parent
        )
    except OSError as error:
        raise CompilationError(f"{found} cannot be started: {error}", command=command) from error
    if problem := _problem(ended, timeout):
        message = f"{name} could not compile {source} ({problem})"
        said = _shown_lines(ended.words)
        raise CompilationError(message, command=command, exit_code=ended.exit_code, output=said)
    return ended.output


def _problem(ended: Ended, timeout: float) -> str | None:
    if ended.timed_out:
        return f"it did not end within {timeout:g} s"
    if ended.said_too_much:
        return f"it printed more than {MAX_OUTPUT_BYTES:,} bytes"
    return f"exit code {ended.exit_code}" if ended.exit_code else None


def _shown_lines(words: bytes) -> str:
    """The standard error of a compiler: its beginning, where the first error is, and its end."""
    if len(words) > MAX_SHOWN_BYTES:
        half = MAX_SHOWN_BYTES // 2
        words = words[:half] + b"\n[...]\n" + words[-half:]
    lines = words.decode(errors="replace").strip().expandtabs().split("\n")
    return "\n".join(printable(line.removesuffix("\r")) for line in lines)


def _trusted_path(source: Path) -> str:
    """The absolute folders of the PATH, without the current folder and that of the source."""
    # Programs beside a source came with it. An empty folder means the current one to a shell.
    distrusted = {_resolved(source.parent), _resolved(Path())}
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    folders = [Path(folder.strip('"')) for folder in path]  # Windows has quotes in it
    return os.pathsep.join(str(path) for path in folders if path.is_absolute() and _resolved(path) not in distrusted)


def _program(name: str, path: str) -> str | None:
    """The path of a program in the folders of a PATH. On Windows, `shutil.which` would search other folders too."""
    for folder in filter(None, path.split(os.pathsep)):
        for ending in LAUNCHED:
            candidate = os.path.join(folder, f"{name}{ending}")  # noqa: PTH118  # folders stay as the PATH has them
            if os.path.isfile(candidate) and os.access(candidate, os.X_OK):  # noqa: PTH113  # as above
                return candidate
    return None


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a deleted folder, or a loop of links
        return None
