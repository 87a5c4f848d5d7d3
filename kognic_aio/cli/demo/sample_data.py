"""A short drive, drawn: what two cameras and a lidar see of a road at six moments."""

import struct
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from math import cos, radians, sin, tan
from pathlib import Path
from tempfile import TemporaryDirectory

MOMENTS = 6
MOVE = 1.4
"""Metres from one moment to the next."""

WIDTH, HEIGHT, HORIZON = 640, 360, 150
CAMERAS = {"left": -25, "right": 25}
"""How far beside the lane each camera sees its middle, in pixels."""

BEAMS = 16
LIDAR_HEIGHT = 1.8
WALL = 9.0
"""Metres from the lane to the walls on both sides."""

Colour = tuple[int, int, int]
GRASS, ROAD, PAINT, CAR = (70, 110, 60), (75, 75, 80), (235, 235, 225), (160, 40, 45)


@contextmanager
def sample_folder() -> Generator[Path]:
    """A temporary folder with twelve images and six point clouds."""
    with TemporaryDirectory(prefix="kognicutil-demo-") as name:
        folder = Path(name)
        for moment in range(MOMENTS):
            for camera, shift in CAMERAS.items():
                folder.joinpath(f"{moment}-camera-{camera}.png").write_bytes(_image(moment, shift))
            folder.joinpath(f"{moment}-lidar.csv").write_text("\n".join(_points(moment)), "ascii")
        yield folder


def _image(moment: int, shift: int) -> bytes:
    return _png(bytes(_row(y, moment, WIDTH // 2 + shift)) for y in range(HEIGHT))


def _row(y: int, moment: int, middle: int) -> bytearray:
    """One row of pixels: sky, or the road between two strips of grass; and the car ahead."""
    row = bytearray(3 * WIDTH)
    if y < HORIZON:
        _paint(row, 0, WIDTH, (120 + y // 3, 160 + y // 3, 215))
    else:
        nearness = (y - HORIZON + 1) / (HEIGHT - HORIZON)
        road, line = int(330 * nearness), int(8 * nearness) + 1
        _paint(row, 0, WIDTH, GRASS)
        _paint(row, middle - road, middle + road, ROAD)
        if (4 / nearness + MOVE * moment) % 6 < 3:
            _paint(row, middle - line, middle + line, PAINT)
    if abs(y - HORIZON - 30) < 18 + moment:
        _paint(row, middle + 30, middle + 75 + 2 * moment, CAR)
    return row


def _paint(row: bytearray, start: int, end: int, colour: Colour) -> None:
    start, end = max(start, 0), min(end, WIDTH)
    row[3 * start : 3 * end] = bytes(colour) * (end - start)


def _png(rows: Iterable[bytes]) -> bytes:
    """A PNG of 8-bit RGB rows."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))  # 0: a row without filter
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _points(moment: int) -> Iterator[str]:
    """The lines of a point cloud: where each beam of a turning lidar meets the road or a wall with posts."""
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
