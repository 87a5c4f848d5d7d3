"""Small local files are read when they are checked, before their scene is started."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio import CapacityLimiter

from kognic_aio import InputCreationStatus, KognicIOClient
from kognic_aio.emulator import Emulator
from kognic_aio.files import FileSource, ReadPool, opened_sources
from kognic_aio.model import Cameras, Image
from tests.files.scenes import MIB, ingest

pytestmark = pytest.mark.anyio

WATCHED: dict[str, list[str]] = {}
"""Folders, and for each the names of the files in it that were opened."""

REFUSED = "refused.jpg"
"""A file that cannot be opened."""


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not WATCHED or arguments[1] is not None:  # not by `os.open`
        return
    folder, _, name = str(arguments[0]).rpartition("/")
    if folder in WATCHED:
        WATCHED[folder].append(name)
        if name == REFUSED:
            raise PermissionError(13, "Permission denied")


@pytest.fixture(scope="module", autouse=True)
def watching() -> None:
    sys.addaudithook(watch)  # for good, but only for the folders above


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[str]]:
    """The names of the files in the temporary folder that were opened."""
    WATCHED[str(tmp_path)] = []
    yield WATCHED[str(tmp_path)]
    WATCHED.clear()


def scene_of(*paths: Path) -> Cameras:
    """A scene of local files."""
    images = [Image(filename=path, sensor_name=path.stem) for path in paths]
    return Cameras(external_id="scene", frame=Cameras.Frame(images=images))


async def sent(source: FileSource) -> bytes:
    """What an attempt sends."""
    async with source.open() as body:
        if isinstance(body.payload, bytes):
            return body.payload
        return b"".join([chunk async for chunk in body.payload])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10, 1000, 100_000], [True, True, True]),
        ([1, MIB - 1], [True, True]),
        ([1, MIB], [False, False]),
        ([3 * MIB, 10], [False, False]),
    ],
    ids=["small", "as-much-as-fits", "too-much", "one-large"],
)
async def test_what_is_sent(sizes: list[int], expected: list[bool], tmp_path: Path) -> None:
    """A small scene's first attempt sends what was checked; all others send the files as they are then."""
    paths = [tmp_path / f"{number}.jpg" for number, _ in enumerate(sizes)]
    for path, size in zip(paths, sizes, strict=True):
        path.write_bytes(b"a" * size)
    async with opened_sources(
        {path.name: Image(filename=path) for path in paths}, ReadPool(CapacityLimiter(1))
    ) as given:
        for path in paths:
            path.write_bytes(b"later")
        first = [await sent(given[path.name]) for path in paths]
        again = [await sent(given[path.name]) for path in paths]
    assert first == [b"a" * size if is_early else b"later" for size, is_early in zip(sizes, expected, strict=True)]
    assert again == [b"later"] * len(paths)


async def test_a_small_file_that_cannot_be_read(
    opened: list[str], emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A small file that exists and cannot be opened is found before anything of its scene is sent."""
    paths = tmp_path / "a.jpg", tmp_path / REFUSED
    for path in paths:
        path.write_bytes(b"image")
    (result,) = await ingest(client, [scene_of(*paths)])
    assert result.status is InputCreationStatus.FAILED
    assert result.error is not None
    assert REFUSED in result.error.message
    assert "PermissionError" in result.error.message
    assert opened == ["a.jpg", REFUSED]
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def test_a_small_scene_is_read_once(
    opened: list[str], emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A small file is opened once on its way to the platform, and not at all in a dry run."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"image")
    (result,) = await ingest(client, [scene_of(path)], dryrun=True)
    assert result.status is InputCreationStatus.VALIDATED
    assert opened == []
    (result,) = await ingest(client, [scene_of(path)])
    assert result.status is InputCreationStatus.CREATED
    assert opened == ["a.jpg"]
