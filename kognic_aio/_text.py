"""Makes texts of servers, files, arguments, modules and compilers printable.

Whatever is printed or logged passes here, and so does the message of every error.
"""

import logging
from contextlib import suppress
from unicodedata import category

ACTED_UPON = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, invisible ones that affect their neighbours, surrogates, line ends."""

MAX_MESSAGE = 10_000
"""Characters of an error's message, and of a line in a log. A list of 250 uuids is as long."""

CUT = "..."
"""The end of a text that was cut."""


def printable(value: object, length: int | None = None) -> str:
    r"""The `str` of a value on one line, with escapes such as `\x1b`.

    A text longer than `length` is cut, and ends with dots. Applying it twice changes nothing.
    """
    text = str(value)
    shown = text if length is None else text[: length + 1]  # the rest is not even read
    if not shown.isprintable():
        shown = "".join(c.encode("unicode_escape").decode() if category(c) in ACTED_UPON else c for c in shown)
    return shown if length is None or len(shown) <= length else f"{shown[:length]}{CUT}"


class OneLine(logging.Filter):
    """Keeps each record of a logger on one line of bounded length."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass. A printable one keeps its arguments, by which error trackers group records."""
        with suppress(Exception):  # an argument without text; logging reports it when the record is written
            message = record.getMessage()
            shown = printable(message, MAX_MESSAGE)
            if shown != message:
                record.msg, record.args = shown, None
        return True
