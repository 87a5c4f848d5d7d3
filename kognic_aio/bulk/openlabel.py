"""Checks pre-annotations against OpenLABEL, and against the streams, frames and timestamps of their scene."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from kognic_aio.bulk.problem import Problem
from kognic_aio.errors import InvalidError
from kognic_aio.model import PreAnnotation
from kognic_aio.pipeline.pre_annotations import check_schema, read_openlabel
from kognic_aio.scenes.job import AnyScene


def check_pre_annotation(
    name: str | None, pre_annotation: PreAnnotation, scene: AnyScene, sensors: AbstractSet[str]
) -> Iterator[Problem]:
    """Check a pre-annotation of a scene.

    Args:
        name: Its name, if it has one.
        pre_annotation: OpenLABEL in any form.
        scene: The scene.
        sensors: The names of the scene's sensors.
    """
    where = "pre_annotation" if name is None else f"pre_annotations[{name!r}]"

    def problem(code: str, message: str) -> Problem:
        message = message.removeprefix("pre_annotation").removeprefix(": ")
        return Problem(code=code, scene=scene.external_id, file=where, message=message)

    try:
        openlabel, text = read_openlabel(pre_annotation, scene)
    except InvalidError as error:
        yield problem("pre-annotation", str(error))
        return
    try:
        check_schema(text)
    except InvalidError as error:
        yield problem("openlabel", str(error))
    else:
        if "schema_version" not in _names(openlabel, "metadata"):  # the schema may not be installed
            yield problem("openlabel", "openlabel.metadata.schema_version: missing")
    for code, message in (*_streams(openlabel, sensors), *_frames(openlabel, scene)):
        yield problem(code, message)


def _streams(openlabel: Mapping[str, Any], sensors: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """The problems with streams that are no sensors of the scene."""
    for stream in sorted(set(_names(openlabel, "streams")) - sensors):
        yield "unknown-stream", f"openlabel.streams: the scene has no sensor {stream!r}; it has {_some(sensors)}"


def _frames(openlabel: Mapping[str, Any], scene: AnyScene) -> Iterator[tuple[str, str]]:
    """The problems with frames that the scene does not have."""
    frames = _names(openlabel, "frames")
    own: Any = getattr(scene, "frames", None)
    count = 1 if own is None else len(own)
    if len(frames) > count:
        yield "unknown-frame", f"openlabel.frames: there are {len(frames)}, but the scene has {count}"
    ids = None if own is None else {frame.frame_id for frame in own}
    for number, frame in frames.items():
        properties = frame.get("frame_properties") if isinstance(frame, Mapping) else None
        external_id = properties.get("external_id") if isinstance(properties, Mapping) else None
        if ids is not None and isinstance(external_id, str) and external_id not in ids:
            yield "unknown-frame", f"openlabel.frames[{number!r}]: the scene has no frame {external_id!r}"


def _names(openlabel: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found = openlabel.get(part)
    return found if isinstance(found, Mapping) else {}


def _some(sensors: AbstractSet[str]) -> str:
    return ", ".join(sorted(sensors))
