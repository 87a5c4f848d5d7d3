"""The content of a scene, by which the journal tells two scenes under one key apart.

It is what the platform is told: the scene's type, its body and its pre-annotation. The bytes of files do not count, and
neither do their names, which change when the same files are fetched to another folder.
"""

import hashlib
import json
import re
import zlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from kognic_aio._http.wire import JsonObject, encode, to_json
from kognic_aio._json import read_json
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.journal.facts import KIN, kin_of

RULE = "2:"
"""How fingerprints begin that were made by today's rule. Those of the first rule are bare digests."""

CALIBRATION = "calibration_id"
"""The field that scripts make anew in each run, so that no committed scene is refused for it."""

MAX_OUTLINE = 4096
"""Characters that a journal keeps of a content at most; a scene of few frames takes about a hundred."""

MAX_DEPTH = 6
"""How deep an outline may go: scene, frames, frame, images, image, metadata."""

MAX_TEXT = 60
"""Characters of a text that an outline keeps and an error shows."""

MAX_DIFFERENCES = 5
"""Differences that an error lists."""

LARGE = ("imuData", "preAnnotation")
"""What an outline has only a digest of."""

NAMED_BY_USERS = ("metadata", "sensor_to_pretty_name")
"""Objects whose keys are the caller's own words, not fields."""

COMMON = (
    b'"aggregated-lidars-and-cameras-sequence","calibrationId":"","externalId":"","egoVehiclePose":{"~":"","frameId":"0",'
    b'"frame":{"frames":['
    b'{"images":[{"metadata":{"shutterTimeEndNs":1,"shutterTimeStartNs":1},"resourceId":"","sensorName":"CAM"}],'
    b'"imuData":"#","metadata":{},"pointClouds":[{"sensorName":"lidar"}],"relativeTimestamp":0,"unixTimestamp":1}],'
    b'"preAnnotation":"~","sensorSpecification":{"sensorOrder":["RFC01"],"sensorToPrettyName":{"RFC01":"Front"}}'
    b'},"type":"cameras"},"depth":6}'
)
"""What outlines have in common, so that they need not repeat it. It is part of the format: it never changes."""


class Content:
    """What the platform is told of a scene.

    Args:
        scene: The scene.
        annotation: Its pre-annotation as JSON, None if it has none.

    Attributes:
        fingerprint: The same for the same content, and for no other.
        kin: The same also for contents that differ in their calibration alone.
    """

    def __init__(self, scene: BaseScene, annotation: bytes | None) -> None:
        self._scene = scene
        self._annotation = annotation
        told: JsonObject = _plain(_without_file_names(scene)) | {"type": scene.path}
        if annotation is not None:
            told["preAnnotation"] = json.loads(annotation, parse_float=lambda text: _number(float(text)))
        canonical = _canonical(told)
        self.fingerprint = _fingerprint(canonical)
        if "calibrationId" in told:
            kin = {name: value for name, value in told.items() if name != "calibrationId"}
            self.fingerprint += KIN + _fingerprint(_canonical(kin))
        self.kin = kin_of(self.fingerprint)
        # Of a large content, only the fields of each frame are outlined: more would take its time, and be too large.
        self._depth = 3 if len(canonical) > 32_768 else MAX_DEPTH
        self._told = told | {name: _summary(told[name]) for name in LARGE if name in told}

    def has(self, fingerprint: str | None) -> bool:
        """Whether this content made the fingerprint, by whichever rule. None is that of any content."""
        if fingerprint is None or fingerprint.startswith(RULE):
            return fingerprint is None or fingerprint.partition(KIN)[0] == self.fingerprint.partition(KIN)[0]
        return fingerprint == self.first_fingerprint

    @property
    def first_fingerprint(self) -> str:
        """What the first rule made of this content, in journals of schema 1. File names are part of it."""
        body = encode(self._scene)
        if "imuData" in body and not body["imuData"] and self._scene.path in ("cameras", "cameras-sequence"):
            del body["imuData"]  # which scenes of cameras could not have then
        return hashlib.sha256(to_json(body) + b"\n" + (self._annotation or b"")).hexdigest()

    def outline(self) -> str:
        """What the journal keeps of the content, to tell later how another one differs; compressed."""
        depth = self._depth
        while len(outline := _outlined(self._told, depth)) > MAX_OUTLINE and depth > 1:
            depth -= 1
        return outline

    def differences(self, outline: str | None) -> dict[str, str]:
        """By the path of each field that differs (`frames[3].images`), how it does (`2 -> 3`); empty if nobody knows.

        Raises:
            ValueError: If the outline is none of ours.
        """
        if outline is None:
            return {}
        match _decompressed(outline):
            case {"content": old, "depth": int(depth)}:
                return dict(_compared("", old, _cut(self._told, depth)))
            case _:
                raise ValueError("it has no outline of a content")


