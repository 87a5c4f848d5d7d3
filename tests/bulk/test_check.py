"""Each problem that can be known before an upload is found, at its place; scenes that are in order have none."""

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen

from kognic_aio.bulk import Problem, Severity, check_scene, survey
from kognic_aio.cli.demo.sample_data import sample_folder
from kognic_aio.cli.demo.scenes import find_files, make_scenes
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
    "cut off png": Planted("cut-file", FIRST, put(IMAGE, png()[:-20])),
    "line without end": Planted(
        "broken-file", "a line of more than", put(CLOUD, b"ts_gps,x,y,z,intensity\n" + b"1," * 40_000)
    ),
    "pcd without values": Planted("wrong-header", "every COUNT", cloud("pcd", pcd(PCD.replace("1 1 1 1", "0 0 0 0")))),
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
    "timestamps of another century": Planted("wrong-time", "century", lambda scene: retime(scene, 10**17)),
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
    "misspelt folder": Planted(
        "unused-file", "did you mean cameras?", lambda scene: (scene / "cameras").rename(scene / "camera")
    ),
    "notes beside images": Planted("unused-file", "notes.txt", put("cameras/CAM/notes.txt", b"rain"), False),
    "numbers as names": Planted("no-timestamp", "000000.png", put("cameras/CAM/000000.png", png())),
    "one frame of several": Planted(
        "invalid-value", "lidars_and_cameras has one frame", put("scene.json", {"type": "lidars_and_cameras"})
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


def images(*sensors: str, **fields: Any) -> dict[str, Any]:
    return {"images": [{"filename": "a.png", "sensor_name": name} for name in sensors], **fields}


def framed(*times: int) -> list[dict[str, Any]]:
    return [images("A", frame_id=str(number), relative_timestamp=time) for number, time in enumerate(times)]


LINES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no type": ("missing-field", "expected one of cameras", {"frame": images("A")}),
    "misspelt type": ("unknown-type", "did you mean 'cameras'?", {"type": "camera"}),
    "misspelt field": ("unknown-field", "did you mean 'frame'?", {"type": "cameras", "frames": []}),
    "no frame": ("missing-field", "missing frame", {"type": "cameras"}),
    "missing file": (
        "missing-file",
        "b.png",
        {"type": "cameras", "frame": {"images": [{"filename": "b.png", "sensor_name": "A"}]}},
    ),
    "ten images": ("too-many-files", "10 images", {"type": "cameras", "frame": images(*"ABCDEFGHIJ")}),
    "twenty-one clouds": (
        "too-many-files",
        "21 point clouds",
        {
            "type": "lidars",
            "frame": {"point_clouds": [{"filename": "a.csv", "sensor_name": f"L{number}"} for number in range(21)]},
        },
    ),
    "one sensor twice": ("sensor-twice", "'A' has 2 images", {"type": "cameras", "frame": images("A", "A")}),
    "one frame id twice": (
        "invalid-value",
        "'0' is used twice",
        {"type": "cameras_sequence", "frames": [frame | {"frame_id": "0"} for frame in framed(0, 100)]},
    ),
    "going back": ("invalid-value", "relative_timestamp", {"type": "cameras_sequence", "frames": framed(100, 0)}),
    "one resource id for two files": (
        "invalid-value",
        "resource_id 'r'",
        {
            "type": "cameras",
            "frame": {
                "images": [{"filename": name, "sensor_name": name, "resource_id": "r"} for name in ("a.png", "c.png")]
            },
        },
    ),
    "target without project": (
        "invalid-value",
        "targets[0]",
        {"type": "cameras", "frame": images("A"), "targets": [{}]},
    ),
    "target with an unknown pre-annotation": (
        "invalid-value",
        "the scene has no 'boxes'; it has 'lanes'",
        {
            "type": "cameras",
            "frame": images("A"),
            "targets": [{"project": "p", "pre_annotation": "boxes"}],
            "pre_annotations": {"lanes": OPENLABEL},
        },
    ),
}


@pytest.mark.parametrize(("code", "said", "line"), LINES.values(), ids=LINES)
def test_a_wrong_line(code: str, said: str, line: dict[str, Any], tmp_path: Path) -> None:
    """A problem of a manifest's line is found, and the other lines are in order."""
    for name in ("a.png", "c.png"):
        write(tmp_path / name, png())
    write(tmp_path / "a.csv", csv())
    good = {"type": "cameras", "external_id": "good", "frame": images("A")}
    manifest = write(
        tmp_path / "scenes.jsonl", "\n".join(map(json.dumps, [good, line | {"external_id": "wrong"}])).encode()
    )
    found = problems(manifest)
    assert [(problem.code, problem.scene) for problem in found] == [(code, "wrong")]
    assert said in str(found[0])


