"""Each problem that can be known before an upload is found, at its place; scenes that are in order have none."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from kognic_aio.bulk import Problem, Severity, survey
from kognic_aio.errors import InvalidError
from tests.bulk.recordings import CAMERA, INTERVAL, LIDAR, START, csv, imu, png, pose, record, write

Plant = Callable[[Path], object]

FIRST = f"{START}.png"
IMAGE, CLOUD = f"cameras/CAM/{FIRST}", f"lidar/LID/{START}.csv"
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


@frozen
class Planted:
    """A problem that is planted in a scene: its code, a part of what is said of it, and how it gets there."""

    code: str
    said: str
    plant: Plant
    is_error: bool = True


def change(name: str, **values: Any) -> Plant:
    """Change fields of a JSON file beside the sensors, or make it."""

    def plant(scene: Path) -> None:
        path = scene / name
        content = json.loads(path.read_bytes()) if path.exists() else {}
        write(path, content | values)

    return plant


def put(name: str, content: Any) -> Plant:
    return lambda scene: write(scene / name, content)


def remove(name: str) -> Plant:
    return lambda scene: (scene / name).unlink()


def rename(name: str, to: str) -> Plant:
    return lambda scene: (scene / name).rename(scene / to)


def calibrated(**sensors: Any) -> Plant:
    return change("calibration.json", **sensors)


def pcd(lines: str, data: bytes = b"") -> bytes:
    return lines.encode() + data


def las(version: tuple[int, int] = (1, 2), kind: int = 3, points: int = 1, records: int = 1) -> bytes:
    header = bytearray(227)
    header[:4], header[24], header[25] = b"LASF", *version
    struct.pack_into("<HIIBHI", header, 94, 227, 227, 0, kind, 34, points)
    return bytes(header) + bytes(34 * records)


PCD = """\
VERSION 0.7
FIELDS x y z intensity
SIZE 4 4 4 4
TYPE F F F U
COUNT 1 1 1 1
WIDTH 1
HEIGHT 1
POINTS 1
DATA binary
"""


def cloud(suffix: str, content: bytes) -> Plant:
    """Put another point cloud in the place of the first one."""

    def plant(scene: Path) -> None:
        (scene / CLOUD).unlink()
        write(scene / "lidar/LID" / f"{START}.{suffix}", content)

    return plant


def turned(length: float) -> dict[str, Any]:
    """A pose with a quaternion of some length."""
    return pose() | {"rotation": {"w": length, "x": 0, "y": 0, "z": 0}}


def openlabel(**parts: Any) -> dict[str, Any]:
    return {"openlabel": OPENLABEL["openlabel"] | parts}


def timed(timestamp: int, frame: str = "0") -> dict[str, Any]:
    return {"frame_properties": {"timestamp": timestamp, "external_id": frame}}


def retime(scene: Path, start: int) -> None:
    """Give all files other times, one apart."""
    for sensor in (*scene.glob("cameras/*"), *scene.glob("lidar/*")):
        for number, file in enumerate(sorted(sensor.iterdir())):
            file.rename(file.with_stem(str(start + number)))


PLANTED = {
    # Files
    "empty image": Planted("empty-file", FIRST, put(IMAGE, b"")),
    "empty cloud": Planted("empty-file", CLOUD, put(CLOUD, b"")),
    "png named jpg": Planted("wrong-format", "is png", rename(IMAGE, f"cameras/CAM/{START}.jpg")),
    "text named png": Planted("wrong-format", FIRST, put(IMAGE, b"not an image")),
    "cut png": Planted("broken-file", FIRST, put(IMAGE, png()[:20])),
    "image named csv": Planted("wrong-format", "is png", put(CLOUD, png())),
    "csv without header": Planted("wrong-header", CLOUD, put(CLOUD, b"0,1.0,2.0,3.0,7\n")),
    "csv without points": Planted("no-points", CLOUD, put(CLOUD, b"ts_gps,x,y,z,intensity\n")),
    "csv with text": Planted("broken-file", "'far'", put(CLOUD, b"ts_gps,x,y,z,intensity\n0,far,2,3,7\n")),
    "csv with too few": Planted("broken-file", "4 values", put(CLOUD, b"ts_gps,x,y,z,intensity\n0,2,3,7\n")),
    "csv in other order": Planted("wrong-header", "order", put(CLOUD, b"x,y,z,ts_gps,intensity\n1,2,3,0,7\n"), False),
    "cut pcd": Planted("broken-file", ".pcd", cloud("pcd", pcd(PCD, bytes(15)))),
    "pcd without z": Planted("wrong-header", "lack z", cloud("pcd", pcd(PCD.replace(" z ", " r "), bytes(16)))),
    "pcd with other size": Planted("wrong-header", "TYPE", cloud("pcd", pcd(PCD.replace("4 4 4 4", "4 4 3 4")))),
    "pcd that miscounts": Planted("broken-file", "POINTS", cloud("pcd", pcd(PCD.replace("POINTS 1", "POINTS 2")))),
    "pcd without data": Planted("wrong-header", "DATA", cloud("pcd", pcd(PCD.replace("DATA binary\n", "")))),
    "pcd without points": Planted(
        "no-points", ".pcd", cloud("pcd", pcd(PCD.replace("TH 1", "TH 0").replace("TS 1", "TS 0")))
    ),
    "organised pcd": Planted(
        "wrong-header",
        "organised",
        cloud(
            "pcd",
            pcd(PCD.replace("HEIGHT 1", "HEIGHT 2").replace("TS 1", "TS 2").replace("binary", "binary_compressed")),
        ),
    ),
    "cut las": Planted("broken-file", ".las", cloud("las", las(points=2))),
    "las header only": Planted("broken-file", ".las", cloud("las", las()[:100])),
    "las without points": Planted("no-points", ".las", cloud("las", las(points=0))),
    "las of another version": Planted("unusual-las", "1.4", cloud("las", las(version=(1, 4))), False),
    "no timestamp": Planted("no-timestamp", "front.png", put("cameras/CAM/front.png", png())),
    "unknown suffix": Planted("unknown-file", "bmp", put(f"cameras/CAM/{START}.bmp", png())),
    "file without sensor": Planted("unknown-file", "cameras/", put(f"cameras/{FIRST}", png())),
    "two of one time": Planted("invalid-value", "same time", put(f"cameras/CAM/{START}.webp", b"RIFF1234WEBP")),
    "sensor without files": Planted("no-files", "cameras/REAR", lambda scene: (scene / "cameras/REAR").mkdir()),
    # Frames
    "missing image": Planted("missing-sensor", "2 of 3", remove(IMAGE)),
    "file between frames": Planted(
        "left-out", str(START + 3 * INTERVAL), put(f"cameras/CAM/{START + 3 * INTERVAL}.png", png())
    ),
    "timestamps of another century": Planted("wrong-time", "century", lambda scene: retime(scene, 1)),
    "timestamps in milliseconds": Planted("invalid-value", "milliseconds", lambda scene: retime(scene, START // 10**6)),
    # Calibration
    "image of another size": Planted("image-size", "8 x 6", calibrated(CAM=CAMERA | {"image_width": 9})),
    "lidar without calibration": Planted(
        "unknown-sensor", "'LID'", put("calibration.json", {"CAM": CAMERA, "SIDE": CAMERA})
    ),
    "camera calibrated as lidar": Planted("unknown-sensor", "'lidar'", calibrated(CAM=LIDAR)),
    "no calibration": Planted("missing-field", "calibration_id", remove("calibration.json")),
    "unknown kind of calibration": Planted(
        "invalid-value", "calibration['CAM']", calibrated(CAM={"calibration_type": "telescope"})
    ),
    "calibration without position": Planted("missing-field", "position", calibrated(LID={"calibration_type": "lidar"})),
    "calibration that is no JSON": Planted("unreadable-file", "calibration.json", put("calibration.json", b"{")),
    "calibration turned wrongly": Planted(
        "invalid-value", "length 2", calibrated(LID=LIDAR | {"rotation_quaternion": {"w": 2, "x": 0, "y": 0, "z": 0}})
    ),
    # Poses and IMU data
    "pose of no frame": Planted("unknown-frame", "'7'", put("ego_poses.json", {str(n): pose() for n in (0, 1, 2, 7)})),
    "frame without pose": Planted("missing-pose", "2 of 3", put("ego_poses.json", {"0": pose(), "1": pose()})),
    "pose turned wrongly": Planted(
        "invalid-value", "length 0", put("ego_poses.json", {str(n): turned(0) for n in range(3)})
    ),
    "pose slightly off": Planted(
        "inexact-rotation", "1.05", put("ego_poses.json", {str(n): turned(1.05) for n in range(3)}), False
    ),
    "imu too short": Planted("imu-span", "frame 2", put("imu.json", imu(START, START + INTERVAL))),
    "imu in seconds": Planted("invalid-value", "seconds", put("imu.json", imu(1_700_000_000, 1_700_000_100))),
    "imu backwards": Planted(
        "imu-order", "not after", put("imu.json", [*imu(START, START + 2 * INTERVAL), *imu(START, START + INTERVAL)])
    ),
    "points outside of imu": Planted(
        "imu-span",
        CLOUD,
        lambda scene: (put("imu.json", imu(START, START + 2 * INTERVAL))(scene), put(CLOUD, csv(START - 1))(scene)),
    ),
    # What comes with the scene
    "pre-annotation without openlabel": Planted(
        "pre-annotation", "OpenLABEL", put("pre_annotation.json", {"objects": {}})
    ),
    "another version of openlabel": Planted(
        "pre-annotation",
        "schema_version",
        put("pre_annotation.json", {"openlabel": {"metadata": {"schema_version": "0.3"}}}),
    ),
    "not the schema of openlabel": Planted(
        "openlabel",
        "objects",
        put("pre_annotation.json", {"openlabel": OPENLABEL["openlabel"] | {"objects": {"a": 1}}}),
    ),
    "unknown stream": Planted(
        "unknown-stream", "'REAR'", put("pre_annotation_x.json", openlabel(streams={"REAR": {"type": "camera"}}))
    ),
    "unknown time": Planted(
        "pre-annotation", "timestamp", put("pre_annotation.json", openlabel(frames={"0": timed(7)}))
    ),
    "unknown frame": Planted(
        "unknown-frame", "'9'", put("pre_annotation.json", openlabel(frames={"0": timed(0, "9")}))
    ),
    "nested metadata": Planted(
        "invalid-value", "metadata", put("scene.json", {"metadata": {"weather": {"rain": True}}})
    ),
    "unknown field": Planted("unknown-field", "'external_id'", put("scene.json", {"external_ids": "a"})),
    "keyframes of another length": Planted(
        "invalid-value", "frame_count", put("keyframes.json", {"frame_count": 4, "keyframe_indices": [0]})
    ),
    "keyframe that is not there": Planted(
        "invalid-value", "keyframes.json", put("keyframes.json", {"frame_count": 3, "keyframe_indices": [3]})
    ),
    "misspelt file": Planted("unused-file", "ego_poses.json", put("ego_pose.json", {}), False),
}


def problems(source: Path) -> list[Problem]:
    """All problems of all scenes."""
    return [problem for scene in survey(source, processes=1) for problem in scene.problems]


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_problem(planted: Planted, tmp_path: Path) -> None:
    """It is found at its place, and nothing else is an error."""
    scene = record(tmp_path / "drive", cameras=["CAM", "SIDE"], lidars=["LID"])
    assert problems(scene) == []
    planted.plant(scene)
    found = problems(scene)
    assert planted.code in {problem.code for problem in found}, found
    match = next(problem for problem in found if problem.code == planted.code)
    assert planted.said in str(match)
    assert match.scene == "drive"
    assert match.severity is (Severity.ERROR if planted.is_error else Severity.WARNING)
    assert {problem.code for problem in found if problem.is_error} <= {planted.code}


def test_all_problems_at_once(tmp_path: Path) -> None:
    """A scene with several problems shows them all, whatever they are about."""
    scene = record(tmp_path / "drive", lidars=["LID"])
    names = ("empty image", "csv with text", "image of another size", "pose turned wrongly", "imu too short")
    for name in (*names, "unknown stream", "nested metadata"):
        PLANTED[name].plant(scene)
    found = {problem.code for problem in problems(scene)}
    assert found >= {"empty-file", "broken-file", "image-size", "invalid-value", "imu-span", "unknown-stream"}


def test_an_external_id_twice(tmp_path: Path) -> None:
    """The second scene with an external id is named, with the place of the first."""
    for name in "ab":
        write(record(tmp_path / name) / "scene.json", {"external_id": "same"})
    (problem,) = problems(tmp_path)
    assert problem.code == "external-id-twice"
    assert str(tmp_path / "a") in problem.message
    assert problem.file == str(tmp_path / "b")


@pytest.mark.parametrize("kind", ["cameras", "lidars", "both"])
@pytest.mark.parametrize("frames", [1, 3])
def test_scenes_in_order(kind: str, frames: int, tmp_path: Path) -> None:
    """Scenes of all kinds that are in order have no problem."""
    cameras = ["A", "B"] if kind != "lidars" else []
    lidars = ["L"] if kind != "cameras" else []
    assert problems(record(tmp_path / "scene", cameras=cameras, lidars=lidars, frames=frames)) == []


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (b"ts_gps,x,y,z,intensity,rgb,red,green,blue", b"0,1,2,3,4.5,6,7,8,9"),
        (b",ts_gps,x,y,z,intensity,red,blue,green", b"0,0,1,2,3,4,5,6,7"),
        (b"ts_gps,x,y,z", b"0,1,2,3"),
    ],
)
def test_point_clouds_that_the_platform_takes(header: bytes, row: bytes, tmp_path: Path) -> None:
    """Colours, the index of pandas, decimals as intensities, and no intensity are no problem."""
    scene = record(tmp_path / "drive", lidars=["LID"])
    write(scene / CLOUD, header + b"\n" + row + b"\n")
    assert problems(scene) == []


def test_many_scenes_in_several_processes(tmp_path: Path) -> None:
    """Scenes come in their order, however many processes check them."""
    image = write(tmp_path / "image.png", png())
    lines = [
        {"type": "cameras", "external_id": f"scene-{n:04}", "frame": {"images": [{"filename": image.name}]}}
        for n in range(300)
    ]
    lines[250]["frame"] = {"images": [{"filename": "missing.png"}]}
    manifest = tmp_path / "scenes.jsonl.gz"
    manifest.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    found = list(survey(manifest, processes=2))
    assert [scene.name for scene in found] == [f"scene-{n:04}" for n in range(300)]
    assert [scene.name for scene in found if scene.problems] == ["scene-0250"]
    (problem,) = found[250].problems
    assert (problem.code, Path(str(problem.file)).name) == ("missing-file", "missing.png")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\nrest", "is no manifest"),
        (b"[{}, {}]", "is no manifest"),
        (b'{\n "type": "cameras"\n}\n', "is no manifest"),
    ],
)
def test_a_source_that_is_none(content: bytes, said: str, tmp_path: Path) -> None:
    """A file that is no manifest is one error."""
    with pytest.raises(InvalidError, match=said):
        list(survey(write(tmp_path / "file", content)))


def test_a_folder_that_has_no_scene(tmp_path: Path) -> None:
    """A folder without scenes is one error, and so is a missing one."""
    write(tmp_path / "notes" / "readme.txt", b"text")
    with pytest.raises(InvalidError, match="no folder of scenes"):
        list(survey(tmp_path))
    with pytest.raises(InvalidError, match="missing: No such file"):
        list(survey(tmp_path / "missing"))
