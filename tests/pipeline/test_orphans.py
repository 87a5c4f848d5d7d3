"""A scene of which nobody knows whether it was started: nothing waits for it but the end, and it is not left behind."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, Limits, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.errors import BadRequestError, ConflictError, NotFoundError
from tests.scenes import cameras_scene
from tests.waiting import until

pytestmark = pytest.mark.anyio

START, INVALIDATE = "POST v1/inputs/cameras", "POST v2/scenes/actions/invalidate"
GRACE, LAG = 2.0, 0.6
INVALIDATED = "invalidated:incorrectly-created"


@pytest.fixture(params=["refuse", "omit"])
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    async with Emulator(unknown_scenes=request.param) as running:
        yield running


def patient(emulator: Emulator, grace: float = GRACE) -> KognicIOClient:
    """A client that has one scene at a time on its way."""
    return KognicIOClient(
        **emulator.client_options(), max_retry_wait_time=0.01, visibility_timeout=grace, limits=Limits(scene_jobs=1)
    )


def ours(emulator: Emulator) -> list[Scene]:
    return [scene for scene in emulator.platform.scenes.by_uuid.values() if scene.visible_at > -math.inf]


def statuses(emulator: Emulator) -> list[str]:
    return sorted(scene.status for scene in ours(emulator))


async def visible(emulator: Emulator) -> None:
    await until(lambda: all(scene.visible for scene in ours(emulator)))


def lose_a_start(emulator: Emulator, *, after_effect: bool) -> None:
    """The first start fails, and its second try is refused for another reason than a conflict."""
    emulator.faults.add(faults.Status(500, after_effect=after_effect), on=START)
    emulator.faults.add(faults.Status(400), on=START)


@pytest.mark.parametrize("project", [None, "project-a"])
async def test_a_conflict_that_stays(project: str | None, emulator: Emulator) -> None:
    """A scene that is refused with a conflict takes one grace period of its caller, and not two."""
    emulator.faults.add(faults.Status(409), on="POST v1/inputs/*cameras", times=math.inf)
    async with patient(emulator) as client:
        with anyio.fail_after(1.5 * GRACE), pytest.raises(ConflictError):
            await client.cameras.create(cameras_scene("one"), project=project)
    assert emulator.recorder.requests_by_endpoint["POST v1/inputs/initialize"] == 1
    assert ours(emulator) == []


async def test_a_commit_that_stays_not_found(emulator: Emulator) -> None:
    """Nor is there a second grace period for a scene that was waited for until the first was over."""
    emulator.faults.add(faults.Status(404), on=faults.COMMIT, times=math.inf)
    emulator.faults.add(faults.Status(404), on=INVALIDATE, times=math.inf)
    async with patient(emulator) as client:
        with anyio.fail_after(1.5 * GRACE), pytest.raises(NotFoundError):
            await client.cameras.create(cameras_scene("one"))
    assert emulator.recorder.requests_by_endpoint[INVALIDATE] == 1


@pytest.mark.parametrize("after_effect", [True, False])
async def test_callers_that_wait(after_effect: bool, emulator: Emulator) -> None:
    """A caller that waits for its own lost scene has no place among the scene jobs meanwhile: another one passes it."""
    emulator.platform.timing.visibility_lag = LAG if after_effect else 0.0
    lose_a_start(emulator, after_effect=after_effect)
    ended: list[str] = []
    async with patient(emulator) as client:

        async def create(name: str) -> None:
            try:
                await client.cameras.create(cameras_scene(name))
            except BadRequestError:
                name = f"{name} refused"
            ended.append(name)

        with anyio.fail_after(2 * GRACE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(create, "one")
                tasks.start_soon(create, "two")
    assert ended == ["two", "one refused"]
    assert statuses(emulator) == (["created", INVALIDATED] if after_effect else ["created"])


@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("with_journal", [True, False])
async def test_a_run_that_does_not_wait(
    after_effect: bool, with_journal: bool, emulator: Emulator, tmp_path: Path
) -> None:
    """The result of a lost scene comes at once, others do not wait for it, and it is invalidated when it is shown."""
    emulator.platform.timing.visibility_lag = LAG if after_effect else 0.0
    lose_a_start(emulator, after_effect=after_effect)
    scenes = [cameras_scene(f"scene-{number}") for number in range(4)]
    journal = tmp_path / "journal" if with_journal else None
    async with patient(emulator, grace=3.0) as client:
        made = create_inputs(client, scenes, "project-a", batch="batch-2", sleep_time=0.05, journal=journal)
        with anyio.fail_after(2.5):
            results = [await anext(made) for _ in scenes]
        with anyio.fail_after(6):
            assert [result async for result in made] == []
    assert sorted(result.status for result in results) == ["created"] * 3 + ["failed"]
    assert statuses(emulator) == ["created"] * 3 + [INVALIDATED] * after_effect


async def test_many_lost_scenes(emulator: Emulator) -> None:
    """As many lost scenes as there are places stop nobody."""
    emulator.faults.add(faults.Status(500), on=START, times=math.inf)
    scenes = [cameras_scene(f"scene-{number}") for number in range(8)]
    options = {**emulator.client_options(), "max_retry_attempts": 1, "max_retry_wait_time": 0.01}
    async with (
        KognicIOClient(**options, limits=Limits(scene_jobs=2)) as client,
        create_inputs(client, scenes, "project-a", batch="batch-2", sleep_time=0.05) as made,
    ):
        with anyio.fail_after(5):
            failed = [await anext(made) for _ in scenes]
    assert {result.status for result in failed} == {InputCreationStatus.FAILED}
    assert ours(emulator) == []


async def test_a_run_that_is_left_early(emulator: Emulator) -> None:
    """A run that is left after the result of a lost scene still has the time to invalidate it, if it is shown soon."""
    emulator.platform.timing.visibility_lag = 0.3
    emulator.faults.add(faults.Status(400), on=faults.UPLOADS, times=math.inf)
    async with patient(emulator) as client:
        with anyio.fail_after(3):
            async with create_inputs(client, [cameras_scene("one")], "project-a", batch="batch-2") as made:
                assert (await anext(made)).status is InputCreationStatus.FAILED
    await visible(emulator)
    assert set(statuses(emulator)) == {INVALIDATED}
