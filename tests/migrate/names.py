"""Where each public name of kognic-io is here: found by reflection, and by the few rules and exceptions below.

`python -m tests.migrate.names` writes what it finds to `kognic_aio/migrate/names.json`.
"""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache, reduce
from pathlib import Path
from typing import Any, TypeAlias

import kognic.io

Entry: TypeAlias = dict[str, Any]

ROOT = Path(next(iter(kognic.io.__path__)))
NAMES = Path(__file__).parent.parent.parent / "kognic_aio" / "migrate" / "names.json"

INTERNAL = "a helper of kognic-io's own, which is of no use outside it"
WIRE = "the form of a request or an answer, which no method takes or gives"
COMMAND = "a command of the command line: run `kognic-aio`"
LOGGING = "logging is the application's: logging.getLogger('kognic_aio').setLevel(...)"
MODELS = "models are attrs classes: attrs.asdict(model), attrs.evolve(model, ...), and the constructor"
REASONS = (INTERNAL, WIRE, COMMAND, LOGGING, MODELS)
"""Why something is not here."""

PLACES = {
    "kognic.io.client": ("kognic_aio",),
    "kognic.io.kognicutil": ("kognic_aio.cli",),
    "kognic.io.model.annotation": ("kognic_aio.model.annotation",),
    "kognic.io.model.calibration": ("kognic_aio.model.calibration", "kognic_aio.model"),
    "kognic.io.model.hosts": ("kognic_aio.config",),
    "kognic.io.model.input.request_input": ("kognic_aio.model.request_input",),
    "kognic.io.model.request": ("kognic_aio.model.request",),
    "kognic.io.model.review": ("kognic_aio.model.review",),
    "kognic.io.model.scene.scene_request": ("kognic_aio.model.scene_request", "kognic_aio.model"),
    "kognic.io.model": ("kognic_aio.model", "kognic_aio.errors"),
    "kognic.io.resources.scene.file_data": ("kognic_aio",),
    "kognic.io.tools.calibration.exceptions": ("kognic_aio.errors",),
    "kognic.io.tools.calibration": ("kognic_aio.wasm", "kognic_aio.wasm.sandbox", "kognic_aio.wasm.validation"),
    "kognic.io.tools": ("kognic_aio",),
    "kognic.io.util": ("kognic_aio.util",),
    "kognic.base_clients": ("kognic_aio.model",),
}
"""Where to look for a name, by the beginning of the official module that defines it."""

EXCEPTIONS = {
    "kognic.auth.DEFAULT_HOST": "kognic_aio.config.DEFAULT_AUTH_HOST",
    "kognic.io._version.__version__": "kognic_aio.version.__version__",
    "kognic.io.model.annotation.client_annotation.Annotation": "kognic_aio.model.annotation.ClientAnnotation",
    "kognic.io.model.annotation.client_annotation.PartialAnnotation": (
        "kognic_aio.model.annotation.PartialClientAnnotation"
    ),
    "kognic.io.model.calibration.calib.CalibrationTypeVar": "kognic_aio.model.calibration.BaseCalibration",
    "kognic.io.model.input.abstract.base_input.BaseInput": "kognic_aio.model.BaseScene",
    "kognic.io.model.input.abstract.base_input_with_imu_data.BaseInputWithIMUData": (
        "kognic_aio.model.BaseSceneWithIMUData"
    ),
    "kognic.io.model.input.input_entry.Input": "kognic_aio.model.InputEntry",
    "kognic.io.model.scene.resources.image.camera_sensor_default": "kognic_aio.model.resource.CAMERA_SENSOR_DEFAULT",
    "kognic.io.model.scene.resources.point_cloud.lidar_sensor_default": (
        "kognic_aio.model.resource.LIDAR_SENSOR_DEFAULT"
    ),
    "kognic.io.model.scene.scene_summary.SceneMetadata": "kognic_aio.model.Metadata",
    "kognic.io.model.scene.metadata.metadata.MetaDataBase": "kognic_aio.model.Metadata",
    "kognic.io.resources.abstract.creatable_io_resource.CreateableIOResource": (
        "kognic_aio.resources.scene_creation.SceneCreator"
    ),
    "kognic.io.tools.model.InputUuid": "builtins.str",
    "kognic.io.tools.model.PreAnnotationUuid": "builtins.str",
    "kognic.io.tools.model.Scene": "kognic_aio.model.BaseScene",
    "kognic.io.tools.model.SceneUuid": "builtins.str",
    "kognic.openlabel.models.OpenLabelAnnotation": "kognic.openlabel.models.OpenLabelAnnotation",
    "kognic.openlabel.models.models.OpenLabelAnnotation": "kognic.openlabel.models.OpenLabelAnnotation",
}
"""What goes by another name here, or is where one would not look."""

BASE_MODEL = "kognic.base_clients.models.BaseSerializer"

