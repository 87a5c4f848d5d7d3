"""When nobody knows whether a request had its effect, the platform is asked before anything is done again."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.client import backend_of
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import ApiError, LostAnswerError, ServerError
from kognic_aio.scenes.inputs import create_inputs_once
from tests.faults.ingestion import OPENLABEL
from tests.scenes import cameras_scene
from tests.waiting import HOUR, cancelled_when

pytestmark = pytest.mark.anyio

START, INPUT, PRE_ANNOTATION = "POST v1/inputs/cameras", "POST v1/inputs", "POST v1/pre-annotations"
INPUTS_QUERY, PRE_ANNOTATIONS_QUERY = "POST v2/inputs/query", "GET v2/pre-annotations"
ATTEMPTS = 3


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """It pauses for no time, and tries three times."""
    options = emulator.client_options() | {"max_retry_wait_time": 0, "max_retry_attempts": ATTEMPTS}
    async with KognicIOClient(**options) as client:
        yield client


async def ingest_one(client: KognicIOClient) -> InputCreationStatus:
    item = SceneWithPreAnnotation(cameras_scene("one"), OPENLABEL)
    (result,) = [result async for result in create_inputs(client, [item], "project-a", sleep_time=0.01)]
    return result.status


def counted(emulator: Emulator, *endpoints: str) -> list[int]:
    return [emulator.recorder.requests_by_endpoint[endpoint] for endpoint in endpoints]


def statuses(emulator: Emulator) -> list[str]:
    return [scene.status for scene in emulator.platform.scenes.with_external_id("one")]


LOST = [
    faults.Drop(after_effect=True),
    faults.Status(500, after_effect=True),
    faults.Status(503, after_effect=True),
    faults.Html(after_effect=True),
]


@pytest.mark.parametrize("fault", LOST, ids=repr)
@pytest.mark.parametrize(
    ("step", "question"),
    [(faults.COMMIT, faults.STATUS_QUERY), (PRE_ANNOTATION, PRE_ANNOTATIONS_QUERY), (INPUT, INPUTS_QUERY)],
)
async def test_an_answer_that_is_lost(
    step: str, question: str, fault: faults.Fault, emulator: Emulator, client: KognicIOClient
) -> None:
    """The effect is found, and the request is not sent again."""
    emulator.faults.add(fault, on=step)
    assert await ingest_one(client) is InputCreationStatus.CREATED
    asked = 2 if question == faults.STATUS_QUERY else 1  # the watcher asks for the status too
    assert counted(emulator, step, question) == [1, asked]


@pytest.mark.parametrize("step", [START, faults.COMMIT, PRE_ANNOTATION, INPUT])
async def test_an_effect_that_comes_late(step: str, emulator: Emulator) -> None:
    """When a gateway has given up, the platform is given time to do what it was asked for."""
    emulator.faults.add(faults.LateEffect(0.2), on=step)
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.5) as patient:
        assert await ingest_one(patient) is InputCreationStatus.CREATED
    (uuid,) = [scene.uuid for scene in emulator.platform.scenes.with_external_id("one") if scene.status == "created"]
    assert len(emulator.platform.inputs.of_scene(uuid)) == len(emulator.platform.pre_annotations.of_scene(uuid)) == 1
    assert "pending" not in statuses(emulator)


@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_tries_are_counted_by_us(method: str, emulator: Emulator, client: KognicIOClient) -> None:
    """No request is repeated behind our back, as aiohttp does when a connection breaks."""
    route = faults.UPLOADS if method == "PUT" else "GET v1/projects"
    emulator.faults.add(faults.Drop(), on=route, times=99)
    with pytest.raises(LostAnswerError):
        await (client.cameras.create(cameras_scene("one")) if method == "PUT" else client.project.get_projects())
    assert len([request for request in emulator.recorder.requests(method) if request.fault]) == ATTEMPTS


async def test_a_scene_left_while_it_is_started(emulator: Emulator, client: KognicIOClient) -> None:
    """A start that is cut off takes effect all the same; what comes of it is invalidated."""
    emulator.faults.add(faults.SlowAnswer(HOUR), on=START)
    await cancelled_when(lambda: statuses(emulator), client.cameras.create(cameras_scene("one")))
    assert statuses(emulator) == ["invalidated:incorrectly-created"]


@pytest.mark.parametrize("step", [START, faults.COMMIT, PRE_ANNOTATION, INPUT])
async def test_a_request_that_is_lost(step: str, emulator: Emulator, client: KognicIOClient) -> None:
    """That there was no effect is found, and the request is sent again."""
    emulator.faults.add(faults.Drop(), on=step)
    assert await ingest_one(client) is InputCreationStatus.CREATED
    assert counted(emulator, step) == [2]
    assert statuses(emulator) == ["created"]


async def test_signed_urls_that_are_lost(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene whose signed URLs nobody knows is invalidated and started afresh."""
    emulator.faults.add(faults.Drop(after_effect=True), on=START)
    assert await ingest_one(client) is InputCreationStatus.CREATED
    assert statuses(emulator) == ["invalidated:incorrectly-created", "created"]


