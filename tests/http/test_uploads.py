"""An upload arrives whole, or is an error that says why it has not, over a real socket."""

import asyncio
import base64
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import SEEK_END, SEEK_SET, BytesIO, RawIOBase
from mmap import mmap
from pathlib import Path
from typing import Any

import anyio
import google_crc32c
import pytest
from aiohttp import web
from anyio import CapacityLimiter
from attrs import define, field
from multidict import CIMultiDict

from kognic_aio import FileData
from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio.client import backend_of
from kognic_aio.errors import ChecksumError, DataError, MissingFileError, StorageError
from kognic_aio.files import ReadPool, opened_sources
from kognic_aio.files.local import Handle
from kognic_aio.model import Image
from tests.scenes import OURS, SOURCES
from tests.scripted import client_of, listening, serving
from tests.uploads import put
from tests.waiting import GENEROUS, until

pytestmark = pytest.mark.anyio

MIB = 1 << 20
LARGE = 64 * MIB
"""More than the sockets between two ends can hold: it is still being sent when the other end has seen its start."""

Answer = Callable[[bytes], web.Response]
Middle = Callable[[web.BaseRequest], object]


def taken(content: bytes) -> web.Response:
    return web.Response()


def cut(request: web.BaseRequest) -> None:
    assert request.transport is not None
    request.transport.abort()


@define
class Store:
    """Keeps what arrives whole.

    Args:
        answers: To what has arrived whole; the last of them again and again.
        start: How many bytes of an upload are its start.
        middles: What to do when the start of an upload has arrived, one an upload.
        whole: What has arrived whole.
        headers: Of all requests.
    """

    url: str = ""
    start: int = 1
    answers: list[Answer] = field(factory=lambda: [taken])
    middles: list[Middle] = field(factory=list)
    whole: list[bytes] = field(factory=list)
    headers: list[CIMultiDict[str]] = field(factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.headers.append(CIMultiDict(request.headers))
        start = b""
        if self.middles:
            start = await request.content.readexactly(self.start)
            if isinstance(early := self.middles.pop(0)(request), web.StreamResponse):
                return early
        self.whole.append(start + await request.content.read())
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(self.whole[-1])


@asynccontextmanager
async def storing() -> AsyncIterator[Store]:
    store = Store()
    async with listening(store.handle) as url:
        store.url = f"{url}/bucket/file?X-Signature=secret"
        yield store


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with storing() as running:
        yield running


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    async with serving() as server, client_of(server) as client:
        yield backend_of(client).storage


def image(data: Any) -> Image:
    return Image(filename="a.jpg", file_data=FileData(format="jpg", data=data))


def of_form(form: str, folder: Path, content: bytes) -> Image:
    return Image(**SOURCES[form](OURS, folder, "a.jpg", content))


class Pipe(RawIOBase):
    """A stream that cannot seek, and gives less than it is asked for."""

    def __init__(self, content: bytes, most: int = MIB) -> None:
        self._stream, self._most = BytesIO(content), most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(min(size, self._most))


@pytest.mark.parametrize("form", [*SOURCES, "pipe"])
async def test_after_half_of_it(form: str, store: Store, storage: Storage, tmp_path: Path) -> None:
    """An upload that breaks off in the middle is sent again from its start, whatever form the data has."""
    content = os.urandom(5 * MIB)
    store.start, store.middles = len(content) // 2, [cut, cut]
    file = image(Pipe(content)) if form == "pipe" else of_form(form, tmp_path, content)
    assert await put(storage, store.url, file) == len(content)
    assert len(store.headers) == 3
    assert store.whole == [content]


@pytest.mark.parametrize("form", ["local-file", "generator"])
def test_left_after_its_first_piece(form: str, tmp_path: Path) -> None:
    """A file is closed though its next part is about to be read, and nobody hears of a reading that came too late."""
    unheard = list[dict[str, Any]]()

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        file = of_form(form, tmp_path, bytes(3 * MIB))
        async with (
            opened_sources({"file": file}, ReadPool(CapacityLimiter(1))) as sources,
            sources["file"].open() as body,
        ):
            assert not isinstance(body.payload, bytes)
            assert await anext(body.payload)
        await until(lambda: len(asyncio.all_tasks()) == 1)  # what was reading ahead has ended
        del body
        gc.collect()

    asyncio.run(leave())
    assert not unheard


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFOs")
@pytest.mark.parametrize("size", [1, 3 * MIB])
async def test_a_fifo_in_the_place_of_a_file(size: int, tmp_path: Path) -> None:
    """A FIFO that has taken the place of a file since it was read is no file, and nobody waits for it."""
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(size))
    async with opened_sources({"file": Image(filename=str(path))}, ReadPool(CapacityLimiter(1))) as sources:
        async with sources["file"].open():
            pass
        path.unlink()
        os.mkfifo(path)
        with anyio.fail_after(GENEROUS), pytest.raises(MissingFileError, match="not a file"):
            async with sources["file"].open():
                pass


