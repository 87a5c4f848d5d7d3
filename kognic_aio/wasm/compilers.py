"""The compilers and how they are called: emcc for C and C++, rustc or cargo for Rust."""

import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from anyio import CancelScope

from kognic_aio._threads import in_thread
from kognic_aio.errors import CompilationError
from kognic_aio.model._module_file import MAX_MODULE_BYTES, read_module
from kognic_aio.wasm.contract import FUNCTION_NAME
from kognic_aio.wasm.running import run_compiler

MANIFEST = "Cargo.toml"
SUFFIXES = (".c", ".cc", ".cpp", ".rs")


async def compiled(source: Path, timeout: float) -> bytes:
    """The module that a source becomes, of one of the suffixes or a manifest.

    Raises:
        CompilationError: If its compiler is missing, fails, or takes longer.
    """
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
        "-Oz",
        "-sSTANDALONE_WASM",
        f'-sEXPORTED_FUNCTIONS=["_{FUNCTION_NAME}"]',
        "-Wl,--no-entry",
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
        "--message-format=json-render-diagnostics",  # artifacts as JSON, what people shall read as ever
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
    if found:
        problem = (
            f"a workspace of several modules ({', '.join(module.name for module in found)}): choose one's manifest"
        )
    else:
        problem = 'it builds no module: its [lib] needs crate-type = ["cdylib"]'
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
        wasm = read_module(module)
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
