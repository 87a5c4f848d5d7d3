"""JSON that others have written."""

import json
from typing import Any


def read_json(text: bytes | bytearray | str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: If it is no JSON, or none that Python can hold: nested too deeply, too large, or with numbers of
            thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        problem = "it is nested too deeply"
    except MemoryError:
        problem = "it is too large for the memory"
    except ValueError as error:
        problem = str(error)
    raise ValueError(problem)  # out here: Python's own errors have all of the text, which may have secrets in it
