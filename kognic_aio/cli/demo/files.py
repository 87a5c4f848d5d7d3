"""The files that scenes are made from."""

from collections.abc import Sequence
from pathlib import Path

import click
from attrs import frozen

from kognic_aio.model import Image, PointCloud


@frozen(kw_only=True)
class Files:
    """What a folder holds.

    Args:
        images: Images, sorted by path.
        clouds: Point clouds, sorted by path.
        others: How many files are neither.
    """

    images: Sequence[Path]
    clouds: Sequence[Path]
    others: int

    def __len__(self) -> int:
        return len(self.images) + len(self.clouds)

    def __str__(self) -> str:
        ignored = f", {counted(self.others, 'other file')} ignored" if self.others else ""
        return f"{counted(len(self.images), 'image')} and {counted(len(self.clouds), 'point cloud')}{ignored}"


def find_files(folder: Path) -> Files:
    """The images and point clouds in a folder and the folders below it.

    Raises:
        ClickException: If there are none.
    """
    paths = sorted(path for path in folder.resolve().rglob("*") if path.is_file())
    images = [path for path in paths if path.suffix.lower() in Image.SUFFIXES]
    clouds = [path for path in paths if path.suffix.lower() in PointCloud.SUFFIXES]
    files = Files(images=images, clouds=clouds, others=len(paths) - len(images) - len(clouds))
    if not len(files):
        expected = ", ".join(suffix.lstrip(".") for suffix in (*Image.SUFFIXES, *PointCloud.SUFFIXES))
        raise click.ClickException(
            f"no images or point clouds among the {counted(files.others, 'file')} in {folder}: expected {expected}"
        )
    return files


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as `1 image` or `1,200 images`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