@pytest.mark.parametrize("size", [1, MIB, MIB + 1, 3 * MIB])
@pytest.mark.parametrize("form", SOURCES)
async def test_the_length_is_told(form: str, size: int, store: Store, storage: Storage, tmp_path: Path) -> None:
    """The length is told, whatever form the data has: there are stores that refuse data of unknown length."""
    content = os.urandom(size)
    file = of_form(form, tmp_path, content)
    await put(storage, store.url, file)
    assert store.whole == [content]
    told, encoding = (store.headers[0].get(name) for name in ("Content-Length", "Transfer-Encoding"))
    assert (told, encoding) == (str(size), None)


@pytest.mark.parametrize(
    "data",
    [
        lambda content: Pipe(content, most=1000),
        lambda content: iter(
            [content[:1], b"", *(content[start : start + 999] for start in range(1, len(content), 999))]
        ),
        bytearray,
        memoryview,
    ],
    ids=["short-reads", "small-chunks", "bytearray", "memoryview"],
)
@pytest.mark.parametrize("size", [1, 10_000, MIB + 1])
async def test_data_in_other_portions(data: Callable[[bytes], Any], size: int, store: Store, storage: Storage) -> None:
    """Every byte arrives, in whatever portions a source gives them."""
    content = os.urandom(size)
    assert await put(storage, store.url, image(data(content))) == size
    assert store.whole == [content]


class Misjudged(BytesIO):
    """A stream that takes itself for longer, or shorter, than it is."""

    def __init__(self, content: bytes, error: int) -> None:
        super().__init__(content)
        self._error = error

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        return super().seek(offset, whence) + (self._error if whence == SEEK_END else 0)


@pytest.mark.parametrize("error", [-1, 1, -MIB, MIB])
@pytest.mark.parametrize("size", [2 * MIB, 2 * MIB + 1, 3 * MIB])
async def test_a_stream_of_another_size(error: int, size: int, store: Store, storage: Storage) -> None:
    """A stream that gives more or fewer bytes than its size said is an error, and the store never has it whole."""
    with pytest.raises(DataError, match=rf"'a\.jpg' changed during its upload: {size + error} bytes at the start"):
        await put(storage, store.url, image(Misjudged(bytes(size), error)))
    assert store.whole == []


@pytest.mark.parametrize("error", [-1, 1])
async def test_a_short_stream_of_another_size(error: int, store: Store, storage: Storage) -> None:
    """Of a short stream whose size is wrong nothing is sent at all."""
    with pytest.raises(DataError, match=f"{10 + error} bytes at the start, 10 at the end"):
        await put(storage, store.url, image(Misjudged(bytes(10), error)))
    assert store.headers == []


async def test_a_source_that_fails_half_way(store: Store, storage: Storage) -> None:
    """What a source has given before it failed never looks whole to the store, though nobody knew its length."""

    async def failing() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(MIB)
        raise OSError("the disk is on fire")

    with pytest.raises(DataError, match=r"reading 'a\.jpg' failed: OSError: the disk is on fire"):
        await put(storage, store.url, image(failing()))
    assert store.whole == []


class Endless(Misjudged):
    """A stream that is said to have an end."""

    def read(self, size: int | None = -1, /) -> bytes:
        return bytes(size or 1)


async def test_a_stream_without_end(store: Store, storage: Storage) -> None:
    """A stream that goes on after its end is an error as soon as it does."""
    with pytest.raises(DataError, match=r"changed during its upload"):
        await put(storage, store.url, image(Endless(bytes(3 * MIB), 0)))
    assert store.whole == []


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def grow(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"more")


def replace(path: Path) -> None:
    other, state = path.with_suffix(".new"), path.stat()
    other.write_bytes(b"")
    os.truncate(other, state.st_size)
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.rename(path)


def touch(path: Path) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1000))


