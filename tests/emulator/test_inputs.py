"""Inputs."""

from typing import Any

import pytest

from kognic_aio.emulator import INPUT_UUIDS, Platform

from .support import Caller, Clock

pytestmark = pytest.mark.anyio


async def test_one_input_per_request(caller: Caller, platform: Platform) -> None:
    """A scene gives one input per request of the batch."""
    platform.add_batch("project-b", "big", requests=3)
    uuid = await caller.make_scene()
    body = {"sceneUuid": uuid, "project": "project-b", "batch": "big"}
    inputs = (await caller.post("v1/inputs", body)).data
    assert len({created["uuid"] for created in inputs}) == 3
    requests = platform.projects.batch("project-b", "big").requests
    assert [created["requestUid"] for created in inputs] == requests
    first = inputs[0]
    assert first == {
        "uuid": first["uuid"],
        "sceneUuid": uuid,
        "requestUid": requests[0],
        "sceneExternalId": "scene-1",
        "viewLink": f"https://app.kognic.com/view/input/{first['uuid']}",
    }


async def test_inputs_made_with_the_scene(caller: Caller, platform: Platform, clock: Clock) -> None:
    """The inputs of a scene that was created in a project appear when the scene is created."""
    platform.timing.processing_time = 5
    created = (await caller.create(where="project/project-a/")).data
    await caller.upload_and_commit(created)
    query = {"sceneUuids": [created["internalId"]]}
    assert (await caller.post("v2/inputs/query", query)).data == []
    clock.advance(5)
    (found,) = (await caller.post("v2/inputs/query", query)).data
    assert found["uuid"] == created["requestInputUuid"]


async def test_no_inputs_of_a_failed_scene(caller: Caller, platform: Platform) -> None:
    """A scene that fails has no inputs, even if it was created in a project."""
    platform.refuse("processing", "scene-1", "broken")
    uuid = await caller.make_scene(where="project/project-a/")
    assert (await caller.post("v2/inputs/query", {"sceneUuids": [uuid]})).data == []


async def test_scene_without_project(caller: Caller) -> None:
    """A scene that was created without a project has no input."""
    created = (await caller.create()).data
    assert created.keys() == {"internalId", "files"}
    await caller.upload_and_commit(created)
    assert (await caller.post("v2/inputs/query", {"sceneUuids": [created["internalId"]]})).data == []


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"project": "project-a"}, 400, "sceneUuid is missing"),
        ({"sceneUuid": INPUT_UUIDS[0]}, 400, "project is missing"),
        ({"sceneUuid": "nobody", "project": "project-a"}, 404, "scene nobody is unknown"),
        ({"sceneUuid": INPUT_UUIDS[0], "project": "p"}, 404, "project 'p' is unknown"),
        ({"sceneUuid": INPUT_UUIDS[0], "project": "project-a", "x": 1}, 400, "x is an unknown key"),
    ],
)
async def test_bad_input(caller: Caller, body: dict[str, Any], status: int, message: str) -> None:
    """An input that breaks a rule is refused."""
    answer = await caller.post("v1/inputs", body)
    assert (answer.status, answer.message) == (status, message)


async def test_input_of_a_pending_scene(caller: Caller) -> None:
    """Only a created scene can have inputs."""
    uuid = (await caller.create()).data["internalId"]
    answer = await caller.post("v1/inputs", {"sceneUuid": uuid, "project": "project-a"})
    assert (answer.status, answer.message) == (400, f"scene {uuid} is pending, not created")


async def test_refused_input(caller: Caller, platform: Platform) -> None:
    """The inputs of one scene can be refused, in a dry run too."""
    platform.refuse("input", "scene-1", "no more of these")
    body = {"sceneUuid": await caller.make_scene(), "project": "project-a"}
    assert (await caller.post("v1/inputs", body)).message == "no more of these"
    assert (await caller.post("v1/inputs", body, dry_run=True)).message == "no more of these"


async def test_dry_run(caller: Caller, platform: Platform) -> None:
    """A dry run makes no input."""
    body = {"sceneUuid": INPUT_UUIDS[0], "project": "project-b"}
    assert (await caller.post("v1/inputs", body, dry_run=True)).data == []
    assert platform.summary()["inputs"] == 2


async def test_seeded_inputs(caller: Caller) -> None:
    """A fresh platform has the guide's two inputs in batch-2 of project-a."""
    found = (await caller.post("v2/inputs/query", {"project": "project-a", "batch": "batch-2"})).data
    assert [entry["uuid"] for entry in found] == list(INPUT_UUIDS)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["seeded-1", "seeded-2", "x", "y"]),
        ({"project": "project-a"}, ["seeded-1", "seeded-2", "x"]),
        ({"project": "project-a", "batch": "batch-3"}, ["x"]),
        ({"externalIds": ["y", "nobody", "x"]}, ["x", "y"]),
        ({"externalIds": ["y", "x"], "project": "project-b"}, ["y"]),
        ({"externalIds": ["x"], "sceneUuids": [INPUT_UUIDS[0]]}, []),
        ({"sceneUuids": [INPUT_UUIDS[1], "nobody"]}, ["seeded-2"]),
        ({"sceneUuids": []}, []),
    ],
)
async def test_query(caller: Caller, platform: Platform, query: dict[str, Any], found: list[str]) -> None:
    """Inputs can be filtered by project, batch, scene and external id, all at once."""
    platform.add_input(platform.add_scene("x"), "project-a", "batch-3")
    platform.add_input(platform.add_scene("y"), "project-b", "batch-1")
    inputs = (await caller.post("v2/inputs/query", query)).data
    assert [entry["sceneExternalId"] for entry in inputs] == found


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"project": "p"}, 404, "project 'p' is unknown"),
        ({"project": "project-a", "batch": "b"}, 404, "batch 'b' of project 'project-a' is unknown"),
        ({"batch": "batch-1"}, 400, "batch needs a project"),
    ],
)
async def test_bad_query(caller: Caller, query: dict[str, Any], status: int, message: str) -> None:
    """A query for an unknown project or batch is refused."""
    answer = await caller.post("v2/inputs/query", query)
    assert (answer.status, answer.message) == (status, message)


@pytest.mark.parametrize("query", [{}, {"externalIds": ["bulk"]}])
async def test_paging(caller: Caller, platform: Platform, query: dict[str, Any]) -> None:
    """Pages follow each other without gap or overlap, also when inputs vanish between them."""
    platform.page_size = 3
    scenes = [platform.add_scene("bulk") for _ in range(7)]
    made = [platform.add_input(scene, "project-b", "batch-1")[0].uuid for scene in scenes]
    for uuid in INPUT_UUIDS:
        platform.invalidate_scene(uuid)
    seen: list[str] = []
    path = "v2/inputs/query"
    while True:
        page = (await caller.post(path, query)).json
        assert len(page["data"]) <= 3
        seen += [entry["uuid"] for entry in page["data"]]
        cursor = page["metadata"]["nextCursorId"]
        if cursor is None:
            break
        platform.invalidate_scene(scenes[0])
        path = f"v2/inputs/query?cursorId={cursor}"
    assert seen == made


async def test_bad_cursor(caller: Caller) -> None:
    """A cursor that no page gave is refused."""
    answer = await caller.post("v2/inputs/query?cursorId=next", {})
    assert (answer.status, answer.message) == (400, "cursorId 'next' is not valid")
