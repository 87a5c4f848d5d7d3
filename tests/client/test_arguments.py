"""Arguments of calls: numbers of numpy, members of enums, and what is refused before anything is sent."""

import asyncio
import warnings
from enum import Enum
from typing import Any

import anyio
import numpy as np
import pytest
from kognic.io.model.scene.feature_flags import FeatureFlags as OfficialFlags

from kognic_aio import KognicIOClient, Limits, create_inputs
from kognic_aio.config import Retry
from kognic_aio.emulator import Emulator
from kognic_aio.errors import InvalidError, OfficialModelError
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio


class Names(Enum):
    """Names as applications keep them."""

    PROJECT = "project-a"
    BATCH = "batch-3"


WRONG: dict[str, tuple[dict[str, Any], type[InvalidError]]] = {
    "flags": ({"feature_flags": True}, InvalidError),
    "flags of a dict": ({"feature_flags": {"a": True}}, InvalidError),
    "official flags": ({"feature_flags": OfficialFlags()}, OfficialModelError),
    "project": ({"project": 5}, InvalidError),
    "empty project": ({"project": ""}, InvalidError),
    "list of projects": ({"project": ["project-a"]}, InvalidError),
    "batch": ({"project": "project-a", "batch": 5}, InvalidError),
    "empty batch": ({"project": "project-a", "batch": ""}, InvalidError),
}


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_arguments(name: str, emulator: Emulator, client: KognicIOClient) -> None:
    """A scene, an input of one and a run refuse the same, with the argument's name, before anything is sent."""
    given, error = WRONG[name]
    before = len(emulator.recorder.requests())
    wrong = f"^{[*given][-1]}: "
    with pytest.raises(error, match=wrong):
        await client.cameras.create(cameras_scene("one"), **given)
    with pytest.raises(error, match=wrong):
        create_inputs(client, [], **{"project": "project-a"} | given)
    if "feature_flags" not in given:
        with pytest.raises(error, match=wrong):
            await client.cameras.create_from_scene("uuid", **given)
        with pytest.raises(error, match=wrong):
            await client.input.create_from_pre_annotation("uuid", **given)
        with pytest.raises(error, match=wrong):
            await client.input.create_from_scene("uuid", **given)
    assert len(emulator.recorder.requests()) == before


async def test_members_of_enums(emulator: Emulator, client: KognicIOClient) -> None:
    """A project and a batch may be members of an enum, for one scene and for many."""
    target: dict[str, Any] = {"project": Names.PROJECT, "batch": Names.BATCH}
    with anyio.fail_after(GENEROUS):
        created = await client.cameras.create(cameras_scene("one"), **target)
        scenes = [created.scene_uuid]
        async for result in create_inputs(client, [cameras_scene("two")], sleep_time=0.02, **target):
            scenes.append(str(result.scene_uuid))  # noqa: PERF401  # reads best
    for uuid in scenes:
        (made,) = emulator.platform.inputs.of_scene(uuid)
        assert (made.batch.project, made.batch.batch) == ("project-a", "batch-3")


async def test_numbers_of_numpy(emulator: Emulator) -> None:
    """Wherever a client takes numbers, those of numpy do."""
    counts: dict[str, Any] = {"scene_jobs": np.int64(2), "in_flight": np.int64(7)}
    numbers: dict[str, Any] = {
        "timeout": np.int64(20),
        "visibility_timeout": np.float32(5),
        "max_connections": np.int32(3),
        "max_retry_attempts": np.uint8(4),
        "max_retry_wait_time": np.float32(0.5),
        "limits": Limits(**counts),
    }
    times: dict[str, Any] = {
        "wait_timeout": np.int64(20),
        "sleep_time": np.float32(0.02),
        "scene_timeout": np.int16(20),
    }
    one: Any = np.int64(1)
    assert type(Retry(attempts=one).attempts) is int
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**emulator.client_options() | numbers) as client:
            assert (client.limits.uploads, type(client.limits.in_flight)) == (3, int)
            results = create_inputs(client, [cameras_scene("one")], "project-a", **times)
            assert [str(result.status) async for result in results] == ["created"]
            assert await client.workspace.get_workspaces(organization_ids=one) == (
                await client.workspace.get_workspaces(organization_ids=1)
            )


@pytest.mark.parametrize("timeout", [0, 0.0, np.int64(0), -1, np.float32(-1), float("nan"), np.bool_(True), "5", None])
def test_no_timeout(timeout: Any) -> None:
    """No time at all is none, and no number of seconds is refused."""
    with pytest.raises(InvalidError, match=r"^timeout: expected"):
        KognicIOClient(timeout=timeout)


@pytest.mark.parametrize("argument", ["scene", "annotation_types"])
async def test_where_a_warning_points(argument: str, emulator: Emulator, client: KognicIOClient) -> None:
    """A warning of an older way points at the call, also of what asyncio runs in tasks."""
    given = {"cameras": cameras_scene("one")} if argument == "scene" else {"annotation_types": ["lane"]}
    scene = [] if argument == "scene" else [cameras_scene("one")]
    create: Any = client.cameras.create
    with anyio.fail_after(GENEROUS), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await asyncio.gather(create(*scene, **given))
    assert [(warning.category, warning.filename) for warning in warned] == [(DeprecationWarning, __file__)]
    assert emulator.platform.summary()["scenes"]
