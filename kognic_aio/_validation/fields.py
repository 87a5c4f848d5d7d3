"""Validation of attrs classes: once per class, each field gets the converter for its annotation.

A field `frames: Sequence[Frame]` takes any iterable of `Frame` and keeps a tuple. A string in it raises
`CamerasSequence.frames[3]: expected Frame, got 'a.jpg'`. A field with its own converter keeps that.
"""

import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from functools import cache, wraps
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import attrs

from kognic_aio._validation.converters import (
    Converter,
    Mismatch,
    flag,
    instance_of,
    integer,
    integer_in,
    key_text,
    mapping_of,
    member_of,
    optional,
    real,
    sequence_of,
    shown,
    text,
)
from kognic_aio.errors import InvalidError

M = TypeVar("M", bound="Validated")

SCALARS: Mapping[Any, Converter[Any]] = {str: text, int: integer, float: real, bool: flag}


def converter_for(annotation: Any) -> Converter[Any]:
    """The converter for an annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return integer_in(arguments[1])
    if origin in (Union, types.UnionType):
        return _one_of(arguments)
    if origin is Sequence:
        return sequence_of(converter_for(arguments[0]), arguments[0].__name__)
    if origin is Mapping:
        return mapping_of(converter_for(arguments[1]))
    return SCALARS[annotation] if annotation in SCALARS else _instance(annotation)


def _one_of(choices: tuple[Any, ...]) -> Converter[Any]:
    others = [choice for choice in choices if choice is not types.NoneType]
    convert = converter_for(others[0]) if len(others) == 1 else instance_of(*others)
    return convert if len(others) == len(choices) else optional(convert)


def _instance(kind: type[Any]) -> Converter[Any]:
    """The converter for members of an enum, or for a model, which may be passed as a mapping of its arguments."""
    if issubclass(kind, Enum):
        return member_of(kind)
    instance = instance_of(kind)
    if not issubclass(kind, Validated):
        return instance
    return lambda value: from_mapping(kind, value) if isinstance(value, Mapping) else instance(value)


def with_converters(_: type, fields: list["attrs.Attribute[Any]"]) -> list["attrs.Attribute[Any]"]:
    """Give each field its converter: the `field_transformer` of every class that validates."""
    return [_with_converter(field) for field in fields]


def _with_converter(field: "attrs.Attribute[Any]") -> "attrs.Attribute[Any]":
    # An inherited field has its converter already. If a subclass annotates it anew, attrs makes a new field.
    if not field.init or isinstance(field.converter, attrs.Converter):
        return field
    annotation: Any = field.type
    return field.evolve(converter=_validating(field.converter, annotation))


@cache  # making a converter of attrs is slow
def _validating(own: Converter[Any] | None, annotation: Any) -> "attrs.Converter[Any, Any]":
    """The converter of a field, from its own converter or its annotation. Its errors name the field."""
    convert = own or converter_for(annotation)

    def validate(value: Any, instance: object, field: "attrs.Attribute[Any]") -> Any:
        try:
            return convert(value)
        except Mismatch as mismatch:
            raise mismatch.error(f"{type(instance).__qualname__}.{field.alias}") from mismatch.__cause__

    # attrs shows the annotation of the first argument in the signature of the constructor. The first parameter of every
    # converter has to be annotated: without it, its class cannot be made.
    validate.__annotations__["value"] = next(iter(own.__annotations__.values())) if own else annotation
    return attrs.Converter(validate, takes_self=True, takes_field=True)


class Validated:
    """Base of the models that users create. Errors and `help()` list all arguments of a class, with inherited ones."""

    __slots__ = ()

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        init: Any = cls.__init__

        @wraps(init)
        def construct(self: Any, *positional: Any, **given: Any) -> None:
            try:
                init(self, *positional, **given)
            except TypeError:  # perhaps raised by an iterable among the values
                if positional:
                    names = ", ".join(f"{name}=..." for name in _arguments(cls))
                    usage = f"{cls.__qualname__} takes its arguments by name: {cls.__qualname__}({names})"
                    raise InvalidError(usage) from None
                if problem := _misuse(cls, given):
                    raise InvalidError(f"{cls.__qualname__}: {problem}") from None
                raise

        cls.__init__ = construct  # type: ignore[method-assign]
        cls.__doc__ = _docstring(cls)

    def _invalid(self, place: str, problem: str) -> InvalidError:
        """The error for a field, from its place and its problem."""
        return InvalidError(f"{type(self).__qualname__}.{place}: {problem}")

    def _refuse(self, problems: Iterable[tuple[str, str]]) -> None:
        """Raise an InvalidError for the first of some problems, if there is any. It has them all."""
        if found := (*problems,):
            error = self._invalid(*found[0])
            error.problems = found
            raise error


def from_mapping(kind: type[M], given: Mapping[Any, Any]) -> M:
    """A model from the mapping of its arguments."""
    arguments = {key_text(name): value for name, value in given.items()}
    if problem := _misuse(kind, arguments):
        raise Mismatch(f"expected {kind.__qualname__}, got {shown(given)}: {problem}")
    try:
        return kind(**arguments)
    except InvalidError as error:
        raise Mismatch(str(error), kind=type(error)) from error


def _misuse(kind: type[Any], given: Iterable[str]) -> str | None:
    """The problem with the names of arguments: one is unknown, or some are missing."""
    names, known = list(given), _arguments(kind)
    if unknown := next((name for name in names if name not in known), None):
        likely = closest(unknown, known)
        hint = f", did you mean {likely!r}?" if likely else "."
        return f"unknown argument {unknown!r}{hint} It takes {', '.join(known)}"
    missing = [name for name, is_required in known.items() if is_required and name not in names]
    return f"missing {' and '.join(missing)}" if missing else None


def _arguments(kind: type[Any]) -> dict[str, bool]:
    """The names of a class's arguments, and whether each is required."""
    return {str(field.alias): field.default is attrs.NOTHING for field in attrs.fields(kind) if field.init}


