"""Words of modules and compilers, as they can be shown."""

from kognic_aio._text import printable
from kognic_aio.wasm.bounds import MAX_SHOWN_BYTES
from kognic_aio.wasm.runner import MAX_NAMES, MAX_TEXT


def shown(text: object) -> str:
    """A text on one line and of bounded length."""
    return printable(text, MAX_TEXT)


def shown_names(names: object) -> list[str]:
    """The first of some names."""
    return [shown(name) for name in names[:MAX_NAMES]] if isinstance(names, list) else []


def shown_lines(words: bytes) -> str:
    """What a compiler has written, line by line: the beginning, where the first error is, and the end."""
    if len(words) > MAX_SHOWN_BYTES:
        half = MAX_SHOWN_BYTES // 2
        words = words[:half] + b"\n[...]\n" + words[-half:]
    lines = words.decode(errors="replace").strip().expandtabs().split("\n")
    return "\n".join(printable(line.removesuffix("\r")) for line in lines)
