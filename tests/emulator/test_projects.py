"""Projects and batches, and which batch takes an input."""

import pytest

from kognic_aio.emulator import Platform, PlatformError

from .support import Caller

pytestmark = pytest.mark.anyio


async def test_seeded_tree(caller: Caller) -> None:
    """A fresh platform has the projects and batches of the guide."""
    projects = [project["project"] for project in (await caller.get("v1/projects")).data]
    tree = {
        project: {
            batch["batch"]: batch["status"] for batch in (await caller.get(f"v1/projects/{project}/batches")).data
        }
        for project in projects
    }
    assert tree == {
        "project-a": {"batch-1": "completed", "batch-2": "open", "batch-3": "pending"},
        "project-b": {"batch-1": "open"},
    }


async def test_batches_of_an_unknown_project(caller: Caller) -> None:
    """An unknown project has no batches to list."""
    answer = await caller.get("v1/projects/nowhere/batches")
    assert (answer.status, answer.message) == (404, "project 'nowhere' is unknown")


@pytest.mark.parametrize("where", ["project/project-a/", "project/project-a/batch/batch-2/"])
async def test_the_open_batch(caller: Caller, platform: Platform, where: str) -> None:
    """An input without a batch goes to the only open one."""
    (created,) = platform.inputs.of_scene(await caller.make_scene(where=where))
    assert created.batch.batch == "batch-2"


async def test_a_pending_batch(caller: Caller, platform: Platform) -> None:
    """A pending batch takes inputs when it is named."""
    (created,) = platform.inputs.of_scene(await caller.make_scene(where="project/project-a/batch/batch-3/"))
    assert created.batch.batch == "batch-3"


@pytest.mark.parametrize("status", ["ready", "in-progress", "completed", "archived"])
async def test_a_closed_batch(caller: Caller, platform: Platform, status: str) -> None:
    """A closed batch takes no inputs, whichever way they are made."""
    platform.add_batch("project-b", "closed", status=status)
    message = f"batch 'closed' of project 'project-b' is {status}, closed for new inputs"
    at_once = await caller.create(where="project/project-b/batch/closed/")
    body = {"sceneUuid": await caller.make_scene(), "project": "project-b", "batch": "closed"}
    later = await caller.post("v1/inputs", body)
    assert (at_once.status, at_once.message) == (400, message)
    assert (later.status, later.message) == (400, message)


@pytest.mark.parametrize(
    ("statuses", "message"),
    [
        (["pending", "ready"], "project 'p' has no open batch"),
        (["open", "open"], "project 'p' has several open batches, name one of them: 0, 1"),
    ],
)
async def test_no_single_open_batch(caller: Caller, platform: Platform, statuses: list[str], message: str) -> None:
    """Without a batch there must be exactly one that is open."""
    platform.add_project("p")
    for index, status in enumerate(statuses):
        platform.add_batch("p", str(index), status=status)
    answer = await caller.create(where="project/p/")
    assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("project/nowhere/", "project 'nowhere' is unknown"),
        ("project/project-a/batch/none/", "batch 'none' of project 'project-a' is unknown"),
    ],
)
async def test_unknown_target(caller: Caller, where: str, message: str) -> None:
    """An unknown project or batch takes no inputs."""
    answer = await caller.create(where=where)
    assert (answer.status, answer.message) == (404, message)


async def test_names_are_unescaped(caller: Caller, platform: Platform) -> None:
    """Projects and batches may have names that need escaping in a path."""
    platform.add_project("my project/1")
    platform.add_batch("my project/1", "ett nytt försök")
    where = "project/my%20project%2F1/batch/ett%20nytt%20f%C3%B6rs%C3%B6k/"
    assert (await caller.create(where=where)).status == 200


def test_names_are_unique(platform: Platform) -> None:
    """A project or a batch cannot be added twice."""
    with pytest.raises(PlatformError, match="exists already"):
        platform.add_project("project-a")
    with pytest.raises(PlatformError, match="exists already"):
        platform.add_batch("project-a", "batch-1")
