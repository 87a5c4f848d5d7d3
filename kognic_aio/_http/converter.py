"""The cattrs converter between models and JSON. The models do not know it.

Two hook factories serve every attrs class; exceptions are registered below.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from math import isnan, nan
from typing import Any, get_args, get_origin

import attrs
from cattrs import Converter, IterableValidationError, IterableValidationNote, transform_error
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.strategies import configure_union_passthrough
from cattrs.v import format_exception

from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError
from kognic_aio.model import CamerasSequence, FeatureFlags, InputEntry, Resource, Workspace, scene_request
from kognic_aio.model.annotation import BehindUri, ClientAnnotation, PartialClientAnnotation, SignedAnnotation
from kognic_aio.model.calibration import Calibration, CalibrationPart, Point2d, UnknownCalibration

WIRE_NAMES: Mapping[type, Mapping[str, str]] = {
    Workspace: {"organization_name": "organization.name"},
    InputEntry: {"scene_uuid": "internalId", "batch": "batchId", "scene_type": "inputType"},
    BehindUri: {"_uri": "uri"},
    SignedAnnotation: {"_signed_url": "signedUrl"},
    ClientAnnotation: {"scene_uuid": "inputUuid"},
    PartialClientAnnotation: {"scene_uuid": "inputUuid"},
    Resource: {"_resource_id": "resourceId"},
    scene_request.Resource: {"local_file": "localFilename"},
    scene_request.ImageResource: {
        "external_resource_uri": "resource.externalResourceUri",
        "local_file": "resource.localFilename",
        "sensor_name": "resource.sensorName",
        "start_shutter_timestamp_ns": "metadata.startShutterTimestampNs",
        "end_shutter_timestamp_ns": "metadata.endShutterTimestampNs",
        "reversed_shutter": "metadata.reversedShutter",
    },
    scene_request.Frame: {
        "frame_id": "id",
        "pointclouds": "pointClouds.resources",
        "ego_vehicle_pose": "pointClouds.egoVehiclePose",
    },
    scene_request.SceneRequest: {
        "frames": "convertedSpecification.frames",
        "sensor_specification": "convertedSpecification.sensorSpecification",
        "metadata": "convertedSpecification.metadata",
        "imudata_resource": "convertedSpecification.imuData",
        "should_motion_compensate": "convertedSpecification.shouldMotionCompensate",
    },
}
"""Names on the wire that are not the field's name in camelCase. A dot leads into an object."""

MAX_ID = 200
"""Characters of an id that the platform chooses. It stays in memory as long as its scene is in flight."""

MAX_PROBLEMS = 5
"""Problems that are reported for one list or object. A response that is wrong throughout has too many to read."""

MAX_TEXT = 8 << 10
"""Characters of a name or value that a problem repeats. Redaction searches as many, so no secret is cut in half."""

LISTS: Mapping[Any, Callable[[Iterable[Any]], Any]] = {list: list, tuple: tuple, Sequence: tuple, frozenset: frozenset}


class MistypedError(TypeError):
    """A value of the wrong type; the message says which was expected."""


def wire_names(cls: type) -> dict[str, str]:
    """The name on the wire of each field of a class: camelCase, except calibrations' and those of `WIRE_NAMES`."""
    plain: type = get_origin(cls) or cls
    name_of = str if issubclass(plain, CalibrationPart) else _camel
    names = {field.name: name_of(field.name) for field in attrs.fields(plain)}
    for base in reversed(plain.__mro__):
        names |= WIRE_NAMES.get(base, {})
    return names


