"""Pre-annotations, looked at before anything of their scene is sent."""

from collections.abc import Iterable, Mapping
from typing import Any

from kognic_aio._http.wire import JsonObject, read_pre_annotation, to_json
from kognic_aio._threads import in_thread
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, PreAnnotation

SCHEMA_VERSION = "1.0.0"
MAX_SHOWN = 5
"""How many values or problems an error shows at most."""


async def checked_pre_annotation(pre_annotation: PreAnnotation, scene: BaseScene, dryrun: bool) -> bytes:
    """The OpenLABEL of a pre-annotation as JSON text, if it can be one of its scene.

    Only what the platform refuses for certain is an error. In a dry run its schema is looked at as well, if the extra
    `openlabel` is installed.

    Args:
        pre_annotation: OpenLABEL as a model, a dict or JSON.
        scene: The scene that it is for.
        dryrun: Whether to look at its schema.

    Raises:
        InvalidError: If it is not OpenLABEL 1.0.0 in JSON, or has times that are none of the scene's.
    """
    content = read_pre_annotation(pre_annotation)
    text = to_json(content, "pre_annotation")
    openlabel = _object(content, "openlabel", "openlabel")
    if openlabel is None:
        given = sorted(map(str, content))[:MAX_SHOWN]
        raise InvalidError(f"pre_annotation: expected OpenLABEL, {{'openlabel': {{...}}}}, got an object with {given}")
    _check_version(openlabel)
    _check_timestamps(openlabel, scene)
    if dryrun:
        await in_thread(_check_schema, text)
    return text


def _check_version(openlabel: Mapping[str, Any]) -> None:
    metadata = _object(openlabel, "metadata", "openlabel.metadata") or {}
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        where = "pre_annotation: openlabel.metadata.schema_version"
        raise InvalidError(f"{where}: expected {SCHEMA_VERSION!r}, got {version!r}")


def _check_timestamps(openlabel: Mapping[str, Any], scene: BaseScene) -> None:
    """See that the frames' times are among those of the scene, if that is a sequence. A frame need not have one."""
    frames = _object(openlabel, "frames", "openlabel.frames") or {}
    times: list[int] = [frame.relative_timestamp for frame in getattr(scene, "frames", ())]
    known = frozenset[float](times)
    for number in frames if times else ():
        place = f"openlabel.frames[{str(number)!r}]"
        frame = _object(frames, number, place) or {}
        properties = _object(frame, "frame_properties", f"{place}.frame_properties") or {}
        timestamp = properties.get("timestamp")
        if timestamp is not None and _number(timestamp) not in known:
            expected = f"the relative_timestamp of a frame of the scene, in milliseconds ({_some(times)})"
            where = f"pre_annotation: {place}.frame_properties.timestamp"
            raise InvalidError(f"{where}: expected {expected}, got {timestamp!r}")


def _object(parent: Mapping[str, Any], name: str, place: str) -> JsonObject | None:
    """The object that an object has under a name, None if it has nothing there.

    Args:
        parent: The object.
        name: The name.
        place: Where that is, for the error.

    Raises:
        InvalidError: If it has something else there.
    """
    value = parent.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise InvalidError(f"pre_annotation: {place}: expected an object, got {type(value).__name__}")


def _number(timestamp: object) -> float | None:
    """The number that a timestamp stands for, which may be a string of one."""
    try:
        return float(timestamp) if isinstance(timestamp, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _some(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:MAX_SHOWN]) + (f", ... {shown[-1]}" if len(shown) > MAX_SHOWN else "")


def _check_schema(text: bytes) -> None:
    """See that OpenLABEL fits its schema, if the extra that knows it is installed."""
    try:
        from kognic.openlabel.models import OpenLabelAnnotation  # noqa: PLC0415 - an extra
        from pydantic import ValidationError  # noqa: PLC0415 - comes with it
    except ImportError:
        return
    try:
        OpenLabelAnnotation.model_validate_json(text)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        more = f"; and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
        raise InvalidError(f"pre_annotation: {'; '.join(problems[:MAX_SHOWN])}{more}") from error
