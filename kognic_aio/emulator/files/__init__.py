"""Looks at uploaded files while they arrive: are they what their names say?

Each kind of file has a module. A check is a generator that reads its file from top to bottom, and yields where it
needs more bytes (`incoming`). So a file of any size costs a few kilobytes of memory.
"""

from functools import partial
from pathlib import PurePosixPath

from kognic_aio.emulator.files.csv_cloud import check_csv, check_csv_header
from kognic_aio.emulator.files.image import check_image
from kognic_aio.emulator.files.incoming import Check, Inspection
from kognic_aio.emulator.files.las import check_las, check_laz
from kognic_aio.emulator.files.pcd import check_pcd

__all__ = ["Inspection", "inspection_of"]

CHECKS: dict[str, Check] = {
    ".avif": partial(check_image, "AVIF"),
    ".jpeg": partial(check_image, "JPEG"),
    ".jpg": partial(check_image, "JPEG"),
    ".png": partial(check_image, "PNG"),
    ".webp": partial(check_image, "WebP"),
    ".csv": check_csv,
    ".las": check_las,
    ".laz": check_laz,
    ".pcd": check_pcd,
}

# Checked even if files are not read.
MINIMAL_CHECKS: dict[str, Check] = {".csv": check_csv_header}


def inspection_of(filename: str, *, whole: bool) -> Inspection | None:
    """The inspection of a file.

    Args:
        filename: Its name, whose suffix says what it should be.
        whole: Whether to read the file; otherwise no more than the header of a CSV is looked at.

    Returns:
        A new inspection to feed the file to, or None where there is nothing to look at.
    """
    check = (CHECKS if whole else MINIMAL_CHECKS).get(PurePosixPath(filename).suffix.lower())
    return None if check is None else Inspection(check)
