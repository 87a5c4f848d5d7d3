"""The one converter between models and the wire's JSON: camelCase both ways, None left out.

Models know nothing of it. Two hook factories serve every attrs class; what differs from the rule is listed below them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from kognic_aio.errors import InvalidError
from kognic_aio.model import FeatureFlags, OpenEnum, PreAnnotation, Resource, Workspace

T = TypeVar("T")
JsonObject = dict[str, Any]


class DecodeError(ValueError):
    """JSON that does not fit its model.

    Attributes:
        problems: What is wrong, each with its path (`required field missing @ $.frames[3].images`).
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def encode(model: Any) -> JsonObject:
    """The JSON object of a model, for a request body."""
    return _converter.unstructure(model)  # type: ignore[no-any-return]  # cattrs answers Any


def decode(data: Any, kind: type[T]) -> T:
    """The model that a piece of an answer stands for.

    Raises:
        DecodeError: If the data does not fit, with the path of everything that is wrong.
    """
    if get_origin(kind) is list and not isinstance(data, list):  # cattrs would take the keys of an object
        raise DecodeError([f"expected a list, got {type(data).__name__} @ $"])
    try:
        return _converter.structure(data, kind)
    except Exception as error:  # cattrs and the constructors that it calls raise what they like
        raise DecodeError(transform_error(error)) from error


def check_pre_annotation(pre_annotation: PreAnnotation | None) -> None:
    """See that a pre-annotation is one, without making anything of it.

    Raises:
        InvalidError: If it is not a model, a dict or JSON.
    """
    if isinstance(pre_annotation, bytes | str):
        _parsed(pre_annotation)
    elif not (pre_annotation is None or isinstance(pre_annotation, Mapping) or hasattr(pre_annotation, "model_dump")):
        given = type(pre_annotation).__name__
        raise InvalidError(f"pre_annotation: expected OpenLABEL as a model, a dict or JSON, got {given}")


def encode_pre_annotation(pre_annotation: PreAnnotation) -> JsonObject:
    """The OpenLABEL object of a pre-annotation, whose names stay as they are.

    Raises:
        InvalidError: If it is not a JSON object.
    """
    check_pre_annotation(pre_annotation)
    if isinstance(pre_annotation, bytes | str):
        return _parsed(pre_annotation)
    if isinstance(pre_annotation, Mapping):
        return _without_none(pre_annotation)
    return pre_annotation.model_dump(exclude_none=True, by_alias=True)


def _parsed(text: bytes | str) -> JsonObject:
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise InvalidError(f"pre_annotation: not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidError(f"pre_annotation: expected a JSON object, got {type(data).__name__}")
    return _without_none(data)


def _without_none(data: Mapping[str, Any]) -> JsonObject:
    """The same object without the keys whose value is null, at any depth."""

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _without_none(value)
        if isinstance(value, list | tuple):
            return [kept(item) for item in value]
        return value

    return {key: kept(value) for key, value in data.items() if value is not None}


def camel(name: str) -> str:
    """The wire's name of a field: `external_id` is `externalId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _unstructure_attrs(cls: type) -> Callable[[Any], JsonObject]:
    """Write every field under its camelCase name, and leave out those that are None."""
    renames = {field.name: override(rename=camel(field.name)) for field in attrs.fields(cls)}
    write: Callable[[Any], JsonObject] = make_dict_unstructure_fn(cls, _converter, **renames)  # type: ignore[arg-type]  # field names
    return lambda model: {key: value for key, value in write(model).items() if value is not None}


def _structure_attrs(cls: type) -> Callable[[Any, Any], Any]:
    """Read every field from its camelCase name; fields that the class does not know are ignored."""
    renames = {field.name: override(rename=camel(field.name)) for field in attrs.fields(cls)}
    return make_dict_structure_fn(cls, _converter, **renames)  # type: ignore[arg-type]  # field names


def _unstructure_resource(cls: type) -> Callable[[Resource], JsonObject]:
    """A file is described, not included; its names are what it makes of the one it was given."""
    described = {field.name for field in attrs.fields(cls)} & {"metadata"}

    def write(file: Resource) -> JsonObject:
        body = {
            "filename": file.filename,
            "resourceId": file.resource_id,
            "sensorName": file.sensor_name,
            "clientFilename": file.client_filename,
        }
        extra = {name: _converter.unstructure(getattr(file, name)) for name in described}
        return body | {name: value for name, value in extra.items() if value is not None}

    return write


def _structure_workspace(data: Any, cls: type[Workspace]) -> Workspace:
    """The organization's name lies one level down."""
    flat = data | {"organizationName": data["organization"]["name"]}
    return _structure_attrs(cls)(flat, cls)  # type: ignore[no-any-return]  # cattrs answers Any


def _structure_str(data: Any, _: type) -> str:
    if not isinstance(data, str):
        raise TypeError(f"expected a string, got {type(data).__name__}")
    return data


_converter = Converter(detailed_validation=True)
_converter.register_unstructure_hook_factory(attrs.has, _unstructure_attrs)
_converter.register_structure_hook_factory(attrs.has, _structure_attrs)
_converter.register_unstructure_hook_factory(
    lambda cls: isinstance(cls, type) and issubclass(cls, Resource), _unstructure_resource
)
_converter.register_unstructure_hook(FeatureFlags, FeatureFlags.to_dict)
_converter.register_structure_hook(Workspace, _structure_workspace)
_converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_structure_hook(str, _structure_str)
_converter.register_structure_hook(OpenEnum, lambda value, cls: cls(value))
