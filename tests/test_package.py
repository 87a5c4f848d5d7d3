"""The package's face: what it names, what it imports, and what its README says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kognic_aio
from kognic_aio import KognicIOClient, model
from kognic_aio.emulator import Emulator
from tests.model.test_other_models import PLACE
from tests.wasm.modules import PINHOLE

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("module", [kognic_aio, model], ids=lambda module: module.__name__)
def test_public_names(module: object) -> None:
    """The public names are listed, in order, and exist."""
    names: list[str] = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert all(hasattr(module, name) for name in names)


def test_import_is_light() -> None:
    """Importing the package pulls in neither pydantic nor what only the command line, or only some users, need."""
    late = ("pydantic", "click", "rich", "httpx", "wasmtime", "cattrs", "kognic_aio.model.calibration")
    code = f"import kognic_aio, sys; print([name for name in {late} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_ci_runs_the_readmes_own_command() -> None:
    """`.ci/run` runs the check command that the README gives."""
    commands = re.findall(r"```shell\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text()


@pytest.mark.anyio
async def test_the_readmes_code_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's code does what the README says."""
    monkeypatch.chdir(tmp_path)  # where its journal is
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    await names["test_ingestion"]()
    async with Emulator() as emulator, KognicIOClient(**emulator.client_options()) as client:
        names["KognicIOClient"] = lambda: KognicIOClient(**emulator.client_options())
        await names["main"]()
        await names["look"](client)
        await names["ingest_drives"]([drive(tmp_path, "tuesday"), drive(tmp_path, "friday")])
        await names["ingest_drives"]([tmp_path / "tuesday", drive(tmp_path, "sunday")])
    camera = await names["custom_camera"](module_of(tmp_path), PLACE)
    said = capsys.readouterr().out
    assert "crossing was created, got uuid" in said
    assert "roundabout was created, got uuid" in said
    assert "4 inputs" in said
    assert sorted(re.findall(r"\d settled, \d+ files, [0-9,]+ bytes: (\w+)", said)) == ["friday", "sunday", "tuesday"]
    assert camera.get_wasm_bytes() == PINHOLE


def drive(folder: Path, name: str) -> Path:
    """The files of a drive, as the README's example expects them."""
    files = folder / name
    files.mkdir()
    for frame in range(3):
        (files / f"{frame}.csv").write_text("ts_gps,x,y,z,intensity\n0,1,2,3,4\n")
        (files / f"{frame}.jpg").write_bytes(b"\xff\xd8\xff\xe0 an image")
    return files


def module_of(folder: Path) -> str:
    path = folder / "pinhole.wasm"
    path.write_bytes(PINHOLE)
    return str(path)
