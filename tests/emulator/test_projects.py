"""Projects and batches, and which batch takes an input."""

from typing import Any

import pytest

from kognic_aio.emulator import PROJECT_IDS, WORKFORCE, Platform, PlatformError

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
    with pytest.raises(PlatformError, match="exists already"):
        platform.add_project("another", id=PROJECT_IDS["project-a"])


async def statuses(caller: Caller, project: str) -> dict[str, str]:
    return {batch["batch"]: batch["status"] for batch in (await caller.get(f"v1/projects/{project}/batches")).data}


async def test_a_new_batch(caller: Caller, platform: Platform) -> None:
    """A new batch is open, and has as many requests, the workforce and the annotation types of the latest one."""
    platform.add_batch("project-b", "latest", requests=3, workforce=[7], annotation_types=["lanes"], status="pending")
    created = (await caller.post("v1/projects/project-b/batches/new", {"publishPreviousBatches": False})).data
    assert created.items() >= {"project": "project-b", "batch": "new", "title": "new", "status": "open"}.items()
    requests = platform.projects.batch("project-b", "new").requests
    assert [request.workforce for request in requests] == [frozenset({7})] * 3
    assert (await caller.get("v1/projects/project-b/batches/new/annotation-types")).data == ["lanes"]
    assert await statuses(caller, "project-b") == {"batch-1": "open", "latest": "pending", "new": "open"}


async def test_the_first_batch(caller: Caller, platform: Platform) -> None:
    """The first batch of a project has one request and the annotation types of the project."""
    platform.add_project("p", annotation_types=["lanes"])
    assert (await caller.post("v1/projects/p/batches/b", {})).data["status"] == "open"
    (request,) = platform.projects.batch("p", "b").requests
    assert request.workforce == frozenset(WORKFORCE)
    assert (await caller.get("v1/projects/p/batches/b/annotation-types")).data == ["lanes"]


async def test_publishing_previous_batches(caller: Caller) -> None:
    """A new batch can publish all open ones before it."""
    answer = await caller.post("v1/projects/project-a/batches/new", {"publishPreviousBatches": True})
    assert answer.data["status"] == "open"
    assert await statuses(caller, "project-a") == {
        "batch-1": "completed",
        "batch-2": "ready",
        "batch-3": "pending",
        "new": "open",
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("nowhere/batches/b", {}, 404, "project 'nowhere' is unknown"),
        ("project-a/batches/batch-1", {}, 409, "batch 'batch-1' of project 'project-a' exists already"),
        ("project-a/batches/b", {"publishPreviousBatches": 1}, 400, "publishPreviousBatches must be true or false"),
        ("project-a/batches/b", {"title": "B"}, 400, "title is an unknown key"),
        ("nowhere/batches/b/publish", None, 404, "project 'nowhere' is unknown"),
        ("project-a/batches/b/publish", None, 404, "batch 'b' of project 'project-a' is unknown"),
    ],
)
async def test_bad_batch(caller: Caller, path: str, body: Any, status: int, message: str) -> None:
    """A batch of an unknown project, one whose name is taken, and an unknown one are refused."""
    answer = await caller.post(f"v1/projects/{path}", body)
    assert answer.status == status
    assert answer.message.startswith(message)


@pytest.mark.parametrize("batch", ["batch-2", "batch-3"])
async def test_publish(caller: Caller, batch: str) -> None:
    """An open or a pending batch can be published: it is closed for new inputs and says when that happened."""
    published = (await caller.post(f"v1/projects/project-a/batches/{batch}/publish")).data
    assert published["status"] == "ready"
    assert published["updated"] > published["created"]
    answer = await caller.create(where=f"project/project-a/batch/{batch}/")
    assert answer.message == f"batch {batch!r} of project 'project-a' is ready, closed for new inputs"


@pytest.mark.parametrize("status", ["ready", "in-progress", "completed", "archived"])
async def test_publish_a_closed_batch(caller: Caller, platform: Platform, status: str) -> None:
    """A batch that is closed cannot be published."""
    platform.add_batch("project-b", "closed", status=status)
    answer = await caller.post("v1/projects/project-b/batches/closed/publish")
    assert answer.status == 400
    assert f"is {status}: only one that is open or pending can be published" in answer.message


async def test_annotation_types_of_a_project(caller: Caller, platform: Platform) -> None:
    """A project has its own annotation types and those of its batches, each once."""
    platform.add_project("p", annotation_types=["lanes"])
    platform.add_batch("p", "b", annotation_types=["signs", "lanes"])
    assert (await caller.get("v1/projects/p/annotation-types")).data == ["lanes", "signs"]
    assert (await caller.get("v1/projects/nowhere/annotation-types")).status == 404
    assert (await caller.get("v1/projects/p/batches/nowhere/annotation-types")).status == 404
