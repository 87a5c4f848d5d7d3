"""Answers that come in pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.numbers import whole_number

Item = TypeVar("Item")


@attrs.frozen
class Page:
    """One page of an answer.

    Args:
        items: what is on it, ready for the wire.
        next_cursor: what to ask for the next page with; None on the last.
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
    """One page of the items that are to be kept.

    Args:
        items: all there are. They may grow at their end only, for a cursor is a position among them: so no page
            looks at what the pages before it have shown.
        cursor: what the page before gave as next cursor.
        size: how many items it has at most.
        keep: whether an item is to be shown.
        to_json: the item on the wire.

    Raises:
        BadRequestError: the cursor is none.
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
