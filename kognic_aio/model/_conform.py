"""What makes of a value what an annotation says, or says what is wrong with it.

Values are taken as people have them: scalars of numpy, enums with a value, whole floats for integers. They become
Python's own, so that what is sent is plain JSON. Nothing is guessed: text and flags are no numbers.
"""

import operator
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from math import isfinite, isnan
from numbers import Real
from os import PathLike
from typing import Annotated, Any, SupportsFloat, SupportsInt, TypeAlias, Union, cast, get_args, get_origin

import attrs

from kognic_aio._plain import numpy_kind, plain
from kognic_aio.errors import InvalidError, OfficialModelError
from kognic_aio.model._epoch import looks_like
from kognic_aio.model.official import home_of, official_problem

Conform: TypeAlias = Callable[[Any], Any]


class Mismatch(Exception):  # noqa: N818  # never seen by users: a model makes it an InvalidError
    """A value that does not fit. Its place is found on the way out, so that values that fit cost nothing."""

    def __init__(self, problem: str, place: str = "", kind: type[InvalidError] = InvalidError) -> None:
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.place = place
        self.kind = kind

    def inside(self, step: str) -> "Mismatch":
        """The same, seen from outside of a list, mapping or model."""
        return Mismatch(self.problem, f"{step}{self.place}", self.kind)


def conformer(annotation: Any) -> Conform:
    """What makes values conform to an annotation. It is made once for a field, as reflection takes its time."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _whole(*arguments[1:])
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is Sequence:
        return _sequence(arguments[0])
    if origin is Mapping:
        return _mapping(arguments[1])
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    return _member(annotation) if issubclass(annotation, Enum) else _instance((annotation,))


def shown(value: object) -> str:
    """A value in an error, not longer than people read."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}... ({type(value).__name__})"


def text(value: Any) -> str:
    """Text, also as the value of an enum's member, or as UTF-8."""
    if type(value) is str:
        return value
    given = plain(value)
    if isinstance(given, str):
        return str.__str__(given)  # of a subclass, whose own __str__ may say anything
    if isinstance(given, bytes | bytearray):
        with suppress(UnicodeDecodeError):
            return given.decode()
    if isinstance(value, Enum) and isinstance(given, int):
        return str(int(given))
    raise Mismatch(f"expected str, got {shown(value)}")


def path_text(value: str | PathLike[str]) -> str:
    """The text of a path."""
    given: object = plain(value)
    if isinstance(given, PathLike):
        given = given.__fspath__()
    if isinstance(given, str):
        return str.__str__(given)
    raise Mismatch(f"expected a path, got {shown(value)}")


def integer(value: Any) -> int:
    """An integer, also as a float without a fraction."""
    if type(value) is int:
        return value
    given = plain(value)
    if not isinstance(given, bool):
        with suppress(TypeError):
            return operator.index(given)
        if isinstance(given, Real | Decimal) and numpy_kind(given) not in ("m", "M"):
            with suppress(ValueError, OverflowError):  # of what is not finite
                whole = int(cast("SupportsInt", given))
                if whole == given:
                    return whole
    raise Mismatch(f"expected an integer, got {shown(value)}")


def real(value: Any) -> float:
    """A finite number: JSON has no others."""
    number = _float(value)
    if isfinite(number):
        return number
    raise Mismatch(f"expected a number, got {shown(value)}")


def real_or_nan(value: SupportsFloat) -> float:
    """A finite number, or NaN where that has a meaning."""
    number = _float(value)
    return number if isnan(number) else real(value)


def _float(value: Any) -> float:
    if type(value) is float:
        return value
    given = plain(value)
    is_number = not isinstance(given, str | bytes | bytearray | bool) and getattr(given, "shape", ()) == ()
    if is_number and numpy_kind(given) not in ("m", "M"):
        with suppress(TypeError, ValueError, OverflowError):
            return float(given)
    raise Mismatch(f"expected a number, got {shown(value)}")


def flag(value: Any) -> bool:
    """True or false, also as 1 or 0, which is what tables make of them."""
    if type(value) is bool:
        return value
    given = plain(value)
    if isinstance(given, Real | Decimal) and given in (0, 1):
        return bool(given)
    raise Mismatch(f"expected bool, got {shown(value)}")


_SCALARS: dict[Any, Conform] = {str: text, int: integer, float: real, bool: flag}


def _whole(unit: str) -> Conform:
    """Integers of a unit, which the error names."""

    def conform(value: Any) -> int:
        try:
            return integer(_unix_nanoseconds(value) if unit == "nanoseconds" else value)
        except Mismatch as mismatch:
            likely = looks_like(float(value)) if isinstance(value, Real) and unit == "nanoseconds" else None
            hint = "" if likely is None else f", and this looks like {likely}"
            raise Mismatch(f"{mismatch.problem}; {unit} are expected{hint}") from None

    return conform


