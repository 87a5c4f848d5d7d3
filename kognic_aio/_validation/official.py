"""Compatibility with kognic-io.

Its models have the same names as ours and are refused: the error says what to import. Older ways of calling its client
keep working, with a DeprecationWarning that names the new way.
"""

import inspect
import sys
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from kognic_aio.errors import OfficialModelError

P = ParamSpec("P")
R = TypeVar("R")


def refuse_official(value: object, where: str = "", expected: type | None = None) -> None:
    """Raise an OfficialModelError for a model of kognic-io. It suggests `expected`, or our class of the same name."""
    if (problem := official_problem(value, expected)) is not None:
        raise OfficialModelError(f"{where}: {problem}" if where else problem)


def official_problem(value: object, expected: type | None = None) -> str | None:
    """The problem with a model of kognic-io, None for other values."""
    kind = next((kind for kind in type(value).__mro__ if f"{kind.__module__}.".startswith("kognic.io.")), None)
    if kind is None:
        return None
    wanted = expected or kind
    advice = "import what belongs here from kognic_aio.model"
    if (home := home_of(wanted)) is not None:
        name, _, inner = wanted.__qualname__.partition(".")
        advice = f"`from {home} import {name}` instead" + (f", and use {wanted.__qualname__}" if inner else "")
    return f"got {kind.__qualname__} of {kind.__module__}, which is kognic-io's: {advice}"


def home_of(kind: type) -> str | None:
    """The module from which users import our class of this name, None if there is none."""
    name = kind.__qualname__.partition(".")[0]
    loaded = sorted(module for module in sys.modules if module.startswith("kognic_aio.model."))
    homes = ("kognic_aio", "kognic_aio.model", *loaded)
    return next((module for module in homes if hasattr(sys.modules.get(module), name)), None)


def renamed(new: str, *olds: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Accept older names of a keyword argument, with a DeprecationWarning: at the call, not when it is awaited."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in kwargs.keys() & set(olds):
                if new in kwargs:
                    raise TypeError(f"{function.__name__}() got both {new!r} and its older name {old!r}")
                warn_deprecated(f"{old} is now {new}, an argument of {function.__name__}()")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate


def named(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Accept keyword-only arguments by position, in this order, with a DeprecationWarning."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(function).parameters.values()
        call: Callable[..., R] = function
        count = sum(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> R:
            by_position = dict(zip(names, args[count:], strict=False))
            if not by_position or len(args) > count + len(names):
                return call(*args, **kwargs)
            if twice := by_position.keys() & kwargs.keys():
                raise TypeError(f"{function.__name__}() got multiple values for argument {min(twice)!r}")
            better = ", ".join(f"{name}=" for name in by_position)
            warn_deprecated(f"name these arguments of {function.__name__}(): {better}")
            return call(*args[:count], **kwargs, **by_position)

        return cast("Callable[P, R]", wrapper)

    return decorate


def without_annotation_types(function: Callable[P, R]) -> Callable[P, R]:
    """Accept annotation types, which are no longer used, with a DeprecationWarning."""
    position = list(inspect.signature(function).parameters).index("annotation_types")

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if args[position] if len(args) > position else kwargs.get("annotation_types"):
            warn_deprecated("annotation_types are no longer used: the batch determines them")
        return function(*args, **kwargs)

    return wrapper


def warn_deprecated(message: str) -> None:
    """Warn at the caller's line, the first outside this package: Python hides a library's own DeprecationWarnings."""
    ours = ("kognic_aio.", "typing_extensions", "warnings")  # the last two for the frames of `@deprecated`
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith(ours):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, DeprecationWarning, stacklevel=level)
