"""Refuses models of kognic-io, which have the same names as ours. The error says what to import."""

import sys

from kognic_aio.errors import OfficialModelError

FACES = ("kognic_aio", "kognic_aio.model")
"""The modules to import a name from, if they have it."""


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
    homes = (module for module in (*FACES, *loaded) if hasattr(sys.modules.get(module), name))
    return next(homes, None)
