import asyncio
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from kognic.io.tools.calibration.compilation import compile_to_wasm as official_compile
from kognic.io.tools.calibration.validation import validate_wasm_binary as official_validate

from kognic_aio.errors import (
    CompilationError,
    CompilationOutputError,
    FunctionSignatureError,
    InvalidError,
    MissingExtraError,
    MissingFileError,
)
from kognic_aio.wasm import compile_to_wasm, validate_wasm_binary, validate_wasm_file
from tests.waiting import GENEROUS
from tests.wasm.conftest import Install
from tests.wasm.modules import PINHOLE, PINHOLE_CASES, SINGLE

pytestmark = pytest.mark.anyio

SOURCES = Path(__file__).parent / "sources"


def recorded(folder: Path) -> dict[str, Any]:
    """How the recording stand-in was called."""
    record: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return record


def file(folder: Path, name: str, content: str = "as good as any source") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def artifact(manifest: Path, module: Path, *, kind: str = "cdylib") -> str:
    """A line of what cargo says with `--message-format=json`."""
    library = module.with_suffix(".rlib")
    message = {
        "reason": "compiler-artifact",
        "package_id": f"path+file://{manifest.parent}#0.1.0",
        "manifest_path": str(manifest),
        "target": {"kind": [kind, "rlib"], "crate_types": [kind, "rlib"], "name": module.stem},
        "filenames": [str(module), str(library)],
        "executable": None,
        "fresh": False,
    }
    return json.dumps(message) + "\n"


@pytest.mark.parametrize(("name", "suffix"), [("pinhole.c", ".c"), ("pinhole.cpp", ".cc"), ("pinhole.cpp", ".cpp")])
async def test_c_and_cpp(name: str, suffix: str, install: Install, tmp_path: Path, temporary: Path) -> None:
    """C and C++ become a module that projects as the source says, and nothing else is left behind."""
    install("emcc", "emcc")
    source, output = file(tmp_path, f"my camera{suffix}", (SOURCES / name).read_text()), tmp_path / "camera.wasm"

    module = await compile_to_wasm(input_path=source, output_wasm=output)

    assert output.read_bytes() == module
    await validate_wasm_file(output, PINHOLE_CASES)
    assert names_in(temporary) == []


async def test_without_an_output(install: Install, tmp_path: Path, temporary: Path) -> None:
    """The module comes back without being written anywhere that lasts."""
    install("rustc", "recording")

    assert await compile_to_wasm(input_path=file(tmp_path, "camera.rs")) == PINHOLE
    assert names_in(temporary) == []


async def test_rust(install: Install, tmp_path: Path) -> None:
    """A Rust file is compiled by rustc, where it lies."""
    install("rustc", "recording")
    source = file(tmp_path, "my camera.rs")

    await compile_to_wasm(input_path=str(source))

    *flags, given, output = recorded(tmp_path)["arguments"]
    assert "--target=wasm32-wasip1" in flags
    assert "-Ctarget-feature=+multivalue" in flags
    assert given == str(source)
    assert output.endswith(".wasm")
    assert recorded(tmp_path)["folder"] == str(tmp_path)


@pytest.mark.parametrize(("compiler", "suffix"), [("emcc", ".c"), ("emcc", ".cc"), ("emcc", ".cpp"), ("rustc", ".rs")])
async def test_flags_are_the_official_ones(compiler: str, suffix: str, install: Install, tmp_path: Path) -> None:
    """Compilers are called with the flags that the official client gives them."""
    install(compiler, "recording")
    source, output = file(tmp_path, f"camera{suffix}"), tmp_path / "camera.wasm"

    await asyncio.to_thread(official_compile, input_path=source, output_wasm=output, skip_validation=True)
    *expected, _ = recorded(tmp_path)["arguments"]
    await compile_to_wasm(input_path=source, output_wasm=output)
    *flags, _ = recorded(tmp_path)["arguments"]

    assert flags == expected