def _fingerprint(canonical: bytes) -> str:
    return RULE + hashlib.sha256(canonical).hexdigest()[:32]


def listed(differences: Mapping[str, str]) -> str:
    """Differences as an error says them: the first few of many, each of at most 200 characters."""
    told = [f"{path}: {change}" for path, change in islice(differences.items(), MAX_DIFFERENCES)]
    told = [each if len(each) <= 200 else f"{each[:200]}..." for each in told]  # names in metadata may have any length
    more = len(differences) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _without_file_names(scene: BaseScene) -> JsonObject:
    """The body of a scene without the names of its files, and the resource ids that were made from them."""
    body = encode(scene)
    frames = body["frames"] if "frames" in body else [body["frame"]]
    for frame, told in zip(scene.all_frames, frames, strict=True):
        described = [*told.get("images", ()), *told.get("pointClouds", ())]
        for file, names in zip(frame.files, described, strict=True):
            del names["filename"], names["clientFilename"]
            if file.is_named_by_filename:
                del names["resourceId"]
    return body


def _plain(value: Any) -> Any:
    """The value without what is empty, as a field that a later version adds will be; 1.0 is the same as 1."""
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
    """The value down to a depth. What is deeper is a digest, and so is the rest of a long text."""
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
    """What stands for an object or a list."""
    length = {"#": len(value)} if isinstance(value, list) else {}
    return {"~": _digest(value), **length}


def _digest(value: Any) -> str:
    return urlsafe_b64encode(hashlib.sha256(_canonical(value)).digest()[:6]).decode()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _number(number: float) -> float:
    """A whole number as an integer: a model makes 1.0 of what a dict has as 1."""
    return int(number) if number.is_integer() else number


def _outlined(told: JsonObject, depth: int) -> str:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=COMMON)
    outline = _canonical({"depth": depth, "content": _cut(told, depth)})
    return b64encode(deflate.compress(outline) + deflate.flush()).decode()


def _decompressed(text: str) -> Any:
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=COMMON)
    try:
        # Deflate makes nothing a thousand times smaller. What is longer is cut off, and so no JSON any more.
        content = inflate.decompress(b64decode(text), 1024 * MAX_OUTLINE)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return read_json(content)


def _compared(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """The paths at which two outlines of the same depth differ, each with how."""
    if old == new:
        return
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compared(f"{path}[{index}]", before, after)
    elif isinstance(old, dict) and isinstance(new, dict) and "~" not in {*old, *new}:  # which summaries have
        is_field = path.rpartition(".")[2] not in NAMED_BY_USERS
        for key in {**old, **new}:
            # `calibrationId` is the field `calibration_id`.
            name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key) if is_field else key
            yield from _compared(f"{path}.{name}" if path else name, old.get(key), new.get(key))
    else:
        before, after = _shown(old), _shown(new)
        yield path, "changed" if before == after else f"{before} -> {after}"


def _shown(value: Any) -> str:
    """A value of an outline for people: a list is its length."""
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
