"""What tells the contents of scenes apart, and what is told of how they differ."""

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio import FileData
from kognic_aio._http.wire import encode_pre_annotation
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    BaseScene,
    Cameras,
    Image,
    LidarsAndCamerasSequence,
    PreAnnotation,
)
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.content import (
    MAX_DIFFERENCES,
    MAX_OUTLINE,
    Content,
    Decision,
    Relation,
    decide,
    listed,
)
from kognic_aio.pipeline.journal import Entry, Step
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage
from tests.pipeline.recorded import scenes
from tests.scenes import KINDS

ALL: dict[str, Any] = {type(item.scene).__name__: item.scene for item in reversed(scenes())}
CUBOID = [1, 2.5, 3.0, 0, 0, 0, 1, 4, 5, 6]
OPENLABEL: dict[str, Any] = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0"},
        "streams": {"lidar": {"type": "lidar"}},
        "objects": {"1": {"name": "a car", "type": "car"}},
        "frames": {
            "0": {
                "frame_properties": {"timestamp": 0, "external_id": "0", "streams": {"lidar": {}}},
                "objects": {"1": {"object_data": {"cuboid": [{"name": "c", "val": CUBOID}]}}},
            }
        },
    }
}


def of(scene: BaseScene, annotation: PreAnnotation | None = None) -> Content:
    return Content(scene, {} if annotation is None else {None: encode_pre_annotation(annotation)})


def in_folder(scene: Any, folder: str) -> Any:
    """The same scene with its files in another folder."""

    def moved(file: Any) -> Any:
        return evolve(file, filename=f"{folder}/{Path(file.filename).name}")

    def frame(frame: Any) -> Any:
        lists = {name: getattr(frame, name, None) for name in ("images", "point_clouds")}
        return evolve(frame, **{name: [*map(moved, files)] for name, files in lists.items() if files is not None})

    if hasattr(scene, "frames"):
        return evolve(scene, frames=[frame(each) for each in scene.frames])
    return evolve(scene, frame=frame(scene.frame))


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_does_not_count(kind: str) -> None:
    """Files that were fetched to another folder are the same content, their resource ids given or not."""
    scene = ALL[kind]
    here, there = of(in_folder(scene, "/data/a")), of(in_folder(scene, "/data/b/c"))
    assert here.fingerprint == there.fingerprint == of(scene).fingerprint
    assert here.differences(there.outline()) == {}


def test_names_do_not_count() -> None:
    """Two contents that differ in file names alone are the same."""
    scene = ALL["Cameras"]
    named = [evolve(image, filename=f"image-{n}.jpg") for n, image in enumerate(scene.frame.images)]
    assert of(evolve(scene, frame=Cameras.Frame(images=named))).fingerprint == of(scene).fingerprint


def test_a_given_resource_id_counts() -> None:
    """A resource id that was given is part of the content, even if the filename would make the same one."""

    def scene(**fields: Any) -> Cameras:
        return Cameras(external_id="a", frame=Cameras.Frame(images=[Image(**fields)]))

    one = of(scene(filename="front.jpg", resource_id="front.jpg"))
    elsewhere = of(scene(filename="/data/front.jpg", resource_id="front.jpg"))
    other = of(scene(filename="front.jpg", resource_id="left.jpg"))
    assert one.fingerprint == elsewhere.fingerprint
    assert other.differences(one.outline()) == {"frame.images[0].resource_id": "'front.jpg' -> 'left.jpg'"}


PATHS: dict[str, Any] = {
    "path": lambda path: {"resource_id": path},
    "default": lambda path: {"resource_id": Image(filename=path).resource_id},
    "with-dots": lambda path: {"resource_id": path.replace("front", "./front")},
    "without-suffix": lambda path: {
        "filename": path.removesuffix(".jpg"),
        "resource_id": path.removesuffix(".jpg"),
        "file_data": FileData(data=b"jpg", format="jpg"),
    },
}


