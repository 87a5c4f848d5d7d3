"""The body of a response, decompressed and parsed within bounds."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from gzip import GzipFile
from io import BytesIO
from typing import TypeVar

import aiohttp
from attrs import evolve

from kognic_aio._frames import hide_frames
from kognic_aio._http.failures import TooLarge, translated
from kognic_aio._http.protocol import Answer
from kognic_aio._json import LARGE
from kognic_aio._secret import Secret
from kognic_aio._threads import one_at_a_time

T = TypeVar("T")

MAX_ERROR = 64 << 10
"""Bytes that are read of an error's body."""

MAX_RATIO = 50
"""How many times its compressed size a body may have."""

FREE = 1 << 20
"""Bytes that a body may always have, however well it is compressed."""

AT_ONCE = 64 << 10
"""Compressed bytes that are decompressed in the event loop; more go to a thread."""

MIN_MEMBER = 1000
"""Bytes that the members of gzip data have on average. Each costs time."""

_GZIP = ("gzip", "x-gzip")
_MEMBER = b"\x1f\x8b\x08"  # a member of gzip data begins so
_WITH_GZIP_HEADER = 31  # zlib's name of the format


def body_of(
    response: aiohttp.ClientResponse, content: bytes | bytearray, max_answer: int
) -> tuple[bytes, Callable[[], bytes] | None]:
    """The body of a response. If that is large and compressed, the function that decompresses it."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower() or "identity"
    if response.status >= 300:
        return _start_of_an_error(content, encoding), None
    if len(content) > max_answer:
        raise TooLarge(f"larger than {max_answer} bytes")
    if not content or encoding == "identity":
        return bytes(content), None
    if encoding not in _GZIP:
        raise aiohttp.ClientPayloadError("compressed in another way than was asked for")
    bound = min(max_answer, max(FREE, MAX_RATIO * len(content)))
    if len(content) > AT_ONCE:
        return b"", partial(_decompressed, content, bound)
    return _decompressed(content, bound), None


async def parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    """Return what `parse` makes of a response. Large responses are parsed in a thread, one at a time.

    A parsed response takes many times the memory of its body, so there are never two at once.
    """
    if answer.unpack is None and len(answer.body) <= LARGE:
        return _parsed_at_once(parse, answer)
    try:
        return await one_at_a_time(_parsed, parse, answer)
    except aiohttp.ClientPayloadError as error:
        failure: Exception = translated(error, answer.request, None)
    except Exception as error:  # whatever `parse` raises
        failure = error
    failure.__traceback__ = failure.__context__ = None  # their frames have all of the response
    del answer
    raise failure


@hide_frames  # those of `parse` have what it made of the response
def _parsed_at_once(parse: Callable[[Answer], T], answer: Answer) -> T:
    return parse(answer)


def _parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    return parse(answer if answer.unpack is None else evolve(answer, body=Secret(answer.unpack()), unpack=None))


def _start_of_an_error(content: bytes | bytearray, encoding: str) -> bytes:
    if encoding not in _GZIP:
        return bytes(content)
    with suppress(zlib.error):
        return zlib.decompressobj(wbits=_WITH_GZIP_HEADER).decompress(content, MAX_ERROR)
    return b""


def _decompressed(content: bytes | bytearray, bound: int) -> bytes:
    if content.count(_MEMBER) > 1 + len(content) // MIN_MEMBER:
        raise aiohttp.ClientPayloadError("gzip data with too many members")
    try:
        member = zlib.decompressobj(wbits=_WITH_GZIP_HEADER)  # GzipFile takes 50 times as long for a short body
        whole = member.decompress(content, bound + 1)
        if not member.eof or member.unused_data:  # there are several, or something is wrong
            whole = GzipFile(fileobj=BytesIO(content)).read(bound + 1)
    except EOFError as error:
        raise aiohttp.ClientPayloadError("truncated gzip data") from error
    except (OSError, zlib.error) as error:
        raise aiohttp.ClientPayloadError("invalid gzip data") from error
    if len(whole) > bound:
        raise TooLarge(f"{len(content)} compressed bytes expand to more than {bound}")
    return whole
