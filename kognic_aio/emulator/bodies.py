"""Reads the bodies of requests, as much as they may have, and JSON as strictly as its standard."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn

import attrs
from aiohttp import web

from kognic_aio.emulator.errors import BadRequestError, BusyError, SlowBodyError, TooLargeError

MAX_JSON = 16 * 1024 * 1024
"""Bytes of the body of an API request; the largest that clients send are pre-annotations of long sequences."""
MAX_FORM = 64 * 1024
"""Bytes of the body of a request for a token, which anybody may send."""
MAX_ARRIVING = 128 * 1024 * 1024
"""Bytes of all bodies of API requests that are being read at once."""
MAX_VALUES = 300_000
"""Values in a body: an empty list takes 3 bytes of JSON, and twenty times as many of memory."""
MAX_DEPTH = 100
"""Levels of lists and objects in each other; what is read at one depth of the stack is written at another."""


@attrs.frozen
class Pace:
    """How slowly a body may arrive.

    Args:
        patience: seconds until some of it has arrived, at the start and at any time.
        rate: bytes a second that it must have on average beyond the first `patience` seconds.
    """

    patience: float
    rate: float


BODY_PACE = Pace(patience=30.0, rate=10_000.0)
"""Of API requests, whose bodies clients have in memory when they send them."""
FILE_PACE = Pace(patience=600.0, rate=16.0)
"""Of files, whose sources may be slow: a kilobyte a minute."""


async def arriving(request: web.BaseRequest, pace: Pace) -> AsyncIterator[bytes]:
    """The chunks of a body, as they come.

    Raises:
        SlowBodyError: it comes too slowly; whoever trickles it would keep its connection for ever.
    """
    clock = asyncio.get_running_loop().time
    due, size = clock() + pace.patience, 0
    while True:
        try:
            async with asyncio.timeout(min(pace.patience, due + size / pace.rate - clock())):
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
    """Reads bodies whole, as long as those that are arriving do not take too much together.

    Args:
        pace: how slowly each may arrive.
    """

    def __init__(self, pace: Pace = BODY_PACE) -> None:
        self._pace = pace
        self._held = 0

    async def read(self, request: web.BaseRequest, most: int) -> bytes:
        """Read the body of a request.

        Args:
            request: the request.
            most: bytes that it may have.

        Raises:
            TooLargeError: it has more; then no more of it is read.
            SlowBodyError: it comes too slowly.
            BusyError: too much is arriving at once.
        """
        check_body_size(request.content_length or 0, most)
        body = bytearray()
        try:
            async for chunk in arriving(request, self._pace):
                body += chunk
                self._held += len(chunk)
                check_body_size(len(body), most)
                self._check_held()
            return bytes(body)
        finally:
            self._held -= len(body)

    def _check_held(self) -> None:
        if self._held > MAX_ARRIVING:
            raise BusyError(f"bodies of more than {MAX_ARRIVING:,} bytes are arriving at once: try again later")


def check_body_size(size: int, most: int) -> None:
    """Check that a body has no more bytes than it may have.

    Raises:
        TooLargeError: it has.
    """
    if size > most:
        raise TooLargeError(f"the body has more than {most:,} bytes, which is the most that the emulator takes here")


def parse_json(content: bytes) -> Any:
    """The value of a JSON body.

    Raises:
        BadRequestError: it is not JSON, or JSON that two readers could understand in two ways.
    """
    try:
        _check_values(content)
        value = json.loads(
            content.decode(),  # which is stricter than what json makes of bytes
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
    """Each value but the first comes after one of these characters; in strings they count as well, which is cheap."""
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MAX_VALUES:
        raise BadRequestError(f"the body has more than {MAX_VALUES:,} values, which is the most that it may have")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) != len(members):
        [(key, _)] = Counter(key for key, _ in members).most_common(1)
        raise ValueError(f"an object has the key {key!a} more than once")
    return read


def _refuse_constant(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def _float(text: str) -> float:
    """Python reads as infinite what is too large."""
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
    """The lists and objects that are right in a value."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, (list, dict))]


def _check_unicode(value: Any) -> None:
    """JSON can spell half a surrogate pair, which no path, file name or answer could carry."""
    for path, text in _texts(value, ""):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadRequestError(f"{path or 'the body'} must be valid Unicode, got {text!a}") from None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string in a value, keys too, with the path to it."""
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
