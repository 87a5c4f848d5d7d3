"""Converters: each turns a value into what a field or an argument takes, or raises Mismatch.

They take values as people have them: scalars of numpy, members of enums, whole floats where integers belong. They
return Python's own types, so that a request is plain JSON. They do not guess: text and flags are no numbers.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from math import isfinite, isnan
from numbers import Real
from os import PathLike
from typing import Any, SupportsFloat, SupportsInt, TypeAlias, TypeVar, cast
from uuid import UUID

from kognic_aio._validation.official import home_of, official_problem
from kognic_aio.errors import InvalidError, OfficialModelError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Converter: TypeAlias = Callable[[Any], T]

MAX_SHOWN = 60
"""Characters of a value that an error repeats."""

EARLIEST = 1_262_304_000 * 10**9
"""2010 in nanoseconds of Unix time. Recordings are newer, and the 1 s of a test, read in seconds, is in 2001."""

LATEST = 2_000_000_000 * 10**9
"""2033 in nanoseconds of Unix time. The 2 s of a test, read in seconds, are a later date."""

UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
"""Nanoseconds of each unit that people mistake for nanoseconds."""


class Mismatch(Exception):  # noqa: N818  # users never see it: it becomes an InvalidError
    """A value that does not fit. Its place is added on the way out, so that values that fit cost nothing."""

    def __init__(self, problem: str, place: str = "", kind: type[InvalidError] = InvalidError) -> None:
        super().__init__(f"{place}: {problem}")
        self.problem = problem
        self.place = place
        self.kind = kind

    def inside(self, step: str) -> "Mismatch":
        """The same, seen from outside a list or mapping."""
        return Mismatch(self.problem, f"{step}{self.place}", self.kind)

    def error(self, where: str) -> InvalidError:
        """The error for users, who are told the field or argument."""
        return self.kind(f"{where}{self}")


def argument(name: str, value: object, convert: Converter[T]) -> T:
    """What a converter makes of an argument. The InvalidError for a value that does not fit begins with its name."""
    try:
        return convert(value)
    except Mismatch as mismatch:
        raise mismatch.error(name) from mismatch.__cause__


def plain(value: Any) -> Any:
    """The value of an enum's member, Python's own number for a scalar of numpy; anything else as it is."""
    if isinstance(value, Enum):
        return plain(value.value)
    return value.item() if is_single(value) and _numpy_kind(value) in "biufc" else value


def _numpy_kind(value: Any) -> str:
    """What numpy calls the kind of a scalar or array: f for floats, M and m for dates and durations, "" for others."""
    return getattr(getattr(value, "dtype", None), "kind", "")


def is_single(value: Any) -> bool:
    """Whether it is a scalar of numpy, or an array without dimensions, which claims to be iterable and is not."""
    return getattr(value, "shape", None) == ()


def is_date(nanoseconds: float) -> bool:
    """Whether a Unix timestamp is of the years in which scenes were recorded."""
    return EARLIEST <= nanoseconds < LATEST


def looks_like(*timestamps: float) -> str | None:
    """The unit in which all these Unix timestamps are dates, None if that is nanoseconds or no unit at all."""
    return next((unit for unit, factor in UNITS.items() if all(is_date(t * factor) for t in timestamps)), None)


def shown(value: object) -> str:
    """A value in an error, not longer than people read."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({type(value).__name__})"


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


def external_id(value: object) -> str:
    """An external id of a project, batch or scene: text or a UUID, and not empty."""
    given = plain(value)
    if isinstance(given, str | UUID) and (found := str(given)):
        return found
    raise Mismatch(f"expected its external id, got {shown(value)}")


def integer(value: Any) -> int:
    """An integer, also as a float without a fraction."""
    if type(value) is int:
        return value
    given = plain(value)
    if not isinstance(given, bool):
        with suppress(TypeError):
            return operator.index(given)
        if isinstance(given, Real | Decimal) and _numpy_kind(given) not in ("m", "M"):
            with suppress(ValueError, OverflowError):  # of what is not finite
                whole = int(cast("SupportsInt", given))
                if whole == given:
                    return whole
    raise Mismatch(f"expected an integer, got {shown(value)}")


