"""Words of the platform as they can be shown: whatever a terminal would act upon, it only shows."""

from unicodedata import category

from kognic_aio.errors import CompilationError

ACTED_UPON = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, invisible ones that turn or join what is around them, halves of characters, line ends."""


def printable(value: object) -> str:
    r"""A value on one line, with an escape such as `\x1b` for every character that does not just stand there."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(_escaped(character) if category(character) in ACTED_UPON else character for character in text)


def words(error: Exception) -> str:
    """What an error says, on one line; only what a compiler has written keeps its lines."""
    if isinstance(error, CompilationError):
        return "\n".join(map(printable, str(error).expandtabs().splitlines()))
    return printable(" ".join(str(error).split()))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