def closest(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name, ignoring case and underscores: one that begins with it, if there is one."""
    spelled = {each.replace("_", "").lower(): each for each in known}
    wanted = name.replace("_", "").lower()
    longer = [each for each in spelled if len(wanted) > 3 and each.startswith(wanted)]
    found = sorted(longer, key=len) or get_close_matches(wanted, spelled, n=1)
    return spelled[found[0]] if found else None


def _docstring(kind: type) -> str | None:
    """The docstring of a class, with the arguments that its bases describe.

    A base describes its own under `Args:`, and those of several derived classes under `Args of ...:`.
    """
    if kind.__doc__ is None:  # under `python -OO`
        return None
    described: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        described |= _described(each.__doc__ or "")
    entries = dict.fromkeys(described[name] for name in _arguments(kind) if name in described)
    paragraphs = [each for each in inspect.cleandoc(kind.__doc__).split("\n\n") if not each.startswith("Args:\n")]
    at = next((i for i, each in enumerate(paragraphs) if each.startswith(("Args of", "Raises:"))), len(paragraphs))
    section = ["\n".join(["Args:", *entries])] if entries else []
    return "\n\n".join([*paragraphs[:at], *section, *paragraphs[at:]])


@cache  # many classes share their bases
def _described(docstring: str) -> dict[str, str]:
    """The entries of the argument sections of a docstring by name. Names may share one, as in `x, y: In metres`."""
    sections = re.findall(r"^Args.*:\n((?:    .+\n?)+)", inspect.cleandoc(docstring), re.MULTILINE)
    entries = [entry for section in sections for entry in re.split(r"\n(?=    \S)", section.rstrip())]
    return {name: entry for entry in entries for name in entry.strip().partition(":")[0].split(", ")}
