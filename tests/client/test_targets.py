"""An error about a project or a batch says what there is instead."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from kognic_aio import KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import (
    BadRequestError,
    BatchClosedError,
    ConflictError,
    ForbiddenError,
    KognicError,
    NotFoundError,
    ProjectNotFoundError,
    UnknownBatchError,
    UnknownProjectError,
)
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """No test of this file waits until a grace period is over."""
    with anyio.fail_after(GENEROUS):
        yield


async def run(client: KognicIOClient, project: str, batch: str | None) -> None:
    async for _ in create_inputs(client, [cameras_scene("one")], project, batch=batch):
        pytest.fail("there can be no result")


async def test_an_unknown_project(emulator: Emulator, client: KognicIOClient) -> None:
    """The error names the projects that there are, those with a similar name first, and not more than ten."""
    for number in range(100):
        emulator.platform.add_project(f"other-{number}")
    emulator.platform.add_project("ingestion-2026")
    with pytest.raises(UnknownProjectError, match="'ingestion-2025' does not exist") as caught:
        await run(client, "ingestion-2025", None)
    _, _, named = str(caught.value).partition("visible projects: ")
    assert named.startswith("'ingestion-2026', ")
    assert named.endswith(" more")
    assert named.count("'") == 20


async def test_projects_that_nobody_tells(emulator: Emulator, client: KognicIOClient) -> None:
    """If the projects cannot be listed, the error says that the one does not exist."""
    emulator.faults.add(faults.Status(403), on="GET v1/projects", times=99)
    with pytest.raises(UnknownProjectError, match=r"'nowhere' does not exist, or you may not see it$"):
        await run(client, "nowhere", None)
    with pytest.raises(ForbiddenError):
        await client.project.get_projects()


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ("batch-1", BatchClosedError, "is completed, closed for new inputs; these take inputs: 'batch-3' (pending)"),
        ("batch-22", UnknownBatchError, "has no batch 'batch-22': batch-2 (open), "),
    ],
)
async def test_a_batch_that_takes_nothing(
    batch: str, error: type[KognicError], words: str, client: KognicIOClient
) -> None:
    """The error names the batches that take inputs, or those with a similar name."""
    with pytest.raises(error) as caught:
        await run(client, "project-a", batch)
    assert words in str(caught.value)


async def test_many_open_batches(emulator: Emulator, client: KognicIOClient) -> None:
    """Of many batches the error names the newest."""
    emulator.platform.add_project("many")
    for number in range(50):
        emulator.platform.add_batch("many", f"b{number}")
    with pytest.raises(UnknownBatchError, match=r"several open batches, pass one as batch=: 'b40', .* and 40 more$"):
        await run(client, "many", None)


async def test_calls_that_name_a_project(client: KognicIOClient) -> None:
    """Each call that names a project or batch adds to the platform's words what there is instead."""
    scene = (await client.cameras.create(cameras_scene("one"))).scene_uuid
    names: dict[str, Any] = {"project": "projekt-a"}
    for wrong in (
        client.cameras.create(cameras_scene("two"), **names),
        client.cameras.create(cameras_scene("two"), **names, dryrun=True),
        client.cameras.create_from_scene(scene, **names),
        client.cameras.create_from_scene(scene, **names, dryrun=True),
        client.input.create_from_scene(scene, **names),
    ):
        with pytest.raises(ProjectNotFoundError, match=r"'projekt-a'.*visible projects: 'project-a'"):
            await wrong
    with pytest.raises(
        BadRequestError, match=r"^[^;]* closed for new inputs; these take inputs: .*'batch-2' \(open\) \(400"
    ):
        await client.cameras.create_from_scene(scene, "project-a", "batch-1")
    with pytest.raises(ProjectNotFoundError, match="no batch 'typo'"):
        await client.cameras.create(cameras_scene("two"), project="project-a", batch="typo")


async def test_a_refusal_for_another_reason(emulator: Emulator, client: KognicIOClient) -> None:
    """What is refused although project and batch are right is in the platform's words alone."""
    emulator.platform.refuse("scene", "one", "too blurred")
    with pytest.raises(BadRequestError, match=r"^too blurred \("):
        await client.cameras.create(cameras_scene("one"), project="project-a", batch="batch-2")
    with pytest.raises(NotFoundError) as caught:
        await client.cameras.create_from_scene("11111111-0000-4000-8000-000000000000", "project-a", "batch-2")
    assert type(caught.value) is NotFoundError


Call = Callable[[KognicIOClient, str], Awaitable[object]]
OF_A_PROJECT: dict[str, Call] = {
    "get_project_batches": lambda client, project: client.project.get_project_batches(project),
    "get_annotation_types": lambda client, project: client.project.get_annotation_types(project),
    "get_annotation_types, batch": lambda client, project: client.project.get_annotation_types(project, "batch-1"),
    "create_batch": lambda client, project: client.project.create_batch(project, "new"),
    "publish_batch": lambda client, project: client.project.publish_batch(project, "batch-1"),
    "query_inputs": lambda client, project: client.input.query_inputs(project=project),
    "get_inputs": lambda client, project: client.input.get_inputs(project),
    "get_project_annotations": lambda client, project: client.annotation.get_project_annotations(project, "signs"),
}
OF_A_BATCH: dict[str, Call] = {
    "get_annotation_types": lambda client, batch: client.project.get_annotation_types("project-a", batch),
    "publish_batch": lambda client, batch: client.project.publish_batch("project-a", batch),
    "query_inputs": lambda client, batch: client.input.query_inputs(project="project-a", batch=batch),
    "get_inputs": lambda client, batch: client.input.get_inputs("project-a", batch),
    "get_project_annotations": lambda client, batch: client.annotation.get_project_annotations(
        "project-a", "signs", batch
    ),
}


@pytest.mark.filterwarnings("ignore:get_inputs is now:DeprecationWarning")
@pytest.mark.parametrize("call", OF_A_PROJECT)
async def test_calls_that_ask_about_a_project(call: str, client: KognicIOClient) -> None:
    """What asks about an unknown project is told which there are, and that it is unknown is said once."""
    with pytest.raises(ProjectNotFoundError, match="visible projects: 'project-a'") as caught:
        await OF_A_PROJECT[call](client, "projekt-a")
    assert str(caught.value).count("'projekt-a'") == 1


@pytest.mark.filterwarnings("ignore:get_inputs is now:DeprecationWarning")
@pytest.mark.parametrize("call", OF_A_BATCH)
async def test_calls_that_ask_about_a_batch(call: str, client: KognicIOClient) -> None:
    """So is what asks about an unknown batch."""
    with pytest.raises(ProjectNotFoundError, match=r"no batch 'typo': .*batch-2 \(") as caught:
        await OF_A_BATCH[call](client, "typo")
    assert str(caught.value).count("'typo'") == 1


async def test_a_batch_that_exists_already(emulator: Emulator, client: KognicIOClient) -> None:
    """A refusal that is not about a name is in the platform's words, however many batches are open or closed."""
    emulator.platform.add_batch("project-a", "batch-33")
    with pytest.raises(ConflictError, match=r"exists already \(409"):
        await client.project.create_batch("project-a", "batch-1")