def _unix_nanoseconds(value: Any) -> Any:
    """The nanoseconds of a date of numpy, of whatever unit it is; anything else as it is, and so what is no date."""
    if numpy_kind(value) != "M" or not is_single(value):
        return value
    nanoseconds = value.astype("datetime64[ns]")
    # Neither NaT nor what overflows is what it was.
    return nanoseconds.astype("int64") if nanoseconds.astype(value.dtype) == value else value


def _union(choices: tuple[Any, ...]) -> Conform:
    others = tuple(choice for choice in choices if choice is not type(None))
    conform = conformer(others[0]) if len(others) == 1 else _instance(others)
    return conform if len(others) == len(choices) else lambda value: None if value is None else conform(value)


def _sequence(item: Any) -> Conform:
    conform = conformer(item)

    def conform_all(value: Any) -> tuple[Any, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or is_single(value):
            raise Mismatch(f"expected a list of {item.__name__}, got {shown(value)}")
        items: list[Any] = []
        try:
            for each in value:
                items.append(conform(each))  # noqa: PERF401  # what conforms so far says where the next stands
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{len(items)}]") from None
        return tuple(items)

    return conform_all


def is_single(value: Any) -> bool:
    """Whether it is an array of numpy without dimensions, which says that it can be iterated but cannot."""
    return getattr(value, "shape", None) == ()


def _mapping(item: Any) -> Conform:
    conform = conformer(item)
    return lambda value: conform_items(value, conform)


def conform_items(value: Any, conform: Conform) -> dict[str, Any]:
    """A dict of what a mapping has, each under its name."""
    if not isinstance(value, Mapping):
        raise Mismatch(f"expected a mapping, got {shown(value)}")
    made: dict[str, Any] = {}
    for key, each in value.items():
        name = _key(key)
        if name in made:
            raise Mismatch(f"{name!r} is there twice, under {shown(key)} too")
        try:
            made[name] = conform(each)
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{name!r}]") from None
    return made


def _key(key: Any) -> str:
    try:
        return text(key)
    except Mismatch:
        raise Mismatch(f"keys must be str, got {shown(key)}") from None


def _member(kind: type[Enum]) -> Conform:
    def conform(value: Any) -> Enum:
        if isinstance(value, kind):
            return value
        with suppress(ValueError):
            return kind(plain(value))
        expected = ", ".join(str(member.value) for member in kind)
        raise Mismatch(f"expected one of {expected}, got {shown(value)}")

    return conform


def _instance(kinds: tuple[type, ...]) -> Conform:
    """Models; one of a single class may be the mapping of its arguments."""

    def conform(value: Any) -> Any:
        if isinstance(value, kinds):
            return value
        if len(kinds) == 1 and isinstance(value, Mapping) and attrs.has(kinds[0]):
            return made(kinds[0], value)
        raise _foreign(value, kinds)

    return conform


def made(kind: type[Any], given: Mapping[Any, Any]) -> Any:
    """A model from the mapping of its arguments."""
    arguments = {_key(name): value for name, value in given.items()}
    if problem := misuse(kind, arguments):
        raise Mismatch(f"expected {kind.__qualname__}, got {shown(given)}: {problem}")
    try:
        return kind(**arguments)
    except InvalidError as error:
        kind_of_error = OfficialModelError if isinstance(error, OfficialModelError) else InvalidError
        raise Mismatch(str(error), kind=kind_of_error) from error


def _foreign(value: object, kinds: tuple[type, ...]) -> Mismatch:
    """What to say of a value of other classes: what to import instead, if it is kognic-io's or has the same name."""
    theirs = type(value)
    namesake = next((kind for kind in kinds if kind.__name__ == theirs.__name__), None)
    if (problem := official_problem(value, namesake or kinds[0])) is not None:
        return Mismatch(problem, kind=OfficialModelError)
    if namesake is None:
        expected = " or ".join(kind.__qualname__ for kind in kinds)
        return Mismatch(f"expected {expected}, got {shown(value)}")
    whose = f"{theirs.__qualname__} of {theirs.__module__}"
    return Mismatch(f"expected {namesake.__qualname__} of {home_of(namesake)}, got {whose}")


def misuse(kind: type[Any], names: Iterable[str]) -> str | None:
    """What is wrong with the names of some arguments of a model: one that it does not know, or some that it needs."""
    fields = [field for field in attrs.fields(kind) if field.init]
    known = [str(field.alias) for field in fields]
    given = list(names)
    if unknown := next((name for name in given if name not in known), None):
        likely = closest(unknown, known)
        hint = f", did you mean {likely!r}?" if likely else "."
        return f"unknown argument {unknown!r}{hint} It takes {', '.join(known)}"
    missing = [str(field.alias) for field in fields if field.default is attrs.NOTHING and field.alias not in given]
    return f"missing {' and '.join(missing)}" if missing else None


def closest(name: str, known: Iterable[str]) -> str | None:
    """The one of some names that is most like another, whatever its case and underscores."""
    spelled = {each.replace("_", "").lower(): each for each in known}
    found = get_close_matches(name.replace("_", "").lower(), spelled, n=1)
    return spelled[found[0]] if found else None
