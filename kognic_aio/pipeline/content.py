"""The content of a scene, by which the journal distinguishes two scenes under one key.

It is what is sent to the platform: the scene's type, its body and its pre-annotation. It excludes the bytes of files,
and their names, which change when the same files are fetched to another folder.
"""

import hashlib
import json
import re
import zlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import islice
from typing import Any

from kognic_aio._http.wire import JsonObject, encode, to_json
from kognic_aio._json import read_json
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.journal.facts import SEPARATOR, Entry, uncalibrated
from kognic_aio.scenes.job import AnyScene

RULE = "2:"
"""Prefix of fingerprints made by the current rule. Those of the first rule are bare digests."""

CALIBRATION = "calibration_id"
"""The field that scripts create anew in each run. So no committed scene is refused for it."""

MAX_OUTLINE = 4096
"""Characters of an outline. That of a scene with few frames has about a hundred."""

MAX_TEXT = 60
"""Characters of a text in an outline and in an error."""

MAX_DIFFERENCES = 5
"""Differences in an error."""

NAMED_BY_USERS = ("metadata", "pre_annotations", "sensor_to_pretty_name")
"""Objects whose keys are the caller's own words, not fields."""

COMMON = (
    b'"aggregated-lidars-and-cameras-sequence","calibrationId":"","externalId":"","egoVehiclePose":{"~":"","frameId":"0",'
    b'"frame":{"frames":['
    b'{"images":[{"metadata":{"shutterTimeEndNs":1,"shutterTimeStartNs":1},"resourceId":"","sensorName":"CAM"}],'
    b'"imuData":"#","metadata":{},"pointClouds":[{"sensorName":"lidar"}],"relativeTimestamp":0,"unixTimestamp":1}],'
    b'"preAnnotation":"~","sensorSpecification":{"sensorOrder":["RFC01"],"sensorToPrettyName":{"RFC01":"Front"}}'
    b'},"type":"cameras"},"depth":6}'
)
"""The compression dictionary of outlines. It is part of the format: it never changes."""


class Relation(Enum):
    """How the content of a scene relates to the recorded one under its key."""

    SAME = "same"
    OTHER_CALIBRATION = "same but for the calibration"
    OTHER_NAMES = "same but for named pre-annotations that only one of them has"
    SET_ASIDE = "another, which became an input and then made way"
    OTHER = "another"


class Decision(Enum):
    """Whether a scene resumes its entry, replaces the one under its key, or is refused for it."""

    RESUME, REPLACE, REFUSE = "resume", "replace", "refuse"


def decide(relation: Relation, entry: Entry, fingerprint: str, *, is_retried: bool) -> Decision:
    """Decide what happens to a scene, by the entry under its key and the `uncalibrated` fingerprint of its content."""
    has_failed = entry.status is InputCreationStatus.FAILED
    is_lost = has_failed and not entry.has_inputs  # one that has some is resumed, to get the others
    was_committed = entry.scene_uuid is not None  # of a scene that failed
    is_let_in = entry.refused.get(fingerprint, False)  # by `Journal.retry_failed`
    match relation:
        case Relation.SAME | Relation.OTHER_NAMES if is_lost and is_retried:
            return Decision.REPLACE
        case Relation.OTHER_CALIBRATION if is_lost and (is_retried or not was_committed):
            return Decision.REPLACE
        case Relation.OTHER if is_let_in or (is_retried and (has_failed or fingerprint in entry.refused)):
            return Decision.REPLACE
        case Relation.OTHER:
            return Decision.REFUSE
        case _:
            return Decision.RESUME


class Content:
    """The content of a scene with its pre-annotations, which are JSON: one without a name, or several by name.

    Attributes:
        fingerprint: A digest of the content.
        uncalibrated: The part of it that does not depend on the calibration.
    """

    def __init__(self, scene: AnyScene, annotations: Mapping[str | None, bytes]) -> None:
        self._scene = scene
        self._annotation = annotations.get(None)
        body: JsonObject = _plain(_without_file_names(scene)) | {"type": _type_of(scene)}
        if self._annotation is not None:
            body["preAnnotation"] = _parsed(self._annotation)
        elif annotations:
            body["preAnnotations"] = {name: _parsed(each) for name, each in annotations.items()}
        canonical = _canonical(body)
        self.fingerprint = _fingerprint(canonical)
        if "calibrationId" in body:
            rest = {name: value for name, value in body.items() if name != "calibrationId"}
            self.fingerprint += SEPARATOR + _fingerprint(_canonical(rest))
        self.uncalibrated = uncalibrated(self.fingerprint)
        # Levels of its outline: scene, frames, frame, images, image, metadata. That of a large content has only the
        # fields of each frame. A deeper one would be slow, and too large.
        self._depth = 3 if len(canonical) > 32_768 else 6
        large = body.keys() & {"imuData", "preAnnotation"}  # only a digest in an outline
        self._body = body | {name: _summary(body[name]) for name in large}
        if "preAnnotations" in body:
            self._body["preAnnotations"] = {name: _summary(each) for name, each in body["preAnnotations"].items()}

    def has(self, fingerprint: str | None) -> bool:
        """Whether a fingerprint, made by either rule, is that of this content. None fits every content."""
        if fingerprint is None:
            return True
        if fingerprint.startswith(RULE):
            return fingerprint.partition(SEPARATOR)[0] == self.fingerprint.partition(SEPARATOR)[0]
        return fingerprint == self.first_fingerprint

    @property
    def first_fingerprint(self) -> str:
        """The fingerprint by the first rule, in journals of schema 1. File names are part of it."""
        body = encode(self._scene)
        if "imuData" in body and not body["imuData"] and _type_of(self._scene) in ("cameras", "cameras-sequence"):
            del body["imuData"]  # scenes of cameras did not have the field yet
        return hashlib.sha256(to_json(body) + b"\n" + (self._annotation or b"")).hexdigest()

    def outline(self) -> str:
        """A compressed summary of the content, from which a later run sees how another one differs."""
        depth = self._depth
        while len(outline := _outlined(self._body, depth)) > MAX_OUTLINE and depth > 1:
            depth -= 1
        return outline

    def differences(self, outline: str | None) -> dict[str, str]:
        """Compare with an outline: how each field differs (`2 -> 3`), by its path (`frames[3].images`)."""
        if outline is None:
            return {}
        match _decompressed(outline):
            case {"content": old, "depth": int(depth)}:
                return dict(_compared("", old, _cut(self._body, depth)))
            case _:
                raise ValueError("not the outline of a content")


