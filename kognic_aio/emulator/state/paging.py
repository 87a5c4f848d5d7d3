"""Responses that come in pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.numbers import whole_number

Item = TypeVar("Item")


@attrs.frozen
class Page:
    """One page of a response.

    Args:
        items: Its items, ready for the wire.
        next_cursor: Asks for the next page; None on the last one.
    """

    items: list[dict[str, Any]]
    next_cursor: str | None


def turn_to(
    items: Sequence[Item],
    cursor: str | None,
    size: int,
    *,
    keep: Callable[[Item], bool],
    to_json: Callable[[Item], dict[str, Any]],
) -> Page:
    """A page of the items that a filter keeps.

    Args:
        items: All items. A cursor is a position among them, so that no page looks at earlier items again. So items may
            only be appended.
        cursor: The next cursor of the previous page; None for the first.
        size: Items on the page at most.
        keep: Whether an item is to be shown.
        to_json: The item on the wire.

    Raises:
        BadRequestError: If the cursor is invalid.
    """
    shown: list[dict[str, Any]] = []
    for position in range(_position(cursor), len(items)):
        if not keep(items[position]):
            continue
        if len(shown) == size:
            return Page(shown, str(position))
        shown.append(to_json(items[position]))
    return Page(shown, None)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    position = whole_number(cursor)
    if position is None:
        raise BadRequestError(f"cursorId {cursor!r} is not valid")
    return position
