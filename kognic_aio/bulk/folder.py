"""Scenes in folders, in the layout that README describes under "Folders", as descriptions."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from math import inf
from pathlib import Path, PurePath
from statistics import median
from typing import Any

from attrs import Factory, define, evolve, field, frozen

from kognic_aio._validation.converters import shown
from kognic_aio._validation.fields import closest
from kognic_aio.bulk.description import KINDS, Description, read_object, read_value
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.errors import InvalidError
from kognic_aio.model import Image, PointCloud

CAMERAS = ("cameras",)
LIDARS = ("lidar", "lidars")
SENSORS = (*CAMERAS, *LIDARS)

BESIDE = ("scene.json", "calibration.json", "ego_poses.json", "imu.json", "keyframes.json")
"""Files beside those of the sensors. There may also be some `pre_annotation*.json`."""

LAYOUT = "cameras/<sensor>/<ns>.jpg, lidar/<sensor>/<ns>.csv or ready scene such as cameras_sequence.json"

ONE_SECOND = 10**9
"""In nanoseconds."""

FASTER = 1.5
"""Factor on the number of frames from which a sensor records more often than the one that the frames come from."""

MAX_SHOWN = 3
"""Files that a problem names."""

LITTER = {"Thumbs.db", "desktop.ini", "__MACOSX"}
"""What systems leave in folders, besides hidden files."""

NOTES = {".json", ".md", ".txt", ".xml", ".yaml", ".yml"}
"""Suffixes of files beside those of a sensor that are about these, and are no data themselves."""

SHORTEST_TIME = 10
"""Digits of a time, as of one in seconds."""


def is_scene(folder: Path) -> bool:
    """Whether a folder is meant to be a scene."""
    names = {entry.name for entry in _entries(folder)}
    return bool(names & {*SENSORS, *(f"{kind}.json" for kind in KINDS)})


def _may_be_scenes(folder: Path) -> bool:
    """Whether any folder in a folder is a scene, as far as that can be told."""
    with suppress(OSError):
        for entry in _entries(folder):
            with suppress(OSError):
                if entry.is_dir() and is_scene(Path(entry.path)):
                    return True
    return False


def _name_of(folder: Path) -> str:
    """The name of a folder, also of the one we are in. A symbolic link has its own."""
    return Path(os.path.abspath(folder)).name  # noqa: PTH100  # `resolve` would follow links


@frozen
class Folder:
    """A folder that should be a scene."""

    path: Path

    def describe(self) -> Description:
        """Describe its scene, in the form of a manifest's line."""
        try:
            if not is_scene(self.path):
                there = [entry.name for entry in _entries(self.path)]
                likely = next(filter(None, (closest(name, SENSORS) for name in there)), None)
                hint = f"did you mean {likely}/?" if likely else f"it has {listed(there)}" if there else "it is empty"
                return self._wrong("not-a-scene", f"it has no {LAYOUT}", hint)
            return _Layout(self.path).description()
        except OSError as error:
            return self._wrong("unreadable-file", str(error.strerror or error))

    def _wrong(self, code: str, message: str, hint: str | None = None) -> Description:
        name = _name_of(self.path)
        problem = Problem(code=code, scene=name, file=str(self.path), message=message, hint=hint)
        return Description(place=str(self.path), folder=self.path, content=None, name=name, problems=(problem,))


def folders_of(path: Path) -> Iterator[Folder]:
    """The folder itself if it is a scene, or the folders in it, by name, apart from hidden ones.

    Raises:
        InvalidError: If none of them is a scene.
    """
    if is_scene(path):
        yield Folder(path)
        return
    folders = [Path(entry.path) for entry in _entries(path) if _is_folder(entry)]
    if not _may_be_scenes(path):
        what = "nor has a folder in it" if folders else "and no folders"
        deeper = next((folder for folder in folders if _may_be_scenes(folder)), None)
        hint = f"; there are scenes in {deeper}: pass {path}/*/" if deeper else ""
        raise InvalidError(f"{path} is no folder of scenes: it has no {LAYOUT}, {what}{hint}")
    yield from map(Folder, folders)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder, or a symbolic link that leads nowhere: perhaps to one on a disk that is missing."""
    try:
        return entry.is_dir() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:  # a link that leads to itself
        return True


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder has, by name, apart from hidden files and litter."""
    with os.scandir(folder) as entries:
        shown = (each for each in entries if not each.name.startswith(".") and each.name not in LITTER)
        return sorted(shown, key=lambda each: each.name)


