"""The schema of manifests is what the models say, and what can be read is valid."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kognic_aio import bulk
from kognic_aio.bulk.description import KINDS, Description, read_scene
from tests.bulk.recordings import CAMERA, LIDAR, START

CHECKED_IN = Path(bulk.__file__).with_name("manifest.schema.json")

IMAGE = {"filename": "a.png", "sensor_name": "CAM"}
CLOUD = {"filename": "a.csv", "sensor_name": "lidar"}
FRAMES = {
    "frames": [{"frame_id": "0", "relative_timestamp": 0, "images": [IMAGE], "point_clouds": [CLOUD]}],
    "calibration": {"CAM": CAMERA, "lidar": LIDAR},
}
GOOD: list[dict[str, Any]] = [
    {"type": "cameras", "external_id": "a", "frame": {"images": [IMAGE]}},
    {"type": "cameras", "externalId": "a", "frame": {"images": [{"filename": "a.png", "sensorName": "CAM"}]}},
    {"type": "lidars", "external_id": "a", "frame": {"point_clouds": [CLOUD]}, "metadata": {"weather": "rain"}},
    {"type": "lidars_and_cameras_sequence", "external_id": "a", **FRAMES, "targets": [{"project": "p", "batch": "b"}]},
    {"type": "lidars-and-cameras-sequence", "external_id": "a", **FRAMES, "pre_annotations": {"boxes": "boxes.json"}},
    {
        "type": "scene_request",
        "externalId": "a",
        "convertedSpecification": {
            "frames": [
                {
                    "id": "0",
                    "timestampNs": START,
                    "images": [{"resource": {"localFilename": {"filename": "a.png"}, "sensorName": "CAM"}}],
                }
            ]
        },
    },
]
BAD: list[dict[str, Any]] = [
    {"external_id": "a", "frame": {"images": [IMAGE]}},
    {"type": "camera", "external_id": "a", "frame": {"images": [IMAGE]}},
    {"type": "cameras", "frame": {"images": [IMAGE]}},
    {"type": "cameras", "external_id": 7, "frame": {"images": [IMAGE]}},
    {"type": "cameras", "external_id": "a", "frame": {"images": [IMAGE]}, "weather": "rain"},
    {"type": "cameras", "external_id": "a", "frame": {"images": [{"file": "a.png"}]}},
    {"type": "cameras", "external_id": "a", "frame": {"images": [IMAGE]}, "targets": [{"batch": "b"}]},
]


def test_it_is_true() -> None:
    """The file in the package is what the models say now; `kognicutil schema` prints it."""
    assert json.loads(CHECKED_IN.read_text()) == bulk.manifest_schema()


def test_it_is_a_schema() -> None:
    """It has a case for each type of scene."""
    schema = bulk.manifest_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert [case["then"]["title"] for case in schema["allOf"]] == [*KINDS]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"type": "cameras", "external_id": "a", "frame": {"images": [IMAGE]}, "weather": "rain"}, "'weather'"),
        ({"type": "camera", "external_id": "a"}, "'camera' is not one of"),
        ({"type": "cameras", "external_id": 7, "frame": {"images": [IMAGE]}}, "7 is not of type 'string'"),
    ],
)
def test_validators_say_what_is_wrong(line: dict[str, Any], problem: str) -> None:
    """The best match of jsonschema is about the field that is wrong."""
    errors = jsonschema.Draft202012Validator(bulk.manifest_schema()).iter_errors(line)
    best = jsonschema.exceptions.best_match(errors)
    assert best is not None
    assert problem in best.message


@pytest.mark.parametrize("line", GOOD, ids=lambda line: str(line["type"]))
def test_what_can_be_read_is_valid(line: dict[str, Any], tmp_path: Path) -> None:
    """In either spelling."""
    (tmp_path / "boxes.json").write_text('{"openlabel": {"metadata": {"schema_version": "1.0.0"}}}')
    jsonschema.validate(line, bulk.manifest_schema())
    scene = read_scene(Description(place="scenes.jsonl:1", folder=tmp_path, content=line))
    assert not scene.problems


@pytest.mark.parametrize("line", BAD, ids=range(len(BAD)))
def test_what_cannot_be_read_is_invalid(line: dict[str, Any], tmp_path: Path) -> None:
    """Both find the same."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(line, bulk.manifest_schema())
    assert read_scene(Description(place="scenes.jsonl:1", folder=tmp_path, content=line)).has_errors
