"""Whole numbers, as text of requests has them."""

import re

LARGEST = 2**63 - 1
"""The most that a 64-bit integer holds, which is what the platform keeps numbers in."""
WHOLE = re.compile(r"[0-9]{1,19}")


def whole_number(text: str) -> int | None:
    """The number that text is; None if it is anything but up to 19 digits of ASCII that fit into 64 bits."""
    # int() would also take signs, spaces, underscores and the digits of every script.
    number = int(text) if WHOLE.fullmatch(text) else None
    return number if number is not None and number <= LARGEST else None
