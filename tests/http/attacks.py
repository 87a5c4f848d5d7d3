"""Has hostile servers answer clients, all attacks of a kind at once, and tells what that costs.

Run it as `python -m tests.http.attacks KIND`: it prints how each ended and what it cost in seconds, and the peak memory
in MiB. What lets a client wait costs the pauses of the server until the client has gone, what gives it work the work:
neither becomes more on a busy machine.
"""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from secrets import token_hex
from typing import Any

import anyio
from attrs import frozen

from kognic_aio import FileData, KognicIOClient
from kognic_aio.client import backend_of
from kognic_aio.errors import KognicError
from kognic_aio.model import Image
from tests.cost import peak_memory, worked
from tests.uploads import put

TIMEOUT = 0.4
PAUSE = TIMEOUT / 8
TOKEN = json.dumps({"access_token": "the-token", "expires_in": 3600}).encode()
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MOMENT = "2030-01-01T00:00:00Z"
IMAGE = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"image"))
LARGE_IMAGE = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"x" * (12 << 20)))
"""More than kernels hold."""

Body = Callable[[str], AsyncIterator[bytes]]
"""Given the URL of the server: the bytes that it answers, as they are."""


def whole(content: bytes, *, status: int = 200, encoding: str = "identity") -> bytes:
    head = f"HTTP/1.1 {status} OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def at_once(answer: bytes) -> Body:
    async def pieces(_: str) -> AsyncIterator[bytes]:
        yield answer

    return pieces


def zipped(content: bytes, *, status: int = 200) -> Body:
    return at_once(whole(gzip.compress(content, 9), status=status, encoding="gzip"))


def trickled(head: bytes, piece: bytes, pause: float = PAUSE) -> Body:
    """The same again and again, without an end."""

    async def pieces(_: str) -> AsyncIterator[bytes]:
        yield head
        while True:
            yield piece
            await anyio.sleep(pause)

    return pieces


def flooded(head: bytes, piece: bytes) -> Body:
    return trickled(head, piece, 0)


