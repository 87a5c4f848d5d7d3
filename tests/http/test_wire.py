"""The wire's JSON: camelCase both ways, None left out, unknown things ignored, mistakes named by their path."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kognic_aio._http.wire import DecodeError, decode, encode, encode_pre_annotation
from kognic_aio.model import FeatureFlags, ProjectBatch, Scene, SceneStatus, SensorSpecification, Workspace
from kognic_aio.model.annotation import PartialAnnotation

SCENE = {
    "uuid": "u",
    "workspaceId": "w",
    "externalId": "e",
    "sceneType": "cameras",
    "status": "created",
    "created": "2026-11-22T01:02:03.000004Z",
}


def test_none_is_left_out() -> None:
    """Names are camelCase, and what is None is not sent."""
    assert encode(SensorSpecification(sensor_order=["a"])) == {"sensorOrder": ["a"]}


def test_feature_flags() -> None:
    """Every known flag is sent, on or off."""
    assert FeatureFlags().to_dict() == {"shouldMotionCompensate": False}
    assert FeatureFlags.defaults().to_dict() == {"shouldMotionCompensate": True}
    assert FeatureFlags(FeatureFlags.PointCloudFeatures.MOTION_COMPENSATION) == FeatureFlags.defaults()


def test_a_scene() -> None:
    """An answer becomes its model; fields that the model does not know are ignored."""
    scene = decode(SCENE | {"later": "more"}, Scene)
    assert scene.status is SceneStatus.Created
    assert scene.created == datetime(2026, 11, 22, 1, 2, 3, 4, UTC)
    assert scene.calibration_id is None


def test_an_unknown_status() -> None:
    """A status that nobody knows yet is kept as it is."""
    scene = decode(SCENE | {"status": "dreaming"}, Scene)
    assert scene.status == "dreaming"
    assert not scene.status.is_lost
    assert decode(SCENE | {"status": "invalidated:late"}, Scene).status.is_lost


def test_what_lies_one_level_down() -> None:
    """A workspace has the name of its organization."""
    data = {"created": SCENE["created"], "externalId": "e", "id": "i", "name": "n", "organization": {"name": "o"}}
    assert decode(data, Workspace).organization_name == "o"


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        ([SCENE, {"uuid": "u"}], list[Scene], "required field missing @ $[1].workspace_id"),
        ({}, PartialAnnotation, "required field missing @ $.uri"),
        (SCENE | {"uuid": 7}, Scene, "expected str, got int @ $.uuid"),
        (SCENE | {"created": "yesterday"}, Scene, "@ $.created"),
        (SCENE | {"status": 7}, Scene, "@ $.status"),
        ({"scenes": []}, Scene, "required field missing @ $.uuid"),
        (None, Scene, "@ $"),
        (7, list[Scene], "expected a list, got int @ $"),
        ({}, list[Scene], "expected a list, got dict @ $"),
        ({"organization": None}, Workspace, "@ $"),
        ("text", ProjectBatch, "@ $"),
    ],
)
def test_mistakes_are_named(data: Any, kind: type[Any], problem: str) -> None:
    """What does not fit its model is an error with the path of what is wrong."""
    with pytest.raises(DecodeError) as caught:
        decode(data, kind)
    assert any(problem in found for found in caught.value.problems)


def test_pre_annotations_keep_their_names() -> None:
    """OpenLABEL stays snake_case, and its nulls are left out at any depth."""
    given = {"openlabel": {"frame_properties": {"a": None, "b": [{"c": None, "d": 1}, None]}}}
    expected = {"openlabel": {"frame_properties": {"b": [{"d": 1}, None]}}}
    assert json.loads(encode_pre_annotation(given)) == expected
    assert encode_pre_annotation(b'{"openlabel": {"frame_properties": {"a": null}}}') == (
        b'{"openlabel": {"frame_properties": {}}}'
    )
