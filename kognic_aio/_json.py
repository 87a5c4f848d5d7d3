"""JSON that others have written."""

import json
from typing import Any

from kognic_aio._frames import discreet

LARGE = 1 << 20
"""Bytes of a text that is parsed in a thread, if somebody waits for something else."""


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