def bomb(size: int, head: bytes = b"[0", piece: bytes = b",0", tail: bytes = b"]") -> Body:
    """A list that is made piece by piece, as it would take much memory."""
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(head)
    for _ in range(size // len(piece) // 65536):
        packed += packer.compress(piece * 65536)
    return at_once(whole(packed + packer.compress(tail) + packer.flush(), encoding="gzip"))


def dense(piece: bytes, size: int = 9 << 20) -> Body:
    """A list that takes many times its size, with so much in it that nothing compresses that it is unpacked."""
    return bomb(size, b'["' + token_hex(size // 50).encode() + b'"', piece)


def repeated(head: bytes, piece: bytes, number: int) -> Body:
    async def pieces(_: str) -> AsyncIterator[bytes]:
        yield head
        for _number in range(number):
            yield piece
        yield b"\r\n"

    return pieces


def many_projects(number: int) -> bytes:
    projects = [PROJECT | {"project": token_hex(16), "title": token_hex(8)} for _ in range(number)]
    return json.dumps({"data": projects, "metadata": {}}).encode()


def listed(item: Any, number: int) -> bytes:
    return json.dumps({"data": [item] * number, "metadata": {}}).encode()


GOOD_TOKEN = at_once(whole(TOKEN))


@frozen
class Attack:
    """What is called, and what is answered.

    Args:
        call: Calls the client.
        answer: What is answered to it.
        token: What is answered to the request for a token.
        content: What storage answers, if it is something else.
        reads: Whether an upload is read.
        reads_bytes: Whether it is at least read byte by byte.
    """

    call: Callable[[KognicIOClient], Awaitable[Any]]
    answer: Body
    token: Body = GOOD_TOKEN
    content: Body | None = None
    reads: bool = True
    reads_bytes: bool = False


async def projects(client: KognicIOClient) -> list[Any]:
    return await client.project.get_projects()


async def many_lists(client: KognicIOClient) -> None:
    """Asked for at once, as scenes are."""

    async def ask() -> None:
        with suppress(KognicError):
            await client.project.get_projects()

    await asyncio.gather(*(ask() for _ in range(16)))


async def many_creations(client: KognicIOClient) -> None:
    async def ask() -> None:
        with suppress(KognicError):
            await client.cameras.create_from_scene("scene", "project")

    await asyncio.gather(*(ask() for _ in range(16)))


async def annotation(client: KognicIOClient) -> Any:
    return await client.annotation.get_annotation_by_id("annotation")


async def annotations(client: KognicIOClient) -> None:
    async for _ in client.annotation.get_project_annotations("project", "type"):
        pass


async def annotations_of_a_scene(client: KognicIOClient) -> int:
    return len(await client.annotation.get_annotations_for_scene("scene"))


async def create(client: KognicIOClient) -> Any:
    return await client.cameras.create_from_scene("scene", "project")


async def upload(client: KognicIOClient) -> int:
    return await put(backend_of(client).storage, f"{client.hosts.input}/storage/a", IMAGE)


async def upload_large(client: KognicIOClient) -> int:
    return await put(backend_of(client).storage, f"{client.hosts.input}/storage/a", LARGE_IMAGE)


def signed(**more: str) -> Body:
    """The annotation integration API's answer, with a content in storage."""

    async def pieces(url: str) -> AsyncIterator[bytes]:
        ids = ("id", "sceneId", "requestId", "requestInputId", "requestUid")
        dates = {"created": MOMENT, "expiresAt": MOMENT}
        annotation = dict.fromkeys(ids, "an-id") | dates | {"isPreliminary": False, "signedUrl": f"{url}/storage/a"}
        yield whole(json.dumps({"data": annotation | more}).encode())

    return pieces


def partials(number: int, *, of_a_scene: bool = False) -> Body:
    async def pieces(url: str) -> AsyncIterator[bytes]:
        one = {"sceneUuid": "scene", "inputUuid": "input", "created": MOMENT, "uri": f"{url}/storage/a"}
        one |= {"requestUid": "r"} if of_a_scene else {"annotationType": "type"}
        yield whole(listed(one, number))

    return pieces


PROJECT = {"created": MOMENT, "title": "t", "description": "", "status": "open", "project": "p"}
SLOW = {
    "bytes of a body": trickled(OK + b"Content-Length: 100000000\r\n\r\n", b" "),
    "bytes without a length": trickled(OK + b"Connection: close\r\n\r\n", b" "),
    "bytes of a header": trickled(OK + b"X: ", b"x"),
    "bytes of a status": trickled(b"HTTP/1.1 200 ", b"O"),
    "headers": trickled(OK, b"X: x\r\n"),
    "100": trickled(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "102": trickled(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "chunks": trickled(CHUNKED, b"1\r\n \r\n"),
    "bytes of a chunk's extension": trickled(CHUNKED + b"1;a=", b"x"),
    "extensions of chunks": trickled(CHUNKED, b"1;" + b"x" * 1000 + b"\r\n \r\n"),
    "digits of a chunk's size": trickled(CHUNKED, b"0"),
    "trailers": trickled(CHUNKED + b"0\r\n", b"X: x\r\n"),
    "bytes of an error": trickled(b"HTTP/1.1 400 Bad\r\nContent-Length: 60000\r\n\r\n", b"x"),
    "compressed bytes": trickled(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0"),
}
"""What never ends, though there is always something new."""

HINTS = flooded(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

JSON: dict[str, Callable[[], Body]] = {
    "wrong items": lambda: zipped(listed(1, 200_000)),
    "right items": lambda: zipped(many_projects(20_000)),
    "empty items": lambda: zipped(listed({}, 200_000)),
    "items of a megabyte": lambda: zipped(listed(PROJECT | {"created": "x" * 1_000_000}, 30)),
    "lists": lambda: bomb(100 << 20, b"[[]", b",[]"),
    "objects": lambda: bomb(100 << 20, b'{"data":[{}', b",{}", b"]}"),
    "numbers": lambda: bomb(256 << 20),
    "nothing": lambda: bomb(256 << 20, b"", b"\0", b""),
    "nested lists": lambda: zipped(b"[" * 500_000),
    "nested objects": lambda: zipped(b'{"data":' * 100_000),
    "a huge number": lambda: zipped(b'{"data": [' + b"9" * 900_000 + b"]}"),
    "a huge float": lambda: zipped(b'{"data": [1e' + b"9" * 900_000 + b"]}"),
    "many names": lambda: zipped(json.dumps({"data": {str(number): 0 for number in range(50_000)}}).encode()),
    "members": lambda: at_once(whole(gzip.compress(b"") * 200_000, encoding="gzip")),
    "half of it": lambda: at_once(whole(gzip.compress(listed(PROJECT, 1000))[:-9], encoding="gzip")),
    "another compression": lambda: at_once(whole(b"[]", encoding="br")),
    "twice compressed": lambda: at_once(whole(gzip.compress(gzip.compress(b"0" * 9_000_000)), encoding="gzip, gzip")),
    "an error": lambda: zipped(b"x" * (64 << 20), status=400),
    "more than is read": lambda: flooded(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "half surrogates": lambda: at_once(whole(b'{"data": [{"created": "\\ud800"}]}')),
    "many small lists": lambda: dense(b",[]"),
    "many small objects": lambda: dense(b",{}"),
    "lists in lists": lambda: dense(b",[[[]]]"),
    "many numbers": lambda: dense(b",0"),
    "a long id": lambda: bomb(20 << 20, b'{"data":{"x":"' + token_hex(400_000).encode() + b'","id":"', b"a", b'"}}'),
    "wide letters": lambda: bomb(30 << 20, b'["' + "\U0001f600".encode() + token_hex(600_000).encode(), b"a", b'"]'),
    "much of nothing": lambda: bomb(9 << 20, b'{"data":[],"x":"' + token_hex(200_000).encode() + b'"', b" ", b"}"),
    "long headers": lambda: repeated(OK, b"X: " + b"x" * 65000 + b"\r\n", 1000),
    "long cookies": lambda: repeated(OK, b"Set-Cookie: " + b"a=b; " * 13000 + b"\r\n", 1000),
    "long checksums": lambda: repeated(OK, b"X-Goog-Hash: " + b"crc32c=a," * 7000 + b"\r\n", 1000),
    "long trailers": lambda: repeated(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: " + b"x" * 65000 + b"\r\n", 1000),
    "a long text": lambda: zipped(token_hex(400_000).encode()),
    "no text": lambda: at_once(whole(b"\xff\xfe\xfd" * 1000)),
}
"""What is small, and would be large or slow when it is read."""

MANY_LISTS = ("many small lists", "much of nothing", "long headers", "long trailers")
MANY = ("lists", "objects", "numbers", "wrong items", "more than is read")


def in_a_list(name: str) -> dict[str, Attack]:
    return {name: Attack(projects, JSON[name]())}


def in_many_lists(name: str) -> dict[str, Attack]:
    return {name: Attack(many_lists, JSON[name]())}


def in_many_creations(name: str) -> dict[str, Attack]:
    return {name: Attack(many_creations, JSON[name]())}


def in_contents(name: str, number: int = 1) -> dict[str, Attack]:
    content = JSON[name]()
    if number == 1:
        return {name: Attack(annotation, signed(), content=content)}
    return {name: Attack(annotations, partials(number), content=content)}


WAITING: dict[str, Callable[[], dict[str, Attack]]] = {
    "slow lists": lambda: {name: Attack(projects, answer) for name, answer in SLOW.items()},
    "slow creation": lambda: {name: Attack(create, answer) for name, answer in SLOW.items()},
    "slow contents": lambda: {name: Attack(annotation, signed(), content=answer) for name, answer in SLOW.items()},
    "slow storage": lambda: {name: Attack(upload, answer) for name, answer in SLOW.items()},
    "storage that does not read": lambda: {
        name: Attack(upload_large, answer, reads=False) for name, answer in SLOW.items()
    },
    "storage that reads byte by byte": lambda: {
        name: Attack(upload_large, SLOW[name], reads=False, reads_bytes=True)
        for name in ("102", "chunks", "bytes of a header")
    },
}
WORKING: dict[str, Callable[[], dict[str, Attack]]] = {
    **{f"{name}, in a list": partial(in_a_list, name) for name in JSON},
    **{f"{name}, in a content": partial(in_contents, name) for name in JSON},
    **{f"{name}, in many contents": partial(in_contents, name, number=64) for name in MANY},
    **{f"{name}, in many lists": partial(in_many_lists, name) for name in MANY_LISTS},
    "a long id, in many creations": partial(in_many_creations, "a long id"),
    "lists, in all contents of a scene": lambda: {
        "": Attack(annotations_of_a_scene, partials(64, of_a_scene=True), content=JSON["lists"]())
    },
    "103 again and again": lambda: {
        "lists": Attack(projects, HINTS),
        "creation": Attack(create, HINTS),
        "contents": Attack(annotation, signed(), content=HINTS),
        "storage": Attack(upload, HINTS),
        "storage that does not read": Attack(upload_large, HINTS, reads=False),
    },
    "a token that is large": lambda: {"": Attack(projects, zipped(b"{}"), token=JSON["lists"]())},
    "a token that is long": lambda: {
        "": Attack(projects, zipped(b"{}"), token=at_once(whole(b'{"access_token": "' + b"a" * 50_000 + b'"}')))
    },
    "a token without an end": lambda: {
        "": Attack(projects, zipped(b"{}"), token=at_once(whole(b'{"access_token": "a", "expires_in": 1e999}')))
    },
}
"""What is attempted at once, made when it is: what lets the client wait, and what gives it work."""

KINDS = WAITING | WORKING


async def serve(
    attack: Attack, url: str, pieces: Iterator[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer the requests of one connection, until an answer does not end, and count the pieces."""
    while head := (await reader.readuntil(b"\r\n\r\n")).decode():
        length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        body = attack.answer
        if "/token " in head:
            body = attack.token
        elif "/storage/" in head:
            body = attack.content or attack.answer
        if length < 1 << 20 or attack.reads:
            await reader.readexactly(length)
        elif attack.reads_bytes:
            while await reader.read(1):
                next(pieces)
                await anyio.sleep(PAUSE)
        async for piece in body(url):
            next(pieces)
            writer.write(piece)
            await writer.drain()


async def run(attack: Attack) -> tuple[str, float]:
    """How it ended, and how many seconds the server has paused before, if it pauses."""
    pieces, url, open_ones = count(), "", set[asyncio.Task[None] | None]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        open_ones.add(task)
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await serve(attack, url, pieces, reader, writer)
        writer.close()
        with suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
        open_ones.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 16)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client = KognicIOClient(
        auth=("id", "secret"), env=url, write_workspace_id="w", timeout=TIMEOUT, max_retry_attempts=1
    )
    try:
        async with client:
            told = f"done: {await attack.call(client)!r:.100}"
    except KognicError as error:
        told = f"{type(error).__name__}: {error}"
    paused = next(pieces) * PAUSE
    server.close()
    with anyio.move_on_after(2):  # until it has noticed that nobody is there any more
        while open_ones:
            await anyio.sleep(PAUSE)
    return told, paused


async def run_all(attacks: dict[str, Attack]) -> dict[str, tuple[str, float]]:
    return dict(zip(attacks, await asyncio.gather(*map(run, attacks.values())), strict=True))


def main() -> None:
    ended = dict[str, tuple[str, float]]()
    for kind in sys.argv[1:]:
        before = worked()
        ends = asyncio.run(run_all(KINDS[kind]()))
        work = worked() - before
        for name, (told, paused) in ends.items():
            ended[f"{kind}: {name}"] = told, paused if kind in WAITING else work
    sys.stdout.write(json.dumps([ended, peak_memory()]))


if __name__ == "__main__":
    main()