ABSENT = {
    "kognic.io.kognicutil": COMMAND,
    "kognic.io.logger": LOGGING,
    "kognic.base_clients": INTERNAL,
    "kognic.auth.requests.auth_session.RequestsAuthSession": INTERNAL,
    "kognic.io.model.calibration.calib.calibration_factory": INTERNAL,
    "kognic.io.model.ego.validated_imu_data": WIRE,
    "kognic.io.model.files_to_upload.FilesToUpload": WIRE,
    "kognic.io.model.input.input_from_scene_request.InputFromSceneRequest": WIRE,
    "kognic.io.model.scene.get_scenes_request": WIRE,
    "kognic.io.model.scene.metadata.metadata.allowed_types": INTERNAL,
    "kognic.io.model.scene.metadata.metadata.allowed_types_pretty": INTERNAL,
    "kognic.io.model.scene.scene_job.InitializedSceneJob": WIRE,
    "kognic.io.model.scene.scene_job.SceneJobCreated": WIRE,
    "kognic.io.model.upload_url.UploadUrls": WIRE,
    "kognic.io.resources.abstract.creatable_io_resource.INPUTS_ROUTE": INTERNAL,
    "kognic.io.resources.abstract.io_resource.IOResource": INTERNAL,
    "kognic.io.resources.pre_annotation.pre_annotation.CreatePreannotationRequest": WIRE,
    "kognic.io.tools.calibration.compilation.COMPILE_FUNCTION": INTERNAL,
    "kognic.io.tools.calibration.validation.ProjectionFunction": INTERNAL,
    "kognic.io.tools.calibration.wasm_cli": COMMAND,
    "kognic.io.tools.input_creation.DEFAULT_CHUNK_SIZE": INTERNAL,
    "kognic.io.tools.input_creation.CONSERVATIVE_CHUNK_SIZE": INTERNAL,
    "kognic.io.util.deprecated_parameter": INTERNAL,
    "kognic.io.util.filter_none": INTERNAL,
    "kognic.io.util.ts_to_dt": INTERNAL,
}
"""What is not here, and why: a name, or all of a module that are not found."""

MEMBERS = {
    "add_external_id": INTERNAL,
    "cannot_be_pointcloud": INTERNAL,
    "check_data_source": INTERNAL,
    "check_filename": INTERNAL,
    "check_source_of_data": INTERNAL,
    "combine": INTERNAL,
    "create_upload_spec": INTERNAL,
    "format_check": INTERNAL,
    "from_json": MODELS,
    "from_scene_job_created": INTERNAL,
    "input_uuid": "scene_uuid",
    "path": INTERNAL,
    "resources": "files",
    "rotation_w": "rotation.w",
    "rotation_x": "rotation.x",
    "rotation_y": "rotation.y",
    "rotation_z": "rotation.z",
    "sensorOrder": "sensor_order",
    "sensorToPrettyName": "sensor_to_pretty_name",
    "to_dict": MODELS,
    "to_json": MODELS,
    "to_string": "__str__",
    "validate_flat_types": INTERNAL,
    "x": "position.x",
    "y": "position.y",
    "z": "position.z",
}
"""What the members of official classes are here that ours lack: another member, or a reason."""

OF_ALL_MODELS = (
    "dict",
    "from_json",
    "json",
    "model_copy",
    "model_dump",
    "model_dump_json",
    "model_validate",
    "to_dict",
)
"""What official models have from their base class. It stands there, and not in each of them again."""


@cache
def modules() -> dict[str, ast.Module]:
    """The code of each public module of kognic-io, also of those in folders without `__init__.py`."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = [part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__"]
        if not any(part.startswith("_") for part in parts):
            found[".".join(("kognic", "io", *parts))] = ast.parse(path.read_text())
    return found


@cache
def public_names(module: str) -> dict[str, str]:
    """What a module defines, or imports from a package of Kognic's, and the full name under which it is defined."""
    bound = (pair for statement in modules()[module].body for pair in _bound(statement, module))
    return {name: origin for name, origin in bound if name == "__version__" or not name.startswith("_")}


def _bound(statement: ast.stmt, module: str) -> Iterator[tuple[str, str]]:
    match statement:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name, f"{module}.{name}"
        case ast.Assign(targets=targets):
            for node in (node for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)):
                yield node.id, f"{module}.{node.id}"
        case ast.ImportFrom(names=names):
            source = _source(statement, module)
            for alias in names if source.startswith("kognic.") else ():
                yield alias.asname or alias.name, _origin(source, alias.name)
        case ast.Try(body=body):
            for inner in body:
                yield from _bound(inner, module)
        case _:
            pass


def _source(statement: ast.ImportFrom, module: str) -> str:
    """The module that a statement imports from."""
    if not statement.level:
        return statement.module or ""
    is_package = (ROOT.joinpath(*module.split(".")[2:]) / "__init__.py").exists()
    package = module.split(".")[: None if is_package and statement.level == 1 else -(statement.level - is_package)]
    return ".".join([*package, *([statement.module] if statement.module else [])])


