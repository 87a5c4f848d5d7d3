"""Errors without the frames whose variables hold secrets. Error trackers show the variables of every frame."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


def without_frames(error: E, handled: BaseException | None = None) -> E:
    """Remove the traceback of an error and its causes. `handled` is the caller's, and keeps its own."""
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


def hide_frames(function: Callable[P, T]) -> Callable[P, T]:
    """A decorator for functions that handle secrets: their errors show none of their variables."""

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
