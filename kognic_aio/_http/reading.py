"""The body of an answer, unpacked and parsed within bounds."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import aiohttp
from attrs import evolve

from kognic_aio._frames import discreet
from kognic_aio._http.failures import TooLarge, translated
from kognic_aio._http.protocol import Answer
from kognic_aio._json import LARGE
from kognic_aio._secret import Secret
from kognic_aio._threads import in_turn

T = TypeVar("T")

MAX_ERROR = 64 << 10
"""Bytes that are read of an error's answer."""

MAX_RATIO = 50
"""How many times its compressed size an answer may have."""

FREE = 1 << 20
"""Bytes that an answer may always have, however well it is compressed."""

AT_ONCE = 64 << 10
"""Bytes that are decompressed in one go, or in the event loop; more go to a thread."""

MIN_MEMBER = 1000
"""Bytes that the members of a gzip have on average, as each costs time."""

_GZIP = ("gzip", "x-gzip")
_WITH_GZIP_HEADER = 31  # what zlib calls the format


def body_of(
    response: aiohttp.ClientResponse, content: bytes | bytearray, max_answer: int
) -> tuple[bytes, Callable[[], bytes] | None]:
    """The body of an answer, or what unpacks it in its turn if it is large."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower() or "identity"
    if response.status >= 300:
        return _start_of_an_error(content, encoding), None
    if len(content) > max_answer:
        raise TooLarge(f"it is larger than {max_answer} bytes")
    if not content or encoding == "identity":
        return bytes(content), None
    if encoding not in _GZIP:
        raise aiohttp.ClientPayloadError("it is compressed in another way than was asked for")
    bound = min(max_answer, max(FREE, MAX_RATIO * len(content)))
    if len(content) > AT_ONCE:
        return b"", partial(_unzipped, content, bound)
    return _unzipped(content, bound), None


async def parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    """What a function makes of an answer. Large answers are parsed in a thread, one after the other.

    Unpacked and parsed, an answer takes many times its size in memory, so there are never two at once.
    """
    if answer.unpack is None and len(answer.body) <= LARGE:
        return _small(parse, answer)  # the frames of its errors have what it made of the answer
    try:
        return await in_turn(_parsed, parse, answer)
    except aiohttp.ClientPayloadError as error:
        failure: Exception = translated(error, answer.request, None)
    except Exception as error:  # whatever `parse` raises
        failure = error
    failure.__traceback__ = failure.__context__ = None  # their frames have all of the answer
    del answer
    raise failure


@discreet
def _small(parse: Callable[[Answer], T], answer: Answer) -> T:
    return parse(answer)


def _parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    return parse(answer if answer.unpack is None else evolve(answer, body=Secret(answer.unpack()), unpack=None))


def _start_of_an_error(content: bytes | bytearray, encoding: str) -> bytes:
    if encoding not in _GZIP:
        return bytes(content)
    with suppress(zlib.error):
        return zlib.decompressobj(wbits=_WITH_GZIP_HEADER).decompress(content, MAX_ERROR)
    return b""


def _unzipped(content: bytes | bytearray, bound: int) -> bytes:
    """A body unpacked, member by member: gzip may have several."""
    whole, position, members = bytearray(), 0, 0
    try:
        while position < len(content) and members <= len(content) // MIN_MEMBER:
            members += 1
            position += _unzip_member(memoryview(content)[position:], whole, bound)
    except zlib.error as error:
        raise aiohttp.ClientPayloadError("it is no gzip, though it says so") from error
    if len(whole) > bound:
        raise TooLarge(f"it is compressed, and {len(content)} bytes stand for more than {bound}")
    if position < len(content):
        raise aiohttp.ClientPayloadError("it is gzip of too many members")
    return bytes(whole)


def _unzip_member(content: memoryview, whole: bytearray, bound: int) -> int:
    """Add the first member to the whole, up to little more than the bound, and return the member's length."""
    member, position = zlib.decompressobj(wbits=_WITH_GZIP_HEADER), 0
    while not member.eof:
        piece = content[position : position + AT_ONCE]  # as what follows the member is copied
        if not piece:
            raise aiohttp.ClientPayloadError("it is gzip that is not whole")
        whole += member.decompress(piece, bound + 1 - len(whole))
        if len(whole) > bound:
            return len(content)
        position += len(piece)
    return position - len(member.unused_data)
