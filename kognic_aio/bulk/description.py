"""A scene from its description: the JSON of a line in a manifest, or what a folder holds, which is put in that form."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import field, fields, frozen

from kognic_aio._http.wire import encode
from kognic_aio._json import read_json
from kognic_aio._regular import read_all
from kognic_aio._validation.converters import shown
from kognic_aio._validation.fields import closest
from kognic_aio.bulk.models import Flaw, Reader
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.errors import InvalidError
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    BaseScene,
    Cameras,
    CamerasSequence,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    PreAnnotation,
)
from kognic_aio.model.calibration import SensorCalibration
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.model.target import InputTarget
from kognic_aio.pipeline.result import SceneWithPreAnnotation
from kognic_aio.scenes.job import AnyScene

T = TypeVar("T")

KINDS: Mapping[str, type[BaseScene] | type[SceneRequest]] = {
    **{
        kind.path.replace("-", "_"): kind
        for kind in (
            Cameras,
            CamerasSequence,
            Lidars,
            LidarsSequence,
            LidarsAndCameras,
            LidarsAndCamerasSequence,
            AggregatedLidarsAndCamerasSequence,
        )
    },
    "scene_request": SceneRequest,
}
"""The classes of scenes by their `type` in a description."""

UNCALIBRATED = "it needs one, or a calibration: in a folder, the file calibration.json"
"""What to do without a calibration's id."""

MAX_SHOWN = 5
"""Problems that the error of a scene names."""

MAX_JSON = 256 << 20
"""Bytes of a calibration or a pre-annotation."""


@frozen(kw_only=True)
class Description:
    """A scene as somebody has described it.

    Args:
        place: Where, such as `scenes.jsonl:17` or the path of a folder.
        folder: The folder to which the names of files are relative.
        content: The fields of the scene, its `type`, and what comes with it; None if it cannot be read.
        name: The external id of a scene that does not have its own.
        problems: What was found to be wrong already.
    """

    place: str
    folder: Path
    content: Mapping[str, Any] | None
    name: str | None = None
    problems: tuple[Problem, ...] = ()


