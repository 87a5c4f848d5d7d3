"""Requests, the progress of their inputs, and tasks."""

from typing import Any

import pytest

from kognic_aio.emulator import INPUT_UUIDS, PROJECT_IDS, TASK_ID, WORKFORCE, Platform, PlatformError

from .support import Caller

pytestmark = pytest.mark.anyio

REQUESTS = f"v2/requests?projectId={PROJECT_IDS['project-a']}"


async def progress(caller: Caller, input_uuid: str) -> dict[str, Any]:
    found: dict[str, Any] = (await caller.get(f"v2/request-inputs/{input_uuid}")).data
    return found


def request_of(platform: Platform, input_uuid: str) -> str:
    return platform.input(input_uuid).request.id


async def test_requests(caller: Caller, platform: Platform) -> None:
    """The requests of all batches of a project are listed, and their ids are those that inputs name."""
    project_id = platform.add_project("p")
    ids = [*platform.add_batch("p", "a", requests=2), *platform.add_batch("p", "b")]
    requests = (await caller.get(f"v2/requests?projectId={project_id}")).data
    assert [request["id"] for request in requests] == ids
    assert {request["projectId"] for request in requests} == {project_id}
    assert [request["title"] for request in requests] == ["a 1", "a 2", "b 1"]
    assert requests[0].keys() == {"id", "projectId", "title", "createdAt"}
    made = platform.add_input(platform.add_scene("x"), "p", "a")
    assert [each.request_uid for each in made] == ids[:2]


async def test_progress_counts(caller: Caller, platform: Platform) -> None:
    """A request tells how many of its inputs have come how far, if it is asked to, without those that are gone."""
    platform.add_input(INPUT_UUIDS[0], "project-a", "batch-2")
    gone = platform.add_input(INPUT_UUIDS[0], "project-a", "batch-2")[0]
    platform.start_task(TASK_ID)
    await caller.delete(f"v2/inputs/{gone.uuid}")
    without = (await caller.get(REQUESTS)).data
    requests = (await caller.get(f"{REQUESTS}&includeInputProgressCounts=true")).data
    assert not [request for request in without if "inputProgressCounts" in request]
    assert [request["inputProgressCounts"] for request in requests] == [
        {"notStarted": 0, "inProgress": 0, "completed": 0, "total": 0},
        {"notStarted": 1, "inProgress": 1, "completed": 1, "total": 3},
        {"notStarted": 0, "inProgress": 0, "completed": 0, "total": 0},
    ]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("v2/requests", 400, "the query lacks projectId"),
        ("v2/requests?projectId=project-a", 404, "project id 'project-a' is unknown"),
        (f"{REQUESTS}&includeInputProgressCounts=maybe", 400, "includeInputProgressCounts must be true or false"),
        ("v2/request-inputs", 400, "the query lacks requestId"),
        ("v2/request-inputs?requestId=r", 404, "request 'r' is unknown"),
        ("v2/request-inputs?requestId=r&limit=0", 400, "limit must be an integer of 1 to 5000, got '0'"),
        ("v2/request-inputs?requestId=r&limit=5001", 400, "limit must be an integer of 1 to 5000, got '5001'"),
        ("v2/request-inputs?requestId=r&limit=-1", 400, "limit must be an integer of 1 to 5000, got '-1'"),
        ("v2/request-inputs/nobody", 404, "input 'nobody' is unknown"),
    ],
)
async def test_bad_question(caller: Caller, path: str, status: int, message: str) -> None:
    """A question about an unknown project, request or input, or one that is malformed, is refused."""
    answer = await caller.get(path)
    assert answer.status == status
    assert answer.message.startswith(message)


async def test_request_inputs(caller: Caller, platform: Platform) -> None:
    """The inputs of a request can be listed, all or those of one scene, and got one by one."""
    path = f"v2/request-inputs?requestId={request_of(platform, INPUT_UUIDS[0])}"
    both = (await caller.get(path)).data
    assert [each["id"] for each in both] == list(INPUT_UUIDS)
    assert (await caller.get(f"{path}&sceneId={INPUT_UUIDS[1]}")).data == both[1:]
    assert await progress(caller, INPUT_UUIDS[1]) == both[1]
    platform.invalidate_scene(INPUT_UUIDS[0])
    assert (await caller.get(path)).data == both[1:]
    assert (await caller.get(f"v2/request-inputs/{INPUT_UUIDS[0]}")).status == 404


