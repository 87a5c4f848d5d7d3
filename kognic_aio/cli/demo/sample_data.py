"""A short drive, drawn: what two cameras and a lidar see of a road at six moments."""

import struct
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from math import cos, radians, sin, tan
from pathlib import Path
from tempfile import TemporaryDirectory

MOMENTS = 6
MOVE = 1.4
"""Metres that the car drives between two moments."""

WIDTH, HEIGHT, HORIZON = 640, 360, 150
CAMERAS = {"left": -25, "right": 25}
"""Pixels by which each camera sees the lane beside the middle of its image."""

BEAMS, LIDAR_HEIGHT, WALL = 16, 1.8, 9.0
"""Beams of the lidar, its height above the road, and the distance of the walls beside the road, both in metres."""

SKY, GRASS, ROAD, CAR = bytes((150, 190, 215)), bytes((70, 110, 60)), bytes((75, 75, 80)), bytes((160, 40, 45))


@contextmanager
def sample_folder() -> Generator[Path]:
    """Draw twelve images and six point clouds in a temporary folder."""
    with TemporaryDirectory(prefix="kognicutil-demo-") as name:
        folder = Path(name)
        for moment in range(MOMENTS):
            for camera, shift in CAMERAS.items():
                folder.joinpath(f"{moment}-camera-{camera}.png").write_bytes(_png(moment, WIDTH // 2 + shift))
            folder.joinpath(f"{moment}-lidar.csv").write_text("\n".join(_points(moment)), "ascii")
        yield folder


def _png(moment: int, middle: int) -> bytes:
    rows = b"".join(b"\0" + _row(y, moment, middle) for y in range(HEIGHT))  # 0: a row without a filter
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)  # 8-bit RGB
    chunks = (b"IHDR" + header, b"IDAT" + zlib.compress(rows), b"IEND")
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _row(y: int, moment: int, middle: int) -> bytes:
    """One row of pixels: the sky, or a road between two strips of grass, with a car ahead that comes closer."""
    if y < HORIZON:
        return SKY * WIDTH
    half = 330 * (y - HORIZON) // (HEIGHT - HORIZON)
    left, right = max(0, middle - half), min(WIDTH, middle + half)
    row = bytearray(GRASS * left + ROAD * (right - left) + GRASS * (WIDTH - right))
    if abs(y - HORIZON - 30) < 18 + moment:
        row[3 * (middle + 30) : 3 * (middle + 75 + 2 * moment)] = CAR * (45 + 2 * moment)
    return bytes(row)


def _points(moment: int) -> Iterator[str]:
    """The lines of a point cloud: where each beam of a turning lidar meets the road, or a wall with posts."""
    yield "ts_gps,x,y,z,intensity"
    for beam in range(BEAMS):
        slope = tan(radians(beam + 1))
        for degree in range(360):
            ahead, left = cos(radians(degree)), sin(radians(degree))
            reach = min(LIDAR_HEIGHT / slope, WALL / max(abs(left), 0.01))
            x, y, z = reach * ahead, reach * left, -reach * slope
            is_post = abs(y) > WALL - 0.1 and (x + MOVE * moment) % 10 < 1
            time = 1_648_200_140_000_000_000 + 100_000_000 * moment + 250_000 * degree
            yield f"{time},{x:.3f},{y:.3f},{z:.3f},{250 if is_post else max(10, 120 - int(reach))}"