def _parsed(annotation: bytes) -> Any:
    return json.loads(annotation, parse_float=lambda text: _number(float(text)))


def _fingerprint(canonical: bytes) -> str:
    return RULE + hashlib.sha256(canonical).hexdigest()[:32]


def listed(differences: Mapping[str, str]) -> str:
    """List the first few differences for an error, each in at most 200 characters."""
    shown = [f"{path}: {change}" for path, change in islice(differences.items(), MAX_DIFFERENCES)]
    # Names in metadata may have any length.
    shown = [each if len(each) <= 200 else f"{each[:200]}..." for each in shown]
    more = len(differences) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _type_of(scene: AnyScene) -> str:
    return "scene-request" if isinstance(scene, SceneRequest) else scene.path


def _without_file_names(scene: AnyScene) -> JsonObject:
    """The body of a scene without the names of its files, and the resource ids that were made from them."""
    body = encode(scene)
    if isinstance(scene, SceneRequest):
        return _without_local_names(body)  # type: ignore[no-any-return]  # an object stays one
    frames = body["frames"] if "frames" in body else [body["frame"]]
    for frame, written in zip(scene.all_frames, frames, strict=True):
        described = [*written.get("images", ()), *written.get("pointClouds", ())]
        for file, names in zip(frame.files, described, strict=True):
            del names["filename"], names["clientFilename"]
            if file.is_named_by_filename:
                del names["resourceId"]
    return body


def _without_local_names(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_local_names(item) for key, item in value.items() if key != "localFilename"}
        case list():
            return [_without_local_names(item) for item in value]
        case _:
            return value


def _plain(value: Any) -> Any:
    """The value without empty fields, so that fields of a later version change no fingerprint; 1.0 becomes 1."""
    match value:
        case dict():
            plain = {str(key): _plain(item) for key, item in value.items()}
            return {key: item for key, item in plain.items() if item not in (None, [], {})}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float():
            return _number(value)
        case _:
            return value


def _cut(value: Any, depth: int) -> Any:
    """The value down to a depth. Deeper values become digests, and so does the rest of a long text."""
    match value:
        case dict() if depth:
            return {key: _cut(item, depth - 1) for key, item in value.items()}
        case list() if depth:
            return [_cut(item, depth - 1) for item in value]
        case dict() | list():
            return _summary(value)
        case str() if len(value) > MAX_TEXT:
            return f"{value[:MAX_TEXT]}...{_digest(value)}"
        case _:
            return value


def _summary(value: Any) -> JsonObject:
    """Stands for an object or a list: its digest, and the length of a list."""
    length = {"#": len(value)} if isinstance(value, list) else {}
    return {"~": _digest(value), **length}


def _digest(value: Any) -> str:
    return urlsafe_b64encode(hashlib.sha256(_canonical(value)).digest()[:6]).decode()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _number(number: float) -> float:
    """A whole number as an integer: a model makes 1.0 of what a dict has as 1."""
    return int(number) if number.is_integer() else number


def _outlined(body: JsonObject, depth: int) -> str:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=COMMON)
    outline = _canonical({"depth": depth, "content": _cut(body, depth)})
    return b64encode(deflate.compress(outline) + deflate.flush()).decode()


def _decompressed(text: str) -> Any:
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=COMMON)
    try:
        # Deflate shrinks nothing a thousandfold. A longer text is malicious: it is cut off, and fails as JSON.
        content = inflate.decompress(b64decode(text), 1024 * MAX_OUTLINE)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return read_json(content)


def _compared(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """Yield the path and kind of each difference between two outlines of the same depth."""
    if old == new:
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compared(f"{path}[{index}]", before, after)
    elif isinstance(old, dict) and isinstance(new, dict) and "~" not in {*old, *new}:  # neither is a summary
        is_field = path.rpartition(".")[2] not in NAMED_BY_USERS
        for key in {**old, **new}:
            # `calibrationId` is the field `calibration_id`.
            name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key) if is_field else key
            yield from _compared(f"{path}.{name}" if path else name, old.get(key), new.get(key))
    else:
        before, after = _shown(old), _shown(new)
        yield path, "changed" if before == after else f"{before} -> {after}"


def _shown(value: Any) -> str:
    """A value of an outline for an error: a list is its length."""
    match value:
        case None:
            return "none"
        case list():
            return str(len(value))
        case {"~": _, "#": length}:
            return str(length)
        case dict():
            return "some"
        case _:
            return repr(value)
