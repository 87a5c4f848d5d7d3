"""Finding things by the names that requests give."""

from collections.abc import Mapping
from typing import TypeVar

from kognic_aio.emulator.errors import NotFoundError

Thing = TypeVar("Thing")


def known(things: Mapping[str, Thing], name: str, what: str) -> Thing:
    """The one of `things` with a name.

    Raises:
        NotFoundError: there is none; the message says of `what`.
    """
    found = things.get(name)
    if found is None:
        raise NotFoundError(f"{what} {name!r} is unknown")
    return found
