"""Errors without the frames whose variables hold secrets: error trackers show the variables of every frame."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


def without_frames(error: E, handled: BaseException | None = None) -> E:
    """Take the traceback from an error and its causes. `handled` is its context, not ours, and keeps its own."""
    left: list[BaseException | None] = [error]
    seen = {id(handled)}
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            left += [each.__cause__, each.__context__]
            left += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
    return error


def discreet(function: Callable[P, T]) -> Callable[P, T]:
    """A decorator for what handles secrets: errors of the function show none of its variables."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        handled = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            without_frames(error, handled)
            raise

    return call
