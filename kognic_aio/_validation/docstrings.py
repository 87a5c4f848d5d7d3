"""Docstrings that describe all arguments of a class, so that `help()` of a model says what each field means."""

import inspect
import re

import attrs


def complete_docstring(kind: type) -> str | None:
    """The docstring of an attrs class, with what its bases say of the arguments that it inherits."""
    if kind.__doc__ is None:  # under `python -OO`
        return None
    described: dict[str, str] = {}
    for each in (*kind.__bases__, kind):  # whose own docstrings are complete by now
        described |= _arguments(each.__doc__ or "")
    names = [field.alias for field in attrs.fields(kind) if field.init and field.alias in described]
    entries = dict.fromkeys(described[name] for name in names)
    paragraphs = [each for each in inspect.cleandoc(kind.__doc__).split("\n\n") if not each.startswith("Args:\n")]
    at = next((i for i, each in enumerate(paragraphs) if each.startswith("Raises:\n")), len(paragraphs))
    section = ["\n".join(["Args:", *entries])] if entries else []
    return "\n\n".join([*paragraphs[:at], *section, *paragraphs[at:]])


def _arguments(docstring: str) -> dict[str, str]:
    """The entries of a docstring's `Args` section by name. Names may share an entry, as in `x, y: In metres`."""
    _, _, rest = inspect.cleandoc(docstring).partition("Args:\n")
    entries = re.split(r"\n(?=    \S)", rest.partition("\n\n")[0])
    return {name: entry for entry in entries for name in entry.strip().partition(":")[0].split(", ")}