def integer_in(unit: str) -> Converter[int]:
    """Integers in a unit, which the error names."""

    def convert(value: Any) -> int:
        try:
            return integer(_unix_nanoseconds(value) if unit == "nanoseconds" else value)
        except Mismatch as mismatch:
            likely = looks_like(float(value)) if isinstance(value, Real) and unit == "nanoseconds" else None
            hint = "" if likely is None else f", and this looks like {likely}"
            raise Mismatch(f"{mismatch.problem}; {unit} are expected{hint}") from None

    return convert


def _unix_nanoseconds(value: Any) -> Any:
    """The nanoseconds of a numpy date in any unit; everything else unchanged."""
    if _numpy_kind(value) != "M" or not is_single(value):
        return value
    nanoseconds = value.astype("datetime64[ns]")
    # NaT, and what overflows, differ from what they were.
    return nanoseconds.astype("int64") if nanoseconds.astype(value.dtype) == value else value


def count(value: int) -> int:
    """A whole number of at least 1."""
    given: object = plain(value)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    raise Mismatch(f"expected a whole number of at least 1, got {shown(value)}")


def seconds(value: float) -> float:
    """A duration in seconds; `math.inf` is no bound."""
    given: object = plain(value)
    if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
        return given
    raise Mismatch(f"expected seconds, got {shown(value)}")


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
    if is_number and _numpy_kind(given) not in ("m", "M"):
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


def optional(convert: Converter[T]) -> Converter[T | None]:
    """None, or what a converter makes of other values."""
    return lambda value: None if value is None else convert(value)


optional_external_id = optional(external_id)


def member_of(kind: type[E]) -> Converter[E]:
    """A member of an enum, also by its value."""

    def convert(value: Any) -> E:
        if isinstance(value, kind):
            return value
        with suppress(ValueError):
            return kind(plain(value))
        expected = ", ".join(str(member.value) for member in kind)
        raise Mismatch(f"expected one of {expected}, got {shown(value)}")

    return convert


def instance_of(*kinds: type[T]) -> Converter[T]:
    """An instance of one of some classes, as it is."""

    def convert(value: Any) -> T:
        if isinstance(value, kinds):
            return value
        raise _foreign(value, kinds)

    return convert


def _foreign(value: object, kinds: tuple[type, ...]) -> Mismatch:
    """Why a value of another class does not fit, and what to import if it is a namesake of ours or kognic-io's."""
    theirs = type(value)
    namesake = next((kind for kind in kinds if kind.__name__ == theirs.__name__), None)
    if (problem := official_problem(value, namesake or kinds[0])) is not None:
        return Mismatch(problem, kind=OfficialModelError)
    if namesake is None:
        expected = " or ".join(kind.__qualname__ for kind in kinds)
        return Mismatch(f"expected {expected}, got {shown(value)}")
    whose = f"{theirs.__qualname__} of {theirs.__module__}"
    return Mismatch(f"expected {namesake.__qualname__} of {home_of(namesake)}, got {whose}")


def sequence_of(convert: Converter[T], of: str) -> Converter[tuple[T, ...]]:
    """A tuple of the items of any iterable but text and mappings; `of` names what they are."""

    def convert_all(value: Any) -> tuple[T, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or is_single(value):
            raise Mismatch(f"expected a list of {of}, got {shown(value)}")
        items: list[T] = []
        try:
            for each in value:
                items.append(convert(each))  # noqa: PERF401  # their number says where a mismatch is
        except Mismatch as mismatch:
            raise mismatch.inside(f"[{len(items)}]") from None
        return tuple(items)

    return convert_all


def mapping_of(convert: Converter[T]) -> Converter[dict[str, T]]:
    """A dict of the items of a mapping whose keys are text."""

    def convert_items(value: Any) -> dict[str, T]:
        if not isinstance(value, Mapping):
            raise Mismatch(f"expected a mapping, got {shown(value)}")
        converted: dict[str, T] = {}
        for key, each in value.items():
            name = key_text(key)
            if name in converted:
                raise Mismatch(f"{name!r} is there twice, under {shown(key)} too")
            try:
                converted[name] = convert(each)
            except Mismatch as mismatch:
                raise mismatch.inside(f"[{name!r}]") from None
        return converted

    return convert_items


def key_text(key: Any) -> str:
    """The text of a mapping's key."""
    try:
        return text(key)
    except Mismatch:
        raise Mismatch(f"keys must be str, got {shown(key)}") from None
