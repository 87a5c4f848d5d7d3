"""Sources that share something beneath give each file its own bytes."""

import gzip
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from kognic_aio import KognicIOClient, Limits
from kognic_aio.emulator import Emulator
from tests.files.scenes import MIB, check_arrival, content_of, ingest, scene_of

pytestmark = pytest.mark.anyio

COUNT = 24


def tar_of(folder: Path) -> tarfile.TarFile:
    with tarfile.open(folder / "images.tar", "w") as tar:
        for number in range(COUNT):
            info = tarfile.TarInfo(str(number))
            info.size = 3 * MIB
            tar.addfile(info, BytesIO(content_of(number)))
    return tarfile.open(folder / "images.tar")


def zip_of(folder: Path) -> zipfile.ZipFile:
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for number in range(COUNT):
            archive.writestr(str(number), content_of(number))
    return zipfile.ZipFile(folder / "images.zip")


def flat_file(folder: Path) -> IO[bytes]:
    path = folder / "images.bin"
    path.write_bytes(b"".join(content_of(number) for number in range(COUNT)))
    return path.open("rb")


def member_of(tar: tarfile.TarFile, number: int) -> IO[bytes]:
    member = tar.extractfile(str(number))
    assert member is not None
    return member


class Part(io.RawIOBase):
    """A part of a file that others read as well; it goes to its start once, when it is first read.

    Its descriptor is the one of the file, as that of many a wrapper.
    """

    def __init__(self, file: IO[bytes], number: int, *, tells_descriptor: bool = False) -> None:
        self._file, self._number, self._left = file, number, -1
        self._tells_descriptor = tells_descriptor

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno() if self._tells_descriptor else super().fileno()

    def read(self, size: int = -1, /) -> bytes:
        if self._left < 0:
            self._file.seek(self._number * 3 * MIB)
            self._left = 3 * MIB
        chunk = self._file.read(min(self._left, 64_000))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Leave the file open for others."""


def part_by_part(file: IO[bytes], number: int) -> Iterator[bytes]:
    file.seek(number * 3 * MIB)
    for _ in range(48):
        yield file.read(64 << 10)


Sources = Callable[[Path], tuple[Any, Callable[[int], dict[str, Any]]]]


def from_tar(data: Callable[[tarfile.TarFile, int], dict[str, Any]]) -> Sources:
    def sources(folder: Path) -> tuple[Any, Callable[[int], dict[str, Any]]]:
        tar = tar_of(folder)
        return tar, lambda number: data(tar, number)

    return sources


def from_zip(data: Callable[[zipfile.ZipFile, int], dict[str, Any]]) -> Sources:
    def sources(folder: Path) -> tuple[Any, Callable[[int], dict[str, Any]]]:
        archive = zip_of(folder)
        return archive, lambda number: data(archive, number)

    return sources


def from_file(data: Callable[[IO[bytes], int], dict[str, Any]]) -> Sources:
    def sources(folder: Path) -> tuple[Any, Callable[[int], dict[str, Any]]]:
        file = flat_file(folder)
        return file, lambda number: data(file, number)

    return sources


def read_in_turn(member: IO[bytes]) -> Iterator[bytes]:
    while chunk := member.read(100_000):
        yield chunk


SHARED: dict[str, Sources] = {
    "tar-members": from_tar(lambda tar, number: {"data": member_of(tar, number)}),
    "tar-callback-bytes": from_tar(lambda tar, number: {"callback": lambda _: member_of(tar, number).read()}),
    "tar-callback-member": from_tar(lambda tar, number: {"callback": lambda _: member_of(tar, number)}),
    "tar-callback-generator": from_tar(
        lambda tar, number: {"callback": lambda _: read_in_turn(member_of(tar, number))}
    ),
    "tar-generator": from_tar(lambda tar, number: {"data": read_in_turn(member_of(tar, number))}),
    "tar-buffered": from_tar(lambda tar, number: {"data": io.BufferedReader(member_of(tar, number))}),
    "zip-members": from_zip(lambda archive, number: {"data": archive.open(str(number))}),
    "zip-callback": from_zip(lambda archive, number: {"callback": lambda _: archive.read(str(number))}),
    "file-generators": from_file(lambda file, number: {"data": part_by_part(file, number)}),
    "file-parts": from_file(lambda file, number: {"data": Part(file, number)}),
    "file-parts-by-descriptor": from_file(lambda file, number: {"data": Part(file, number, tells_descriptor=True)}),
    "file-callback": from_file(lambda file, number: {"callback": lambda _: part_by_part(file, number)}),
}


@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
async def test_each_has_its_own_bytes(
    shared: Sources, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """Files that come from one archive, or out of one open file, arrive as they are, many in one run."""
    archive, data = shared(tmp_path)
    with archive:
        results = await ingest(client, [scene_of(number, **data(number)) for number in range(COUNT)])
    assert len(results) == COUNT
    check_arrival(emulator, results)


class Witness:
    """Notes how many of its calls run at once at most."""

    def __init__(self) -> None:
        self.peak = self._running = 0
        self._lock = threading.Lock()
        self._seen = threading.Event()

    def __call__(self, _: str) -> bytes:
        with self._lock:
            self._running += 1
            self.peak = max(self.peak, self._running)
            if self.peak > 1:
                self._seen.set()
        self._seen.wait(0.05)  # for another one, that should not come
        with self._lock:
            self._running -= 1
        return b"image"

    async def later(self, _: str) -> bytes:
        self._running += 1
        self.peak = max(self.peak, self._running)
        await anyio.sleep(0.05)
        self._running -= 1
        return b"image"


async def test_callbacks_one_at_a_time(client: KognicIOClient) -> None:
    """Synchronous callbacks run one after another, over all runs of a client."""
    witness = Witness()
    async with anyio.create_task_group() as group:
        for run in range(2):
            scenes = [scene_of(10 * run + number, callback=witness) for number in range(6)]
            group.start_soon(partial(ingest, client, scenes, limits=Limits(uploads=8)))
    assert witness.peak == 1


async def test_callbacks_several_at_a_time(client: KognicIOClient) -> None:
    """Who asks for it has synchronous callbacks run several at once."""
    witness = Witness()
    await ingest(client, [scene_of(number, callback=witness) for number in range(6)], limits=Limits(callbacks=4))
    assert 1 < witness.peak <= 4


async def test_async_callbacks_overlap(client: KognicIOClient) -> None:
    """Async callbacks overlap without being asked to."""
    witness = Witness()
    await ingest(client, [scene_of(number, callback=witness.later) for number in range(6)])
    assert witness.peak > 1


async def test_compressed_streams(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A compressed file, which does not know its end, is read to it."""
    for number in range(3):
        (tmp_path / f"{number}.gz").write_bytes(gzip.compress(content_of(number), 1))
    scenes = [scene_of(number, data=gzip.GzipFile(tmp_path / f"{number}.gz")) for number in range(3)]
    check_arrival(emulator, await ingest(client, scenes))
