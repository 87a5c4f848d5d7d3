"""Models of kognic-io that are given where ours belong: they have the same names, so the error says whose is whose."""

import sys

from kognic_aio.errors import OfficialModelError

OFFICIAL = "kognic.io."
FACES = ("kognic_aio", "kognic_aio.model")
"""Where users import from, if a name is there."""


def refuse_official(value: object, where: str = "", expected: type | None = None) -> None:
    """See that something is no model of kognic-io's, without importing that.

    Args:
        value: What was given.
        where: The argument or field that it was given for.
        expected: Our class that belongs there. By default the one of the same name.

    Raises:
        OfficialModelError: If it is one, or of a class derived from one.
    """
    problem = official_problem(value, expected)
    if problem is not None:
        raise OfficialModelError(f"{where}: {problem}" if where else problem)


def official_problem(value: object, expected: type | None = None) -> str | None:
    """What to say of a model of kognic-io's, None if something is none. As `refuse_official`."""
    kind = next((kind for kind in type(value).__mro__ if f"{kind.__module__}.".startswith(OFFICIAL)), None)
    if kind is None:
        return None
    return f"got {kind.__qualname__} of {kind.__module__}, which is kognic-io's: {_advice(expected or kind)}"


def home_of(kind: type) -> str | None:
    """The module that users import one of our classes from, or the one of the same name; None if there is none."""
    name = kind.__qualname__.partition(".")[0]
    loaded = sorted(module for module in sys.modules if module.startswith("kognic_aio.model."))
    homes = (module for module in (*FACES, *loaded) if hasattr(sys.modules.get(module), name))
    return next(homes, None)


def _advice(kind: type) -> str:
    """Which import to write instead."""
    name, *rest = kind.__qualname__.split(".")
    if (home := home_of(kind)) is None:
        return "import what belongs here from kognic_aio.model"
    return f"`from {home} import {name}` instead" + (f", and use {kind.__qualname__}" if rest else "")
