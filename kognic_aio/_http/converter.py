"""The rules of the one converter: two hook factories serve every attrs class; what differs from them is listed below.

Models know nothing of it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from kognic_aio.model import FeatureFlags, OpenEnum, Resource, Workspace


def camel(name: str) -> str:
    """The wire's name of a field: `external_id` is `externalId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _unstructure_attrs(cls: type) -> Callable[[Any], dict[str, Any]]:
    """Write every field under its camelCase name, and leave out those that are None."""
    renames = {field.name: override(rename=camel(field.name)) for field in attrs.fields(cls)}
    write: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(cls, converter, **renames)  # type: ignore[arg-type]  # field names
    return lambda model: {key: value for key, value in write(model).items() if value is not None}


def _structure_attrs(cls: type) -> Callable[[Any, Any], Any]:
    """Read every field from its camelCase name; fields that the class does not know are ignored."""
    renames = {field.name: override(rename=camel(field.name)) for field in attrs.fields(cls)}
    return make_dict_structure_fn(cls, converter, **renames)  # type: ignore[arg-type]  # field names


def _unstructure_resource(cls: type) -> Callable[[Resource], dict[str, Any]]:
    """A file is described, not included; its names are what it makes of the one it was given."""
    described = {field.name for field in attrs.fields(cls)} & {"metadata"}

    def write(file: Resource) -> dict[str, Any]:
        body = {
            "filename": file.filename,
            "resourceId": file.resource_id,
            "sensorName": file.sensor_name,
            "clientFilename": file.client_filename,
        }
        extra = {name: converter.unstructure(getattr(file, name)) for name in described}
        return body | {name: value for name, value in extra.items() if value is not None}

    return write


def _structure_workspace(cls: type[Workspace]) -> Callable[[Any, Any], Workspace]:
    """The organization's name lies one level down."""
    read = _structure_attrs(cls)
    return lambda data, kind: read(data | {"organizationName": data["organization"]["name"]}, kind)


def _structure_str(data: Any, _: type) -> str:
    if not isinstance(data, str):
        raise TypeError(f"expected a string, got {type(data).__name__}")
    return data


converter = Converter(detailed_validation=True)
converter.register_unstructure_hook_factory(attrs.has, _unstructure_attrs)
converter.register_structure_hook_factory(attrs.has, _structure_attrs)
converter.register_unstructure_hook_factory(
    lambda cls: isinstance(cls, type) and issubclass(cls, Resource), _unstructure_resource
)
converter.register_unstructure_hook(FeatureFlags, FeatureFlags.to_dict)
converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
converter.register_unstructure_hook(datetime, datetime.isoformat)
converter.register_structure_hook(str, _structure_str)
converter.register_structure_hook(OpenEnum, lambda value, cls: cls(value))
converter.register_structure_hook(Workspace, _structure_workspace(Workspace))  # last, as it is built from the others
