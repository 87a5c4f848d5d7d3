"""Reading request bodies: each value knows its path, so that a refusal can say where."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn, overload

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.numbers import LARGEST

MAX_SHOWN = 80
LARGEST_NUMBER = sys.float_info.max


@attrs.define
class Body:
    """A value of a request's JSON body and the path that leads to it.

    Args:
        value: the value as JSON gave it.
        path: where it stands, such as `frames[3].images[0]`; empty for the whole body.
    """

    value: Any
    path: str = ""

    def error(self, problem: str) -> BadRequestError:
        """The error that says what is wrong with this value."""
        return BadRequestError(f"{self.path or 'the body'} {problem}")

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Body"]:
        """The members of an object that are given; null counts as not given.

        Args:
            required: the keys that must be there.
            optional: the keys that may be there.

        Raises:
            BadRequestError: not an object, a required key is missing, or a key is unknown.
        """
        prefix = f"{self.path}." if self.path else ""
        value = self._typed(dict, "must be an object")
        given = {key: item for key, item in value.items() if item is not None}
        for key in required:
            if key not in given:
                raise BadRequestError(f"{prefix}{key} is missing")
        unknown = given.keys() - set(required) - set(optional)
        if unknown:
            raise BadRequestError(f"{prefix}{min(unknown)} is an unknown key")
        return {key: Body(item, f"{prefix}{key}") for key, item in given.items()}

    def entries(self) -> dict[str, "Body"]:
        """The members of an object whose keys are free."""
        value = self._typed(dict, "must be an object")
        return {key: Body(item, f"{self.path}.{key}") for key, item in value.items()}

    def items(self, least: int = 0, most: int | None = None) -> "Items":
        """The items of a list of `least` to `most` items."""
        value = self._typed(list, "must be a list")
        if len(value) < least or (most is not None and len(value) > most):
            wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            raise self.error(f"has {len(value)} items, must have {wanted}")
        return Items(value, self.path)

    def text(self) -> str:
        """The value, a string that is not empty."""
        value = self.string()
        if not value:
            raise self.error("must not be empty")
        return value

    def string(self) -> str:
        """The value, a string that may be empty."""
        value: str = self._typed(str, "must be a string")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            # JSON can spell half a surrogate pair, which no path, file name or answer could carry.
            raise self._mistyped("must be valid Unicode")
        return value

    def integer(self) -> int:
        """The value, an integer; a bool is none."""
        if isinstance(self.value, bool):
            raise self._mistyped("must be an integer")
        value: int = self._typed(int, "must be an integer")
        if not -LARGEST - 1 <= value <= LARGEST:
            raise self._mistyped("must fit into 64 bits")
        return value

    def number(self) -> float:
        """The value, an integer or a float; a bool is neither."""
        if isinstance(self.value, bool):
            raise self._mistyped("must be a number")
        value: float = self._typed((int, float), "must be a number")
        if abs(value) > LARGEST_NUMBER:  # which an integer can be
            raise self._mistyped("must be a number that 64 bits can hold")
        return value

    def flag(self) -> bool:
        """The value, true or false."""
        value: bool = self._typed(bool, "must be true or false")
        return value

    def scalar(self) -> str | float | bool:
        """The value, anything but an object, a list or null."""
        value: str | float | bool = self._typed((str, int, float, bool), "must be a string, a number or a bool")
        return value

    def texts(self) -> list[str]:
        """The value, a list of strings that are not empty."""
        return [item.text() for item in self.items()]

    def _typed(self, kinds: type | tuple[type, ...], problem: str) -> Any:
        if not isinstance(self.value, kinds):
            raise self._mistyped(problem)
        return self.value

    def _mistyped(self, problem: str) -> BadRequestError:
        shown = repr(self.value)
        if len(shown) > MAX_SHOWN:
            shown = f"{shown[:MAX_SHOWN]}..."
        return self.error(f"{problem}, got {shown}")


class Items(Sequence[Body]):
    """The items of a list, each made when it is looked at: there may be hundreds of thousands of numbers.

    Args:
        values: the items as JSON gave them.
        path: where the list stands.
    """

    def __init__(self, values: list[Any], path: str) -> None:
        self._values = values
        self._path = path

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> Body: ...
    @overload
    def __getitem__(self, index: slice) -> NoReturn: ...
    def __getitem__(self, index: int | slice) -> Body:
        if isinstance(index, slice):
            raise TypeError("items have no slices")
        return Body(self._values[index], f"{self._path}[{index}]")

    def __iter__(self) -> Iterator[Body]:
        for index, value in enumerate(self._values):
            yield Body(value, f"{self._path}[{index}]")
