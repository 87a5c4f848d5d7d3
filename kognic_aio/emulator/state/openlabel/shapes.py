"""Building blocks for the rules of OpenLABEL: a shape checks one value, and says where it is wrong."""

import re
from collections.abc import Callable, Mapping

from kognic_aio.emulator.state.body import Body

Shape = Callable[[Body], object]
"""Checks a value, and raises BadRequestError where it is wrong."""

UID = re.compile(r"-?[0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The key of an element: a number or a UUID."""
DIGITS = re.compile(r"[0-9]+")


def anything(_: Body) -> None:
    """Any value."""


def whole_number(value: Body) -> None:
    """An integer, which JSON may write with a decimal point."""
    if not (isinstance(value.value, float) and value.value.is_integer()):
        value.integer()


def text_or_whole_number(value: Body) -> None:
    """A string or an integer."""
    if not isinstance(value.value, str):
        whole_number(value)


def text_or_number(value: Body) -> None:
    """A string or a number."""
    if not isinstance(value.value, str):
        value.number()


def one_of(*allowed: str) -> Shape:
    """One of some strings."""

    def check(value: Body) -> None:
        if value.string() not in allowed:
            raise value.error(f"must be {' or '.join(map(repr, allowed))}, got {value.value!r}")

    return check


def listing(item: Shape, length: int | None = None, maximum: int | None = None) -> Shape:
    """A list, of any length, of a fixed one, or from `length` to `maximum` items."""

    def check(value: Body) -> None:
        for each in value.items(length or 0, length if maximum is None else maximum):
            item(each)

    return check


def numbers(length: int | None = None, maximum: int | None = None) -> Shape:
    """A list of numbers, of any length, of a fixed one, or from `length` to `maximum` items."""
    return listing(Body.number, length, maximum)


def mapping(item: Shape, key: re.Pattern[str] | None = None) -> Shape:
    """An object with any keys, or with keys of a pattern."""

    def check(value: Body) -> None:
        for name, each in value.entries().items():
            if key is not None and not key.fullmatch(name):
                wanted = "a number" if key is DIGITS else "a number or a UUID"
                raise value.error(f"has the key {name!r}, must have {wanted}")
            item(each)

    return check


def record(required: Mapping[str, Shape], optional: Mapping[str, Shape], *, extensible: bool = False) -> Shape:
    """An object with known keys. If extensible, it may have others. Only optional members may be null."""

    def check(value: Body) -> None:
        given = value.entries()
        for name in required:
            if name not in given:
                raise Body(None, f"{value.path}.{name}").error("is missing")
        for name, each in given.items():
            if name in required:
                required[name](each)
            elif name in optional:
                if each.value is not None:
                    optional[name](each)
            elif not extensible:
                raise each.error("is an unknown key")

    return check


def nullable(shape: Shape) -> Shape:
    """A required member that may be null."""

    def check(value: Body) -> None:
        if value.value is not None:
            shape(value)

    return check


def text_or(shape: Shape) -> Shape:
    """A string, or something else."""

    def check(value: Body) -> None:
        if isinstance(value.value, str):
            value.string()
        else:
            shape(value)

    return check
