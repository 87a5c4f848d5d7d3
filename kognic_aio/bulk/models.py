"""Models from JSON as people write it, in snake_case or camelCase. All problems are told at once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import attrs
from attrs import define, field

from kognic_aio._http.converter import CALIBRATIONS, wire_names
from kognic_aio._validation.converters import shown
from kognic_aio._validation.fields import Validated, closest
from kognic_aio.errors import InvalidError
from kognic_aio.model.resource import Resource
from kognic_aio.model.scene_request import LocalFile

M = TypeVar("M", bound=Validated)

NOT_WRITTEN = {"client_filename", "clientFilename"}
"""Names that dumps of models have, and that say nothing new."""


class Flaw(NamedTuple):
    """Something that is wrong in JSON: its place, such as `frames[3].images[0].filename`, and the kind of problem."""

    place: str
    problem: str
    code: str = "invalid-value"


class _Broken:
    """A value that could not be read. What it belongs to cannot be made."""


BROKEN = _Broken()


@cache
def names_of(kind: type) -> "Mapping[str, attrs.Attribute[Any]]":
    """The fields of a model by each of the names that they may have. A dot leads into an object."""
    wire = wire_names(kind)
    fields = [each for each in attrs.fields(cast("Any", kind)) if each.init]
    return {name: each for each in fields for name in (wire[each.name], each.alias) if name not in NOT_WRITTEN}


@define
class Reader:
    """Reads models from JSON, and notes what is wrong instead of stopping there.

    Args:
        folder: The folder to which the names of files are relative.

    Attributes:
        flaws: What is wrong.
    """

    folder: Path
    flaws: list[Flaw] = field(factory=list[Flaw], init=False)

    def model(self, kind: type[M], data: object, place: str = "") -> M | None:
        """The model that a JSON object describes, None if it cannot be made.

        One whose parts do not fit together is made all the same, so that more of its problems can be found.
        """
        made = self._model(kind, data, place)
        return made if isinstance(made, kind) else None

    def _value(self, annotation: Any, data: Any, place: str) -> Any:
        choices = [each for each in _choices(annotation) if each is not NoneType]
        if len(choices) > 1 and set(choices) <= set(CALIBRATIONS.values()):
            return self._calibration(data, place)
        kind = choices[0] if len(choices) == 1 else annotation
        if get_origin(kind) is Sequence and isinstance(data, list):
            each = [self._value(get_args(kind)[0], item, f"{place}[{i}]") for i, item in enumerate(data)]
            sound = [item for item in each if item is not BROKEN]
            return sound or (BROKEN if each else [])
        if get_origin(kind) is Mapping and isinstance(data, Mapping):
            each_named = {key: self._value(get_args(kind)[1], item, f"{place}[{key!r}]") for key, item in data.items()}
            return {key: item for key, item in each_named.items() if item is not BROKEN}
        if isinstance(kind, type) and issubclass(kind, Validated):
            return self._model(kind, data, place)
        return data  # which the model converts itself

    def _calibration(self, data: Any, place: str) -> Any:
        """A calibration of the kind that it names."""
        named = data if isinstance(data, Mapping) else {}
        kind = named.get("calibration_type", named.get("calibrationType"))
        if not isinstance(kind, str) or kind not in CALIBRATIONS:
            return self._broken(place, f"expected a calibration_type of {', '.join(CALIBRATIONS)}, got {shown(kind)}")
        return self._model(CALIBRATIONS[kind], data, place)

    def _model(self, kind: type[Any], data: Any, place: str) -> Any:
        if issubclass(kind, LocalFile) and isinstance(data, str):
            data = {"filename": data}
        if not isinstance(data, Mapping):
            return self._broken(place, f"expected an object, got {shown(data)}")
        flaws_before = len(self.flaws)
        given = self._arguments(kind, data, place)
        missing = [each.alias for each in attrs.fields(kind) if each.init and each.default is attrs.NOTHING]
        missing = [name for name in missing if name not in given]
        if missing and len(self.flaws) == flaws_before:
            return self._broken(place, f"missing {' and '.join(missing)}", "missing-field")
        if missing:
            return BROKEN
        self._find_file(kind, given)
        return self._made(kind, given, place)

    def _made(self, kind: type[Any], given: dict[str, Any], place: str) -> Any:
        """The model of some arguments. Those that are refused are left out, if the model can do without them."""
        made = object.__new__(kind)
        try:
            made.__init__(**given)  # so that it is there even if it is refused in the end
        except InvalidError as error:
            self._refused(kind, error, place)
            # The last thing that is checked is that the fields fit together, when all of them have their values.
            if all(hasattr(made, each.name) for each in attrs.fields(kind)):
                return made
            wrong = next((name for name in given if str(error).startswith(f"{kind.__qualname__}.{name}")), None)
            optional = {str(each.alias) for each in attrs.fields(kind) if each.default is not attrs.NOTHING}
            if wrong in optional:
                return self._made(kind, {name: value for name, value in given.items() if name != wrong}, place)
            return BROKEN
        return made

    def _arguments(self, kind: type[Any], data: Mapping[str, Any], place: str) -> dict[str, Any]:
        """The arguments of a model, read from the members of an object that are not null."""
        names, given = names_of(cast("type", kind)), dict[str, Any]()
        for name, value in _members(data, names):
            if name not in names:
                self._unknown(kind, name, place)
                continue
            alias, path = str(names[name].alias), f"{place}.{name}".removeprefix(".")
            if alias in given:
                self.flaws.append(Flaw(path, f"{alias} is given twice"))
            elif (read := self._value(names[name].type, value, path)) is not BROKEN:
                given[alias] = read
        return given

    def _unknown(self, kind: type[Any], name: str, place: str) -> None:
        known = [each.alias for each in attrs.fields(kind) if each.init]
        likely = closest(name, known)
        hint = f", did you mean {likely!r}?" if likely else f"; {kind.__qualname__} has {', '.join(known)}"
        self.flaws.append(Flaw(f"{place}.{name}".removeprefix("."), f"unknown field{hint}", "unknown-field"))

    def _find_file(self, kind: type[Any], given: dict[str, Any]) -> None:
        """Make the name of a file a path. The file keeps its name in the resource id, wherever the folder is."""
        name = given.get("filename")
        if not issubclass(kind, Resource | LocalFile) or not isinstance(name, str) or not name or name.startswith("~"):
            return
        path = self.folder / name
        given["filename"] = str(path)
        if issubclass(kind, Resource) and str(path) != name:
            stem, dot, suffix = name.rpartition(".")
            folder, slash, stem = stem.rpartition("/")
            given.setdefault("resource_id", f"{folder}{slash}{stem.replace('.', '_')}{dot}{suffix}")

    def _refused(self, kind: type[Any], error: InvalidError, place: str) -> None:
        problems = error.problems or [_split(str(error), kind)]
        self.flaws += [Flaw(f"{place}.{part}".strip("."), problem) for part, problem in problems]

    def _broken(self, place: str, problem: str, code: str = "invalid-value") -> _Broken:
        self.flaws.append(Flaw(place, problem, code))
        return BROKEN


def _split(message: str, kind: type[Any]) -> tuple[str, str]:
    """The place and the problem of a message such as `Image.filename: wrong format`."""
    start = f"{kind.__qualname__}."
    if not message.startswith(start):
        return "", message
    place, _, problem = message.removeprefix(start).partition(": ")
    return place, problem


def _choices(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _members(data: Mapping[str, Any], names: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
    """The members of an object that are not null, and the members of its parts by names with a dot."""
    for name, value in data.items():
        inner = f"{name}."
        if value is None or name in NOT_WRITTEN:
            continue
        if isinstance(value, Mapping) and any(known.startswith(inner) for known in names):
            yield from _members({inner + key: item for key, item in value.items()}, names)
        else:
            yield name, value
