"""A text that forges lines and titles wherever it is printed as it is."""

from unicodedata import category

FORGED = "Error: forged"

FORGERY = f"a\x1b]0;title\x07\x1b[2J\r\n{FORGED}\u202e\u2028{FORGED}\x85{FORGED}\x0b\u200b\xad\U000e0041\udcff"
"""With escape sequences, a bell, all ends of lines, what is invisible or turns a line, and half of a character.

It can be the name of a file, or an argument.
"""

LONG = 1_000_000


def assert_harmless(output: str) -> None:
    """See that a terminal acts upon nothing but ends of lines, and that no line is forged."""
    raw = {character for character in output if category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}
    assert not raw, f"{raw} in {output[:2000]!r}"
    assert not any(line.startswith(FORGED) for line in output.splitlines()), output[:2000]
