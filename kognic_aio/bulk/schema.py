"""The JSON Schema of a manifest's line, made from the models."""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

import attrs

from kognic_aio.bulk.description import KINDS
from kognic_aio.bulk.models import NOT_WRITTEN, names_of
from kognic_aio.model.calibration import SensorCalibration
from kognic_aio.model.scene_request import LocalFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}

NOT_IN_JSON = {"file_data", "data", "callback"}
"""Fields whose values are no JSON: bytes, streams and functions."""

ANY: dict[str, Any] = {}

KNOWN_ELSEWHERE = {"calibration_id", "workspace_id"}
"""Fields of a scene that its own calibration and the client fill in."""

OBJECT_OR_PATH: dict[str, Any] = {"type": ["object", "string"]}

BY_NAME: dict[str, Any] = {"type": "object", "additionalProperties": OBJECT_OR_PATH}

TARGET: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("project", "batch", "pre_annotation", "preAnnotation")},
    "required": ["project"],
    "additionalProperties": False,
}


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema of a line: a scene of one of the types, and what comes with it."""
    schema = _Schema()
    lines = {name: schema.line(name, kind) for name, kind in KINDS.items()}
    return {
        "$schema": DIALECT,
        "title": "A line of a manifest of kognic_aio",
        "description": "A scene, with paths of files relative to the manifest. Names are in snake_case or camelCase.",
        "type": "object",
        "properties": {"type": {"enum": sorted(spelling for name in KINDS for spelling in _spellings(name))}},
        "required": ["type"],
        # By the type, so that a validator says what is wrong with a line, not that it is none of eight things.
        "allOf": [
            {"if": {"properties": {"type": {"enum": _spellings(name)}}}, "then": line} for name, line in lines.items()
        ],
        "$defs": dict(sorted(schema.parts.items())),
    }


def _spellings(name: str) -> list[str]:
    """How a type may be written."""
    return sorted({name, name.replace("_", "-")})


class _Schema:
    """The schemas of models, each once."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    def line(self, name: str, kind: type[Any]) -> dict[str, Any]:
        """The schema of a line with a scene of one type."""
        beside = {
            "type": {"enum": _spellings(name)},
            "calibration": {"anyOf": [{"type": "string"}, self._of(attrs.fields(SensorCalibration).calibration.type)]},
            "targets": {"type": "array", "items": TARGET, "minItems": 1},
            **dict.fromkeys(("pre_annotation", "preAnnotation", "preannotation"), OBJECT_OR_PATH),
            **dict.fromkeys(("pre_annotations", "preAnnotations"), BY_NAME),
        }
        return {"title": name, **self._described(kind, beside, KNOWN_ELSEWHERE)}

    def _of(self, annotation: Any) -> dict[str, Any]:
        """The schema of a value."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return {**self._of(arguments[0]), "description": f"in {arguments[1]}"}
        if origin in (Union, UnionType):
            choices = [self._of(each) for each in arguments if each is not NoneType]
            return choices[0] if len(choices) == 1 else {"anyOf": choices}
        if origin in (Sequence, Mapping):
            items = self._of(arguments[-1])
            is_list = origin is Sequence
            return {"type": "array", "items": items} if is_list else {"type": "object", "additionalProperties": items}
        return self._of_class(annotation)

    def _of_class(self, kind: type[Any]) -> dict[str, Any]:
        """The schema of a value of a class."""
        if kind in SCALARS:
            return {"type": SCALARS[kind]}
        if issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        if issubclass(kind, LocalFile):
            return {"anyOf": [{"type": "string"}, self._reference(kind)]}
        return self._reference(kind)

    def _reference(self, kind: type[Any]) -> dict[str, Any]:
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__qualname__}"
        if name not in self.parts:
            self.parts[name] = {}  # while it is made, it may refer to itself
            self.parts[name] = self._described(kind)
        return {"$ref": f"#/$defs/{name}"}

    def _described(
        self, kind: type[Any], beside: Mapping[str, Any] = MappingProxyType({}), known: Collection[str] = ()
    ) -> dict[str, Any]:
        """The schema of a model's object, with further members, of which `known` need not be given.

        Each field may have any of its names. What is null counts as not given.
        """
        fields = [each for each in attrs.fields(kind) if each.init and each.alias not in NOT_IN_JSON]
        names: dict[str, list[str]] = {each.name: [] for each in fields}
        for name, named in names_of(cast("type", kind)).items():
            if named.name in names:
                names[named.name].append(name)
        properties: dict[str, Any] = dict.fromkeys(sorted(NOT_WRITTEN), ANY) if "filename" in names else {}
        for each in fields:
            for name in names[each.name]:
                whole, _, part = name.partition(".")
                if part:
                    properties.setdefault(whole, _object({}))["properties"][part] = self._nullable(each)
                else:
                    properties[whole] = self._nullable(each)
        required = [names[each.name] for each in fields if each.default is attrs.NOTHING and each.name not in known]
        required += [[name] for name in beside if name == "type"]
        return {**_object({**properties, **beside}), **({"allOf": [*map(_required, required)]} if required else {})}

    def _nullable(self, each: "attrs.Attribute[Any]") -> dict[str, Any]:
        """The schema of a field, which may be null if it need not be given."""
        schema = self._of(each.type)
        return schema if each.default is attrs.NOTHING else {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties}, "additionalProperties": False}


def _required(names: Sequence[str]) -> dict[str, Any]:
    """What requires one of some members. A dot leads into an object."""
    choices = [_member(name) for name in names]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _member(name: str) -> dict[str, Any]:
    whole, _, part = name.partition(".")
    return {"required": [whole], **({"properties": {whole: _member(part)}} if part else {})}
