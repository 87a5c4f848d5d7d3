"""Secrets as objects that error trackers, debuggers and logs do not show."""

from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Secret(Generic[T_co]):
    """A value that is accessible only by `reveal`.

    `repr`, `str`, formatting and `attrs.asdict` do not show it. It has no attributes and is not pickled.

    Args:
        value: The secret value.
    """

    __slots__ = ("reveal",)

    reveal: Callable[[], T_co]
    """Returns the value. Code that walks through attributes finds only this function."""

    def __init__(self, value: T_co) -> None:
        self.reveal = lambda: value

    def __repr__(self) -> str:
        return "Secret()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self.reveal() == other.reveal())

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __copy__(self) -> "Secret[T_co]":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret[T_co]":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")
