"""The table of names is complete, and what it says is there is there."""

import importlib
import json
from functools import reduce
from importlib.resources import files
from types import ModuleType
from typing import Any

import kognic.io.util
import pytest

from kognic_aio.errors import InvalidError
from kognic_aio.util import get_view_links
from tests.migrate import names

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what official modules warn of when imported

TABLE: dict[str, dict[str, dict[str, Any]]] = json.loads(files("kognic_aio.migrate").joinpath("names.json").read_text())
ENTRIES = [(module, name, entry) for module, found in TABLE.items() for name, entry in found.items()]
ALIASES = {
    "kognic.io.model.Input": ("kognic_aio.model", "InputEntry"),
    "kognic.io.model.input.Input": ("kognic_aio.model", "Input"),
    "kognic.io.model.annotation.client_annotation.Annotation": ("kognic_aio.model.annotation", "ClientAnnotation"),
    "kognic.io.model.scene.cameras.Frame": ("kognic_aio.model", "Cameras.Frame"),
    "kognic.io.resources.scene.file_data.FileData": ("kognic_aio", "FileData"),
    "kognic.io.resources.scene.file_data.UploadableData": ("kognic_aio.model", "UploadableData"),
    "kognic.io.tools.calibration.exceptions.LoadingError": ("kognic_aio.errors", "LoadingError"),
    "kognic.io.tools.input_creation.create_inputs": ("kognic_aio", "create_inputs"),
    "kognic.io.tools.model.SceneUuid": ("builtins", "str"),
}


def test_the_table_is_that_of_this_code() -> None:
    """The file is what reflection finds; `python -m tests.migrate.names` writes it anew."""
    assert names.NAMES.read_text() == names.text()


def test_every_target_exists() -> None:
    """Each module can be imported and has the name, and each member that is named is one of it or of its parts."""
    for module, name, entry in ENTRIES:
        if "absent" in entry:
            assert entry["absent"] in names.REASONS, f"{module}.{name}"
            continue
        target = reduce(getattr, entry["name"].split("."), importlib.import_module(entry["module"]))
        for member, here in entry.get("members", {}).items():
            known = {field.name for field in getattr(target, "__attrs_attrs__", ())} | {*dir(target)}
            assert here.get("absent") in names.REASONS or here["name"].split(".")[0] in known, f"{name}.{member}"


def test_every_public_name_is_in_it() -> None:
    """What an official module has of kognic-io's own, as Python sees it when it has been imported, is in the table."""
    missing = []
    for path in sorted(names.ROOT.rglob("*.py")):
        parts = [part for part in path.relative_to(names.ROOT).with_suffix("").parts if part != "__init__"]
        module = ".".join(["kognic", "io", *parts])
        found = vars(importlib.import_module(module)) if "_version" not in parts else {}
        missing += [f"{module}.{name}" for name, value in found.items() if _is_own(name, value, module)]
    assert len(ENTRIES) > 700
    assert missing == []


def _is_own(name: str, value: object, module: str) -> bool:
    if name.startswith("_") or isinstance(value, ModuleType) or name in TABLE.get(module, {}):
        return False
    return str(getattr(value, "__module__", "")).startswith("kognic")


@pytest.mark.parametrize("name", ALIASES)
def test_what_one_looks_for(name: str) -> None:
    """The names that people import are where one would write them here."""
    module, _, last = name.rpartition(".")
    entry = TABLE[module][last]
    assert (entry["module"], entry["name"]) == ALIASES[name]


def test_what_is_absent_is_no_model_that_people_make() -> None:
    """What is not here is a helper, the form of a request or an answer, a command or logging: all official scenes,
    calibrations, requests and results are here."""
    absent = {f"{module}.{name}" for module, name, entry in ENTRIES if "absent" in entry}
    assert {entry["absent"] for _, _, entry in ENTRIES if "absent" in entry} == set(names.REASONS)
    for package in ("kognic.io.model.calibration.camera", "kognic.io.tools.model", "kognic.io.model.review"):
        assert not [name for name in absent if name.startswith(package) and not name.endswith("BaseSerializer")]


def test_view_links() -> None:
    """The links of inputs are the official ones."""
    uuids = ["01234567-89ab-cdef-0123-456789abcdef", "another"]
    assert get_view_links(uuids) == kognic.io.util.get_view_links(uuids)
    with pytest.raises(InvalidError, match="input_uuids: expected a list of strings, got 'another'"):
        get_view_links("another")
