"""The JSON Schema of a manifest's line, made from the models."""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import attrs

from kognic_aio.bulk.description import KINDS
from kognic_aio.bulk.models import names_of
from kognic_aio.model import PreAnnotation
from kognic_aio.model.calibration import SensorCalibration

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}

OBJECT_OR_PATH: dict[str, Any] = {"type": ["object", "string"]}

TARGET: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("project", "batch", "pre_annotation", "preAnnotation")},
    "required": ["project"],
    "additionalProperties": False,
}


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of a line: a scene of one of the types, and what comes with it."""
    schema = _Schema()
    lines = [schema.line(name, kind) for name, kind in KINDS.items()]
    return {
        "$schema": DIALECT,
        "title": "A line of a manifest of kognic_aio",
        "description": "A scene, whose files have paths relative to the manifest. Names are in snake_case or camelCase.",
        "oneOf": lines,
        "$defs": dict(sorted(schema.parts.items())),
    }


class _Schema:
    """The schemas of models, each once."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    def line(self, name: str, kind: type[Any]) -> dict[str, Any]:
        """The schema of a line with a scene of one type."""
        described = self._described(kind)
        beside = {
            "type": {"enum": sorted({name, name.replace("_", "-")})},
            "calibration": {"anyOf": [{"type": "string"}, self._of(attrs.fields(SensorCalibration).calibration.type)]},
            "targets": {"type": "array", "items": TARGET, "minItems": 1},
            **dict.fromkeys(("pre_annotation", "preAnnotation", "preannotation"), OBJECT_OR_PATH),
            **dict.fromkeys(
                ("pre_annotations", "preAnnotations"), {"type": "object", "additionalProperties": OBJECT_OR_PATH}
            ),
        }
        # What is not written is told by the calibration that comes with the scene, or by the workspace of the client.
        known_elsewhere = ({"calibration_id", "calibrationId"}, {"workspace_id", "workspaceId"})
        required = [each for each in described.pop("allOf", []) if _names(each) not in known_elsewhere]
        return {
            **described,
            "title": name,
            "properties": {**described["properties"], **beside},
            "required": ["type"],
            **({"allOf": required} if required else {}),
        }

    def _of(self, annotation: Any) -> dict[str, Any]:
        """The schema of a value."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return {**self._of(arguments[0]), "description": f"in {arguments[1]}"}
        if origin in (Union, UnionType):
            choices = [self._of(each) for each in arguments if each is not NoneType]
            return choices[0] if len(choices) == 1 else {"anyOf": choices}
        if origin is Sequence:
            return {"type": "array", "items": self._of(arguments[0])}
        if origin is Mapping:
            return {"type": "object", "additionalProperties": self._of(arguments[1])}
        if annotation in SCALARS:
            return {"type": SCALARS[annotation]}
        if issubclass(annotation, Enum):
            return {"enum": [member.value for member in annotation]}
        return self._reference(annotation)

    def _reference(self, kind: type[Any]) -> dict[str, Any]:
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"
        if name not in self.parts:
            self.parts[name] = {}  # while it is made, it may refer to itself
            self.parts[name] = self._described(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _described(self, kind: type[Any]) -> dict[str, Any]:
        """The schema of a model's object. Each field may have any of its names."""
        fields = [each for each in attrs.fields(kind) if each.init and each.alias != "file_data"]
        names: dict[str, list[str]] = {each.name: [] for each in fields}
        for name, field in names_of(kind).items():
            if field.name in names and "." not in name:
                names[field.name].append(name)
        properties = {name: self._nullable(each.type) for each in fields for name in names[each.name]}
        required = [_one_of(names[each.name]) for each in fields if each.default is attrs.NOTHING]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **({"allOf": required} if required else {}),
        }
