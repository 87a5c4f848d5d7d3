"""Decompresses bodies, within bounds: a megabyte of gzip may expand to a gigabyte."""

import gzip
import zlib
from contextlib import suppress
from io import BytesIO

from kognic_aio._text import printable

MAX_RATIO = 50
"""How many times its compressed size a body may have."""

FREE = 1 << 20
"""Bytes that a body may always have, however well it is compressed."""

GZIP = ("gzip", "x-gzip")
"""Names of the only compression that we ask for."""


class TooMuchError(ValueError):
    """A body is much larger than its compressed size suggests."""


def decompressed(body: bytes, encoding: str, max_size: int) -> bytes:
    """Decompress a body of one `Content-Encoding`. Raises a TooMuchError, or a ValueError if it cannot be read."""
    if not body or encoding in ("", "identity"):
        return body
    if encoding not in GZIP:
        raise ValueError(f"it is compressed in another way than requested: {printable(encoding, 40)}")
    limit = min(max_size, max(FREE, MAX_RATIO * len(body)))
    try:
        plain = _start_of_gzip(body, limit + 1)
    except (OSError, EOFError, zlib.error):
        raise ValueError("invalid gzip data") from None
    if len(plain) > limit:
        raise TooMuchError(f"{len(body)} compressed bytes expand to more than {limit} bytes")
    return plain


def start_of_error(body: bytes, encoding: str, size: int) -> bytes:
    """The start of an error's body. It may be cut off, and is left as it is if it cannot be decompressed."""
    if encoding in GZIP:
        with suppress(OSError, EOFError, zlib.error):
            return _start_of_gzip(body, size)
    return body[:size]


def _start_of_gzip(body: bytes, size: int) -> bytes:
    with gzip.GzipFile(fileobj=BytesIO(body)) as file:
        return file.read(size)
