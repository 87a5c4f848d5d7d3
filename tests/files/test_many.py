"""A scene of very many small files: as many are read when they are looked at as there is room for."""

from pathlib import Path

import pytest
from anyio import CapacityLimiter

from kognic_aio.files.local import LocalFileSource, check_files
from kognic_aio.files.pool import ReadPool
from kognic_aio.files.source import CHUNK

pytestmark = pytest.mark.anyio

FILES = 60_000
SIZE = 1000


async def test_many_small_files(tmp_path: Path) -> None:
    """Files are read until the room for them is full, and the others are only looked at."""
    small = tmp_path / "small.jpg"
    small.write_bytes(b"x" * SIZE)
    pool = ReadPool(CapacityLimiter(1))
    sources = [LocalFileSource(str(small), pool) for _ in range(FILES)]
    await check_files(sources, pool)
    read = [source.prefetched for source in sources if source.prefetched]
    assert read == [b"x" * SIZE] * (CHUNK // SIZE)
