"""Every model comes back from the wire as it went."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kognic_aio._http.wire import DecodeError, decode, encode, to_json
from kognic_aio.model import Scene, SceneStatus, Workspace
from kognic_aio.model.calibration import LidarCalibration, SensorCalibrationEntry, UnknownCalibration
from kognic_aio.model.request import InputProgressCounts
from kognic_aio.model.review import Review
from tests.http.models import JSON, MODELS, comparable, instances

LIDAR: dict[str, Any] = {
    "calibration_type": "lidar",
    "position": {"x": 0, "y": 0, "z": 0},
    "rotation_quaternion": {"w": 1, "x": 0, "y": 0, "z": 0},
}

each_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__qualname__)
few = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def on_the_wire(model: Any) -> Any:
    return json.loads(to_json(encode(model)))


@each_model
@few
@given(data=st.data())
def test_what_is_encoded_is_decoded(cls: type[Any], data: st.DataObject) -> None:
    """A model decodes what it encodes, and what it encodes is JSON."""
    sent = data.draw(instances(cls))
    assert comparable(decode(on_the_wire(sent), cls)) == comparable(sent)


@each_model
@few
@given(data=st.data())
def test_unknown_fields_are_ignored(cls: type[Any], data: st.DataObject) -> None:
    """Fields that a model does not know make no difference."""
    sent = data.draw(instances(cls))
    more = {f"new-{name}": value for name, value in data.draw(st.dictionaries(st.text(), JSON, min_size=1)).items()}
    assert comparable(decode(on_the_wire(sent) | more, cls)) == comparable(sent)


@each_model
@few
@given(data=st.data())
def test_optional_fields_may_be_absent(cls: type[Any], data: st.DataObject) -> None:
    """What has a default need not be there, whether it is left out or null."""
    sent = data.draw(instances(cls, complete=False))
    without = {name: value for name, value in on_the_wire(sent).items() if value != []}
    assert comparable(decode(without, cls)) == comparable(sent)


@each_model
def test_required_fields_are_missed(cls: type[Any]) -> None:
    """Every required field that is missing is an error that names it."""
    required = [field.name.lstrip("_") for field in attrs.fields(cls) if field.default is attrs.NOTHING and field.init]
    try:
        decode({}, cls)
    except DecodeError as error:
        missing = [problem for problem in error.problems if problem.startswith("required field missing @ $.")]
        assert [problem.rpartition(".")[2] for problem in missing] == required  # not all have one
    else:
        assert not required


def test_a_missing_field_is_named_with_its_path() -> None:
    """The path leads through lists and objects to the field."""
    data = {
        "id": "1",
        "members": [{"errorTypeId": "1", "errorTypeName": "x", "invalid": False, "corrected": False, "resolved": True}],
        "inputUuid": "2",
    }
    with pytest.raises(DecodeError) as caught:
        decode(data, Review)
    assert caught.value.problems == ["required field missing @ $.members[0].created_at"]


def test_of_many_problems_the_first_are_told() -> None:
    """An answer that is wrong throughout is an error that people can read."""
    with pytest.raises(DecodeError) as caught:
        decode([{}] * 10_000, list[Scene])
    assert len(caught.value.problems) == 30
    assert "$[4].status" in str(caught.value)


NULLS: list[tuple[Any, Any, Any]] = [
    ({"id": "1", "members": None, "inputUuid": "2", "phaseId": None}, Review, "members"),
    ({"id": "1", "externalId": "2", "created": "2026-01-01T00:00:00Z"}, SensorCalibrationEntry, "calibration"),
    ({"id": "1", "name": "w", "created": "2026-01-01T00:00:00.5Z", "organization": None}, Workspace, "external_id"),
]


@pytest.mark.parametrize(("data", "cls", "empty"), NULLS)
def test_null_is_not_given(data: Any, cls: Any, empty: str) -> None:
    """Null stands for nothing given, as does what is not there."""
    assert not getattr(decode(data, cls), empty)


def test_whole_floats_are_integers() -> None:
    """A platform that writes 100.0 for 100 is understood; 100.5 is not."""
    counts = {"notStarted": 1.0, "inProgress": 0, "completed": 2, "total": 3}
    assert decode(counts, InputProgressCounts).not_started == 1
    with pytest.raises(DecodeError, match=r"expected int, got float @ \$.not_started"):
        decode(counts | {"notStarted": 1.5}, InputProgressCounts)


def test_what_is_new_breaks_nothing() -> None:
    """An unknown status, task type or kind of calibration is kept, and the rest of the answer is there."""
    scene = {
        "uuid": "1",
        "workspaceId": "2",
        "externalId": "3",
        "sceneType": "radar",
        "status": "frozen",
        "created": "2026-01-01T00:00:00Z",
    }
    (decoded,) = decode([scene], list[Scene])
    assert (decoded.status, decoded.status.value, decoded.external_id) == (SceneStatus("frozen"), "frozen", "3")
    calibrations: dict[str, dict[str, Any]] = {"radar": {"calibration_type": "radar", "range": 100}, "lidar": LIDAR}
    entry = {"id": "1", "externalId": "2", "created": "2026-01-01T00:00:00Z", "calibration": calibrations}
    found = decode(entry, SensorCalibrationEntry).calibration
    assert found is not None
    assert found["radar"] == UnknownCalibration(calibration_type="radar", content=calibrations["radar"])
    assert isinstance(found["lidar"], LidarCalibration)
