"""Calls of `create_inputs` as kognic-io takes them."""

import inspect
from typing import Any

import anyio
import pytest

from kognic_aio import FeatureFlags, InputCreation, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

official = pytest.importorskip("kognic.io.tools.input_creation")
NAMES = ["dryrun", "feature_flags", "wait_timeout", "sleep_time"]
VALUES: list[Any] = [True, FeatureFlags(), 5.0, 0.02]


def run_with(client: KognicIOClient, *arguments: Any, **named: Any) -> InputCreation:
    """A run of one scene whose arguments after the project are untyped, as those of a script are."""
    untyped: Any = create_inputs
    run: InputCreation = untyped(client, [cameras_scene("crossing")], "project-a", *arguments, **named)
    return run


async def statuses(run: InputCreation) -> list[InputCreationStatus]:
    """How the scenes of a run end, soon."""
    with anyio.fail_after(GENEROUS):
        return [result.status async for result in run]


def test_the_order_is_the_official_one() -> None:
    """These arguments are what follows the project in the official function."""
    parameters = inspect.signature(official.create_inputs).parameters.values()
    by_position = [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    assert by_position == ["client", "scenes_with_pre_annotations", "project", *NAMES]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.anyio
async def test_arguments_by_position(emulator: Emulator, client: KognicIOClient, count: int) -> None:
    """What is given by position does what its name does, and a warning at the caller's line has the names."""
    before = emulator.platform.summary()
    with pytest.warns(DeprecationWarning, match="name these arguments") as warned:
        run = run_with(client, *VALUES[:count])
    ended = await statuses(run)

    expected = ", ".join(f"{name}=" for name in NAMES[:count])
    assert [str(warning.message) for warning in warned] == [f"name these arguments of create_inputs(): {expected}"]
    assert warned[0].filename == __file__
    assert ended == [InputCreationStatus.VALIDATED]
    assert emulator.platform.summary() == before


@pytest.mark.anyio
async def test_arguments_by_position_and_by_name(emulator: Emulator, client: KognicIOClient) -> None:
    """The others may be named beside them, in no particular order."""
    with pytest.warns(DeprecationWarning, match=r": dryrun=, feature_flags=$"):
        run = run_with(client, False, None, sleep_time=0.02, batch="batch-2")
    assert await statuses(run) == [InputCreationStatus.CREATED]
    assert len(emulator.recorder.requests("POST", "/v1/inputs/cameras")) == 1
    (created,) = [request for request in emulator.recorder.requests("POST") if request.path == "/v1/inputs"]
    assert created.body["batch"] == "batch-2"


def test_wrong_arguments_by_position() -> None:
    """An argument that is given twice, or one too many, is a TypeError as of any function."""
    client = KognicIOClient()
    with pytest.raises(TypeError, match="multiple values for argument 'dryrun'"):
        run_with(client, True, dryrun=True)
    with pytest.raises(TypeError, match="takes from 2 to 3 positional arguments but 8 were given"):
        run_with(client, *VALUES, "batch-2")


@pytest.mark.anyio
async def test_annotation_types(emulator: Emulator, client: KognicIOClient) -> None:
    """Annotation types, which the official function passes on, warn at the caller's line and are left out."""
    with pytest.warns(DeprecationWarning, match="annotation_types are no longer used") as warned:
        run = run_with(client, batch="batch-2", annotation_types=["lane"], sleep_time=0.02)
    assert await statuses(run) == [InputCreationStatus.CREATED]
    assert [warning.filename for warning in warned] == [__file__]