@frozen
class _File:
    """A file of a sensor: when it was recorded, in nanoseconds of Unix time, and its path in the scene's folder."""

    time: int
    path: str


@frozen
class _Sensor:
    """A sensor and its files, in the order of their times."""

    name: str
    kind: type[Image] | type[PointCloud]
    files: Sequence[_File]


@define
class _Layout:
    """What the folder of one scene has."""

    path: Path
    name: str = field(default=Factory(lambda self: _name_of(self.path), takes_self=True), init=False)
    problems: list[Problem] = field(factory=list[Problem], init=False)

    def description(self) -> Description:
        """Describe the scene."""
        names = {entry.name for entry in _entries(self.path)}
        ready = sorted(names & {f"{kind}.json" for kind in KINDS})
        if len(ready) > 1:
            self._problem("invalid-value", ready[1], f"there is also {ready[0]}; a folder has one scene")
        content = self._read(ready[0]) if ready else self._content(names)
        pre_annotations = sorted(name for name in names if _is_pre_annotation(name))
        if content is not None:
            _add_files(content, names, pre_annotations)
            if ready:
                content.setdefault("type", PurePath(ready[0]).stem)
        used = {*ready, *pre_annotations, "calibration.json", *(() if ready else (*SENSORS, *BESIDE))}
        self._warn_of_rest(names - used, is_ready=bool(ready))
        return Description(
            place=str(self.path),
            folder=self.path,
            content=content,
            name=self.name,
            problems=(*self.problems,),
        )

    def _content(self, names: set[str]) -> dict[str, Any] | None:
        """The fields of the scene, from its sensors and from the files beside them."""
        cameras = [*self._sensors(CAMERAS, Image)]
        lidars = [*self._sensors(LIDARS, PointCloud)]
        reference = next((sensor for sensor in (*lidars, *cameras) if sensor.files), None)
        if reference is None:
            self._problem(
                "no-files", None, "there is no image and no point cloud", "expected cameras/<sensor>/<ns>.jpg"
            )
            return None
        content = (self._read("scene.json") if "scene.json" in names else None) or {}
        if taken := sorted(content.keys() & {"frame", "frames"}):
            self._problem("invalid-value", "scene.json", f"{taken[0]}: the frames are those of the sensors' files")
            return None
        times = [file.time for file in reference.files]
        kinds = [*(["images"] if cameras else []), *(["point_clouds"] if lidars else [])]
        frames = [_new_frame(number, time, times[0], kinds) for number, time in enumerate(times)]
        for sensor in (*cameras, *lidars):
            self._add_sensor(frames, times, sensor)
        has_annotated = self._mark_frames(frames, times, content, names)
        has_poses = "ego_poses.json" in names and self._add_poses(frames)
        if "imu.json" in names:
            content["imu_data"] = self._imu_data()
        kind = content.setdefault(
            "type", _kind(bool(cameras), bool(lidars), len(frames) > 1 or has_annotated or has_poses)
        )
        if kind == "scene_request":
            self._problem("invalid-value", "scene.json", "type: such a scene is described in scene_request.json, whole")
        if isinstance(kind, str) and kind in KINDS and not kind.endswith("sequence"):
            if len(frames) > 1:
                self._problem("invalid-value", "scene.json", f"type: {kind} has one frame, but there are {len(frames)}")
            content["frame"] = _single(frames[0], has_time=bool(lidars))
        else:
            content["frames"] = frames
        return content

    def _sensors(self, folders: Iterable[str], kind: type[Image] | type[PointCloud]) -> Iterator[_Sensor]:
        """The sensors of a kind, each with its files."""
        seen: dict[str, str] = {}
        for name in folders:
            if not (self.path / name).is_dir():
                continue
            for entry in _entries(self.path / name):
                if not entry.is_dir():
                    self._problem("unknown-file", f"{name}/{entry.name}", f"expected {name}/<sensor>/<file>")
                elif entry.name in seen:
                    self._problem("invalid-value", f"{name}/{entry.name}", f"the sensor is in {seen[entry.name]}/ too")
                else:
                    seen[entry.name] = name
                    yield _Sensor(entry.name, kind, self._files(f"{name}/{entry.name}", kind))

    def _files(self, sensor: str, kind: type[Image] | type[PointCloud]) -> list[_File]:
        """The files of a sensor in the order of their times."""
        files: dict[int, _File] = {}
        entries = _entries(self.path / sensor)
        if not entries:
            self._problem("no-files", sensor, "the sensor has no files")
        for entry in entries:
            path, name = f"{sensor}/{entry.name}", PurePath(entry.name)
            if name.suffix.lower() in NOTES:
                self._warn("unused-file", path, "it is not used")
            elif name.suffix.lower() not in kind.SUFFIXES:
                self._problem("unknown-file", path, f"expected one of {', '.join(kind.SUFFIXES)}")
            elif not (name.stem.isascii() and name.stem.isdigit() and len(name.stem) >= SHORTEST_TIME):
                hint = "name each file by its time in nanoseconds, such as 1700000000000000000.jpg"
                self._problem("no-timestamp", path, "its name is not a time", hint)
            elif (other := files.get(int(name.stem))) is not None:
                self._problem("invalid-value", path, f"{other.path} has the same time")
            else:
                files[int(name.stem)] = _File(int(name.stem), path)
        return [files[time] for time in sorted(files)]

    def _add_sensor(self, frames: Sequence[dict[str, Any]], times: Sequence[int], sensor: _Sensor) -> None:
        """Add each file of a sensor to the frame that is nearest in time, if it is the nearest one to that frame."""
        place = "images" if sensor.kind is Image else "point_clouds"
        half = _interval(times) / 2
        nearest: dict[int, _File] = {}
        left_out: list[_File] = []
        for file in sensor.files:
            number = _nearest(times, file.time)
            other = nearest.get(number)
            if abs(file.time - times[number]) > half:
                left_out.append(file)
            elif other is None or abs(file.time - times[number]) < abs(other.time - times[number]):
                nearest[number] = file
                left_out += [] if other is None else [other]
            else:
                left_out.append(file)
        for number, file in sorted(nearest.items()):
            frames[number][place].append({"filename": file.path, "sensor_name": sensor.name})
        if left_out:
            self._leave_out(left_out, sensor, len(times))

    def _leave_out(self, files: Sequence[_File], sensor: _Sensor, frame_count: int) -> None:
        """Note that files of a sensor are in no frame. Some have to be, if it records more often than the others."""
        is_faster = len(sensor.files) >= FASTER * frame_count
        some = listed([PurePath(file.path).name for file in files])
        why = "no frame is within half an interval of frames, or another file is nearer to it"
        self.problems.append(
            Problem(
                code="left-out",
                severity=Severity.WARNING if is_faster else Severity.ERROR,
                scene=self.name,
                file=str(PurePath(files[0].path).parent),
                message=f"{len(files)} of {len(sensor.files)} files are in no frame ({some}): {why}",
            )
        )

    def _mark_frames(
        self, frames: Sequence[dict[str, Any]], times: Sequence[int], content: dict[str, Any], names: set[str]
    ) -> bool:
        """Mark the frames to annotate, and return whether there are any."""
        ways = {name: content.pop(name) for name in ("annotate", "target_hz") if content.get(name) is not None}
        if "keyframes.json" in names:
            ways["keyframes.json"] = self._read("keyframes.json")
        if len(ways) > 1:
            self._problem(
                "invalid-value", "scene.json", f"give one of {' and '.join(ways)}, which choose frames to annotate"
            )
        for way, given in ways.items():
            choose: Callable[[Any, Sequence[int]], Sequence[int]] = _CHOICES[way]
            try:
                chosen = choose(given, times)
            except InvalidError as error:
                if way.endswith(".json"):
                    self._problem("invalid-value", way, str(error))
                else:
                    self._problem("invalid-value", "scene.json", f"{way}: {error}")
                continue
            for number in chosen:
                frames[number]["metadata"] = {"annotate": True}
        return bool(ways)

    def _add_poses(self, frames: Sequence[dict[str, Any]]) -> bool:
        """Add the pose of each frame, and return whether there are any."""
        poses = self._read("ego_poses.json") or {}
        if isinstance(poses.get("poses"), dict):
            poses = poses["poses"]  # as the platform returns them
        by_id = {frame["frame_id"]: frame for frame in frames}
        for frame_id, pose in poses.items():
            if frame_id in by_id:
                by_id[frame_id]["ego_vehicle_pose"] = _nested(pose)
            else:
                there = (
                    f"the frames are 0 to {len(frames) - 1}, in the order of the first lidar or else the first camera"
                )
                self._problem("unknown-frame", "ego_poses.json", f"there is no frame {frame_id!r}", there)
        return bool(poses)

    def _imu_data(self) -> Any:
        try:
            given = read_value(self.path / "imu.json")
        except InvalidError as error:
            self._unreadable("imu.json", error)
            return None
        wrapped = [given[name] for name in ("imu_data", "imuData") if name in given] if isinstance(given, dict) else []
        return wrapped[0] if wrapped else given

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return read_object(self.path / name)
        except InvalidError as error:
            self._unreadable(name, error)
            return None

    def _unreadable(self, name: str, error: InvalidError) -> None:
        self._problem("unreadable-file", name, str(error).removeprefix(f"{self.path / name}: "))

    def _warn_of_rest(self, names: set[str], *, is_ready: bool) -> None:
        """Warn of files that say nothing about the scene. One may be misspelt."""
        known = ["calibration.json", "pre_annotation.json", *(() if is_ready else (*SENSORS, *BESIDE))]
        # A scene that is ready names the files that it has, wherever they are.
        for name in sorted(name for name in names if not is_ready or name.endswith(".json")):
            likely = closest(name, known)
            hint = f"did you mean {likely}?" if likely else None
            # Without the files of its sensors, the scene would be another one.
            note = self._problem if likely in SENSORS and (self.path / name).is_dir() else self._warn
            note("unused-file", name, "it is not used", hint)

    def _problem(self, code: str, file: str | None, message: str, hint: str | None = None) -> None:
        self.problems.append(
            Problem(code=code, scene=self.name, file=file or str(self.path), message=message, hint=hint)
        )

    def _warn(self, code: str, file: str | None, message: str, hint: str | None = None) -> None:
        self._problem(code, file, message, hint)
        self.problems.append(evolve(self.problems.pop(), severity=Severity.WARNING))


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(names[:MAX_SHOWN]) + more


