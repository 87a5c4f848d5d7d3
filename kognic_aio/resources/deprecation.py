"""Names that have changed: the older ones keep working, and say what to use."""

import warnings
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed(
    new: str, *olds: str
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Let a keyword argument of a coroutine function go by its older names too, with a DeprecationWarning."""

    def decorate(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        @wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in kwargs.keys() & set(olds):
                if new in kwargs:
                    raise TypeError(f"{function.__name__}() got both {new!r} and its older name {old!r}")
                message = f"{old} is now {new}, an argument of {function.__name__}()"
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return await function(*args, **kwargs)

        return wrapper

    return decorate