def _camel(name: str) -> str:
    """`external_id` is `externalId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _overrides(cls: type) -> dict[str, Any]:
    texts = {field.name for field in attrs.fields(get_origin(cls) or cls) if field.type in (str, str | None)}
    # Ids that the platform chooses. External ids are as long as their owners like.
    ids = {name for name in texts if name in ("id", "uuid") or name.endswith(("_uuid", "_uid"))}
    # Other versions did not send it, and their journals have fingerprints of what they sent.
    left_out = "imu_data" if cls is CamerasSequence else None
    fields = {field.name: field for field in attrs.fields(get_origin(cls) or cls)}
    return {
        field: override(
            rename=name,
            omit=None if fields[field].eq else True,  # what is not compared is no part of the value
            omit_if_default=field == left_out,
            struct_hook=_structure_id if field in ids else None,
        )
        for field, name in wire_names(cls).items()
    }


def _structure_id(data: Any, _: type) -> str:
    text: str = _structure_scalar(data, str)
    if len(text) > MAX_ID:
        raise MistypedError(f"expected an id of at most {MAX_ID} characters, got one of {len(text):,}")
    return text


def _unstructure_attrs(cls: type) -> Callable[[Any], dict[str, Any]]:
    """Write each field under its name on the wire, unless it is None."""
    write: Callable[[Any], dict[str, Any]] = make_dict_unstructure_fn(cls, converter, **_overrides(cls))

    def write_flat(model: Any) -> dict[str, Any]:
        return {key: value for key, value in write(model).items() if value is not None}

    dotted = [name for name in wire_names(cls).values() if "." in name]
    return (lambda model: _nested(write_flat(model))) if dotted else write_flat


def _structure_attrs(cls: type) -> Callable[[Any, Any], Any]:
    """Read each field from its name on the wire, and ignore unknown names."""
    read: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, converter, **_overrides(cls))
    dotted = [name for name in wire_names(cls).values() if "." in name]
    return lambda data, kind: read(_given(data, dotted), kind)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` is written `{"a": {"b": 1}}`."""
    data: dict[str, Any] = {}
    for name, value in flat.items():
        outer, dot, inner = name.partition(".")
        if dot:
            data.setdefault(outer, {})[inner] = value
        else:
            data[name] = value
    return data


def _given(data: Any, dotted: Sequence[str]) -> dict[str, Any]:
    """The members of an object that are not null. `{"a": {"b": 1}}` is read as `{"a.b": 1}`."""
    if not isinstance(data, Mapping):
        raise MistypedError(f"expected an object, got {type(data).__name__}")
    given = {name: value for name, value in data.items() if value is not None}
    for name in dotted:
        outer, _, inner = name.partition(".")
        part = given.get(outer)
        if isinstance(part, Mapping) and part.get(inner) is not None:
            given[name] = part[inner]
    return given


def _unstructure_resource(cls: type) -> Callable[[Resource], dict[str, Any]]:
    """Write the description of a file. Its names are properties, not fields."""
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


def _is_list(kind: Any) -> bool:
    """Whether it is a list of any length, rather than a pair or the like."""
    return get_origin(kind) in LISTS and get_args(kind)[1:] in ((), (...,))


def _structure_list(kind: Any) -> Callable[[Any, Any], Any]:
    """Read lists from lists only. cattrs would also take the keys of an object and the characters of a string."""
    make, (of, *_) = LISTS[get_origin(kind)], get_args(kind)
    read = converter.get_structure_hook(of)

    def read_list(data: Any, _: type) -> Any:
        if not isinstance(data, list):
            raise MistypedError(f"expected a list, got {type(data).__name__}")
        return make(value for _, value in _read_each(enumerate(data), read, of, kind))

    return read_list


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) in (dict, Mapping)


def _structure_mapping(kind: Any) -> Callable[[Any, Any], Any]:
    """Read objects, whose names are strings as in all JSON."""
    _, of = get_args(kind)
    read = converter.get_structure_hook(of)

    def read_mapping(data: Any, _: type) -> Any:
        if not isinstance(data, Mapping):
            raise MistypedError(f"expected an object, got {type(data).__name__}")
        return dict(_read_each(data.items(), read, of, kind))

    return read_mapping


def _read_each(
    items: Iterable[tuple[Any, Any]], read: Callable[[Any, Any], Any], of: Any, kind: Any
) -> Iterator[tuple[Any, Any]]:
    """Read each item of a list or an object, with its place. Stop when `MAX_PROBLEMS` items are wrong."""
    errors: list[Exception] = []
    for place, item in items:
        try:
            yield place, read(item, of)
        except Exception as error:  # cattrs and constructors raise anything
            short = place[:MAX_TEXT] if isinstance(place, str) else place
            error.add_note(IterableValidationNote(f"Structuring {kind} @ {short!r}", short, of))
            errors.append(error)
            if len(errors) == MAX_PROBLEMS:
                break
    if errors:
        message = f"While structuring {kind!r}"
        raise IterableValidationError(message, errors, kind)  # pyright: ignore[reportCallIssue]  # not as its base does


def _is_secret(kind: Any) -> bool:
    return get_origin(kind) is Secret


def _structure_secret(kind: Any) -> Callable[[Any, Any], Any]:
    (of,) = get_args(kind)
    read = converter.get_structure_hook(of)
    return lambda data, _: Secret(read(data, of))


