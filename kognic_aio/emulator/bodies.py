"""Reads the bodies of requests up to their limits, and JSON as strictly as its standard."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

import attrs
from aiohttp import web

from kognic_aio.emulator.errors import BadRequestError, BusyError, SlowBodyError, TooLargeError

MAX_JSON = 16 * 1024 * 1024
"""Bytes of the body of an API request. The largest bodies are pre-annotations of long sequences."""
MAX_FORM = 64 * 1024
"""Bytes of the body of a request for a token, which anybody may send."""
MAX_ARRIVING = 128 * 1024 * 1024
"""Bytes of all bodies of API requests that are being read at once."""
MAX_VALUES = 300_000
"""Values in a body. An empty list takes 3 bytes of JSON, but twenty times as much memory."""
MAX_DEPTH = 100
"""Levels of nested lists and objects. Writing may find less of the stack left than reading did."""


@attrs.frozen
class Pace:
    """How slowly a body may arrive.

    Args:
        patience: Seconds to wait for the next bytes.
        rate: Bytes a second that must arrive on average, after the first `patience` seconds.
    """

    patience: float
    rate: float


BODY_PACE = Pace(patience=30.0, rate=10_000.0)
"""For API requests. Clients have their bodies in memory when they send them."""
FILE_PACE = Pace(patience=600.0, rate=16.0)
"""For files. Their sources may be slow: a kilobyte a minute."""


async def arriving(request: web.BaseRequest, pace: Pace) -> AsyncIterator[bytes]:
    """The chunks of a body, as they come.

    Raises:
        SlowBodyError: If it comes too slowly. A client that trickles would keep its connection for ever.
    """
    clock = asyncio.get_running_loop().time
    due, size = clock() + pace.patience, 0
    while True:
        # What ends first: the patience for the next bytes, or the time that the average rate grants.
        limit = min(pace.patience, due + size / pace.rate - clock())
        try:
            async with asyncio.timeout(limit):
                chunk = await request.content.readany()
        except TimeoutError as error:
            raise SlowBodyError(
                f"the body comes too slowly: {size:,} bytes have arrived, and it is not whole"
            ) from error
        if not chunk:
            return
        size += len(chunk)
        yield chunk


class BodyReader:
    """Reads whole bodies, and bounds the bytes of all that arrive at once.

    Args:
        pace: How slowly each may arrive.
    """

    def __init__(self, pace: Pace = BODY_PACE) -> None:
        self._pace = pace
        self._held = 0

    async def read(self, request: web.BaseRequest, max_size: int) -> bytes:
        """Read the body of a request.

        Args:
            request: The request.
            max_size: Bytes that it may have.

        Raises:
            TooLargeError: If it has more. The rest is not read.
            SlowBodyError: If it comes too slowly.
            BusyError: If too much is arriving at once.
        """
        check_body_size(request.content_length or 0, max_size)
        body = bytearray()
        try:
            async for chunk in arriving(request, self._pace):
                body += chunk
                self._held += len(chunk)
                check_body_size(len(body), max_size)
                self._check_held()
            return bytes(body)
        finally:
            self._held -= len(body)

    def _check_held(self) -> None:
        if self._held > MAX_ARRIVING:
            raise BusyError(f"bodies of more than {MAX_ARRIVING:,} bytes are arriving at once: try again later")


def check_body_size(size: int, max_size: int) -> None:
    """Check that a body has no more bytes than it may have.

    Raises:
        TooLargeError: If it has more.
    """
    if size > max_size:
        raise TooLargeError(
            f"the body has more than {max_size:,} bytes, which is the most that the emulator takes here"
        )


def parse_json(content: bytes) -> Any:
    """The value of a JSON body.

    Raises:
        BadRequestError: If it is not JSON, or is JSON that readers understand in different ways.
    """
    try:
        _check_values(content)
        value = json.loads(
            content.decode(),  # json itself is less strict about bytes
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
        )
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    _check_depth(value)
    if b"\\ud" in content.lower():
        _check_unicode(value)
    return value


def _check_values(content: bytes) -> None:
    """Count the characters that precede values. Those in strings count too, which keeps the check cheap."""
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MAX_VALUES:
        raise BadRequestError(f"the body has more than {MAX_VALUES:,} values, which is the most that it may have")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) != len(members):
        [(key, _)] = Counter(key for key, _ in members).most_common(1)
        raise ValueError(f"an object has the key {key!a} more than once")
    return read


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity. Python reads them, but JSON does not have them."""
    raise ValueError(f"{name} is no JSON")


def _float(text: str) -> float:
    """Read a number. Python would read one that is too large as infinite."""
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is too large")
    return value


def _check_depth(value: Any) -> None:
    for name, member in value.items() if isinstance(value, dict) else [("the body", value)]:
        if _is_deep(member):
            raise BadRequestError(f"{name} is nested too deeply")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return False
    return True


def _inner(value: Any) -> list[Any]:
    """The lists and objects directly inside a value."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, (list, dict))]


def _check_unicode(value: Any) -> None:
    """Refuse half a surrogate pair. JSON can spell one, but no path, file name or response could carry it."""
    for path, text in _texts(value, ""):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{path or 'the body'} must be valid Unicode, got {text!a}") from None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string in a value, and every key, with its path."""
    match value:
        case str():
            yield path, value
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, f"{path}[{index}]")
        case dict():
            for key, item in value.items():
                yield f"a key of {path or 'the body'}", key
                yield from _texts(item, f"{path}.{key}" if path else key)
        case _:
            pass
