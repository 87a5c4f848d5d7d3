"""Draws a short drive: six frames of a road, seen by two cameras and a lidar."""

import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

WIDTH, HEIGHT, HORIZON = 640, 360, 150
"""Pixels of an image, and its rows of sky."""

SKY, GRASS, ROAD, CAR = bytes((150, 190, 215)), bytes((70, 110, 60)), bytes((75, 75, 80)), bytes((160, 40, 45))
"""RGB of a pixel."""


@contextmanager
def sample_folder() -> Generator[Path]:
    """Draw twelve images and six point clouds in a temporary folder."""
    with TemporaryDirectory(prefix="kognicutil-demo-") as name:
        folder = Path(name)
        for moment in range(6):
            for camera, middle in (("left", 295), ("right", 345)):
                folder.joinpath(f"{moment}-camera-{camera}.png").write_bytes(_image(moment, middle))
            folder.joinpath(f"{moment}-lidar.csv").write_text(_point_cloud(moment), "ascii")
        yield folder


def _image(moment: int, middle: int) -> bytes:
    """A PNG: sky, a road between two strips of grass, and a car on it that comes closer."""
    rows = [SKY * WIDTH] * HORIZON
    for half in range(HEIGHT - HORIZON):  # of the road, which gets wider downwards
        rows.append(GRASS * (middle - half) + ROAD * (2 * half) + GRASS * (WIDTH - middle - half))
    size = 45 + 5 * moment
    for y in range(HORIZON + 80 - size // 2, HORIZON + 80):
        rows[y] = rows[y][: 3 * middle] + CAR * size + rows[y][3 * (middle + size) :]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # 8-bit RGB
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))  # 0: the row is not filtered
    chunks = (b"IHDR" + header, b"IDAT" + pixels, b"IEND")
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _point_cloud(moment: int) -> str:
    """A CSV: a flat road, and beside it two rows of posts that the car passes."""
    time = 1_648_200_140_000_000_000 + 100_000_000 * moment
    road = [(x / 2, y / 2, -1.8, 40) for x in range(-80, 81) for y in range(-16, 17)]
    posts = [(x - 1.4 * moment, y, z / 10, 250) for x in range(-40, 41, 10) for y in (-9, 9) for z in range(-18, 7)]
    points = [f"{time},{x:.1f},{y:.1f},{z:.1f},{intensity}" for x, y, z, intensity in road + posts]
    return "\n".join(["ts_gps,x,y,z,intensity", *points])
