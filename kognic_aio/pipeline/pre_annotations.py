"""Checks pre-annotations before anything of their scene is sent."""

from collections.abc import Iterable, Mapping
from typing import Any

from kognic_aio._http.wire import JsonObject, read_pre_annotation, to_json
from kognic_aio._threads import in_thread, with_descriptors
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, PreAnnotation
from kognic_aio.pipeline.targets import Targets
from kognic_aio.scenes.job import AnyScene

SCHEMA_VERSION = "1.0.0"
"""The only version of OpenLABEL that the platform accepts."""

MAX_SHOWN = 5
"""How many values or problems an error shows."""


async def checked_pre_annotations(
    pre_annotations: Mapping[str | None, PreAnnotation], scene: AnyScene, targets: Targets, dryrun: bool
) -> Mapping[str | None, bytes]:
    """Check the pre-annotations of a scene, and return the OpenLABEL of each as JSON text, by name.

    Raises:
        InvalidError: As by `checked_pre_annotation`, or if they do not fit the targets.
    """
    _check_names(pre_annotations, targets)
    checked: dict[str | None, bytes] = {}
    for name, each in pre_annotations.items():
        try:
            checked[name] = await checked_pre_annotation(each, scene, dryrun)
        except InvalidError as error:
            if name is None:
                raise
            problem = str(error).removeprefix("pre_annotation")
            raise InvalidError(f"pre_annotations[{name!r}]{problem}") from error
    return checked


def _check_names(pre_annotations: Mapping[str | None, PreAnnotation], targets: Targets) -> None:
    """Check that each pre-annotation that a target names is there, and has a name if targets are to choose."""
    names = {name for name in pre_annotations if name is not None}
    if targets.is_project and len(names) > 1:
        problem = "each target names its own, so several need targets=; with project=, pass one"
        raise InvalidError(f"pre_annotations: {problem}")
    if not targets.is_project and None in pre_annotations:
        raise InvalidError("pre_annotation: with targets=, pass pre_annotations={name: ...}; each target names its own")
    for target in targets.each:
        if target.pre_annotation is not None and target.pre_annotation not in names:
            there = f"only {_some(map(repr, sorted(names)))}" if names else "none"
            raise InvalidError(f"pre_annotations: {target} names {target.pre_annotation!r}, the scene has {there}")


async def checked_pre_annotation(pre_annotation: PreAnnotation, scene: AnyScene, dryrun: bool) -> bytes:
    """Check a pre-annotation against its scene, and return its OpenLABEL as JSON text.

    A dry run also validates the schema, if the extra `openlabel` is installed.

    Raises:
        InvalidError: As by `read_openlabel`, or by `check_schema`.
    """
    _, text = read_openlabel(pre_annotation, scene)
    if dryrun:
        await with_descriptors(in_thread, check_schema, text)
    return text


def read_openlabel(pre_annotation: PreAnnotation, scene: AnyScene) -> tuple[JsonObject, bytes]:
    """Read a pre-annotation of a scene, and return what its `openlabel` has, and all of it as JSON text.

    Raises:
        InvalidError: If it is not OpenLABEL 1.0.0 in JSON, or has timestamps that no frame of the scene has.
    """
    # Only what the platform refuses for certain is an error here. Anything else would refuse what the platform accepts.
    content = read_pre_annotation(pre_annotation)
    text = to_json(content, "pre_annotation")
    openlabel = _object(content, "openlabel", "openlabel")
    if openlabel is None:
        given = sorted(map(str, content))[:MAX_SHOWN]
        raise InvalidError(f"pre_annotation: expected OpenLABEL, {{'openlabel': {{...}}}}, got an object with {given}")
    _check_version(openlabel)
    _check_timestamps(openlabel, scene)
    return openlabel, text


def _check_version(openlabel: Mapping[str, Any]) -> None:
    metadata = _object(openlabel, "metadata", "openlabel.metadata") or {}
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        where = "pre_annotation: openlabel.metadata.schema_version"
        raise InvalidError(f"{where}: expected {SCHEMA_VERSION!r}, got {version!r}")


def _check_timestamps(openlabel: Mapping[str, Any], scene: AnyScene) -> None:
    """Check that the frames' timestamps are among those of the scene, if it is a sequence."""
    frames = _object(openlabel, "frames", "openlabel.frames") or {}
    # The frames of a SceneRequest have no times of this kind.
    timed = getattr(scene, "frames", ()) if isinstance(scene, BaseScene) else ()
    times: list[int] = [frame.relative_timestamp for frame in timed]
    known = frozenset[float](times)
    for number in frames if times else ():
        place = f"openlabel.frames[{str(number)!r}]"
        frame = _object(frames, number, place) or {}
        properties = _object(frame, "frame_properties", f"{place}.frame_properties") or {}
        timestamp = properties.get("timestamp")  # optional
        if timestamp is not None and _number(timestamp) not in known:
            expected = f"the relative_timestamp of a frame of the scene, in milliseconds ({_some(times)})"
            where = f"pre_annotation: {place}.frame_properties.timestamp"
            raise InvalidError(f"{where}: expected {expected}, got {timestamp!r}")


def _object(parent: Mapping[str, Any], name: str, place: str) -> JsonObject | None:
    """The JSON object of a name in its parent; None if it is missing or null. `place` is its path, for the error."""
    value = parent.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise InvalidError(f"pre_annotation: {place}: expected an object, got {type(value).__name__}")


def _number(timestamp: object) -> float | None:
    """Convert a timestamp to a number. OpenLABEL also allows strings."""
    try:
        return float(timestamp) if isinstance(timestamp, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _some(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:MAX_SHOWN]) + (f", ... {shown[-1]}" if len(shown) > MAX_SHOWN else "")


def check_schema(text: bytes) -> None:
    """Validate OpenLABEL against its schema, if the extra `openlabel` is installed."""
    try:
        from kognic.openlabel.models import OpenLabelAnnotation  # noqa: PLC0415  # an extra
        from pydantic import ValidationError  # noqa: PLC0415  # comes with it
    except ImportError:
        return
    try:
        OpenLabelAnnotation.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        more = f"; and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
        raise InvalidError(f"pre_annotation: {'; '.join(problems[:MAX_SHOWN])}{more}") from error
