"""Checks the options of an emulator."""

import math


def check_seconds(name: str, value: object, minimum: float = 0) -> None:
    """Check that a value is a number of seconds. It may be infinite.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is less than the minimum, or NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected seconds, got {value!r}")
    if not value >= minimum:
        bound = f", {minimum:g} or more" if minimum > -math.inf else ""
        raise ValueError(f"{name}: expected seconds{bound}, got {value!r}")


def check_whole(name: str, value: object, maximum: int | None = None) -> None:
    """Check that a value is a whole number from 0 to a maximum.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if value < 0 or (maximum is not None and value > maximum):
        raise ValueError(f"{name}: expected {'0 or more' if maximum is None else f'0 to {maximum}'}, got {value!r}")


def check_flag(name: str, value: object) -> None:
    """Check that a value is true, false or None.

    Raises:
        TypeError: If it is none of them.
    """
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
