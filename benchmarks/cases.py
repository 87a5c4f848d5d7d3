"""The cases: how many scenes of which size, and how slow the platform is."""

import os
from pathlib import Path

from attrs import frozen

PROJECT = "project-b"
"""A project of the emulator with one open batch."""

Scenes = dict[str, list[str]]
"""The names of the files of each scene, by its external id."""


@frozen(kw_only=True)
class Slowness:
    """How slow the platform is, in seconds.

    Args:
        api: Before each answer of an API.
        storage: Before each answer of the storage.
        processing: From the commit of a scene until it is created.
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
    """A number of like scenes.

    Args:
        scenes: How many scenes.
        files: Images per scene.
        size: Bytes per image.
        slowness: How slow the platform is.
        target: How many times as fast as kognic-io we want to be; None for cases that only show that all works.
    """

    scenes: int
    files: int
    size: int
    slowness: Slowness = Slowness()
    target: float | None = None

    def __str__(self) -> str:
        return f"{self.scenes:,} scenes x {self.files} x {self.size // 1000} kB, {self.slowness}"

    def write_files(self, folder: Path) -> Scenes:
        """Write all images: random bytes, as neither client nor platform looks into them."""
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
