"""A scene of which nobody knows whether it was started: nothing waits for it but the end, and it is not left behind."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, Limits, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import BadRequestError, ConflictError, NotFoundError
from kognic_aio.model import Cameras
from tests.pipeline.hidden import most_requests, ours, show, statuses
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

START, INVALIDATE = "POST v1/inputs/cameras", "POST v2/scenes/actions/invalidate"
GRACE = 1.0
INVALIDATED = "invalidated:incorrectly-created"


@pytest.fixture(params=["refuse", "omit"])
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    async with Emulator(unknown_scenes=request.param) as running:
        yield running


def patient(emulator: Emulator, grace: float = HOUR) -> KognicIOClient:
    """A client that has one scene at a time on its way. What waits for the end of its grace periods hangs."""
    return KognicIOClient(
        **emulator.client_options(), max_retry_wait_time=0.01, visibility_timeout=grace, limits=Limits(scene_jobs=1)
    )


def lose_a_start(emulator: Emulator, *, after_effect: bool) -> None:
    """The first start fails, and its second try is refused for another reason than a conflict."""
    emulator.faults.add(faults.Status(500, after_effect=after_effect), on=START)
    emulator.faults.add(faults.Status(400), on=START)


@pytest.mark.parametrize("project", [None, "project-a"])
async def test_a_conflict_that_stays(project: str | None, emulator: Emulator) -> None:
    """A scene that is refused with a conflict takes one grace period of its caller, and not two."""
    emulator.faults.add(faults.Status(409), on="POST v1/inputs/*cameras", times=math.inf)
    async with patient(emulator, GRACE) as client:
        with anyio.fail_after(GENEROUS), pytest.raises(ConflictError):
            await client.cameras.create(cameras_scene("one"), project=project)
    assert emulator.recorder.requests_by_endpoint["POST v1/inputs/initialize"] == 1
    assert 2 < emulator.recorder.requests_by_endpoint[INVALIDATE] <= 1 + most_requests(GRACE)
    assert ours(emulator) == []


async def test_a_commit_that_stays_not_found(emulator: Emulator) -> None:
    """Nor is there a second grace period for a scene that was waited for until the first was over."""
    emulator.faults.add(faults.Status(404), on=faults.COMMIT, times=math.inf)
    emulator.faults.add(faults.Status(404), on=INVALIDATE, times=math.inf)
    async with patient(emulator, GRACE) as client:
        with anyio.fail_after(GENEROUS), pytest.raises(NotFoundError):
            await client.cameras.create(cameras_scene("one"))
    assert emulator.recorder.requests_by_endpoint[INVALIDATE] == 1
    assert 1 < emulator.recorder.requests_by_endpoint[faults.COMMIT] <= most_requests(GRACE)


async def test_a_scene_that_never_came_into_being(emulator: Emulator) -> None:
    """A caller waits for its own lost scene for one grace period, and then has the reason of the refusal."""
    lose_a_start(emulator, after_effect=False)
    async with patient(emulator, GRACE) as client:
        with anyio.fail_after(GENEROUS), pytest.raises(BadRequestError):
            await client.cameras.create(cameras_scene("one"))
    assert 2 < emulator.recorder.requests_by_endpoint[INVALIDATE] <= 1 + most_requests(GRACE)
    assert ours(emulator) == []


async def test_a_run_whose_scene_never_came_into_being(emulator: Emulator) -> None:
    """Nor does the end of a run wait for longer."""
    lose_a_start(emulator, after_effect=False)
    async with patient(emulator, GRACE) as client:
        made = create_inputs(client, [cameras_scene("one")], "project-a", batch="batch-2", sleep_time=0.05)
        with anyio.fail_after(GENEROUS):
            assert [result.status async for result in made] == [InputCreationStatus.FAILED]
    assert 2 < emulator.recorder.requests_by_endpoint[INVALIDATE] <= 1 + most_requests(GRACE)
    assert ours(emulator) == []


@pytest.mark.parametrize("after_effect", [True, False])
async def test_callers_that_wait(after_effect: bool, emulator: Emulator) -> None:
    """A caller that waits for its own lost scene has no place among the scene jobs meanwhile: another one passes it."""
    emulator.platform.timing.visibility_lag = HOUR if after_effect else 0.0
    lose_a_start(emulator, after_effect=after_effect)
    ended: list[str] = []
    async with patient(emulator) as client:

        async def create(name: str) -> None:
            try:
                await client.cameras.create(cameras_scene(name))
            except BadRequestError:
                name = f"{name} refused"
            ended.append(name)

        with anyio.fail_after(GENEROUS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(create, "one")
                tasks.start_soon(create, "two")
                await until(lambda: "two" in ended)
                assert ended == ["two"]
                if after_effect:
                    show(emulator)
                    await until(lambda: len(ended) == 2)
                tasks.cancel_scope.cancel()
    assert ended == ["two", "one refused"][: 1 + after_effect]
    assert statuses(emulator) == (["created", INVALIDATED] if after_effect else ["created"])


@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("with_journal", [True, False])
async def test_a_run_that_does_not_wait(
    after_effect: bool, with_journal: bool, emulator: Emulator, tmp_path: Path
) -> None:
    """The result of a lost scene comes at once, others do not wait for it, and it is invalidated when it is shown."""
    lose_a_start(emulator, after_effect=after_effect)

    async def scenes() -> AsyncIterator[Cameras]:
        emulator.platform.timing.visibility_lag = HOUR
        yield cameras_scene("lost")
        if after_effect:
            await until(lambda: ours(emulator))
        emulator.platform.timing.visibility_lag = 0.0
        for number in range(3):
            yield cameras_scene(f"scene-{number}")

    journal = tmp_path / "journal" if with_journal else None
    async with (
        patient(emulator) as client,
        create_inputs(client, scenes(), "project-a", batch="batch-2", sleep_time=0.05, journal=journal) as made,
    ):
        with anyio.fail_after(GENEROUS):
            results = [await anext(made) for _ in range(4)]
            if after_effect:
                show(emulator)
                assert [result async for result in made] == []
    assert sorted(result.status for result in results) == ["created"] * 3 + ["failed"]
    assert statuses(emulator) == ["created"] * 3 + [INVALIDATED] * after_effect


async def test_many_lost_scenes(emulator: Emulator) -> None:
    """As many lost scenes as there are places stop nobody."""
    emulator.faults.add(faults.Status(500), on=START, times=math.inf)
    scenes = [cameras_scene(f"scene-{number}") for number in range(8)]
    options = {**emulator.client_options(), "max_retry_attempts": 1, "max_retry_wait_time": 0.01}
    async with (
        KognicIOClient(**options, visibility_timeout=HOUR, limits=Limits(scene_jobs=2)) as client,
        create_inputs(client, scenes, "project-a", batch="batch-2", sleep_time=0.05) as made,
    ):
        with anyio.fail_after(GENEROUS):
            failed = [await anext(made) for _ in scenes]
    assert {result.status for result in failed} == {InputCreationStatus.FAILED}
    assert ours(emulator) == []


async def test_a_run_that_is_left_early(emulator: Emulator) -> None:
    """A run that is left after the result of a lost scene still has the time to invalidate it, if it is shown soon."""
    emulator.platform.timing.visibility_lag = HOUR
    emulator.faults.add(faults.Status(400), on=faults.UPLOADS, times=math.inf)
    async with patient(emulator) as client:
        with anyio.fail_after(GENEROUS):
            async with create_inputs(client, [cameras_scene("one")], "project-a", batch="batch-2") as made:
                assert (await anext(made)).status is InputCreationStatus.FAILED
                show(emulator)
    assert set(statuses(emulator)) == {INVALIDATED}
