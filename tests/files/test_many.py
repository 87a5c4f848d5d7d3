"""A scene of very many small files is looked at in time that grows with their number, and not with its square."""

import time
from pathlib import Path

from anyio import CapacityLimiter

from kognic_aio.files.local import _check_all
from kognic_aio.files.reading import Reading

FILES = 60_000
SECONDS = 4.0
"""Of the processor, several times what it takes. With a sum anew for each file, it was a multiple of this."""


def test_many_small_files(tmp_path: Path) -> None:
    """Files are read as long as there is room for them, and all of them are looked at."""
    small = tmp_path / "small.jpg"
    small.write_bytes(b"x" * 1000)
    with Reading(CapacityLimiter(1)).buffer() as buffer:
        began = time.thread_time()
        sizes = _check_all([str(small)] * FILES, buffer)
        took = time.thread_time() - began
        assert buffer[: sum(sizes)] == b"x" * sum(sizes)
    assert took < SECONDS
    read = sum(map(bool, sizes))
    assert 1000 < read < 1100
    assert sizes == [*[1000] * read, *[0] * (FILES - read)]
