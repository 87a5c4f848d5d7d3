"""Files that cannot be sent are found before anything is, or before the scene is committed."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator
from kognic_aio.errors import DataError, InvalidError, MissingFileError
from kognic_aio.model import Cameras, Image
from tests.scenes import cameras_scene

pytestmark = pytest.mark.anyio


def local_scene(path: Path) -> Cameras:
    return Cameras(external_id="scene", frame=Cameras.Frame(images=[Image(filename=str(path))]))


@pytest.mark.parametrize(
    ("make", "words", "empty"),
    [
        (lambda path: None, "missing", False),
        (lambda path: path.touch(), "contains no data", True),
        (lambda path: path.mkdir(), "not a file", False),
    ],
    ids=["missing", "empty", "folder"],
)
async def test_local_files(
    make: Callable[[Path], Any], words: str, empty: bool, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A local file that is missing, empty or a folder is named before anything is sent."""
    path = tmp_path / "a.jpg"
    make(path)
    with pytest.raises(MissingFileError, match=words) as caught:
        await client.cameras.create(local_scene(path))
    assert caught.value.filename == str(path)
    assert caught.value.empty is empty
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def test_a_scene_of_another_type(client: KognicIOClient) -> None:
    """A creator says which type it creates when it gets another."""
    with pytest.raises(InvalidError, match="creates scenes of type Lidars, got Cameras"):
        await client.lidars.create(cameras_scene("scene"))  # type: ignore[call-overload]


def raising(filename: str) -> bytes:
    raise PermissionError(f"not allowed to see {filename}")


async def raising_later(filename: str) -> bytes:
    raise PermissionError(f"not allowed to see {filename}")


def stopping() -> Iterator[bytes]:
    yield b"first"
    raise OSError("the disk is on fire")


async def stopping_async() -> AsyncIterator[bytes]:
    yield b"first"
    raise OSError("the disk is on fire")


def closed_stream() -> BytesIO:
    stream = BytesIO(b"image")
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("file_data", "words"),
    [
        ({"callback": raising}, "the callback for '0.jpg' failed: PermissionError: not allowed to see 0.jpg"),
        ({"callback": raising_later}, "the callback for '0.jpg' failed: PermissionError: not allowed to see 0.jpg"),
        ({"callback": lambda name: "text"}, "got text, expected bytes"),
        ({"callback": lambda name: None}, "expected bytes, a binary stream or a generator of bytes, got NoneType"),
        ({"callback": lambda name: b""}, "the data of '0.jpg' is empty"),
        ({"data": BytesIO()}, "the data of '0.jpg' is empty"),
        ({"data": closed_stream()}, "the stream of '0.jpg' is closed: streams are closed after their upload"),
        ({"data": iter([])}, "the data of '0.jpg' is empty"),
        ({"data": iter([b"", b""])}, "the data of '0.jpg' is empty"),
        ({"data": iter(["text"])}, "expected bytes, got str; open files in binary mode"),
        ({"data": stopping()}, "reading '0.jpg' failed: OSError: the disk is on fire"),
        ({"data": stopping_async()}, "reading '0.jpg' failed: OSError: the disk is on fire"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
async def test_data_that_cannot_be_had(
    file_data: dict[str, Any], words: str, emulator: Emulator, client: KognicIOClient
) -> None:
    """A source that fails or gives no bytes is an error with its own words, and the scene is not committed."""
    with pytest.raises(DataError) as caught:
        await client.cameras.create(cameras_scene("scene", **file_data))
    assert words in str(caught.value)
    assert caught.value.filename == "0.jpg"
    assert not [request for request in emulator.recorder.requests("POST") if request.path.endswith("/commit")]


async def test_a_file_that_shrinks_while_it_is_sent(client: KognicIOClient, emulator: Emulator, tmp_path: Path) -> None:
    """A file whose size changes while it is sent is an error, and the scene is not committed."""
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(3 << 20))

    class Shrinking(Image):
        """Its content type is asked for when the file has been opened."""

        @property
        def content_type(self) -> str:
            os.truncate(path, 2 << 20)
            return "image/jpeg"

    scene = Cameras(external_id="scene", frame=Cameras.Frame(images=[Shrinking(filename=str(path))]))
    with pytest.raises(DataError, match="changed during its upload: 3145728 bytes at the start, 2097152 at the end"):
        await client.cameras.create(scene)
    assert not [request for request in emulator.recorder.requests("POST") if request.path.endswith("/commit")]