def _is_pre_annotation(name: str) -> bool:
    return name.startswith("pre_annotation") and name.endswith(".json")


def _add_files(content: dict[str, Any], names: set[str], pre_annotations: Sequence[str]) -> None:
    """Add the calibration and the pre-annotations of a folder, unless the scene names others."""
    if "calibration.json" in names and not content.keys() & {"calibration", "calibration_id", "calibrationId"}:
        content["calibration"] = "calibration.json"
    named = {"pre_annotation", "preAnnotation", "pre_annotations", "preAnnotations"}
    if pre_annotations and not content.keys() & named:
        content["pre_annotations"] = {PurePath(name).stem: name for name in pre_annotations}


def _kind(has_cameras: bool, has_lidars: bool, is_sequence: bool) -> str:
    """The type of a scene with these sensors."""
    kind = "lidars_and_cameras" if has_cameras and has_lidars else "lidars" if has_lidars else "cameras"
    return f"{kind}_sequence" if is_sequence else kind


def _new_frame(number: int, time: int, start: int, kinds: Iterable[str]) -> dict[str, Any]:
    relative = round((time - start) / 10**6)  # milliseconds
    files: dict[str, list[Any]] = {kind: [] for kind in kinds}
    return {"frame_id": str(number), "relative_timestamp": relative, "unix_timestamp": time, **files}