def _structure_scalar(data: Any, kind: type) -> Any:
    """Read a scalar of the right type only. An integer may stand for a float, and 1.0 for 1."""
    if type(data) is kind:
        return data
    if (kind is float and type(data) is int) or (kind is int and type(data) is float and data.is_integer()):
        try:
            return kind(data)
        except OverflowError:
            raise MistypedError("expected float, got a number that is too large for one") from None
    raise MistypedError(f"expected {kind.__name__}, got {type(data).__name__}")


def problems(error: Exception) -> list[str]:
    """The problems that the converter found, each with its path."""

    def explain(cause: BaseException, kind: type | None) -> str:
        return str(cause) if isinstance(cause, MistypedError | InvalidError) else format_exception(cause, kind)

    return list(map(_with_public_names, transform_error(error, format_exception=explain)))


def _with_public_names(problem: str) -> str:
    """A problem whose path has the names that users know: `uri`, not the `_uri` that holds it as a secret."""
    said, at, path = problem.rpartition(" @ ")
    return f"{said}{at}{path.replace('._', '.')}"


def _structure_date(data: Any, _: type) -> datetime:
    try:
        return datetime.fromisoformat(data)
    except (TypeError, ValueError):
        got = repr(data[:MAX_TEXT]) if isinstance(data, str) else type(data).__name__
        raise MistypedError(f"expected a date such as 2026-01-31T12:00:00Z, got {got}") from None


def _unstructure_point(point: Point2d) -> dict[str, float | None]:
    """Write NaN, which JSON does not have, as null."""
    return {name: None if isnan(value) else value for name, value in (("x", point.x), ("y", point.y))}


def _structure_point(data: Any, kind: type) -> Point2d:
    """Read null as NaN. Elsewhere null means that there is no value."""
    if isinstance(data, Mapping):
        data = {name: nan if value is None else value for name, value in data.items()}
    return _read_point(data, kind)  # type: ignore[no-any-return]  # cattrs returns Any


CALIBRATIONS = {attrs.fields(kind).calibration_type.default.value: kind for kind in get_args(Calibration)}


def _structure_calibration(data: Any, _: type) -> Calibration | UnknownCalibration:
    """Read the class that `calibration_type` names, or keep the content as it is."""
    if not isinstance(data, Mapping) or "calibration_type" not in data:
        raise MistypedError("expected a calibration with its calibration_type")
    kind: str = _structure_scalar(data["calibration_type"], str)
    if kind in CALIBRATIONS:
        return converter.structure(data, CALIBRATIONS[kind])  # type: ignore[no-any-return]  # one of the union
    return UnknownCalibration(calibration_type=kind, content=data)


converter = Converter(detailed_validation=True, unstruct_collection_overrides={frozenset: sorted})
configure_union_passthrough(str | int | float | bool | None, converter)
converter.register_unstructure_hook_factory(attrs.has, _unstructure_attrs)
converter.register_structure_hook_factory(attrs.has, _structure_attrs)
converter.register_structure_hook_factory(_is_secret, _structure_secret)
converter.register_unstructure_hook_func(_is_secret, lambda secret: converter.unstructure(secret.reveal()))
converter.register_structure_hook_factory(_is_list, _structure_list)
converter.register_structure_hook_factory(_is_mapping, _structure_mapping)
converter.register_unstructure_hook_factory(
    lambda cls: isinstance(cls, type) and issubclass(cls, Resource), _unstructure_resource
)
for scalar in (str, int, float, bool):
    converter.register_structure_hook(scalar, _structure_scalar)
converter.register_unstructure_hook(FeatureFlags, FeatureFlags.to_dict)
_read_point = _structure_attrs(Point2d)
converter.register_unstructure_hook(Point2d, _unstructure_point)
converter.register_structure_hook(Point2d, _structure_point)
converter.register_structure_hook(datetime, _structure_date)
converter.register_unstructure_hook(datetime, datetime.isoformat)
converter.register_structure_hook(StrEnum, lambda value, kind: kind(_structure_scalar(value, str)))
converter.register_structure_hook_func(
    lambda kind: set(CALIBRATIONS.values()) <= set(get_args(kind)), _structure_calibration
)
converter.register_unstructure_hook(UnknownCalibration, lambda calibration: dict(calibration.content))
converter.register_unstructure_hook(scene_request.LocalFile, lambda file: file.filename)
converter.register_structure_hook(scene_request.LocalFile, lambda name, _: scene_request.LocalFile(filename=name))
