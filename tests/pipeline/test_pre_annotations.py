"""A pre-annotation is looked at before anything of its scene is sent, in a real run and in a dry run."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import pytest
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio import (
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    KognicIOClient,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator
from kognic_aio.model import BaseScene
from tests.scenes import SOURCES, build, cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

KINDS = ("CamerasSequence", "LidarsSequence", "LidarsAndCamerasSequence", "AggregatedLidarsAndCamerasSequence")
"""The scene types whose frames have times; those of the scenes in these tests are 0 and 100 ms."""


def openlabel(**content: Any) -> dict[str, Any]:
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, **content}}


def timed(*timestamps: Any) -> dict[str, Any]:
    frames = {str(number): {"frame_properties": {"timestamp": time}} for number, time in enumerate(timestamps)}
    return openlabel(frames=frames)


def sequence(kind: str = "CamerasSequence") -> BaseScene:
    scene: BaseScene = build(kind, SOURCES["bytes"], Path()).scene
    return scene


async def run_one(
    client: KognicIOClient, scene: BaseScene, pre_annotation: Any, *, dryrun: bool = False
) -> InputCreationResult:
    source = [SceneWithPreAnnotation(scene, pre_annotation)]
    with anyio.fail_after(GENEROUS):
        (result,) = [each async for each in create_inputs(client, source, "project-a", dryrun=dryrun, sleep_time=0.01)]
    return result


WRONG: list[tuple[Any, str]] = [
    ({"frames": {}}, "expected OpenLABEL, {'openlabel': {...}}, got an object with ['frames']"),
    ({}, "expected OpenLABEL, {'openlabel': {...}}, got an object with []"),
    ({"openlabel": None}, "expected OpenLABEL"),
    ({"openlabel": []}, "openlabel: expected an object, got list"),
    ('{"openlabel": "text"}', "openlabel: expected an object, got str"),
    (openlabel(frames=[]), "openlabel.frames: expected an object, got list"),
    (openlabel(frames={"3": 7}), "openlabel.frames['3']: expected an object, got int"),
    (openlabel(frames={3: {"frame_properties": "a"}}), "openlabel.frames['3'].frame_properties: expected an object"),
    ({"openlabel": {"metadata": 1}}, "openlabel.metadata: expected an object, got int"),
    (
        {"openlabel": {"metadata": {"schema_version": "2.0.0"}}},
        "openlabel.metadata.schema_version: expected '1.0.0', got '2.0.0'",
    ),
    (
        timed(0, 0.1),
        "frames['1'].frame_properties.timestamp: expected the relative_timestamp of a frame of the scene, in milli",
    ),
    (timed(100_000_000), "in milliseconds (0, 100), got 100000000"),
    (timed("200"), "in milliseconds (0, 100), got '200'"),
    (timed("late"), "got 'late'"),
    (timed([0]), "got [0]"),
    (timed({}), "got {}"),
    (timed(10**400), "got 1000"),
]


@pytest.mark.parametrize("dryrun", [False, True])
@pytest.mark.parametrize(("pre_annotation", "words"), WRONG, ids=range(len(WRONG)))
async def test_what_is_wrong(
    pre_annotation: Any, words: str, dryrun: bool, emulator: Emulator, client: KognicIOClient
) -> None:
    """It is an error of the stage pre-annotation that says what and where, and nothing has been sent."""
    result = await run_one(client, sequence(), pre_annotation, dryrun=dryrun)
    assert result.error is not None
    assert result.error.stage is InputCreationStage.PRE_ANNOTATION
    assert words in result.error.message
    assert result.error.message.startswith("pre_annotation: ")
    assert not emulator.recorder.requests("POST", "/v1/inputs")


GOOD: list[Any] = [
    timed(0, 100),
    timed("0", "100.0"),
    timed(100.0),
    timed(None),
    openlabel(),
    openlabel(frames=None),
    openlabel(frames={"0": {}}),
    openlabel(frames={0: {"frame_properties": {"timestamp": 100}}}),
    MappingProxyType(timed(0)),
    json.dumps(timed(100)),
    OpenLabelAnnotation.model_validate(timed(0, 100)),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pre_annotation", GOOD, ids=range(len(GOOD)))
async def test_what_is_right(
    pre_annotation: Mapping[str, Any], kind: str, emulator: Emulator, client: KognicIOClient
) -> None:
    """What the platform takes is sent."""
    result = await run_one(client, sequence(kind), pre_annotation)
    assert result.status is InputCreationStatus.CREATED, result.error
    assert len(emulator.platform.pre_annotations.of_scene(result.scene_uuid or "")) == 1


async def test_a_scene_of_one_moment(client: KognicIOClient) -> None:
    """A scene that is no sequence has no times that those of the pre-annotation could differ from."""
    assert (await run_one(client, cameras_scene("one"), timed(1234))).status is InputCreationStatus.CREATED


SCHEMA: list[tuple[dict[str, Any], str]] = [
    (openlabel(objects={"a": {"type": "Car"}}), "openlabel.objects.a.name: Field required"),
    (openlabel(nonsense=1), "openlabel.nonsense: Extra inputs are not permitted"),
    ({"openlabel": {"metadata": {}}}, "openlabel.metadata.schema_version: Field required"),
]


@pytest.mark.parametrize(("pre_annotation", "words"), SCHEMA, ids=range(len(SCHEMA)))
async def test_the_schema(pre_annotation: Any, words: str, emulator: Emulator, client: KognicIOClient) -> None:
    """A dry run also compares with the schema of OpenLABEL, if the extra is installed."""
    result = await run_one(client, sequence(), pre_annotation, dryrun=True)
    assert result.error is not None
    assert result.error.stage is InputCreationStage.PRE_ANNOTATION
    assert words in result.error.message
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def test_a_dry_run_of_what_is_right(client: KognicIOClient) -> None:
    """What fits the schema is valid, whatever form it has."""
    for pre_annotation in (timed(0, 100), openlabel(frames={0: {"frame_properties": {"timestamp": 100}}}), GOOD[-1]):
        result = await run_one(client, sequence(), pre_annotation, dryrun=True)
        assert result.status is InputCreationStatus.VALIDATED, result.error


async def test_one_among_others(emulator: Emulator, client: KognicIOClient) -> None:
    """One wrong pre-annotation is one FAILED result."""

    def source() -> Iterator[SceneWithPreAnnotation]:
        for number, time in enumerate([0, math.pi, 100]):
            yield SceneWithPreAnnotation(cameras_scene(f"scene-{number}"), openlabel() if number != 1 else {})
            yield SceneWithPreAnnotation(sequence(), timed(time))

    results = [result async for result in create_inputs(client, source(), "project-a", sleep_time=0.01)]
    assert sorted(result.status for result in results) == ["created"] * 4 + ["failed"] * 2
    assert len([each for each in emulator.recorder.requests("POST") if each.path.endswith("/commit")]) == 4
