"""Names that have changed: the older ones keep working, and say what to use."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed(new: str, *olds: str, stacklevel: int = 2) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a keyword argument go by its older names too, with a DeprecationWarning.

    Args:
        new: The argument's name.
        olds: Its older names.
        stacklevel: How many calls above the warning the user's is; one more under another decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in kwargs.keys() & set(olds):
                if new in kwargs:
                    raise TypeError(f"{function.__name__}() got both {new!r} and its older name {old!r}")
                message = f"{old} is now {new}, an argument of {function.__name__}()"
                warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate
