"""The cases: the number and size of scenes, and the latencies of the platform."""

import os
from pathlib import Path

from attrs import frozen

PROJECT = "project-b"
"""A project of the emulator with one open batch."""

Scenes = dict[str, list[str]]
"""The filenames of each scene, by its external id."""


@frozen(kw_only=True)
class Slowness:
    """The latencies of the platform, in seconds.

    Args:
        api: Latency of each API response.
        storage: Latency of each storage response.
        processing: Time from the commit of a scene until it is created.
    """

    api: float = 0.0
    storage: float = 0.0
    processing: float = 0.0

    def __str__(self) -> str:
        if self == Slowness():
            return "no latency"
        return f"API {self.api * 1000:g} ms, storage {self.storage * 1000:g} ms, processing {self.processing:g} s"


@frozen(kw_only=True)
class Case:
    """A number of equal scenes.

    Args:
        scenes: How many scenes.
        files: Images per scene.
        size: Bytes per image.
        slowness: The latencies of the platform.
        target: The speed-up over kognic-io that we aim at; None for a case that only checks that the benchmark works.
    """

    scenes: int
    files: int
    size: int
    slowness: Slowness = Slowness()
    target: float | None = None

    def __str__(self) -> str:
        return f"{self.scenes:,} scenes x {self.files} x {self.size // 1000} kB, {self.slowness}"

    def write_files(self, folder: Path) -> Scenes:
        """Write all images. They are random bytes: neither the clients nor the emulator read them as images."""
        return {
            f"scene-{scene}": [self._write(folder / f"{scene}-{i}.jpg") for i in range(self.files)]
            for scene in range(self.scenes)
        }

    def _write(self, path: Path) -> str:
        path.write_bytes(os.urandom(self.size))
        return str(path)


CASES = {
    "small": Case(scenes=50, files=4, size=100_000, target=8),
    "latency": Case(
        scenes=100, files=8, size=200_000, slowness=Slowness(api=0.03, storage=0.05, processing=1.0), target=7
    ),
    "many": Case(scenes=1000, files=1, size=10_000, target=10),
    "tiny": Case(scenes=3, files=2, size=1_000),
}