def test_frames_of_one_time(tmp_path: Path) -> None:
    """The platform may take them, so it is a warning."""
    write(tmp_path / "a.png", png())
    line = {"type": "cameras_sequence", "external_id": "slow", "frames": framed(0, 0)}
    (problem,) = problems(write(tmp_path / "scenes.jsonl", line))
    assert (problem.code, problem.severity, problem.frame) == ("same-time", Severity.WARNING, "1")


def test_what_the_demo_draws() -> None:
    """Its scenes of all types have no problem."""
    with sample_folder() as folder:
        problems = {scene.scene.external_id: check_scene(scene) for scene in make_scenes(find_files(folder))}
    assert len(problems) >= 7
    assert set(problems.values()) == {()}


def generated(folder: Path, random: Random) -> None:
    """A scene that is in order, with any of what may come with one."""
    frames = random.randint(1, 4)
    names = [f"C{number}" for number in range(random.randint(1, 9))]
    lidars = [f"L{number}" for number in range(random.randint(0, 3))]
    record(folder, cameras=names, lidars=lidars, frames=frames, calibrated=random.random() < 0.5)
    if lidars and frames > 1 and random.random() < 0.5:
        write(folder / "ego_poses.json", {str(number): pose(number) for number in range(frames)})
    if lidars and frames > 1 and random.random() < 0.5:
        write(folder / "imu.json", imu(START - INTERVAL, START + frames * INTERVAL, count=random.randint(2, 50)))
    if random.random() < 0.5:
        streams = {name: {"type": "camera"} for name in random.sample(names, random.randint(0, len(names)))}
        write(folder / "pre_annotation.json", openlabel(streams=streams))
    if frames > 1 and random.random() < 0.3:
        indices = sorted(random.sample(range(frames), random.randint(1, frames)))
        write(folder / "keyframes.json", {"frame_count": frames, "keyframe_indices": indices})
    if random.random() < 0.5:
        write(
            folder / "scene.json",
            {"metadata": {"weather": random.choice(["rain", "sun"]), "lanes": random.randint(1, 4)}},
        )


def test_a_thousand_good_scenes(tmp_path: Path) -> None:
    """Nothing is found where nothing is wrong."""
    random = Random(14)
    for number in range(1000):
        generated(tmp_path / f"drive-{number:03}", random)
    scenes = [*survey(tmp_path)]
    assert len(scenes) == 1000
    assert {scene.name: scene.problems for scene in scenes if scene.problems} == {}


@pytest.mark.parametrize(
    "content",
    [
        pcd("# rain\n" + PCD.replace("FIELDS", "COLUMNS").replace("binary", "ascii"), b"1 2 nan 4\n"),
        pcd(PCD.replace("COUNT 1 1 1 1", "COUNT 1 1 1 3").replace("binary", "ascii"), b"1 2 3 4 5 6\n\n"),
        pcd(PCD, bytes(16)),
    ],
    ids=["columns", "counts", "binary"],
)
@pytest.mark.parametrize("has_imu", [False, True])
def test_pcd_in_order(content: bytes, has_imu: bool, tmp_path: Path) -> None:
    """Comments, old names, fields of several values, points at infinity, and no times are in order without IMU data."""
    scene = record(tmp_path / "drive", lidars=["LID"])
    cloud("pcd", content)(scene)
    if has_imu:
        write(scene / "imu.json", imu(START - INTERVAL, START + 3 * INTERVAL))
    assert {problem.code for problem in problems(scene)} == ({"imu-span"} if has_imu else set())


def test_an_empty_last_line(tmp_path: Path) -> None:
    """It is no point."""
    scene = record(tmp_path / "drive", lidars=["LID"])
    write(scene / CLOUD, csv(START) + b"\n\n")
    write(scene / "imu.json", imu(START - INTERVAL, START + 3 * INTERVAL))
    assert problems(scene) == []


def box_of(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "box", [bytes(8), b"\0\0\0\1mdat" + bytes(8), b"\0\0\0\2mdat"], ids=["to-the-end", "empty", "tiny"]
)
def test_odd_boxes(box: bytes, tmp_path: Path) -> None:
    """Whatever the boxes of an AVIF say of their sizes, its check ends."""
    scene = record(tmp_path / "drive", frames=1)
    (scene / IMAGE).unlink()
    size = box_of(b"ispe", bytes(4) + struct.pack(">II", 8, 6))
    meta = box_of(b"meta", bytes(4) + box_of(b"iprp", box_of(b"ipco", size)))
    write(scene / f"cameras/CAM/{START}.avif", box_of(b"ftyp", b"avif\0\0\0\0avifmif1") + meta + box)
    assert {problem.code for problem in problems(scene)} <= {"cut-file"}


