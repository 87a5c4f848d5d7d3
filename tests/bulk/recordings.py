"""Recordings on disk: folders of scenes with small, sound files, and manifests of the same."""

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

START = 1_700_000_000_000_000_000
INTERVAL = 100_000_000
WIDTH, HEIGHT = 8, 6

FACING: dict[str, Any] = {
    "position": {"x": 0, "y": 0, "z": 1.5},
    "rotation_quaternion": {"w": 1, "x": 0, "y": 0, "z": 0},
}
CAMERA: dict[str, Any] = {
    **FACING,
    "calibration_type": "pinhole",
    "image_width": WIDTH,
    "image_height": HEIGHT,
    "camera_matrix": {"fx": 5, "fy": 5, "cx": 4, "cy": 3},
    "distortion_coefficients": {"k1": 0, "k2": 0, "p1": 0, "p2": 0, "k3": 0},
}
LIDAR: dict[str, Any] = {**FACING, "calibration_type": "lidar"}


def png(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """An image of one colour."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def csv(*times: int) -> bytes:
    """A point cloud with a point at each of some times."""
    return "\n".join(["ts_gps,x,y,z,intensity", *(f"{time},1.0,2.0,3.0,7" for time in times or (START,)), ""]).encode()


def write(path: Path, content: Any) -> Path:
    """Write bytes, or something as JSON, and make the folders that the file is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def record(
    folder: Path,
    *,
    cameras: Sequence[str] = ("CAM",),
    lidars: Sequence[str] = (),
    frames: int = 3,
    calibrated: bool = False,
) -> Path:
    """Write the folder of a scene."""
    times = [START + number * INTERVAL for number in range(frames)]
    for name in cameras:
        for time in times:
            write(folder / "cameras" / name / f"{time}.png", png())
    for name in lidars:
        for time in times:
            write(folder / "lidar" / name / f"{time}.csv", csv(time))
    if calibrated or (cameras and lidars):
        sensors = dict.fromkeys(cameras, CAMERA) | dict.fromkeys(lidars, LIDAR)
        write(folder / "calibration.json", sensors)
    return folder


def pose(x: float = 0.0) -> dict[str, Any]:
    """A pose of the vehicle."""
    return {"position": {"x": x, "y": 0, "z": 0}, "rotation": {"w": 1, "x": 0, "y": 0, "z": 0}}


def imu(first: int, last: int, count: int = 5) -> list[dict[str, Any]]:
    """Readings from one time to another."""
    step = (last - first) // (count - 1)
    return [
        {
            "position": {"x": 0, "y": 0, "z": 0},
            "rotation_quaternion": {"w": 1, "x": 0, "y": 0, "z": 0},
            "timestamp": first + number * step,
        }
        for number in range(count)
    ]