@pytest.mark.parametrize("way", PATHS)
def test_a_resource_id_that_is_the_path(way: str) -> None:
    """A resource id that is the path of the file itself, or made from it, is no part of the content."""

    def scene(folder: str) -> Cameras:
        path = f"{folder}/front.0.jpg"
        image = Image(**({"filename": path} | PATHS[way](path)))
        return Cameras(external_id="a", frame=Cameras.Frame(images=[image]))

    contents = [of(scene(folder)) for folder in ("/data/a", "/data/b/c", "images", "~/images")]
    assert len({content.fingerprint for content in contents}) == 1
    other = of(Cameras(external_id="a", frame=Cameras.Frame(images=[Image(filename="b/c.jpg", resource_id="d/c.jpg")])))
    assert other.differences(contents[0].outline()) == {"frame.images[0].resource_id": "none -> 'd/c.jpg'"}


FORMS = {
    "dict": OPENLABEL,
    "another-order": {"openlabel": dict(reversed(OPENLABEL["openlabel"].items()))},
    "text": json.dumps(OPENLABEL),
    "indented": json.dumps(OPENLABEL, indent=4),
    "bytes": json.dumps(OPENLABEL, separators=(",", ":")).encode(),
    "floats": json.dumps(OPENLABEL).replace("0, 0, 0, 1", "0.0, -0.0, 0e3, 1.00"),
    "with-nulls": {**OPENLABEL, "nothing": None},
    "model": OpenLabelAnnotation.model_validate(OPENLABEL),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_a_pre_annotation(form: str) -> None:
    """A pre-annotation is the same as a dict, as JSON with any white space and order, and as a model."""
    scene = ALL["Cameras"]
    assert of(scene, FORMS[form]).fingerprint == of(scene, OPENLABEL).fingerprint


def test_another_pre_annotation() -> None:
    """One number, an empty frame or a pre-annotation at all is another content."""
    scene, text = ALL["Cameras"], json.dumps(OPENLABEL)
    other = json.loads(text.replace("2.5", "2.6"))
    emptied = json.loads(text)
    emptied["openlabel"]["frames"]["1"] = {}
    contents = [of(scene), *(of(scene, each) for each in (OPENLABEL, other, emptied))]
    assert len({content.fingerprint for content in contents}) == 4
    outline = contents[1].outline()
    assert contents[2].differences(outline) == contents[3].differences(outline) == {"pre_annotation": "changed"}
    assert contents[0].differences(outline) == {"pre_annotation": "some -> none"}


def changed(**fields: Any) -> Any:
    """A sequence in which something is different."""
    return evolve(ALL["LidarsAndCamerasSequence"], **fields)


def frames(**fields: Any) -> Any:
    """One whose frame is different."""
    return changed(frames=[evolve(ALL["LidarsAndCamerasSequence"].frames[0], **fields)])


SEQUENCE = ALL["LidarsAndCamerasSequence"]
FRAME = SEQUENCE.frames[0]
IMAGE = FRAME.images[0]
CHANGES: dict[str, tuple[Any, dict[str, str]]] = {
    "calibration": (changed(calibration_id="b"), {"calibration_id": f"{SEQUENCE.calibration_id!r} -> 'b'"}),
    "external-id": (changed(external_id="b"), {"external_id": "'lidars-and-cameras-sequence' -> 'b'"}),
    "metadata": (
        changed(metadata={"someKey": 1, "region": "north"}),
        {"metadata": "none -> some"},
    ),
    "imu": (changed(imu_data=SEQUENCE.imu_data[:2]), {"imu_data": "3 -> 2"}),
    "imu-value": (
        changed(imu_data=[*SEQUENCE.imu_data[:2], evolve(SEQUENCE.imu_data[2], timestamp=1_800_000_000_000_000_000)]),
        {"imu_data": "changed"},
    ),
    "no-imu": (changed(imu_data=()), {"imu_data": "3 -> none"}),
    "frame-more": (changed(frames=[FRAME, evolve(FRAME, frame_id="1")]), {"frames": "1 -> 2"}),
    "image-less": (frames(images=FRAME.images[:1]), {"frames[0].images": "2 -> 1"}),
    "sensor": (
        frames(images=[evolve(IMAGE, sensor_name="RFC02"), FRAME.images[1]]),
        {"frames[0].images[0].sensor_name": "'RFC01' -> 'RFC02'"},
    ),
    "frame-metadata": (frames(metadata={"lane": 2}), {"frames[0].metadata.lane": "1 -> 2"}),
    "pretty-name": (
        changed(
            sensor_specification=evolve(SEQUENCE.sensor_specification, sensor_to_pretty_name={"frontLeft": "Front"})
        ),
        {
            "sensor_specification.sensor_to_pretty_name.RFC01": "'Front' -> none",
            "sensor_specification.sensor_to_pretty_name.frontLeft": "none -> 'Front'",
        },
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_how_contents_differ(change: str) -> None:
    """What differs is told by the names of fields, from what to what; what is too long to be told is counted."""
    scene, differences = CHANGES[change]
    assert of(scene).differences(of(SEQUENCE).outline()) == differences
    assert of(SEQUENCE).differences(of(SEQUENCE).outline()) == {}


def test_another_calibration() -> None:
    """Contents that differ in their calibration alone share the rest of their fingerprint, as does one without."""
    scene = ALL["LidarsAndCameras"]
    one, other = (of(evolve(scene, calibration_id=id_)) for id_ in "ab")
    assert one.fingerprint != other.fingerprint
    assert one.uncalibrated == other.uncalibrated
    assert of(evolve(scene, calibration_id="a", metadata={"trip": 1})).uncalibrated != one.uncalibrated
    assert of(ALL["Cameras"]).uncalibrated == of(ALL["Cameras"]).fingerprint
    cameras = ALL["CamerasSequence"]
    assert of(evolve(cameras, calibration_id="a")).uncalibrated == of(cameras).uncalibrated


def test_a_later_field_that_is_empty_changes_nothing() -> None:
    """What is empty or whole is the same as what is not there or an integer, so that models may grow."""
    scene = ALL["Cameras"]
    one, other = evolve(scene, metadata={"trip": 7}), evolve(scene, metadata={"trip": 7.0})
    assert of(one).fingerprint == of(other).fingerprint
    assert of(evolve(scene, metadata={})).fingerprint != of(one).fingerprint


@pytest.mark.parametrize(("count", "path"), [(1, "frames[0].images"), (60, "frames[3].images"), (2000, "frames")])
def test_an_outline_is_small(count: int, path: str) -> None:
    """However many frames a scene has, its outline is bounded; of very many only how many they are is told."""
    numbered = [evolve(FRAME, frame_id=str(n), relative_timestamp=n) for n in range(count)]
    long = evolve(SEQUENCE, frames=numbered, metadata={f"key-{n}": "x" * 500 for n in range(5)})
    index = min(3, count - 1)
    numbered[index] = evolve(FRAME, frame_id=str(index), relative_timestamp=index, images=FRAME.images[:1])
    other = evolve(long, frames=numbered)
    assert len(of(long).outline()) <= MAX_OUTLINE
    assert of(other).differences(of(long).outline()) == {path: "2 -> 1" if count < 2000 else "changed"}


def test_a_small_scene_has_a_small_outline() -> None:
    """A scene of few frames takes less in a journal than the digest of a fingerprint by the first rule, twice."""
    scene = evolve(ALL["Cameras"], metadata={}, sensor_specification=None)
    assert len(of(scene).outline()) <= 128


def test_long_texts() -> None:
    """Long texts are told apart beyond what is shown of them, and none makes an error long."""
    scene = ALL["Cameras"]
    one, other = (evolve(scene, metadata={"trip": 10_000 * "x" + end}) for end in "ab")
    (difference,) = of(one).differences(of(other).outline()).values()
    assert len(difference) < 200
    assert difference.count("xxx...") == 2


def test_many_differences() -> None:
    """Of many differences the first are listed, and the others counted."""
    scene = ALL["Cameras"]
    one, other = (evolve(scene, metadata={f"key-{n}": n + more for n in range(20)}) for more in (0, 1))
    differences = of(other).differences(of(one).outline())
    assert len(differences) == 20
    assert listed(differences).startswith("metadata.key-0: 0 -> 1, metadata.key-1: 1 -> 2, ")
    assert listed(differences).endswith(f" and {20 - MAX_DIFFERENCES} more")


def test_long_names() -> None:
    """A name in metadata makes an error no longer than people read."""
    scene = ALL["Cameras"]
    one, other = (evolve(scene, metadata={3000 * "k": value}) for value in (1, 2))
    assert len(listed(of(one).differences(of(other).outline()))) < 300


def test_nobody_knows() -> None:
    """Of an entry without an outline nobody knows how it differs."""
    assert of(ALL["Cameras"]).differences(None) == {}


def test_another_type() -> None:
    """Two scenes of the same body, but of different types, are different contents."""
    fields: Any = {"external_id": "a", "calibration_id": "b"}
    one = LidarsAndCamerasSequence(frames=[FRAME], **fields)
    frame = AggregatedLidarsAndCamerasSequence.Frame(**asdict(FRAME, recurse=False))
    other = AggregatedLidarsAndCamerasSequence(frames=[frame], **fields)
    change = "'lidars-and-cameras-sequence' -> 'aggregated-lidars-and-cameras-sequence'"
    assert of(other).differences(of(one).outline()) == {"type": change}


ERROR = InputCreationError(stage=InputCreationStage.SCENE, message="too dark")
STARTED = Entry(key="a", step=Step.STARTING, scene_uuid="scene-1")
CREATED = evolve(STARTED, result=InputCreationResult(status=InputCreationStatus.CREATED))
FAILED = evolve(STARTED, result=InputCreationResult(status=InputCreationStatus.FAILED, error=ERROR))
NEVER_COMMITTED = evolve(FAILED, scene_uuid=None)
REFUSED, LET_IN = (evolve(CREATED, refused={"f": is_let_in}) for is_let_in in (False, True))
RESUME, REPLACE, REFUSE = Decision

DECISIONS = [
    (Relation.SAME, STARTED, RESUME, RESUME),
    (Relation.SAME, CREATED, RESUME, RESUME),
    (Relation.SAME, FAILED, RESUME, REPLACE),
    (Relation.OTHER_CALIBRATION, CREATED, RESUME, RESUME),
    (Relation.OTHER_CALIBRATION, FAILED, RESUME, REPLACE),
    (Relation.OTHER_CALIBRATION, NEVER_COMMITTED, REPLACE, REPLACE),
    (Relation.SET_ASIDE, FAILED, RESUME, RESUME),
    (Relation.OTHER, STARTED, REFUSE, REFUSE),
    (Relation.OTHER, CREATED, REFUSE, REFUSE),
    (Relation.OTHER, FAILED, REFUSE, REPLACE),
    (Relation.OTHER, REFUSED, REFUSE, REPLACE),
    (Relation.OTHER, LET_IN, REPLACE, REPLACE),
]


@pytest.mark.parametrize(("relation", "entry", "by_default", "retried"), DECISIONS)
def test_what_becomes_of_a_known_scene(
    relation: Relation, entry: Entry, by_default: Decision, retried: Decision
) -> None:
    """A scene goes on from its entry, takes the place of another one, or is refused."""
    assert decide(relation, entry, "f", is_retried=False) is by_default
    assert decide(relation, entry, "f", is_retried=True) is retried
