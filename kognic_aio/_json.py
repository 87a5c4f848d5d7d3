"""JSON that others have written."""

import json
from typing import Any

from kognic_aio._frames import hide_frames

LARGE = 1 << 20
"""Bytes from which a text is parsed in a thread, if other requests are waiting."""


MAX_MEMORY = 224 << 20
"""Bytes of memory that a text may take, by `memory_of_json`, if it is not known to be large."""

OBJECT_SIZE = 400
"""Bytes of memory, about, that an object takes, with what a model of it takes beside. Lists and values take less."""

WIDE = (*(bytes([first]) for first in range(0xF0, 0xF5)), rb"\ud", rb"\uD")
"""How letters begin that take four bytes each, and so do all others of the same text."""


def memory_of_json(text: bytes | bytearray) -> int:
    """About how many bytes of memory reading a JSON text takes at most: `[[],[],[]]` takes 40 times its size."""
    if len(text) < 256 << 10:  # which is less than MAX_MEMORY, whatever it says
        return OBJECT_SIZE * len(text)
    letter = 1 if text.isascii() and rb"\u" not in text else 2
    if any(wide in text for wide in WIDE):
        letter = 4
    values = OBJECT_SIZE * text.count(b"{") + 100 * text.count(b"[") + 32 * text.count(b",")
    # It is there three times: as bytes, as letters, and as the strings in them.
    return (1 + 2 * letter) * len(text) + values


@hide_frames
def read_json(text: bytes | bytearray | str) -> Any:
    """What a JSON text says; a ValueError if it is no JSON, or none that Python can hold."""
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
    """Each object as it is. While this runs, other threads may run too. They wait for as long as C parses."""
    return parsed
