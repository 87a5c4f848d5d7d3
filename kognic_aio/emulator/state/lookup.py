"""Finds things by the names in requests."""

from collections.abc import Mapping
from typing import TypeVar

from kognic_aio.emulator.errors import NotFoundError

Thing = TypeVar("Thing")


def known(things: Mapping[str, Thing], name: str, what: str) -> Thing:
    """The thing with a name.

    Raises:
        NotFoundError: If there is none. The message begins with `what`.
    """
    found = things.get(name)
    if found is None:
        raise NotFoundError(f"{what} {name!r} is unknown")
    return found
