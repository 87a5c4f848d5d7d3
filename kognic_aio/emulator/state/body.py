"""Reads request bodies. Each value knows its path, so that a refusal can say where it is."""

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
    """A value in the JSON body of a request, and its path.

    Args:
        value: The parsed value.
        path: Its path, such as `frames[3].images[0]`; empty for the whole body.
    """

    value: Any
    path: str = ""

    def error(self, problem: str) -> BadRequestError:
        """The error that says what is wrong with this value."""
        return BadRequestError(f"{self.path or 'the body'} {problem}")

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, "Body"]:
        """The members of an object, without those that are null.

        Args:
            required: The keys that it must have.
            optional: The keys that it may have.

        Raises:
            BadRequestError: If it is no object, a required key is missing, or a key is unknown.
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
        """The members of an object with any keys."""
        value = self._typed(dict, "must be an object")
        return {key: Body(item, f"{self.path}.{key}") for key, item in value.items()}

    def items(self, minimum: int = 0, maximum: int | None = None) -> "Items":
        """The items of a list of `minimum` to `maximum` items."""
        value = self._typed(list, "must be a list")
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            wanted = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"
            wanted = str(minimum) if minimum == maximum else wanted
            raise self.error(f"has {len(value)} items, must have {wanted}")
        return Items(value, self.path)

    def text(self) -> str:
        """The value as a string that is not empty."""
        value = self.string()
        if not value:
            raise self.error("must not be empty")
        return value

    def string(self) -> str:
        """The value as a string, which may be empty."""
        value: str = self._typed(str, "must be a string")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            # JSON can spell half a surrogate pair, but no path, file name or response could carry it.
            raise self._mistyped("must be valid Unicode")
        return value

    def integer(self) -> int:
        """The value as an integer. A bool is none."""
        if isinstance(self.value, bool):
            raise self._mistyped("must be an integer")
        value: int = self._typed(int, "must be an integer")
        if not -LARGEST - 1 <= value <= LARGEST:
            raise self._mistyped("must fit into 64 bits")
        return value

    def number(self) -> float:
        """The value as a number. A bool is none."""
        if isinstance(self.value, bool):
            raise self._mistyped("must be a number")
        value: float = self._typed((int, float), "must be a number")
        if abs(value) > LARGEST_NUMBER:  # as an integer may be
            raise self._mistyped("must be a number that 64 bits can hold")
        return value

    def flag(self) -> bool:
        """The value as a bool."""
        value: bool = self._typed(bool, "must be true or false")
        return value

    def scalar(self) -> str | float | bool:
        """The value as a string, a number or a bool."""
        value: str | float | bool = self._typed((str, int, float, bool), "must be a string, a number or a bool")
        return value

    def texts(self) -> list[str]:
        """The value as a list of strings that are not empty."""
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
    """The items of a list. Each is made when it is looked at, because there may be hundreds of thousands.

    Args:
        values: The parsed items.
        path: The path of the list.
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