async def test_page_size(caller: Caller, platform: Platform) -> None:
    """A page has as many inputs as its request says, else as many as the platform says."""
    (request_id,) = platform.add_batch("project-b", "big")
    made = [platform.add_input(platform.add_scene("x"), "project-b", "big")[0].uuid for _ in range(5)]
    platform.page_size = 3
    path = f"v2/request-inputs?requestId={request_id}"
    for url, sizes in ((path, [3, 2]), (f"{path}&limit=2", [2, 2, 1]), (f"{path}&limit=4", [4, 1])):
        pages = await caller.pages("GET", url)
        assert [len(page) for page in pages] == sizes
        assert [each["id"] for page in pages for each in page] == made


async def test_an_input_before_any_task(caller: Caller, platform: Platform) -> None:
    """An input that nobody works on is not started, in the first phase, without a task."""
    (made,) = platform.add_input(INPUT_UUIDS[0], "project-b", "batch-1")
    found = await progress(caller, made.uuid)
    stage = found["progressDetails"].pop("currentWorkflowStage")
    assert (stage["name"], stage["phase"]["name"], "action" in stage) == ("Annotate", "Annotate", False)
    assert found.pop("createdAt") <= found.pop("lastUpdatedAt")
    assert found == {
        "id": made.uuid,
        "requestId": made.request.id,
        "sceneId": INPUT_UUIDS[0],
        "status": "not_started",
        "progressDetails": {"availableForIntegrationReview": False},
    }


async def test_an_input_with_a_task(caller: Caller, platform: Platform) -> None:
    """A task tells its type, whether it is ongoing and who has it; started, it sets its input in progress."""
    (made,) = platform.add_input(INPUT_UUIDS[0], "project-b", "batch-1")
    task_id = platform.add_task(made.uuid, "correct", phase="integration-review", assigned_user_id=WORKFORCE[0])
    details = (await progress(caller, made.uuid))["progressDetails"]
    stage = details["currentWorkflowStage"]
    assert (stage["name"], stage["action"]["name"]) == ("Integration review: Correct", "Correct")
    assert stage["phase"]["phaseDefinition"]["name"] == "integration-review"
    assert details["availableForIntegrationReview"] is True
    task = {"taskId": task_id, "taskType": "correct", "isOngoing": False, "assignedUserId": WORKFORCE[0]}
    assert details["currentTask"] == task
    assert (await progress(caller, made.uuid))["status"] == "not_started"
    platform.start_task(task_id)
    found = await progress(caller, made.uuid)
    assert (found["status"], found["progressDetails"]["currentTask"]["isOngoing"]) == ("in_progress", True)


async def test_between_tasks(caller: Caller, platform: Platform) -> None:
    """An input whose task is completed, but was not the last, waits in its phase without an action."""
    platform.complete_task(TASK_ID, last=False)
    found = await progress(caller, INPUT_UUIDS[1])
    assert found["status"] == "in_progress"
    assert "currentTask" not in found["progressDetails"]
    assert "action" not in found["progressDetails"]["currentWorkflowStage"]


async def test_a_completed_input(caller: Caller, platform: Platform) -> None:
    """The last task completes an input; a further one takes that back."""
    platform.complete_task(TASK_ID)
    found = await progress(caller, INPUT_UUIDS[1])
    assert (found["status"], found["completedAt"]) == ("completed", found["lastUpdatedAt"])
    platform.add_task(INPUT_UUIDS[1], "correct", phase="review", ongoing=True)
    found = await progress(caller, INPUT_UUIDS[1])
    assert (found["status"], "completedAt" in found) == ("in_progress", False)


async def test_phases(caller: Caller, platform: Platform) -> None:
    """A phase belongs to one request, its definition to all."""
    others = platform.add_input(INPUT_UUIDS[0], "project-b", "batch-1")
    uuids = [*INPUT_UUIDS, others[0].uuid]
    phases = [(await progress(caller, u))["progressDetails"]["currentWorkflowStage"]["phase"] for u in uuids]
    assert phases[0] == phases[1]
    assert phases[0]["id"] != phases[2]["id"]
    assert phases[0]["phaseDefinition"] == phases[2]["phaseDefinition"]


async def test_inflexible_request(caller: Caller, platform: Platform) -> None:
    """A request without a flexible workflow tells nothing of its inputs."""
    (request_id,) = platform.add_batch("project-b", "old", flexible_workflow=False)
    (made,) = platform.add_input(INPUT_UUIDS[0], "project-b", "old")
    for path in (f"v2/request-inputs?requestId={request_id}", f"v2/request-inputs/{made.uuid}"):
        answer = await caller.get(path)
        assert (answer.status, "has no flexible workflow" in answer.message) == (400, True)


def test_one_task_at_a_time(platform: Platform) -> None:
    """An input has no second task before the first is completed, and a task is completed once."""
    with pytest.raises(PlatformError, match="is not completed yet"):
        platform.add_task(INPUT_UUIDS[1])
    platform.complete_task(TASK_ID)
    with pytest.raises(PlatformError, match="is completed"):
        platform.complete_task(TASK_ID)
    with pytest.raises(PlatformError, match="is completed"):
        platform.start_task(TASK_ID)


async def assign(caller: Caller, user: int | None) -> tuple[int, str]:
    answer = await caller.patch(f"v1/tasks/{TASK_ID}", {"assignedUserId": user})
    return answer.status, "" if answer.status == 200 else answer.message


async def assignee(caller: Caller) -> Any:
    return (await progress(caller, INPUT_UUIDS[1]))["progressDetails"]["currentTask"].get("assignedUserId")


async def test_assignment(caller: Caller) -> None:
    """A task can be assigned, assigned to somebody else, and with null to nobody; each again changes nothing."""
    for user in (WORKFORCE[0], WORKFORCE[0], WORKFORCE[1], None, None):
        assert await assign(caller, user) == (200, "")
        assert await assignee(caller) == user


async def test_assignment_outside_the_workforce(caller: Caller) -> None:
    """A task is assigned to members of the request's workforce only."""
    assert await assign(caller, 7) == (400, "user 7 is not a member of the request's workforce")
    assert await assignee(caller) is None


@pytest.mark.parametrize("state", ["ongoing", "completed"])
async def test_assignment_of_a_started_task(caller: Caller, platform: Platform, state: str) -> None:
    """A task that is ongoing or completed stays with whoever has it, to whom it may be assigned once more."""
    await assign(caller, WORKFORCE[0])
    (platform.start_task if state == "ongoing" else platform.complete_task)(TASK_ID)
    refused = (400, f"task {TASK_ID} is {state}, its assignment cannot be changed")
    assert await assign(caller, WORKFORCE[1]) == refused
    assert await assign(caller, None) == refused
    assert await assign(caller, WORKFORCE[0]) == (200, "")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "assignedUserId is missing: pass null to unassign the task"),
        ({"assignedUserId": "me"}, "assignedUserId must be an integer, got 'me'"),
        ({"assignedUserId": True}, "assignedUserId must be an integer, got True"),
        ({"userId": 1}, "userId is an unknown key"),
    ],
)
async def test_bad_assignment(caller: Caller, body: dict[str, Any], message: str) -> None:
    """An assignment that does not say to whom is refused."""
    answer = await caller.patch(f"v1/tasks/{TASK_ID}", body)
    assert (answer.status, answer.message) == (400, message)


async def test_unknown_task(caller: Caller, platform: Platform) -> None:
    """A task that never was, or whose input is gone, cannot be assigned."""
    assert (await caller.patch("v1/tasks/t", {"assignedUserId": None})).message == "task 't' is unknown"
    platform.invalidate_scene(INPUT_UUIDS[1])
    assert (await assign(caller, None))[0] == 404
