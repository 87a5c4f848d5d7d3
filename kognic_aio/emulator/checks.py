"""Whether what an emulator is told to be makes sense."""

import math


def check_seconds(name: str, value: object, least: float = 0) -> None:
    """See that something is a number of seconds; it may be infinite.

    Raises:
        TypeError: it is no number.
        ValueError: it is less than the least that makes sense, or not a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected seconds, got {value!r}")
    if not value >= least:
        bound = f", {least:g} or more" if least > -math.inf else ""
        raise ValueError(f"{name}: expected seconds{bound}, got {value!r}")


def check_whole(name: str, value: object, most: int | None = None) -> None:
    """See that something is a whole number, 0 or more, and no more than there may be.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if value < 0 or (most is not None and value > most):
        raise ValueError(f"{name}: expected {'0 or more' if most is None else f'0 to {most}'}, got {value!r}")


def check_flag(name: str, value: object) -> None:
    """See that something is true or false.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
