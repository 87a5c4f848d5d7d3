"""Manifests: scenes as JSON lines, one a line, as descriptions."""

import gzip
import os
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from attrs import frozen

from kognic_aio._json import read_json
from kognic_aio._regular import open_regular
from kognic_aio._validation.converters import shown
from kognic_aio.bulk.description import Description
from kognic_aio.bulk.problem import Problem
from kognic_aio.errors import InvalidError

STANDARD_INPUT = "-"
MAX_LINE = 256 << 20
"""Bytes of a line. A scene of 2,000 frames has about 3 MB."""

MAX_STRANGE = 20
"""Lines without a JSON object from which a file is no manifest, if it begins with them."""


@frozen
class Line:
    """A line of a manifest.

    Args:
        text: The line.
        place: Its file and number, such as `scenes.jsonl:17`.
        folder: The folder of the file.
    """

    text: bytes
    place: str
    folder: Path

    def describe(self) -> Description:
        """Describe its scene."""
        if len(self.text) >= MAX_LINE:
            return self._wrong(f"the line is longer than {MAX_LINE:,} bytes")
        try:
            content = read_json(self.text)
        except UnicodeDecodeError:
            return self._wrong("not UTF-8", "convert it, such as with `iconv -t UTF-8`")
        except ValueError as error:
            return self._wrong(f"not JSON: {error}", "each line has one scene; of an array, `jq -c '.[]'` makes lines")
        if not isinstance(content, dict):
            return self._wrong(f"expected a JSON object, got {shown(content)}")
        return Description(place=self.place, folder=self.folder, content=content)

    def _wrong(self, message: str, hint: str | None = None) -> Description:
        problem = Problem(code="not-json", scene=self.place, file=self.place, message=message, hint=hint)
        return Description(place=self.place, folder=self.folder, content=None, problems=(problem,))


def lines_of(source: str) -> Iterator[Line]:
    """The lines of a manifest that are not blank.

    Raises:
        InvalidError: If it cannot be read, or is no manifest.
    """
    folder = Path() if source == STANDARD_INPUT else Path(source).parent
    name = "standard input" if source == STANDARD_INPUT else source
    strange: list[Line] = []  # kept until it is clear that they are in a manifest
    is_manifest = False
    try:
        with _opened(source) as file:
            for number, text in _numbered(file):
                line = Line(text, f"{name}:{number}", folder)
                is_manifest = is_manifest or line.describe().content is not None
                if is_manifest:
                    yield from strange
                    strange.clear()
                    yield line
                    continue
                strange.append(line)
                if len(strange) >= MAX_STRANGE:
                    break
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidError(f"{source}: {getattr(error, 'strerror', None) or error}") from error
    if strange:
        first = strange[0].describe().problems[0]
        raise InvalidError(f"{source} is no manifest, which has a JSON object with a scene on each line: {first}")
    if not is_manifest:
        raise InvalidError(f"{source} is empty; expected a JSON object with a scene on each line")


@contextmanager
def _opened(source: str) -> Generator[BinaryIO, None, None]:
    with _standard_input() if source == STANDARD_INPUT else open_regular(source) as file:
        is_compressed = file.peek(2)[:2] == b"\x1f\x8b"
        yield cast("BinaryIO", gzip.GzipFile(fileobj=file) if is_compressed else file)


def _standard_input() -> BufferedReader:
    """Standard input with a buffer of its own: a thread may wait for the other one when the process ends."""
    return open(os.dup(sys.stdin.fileno()), "rb")  # noqa: PTH123  # the caller closes it


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. Of one that is too long, there is only the beginning."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # which some editors write
        if line.strip():
            yield number, line
