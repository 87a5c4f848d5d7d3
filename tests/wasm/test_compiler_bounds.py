"""Compilers that misbehave, and what passes itself off as one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from kognic_aio.errors import CompilationError
from kognic_aio.wasm import compile_to_wasm
from tests.waiting import GENEROUS
from tests.wasm.conftest import Install
from tests.wasm.modules import PINHOLE

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts for a shell"),
]


def source(folder: Path, name: str = "camera.rs") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("as good as any source")
    return path


def impostor(folder: Path, name: str) -> Path:
    """A program that would leave a trace if it were started."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\ntouch {folder / 'started'}\nexit 1\n")
    path.chmod(0o755)
    return path


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["asyncio.Future[Any]"]:
    """The connection of a stand-in, which ends when no process of it is left."""
    connected = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: connected.set_result(streams), "127.0.0.1")
    monkeypatch.setenv("PORT", str(server.sockets[0].getsockname()[1]))
    yield connected
    _, writer = await connected
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("name", ["camera.rs", "camera.c", "Cargo.toml"])
async def test_no_variable_of_ours(
    name: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler gets to know none of our variables, however they are spelled, but its own."""
    for compiler in ("rustc", "emcc", "cargo"):
        install(compiler, "telling")
    monkeypatch.setenv("KOGNIC_CLIENT_SECRET", "planted")
    monkeypatch.setenv("kognic_token", "planted")
    monkeypatch.setenv("EM_CACHE", "a cache")

    with pytest.raises(CompilationError):  # it makes no module
        await compile_to_wasm(input_path=source(tmp_path, name))

    variables = json.loads((tmp_path / "record.json").read_text())["variables"]
    assert variables["EM_CACHE"] == "a cache"
    assert "planted" not in variables.values()


@pytest.mark.parametrize("entry", ["", ".", "sources", "./sources/", "{sources}", "{sources}/../sources", "{link}"])
@pytest.mark.parametrize(("name", "compiler"), [("camera.rs", "rustc"), ("camera.c", "emcc"), ("Cargo.toml", "cargo")])
async def test_a_compiler_beside_the_source(
    name: str, compiler: str, entry: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies beside the source, or is found from the current folder, is never taken for a compiler."""
    sources, link = tmp_path / "sources", tmp_path / "link"
    impostor(sources, compiler)
    link.symlink_to(sources)
    monkeypatch.chdir(sources if entry in {"", "."} else tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([entry.format(sources=sources, link=link), os.environ["PATH"]]))

    with pytest.raises(CompilationError, match=f"needs {compiler}, which is not on the PATH"):
        await compile_to_wasm(input_path=source(sources, name))
    install(compiler, "silent")
    with pytest.raises(CompilationError):
        await compile_to_wasm(input_path=source(sources, name))

    assert not (sources / "started").exists()


async def test_a_compiler_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what lies in the current folder, wherever the source is."""
    here = tmp_path / "here"
    impostor(here, "rustc")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", str(here)]))

    with pytest.raises(CompilationError, match="needs rustc"):
        await compile_to_wasm(input_path=source(tmp_path / "there"))
    assert not (here / "started").exists()


async def test_what_a_compiler_starts(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler finds the programs that it starts itself on the same PATH, so not beside the source either."""
    install("rustc", "telling")
    impostor(tmp_path, "helper")
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", str(tmp_path), os.environ["PATH"]]))

    with pytest.raises(CompilationError):
        await compile_to_wasm(input_path=source(tmp_path))

    assert json.loads((tmp_path / "record.json").read_text())["helper"] is None


@pytest.mark.parametrize("name", ["camera.rs", "Cargo.toml"])
async def test_time(name: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that does not end is killed when its time is up, with all that it has started."""
    install("rustc", "endless")
    install("cargo", "endless")
    with anyio.fail_after(GENEROUS):
        async with listening(monkeypatch) as connected:
            with pytest.raises(CompilationError, match=r"could not compile .* \(it did not end within 3 s\)"):
                await compile_to_wasm(input_path=source(tmp_path, name), timeout=3)
            reader, _ = await connected
            assert await reader.read() == b"started"  # and then nobody holds the other end


@pytest.mark.parametrize("descriptor", ["1", "2"])
async def test_output(descriptor: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that does not stop printing is killed, and what it has said is cut and cannot act on a terminal."""
    install("rustc", "noisy")
    monkeypatch.setenv("DESCRIPTOR", descriptor)

    with anyio.fail_after(GENEROUS), pytest.raises(CompilationError, match="printed more than 4,194,304") as caught:
        await compile_to_wasm(input_path=source(tmp_path))

    assert len(str(caught.value)) < 100_000
    assert "\x1b" not in str(caught.value)
    assert ("warning: \\x1b[31mred\\x1b[0m\n" in caught.value.output) == (descriptor == "2")


async def test_words_cannot_forge(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a compiler says keeps its lines; whatever else a terminal would act upon is shown."""
    install("rustc", "telling")
    monkeypatch.setenv("WORDS", "error: \x1b]0;title\x07 \u202e\u2028\rno\x85\n\tat 1:1\r\n")

    with pytest.raises(CompilationError) as caught:
        await compile_to_wasm(input_path=source(tmp_path))

    assert caught.value.output == "error: \\x1b]0;title\\x07 \\u202e\\u2028\\rno\\x85\n        at 1:1"


async def test_the_end_of_what_is_long(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is long, the beginning and the end are shown."""
    install("rustc", "telling")
    monkeypatch.setenv("WORDS", "first\n" + "x" * 99_000 + "\nlast")

    with pytest.raises(CompilationError, match=r"first\n(.|\n)*\n\[\.\.\.\]\n(.|\n)*\nlast") as caught:
        await compile_to_wasm(input_path=source(tmp_path))
    assert len(caught.value.output) < 40_000


@pytest.mark.parametrize("escapes", [False, True])
async def test_a_process_left_behind(
    escapes: bool, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a compiler leaves behind, holding its output, is ended, and if it has escaped, is not waited for."""
    install("rustc", "leaving")
    if escapes:
        monkeypatch.setenv("ESCAPES", "")
    with anyio.fail_after(GENEROUS):
        async with listening(monkeypatch) as connected:
            assert await compile_to_wasm(input_path=source(tmp_path)) == PINHOLE
            reader, _ = await connected
            if not escapes:
                assert await reader.read() == b"started"


async def test_a_module_that_is_too_large(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module without end is not read to its end."""
    install("rustc", "recording")
    os.truncate(os.environ["MODULE"], 100 << 20)

    with pytest.raises(
        CompilationError, match=r"rustc succeeded, but its module cannot be used: .* more than 4,194,304 bytes"
    ):
        await compile_to_wasm(input_path=source(tmp_path), skip_validation=True)


@pytest.mark.parametrize(
    "messages",
    ["{", '{"a":' * 100_000, '{"reason":"compiler-artifact"}', '{"reason":"compiler-artifact","target":1}', "{\udcff"],
)
async def test_messages_that_are_none(
    messages: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cargo that does not say what it has built is an error of ours."""
    install("cargo", "recording")
    monkeypatch.setenv("MESSAGES", messages[:100_000])

    with pytest.raises(CompilationError, match="cannot read the messages of cargo"):
        await compile_to_wasm(input_path=source(tmp_path, "Cargo.toml"))


async def test_a_compiler_that_cannot_start(install: Install, tmp_path: Path) -> None:
    """A program that the system cannot run is an error of ours, which names it."""
    install("rustc", "silent")
    (tmp_path / "bin" / "rustc").write_bytes(b"\x7fELF, but nothing else")

    with pytest.raises(CompilationError, match=r"bin/rustc cannot be started"):
        await compile_to_wasm(input_path=source(tmp_path))
