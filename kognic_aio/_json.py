"""Reads JSON of others."""

import json
from typing import Any

from kognic_aio._frames import hide_frames

LARGE = 1 << 20
"""Bytes from which a text is parsed in a thread, if other requests are waiting."""

MAX_MEMORY = 224 << 20
"""Bytes of memory of a parsed text, by `memory_of_json`, unless it is known to be large."""

OBJECT_SIZE = 400
"""About the bytes of memory of an object and its model. Lists and values take less."""

WIDE = (*(bytes([first]) for first in range(0xF0, 0xF5)), rb"\ud", rb"\uD")
"""Lead bytes of characters beyond the BMP: Python then stores the whole string in four bytes per character."""


def memory_of_json(text: bytes | bytearray) -> int:
    """An upper bound of the memory to read a JSON text, in bytes: `[[],[],[]]` takes 40 times its size."""
    if len(text) < 256 << 10:  # less than MAX_MEMORY, whatever its content
        return OBJECT_SIZE * len(text)
    letter = 1 if text.isascii() and rb"\u" not in text else 2
    if any(wide in text for wide in WIDE):
        letter = 4
    values = OBJECT_SIZE * text.count(b"{") + 100 * text.count(b"[") + 32 * text.count(b",")
    # It is stored three times: as bytes, as text, and as the strings in it.
    return (1 + 2 * letter) * len(text) + values


@hide_frames
def read_json(text: bytes | bytearray | str) -> Any:
    """The value of a JSON text; a ValueError if it is not JSON, or exceeds what Python can hold."""
    try:
        return json.loads(text, object_hook=_pass_on if len(text) > LARGE else None)
    except RecursionError:
        problem = "it is nested too deeply"
    except MemoryError:
        problem = "it is too large for the memory"
    except ValueError as error:
        problem = str(error)
    raise ValueError(problem)  # out here: the context would have the whole text, which may contain secrets


def _pass_on(parsed: dict[str, Any]) -> dict[str, Any]:
    """Each object unchanged. While this runs, other threads get a turn, which they do not while C parses."""
    return parsed
