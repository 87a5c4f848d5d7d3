"""Words of modules and compilers, as they can be shown: whatever a terminal would act upon, it only shows."""

from unicodedata import category

from kognic_aio.wasm.bounds import MAX_SHOWN_BYTES
from kognic_aio.wasm.runner import MAX_NAMES, MAX_TEXT

ACTED_UPON = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, invisible ones that turn or join what is around them, halves of characters, line ends."""


def shown(text: object) -> str:
    r"""A text on one line and of bounded length, with an escape such as `\x1b` for what does not just stand there."""
    whole = str(text)
    visible = "".join(map(_escaped, whole[:MAX_TEXT]))
    return visible if len(whole) <= MAX_TEXT else f"{visible}..."


def shown_names(names: object) -> list[str]:
    """The first of some names."""
    return [shown(name) for name in names[:MAX_NAMES]] if isinstance(names, list) else []


def shown_lines(words: bytes) -> str:
    """What a compiler has written, line by line: the beginning, where the first error is, and the end."""
    if len(words) > MAX_SHOWN_BYTES:
        half = MAX_SHOWN_BYTES // 2
        words = words[:half] + b"\n[...]\n" + words[-half:]
    lines = words.decode(errors="replace").strip().expandtabs().split("\n")
    return "\n".join("".join(map(_escaped, line.removesuffix("\r"))) for line in lines)


def _escaped(character: str) -> str:
    if category(character) not in ACTED_UPON:
        return character
    return character.encode("unicode_escape").decode("ascii")
