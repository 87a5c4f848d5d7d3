"""A model checks what it is given against its own annotations, and says where it is wrong.

A field `frames: Sequence[Frame]` takes any iterable of `Frame`, keeps a tuple, and answers a string among them with
`CamerasSequence.frames[3]: expected Frame, got 'a.jpg'`. A field with a converter takes what that takes.
"""

from functools import wraps
from typing import Any, cast

import attrs

from kognic_aio.errors import InvalidError
from kognic_aio.model._conform import Conform, Mismatch, conformer, misuse


class Checked:
    """Base of what users fill in: each argument becomes what its field's annotation says, or it says what is wrong."""

    __slots__ = ()

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        cls.__init__ = _constructor(cls)  # type: ignore[method-assign]

    def __attrs_post_init__(self) -> None:
        self._check()

    def _check(self) -> None:
        """Raise InvalidError for what is wrong beyond types; the fields have theirs by now."""

    def _wrong(self, name: str, problem: str) -> InvalidError:
        """The error for a field: where it is, and what is wrong with it."""
        return InvalidError(f"{type(self).__qualname__}.{name}: {problem}")


def _constructor(cls: type[Any]) -> Any:
    """The constructor that attrs made, given only what it takes: arguments by known names, each as its field has it."""
    init: Any = cls.__init__
    fields = [field for field in attrs.fields(cls) if field.init]
    conforming = {str(field.alias): _conforming(field) for field in fields}
    required = {field.alias for field in fields if field.default is attrs.NOTHING}

    @wraps(init)
    def construct(self: Any, *positional: Any, **given: Any) -> None:
        if positional or not required <= given.keys() or not given.keys() <= conforming.keys():
            raise _misused(cls, positional, given)
        for name, value in given.items():
            try:
                given[name] = conforming[name](value)
            except Mismatch as mismatch:
                raise mismatch.kind(f"{cls.__qualname__}.{name}{mismatch}") from mismatch.__cause__
        init(self, **given)

    return construct


def _conforming(field: "attrs.Attribute[Any]") -> Conform:
    """A field's own converter comes first; attrs applies it once more, which changes nothing."""
    return cast("Conform | None", field.converter) or conformer(field.type)


def _misused(cls: type[Any], positional: tuple[Any, ...], given: dict[str, Any]) -> InvalidError:
    if positional:
        names = [f"{field.alias}=..." for field in attrs.fields(cls) if field.init]
        return InvalidError(f"{cls.__qualname__} takes its arguments by name: {cls.__qualname__}({', '.join(names)})")
    return InvalidError(f"{cls.__qualname__}: {misuse(cls, given)}")
