"""What `create_inputs` sees at once of what it is given. Each check raises InvalidError with the argument's name."""

from collections.abc import AsyncIterable, Iterable

from kognic_aio.errors import InvalidError
from kognic_aio.model.official import refuse_official


def check_source(source: object) -> None:
    """See that something gives scenes."""
    refuse_official(source, "scenes_with_pre_annotations")  # whose models can be iterated over
    if isinstance(source, str | bytes) or not isinstance(source, Iterable | AsyncIterable):
        given = type(source).__name__
        raise InvalidError(f"scenes_with_pre_annotations: expected an iterable or async iterable, got {given}")


def check_project(project: object) -> None:
    """See that something is an external id."""
    if not isinstance(project, str) or not project:
        raise InvalidError(f"project: expected its external id, got {project!r}")


def check_types(**arguments: tuple[object, type | tuple[type, ...]]) -> None:
    """See that arguments that are given are of their types."""
    for name, (value, kind) in arguments.items():
        if value is not None and not isinstance(value, kind):
            refuse_official(value, name)
            expected = kind.__name__ if isinstance(kind, type) else " or ".join(each.__name__ for each in kind)
            raise InvalidError(f"{name}: expected {expected}, got {value!r}")
