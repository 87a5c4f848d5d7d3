"""The body of an answer, read within bounds."""

import asyncio
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import aiohttp
from attrs import evolve, frozen

from kognic_aio._frames import discreet
from kognic_aio._http.deadline import Deadline
from kognic_aio._http.failures import CLOSED, TooLarge, translated
from kognic_aio._http.protocol import Answer
from kognic_aio._json import LARGE
from kognic_aio._secret import Secret
from kognic_aio._tasks import take_note
from kognic_aio._threads import in_turn

T = TypeVar("T")

MAX_ERROR = 64 << 10
"""Bytes that are read of an error's answer, which may be anything."""

MAX_RATIO = 50
"""How many times its compressed size an answer may have."""

FREE = 1 << 20
"""Bytes that an answer may always have, however well it is compressed."""

AT_ONCE = 64 << 10
"""Bytes that are decompressed in the event loop; more go to a thread."""

GZIP = ("gzip", "x-gzip")
WITH_GZIP_HEADER = 31
"""What zlib calls the format of gzip."""

PIECE = 64 << 10
"""Bytes that are decompressed in one go."""

MIN_MEMBER = 1000
"""Bytes that the members of a gzip have on average, as each costs time."""


@frozen
class Content:
    """The body of an answer.

    Args:
        body: The body, if it is not to be unpacked.
        unpack: Gives the body if it is compressed and large, so that it is unpacked in its turn.
        received: Bytes of it as they came.
    """

    body: bytes
    unpack: Callable[[], bytes] | None = None
    received: int = 0


async def read(response: aiohttp.ClientResponse, most: int, deadline: Deadline) -> Content:
    """The body of an answer. An error's may be anything, so only its start is read.

    Args:
        response: The answer, not yet decompressed.
        most: Bytes of a good answer that are read at most, compressed or not.
        deadline: Hears of what comes.

    Raises:
        TooLarge: If it is larger.
        ClientPayloadError: If it cannot be decompressed.
    """
    if response.status >= 300:
        return Content(_start_of_an_error(response, await _received(response, MAX_ERROR, deadline)))
    content = await _received(response, most, deadline)
    if len(content) > most:
        raise TooLarge(f"it is larger than {most} bytes")
    encoding = _encoding(response)
    if not content or encoding == "identity":
        return Content(bytes(content), received=len(content))
    if encoding not in GZIP:
        raise aiohttp.ClientPayloadError("it is compressed in another way than was asked for")
    bound = min(most, max(FREE, MAX_RATIO * len(content)))
    if len(content) > AT_ONCE:
        return Content(b"", partial(_unzipped, content, bound), len(content))
    return Content(_unzipped(content, bound), received=len(content))


async def parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    """What a function makes of an answer. Large answers are parsed in a thread, one after the other.

    Unpacked and parsed, an answer takes many times its size in memory, so there are never two at once.

    Raises:
        TooLargeError: If it is larger than what is read.
        UnreadableAnswerError: If it cannot be unpacked.
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


async def _received(response: aiohttp.ClientResponse, limit: int, deadline: Deadline) -> bytes | bytearray:
    """The body as it came. If it exceeds the limit, its beginning, and the connection is not used again."""
    if response.content.is_eof():  # it has come already, as most do
        return response.content.read_nowait()
    content = bytearray()
    with _hearing_of_the_end(response):
        async for chunk in response.content.iter_any():
            content += chunk
            deadline.received += len(chunk)
            if len(content) > limit:
                response.close()
                break
    return content


def _encoding(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower() or "identity"


def _start_of_an_error(response: aiohttp.ClientResponse, content: bytes | bytearray) -> bytes:
    """What can be read of an error's body."""
    if _encoding(response) not in GZIP:
        return bytes(content)
    with suppress(zlib.error):
        return zlib.decompressobj(wbits=WITH_GZIP_HEADER).decompress(content, MAX_ERROR)
    return b""


def _unzipped(content: bytes | bytearray, bound: int) -> bytes:
    """A body unpacked, member by member, as gzip may have several.

    Raises:
        TooLarge: If it is larger than the bound.
        ClientPayloadError: If it is no gzip, is not whole, or has members of next to nothing.
    """
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
    member, position = zlib.decompressobj(wbits=WITH_GZIP_HEADER), 0
    while not member.eof:
        piece = content[position : position + PIECE]  # as what follows the member is copied
        if not piece:
            raise aiohttp.ClientPayloadError("it is gzip that is not whole")
        whole += member.decompress(piece, bound + 1 - len(whole))
        if len(whole) > bound:
            return len(content)
        position += len(piece)
    return position - len(member.unused_data)


@contextmanager
def _hearing_of_the_end(response: aiohttp.ClientResponse) -> Generator[None, None, None]:
    """Wake the reader when the connection ends: aiohttp does not tell it of a bad chunk, and it would hang."""
    content = response.content
    protocol = None if response.connection is None else response.connection.protocol
    closed = None if protocol is None else protocol.closed
    if protocol is None or closed is None:
        yield
        return

    def tell(_: asyncio.Future[None]) -> None:
        if content.exception() is None and not content.is_eof():
            cause = protocol.exception() or ConnectionError()
            content.set_exception(aiohttp.ClientPayloadError(CLOSED), cause)

    closed.remove_done_callback(take_note)  # of an earlier answer on the same connection
    closed.add_done_callback(take_note)
    closed.add_done_callback(tell)
    try:
        yield
    finally:
        closed.remove_done_callback(tell)
