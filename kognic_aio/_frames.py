"""Errors without the frames whose variables hold secrets. Error trackers show the variables of every frame."""

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)


INTERNAL = ("kognic_aio", "anyio", "asyncio", "concurrent", "threading", "contextlib")
"""Packages whose frames lie between a run and its caller's code."""


def without_frames(error: E, handled: BaseException | None = None) -> E:
    """Remove the traceback of an error and its causes. `handled` is the caller's, and keeps its own."""
    for each in _chain(error, handled):
        each.__traceback__ = None
    return error


def callers_frames(error: BaseException) -> TracebackType | None:
    """The traceback of an error from the caller's code on; None if the error is ours alone."""
    frames = error.__traceback__
    while frames is not None and str(frames.tb_frame.f_globals.get("__name__")).partition(".")[0] in INTERNAL:
        frames = frames.tb_next
    return frames


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, those that it comes from and those in it, but none that the caller is handling."""
    left: list[BaseException | None] = [error]
    seen = {id(handled)}
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, each.__context__]
            left += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


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