@frozen(kw_only=True)
class DescribedScene:
    """A scene that was read from its description.

    Args:
        name: Its external id, or its place if it has none.
        place: Where it is described.
        scene: The scene; None if it cannot be made. If there are problems, it may have parts that do not fit together.
        pre_annotations: Its pre-annotations by name; a single one has none.
        targets: Its own targets.
        calibration: The calibration that it comes with. The scene has its external id, until the platform's id is
            known.
        problems: What is wrong.
    """

    name: str
    place: str
    scene: AnyScene | None = None
    pre_annotations: Mapping[str | None, PreAnnotation] = field(factory=dict[str | None, PreAnnotation])
    targets: tuple[InputTarget, ...] = ()
    calibration: SensorCalibration | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether it cannot be uploaded."""
        return any(problem.is_error for problem in self.problems)

    def item(self) -> SceneWithPreAnnotation:
        """The scene with what comes with it, for a run.

        Raises:
            InvalidError: If something is wrong with it.
        """
        if self.scene is None or self.has_errors:
            errors = [str(problem) for problem in self.problems if problem.is_error]
            more = f"; and {len(errors) - MAX_SHOWN:,} more" if len(errors) > MAX_SHOWN else ""
            raise InvalidError("; ".join(errors[:MAX_SHOWN]) + more)
        named = {name: each for name, each in self.pre_annotations.items() if name is not None}
        return SceneWithPreAnnotation(
            self.scene, self.pre_annotations.get(None), pre_annotations=named, targets=self.targets
        )


def read_scene(description: Description, workspace_id: str = "") -> DescribedScene:
    """Read a scene from its description, and note all that is wrong with that. It reads files, but not those to upload.

    Args:
        description: The description.
        workspace_id: The workspace of a `scene_request` that does not name one.
    """
    if description.content is None:
        name = description.name or description.place
        return DescribedScene(name=name, place=description.place, problems=description.problems)
    return _Reading(description, description.content).scene(workspace_id)


class _Reading:
    """The reading of one description."""

    def __init__(self, description: Description, content: Mapping[str, Any]) -> None:
        self._description = description
        self._content = {name: value for name, value in content.items() if value is not None}
        self._reader = Reader(description.folder)
        self._warnings: list[Problem] = []

    def scene(self, workspace_id: str) -> DescribedScene:
        """Read all parts."""
        has_calibration = "calibration" in self._content
        calibration = self._calibration()
        pre_annotations = self._pre_annotations()
        targets = self._targets(pre_annotations)
        kind = self._kind()
        name = self._external_id()
        scene = None
        if kind is not None:
            if kind is SceneRequest:
                self._content.setdefault("workspace_id", self._content.pop("workspaceId", workspace_id or "unknown"))
            if has_calibration and "calibration_id" not in {each.name for each in fields(kind)}:
                self._warn("unused-calibration", f"scenes of the type {kind.__name__} have no calibration")
                calibration = None
            elif has_calibration:
                self._content["calibration_id"] = "unknown" if calibration is None else calibration.external_id
            scene = self._reader.model(kind, self._content)
        return DescribedScene(
            name=name or self._description.place,
            place=self._description.place,
            scene=scene,
            pre_annotations=pre_annotations,
            targets=targets,
            calibration=calibration,
            problems=(*self._description.problems, *self._problems(name), *self._warnings),
        )

    def _problems(self, name: str | None) -> list[Problem]:
        return [
            Problem(
                code=flaw.code,
                scene=name or self._description.place,
                frame=self._frame_of(flaw.place),
                file=self._description.place,
                message=f"{flaw.place}: {flaw.problem}" if flaw.place else flaw.problem,
                hint=UNCALIBRATED if flaw.problem == "missing calibration_id" else None,
            )
            for flaw in self._reader.flaws
        ]

    def _frame_of(self, place: str) -> str | None:
        """The id of the frame that a place is in; its number if it has no id."""
        found = re.search(r"frames\[(\d+)\]", place)
        if found is None:
            return None
        specification = self._content.get("convertedSpecification")
        inner = specification.get("frames") if isinstance(specification, Mapping) else None
        frames, number = self._content.get("frames", inner), int(found[1])
        frame = frames[number] if isinstance(frames, list) and number < len(frames) else None
        names = ("frame_id", "frameId", "id")
        ids = [frame[name] for name in names if name in frame] if isinstance(frame, Mapping) else []
        return str(ids[0]) if ids else found[1]

    def _flaw(self, place: str, problem: str, code: str = "invalid-value") -> None:
        self._reader.flaws.append(Flaw(place, problem, code))

    def _warn(self, code: str, message: str) -> None:
        name, place = self._external_id() or self._description.place, self._description.place
        self._warnings.append(Problem(code=code, severity=Severity.WARNING, scene=name, file=place, message=message))

    def _taken(self, *names: str) -> Any:
        """What comes with the scene under one of these names, None if there is nothing."""
        given = [self._content.pop(name) for name in names if name in self._content]
        if len(given) > 1:
            self._flaw(names[0], "is given twice")
        return given[0] if given else None

    def _kind(self) -> type[BaseScene] | type[SceneRequest] | None:
        given = self._taken("type")
        kinds = ", ".join(KINDS)
        if given is None:
            self._flaw("type", f"missing: expected one of {kinds}", "missing-field")
            return None
        kind = KINDS.get(given.replace("-", "_").lower()) if isinstance(given, str) else None
        if kind is None:
            likely = closest(given, KINDS) if isinstance(given, str) else None
            hint = f", did you mean {likely!r}?" if likely else f"; there are {kinds}"
            self._flaw("type", f"{shown(given)} is not a type of scene{hint}", "unknown-type")
        return kind

    def _external_id(self) -> str | None:
        """The external id of the scene, if it can be told."""
        if not any(name in self._content for name in ("external_id", "externalId")) and self._description.name:
            self._content["external_id"] = self._description.name
        given = self._content.get("external_id", self._content.get("externalId"))
        if isinstance(given, str) and not is_unicode(given):
            self._flaw("external_id", f"{shown(given)} is no Unicode text")
            return None
        return given if isinstance(given, str) and given else None

    def _calibration(self) -> SensorCalibration | None:
        given = self._file_or_inline("calibration", self._taken("calibration"))
        if given is None:
            return None
        if any(name in self._content for name in ("calibration_id", "calibrationId")):
            self._flaw("calibration", "give either a calibration or a calibration_id")
        if isinstance(given, Mapping) and isinstance(given.get("calibration"), Mapping):
            given = given["calibration"]  # with an external id, as it is sent to the platform
        if not given:
            self._flaw("calibration", "it has no sensor")
            return None
        flaws = len(self._reader.flaws)
        read = self._reader.model(SensorCalibration, {"external_id": "unknown", "calibration": given})
        return None if read is None or len(self._reader.flaws) > flaws else named_by_content(read)

    def _pre_annotations(self) -> Mapping[str | None, PreAnnotation]:
        single = self._taken("pre_annotation", "preAnnotation", "preannotation")
        several = self._taken("pre_annotations", "preAnnotations")
        if several is not None and not isinstance(several, Mapping):
            self._flaw("pre_annotations", f"expected an object with pre-annotations by name, got {shown(several)}")
            several = None
        if single is not None and several:
            self._flaw("pre_annotation", "give either a pre_annotation, or pre_annotations by name")
            single = None
        given: dict[str | None, tuple[str, Any]] = {} if single is None else {None: ("pre_annotation", single)}
        for name, each in (several or {}).items():
            given[name] = (f"pre_annotations[{name!r}]", each)
        read = {name: self._file_or_inline(place, each) for name, (place, each) in given.items()}
        return {name: each for name, each in read.items() if each is not None}

    def _targets(self, pre_annotations: Mapping[str | None, PreAnnotation]) -> tuple[InputTarget, ...]:
        given = self._taken("targets")
        if given is None:
            return ()
        if not isinstance(given, list):
            self._flaw(
                "targets", f"expected a list of objects with project, batch and pre_annotation, got {shown(given)}"
            )
            return ()
        targets = [self._target(each, f"targets[{number}]") for number, each in enumerate(given)]
        for number, target in enumerate(targets):
            wanted = None if target is None else target.pre_annotation
            if wanted is not None and wanted not in pre_annotations:
                names = ", ".join(repr(name) for name in pre_annotations if name is not None) or "none by name"
                self._flaw(f"targets[{number}].pre_annotation", f"the scene has no {wanted!r}; it has {names}")
        return tuple(target for target in targets if target is not None)

    def _target(self, given: Any, place: str) -> InputTarget | None:
        if not isinstance(given, Mapping) or "project" not in given:
            self._flaw(place, f"expected an object with a project, got {shown(given)}")
            return None
        names = {"project": "project", "batch": "batch", "pre_annotation": "pre_annotation"}
        names["preAnnotation"] = "pre_annotation"
        for name in given.keys() - names:
            self._flaw(
                f"{place}.{name}", "unknown field; a target has project, batch and pre_annotation", "unknown-field"
            )
        try:
            return InputTarget(**{names[name]: value for name, value in given.items() if name in names})
        except InvalidError as error:
            self._flaw(place, str(error))
            return None

    def _file_or_inline(self, place: str, given: Any) -> Any:
        """The JSON object that is given, or that the file has whose path is given."""
        if given is None or isinstance(given, Mapping):
            return given
        if not isinstance(given, str):
            self._flaw(place, f"expected an object, or the path of a JSON file, got {shown(given)}")
            return None
        return self._attempt(place, lambda: read_object(self._description.folder / given))

    def _attempt(self, place: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InvalidError as error:
            self._flaw(place, str(error), "unreadable-file")
            return None


def is_unicode(text: str) -> bool:
    """Whether a text can be sent. Half of a pair of surrogates cannot, as in a file's name that is no UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InvalidError: If it cannot be read, or is something else.
    """
    content = read_value(path)
    if not isinstance(content, dict):
        raise InvalidError(f"{path}: expected a JSON object, got {shown(content)}")
    return content


def read_value(path: Path) -> Any:
    """The JSON in a file. Raises an InvalidError if it cannot be read."""
    try:
        return read_json(read_all(path, MAX_JSON))
    except OSError as error:
        raise InvalidError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidError(f"{path}: not JSON: {error}") from error


def named_by_content(calibration: SensorCalibration) -> SensorCalibration:
    """The same calibration with an external id that ends in the SHA-256 of its content.

    Numbers are written as the platform gets them, so that `1` and `1.0` are the same content.
    """
    content = encode(calibration)["calibration"]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return SensorCalibration(external_id=f"calibration-{digest}", calibration=calibration.calibration)