def _single(frame: dict[str, Any], *, has_time: bool) -> dict[str, Any]:
    """The frame of a scene that is no sequence."""
    left_out = {"frame_id", "relative_timestamp", *(() if has_time else ("unix_timestamp",))}
    return {name: value for name, value in frame.items() if name not in left_out}


def _interval(times: Sequence[int]) -> float:
    """Nanoseconds between two frames. A single frame has all files for itself."""
    return median(after - before for before, after in pairwise(times)) if len(times) > 1 else inf


def _nearest(times: Sequence[int], time: int) -> int:
    """The number of the frame that is nearest to a time."""
    after = bisect_left(times, time)
    candidates = [number for number in (after - 1, after) if 0 <= number < len(times)]
    return min(candidates, key=lambda number: abs(times[number] - time))


def _nested(pose: Any) -> Any:
    """A pose with its position and rotation. It may be flat, as that of a `scene_request`."""
    if not isinstance(pose, Mapping) or pose.keys() & {"position", "rotation"}:
        return pose
    position = {axis: pose[axis] for axis in "xyz" if axis in pose}
    rotation = {axis: pose[f"rotation_{axis}"] for axis in "wxyz" if f"rotation_{axis}" in pose}
    rest = {
        name: value
        for name, value in pose.items()
        if name not in position and name.removeprefix("rotation_") not in rotation
    }
    return {"position": position, "rotation": rotation, **rest}


