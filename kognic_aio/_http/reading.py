"""The body of an answer, read within bounds."""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import BytesIO
from typing import TypeVar

import aiohttp

from kognic_aio._http.deadline import Deadline
from kognic_aio._http.failures import CLOSED, TooLarge
from kognic_aio._http.protocol import LARGE, Answer
from kognic_aio._tasks import take_note
from kognic_aio._threads import in_thread

T = TypeVar("T")

MOST_OF_AN_ERROR = 64 << 10
"""Bytes that are read of an error's answer, which may be anything."""

MAX_RATIO = 50
FREE = 1 << 20
"""How many times its size an answer may have been before it was compressed, and how large it may always have been."""

AT_ONCE = 64 << 10
"""Bytes that are decompressed at once; with more the event loop does not wait."""

GZIP = ("gzip", "x-gzip")


async def read(response: aiohttp.ClientResponse, most: int, deadline: Deadline) -> bytes:
    """The body of an answer. Of an error's, which may be anything, no more than people read.

    Args:
        response: The answer, which has not been decompressed.
        most: Bytes of a good answer that are read at most, compressed or not.
        deadline: Hears of what comes.

    Raises:
        TooLarge: If it is larger.
        ClientPayloadError: If it cannot be decompressed.
    """
    is_error = response.status >= 300
    limit = MOST_OF_AN_ERROR if is_error else most
    content = await _received(response, limit, deadline)
    if len(content) > limit:
        response.close()
    if is_error:
        return _start_of_an_error(response, content)
    if len(content) > limit:
        raise TooLarge(f"it is larger than {most} bytes")
    encoding = _encoding(response)
    if not content or encoding == "identity":
        return content
    if encoding not in GZIP:
        raise aiohttp.ClientPayloadError("it is compressed in another way than was asked for")
    bound = min(most, max(FREE, MAX_RATIO * len(content)))
    return await in_thread(_unzipped, content, bound) if len(content) > AT_ONCE else _unzipped(content, bound)


async def parsed(parse: Callable[[Answer], T], answer: Answer) -> T:
    """What some function makes of an answer, in a thread if it is large."""
    return await in_thread(parse, answer) if len(answer.body) > LARGE else parse(answer)


async def _received(response: aiohttp.ClientResponse, limit: int, deadline: Deadline) -> bytes:
    """The body as it came, and hardly more of it than the limit."""
    if response.content.is_eof():  # it has come already, as most do
        return response.content.read_nowait()
    content = bytearray()
    with _hearing_of_the_end(response):
        async for chunk in response.content.iter_any():
            content += chunk
            deadline.received += len(chunk)
            if len(content) > limit:
                break
    return bytes(content)


def _encoding(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower() or "identity"


def _start_of_an_error(response: aiohttp.ClientResponse, content: bytes) -> bytes:
    """What can be read of an error's body."""
    if _encoding(response) not in GZIP:
        return content
    with BytesIO(content) as stream, gzip.GzipFile(fileobj=stream) as unzipped:
        try:
            return unzipped.read1(MOST_OF_AN_ERROR)
        except (OSError, EOFError, zlib.error):
            return b""


def _unzipped(content: bytes, bound: int) -> bytes:
    """What was compressed.

    Raises:
        TooLarge: If it is larger than the bound.
        ClientPayloadError: If it is no gzip.
    """
    try:
        with BytesIO(content) as stream, gzip.GzipFile(fileobj=stream) as unzipped:
            whole = unzipped.read(bound + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise aiohttp.ClientPayloadError("it is no gzip, though it says so") from error
    if len(whole) > bound:
        raise TooLarge(f"it is compressed, and {len(content)} bytes stand for more than {bound}")
    return whole


@contextmanager
def _hearing_of_the_end(response: aiohttp.ClientResponse) -> Generator[None, None, None]:
    """Have who reads hear when the connection ends: of a bad chunk aiohttp does not tell them, and they would hang."""
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
