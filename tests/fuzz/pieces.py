"""Bytes become what parsers are given, so that whoever finds bytes finds texts, headers and JSON of the right shape.

Every byte is a choice, and when there are no more, each choice is the first one. So no bytes are wrong, and those that
are changed a little change a little of what is made of them, as fuzzers need it.
"""

import json
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from kognic_aio._http.converter import wire_names

T = TypeVar("T")

MAX_DEPTH = 6
"""How deep JSON goes that is made of choices; what is odd may go deeper."""

ODD_WORDS = (
    "",
    "\0",
    "\x1b]0;title\x07\n\r\u2028\u202e",
    "\ud800",
    "\udcff",
    "\U0001f600" * 300,
    "x" * 70_000,
    "٣",
    "²",
    "1e999",
    "NaN",
    "-0",
    "9" * 400,
    "9" * 5000,
    "%25" * 500 + "41",
    "&#x110000;&#99999999;\\ud800\\",
    "%(x)s {0} $x",
    "..",
    "http://[::1",
    "https://a:99999999999/",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-02-30T00:00:00Z",
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
)
"""Texts that something may stumble over."""

ODD_JSON = (
    *map(json.dumps, ODD_WORDS),
    "null",
    "true",
    "0",
    "-1",
    "-0.0",
    "1.5",
    "1e308",
    "1e999",
    "-1e999",
    "NaN",
    "-Infinity",
    "9" * 20,
    "9" * 400,
    "9" * 5000,
    "1." + "9" * 5000,
    "[]",
    "{}",
    "[null]",
    "[" * 300 + "]" * 300,
    "[" * 900 + "]" * 900,
    "[" * 20_000 + "]" * 20_000,
    '{"a":' * 20_000 + "1" + "}" * 20_000,
    "[" * 20_000,
    '{"a": 1, "a": 2}',
    '{"": {"": {}}}',
    '{"\\ud800": "\\udfff"}',
    '"\\ud83d',
    "[" + "0," * 3000 + "0]",
    "",
    "\ufeff{}",
    "\x00",
    "// no JSON",
)
"""The same as values of JSON; some is none."""


class Pieces:
    """Takes bytes apart, from the first to the last.

    Args:
        data: The bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def rest(self) -> bytes:
        """All that is left."""
        return self.raw(len(self._data))

    def raw(self, length: int) -> bytes:
        """So many bytes, or as many as there are."""
        taken = self._data[self._position : self._position + length]
        self._position += len(taken)
        return taken

    def number(self, end: int) -> int:
        """A number from 0 up to the end, which it never is."""
        return int.from_bytes(self.raw(1 if end <= 256 else 2)) % end

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.number(len(choices))]

    def is_odd(self) -> bool:
        """Whether what comes is to be something else than it should; it seldom is."""
        return self.number(8) == 7

    def several(self, make: Callable[[], T], most: int) -> list[T]:
        return [make() for _ in range(self.number(most + 1))]

    def text(self) -> str:
        """A word, which may have anything in it."""
        if self.is_odd():
            return self.one_of(ODD_WORDS)
        return self.raw(self.number(24)).decode(errors="surrogateescape")

    def json(self) -> str:
        """JSON of any shape, or nearly JSON."""
        return self._free(0)

    def shaped(self, kind: Any) -> str:
        """The JSON of something, in which some values are odd."""
        return self._shaped(kind, 0)

    def _free(self, depth: int) -> str:
        kind = self.number(8) if depth < MAX_DEPTH else 0
        if kind == 1:
            return f"[{','.join(self.several(lambda: self._free(depth + 1), 4))}]"
        if kind == 2:
            return self._object(self.several(lambda: (self.text(), self._free(depth + 1)), 4))
        return json.dumps(self.text()) if kind == 3 else self.one_of(ODD_JSON)

    def _shaped(self, kind: Any, depth: int) -> str:  # noqa: PLR0911  # a kind of annotation each
        if self.is_odd():
            return self._free(depth)
        if kind in SCALARS:
            return self.one_of(SCALARS[kind])
        if depth > MAX_DEPTH:
            return "null"
        origin, of = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self._shaped(self.one_of(of), depth)
        if origin in (Mapping, dict):
            return self._object(self.several(lambda: (self.text(), self._shaped(of[1], depth + 1)), 3))
        if attrs.has(origin or kind):
            return self._model(kind, depth)
        if of:
            return f"[{','.join(self.several(lambda: self._shaped(of[0], depth + 1), 3))}]"
        return json.dumps(self.one_of(list(kind)).value) if issubclass(kind, Enum) else self._free(depth)

    def _model(self, kind: Any, depth: int) -> str:
        """An object with the wire's names; some are left out, and some are there twice."""
        plain, of = get_origin(kind) or kind, get_args(kind)
        hints = get_type_hints(plain)
        tree: dict[str, Any] = {}
        for field, name in wire_names(plain).items():
            *outer, inner = name.split(".")
            place = tree
            for each in outer:
                place = place.setdefault(each, {})
            hint = hints[field]
            place[inner] = hint[of] if getattr(hint, "__parameters__", ()) else hint
        return self._tree(tree, depth)

    def _tree(self, tree: Mapping[str, Any], depth: int) -> str:
        members = []
        for name, hint in tree.items():
            value = self._tree(hint, depth + 1) if isinstance(hint, dict) else self._shaped(hint, depth + 1)
            members += [(name, value)] * self.one_of((1, 1, 1, 1, 1, 1, 0, 2))
        return self._object(members)

    def _object(self, members: Sequence[tuple[str, str]]) -> str:
        return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


SCALARS: dict[Any, Sequence[str]] = {
    str: ('"a"', '""', '"7f3f4d8a-7d3c-4b0a-9c79-2f1c1d1c1d1c"', '"' + "b" * 5000 + '"'),
    int: ("1", "1.0", "0", "-1", "1262304000000000000", "9" * 30, "1e300"),
    float: ("1.5", "1", "-0.0", "1e308", "9" * 30, "9" * 400, "1e999", "NaN"),
    bool: ("true", "false", "1"),
    datetime: ('"2026-01-31T12:00:00Z"', '"2026-01-31"', '"0001-01-01T00:00:00+23:59"', "0"),
    type(None): ("null",),
    Any: ("{}", "[1, {}]", '"a"', "1"),
}
"""How the wire has values of Python's own types, the plainest first."""
