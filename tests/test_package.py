"""The package's face: what it names, what it imports, and what its README says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import kognic_aio
from kognic_aio import KognicIOClient, model
from kognic_aio.emulator import Emulator

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("module", [kognic_aio, model], ids=lambda module: module.__name__)
def test_public_names(module: object) -> None:
    """The public names are listed, in order, and exist."""
    names: list[str] = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert all(hasattr(module, name) for name in names)


def test_import_is_light() -> None:
    """Importing the package pulls in neither pydantic nor what only the command line needs."""
    code = "import kognic_aio, sys; print([m for m in ('pydantic', 'click', 'rich', 'httpx') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_ci_runs_the_readmes_own_command() -> None:
    """`.ci/run` runs the check command that the README gives."""
    commands = re.findall(r"```shell\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text()


@pytest.mark.anyio
async def test_the_readmes_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The README's code creates its inputs."""
    blocks = re.findall(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    await names["test_ingestion"]()  # type: ignore[operator]
    async with Emulator() as emulator:
        names["KognicIOClient"] = lambda: KognicIOClient(**emulator.client_options())
        await names["main"]()  # type: ignore[operator]
    said = capsys.readouterr().out
    assert "crossing was created, got uuid" in said
    assert "roundabout was created, got uuid" in said
