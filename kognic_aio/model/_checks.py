"""A model checks what it is given against its own annotations, and says where it is wrong.

A field `frames: Sequence[Frame]` takes any iterable of `Frame`, keeps a tuple, and answers a string among them with
`CamerasSequence.frames[3]: expected Frame, got 'a.jpg'`.
"""

import operator
import types
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from math import isfinite
from typing import Any, Union, cast, get_args, get_origin

from attrs import AttrsInstance, fields

from kognic_aio.errors import InvalidError
from kognic_aio.model.official import refuse_official


class Checked:
    """Base of what users fill in: each field becomes what its annotation says, or it says what is wrong."""

    __slots__ = ()

    def __attrs_post_init__(self) -> None:
        given = (field for field in fields(cast("type[AttrsInstance]", type(self))) if field.init)
        for field in given:
            where = f"{type(self).__qualname__}.{field.alias}"
            object.__setattr__(self, field.name, _conform(getattr(self, field.name), field.type, where))
        self._check()

    def _check(self) -> None:
        """Raise InvalidError for what is wrong beyond types; the fields have theirs by now."""

    def _wrong(self, name: str, problem: str) -> InvalidError:
        """The error for a field: where it is, and what is wrong with it."""
        return InvalidError(f"{type(self).__qualname__}.{name}: {problem}")


def _conform(value: Any, annotation: Any, path: str) -> Any:
    """Return the value as its annotation has it, or raise InvalidError with the path of what is wrong."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _conform_union(value, get_args(annotation), path)
    if origin is Sequence:
        (item,) = get_args(annotation)
        return tuple(_conform(v, item, f"{path}[{i}]") for i, v in enumerate(_items(value, item, path)))
    if origin is Mapping:
        _, item = get_args(annotation)
        return {_key(k, path): _conform(v, item, f"{path}[{k!r}]") for k, v in _mapping(value, path).items()}
    if annotation is int:
        return _integer(value, path)
    if annotation is float:
        return _real(value, path)
    return _instance(value, annotation, path)


def _conform_union(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    if value is None and type(None) in choices:
        return None
    others = [choice for choice in choices if choice is not type(None)]
    if len(others) == 1:
        return _conform(value, others[0], path)
    if not isinstance(value, tuple(others)):
        raise InvalidError(f"{path}: expected {' or '.join(c.__name__ for c in others)}, got {_shown(value)}")
    return _real(value, path) if isinstance(value, float) else value


def _instance(value: Any, kind: type, path: str) -> Any:
    if isinstance(value, str) and issubclass(kind, Enum):
        return _member(value, kind, path)
    if isinstance(value, Mapping) and issubclass(kind, Checked):
        return _made(value, kind, path)
    if not isinstance(value, kind):
        refuse_official(value, path, kind)
        raise InvalidError(f"{path}: expected {kind.__qualname__}, got {_shown(value)}")
    return value


def _made(value: Mapping[Any, Any], kind: type[Checked], path: str) -> Checked:
    """A model from the dict of its fields."""
    try:
        return kind(**value)
    except InvalidError as error:
        raise InvalidError(f"{path}: {error}") from error
    except TypeError as error:  # a field is missing, unknown or no string
        raise InvalidError(f"{path}: expected {kind.__qualname__}, got {_shown(value)}: {error}") from error


def _member(value: str, kind: type[Enum], path: str) -> Enum:
    try:
        return kind(value)
    except ValueError:
        expected = ", ".join(str(member.value) for member in kind)
        raise InvalidError(f"{path}: expected one of {expected}, got {_shown(value)}") from None


def _items(value: Any, item: type, path: str) -> Iterable[Any]:
    if not isinstance(value, str | bytes | Mapping) and isinstance(value, Iterable):
        return value
    raise InvalidError(f"{path}: expected a list of {item.__name__}, got {_shown(value)}")


def _mapping(value: Any, path: str) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise InvalidError(f"{path}: expected a mapping, got {_shown(value)}")


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise InvalidError(f"{path}: keys must be str, got {_shown(key)}")


def _integer(value: Any, path: str) -> int:
    if not isinstance(value, bool):
        with suppress(TypeError):
            return operator.index(value)  # takes numpy's integers, and no float
    raise InvalidError(f"{path}: expected an integer, got {_shown(value)}")


def _real(value: Any, path: str) -> float:
    if not isinstance(value, str | bytes | bool):
        with suppress(TypeError, ValueError, OverflowError):
            number = float(value)
            if isfinite(number):  # JSON has no others
                return number
    raise InvalidError(f"{path}: expected a number, got {_shown(value)}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}... ({type(value).__name__})"
