"""The memory that a long stream of scenes and a large file need."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.child import child
from benchmarks.server import emulator

SAMPLES = (2_000, 20_000)
STREAM_TARGET = 20
"""Megabytes that the process may grow between the two samples."""

FILE_SIZE = 1 << 30
FILE_TARGET = 50
"""Megabytes that the process may grow during the upload."""

MB = 1_000_000


def report() -> str:
    """Measure both, and return the reports."""
    return f"{stream()}\n\n{upload()}"


def stream(samples: tuple[int, int] = SAMPLES) -> str:
    """Create a stream of tiny scenes, as many as the last sample. Read the memory after each sample of results."""
    with TemporaryDirectory(prefix="benchmark-") as folder, emulator() as server:
        file = Path(folder, "tiny.jpg")
        file.write_bytes(b"tiny")
        order = {"options": server.options, "scenes": {"tiny": [str(file)]}, "samples": samples}
        with child("benchmarks.clients.stream", order) as finished:
            before, after = finished.answer
    return (
        "memory: a stream of tiny scenes from an async generator\n"
        f"  resident after {samples[0]:>6,} results  {before / MB:7.1f} MB\n"
        f"  resident after {samples[1]:>6,} results  {after / MB:7.1f} MB\n"
        f"  difference                   {(after - before) / MB:7.1f} MB  (target {STREAM_TARGET} MB)"
    )


def upload(size: int = FILE_SIZE) -> str:
    """Upload a scene of one large file, and report how the memory grows."""
    with TemporaryDirectory(prefix="benchmark-") as folder, emulator() as server:
        file = Path(folder, "large.jpg")
        with file.open("wb") as empty:
            empty.truncate(size)  # a sparse file, which needs no space on disk
        order = {"options": server.options, "scenes": {"large": [str(file)]}}
        with child("benchmarks.clients.upload", order) as finished:
            before, peak = finished.answer
        stored = server.report()["stored_bytes"]
    return (
        f"memory: one file of {stored / (1 << 20):,.0f} MiB\n"
        f"  resident before the upload   {before / MB:7.1f} MB\n"
        f"  peak during the upload       {peak / MB:7.1f} MB\n"
        f"  growth                       {(peak - before) / MB:7.1f} MB  (target {FILE_TARGET} MB)"
    )
