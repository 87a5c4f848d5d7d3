"""JSON that others have written."""

import json
from typing import Any

from kognic_aio._frames import discreet

LARGE = 1 << 20
"""Bytes of a text that is parsed in a thread, if somebody waits for something else."""


MOST_MEMORY = 224 << 20
"""Bytes of memory that a text takes at most, by `memory_of_json`, if it is not known to be large."""

OF_AN_OBJECT = 400
OF_A_LIST = 100
OF_A_VALUE = 32
"""Bytes of memory, about, that one takes, with what a model of it takes beside."""


FEW = 256 << 10
"""Bytes of a text that are not looked at: they take less than the most, whatever they are."""

WIDE = (*(bytes([first]) for first in range(0xF0, 0xF5)), rb"\ud", rb"\uD")
"""How letters begin that take four bytes each, and so do all others of the same text."""


def memory_of_json(text: bytes | bytearray) -> int:
    """About how many bytes of memory a JSON text takes when it is read, at most: `[[],[],[]]` takes 40 times its size.

    What it says is there three times: as bytes, as letters, and as the strings in them.
    """
    if len(text) < FEW:
        return OF_AN_OBJECT * len(text)
    letter = 1 if text.isascii() and rb"\u" not in text else 2
    if any(wide in text for wide in WIDE):
        letter = 4
    values = OF_AN_OBJECT * text.count(b"{") + OF_A_LIST * text.count(b"[") + OF_A_VALUE * text.count(b",")
    return (1 + 2 * letter) * len(text) + values


@discreet
def read_json(text: bytes | bytearray | str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: If it is no JSON, or none that Python can hold: nested too deeply, too large, or with numbers of
            thousands of digits.
    """
    try:
        return json.loads(text, object_hook=_pass_on if len(text) > LARGE else None)
    except RecursionError:
        problem = "it is nested too deeply"
    except MemoryError:
        problem = "it is too large for the memory"
    except ValueError as error:
        problem = str(error)
    raise ValueError(problem)  # out here: Python's own errors have all of the text, which may have secrets in it


def _pass_on(parsed: dict[str, Any]) -> dict[str, Any]:
    """Each object as it is. For this moment of Python other threads are let in, which wait for as long as C parses."""
    return parsed