def _given_frames(given: Any, times: Sequence[int]) -> Sequence[int]:
    """The frames of `annotate`: all, or those in a list."""
    if given is True:
        return range(len(times))
    if not isinstance(given, list):
        raise InvalidError(f"expected true or a list of frames, got {shown(given)}")
    return [_number(each, len(times)) for each in given]


def _number(frame: Any, count: int) -> int:
    """The number of a frame, from it or from the frame's id."""
    is_id = isinstance(frame, str) and frame.isascii() and frame.isdigit() and len(frame) <= len(str(count))
    number = int(frame) if is_id else frame
    if type(number) is not int or not 0 <= number < count:
        raise InvalidError(f"there is no frame {shown(frame)}; the frames are 0 to {count - 1}")
    return number


def _key_frames(given: Any, times: Sequence[int]) -> Sequence[int]:
    """The frames of `keyframes.json`."""
    if not isinstance(given, Mapping) or not isinstance(given.get("keyframe_indices"), list):
        raise InvalidError('expected {"frame_count": 20, "keyframe_indices": [0, 10]}')
    count = given.get("frame_count", len(times))
    if count != len(times):
        raise InvalidError(f"frame_count is {shown(count)}, but there are {len(times)} frames")
    return [_number(each, len(times)) for each in given["keyframe_indices"]]


def _at_frequency(given: Any, times: Sequence[int]) -> Sequence[int]:
    """The frames that are nearest to the times of a frequency in Hz, from the first frame on."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= ONE_SECOND:
        raise InvalidError(f"expected a frequency in Hz, got {shown(given)}")
    period, wanted = ONE_SECOND / given, 0
    chosen: list[int] = []
    half = min(period, _interval(times)) / 2
    for number, time in enumerate(times):
        if time >= times[0] + wanted * period - half:
            chosen.append(number)
            wanted = int((time - times[0] + half) // period) + 1
    return chosen


_CHOICES: Mapping[str, Callable[[Any, Sequence[int]], Sequence[int]]] = {
    "annotate": _given_frames,
    "target_hz": _at_frequency,
    "keyframes.json": _key_frames,
}
"""The ways to choose the frames to annotate."""
