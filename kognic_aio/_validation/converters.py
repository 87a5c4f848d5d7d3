"""Converters: each converts a value to the type of a field or argument, or raises Mismatch.

They accept values as people have them: scalars of numpy, members of enums, whole floats as integers. They return
Python's own types, so that a request is plain JSON. They do not guess: text and flags are not numbers.
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
"""Characters of a value shown in an error."""

EARLIEST = 1_262_304_000 * 10**9
"""2010 in nanoseconds of Unix time. Recordings are newer, and the 1 s of a test, read in seconds, is in 2001."""

LATEST = 2_000_000_000 * 10**9
"""2033 in nanoseconds of Unix time. The 2 s of a test, read in seconds, are a later date."""

UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
"""Nanoseconds in each unit that people confuse with nanoseconds."""


class Mismatch(Exception):  # noqa: N818  # users never see it: it becomes an InvalidError
    """A value that does not fit. Its place is added while it propagates, so that values that fit cost nothing."""

    def __init__(self, problem: str, kind: type[InvalidError] = InvalidError) -> None:
        super().__init__(problem)
        self.place = ""
        self.kind = kind

    def error(self, where: str) -> InvalidError:
        """The error for users, which names the field or argument."""
        return self.kind(f"{where}{self.place}: {self}")


def argument(name: str, value: object, convert: Converter[T]) -> T:
    """The converted value of an argument. The InvalidError for a value that does not fit begins with its name."""
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
    """Numpy's kind of a scalar or array: f for floats, M and m for dates and durations; "" for other values."""
    return getattr(getattr(value, "dtype", None), "kind", "")


def is_single(value: Any) -> bool:
    """Whether it is a numpy scalar or an array without dimensions, which looks iterable and is not."""
    return getattr(value, "shape", None) == ()


def is_date(nanoseconds: float) -> bool:
    """Whether a Unix timestamp is between 2010 and 2033, when scenes are recorded."""
    return EARLIEST <= nanoseconds < LATEST


def looks_like(*timestamps: float) -> str | None:
    """The unit other than nanoseconds in which all these Unix timestamps are dates, None if there is none."""
    return next((unit for unit, factor in UNITS.items() if all(is_date(t * factor) for t in timestamps)), None)


def shown(value: object) -> str:
    """The repr of a value for an error, cut at MAX_SHOWN."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({type(value).__name__})"


def text(value: Any) -> str:
    """Text, also as the value of an enum member, or as UTF-8."""
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
    """The external id of a project, batch or scene: text or a UUID, not empty."""
    given = plain(value)
    if isinstance(given, str | UUID) and (found := str(given)):
        return found
    raise Mismatch(f"expected an external id, got {shown(value)}")


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
    """A converter for integers in a unit, which its errors name."""

    def convert(value: Any) -> int:
        try:
            return integer(_unix_nanoseconds(value) if unit == "nanoseconds" else value)
        except Mismatch as mismatch:
            likely = looks_like(float(value)) if isinstance(value, Real) and unit == "nanoseconds" else None
            hint = "" if likely is None else f", and this looks like {likely}"
            raise Mismatch(f"{mismatch}; {unit} are expected{hint}") from None

    return convert


def _unix_nanoseconds(value: Any) -> Any:
    """The nanoseconds of a numpy date in any unit; everything else unchanged."""
    if _numpy_kind(value) != "M" or not is_single(value):
        return value
    nanoseconds = value.astype("datetime64[ns]")
    # NaT and overflows compare unequal.
    return nanoseconds.astype("int64") if nanoseconds.astype(value.dtype) == value else value


def count(value: int) -> int:
    """A whole number of at least 1."""
    given: object = plain(value)
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    raise Mismatch(f"expected a whole number of at least 1, got {shown(value)}")


def seconds(value: float) -> float:
    """A duration in seconds; `math.inf` means no bound."""
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
    """True or false, also as 1 or 0, as in tables."""
    if type(value) is bool:
        return value
    given = plain(value)
    if isinstance(given, Real | Decimal) and given in (0, 1):
        return bool(given)
    raise Mismatch(f"expected bool, got {shown(value)}")


def optional(convert: Converter[T]) -> Converter[T | None]:
    """A converter that also accepts None."""
    return lambda value: None if value is None else convert(value)


def optional_external_id(value: object) -> str | None:
    """An external id, or None."""
    return None if value is None else external_id(value)


def member_of(kind: type[E]) -> Converter[E]:
    """A converter for members of an enum, also by value."""

    def convert(value: Any) -> E:
        if isinstance(value, kind):
            return value
        with suppress(ValueError):
            return kind(plain(value))
        expected = ", ".join(str(member.value) for member in kind)
        raise Mismatch(f"expected one of {expected}, got {shown(value)}")

    return convert


def one_of(*choices: str) -> Converter[str]:
    """A converter for one of some words."""

    def convert(value: object) -> str:
        if (word := plain(value)) in choices and isinstance(word, str):
            return word
        raise Mismatch(f"expected one of {', '.join(choices)}, got {shown(value)}")

    return convert


def instance_of(*kinds: type[T]) -> Converter[T]:
    """A converter for instances of some classes, which returns them unchanged."""

    def convert(value: Any) -> T:
        if isinstance(value, kinds):
            return value
        raise _foreign(value, kinds)

    return convert


def _foreign(value: object, kinds: tuple[type, ...]) -> Mismatch:
    """The mismatch of another class, with the right import if it has the same name as ours or kognic-io's."""
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
    """A converter from any iterable except text and mappings to a tuple; `of` names the items in errors."""

    def convert_all(value: Any) -> tuple[T, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or is_single(value):
            raise Mismatch(f"expected a list of {of}, got {shown(value)}")
        items: list[T] = []
        try:
            for each in value:
                items.append(convert(each))  # noqa: PERF401  # their number is the index of a mismatch
        except Mismatch as mismatch:
            mismatch.place = f"[{len(items)}]{mismatch.place}"
            raise
        return tuple(items)

    return convert_all


def mapping_of(convert: Converter[T]) -> Converter[dict[str, T]]:
    """A converter from a mapping with text keys to a dict."""

    def convert_items(value: Any) -> dict[str, T]:
        if not isinstance(value, Mapping):
            raise Mismatch(f"expected a mapping, got {shown(value)}")
        converted: dict[str, T] = {}
        for key, each in value.items():
            name = key_text(key)
            if name in converted:
                raise Mismatch(f"duplicate key {name!r} (also given as {shown(key)})")
            try:
                converted[name] = convert(each)
            except Mismatch as mismatch:
                mismatch.place = f"[{name!r}]{mismatch.place}"
                raise
        return converted

    return convert_items


def key_text(key: Any) -> str:
    """The text of a mapping's key."""
    try:
        return text(key)
    except Mismatch:
        raise Mismatch(f"keys must be str, got {shown(key)}") from None
