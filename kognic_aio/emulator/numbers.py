"""Whole numbers in the texts of requests."""

import re

LARGEST = 2**63 - 1
"""The largest 64-bit integer: the platform keeps numbers in 64 bits."""
WHOLE = re.compile(r"[0-9]{1,19}")


def whole_number(text: str) -> int | None:
    """The number in a text, or None unless it is 1 to 19 ASCII digits and fits into 64 bits."""
    # int() also takes signs, spaces, underscores and the digits of every script.
    number = int(text) if WHOLE.fullmatch(text) else None
    return number if number is not None and number <= LARGEST else None
