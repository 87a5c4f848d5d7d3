"""Reading request bodies: each value knows its path, so that a refusal can say where."""

from collections.abc import Iterable
from typing import Any

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.numbers import LARGEST

MAX_SHOWN = 80


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
        given = {key: Body(item, f"{prefix}{key}") for key, item in value.items() if item is not None}
        for key in required:
            if key not in given:
                raise BadRequestError(f"{prefix}{key} is missing")
        unknown = given.keys() - set(required) - set(optional)
        if unknown:
            raise BadRequestError(f"{prefix}{min(unknown)} is an unknown key")
        return given

    def entries(self) -> dict[str, "Body"]:
        """The members of an object whose keys are free."""
        value = self._typed(dict, "must be an object")
        return {key: Body(item, f"{self.path}.{key}") for key, item in value.items()}

    def items(self, least: int = 0, most: int | None = None) -> list["Body"]:
        """The items of a list of `least` to `most` items."""
        value = self._typed(list, "must be a list")
        if len(value) < least or (most is not None and len(value) > most):
            wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            raise self.error(f"has {len(value)} items, must have {wanted}")
        return [Body(item, f"{self.path}[{index}]") for index, item in enumerate(value)]

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
