"""A new scene that the platform does not show yet: nothing is lost, nothing is doubled, nothing is left behind."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest

from kognic_aio import (
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    KognicIOClient,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import BadRequestError, LeftOutError, NotFoundError, ProjectNotFoundError
from kognic_aio.model import Cameras, SceneInvalidatedReason
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest
from kognic_aio.pipeline.journal import Destination, Step
from kognic_aio.scenes.visibility import Visibility
from tests.faults.ingestion import BATCH, OPENLABEL, PROJECT, Ingestion
from tests.pipeline.hidden import most_requests, ours, show, statuses
from tests.pipeline.journals import Journal
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR, cancelled_when, until

pytestmark = pytest.mark.anyio

START, INVALIDATE = "POST v1/inputs/cameras", "POST v2/scenes/actions/invalidate"
UNKNOWN = "11111111-0000-4000-8000-000000000000"
LAG, GRACE = 0.1, 1.0

Unknown = Literal["refuse", "omit"]
CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED


@pytest.fixture(params=["refuse", "omit"])
async def emulator(request: pytest.FixtureRequest) -> AsyncIterator[Emulator]:
    """A platform that does not show new scenes for a while, and refuses unknown ones or leaves them out."""
    async with Emulator(visibility_lag=LAG, unknown_scenes=request.param) as running:
        yield running


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """A client whose grace periods last: what waits for the end of one hangs."""
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator) as client:
            yield client


def client_of(emulator: Emulator, grace: float = HOUR) -> KognicIOClient:
    return KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.01, visibility_timeout=grace)


async def ingest(client: KognicIOClient, source: Any, **options: Any) -> list[InputCreationResult]:
    async with create_inputs(client, source, PROJECT, batch=BATCH, sleep_time=0.05, **options) as made:
        return [result async for result in made]


def inputs(emulator: Emulator) -> int:
    return sum(len(emulator.platform.inputs.of_scene(scene.uuid)) for scene in ours(emulator))


def pre_annotations(emulator: Emulator) -> int:
    return sum(len(emulator.platform.pre_annotations.of_scene(scene.uuid)) for scene in ours(emulator))


async def visible(emulator: Emulator) -> None:
    """Until the platform shows all scenes that it has."""
    await until(lambda: all(scene.visible for scene in ours(emulator)))


async def test_a_run(emulator: Emulator, client: KognicIOClient) -> None:
    """Every scene becomes one input, whole, though each is unknown at first; and it takes few questions."""
    ingestion = Ingestion(100)
    results = await ingest(client, ingestion.scenes)
    ingestion.check(emulator.platform, results)
    assert set(statuses(emulator)) == {"created"}
    assert emulator.recorder.requests_by_endpoint[faults.STATUS_QUERY] < 250


@pytest.mark.parametrize("fault", [500, 503, "drop"])
async def test_a_run_where_starts_are_lost(fault: int | str, emulator: Emulator, client: KognicIOClient) -> None:
    """A start that took effect without an answer is found by the conflict with its second try, and is invalidated."""
    lost = faults.Drop(after_effect=True) if fault == "drop" else faults.Status(fault, after_effect=True)  # type: ignore[arg-type]
    planned = emulator.faults.add(lost, on="POST v1/inputs/[acl]*", times=8, skip=5)
    ingestion = Ingestion(30)
    results = await ingest(client, ingestion.scenes)
    await visible(emulator)
    ingestion.check(emulator.platform, results)
    assert planned.injected == 8
    assert set(statuses(emulator)) == {"created", "invalidated:incorrectly-created"}


async def test_a_start_that_had_no_effect(emulator: Emulator, client: KognicIOClient) -> None:
    """A start that was lost on its way is sent again at once, under the same uuid: nobody waits for a grace period."""
    emulator.faults.add(faults.Drop(), on=START)
    await client.cameras.create(cameras_scene("one"))
    assert statuses(emulator) == ["created"]
    assert emulator.recorder.requests_by_endpoint["POST v1/inputs/initialize"] == 1


@pytest.mark.parametrize("step", [faults.COMMIT, "POST v1/pre-annotations", "POST v1/inputs"])
async def test_an_answer_that_is_lost(step: str, emulator: Emulator, client: KognicIOClient) -> None:
    """What came of a lost step of a scene that is not shown yet is found, and the step is not done twice."""
    emulator.faults.add(faults.Drop(after_effect=True), on=step)
    (result,) = await ingest(client, [SceneWithPreAnnotation(cameras_scene("one"), OPENLABEL)])
    assert result.status is CREATED
    assert emulator.recorder.requests_by_endpoint[step] == 1
    assert inputs(emulator) == pre_annotations(emulator) == 1


async def test_an_upload_that_fails(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene whose files are refused is invalidated, as soon as the platform shows it."""
    emulator.platform.timing.visibility_lag = HOUR
    emulator.faults.add(faults.Status(400), on=faults.UPLOADS, times=math.inf)
    async with create_inputs(client, [cameras_scene("one")], PROJECT, batch=BATCH) as made:
        assert (await anext(made)).status is FAILED
        await until(lambda: emulator.recorder.requests_by_endpoint[INVALIDATE] > len(ours(emulator)))
        assert set(statuses(emulator)) == {"pending"}
        show(emulator)
        assert [result async for result in made] == []
    assert set(statuses(emulator)) == {"invalidated:incorrectly-created"}