async def test_cargo(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crate's module is the one that cargo says it is, wherever it lies and whatever it is called."""
    install("cargo", "recording")
    manifest, module = file(tmp_path, "Cargo.toml"), tmp_path / "elsewhere" / "lens.wasm"
    module.parent.mkdir()
    module.write_bytes(PINHOLE)
    dependency = artifact(tmp_path / "dependency" / "Cargo.toml", tmp_path / "dependency.wasm")
    monkeypatch.setenv("MESSAGES", dependency + artifact(manifest, module) + '{"reason":"build-finished"}\n')

    assert await compile_to_wasm(input_path=manifest, output_wasm=tmp_path / "camera.wasm") == PINHOLE
    assert recorded(tmp_path)["arguments"] == [
        "build",
        "--release",
        "--target=wasm32-wasip1",
        f"--manifest-path={manifest}",
        "--message-format=json-render-diagnostics",
    ]


async def test_cargo_of_a_workspace(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of a workspace is the one of its only member that makes one."""
    install("cargo", "recording")
    manifest, module = file(tmp_path, "Cargo.toml"), tmp_path / "lens.wasm"
    module.write_bytes(PINHOLE)
    tool = artifact(tmp_path / "tool" / "Cargo.toml", tmp_path / "tool.wasm", kind="bin")
    monkeypatch.setenv("MESSAGES", tool + artifact(tmp_path / "lens" / "Cargo.toml", module))

    assert await compile_to_wasm(input_path=manifest) == PINHOLE


@pytest.mark.parametrize(
    ("members", "words"),
    [([], r'crate-type = \["cdylib"\]'), (["a", "b"], r"several modules \(a\.wasm, b\.wasm\)")],
)
async def test_cargo_without_one_module(
    members: list[str], words: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crate that makes no module, or a workspace that makes several, is told what to do."""
    install("cargo", "recording")
    messages = [artifact(tmp_path / name / "Cargo.toml", tmp_path / f"{name}.wasm") for name in members]
    monkeypatch.setenv("MESSAGES", "".join(messages))

    with pytest.raises(CompilationError, match=words):
        await compile_to_wasm(input_path=file(tmp_path, "Cargo.toml"))


@pytest.mark.parametrize(
    ("given", "passed"), [(None, "-C target-feature=+multivalue"), ("-C debuginfo=1", "-C debuginfo=1")]
)
async def test_rustflags(
    given: str | None, passed: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cargo gets the flag that modules need, unless RUSTFLAGS is set; our own environment stays as it is."""
    install("cargo", "recording")
    if given is not None:
        monkeypatch.setenv("RUSTFLAGS", given)
    manifest = file(tmp_path, "Cargo.toml")
    monkeypatch.setenv("MESSAGES", artifact(manifest, tmp_path / "bin" / "pinhole.wasm"))

    await compile_to_wasm(input_path=manifest)

    assert recorded(tmp_path)["flags"] == passed
    assert os.environ.get("RUSTFLAGS") == given


async def test_a_source_with_an_error(install: Install, tmp_path: Path, temporary: Path) -> None:
    """What the compiler says is in the error; an earlier output stays, and nothing half-made is left."""
    install("emcc", "emcc")
    output = tmp_path / "out" / "camera.wasm"
    output.parent.mkdir()
    output.write_bytes(PINHOLE)

    with pytest.raises(CompilationError, match="use of undeclared identifier 'undeclared'") as caught:
        await compile_to_wasm(input_path=SOURCES / "broken.c", output_wasm=output)

    assert caught.value.command[0] == "emcc"
    assert caught.value.exit_code == 1
    assert "undeclared" in caught.value.output
    assert output.read_bytes() == PINHOLE
    assert names_in(output.parent) == ["camera.wasm"]
    assert names_in(temporary) == []


async def test_a_source_that_makes_no_valid_module(install: Install, tmp_path: Path) -> None:
    """A module that is not valid replaces no earlier output."""
    install("emcc", "emcc")
    output = tmp_path / "camera.wasm"
    output.write_bytes(PINHOLE)

    with pytest.raises(FunctionSignatureError) as caught:
        await compile_to_wasm(input_path=SOURCES / "single.c", output_wasm=output)

    assert caught.value.got == "(f64, f64, f64) -> (f64)"
    assert output.read_bytes() == PINHOLE


async def test_skipping_the_validation(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever skips the validation gets the module as it is, and needs no wasmtime."""
    install("rustc", "recording")
    output = tmp_path / "camera.wasm"
    output.write_bytes(PINHOLE)
    (tmp_path / "bin" / "pinhole.wasm").write_bytes(SINGLE)
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    monkeypatch.delitem(sys.modules, "kognic_aio.wasm.module", raising=False)

    await compile_to_wasm(input_path=file(tmp_path, "camera.rs"), output_wasm=output, skip_validation=True)

    assert output.read_bytes() == SINGLE


async def test_without_the_extra(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without wasmtime nothing is compiled that could not be validated."""
    install("rustc", "recording")
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    monkeypatch.delitem(sys.modules, "kognic_aio.wasm.module", raising=False)

    with pytest.raises(MissingExtraError):
        await compile_to_wasm(input_path=file(tmp_path, "camera.rs"))

    assert not (tmp_path / "record.json").exists()


@pytest.mark.usefixtures("install")
@pytest.mark.parametrize(
    ("name", "compiler", "advice"),
    [
        ("camera.c", "emcc", "emscripten"),
        ("camera.cpp", "emcc", "emscripten"),
        ("camera.rs", "rustc", "rustup target add wasm32-wasip1"),
        ("Cargo.toml", "cargo", "rustup target add wasm32-wasip1"),
    ],
)
async def test_a_missing_compiler(name: str, compiler: str, advice: str, tmp_path: Path) -> None:
    """Without the compiler, the error says which it is and where it comes from."""
    with pytest.raises(CompilationError, match=f"needs {compiler}, .*{advice}") as caught:
        await compile_to_wasm(input_path=file(tmp_path, name))

    assert caught.value.command[0] == compiler
    assert caught.value.exit_code is None


@pytest.mark.parametrize("compiler", ["rustc", "cargo"])
async def test_a_compiler_that_makes_nothing(
    compiler: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that ends well without a module is an error."""
    install("rustc", "silent")
    install("cargo", "recording")
    source = file(tmp_path, {"rustc": "camera.rs", "cargo": "Cargo.toml"}[compiler])
    monkeypatch.setenv("MESSAGES", artifact(source, tmp_path / "missing.wasm"))

    with pytest.raises(CompilationError, match=rf"{compiler} succeeded, but its module cannot be used"):
        await compile_to_wasm(input_path=source)


async def test_no_such_source(tmp_path: Path) -> None:
    """A source that is missing, or is a folder, is told apart from one that is wrong."""
    with pytest.raises(MissingFileError, match="missing"):
        await compile_to_wasm(input_path=tmp_path / "camera.c")
    with pytest.raises(MissingFileError, match="not a file"):
        await compile_to_wasm(input_path=tmp_path)


async def test_a_source_of_another_language(tmp_path: Path) -> None:
    """The error for a source that nothing compiles says what can be compiled."""
    with pytest.raises(CompilationError, match=r"camera\.zig: expected \.c, \.cc, \.cpp, \.rs or Cargo\.toml"):
        await compile_to_wasm(input_path=file(tmp_path, "camera.zig"))


@pytest.mark.parametrize("name", ["camera\0{}", "x" * 5000 + "{}", "circle{}"])
async def test_a_name_that_is_none(name: str, tmp_path: Path) -> None:
    """What cannot be the name of a file is an error of ours: with a NUL, too long, a link to itself."""
    (tmp_path / "circle.c").symlink_to(tmp_path / "circle.c")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    source = f"{tmp_path}/{name.format('.c')}"
    output = f"{tmp_path}/{name.format('/camera.wasm')}"
    with pytest.raises(MissingFileError, match=r"not a file name|missing"):
        await compile_to_wasm(input_path=source)
    with pytest.raises(CompilationOutputError, match=r"not a file name|does not exist"):
        await compile_to_wasm(input_path=file(tmp_path, "camera.c"), output_wasm=output)


@pytest.mark.parametrize("timeout", [math.nan, -1.0])
async def test_a_time_that_is_none(timeout: float, tmp_path: Path) -> None:
    """A timeout is a number of seconds."""
    with pytest.raises(InvalidError, match="timeout: expected seconds"):
        await compile_to_wasm(input_path=file(tmp_path, "camera.c"), timeout=timeout)


@pytest.mark.parametrize(("name", "words"), [("camera.bin", "has to be a .wasm"), ("no/camera.wasm", "not exist")])
async def test_an_impossible_output(name: str, words: str, install: Install, tmp_path: Path) -> None:
    """An output that cannot be is refused before the compiler runs."""
    install("rustc", "recording")

    with pytest.raises(CompilationOutputError, match=words) as caught:
        await compile_to_wasm(input_path=file(tmp_path, "camera.rs"), output_wasm=tmp_path / name)

    assert caught.value.path == str(tmp_path / name)
    assert not (tmp_path / "record.json").exists()


async def test_an_output_that_cannot_be_written(install: Install, tmp_path: Path) -> None:
    """Where the output cannot be written, the error says so and nothing is left."""
    install("rustc", "recording")
    output = tmp_path / "out" / "camera.wasm"
    output.mkdir(parents=True)

    with pytest.raises(CompilationOutputError, match="cannot write"):
        await compile_to_wasm(input_path=file(tmp_path, "camera.rs"), output_wasm=output)

    assert names_in(output.parent) == ["camera.wasm"]


@pytest.mark.parametrize("name", ["camera.rs", "Cargo.toml"])
async def test_cancelling(
    name: str, install: Install, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelling kills the compiler and all that it has started, and leaves nothing."""
    install("rustc", "endless")
    install("cargo", "endless")
    connected = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: connected.set_result(streams), "127.0.0.1")
    monkeypatch.setenv("PORT", str(server.sockets[0].getsockname()[1]))

    with anyio.fail_after(GENEROUS):
        compiling = asyncio.create_task(compile_to_wasm(input_path=file(tmp_path, name)))
        reader, writer = await connected
        assert await reader.readexactly(7) == b"started"
        compiling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await compiling
        assert await reader.read() == b""  # nobody holds the other end any longer

    assert names_in(temporary) == []
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_what_the_official_client_validates(install: Install) -> None:
    """The official client takes what we compile."""
    install("emcc", "emcc")

    module = await compile_to_wasm(input_path=SOURCES / "pinhole.c")

    await asyncio.to_thread(official_validate, module, PINHOLE_CASES)
    await validate_wasm_binary(module, PINHOLE_CASES)
