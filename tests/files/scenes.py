"""Scenes of one image each, and a look at whether the platform has got the right bytes."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import anyio

from kognic_aio import FileData, InputCreationResult, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras, Image
from tests.waiting import GENEROUS

PROJECT = "project-b"
MIB = 1 << 20


def content_of(number: int, size: int = 3 * MIB) -> bytes:
    """Bytes that no other number has."""
    return f"{number:08}".encode() * (size // 8)


def scene_of(number: int, **file_data: Any) -> Cameras:
    """A scene of one image; its arguments say where the bytes come from."""
    image = Image(filename=f"{number}.jpg", file_data=FileData(format="jpg", **file_data))
    return Cameras(external_id=str(number), frame=Cameras.Frame(images=[image]))


async def ingest(client: KognicIOClient, scenes: Any, **options: Any) -> list[InputCreationResult]:
    """Create inputs, within a bound."""
    with anyio.fail_after(GENEROUS):
        return [result async for result in create_inputs(client, scenes, PROJECT, **options)]


def check_arrival(
    emulator: Emulator, results: Iterable[InputCreationResult], content: Callable[[int], bytes] = content_of
) -> None:
    """All are CREATED, and the platform has of each what belongs to it."""
    for result in results:
        assert result.status is InputCreationStatus.CREATED, result.error
        assert result.scene_uuid is not None
        (stored,) = emulator.platform.scene(result.scene_uuid).files.values()
        assert stored is not None
        assert stored.sha256 == hashlib.sha256(content(int(str(result.external_id)))).hexdigest(), result.external_id
