"""Every model, found by reflection, and hypothesis strategies that make instances of them from their annotations."""

import base64
import pkgutil
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from kognic_aio import model
from kognic_aio._secret import Secret
from kognic_aio.model import (
    BaseScene,
    BaseSceneWithIMUData,
    FeatureFlags,
    Image,
    OpenEnum,
    PointCloud,
    Resource,
    RotationQuaternion,
    SequenceFrame,
    scene_request,
)
from kognic_aio.model.calibration import CalibrationType, CustomCameraCalibration, UnknownCalibration
from kognic_aio.model.resource import FileData, GivenBytes

NEVER_JSON = {
    FileData: "holds the bytes of a file, which are uploaded",
    GivenBytes: "the same",
    scene_request.LocalFile: "is a filename on the wire, as the models that hold it test",
    Resource: "is the base of images and point clouds",
    BaseScene: "is the base of scenes, and has no frames",
    BaseSceneWithIMUData: "the same",
    FeatureFlags: "is a part of the request beside the scene",
    UnknownCalibration: "is what no class is for, as SensorCalibrationEntry tests",
}

MODELS: list[type[Any]] = sorted(
    {
        thing
        for info in pkgutil.iter_modules(model.__path__)
        for outer in vars(import_module(f"kognic_aio.model.{info.name}")).values()
        for thing in (outer, getattr(outer, "Frame", None))
        if isinstance(thing, type)
        and attrs.has(thing)
        and thing.__module__.startswith("kognic_aio.model")
        and thing not in NEVER_JSON
    },
    key=lambda cls: f"{cls.__module__}.{cls.__qualname__}",
)

NOT_ON_THE_WIRE = ("file_data", "data", "callback")

NAMES = st.text(min_size=1, max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=3,
)
DATES = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  # hypothesis adds the time zone
    timezones=st.just(UTC),
)
INTEGERS = st.integers(max_value=10**6) | st.integers(min_value=10**18)
"""Numbers that are no date in seconds, milliseconds or microseconds, which scenes refuse as times."""

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: NAMES,
    int: INTEGERS,
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: DATES,
    Any: JSON,
}


def instances(cls: type[Any], *, complete: bool = True) -> st.SearchStrategy[Any]:
    """Instances of a model; without `complete`, with nothing but the fields that it needs."""
    hints = get_type_hints(cls)
    arguments = {
        field.alias: hints[field.name]
        for field in attrs.fields(cls)
        if field.init and (complete or field.default is attrs.NOTHING) and field.alias not in NOT_ON_THE_WIRE
    }
    fields = {name: _values(hint, complete) for name, hint in arguments.items()}
    for base in cls.__mro__:
        fields |= SPECIAL.get(base, dict)()
    return st.fixed_dictionaries(fields).map(lambda given: _mended(cls, given)).map(lambda given: cls(**given))


def _values(hint: Any, complete: bool) -> st.SearchStrategy[Any]:  # noqa: PLR0911  # a kind of annotation each
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in SCALARS:
        return SCALARS[hint]
    if hint is type(None):
        return st.none()
    if origin in (Union, types.UnionType):
        return st.one_of([_values(choice, complete) for choice in arguments if choice is not UnknownCalibration])
    if origin is Mapping:
        return st.dictionaries(NAMES, _values(arguments[1], complete), max_size=2)
    if origin is Secret:
        return _values(arguments[0], complete).map(Secret)
    if origin in (Sequence, tuple):
        return st.lists(_values(arguments[0], complete), min_size=1, max_size=2).map(tuple)
    if origin is frozenset:
        return st.frozensets(_values(arguments[0], complete), max_size=3)
    if issubclass(hint, OpenEnum):
        return st.sampled_from(list(hint)) | NAMES.map(hint)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return instances(hint, complete=complete)


def _files(suffix: str) -> dict[str, st.SearchStrategy[Any]]:
    """The resource id is on the wire even if it is made from the filename, so that it comes back as given."""
    names = st.uuids().map(str)
    return {"filename": names.map(lambda name: f"{name}{suffix}"), "resource_id": names}


SPECIAL: dict[type[Any], Callable[[], dict[str, st.SearchStrategy[Any]]]] = {
    Image: lambda: _files(".jpg"),
    PointCloud: lambda: _files(".csv"),
    SequenceFrame: lambda: {"frame_id": st.uuids().map(str), "relative_timestamp": st.integers(0, 1000)},
    CustomCameraCalibration: lambda: {"wasm_base64": st.binary(max_size=9).map(lambda b: base64.b64encode(b).decode())},
    scene_request.LocalFile: lambda: {"filename": st.uuids().map(str)},
}
"""Fields that take less than their annotation says."""


def _mended(cls: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Make fields fit together that depend on each other."""
    for field in attrs.fields(cls):
        if field.type is CalibrationType and field.default is not attrs.NOTHING:
            given = given | {"calibration_type": field.default}
    for first, second in (
        ("shutter_time_start_ns", "shutter_time_end_ns"),
        ("start_shutter_timestamp_ns", "end_shutter_timestamp_ns"),
    ):
        if given.get(first) is not None and given.get(second) is not None:
            given[second] = given[first] + 1 + abs(given[second])
        elif first in given:
            given |= {first: None, second: None, "reversed_shutter": None}
    if cls is RotationQuaternion:
        given |= {"w": 1.0, "x": min(0.1, abs(given["x"])), "y": 0.0, "z": 0.0}
    if "frames" in given:
        given["frames"] = _in_order(given["frames"])
    if issubclass(cls, scene_request.Resource):
        local = given.get("local_file") or scene_request.LocalFile(filename="a.jpg")
        given |= {"external_resource_uri": None, "local_file": local}
    if cls is scene_request.Frame and given.get("pointclouds") is None:
        given |= {"ego_vehicle_pose": None}
    return given


def _in_order(frames: tuple[Any, ...]) -> list[Any]:
    """The frames of a scene, which go in the order of their times."""
    if isinstance(frames[0], scene_request.Frame):
        return sorted(frames, key=lambda frame: frame.timestamp_ns)
    unix: list[Any] = [getattr(frame, "unix_timestamp", None) for frame in frames]
    in_order = sorted(frames, key=lambda frame: frame.relative_timestamp)
    if None in unix:
        return in_order
    return [attrs.evolve(frame, unix_timestamp=time) for frame, time in zip(in_order, sorted(unix), strict=True)]


def comparable(thing: Any) -> Any:
    """The same as plain data: models of local files have no equality of their own."""
    if isinstance(thing, scene_request.LocalFile):
        return thing.filename
    if attrs.has(type(thing)):
        return {field.name: comparable(getattr(thing, field.name)) for field in attrs.fields(type(thing))}
    if isinstance(thing, Mapping):
        return {key: comparable(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [comparable(item) for item in thing]
    return thing
