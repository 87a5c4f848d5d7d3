"""Status queries of a run: how many there are, of which scenes, and that each scene is seen when it is ready."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, Limits, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.model import Cameras
from kognic_aio.pipeline.schedule import SCENES_PER_QUERY
from tests.scenes import cameras_scene
from tests.waiting import until

pytestmark = pytest.mark.anyio

CREATED = InputCreationStatus.CREATED


async def statuses(client: KognicIOClient, source: Any, **options: Any) -> list[InputCreationStatus]:
    """The statuses of the results of a run, which has to end soon enough."""
    with anyio.fail_after(60):
        return [result.status async for result in create_inputs(client, source, "project-a", **options)]


def queried(emulator: Emulator) -> list[list[str]]:
    """The scenes of each status query."""
    return [query.body["sceneUuids"] for query in emulator.recorder.requests("POST", "/v2/scenes/query")]


async def test_a_scene_that_is_ready_at_once(emulator: Emulator, client: KognicIOClient) -> None:
    """It is seen at its first query, however long `sleep_time` is."""
    assert await statuses(client, [cameras_scene("one")], sleep_time=3600) == [CREATED]
    assert emulator.recorder.requests_by_endpoint[faults.STATUS_QUERY] == 1


async def test_a_scene_that_is_ready_in_a_moment(emulator: Emulator, client: KognicIOClient) -> None:
    """It is seen after a few queries, which come before the first `sleep_time` is over."""
    emulator.platform.timing.processing_time = 0.3
    assert await statuses(client, [cameras_scene("one")], sleep_time=3600) == [CREATED]
    assert 1 < emulator.recorder.requests_by_endpoint[faults.STATUS_QUERY] <= 4


async def test_many_scenes_that_take_longer(emulator: Emulator, client: KognicIOClient) -> None:
    """They share their queries: it takes a fraction of one for each scene. None names more than a query may."""
    emulator.platform.timing.processing_time = 2.0
    scenes = [cameras_scene(str(number)) for number in range(500)]
    assert await statuses(client, scenes, sleep_time=1) == [CREATED] * 500
    queries = queried(emulator)
    assert len(queries) < 0.2 * 500
    assert max(map(len, queries)) <= SCENES_PER_QUERY


async def test_a_query_names_scenes_in_the_order_of_their_commits(emulator: Emulator, client: KognicIOClient) -> None:
    """In each query, the scene that was committed first comes first."""
    emulator.platform.timing.processing_time = 1.0
    one_by_one = Limits(scene_jobs=1)
    await statuses(client, [cameras_scene(str(n)) for n in range(60)], sleep_time=0.2, limits=one_by_one)
    commits = [commit.path.split("/")[-3] for commit in emulator.recorder.requests("POST") if "commit" in commit.path]
    for query in queried(emulator):
        places = [commits.index(uuid) for uuid in query]
        assert places == sorted(places)


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.0), (0.0, 1.0)])
async def test_a_speed_that_changes(before: float, after: float, emulator: Emulator, client: KognicIOClient) -> None:
    """When the platform becomes faster or slower in the middle of a run, every scene is seen all the same."""
    emulator.platform.timing.processing_time = before

    async def scenes() -> AsyncIterator[Cameras]:
        for number in range(100):
            yield cameras_scene(str(number))
        await until(lambda: "created" in {scene.status for scene in emulator.platform.scenes.with_external_id("50")})
        emulator.platform.timing.processing_time = after
        for number in range(100, 200):
            yield cameras_scene(str(number))

    assert await statuses(client, scenes(), sleep_time=0.3) == [CREATED] * 200
    assert len(queried(emulator)) < 200


async def test_scenes_that_wait_while_others_are_ready(emulator: Emulator, client: KognicIOClient) -> None:
    """Scenes that never become ready keep nobody waiting, and cost the others no queries of their own."""
    emulator.faults.add(faults.HangProcessing(), on="hangs-*", times=50)
    hanging = [cameras_scene(f"hangs-{number}") for number in range(50)]
    quick = [cameras_scene(str(number)) for number in range(150)]
    made = await statuses(client, [*hanging, *quick], sleep_time=0.5, wait_timeout=2)
    assert made == [CREATED] * 150 + [InputCreationStatus.PROCESSING] * 50
    assert len(queried(emulator)) < 200
