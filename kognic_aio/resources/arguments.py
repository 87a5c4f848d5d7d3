"""What a call sees of its arguments before anything is sent. Each check raises InvalidError with their name."""

from uuid import UUID

from kognic_aio._plain import plain
from kognic_aio.errors import InvalidError
from kognic_aio.model.official import refuse_official


def external_id(name: str, value: object) -> str:
    """An external id, which may be an enum's member."""
    given = plain(value)
    if isinstance(given, str | UUID) and (text := str(given)):
        return text
    raise InvalidError(f"{name}: expected its external id, got {value!r}")


def optional_external_id(name: str, value: object) -> str | None:
    """An external id, None if none is given."""
    return None if value is None else external_id(name, value)


def check_types(**arguments: tuple[object, type | tuple[type, ...]]) -> None:
    """See that arguments that are given are of their types."""
    for name, (value, kind) in arguments.items():
        if value is not None and not isinstance(value, kind):
            refuse_official(value, name)
            expected = kind.__name__ if isinstance(kind, type) else " or ".join(each.__name__ for each in kind)
            raise InvalidError(f"{name}: expected {expected}, got {value!r}")
