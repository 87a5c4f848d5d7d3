"""The page for those who come from kognic-io: it is complete, and its code runs."""

import ast
import contextlib
import importlib
import json
import re
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import INPUT_UUIDS, Emulator
from tests.client.calls import OPENLABEL, public_methods
from tests.conversation import theirs
from tests.scenes import OURS, SOURCES, build, cameras_scene

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parent.parent.parent / "examples" / "from_kognic_io.md").read_text()
ROWS = re.findall(r"^\| `client\.(\w+\.\w+)\(.*?\| (.*?) \|$", PAGE, re.MULTILINE)
OLD_NAMES = ["get_inputs", "get_inputs_by_uuids", "input_uuids", "invalidate_inputs", "uuid", "input_type"]


async def test_every_method_is_there(emulator: Emulator, client: KognicIOClient) -> None:
    """Each public method of the official client has one row, whose new call is a method of ours."""
    _, methods = await theirs(emulator, public_methods)
    expected = [name for name in methods if not name.endswith("create_upload_spec")]
    assert sorted(name for name, _ in ROWS) == sorted(expected)
    for name, new in ROWS:
        assert new == "leave it out" or f" client.{name}(" in new
    assert public_methods(client).keys() >= set(expected)


async def test_official_names_are_where_the_page_has_them() -> None:
    """What the page calls a name of kognic-io's is one, and a name of ours that it has can be imported."""
    table = json.loads(files("kognic_aio.migrate").joinpath("names.json").read_text())
    official = set(re.findall(r"`(kognic\.io\.[\w.]+)", PAGE))
    known = {f"{module}.{name}" for module, found in table.items() for name in found}
    assert {
        name for name in official if name not in known and not any(of.startswith(f"{name}.") for of in known)
    } == set()
    for name in set(re.findall(r"`(kognic_aio(?:\.\w+)+)", PAGE)):
        module, _, last = name.rpartition(".")
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
            continue
        assert hasattr(importlib.import_module(module), last), name


async def test_the_guides_code_runs(
    emulator: Emulator, client: KognicIOClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The guide's calls, awaited, do on the emulator what the guide says; names that have changed warn."""
    scene = build("LidarsAndCamerasSequence", SOURCES["bytes"], tmp_path, OURS).scene
    names: dict[str, Any] = {
        "client": client,
        "cameras": cameras_scene("crossing"),
        "scene": {name: getattr(scene, name) for name in ("external_id", "frames", "calibration_id")},
        "openlabel": OPENLABEL.model_dump(exclude_none=True),
    }
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for block in re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL):
            code = compile(block, "from_kognic_io.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            running = eval(code, names)
            if running is not None:
                await running
    assert {str(warning.message).partition(" ")[0] for warning in warned} == set(OLD_NAMES)
    assert [batch.batch for batch in names["project_batches"]] == ["batch-1", "batch-2", "batch-3"]
    assert names["project_batch"].status == "ready"
    assert "was created, got uuid" in capsys.readouterr().out
    assert [entry.scene_uuid for entry in names["entries"]] == list(INPUT_UUIDS)
    assert {entry.status for entry in names["invalidated"]} == {"invalidated:broken-input"}
    assert [entry.scene_uuid for entry in names["invalidated"]] == list(INPUT_UUIDS)