@pytest.mark.parametrize("after_effect", [False, True])
async def test_tries_are_not_multiplied(after_effect: bool, emulator: Emulator, client: KognicIOClient) -> None:
    """Act and question share their tries: three of both together, and a last question with its own."""
    emulator.faults.add(faults.Status(500, after_effect=after_effect), on=INPUT, times=99)
    emulator.faults.add(faults.Status(500), on=INPUTS_QUERY, times=99)
    scene, backend = await client.cameras.create(cameras_scene("one")), backend_of(client)
    with pytest.raises(ServerError):
        await create_inputs_once(backend, scene.scene_uuid, "project-a", None)
    assert counted(emulator, INPUT, INPUTS_QUERY) == [1, ATTEMPTS - 1 + ATTEMPTS]


async def test_the_last_try_may_have_been_the_one(emulator: Emulator, client: KognicIOClient) -> None:
    """What came of the last try is looked up before it is reported as failed."""
    emulator.faults.add(faults.Drop(), on=INPUT, times=ATTEMPTS - 1)
    emulator.faults.add(faults.Drop(after_effect=True), on=INPUT, times=1)
    assert await ingest_one(client) is InputCreationStatus.CREATED
    assert counted(emulator, INPUT) == [ATTEMPTS]


@pytest.mark.parametrize("step", [INPUT, faults.COMMIT, PRE_ANNOTATION])
async def test_a_refusal_is_final(step: str, emulator: Emulator, client: KognicIOClient) -> None:
    """What the platform refuses is neither asked about nor sent again."""
    emulator.faults.add(faults.Status(400), on=step, times=99)
    assert await ingest_one(client) is InputCreationStatus.FAILED
    assert counted(emulator, step, INPUTS_QUERY, PRE_ANNOTATIONS_QUERY) == [1, 0, 0]


@pytest.mark.parametrize("status", [400, 403])
async def test_refused_urls_once(status: Literal[400, 403], emulator: Emulator, client: KognicIOClient) -> None:
    """A scene whose signed URLs have expired is started afresh once."""
    emulator.faults.add(faults.ExpiredUrl(status), times=1)
    assert await ingest_one(client) is InputCreationStatus.CREATED
    assert statuses(emulator) == ["invalidated:incorrectly-created", "created"]


async def test_refused_urls_twice(emulator: Emulator, client: KognicIOClient) -> None:
    """If they are refused again, the scene fails, and nothing is left of it but what is invalidated."""
    emulator.faults.add(faults.ExpiredUrl(), times=99)
    assert await ingest_one(client) is InputCreationStatus.FAILED
    assert statuses(emulator) == ["invalidated:incorrectly-created"] * 2


async def test_a_scene_that_cannot_be_finished(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene that was started and cannot be committed is invalidated, also outside of a run."""
    emulator.faults.add(faults.Status(400), on=faults.COMMIT, times=99)
    with pytest.raises(ApiError):
        await client.cameras.create(cameras_scene("one"))
    assert statuses(emulator) == ["invalidated:incorrectly-created"]


async def test_other_posts_are_not_repeated(emulator: Emulator, client: KognicIOClient) -> None:
    """Where nobody can ask what became of it, an ambiguous failure is the caller's to deal with."""
    emulator.faults.add(faults.Drop(), on="POST v1/projects/{project}/batches/{batch}", times=1)
    with pytest.raises(LostAnswerError):
        await client.project.create_batch("project-a", "new")
    assert counted(emulator, "POST v1/projects/{project}/batches/{batch}") == [1]