def test_links(tmp_path: Path) -> None:
    """A scene behind a symbolic link has the name of the link; links that lead nowhere are scenes that are wrong."""
    record(tmp_path / "disk" / "4711")
    (tmp_path / "drives").mkdir()
    for name, target in (("drive-1", "../disk/4711"), ("drive-2", "../disk/4712"), ("drive-3", "drive-3")):
        (tmp_path / "drives" / name).symlink_to(target)
    found = {scene.name: [problem.code for problem in scene.problems] for scene in survey(tmp_path / "drives")}
    assert found == {"drive-1": [], "drive-2": ["unreadable-file"], "drive-3": ["unreadable-file"]}


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    """It could not be sent."""
    scene = record(tmp_path / "drive")
    write(scene / "scene.json", {"external_id": "\ud800"})
    (problem,) = problems(scene)
    assert (problem.code, problem.scene) == ("invalid-value", str(scene))
    assert "no Unicode" in problem.message


def test_litter(tmp_path: Path) -> None:
    """What systems leave in folders is nothing."""
    record(tmp_path / "drive")
    for name in (".DS_Store", "Thumbs.db", "drive/cameras/CAM/Thumbs.db"):
        write(tmp_path / name, b"litter")
    (tmp_path / "__MACOSX").mkdir()
    assert [(scene.name, scene.problems) for scene in survey(tmp_path)] == [("drive", ())]


def test_a_source_twice(tmp_path: Path) -> None:
    """Its scenes would be created twice."""
    record(tmp_path / "drive")
    assert [problem.code for scene in survey([tmp_path, tmp_path]) for problem in scene.problems] == [
        "external-id-twice"
    ]


def test_scenes_further_down(tmp_path: Path) -> None:
    """The error says where they are."""
    record(tmp_path / "day-1" / "drive-1")
    with pytest.raises(InvalidError, match=r"there are scenes in .*day-1: pass .*/\*/"):
        list(survey(tmp_path))


ODD: list[Any] = [
    None,
    1,
    -1,
    10**400,
    1.5,
    True,
    "",
    "x",
    "\ud800",
    "9" * 5000,
    [],
    [[]],
    [1],
    {},
    {"a": {}},
    {"frames": 1},
]


def replaced(value: Any, odd: Any) -> Iterator[Any]:
    """A value with each of its parts replaced by something odd."""
    yield odd
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        for other in replaced(part, odd):
            copy = value.copy()
            copy[key] = other
            yield copy


@pytest.mark.parametrize("odd", ODD, ids=[str(odd)[:20] for odd in ODD])
def test_odd_values(odd: Any, tmp_path: Path) -> None:
    """Whatever is in the place of any value, a line is in order or has problems, and is never the end."""
    write(tmp_path / "a.png", png())
    line = {
        "type": "lidars_and_cameras_sequence",
        "external_id": "drive",
        "frames": [{**frame, "unix_timestamp": START, "ego_vehicle_pose": pose()} for frame in framed(0, 100)],
        "calibration": {"A": CAMERA, "L": LIDAR},
        "imu_data": imu(START, START + INTERVAL, count=2),
        "metadata": {"weather": "rain"},
        "pre_annotation": openlabel(frames={"0": timed(0)}, streams={"A": {"type": "camera"}}),
        "targets": [{"project": "p", "batch": "b"}],
        "frames[7]": 1,
    }
    lines = [json.dumps(each) for each in replaced(line, odd) if isinstance(each, dict) and each]
    manifest = write(tmp_path / "scenes.jsonl", "\n".join(lines).encode())
    assert len(list(survey(manifest, processes=1))) == len(lines)


@pytest.mark.parametrize("odd", ODD, ids=[str(odd)[:20] for odd in ODD])
@pytest.mark.parametrize("name", ["scene.json", "keyframes.json", "ego_poses.json", "imu.json", "calibration.json"])
def test_odd_files(name: str, odd: Any, tmp_path: Path) -> None:
    """The same for the files of a folder."""
    whole = {
        "scene.json": {"type": "cameras_sequence", "external_id": "a", "target_hz": 1, "annotate": [0], "frames[9]": 1},
        "keyframes.json": {"frame_count": 3, "keyframe_indices": [0]},
        "ego_poses.json": {"0": pose()},
        "imu.json": imu(START, START + INTERVAL, count=2),
        "calibration.json": {"CAM": CAMERA},
    }[name]
    scene = record(tmp_path / "drive", lidars=["LID"])
    for each in replaced(whole, odd):
        write(scene / name, each)
        assert len(list(survey(scene))) == 1