CHANGES = {
    "truncated": (truncate, r"\d+ bytes at the start, \d+ at the end"),
    "grown": (grow, r"\d+ bytes at the start, \d+ at the end"),
    "replaced": (replace, "another file has taken its name"),
    "touched": (touch, "it was written to"),
    "removed": (Path.unlink, r"it is gone \(No such file or directory\)"),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
async def test_a_large_file_that_changes(
    change: Callable[[Path], None], words: str, store: Store, storage: Storage, tmp_path: Path
) -> None:
    """A file that changes while it is sent is an error that says how; it is sent once, and the store has it never."""
    path = tmp_path / "a.jpg"
    path.touch()
    os.truncate(path, LARGE)
    store.middles = [lambda request: change(path)]
    with pytest.raises(DataError, match=f"changed during its upload: {words}; pass files that are complete") as caught:
        await put(storage, store.url, Image(filename=str(path)))
    assert caught.value.filename == str(path)
    assert len(store.headers) == 1
    assert store.whole == []


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_a_small_file_that_changes(change: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    """A small file that changes between being opened and being read is an error."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"the image")
    file = Handle(str(path))
    file.open()
    try:
        change(path)
        with pytest.raises(DataError, match=f"changed during its upload: {words}"):
            file.read_whole(mmap(-1, 100))
    finally:
        file.close()


async def test_a_file_that_changes_between_uploads(store: Store, storage: Storage, tmp_path: Path) -> None:
    """What a file was earlier is no matter: each attempt sends what it is then."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"first")

    def refuse_and_change(content: bytes) -> web.Response:
        path.write_bytes(b"and then")
        return web.Response(status=503)

    store.answers = [refuse_and_change, taken]
    assert await put(storage, store.url, Image(filename=str(path))) == 8
    assert store.whole == [b"first", b"and then"]


def hashed(*headers: str, content: bytes | None = None) -> Answer:
    """Answers with checksums of what has arrived, or of something else."""

    def answer(arrived: bytes) -> web.Response:
        crc = google_crc32c.value(arrived if content is None else content)
        encoded = base64.b64encode(crc.to_bytes(4, "big")).decode()
        found = [(name, value) for name, _, value in (header.partition(": ") for header in headers)]
        return web.Response(headers=CIMultiDict((name, value.format(encoded)) for name, value in found))

    return answer


FORMS_OF_HASHES = {
    "one": ["x-goog-hash: crc32c={}"],
    "both-in-one": ["x-goog-hash: crc32c={},md5=rL0Y20zC+Fzt72VPzMSk2A=="],
    "other-order": ["X-Goog-Hash: md5=rL0Y20zC+Fzt72VPzMSk2A==, crc32c={}"],
    "several": ["X-Goog-Hash: md5=rL0Y20zC+Fzt72VPzMSk2A==", "x-goog-hash: crc32c={}"],
}


@pytest.mark.parametrize("headers", FORMS_OF_HASHES.values(), ids=FORMS_OF_HASHES)
@pytest.mark.parametrize("size", [9, 3 * MIB])
async def test_checksums(headers: list[str], size: int, store: Store, storage: Storage) -> None:
    """The checksum of a store is found in every form it has; where it differs, the data is sent again."""
    content = os.urandom(size)
    store.answers = [hashed(*headers, content=b"damaged"), hashed(*headers)]
    assert await put(storage, store.url, image(content)) == size
    assert store.whole == [content, content]


@pytest.mark.parametrize("header", ["x-goog-hash: md5=rL0Y20zC+Fzt72VPzMSk2A==", "etag: crc32c=AAAAAA=="])
async def test_answers_without_a_checksum(header: str, store: Store, storage: Storage) -> None:
    """A store that tells no CRC-32C is believed."""
    store.answers = [hashed(header)]
    await put(storage, store.url, image(b"image"))
    assert len(store.whole) == 1


async def test_checksums_that_never_agree(store: Store, storage: Storage) -> None:
    """A file that never arrives as it is is an error that names it, with both checksums and without the signature."""
    store.answers = [hashed("x-goog-hash: crc32c={}", content=b"")]
    with pytest.raises(ChecksumError, match=r"'a\.jpg' was damaged in transit") as caught:
        await put(storage, store.url, image(b"123456789"))
    assert (caught.value.sent, caught.value.stored) == ("4waSgw==", "AAAAAA==")
    assert caught.value.filename == "a.jpg"
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert len(store.whole) == 5


async def test_checksums_of_documents(store: Store, storage: Storage) -> None:
    """Documents are compared as well, and large ones too go out without a warning."""
    content = os.urandom(3 * MIB)
    store.answers = [hashed("x-goog-hash: crc32c={}", content=b""), hashed("x-goog-hash: crc32c={}")]
    assert await storage.put_json(Secret(store.url), content, "IMU data") == len(content)
    assert store.whole == [content, content]
    assert [headers["Content-Length"] for headers in store.headers] == [str(len(content))] * 2


@pytest.mark.parametrize("form", ["local-file", "bytes", "generator"])
async def test_answers_that_come_too_early(form: str, store: Store, storage: Storage, tmp_path: Path) -> None:
    """A store that is content before it has all of a file has not got it: it is sent again."""
    content = bytes(LARGE)
    store.middles = [lambda request: web.Response()]
    await put(storage, store.url, of_form(form, tmp_path, content))
    assert store.whole == [content]


async def test_a_refusal_in_the_middle(store: Store, storage: Storage, tmp_path: Path) -> None:
    """What a store says before it has all of a file is heard."""
    store.middles = [lambda request: web.Response(status=403, text="<Code>AccessDenied</Code>")]
    with pytest.raises(StorageError, match="AccessDenied"):
        await put(storage, store.url, of_form("local-file", tmp_path, bytes(LARGE)))
    assert len(store.headers) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects(code: int, store: Store, storage: Storage) -> None:
    """A store cannot send a file elsewhere: redirects are errors."""
    async with storing() as elsewhere:
        store.answers = [lambda content: web.Response(status=code, headers={"Location": elsewhere.url})]
        with pytest.raises(StorageError) as caught:
            await put(storage, store.url, image(b"image"))
        assert caught.value.status == code
        assert elsewhere.headers == []


async def test_compressed_answers_are_not_asked_for(store: Store, storage: Storage) -> None:
    """Nobody is asked for compressed answers to an upload, which could be larger than they look."""
    await put(storage, store.url, image(b"image"))
    assert store.headers[0]["Accept-Encoding"] == "identity"
