"""A PATH of the test's own, with the compilers that it installs."""

import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wasm.modules import PINHOLE

STANDINS = Path(__file__).parent / "standins"

Install = Callable[[str, str], None]


@pytest.fixture(scope="session")
def zig_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What zig has compiled of its own, which takes it seconds."""
    return tmp_path_factory.mktemp("zig")


@pytest.fixture
def install(tmp_path: Path, zig_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a stand-in on the PATH under a compiler's name; there are no others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    module = folder / "pinhole.wasm"
    module.write_bytes(PINHOLE)
    for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"):
        monkeypatch.setenv(name, str(zig_cache))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("MODULE", str(module))
    monkeypatch.setenv("RECORD", str(tmp_path / "record.json"))
    monkeypatch.delenv("RUSTFLAGS", raising=False)

    def put(compiler: str, standin: str) -> None:
        script = folder / compiler
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {STANDINS / standin}.py "$@"\n')
        script.chmod(0o755)

    return put


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made, by us and by processes that we start."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder
