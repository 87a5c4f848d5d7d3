"""The cases: which scenes are created, and on what platform."""

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

PROJECT = "project-b"
"""A project of the emulator with one open batch."""

SHRINK = 20
"""By how much `--quick` divides whatever makes a case large."""


@frozen(kw_only=True)
class Platform:
    """How slow the platform is.

    Args:
        api_latency: Seconds until an API responds.
        storage_latency: Seconds until the storage responds.
        processing_time: Seconds from the commit of a scene until it is created.
        is_encrypted: Whether it speaks TLS.
    """

    api_latency: float = 0.0
    storage_latency: float = 0.0
    processing_time: float = 0.0
    is_encrypted: bool = False

    def __str__(self) -> str:
        api, storage = f"{self.api_latency * 1000:g}", f"{self.storage_latency * 1000:g}"
        both = api if api == storage else f"{api} (API) and {storage} (storage)"
        parts = [
            "no latency" if both == "0" else f"{both} ms of latency",
            f"{self.processing_time:g} s of processing" if self.processing_time else "",
            "TLS" if self.is_encrypted else "",
        ]
        return ", ".join(filter(None, parts))


@frozen
class Plan:
    """A scene to create.

    Args:
        external_id: Its external id.
        frames: The filenames of each frame, one for each camera.
    """

    external_id: str
    frames: tuple[tuple[str, ...], ...]


@frozen(kw_only=True)
class Case:
    """A number of equal scenes.

    Args:
        scenes: How many scenes.
        files: Images of a frame.
        size: Bytes of an image.
        frames: Frames of a scene. A scene of several frames is a sequence.
        platform: The platform.
        is_streamed: Whether a generator makes the scenes, while they are created, and all scenes have the same files.
            Otherwise they are made before the clock starts, and each has its own files.
    """

    scenes: int
    files: int
    size: int
    frames: int = 1
    platform: Platform = Platform()
    is_streamed: bool = False

    def __str__(self) -> str:
        scenes = f"{self.scenes:,} scenes" if self.scenes > 1 else "1 scene"
        frames = f" of {self.frames:,} frames" if self.frames > 1 else ""
        source = " from a generator" if self.is_streamed else ""
        return f"{scenes}{frames} x {self.files} x {shown_size(self.size)}{source}, {self.platform}"

    @property
    def files_of_scene(self) -> int:
        """Files of one scene."""
        return self.frames * self.files

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return self.scenes * self.files_of_scene * self.size

    @property
    def needed_requests(self) -> int:
        """Requests without which there are no inputs. Status queries come on top: one may ask for many scenes."""
        return self.scenes * (4 + self.files_of_scene)

    def plans(self, folder: Path) -> Iterator[Plan]:
        """The scenes, whose files are in a folder."""
        for scene in range(self.scenes):
            of = 0 if self.is_streamed else scene
            yield Plan(
                f"scene-{scene}",
                tuple(
                    tuple(f"{folder}/{of}-{frame}-{file}.jpg" for file in range(self.files))
                    for frame in range(self.frames)
                ),
            )

    def write_files(self, folder: Path) -> None:
        """Write the files. They are sparse, and take no space on disk: nobody reads them as images."""
        for plan in evolve(self, scenes=1 if self.is_streamed else self.scenes).plans(folder):
            for filenames in plan.frames:
                for name in filenames:
                    _write_sparse(Path(name), self.size)

    def shrunk(self) -> "Case":
        """The same case with fewer and smaller scenes."""
        smaller = {name: max(1, getattr(self, name) // SHRINK) for name in ("scenes", "frames", "size")}
        return evolve(self, **smaller)


def _write_sparse(path: Path, size: int) -> None:
    with path.open("w+b") as sparse:
        sparse.truncate(size)
        while sparse.read(1 << 20):
            pass  # otherwise the first contender would fill the kernel's cache for the others


def shown_size(size: int) -> str:
    """A number of bytes in the largest unit that keeps it short."""
    if size >= 1 << 20 and size % (1 << 20) == 0:
        return f"{size >> 20} MiB"
    return f"{size / 1e6:.3g} MB" if size >= 1_000_000 else f"{size / 1000:.3g} kB"
