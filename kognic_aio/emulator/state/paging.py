"""Answers that come in pages."""

from typing import Any

import attrs


@attrs.frozen
class Page:
    """One page of an answer.

    Args:
        items: what is on it, ready for the wire.
        next_cursor: what to ask for the next page with; None on the last.
    """

    items: list[dict[str, Any]]
    next_cursor: str | None