@pytest.mark.parametrize("times", [3, math.inf])
async def test_an_invalidation_that_is_not_found(times: float, emulator: Emulator) -> None:
    """A 404 is never taken for done at once: the invalidation is repeated until it is, or the grace period is over."""
    emulator.platform.timing.visibility_lag = 0.0
    emulator.faults.add(faults.Status(400), on=faults.COMMIT)
    emulator.faults.add(faults.Status(404), on=INVALIDATE, times=times)
    async with client_of(emulator, GRACE if times == math.inf else HOUR) as client:
        with anyio.fail_after(GENEROUS), pytest.raises(BadRequestError):
            await client.cameras.create(cameras_scene("one"))
    requests = emulator.recorder.requests_by_endpoint[INVALIDATE]
    assert requests == 4 if times == 3 else 2 < requests <= 1 + most_requests(GRACE)
    assert statuses(emulator) == ["invalidated:incorrectly-created" if times == 3 else "pending"]


async def test_a_start_that_is_refused(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene that the platform refuses outright was never started: it is not invalidated, and has no uuid."""
    emulator.platform.refuse("scene", "one", "too blurred")
    (result,) = await ingest(client, [cameras_scene("one")])
    assert (result.status, result.scene_uuid) == (FAILED, None)
    assert emulator.recorder.requests_by_endpoint[INVALIDATE] == 0


async def test_a_run_that_is_cancelled(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """What a run leaves that the platform does not show yet is in its journal; the next run invalidates it."""
    emulator.faults.add(faults.SlowAnswer(HOUR), on=faults.UPLOADS, times=math.inf)
    emulator.platform.timing.visibility_lag = HOUR
    path = tmp_path / "journal"
    uploading = ingest(client, [cameras_scene("one")], journal=path)
    await cancelled_when(lambda: emulator.recorder.in_flight["uploads"], uploading)
    async with Journal(path) as journal:
        assert len(await journal.abandoned()) == 1
    emulator.faults.clear()
    emulator.platform.timing.visibility_lag = LAG
    show(emulator)
    (result,) = await ingest(client, [cameras_scene("one")], journal=path)
    assert result.status is CREATED
    assert statuses(emulator) == ["created", "invalidated:incorrectly-created"]
    async with Journal(path) as journal:
        assert await journal.abandoned() == []


@pytest.mark.parametrize("invalidated", [True, False])
async def test_a_create_that_is_cancelled(
    invalidated: bool, emulator: Emulator, client: KognicIOClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends within a second. A scene that is shown by then is invalidated, of another a warning tells."""
    emulator.faults.add(faults.SlowAnswer(HOUR), on=faults.UPLOADS, times=math.inf)
    emulator.platform.timing.visibility_lag = HOUR
    async with anyio.create_task_group() as tasks:
        if invalidated:
            tasks.start_soon(_show_when_asked, emulator)
        uploading = client.cameras.create(cameras_scene("one"))
        await cancelled_when(lambda: emulator.recorder.in_flight["uploads"], uploading)
    assert emulator.recorder.requests_by_endpoint[INVALIDATE] < most_requests(1.0)
    assert statuses(emulator) == ["invalidated:incorrectly-created" if invalidated else "pending"]
    (uuid,) = [scene.uuid for scene in ours(emulator)]
    assert (f"scene {uuid} was interrupted" in caplog.text) is not invalidated


async def _show_when_asked(emulator: Emulator) -> None:
    """Have the platform show a scene when it has been asked to invalidate it, and has not known it."""
    await until(lambda: emulator.recorder.requests_by_endpoint[INVALIDATE])
    show(emulator)


async def test_a_create_in_the_handler_of_a_cancellation(emulator: Emulator, client: KognicIOClient) -> None:
    """It has all its time to clean up: a cancellation that its caller handles is none of its own."""
    emulator.faults.add(faults.ExpiredUrl(), times=1)
    emulator.platform.timing.visibility_lag = 1.0
    ended = asyncio.get_running_loop().create_future()
    ended.cancel()
    try:
        await ended
    except asyncio.CancelledError:
        created = await client.cameras.create(cameras_scene("one"))
        left = [scene.status for scene in ours(emulator) if scene.uuid != created.scene_uuid]
        assert left == ["invalidated:incorrectly-created"]
    else:
        pytest.fail("nothing was cancelled")


@pytest.mark.parametrize("step", [Step.STARTING, Step.COMMITTING, Step.COMMITTED])
async def test_a_scene_of_an_earlier_run(
    step: Step, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A scene that the journal knows is waited for: a committed one is taken up, another invalidated and replaced."""
    path, scene = tmp_path / "journal", cameras_scene("one")
    earlier = (await client.cameras.create(scene)).scene_uuid
    emulator.platform.scene(earlier).visible_at += 0.3
    destination = Destination(client.hosts.input.rstrip("/"), client.workspace_id, PROJECT, BATCH)
    async with Journal(path, destination) as journal:
        await journal.record("one", Step.STARTING, scene_uuid=earlier)
        if step is not Step.STARTING:
            await journal.record("one", step)
    async with KognicIOClient(**emulator.client_options()) as another:
        (result,) = await ingest(another, [scene], journal=path)
    assert result.status is CREATED
    assert (result.scene_uuid == earlier) is (step is not Step.STARTING)
    assert statuses(emulator).count("created") == inputs(emulator) == 1
    assert set(statuses(emulator)) <= {"created", "invalidated:incorrectly-created"}


async def test_orphans_keep_nobody_waiting(emulator: Emulator, tmp_path: Path) -> None:
    """Results come while a scene that never came into being is still asked for; in the end the journal forgets it."""
    path = tmp_path / "journal"
    for grace in (HOUR, GRACE):
        async with client_of(emulator, grace) as client:
            destination = Destination(client.hosts.input.rstrip("/"), client.workspace_id, PROJECT, BATCH)
            async with Journal(path, destination) as journal:
                await journal.record("gone", Step.STARTING, scene_uuid=UNKNOWN)
                await journal.abandon("gone")
            scenes = [cameras_scene(f"scene-{grace}")]
            made = create_inputs(client, scenes, PROJECT, batch=BATCH, sleep_time=0.05, journal=path)
            with anyio.fail_after(GENEROUS):
                assert (await anext(made)).status is CREATED
                if grace == HOUR:
                    await made.aclose()
                assert [result async for result in made] == []
        async with Journal(path) as journal:
            assert await journal.abandoned() == ([UNKNOWN] if grace == HOUR else [])


async def test_a_scene_that_never_appears(emulator: Emulator) -> None:
    """When its grace period is over, a scene fails with an error that names it."""
    emulator.platform.timing.visibility_lag = HOUR
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, GRACE) as client:
            (lost,) = await ingest(client, [cameras_scene("lost")])
    assert lost.error is not None
    assert (lost.external_id, lost.error.stage) == ("lost", InputCreationStage.SCENE)
    assert f"scene {lost.scene_uuid} did not appear within 1 s" in lost.error.message


async def test_many_beside_a_scene_that_never_appears(emulator: Emulator, client: KognicIOClient) -> None:
    """The others do not wait for it."""
    emulator.platform.timing.visibility_lag = HOUR

    async def scenes() -> AsyncIterator[Cameras]:
        yield cameras_scene("lost")
        await until(lambda: ours(emulator))
        emulator.platform.timing.visibility_lag = LAG
        for number in range(20):
            yield cameras_scene(f"good-{number}")

    async with create_inputs(client, scenes(), PROJECT, batch=BATCH, sleep_time=0.05) as made:
        results = [await anext(made) for _ in range(20)]
    assert {str(result.external_id) for result in results} == {f"good-{number}" for number in range(20)}
    assert {result.status for result in results} == {CREATED}


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("step", [faults.COMMIT, "POST v1/pre-annotations", "POST v1/inputs", faults.STATUS_QUERY])
async def test_any_step_that_is_not_found(step: str, times: int, emulator: Emulator, client: KognicIOClient) -> None:
    """A 404 at any step of a new scene counts as not yet, as often as it comes within the grace period."""
    emulator.faults.add(faults.Status(404), on=step, times=times)
    (result,) = await ingest(client, [SceneWithPreAnnotation(cameras_scene("one"), OPENLABEL)])
    assert result.status is CREATED
    assert statuses(emulator) == ["created"]


@pytest.mark.parametrize("step", [faults.COMMIT, "POST v1/pre-annotations", "POST v1/inputs"])
async def test_a_step_that_stays_not_found(step: str, emulator: Emulator) -> None:
    """In the end the 404 is the result."""
    emulator.faults.add(faults.Status(404), on=step, times=math.inf)
    with anyio.fail_after(GENEROUS):
        async with client_of(emulator, GRACE) as client:
            (result,) = await ingest(client, [SceneWithPreAnnotation(cameras_scene("one"), OPENLABEL)])
    assert result.error is not None
    assert "404" in result.error.message
    if step == faults.COMMIT:
        assert statuses(emulator) == ["invalidated:incorrectly-created"]


async def nothing_of(found: Awaitable[list[Any]]) -> None:
    assert await found == []


Use = Callable[[KognicIOClient, str], Awaitable[object]]
USES: dict[str, Use] = {
    "get_scenes_by_uuids": lambda client, uuid: client.scene.get_scenes_by_uuids([uuid]),
    "get_scenes_by_external_ids": lambda client, uuid: client.scene.get_scenes_by_external_ids(["one"]),
    "get_scene_summary": lambda client, uuid: client.scene.get_scene_summary(uuid),
    "get_annotations_for_scene": lambda client, uuid: nothing_of(client.annotation.get_annotations_for_scene(uuid)),
    "invalidate_scenes": lambda client, uuid: client.scene.invalidate_scenes([uuid], SceneInvalidatedReason.DUPLICATE),
    "pre_annotation.create": lambda client, uuid: client.pre_annotation.create(uuid, OPENLABEL, external_id="mine"),
    "pre_annotation.create, dry run": lambda client, uuid: client.pre_annotation.create(uuid, OPENLABEL, dryrun=True),
    "create_from_cloud_resource": lambda client, uuid: client.pre_annotation.create_from_cloud_resource(
        uuid, "cloud", "s3://bucket/a.json"
    ),
    "cameras.create_from_scene": lambda client, uuid: client.cameras.create_from_scene(uuid, PROJECT, BATCH),
    "input.create_from_scene": lambda client, uuid: client.input.create_from_scene(uuid, project=PROJECT, batch=BATCH),
    "reindex_scene": lambda client, uuid: client.scene.reindex_scene(uuid),
}


@pytest.mark.parametrize("use", USES)
async def test_what_users_do_right_after(use: str, emulator: Emulator, client: KognicIOClient) -> None:
    """Whatever is done with a scene that this client has just created waits until the platform shows it."""
    created = await client.cameras.create(cameras_scene("one"))
    assert await USES[use](client, created.scene_uuid) != []
    assert emulator.platform.scene(created.scene_uuid).visible


@pytest.mark.parametrize("use", [name for name in USES if name != "get_scenes_by_external_ids"])
async def test_scenes_that_are_not_ours(use: str, client: KognicIOClient) -> None:
    """A scene that this client has not created is not found at once."""
    with pytest.raises(NotFoundError):
        await USES[use](client, UNKNOWN)


async def test_left_out(client: KognicIOClient, emulator: Emulator) -> None:
    """The error of a scene that does not exist names it, whichever way the platform says so."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    await visible(emulator)
    async with client_of(emulator) as another:
        with pytest.raises(NotFoundError, match=UNKNOWN) as caught:
            await another.scene.get_scenes_by_uuids([scene, UNKNOWN])
    if emulator.platform.scenes.unknown_scenes == "omit":
        assert isinstance(caught.value, LeftOutError)
        assert caught.value.missing == (UNKNOWN,)


async def test_scenes_that_have_been_invalidated(client: KognicIOClient) -> None:
    """What this client has invalidated is not waited for."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    await client.scene.invalidate_scenes([scene], SceneInvalidatedReason.DUPLICATE)
    with pytest.raises(NotFoundError):
        await client.scene.get_scene_summary(scene)


async def test_a_project_that_does_not_exist(client: KognicIOClient) -> None:
    """A wrong project is not taken for a scene that is not there yet; the error says which projects there are."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    await client.scene.get_scenes_by_uuids([scene])
    with pytest.raises(ProjectNotFoundError, match=r"'projekt-a'.*visible projects: 'project-a'"):
        await client.cameras.create_from_scene(scene, "projekt-a")
    with pytest.raises(ProjectNotFoundError, match=r"no batch 'batch-7'.*batch-2 "):
        await client.input.create_from_scene(scene, project="project-a", batch="batch-7")


@pytest.mark.filterwarnings("ignore:get_inputs_by_uuids is now:DeprecationWarning")
async def test_an_older_list(client: KognicIOClient, emulator: Emulator) -> None:
    """The older list has the input of a new scene, and of one that is unknown it tells nothing at once."""
    created = await client.cameras.create(cameras_scene("one"), project=PROJECT, batch=BATCH)
    (entry,) = await client.input.get_inputs_by_uuids([created.scene_uuid])
    assert entry.scene_uuid == created.scene_uuid
    assert emulator.platform.scene(created.scene_uuid).visible
    assert await client.input.get_inputs_by_uuids([UNKNOWN]) == []


async def test_an_older_annotation(client: KognicIOClient, emulator: Emulator) -> None:
    """Whether a new scene has an annotation is known only when the platform shows it, and is not asked for longer."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    with pytest.raises(NotFoundError, match="has no annotation of type 'signs'"):
        await client.annotation.get_annotation(scene, "signs")
    assert emulator.platform.scene(scene).visible


@pytest.mark.parametrize("spell", [str.upper, lambda uuid: uuid.replace("-", "")])
async def test_another_spelling(spell: Callable[[str], str]) -> None:
    """A grace period is a scene's, in whatever spelling of its uuid it is asked for."""
    visibility = Visibility(30.0)
    visibility.begin_grace_period(UNKNOWN.replace("1", "a"), "A1")
    assert visibility.is_expected(spell(UNKNOWN.replace("1", "a")))
    assert not visibility.is_expected("a1")
    visibility.end_grace_period(spell(UNKNOWN.replace("1", "a")))
    assert not visibility.is_expected(UNKNOWN.replace("1", "a"))


async def test_a_new_scene_in_capitals(emulator: Emulator) -> None:
    """A platform that never shows it by that name is asked until the grace period is over, and not only once."""
    emulator.faults.add(faults.Status(404), on=faults.STATUS_QUERY, times=math.inf)
    async with client_of(emulator, GRACE) as client:
        scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
        with anyio.fail_after(GENEROUS), pytest.raises(NotFoundError):
            await client.scene.get_scenes_by_uuids([scene.upper()])
    assert 1 < emulator.recorder.requests_by_endpoint[faults.STATUS_QUERY] <= most_requests(GRACE)


async def test_no_ego_poses(client: KognicIOClient, emulator: Emulator) -> None:
    """Whether a new scene has no poses is known only when the platform shows it."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    assert await client.scene.get_ego_poses(scene) is None
    assert emulator.platform.scene(scene).visible


async def test_the_newer_kind_of_scene(client: KognicIOClient, emulator: Emulator) -> None:
    """A scene of `create_scene` is waited for as well, and is invalidated if its files are refused."""

    def request(name: str) -> SceneRequest:
        image = ImageResource(sensor_name="cam", local_file=LocalFile(filename="a.jpg", data=b"jpg"))
        frame = Frame(frame_id="0", timestamp_ns=1_700_000_000_000_000_000, images=[image])
        return SceneRequest(workspace_id=client.workspace_id, external_id=name, frames=[frame])

    created = await client.scene.create_scene(request("one"))
    assert await client.cameras.create_from_scene(created.scene_uuid, PROJECT, BATCH)
    emulator.faults.add(faults.Status(400), on=faults.UPLOADS)
    with pytest.raises(Exception, match="400"):
        await client.scene.create_scene(request("two"))
    assert statuses(emulator) == ["created", "invalidated:incorrectly-created"]


async def test_what_is_remembered() -> None:
    """A scene is remembered for its grace period only."""
    now = 0.0
    visibility = Visibility(30.0, clock=lambda: now)
    for number in range(1000):
        now = float(number)
        visibility.begin_grace_period(f"uuid-{number}", f"scene-{number}")
    assert visibility.is_expected("uuid-999")
    assert visibility.is_expected("scene-970")
    assert not visibility.is_expected("uuid-969")
    assert len(visibility._ends) <= 62  # how much is kept is not to be seen from outside