def _origin(module: str, name: str) -> str:
    """The full name under which something is defined that a module has."""
    own = f"{module}.{name}"
    return public_names(module).get(name, own) if module in modules() else own


def entry(origin: str) -> Entry:
    """Where something is here, by the full name of its definition, or why it is not.

    Raises:
        LookupError: If neither is known.
    """
    if origin in EXCEPTIONS:
        return _entry(origin, *EXCEPTIONS[origin].rsplit(".", 1))
    module, name = origin.rsplit(".", 1)
    for place, here in _candidates(module, name):
        if _has(place, here):
            return _entry(origin, place, here)
    if origin == BASE_MODEL:
        return {"absent": MODELS, "members": {member: {"absent": MODELS} for member in OF_ALL_MODELS}}
    for known in (origin, *_above(origin)):
        if known in ABSENT:
            return {"absent": ABSENT[known]}
    if name in ("log", "logger"):
        return {"absent": INTERNAL}
    raise LookupError(f"{origin}: say in tests/migrate/names.py where it is here, or why it is not")


def _above(name: str) -> Iterator[str]:
    """The packages that something is in, the innermost first."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _entry(origin: str, module: str, name: str) -> Entry:
    found = {"module": module, "name": name}
    official, ours = _object(*origin.rsplit(".", 1)), _object(module, name)
    if official is ours or not (inspect.isclass(official) and inspect.isclass(ours)):
        return found
    members = {member: _member(origin, member) for member in sorted(_members(official) - _members(ours))}
    return found | {"members": members} if members else found


def _object(module: str, name: str) -> Any:
    return reduce(getattr, name.split("."), importlib.import_module(module))


def _member(origin: str, member: str) -> Entry:
    if member not in MEMBERS:
        raise LookupError(f"{origin}.{member}: say in tests/migrate/names.py what it is here, or why it is not")
    here = MEMBERS[member]
    return {"absent": here} if here in REASONS else {"name": here}


def _members(kind: type) -> set[str]:
    """The public fields and methods of a class, without those that all official models have."""
    fields = {*getattr(kind, "model_fields", ()), *getattr(kind, "__dataclass_fields__", ())}
    arguments = {field.alias or field.name for field in getattr(kind, "__attrs_attrs__", ())}
    own = (vars(base) for base in kind.__mro__ if base.__module__.startswith(("kognic.io", "kognic_aio")))
    names = {*fields, *arguments, *(name for base in own for name in base)}
    shared = OF_ALL_MODELS if any(base.__name__ == "BaseSerializer" for base in kind.__mro__) else ()
    return {name for name in names - {"model_config", *shared} if not name.startswith("_")}


def _candidates(module: str, name: str) -> Iterator[tuple[str, str]]:
    """Where a name may be here, the likeliest first."""
    match module.split(".")[2:]:
        case ["model", "scene" | "input", kind, "frame"]:
            yield "kognic_aio.model", f"{_class_of(kind)}.{name}"
        case ["resources", "scene", kind] if kind not in ("scene", "file_data"):
            yield "kognic_aio.resources.scene_creation", "SceneCreator" if name == _class_of(kind) else name
        case ["resources", kind, _]:
            yield f"kognic_aio.resources.{kind}", name
        case _:
            pass
    prefixes = [prefix for prefix in PLACES if f"{module}.".startswith(f"{prefix}.")]
    for place in PLACES[max(prefixes, key=len)] if prefixes else ():
        yield place, name


def _class_of(kind: str) -> str:
    """The scene type of a module, such as CamerasSequence of `cameras_sequence`."""
    return re.sub("Seq$", "Sequence", kind.title().replace("_", ""))


def _has(module: str, name: str) -> bool:
    """Whether a module of ours offers a name, as its own or in its `__all__`."""
    try:
        place = importlib.import_module(module)
    except ModuleNotFoundError:
        return False
    first, *rest = name.split(".")
    if first not in getattr(place, "__all__", (first,)):
        return False
    found = getattr(place, first, None)
    is_own = hasattr(place, "__all__") or getattr(found, "__module__", module) == module
    if found is None or inspect.ismodule(found):  # which an import elsewhere may have put there
        return False
    return is_own and all(hasattr(found, part) for part in rest)


def generate() -> dict[str, dict[str, Entry]]:
    """The whole table: by official module and name."""
    return {
        module: {name: entry(origin) for name, origin in sorted(public_names(module).items())}
        for module in modules()
        if public_names(module)
    }


def text() -> str:
    """The table as it is kept: a name a line."""
    parts = []
    for module, names in generate().items():
        lines = (f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in names.items())
        parts.append(f" {json.dumps(module)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    NAMES.write_text(text())
