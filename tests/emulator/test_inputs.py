"""Inputs."""

from typing import Any
from unittest.mock import ANY

import pytest

from kognic_aio.emulator import INPUT_UUIDS, PRE_ANNOTATION_ID, TASK_ID, Platform
from kognic_aio.emulator.state.paging import turn_to

from .support import Caller, Clock

pytestmark = pytest.mark.anyio


async def test_one_input_per_request(caller: Caller, platform: Platform) -> None:
    """A scene gives one input per request of the batch."""
    requests = platform.add_batch("project-b", "big", requests=3)
    uuid = await caller.make_scene()
    body = {"sceneUuid": uuid, "project": "project-b", "batch": "big"}
    inputs = (await caller.post("v1/inputs", body)).data
    assert len({created["uuid"] for created in inputs}) == 3
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


async def test_pre_annotation_of_an_input(caller: Caller, platform: Platform) -> None:
    """The inputs that a batch makes of a scene begin with its latest available pre-annotation."""
    uuid = platform.add_scene("x")
    platform.add_pre_annotation(uuid)
    latest = platform.add_pre_annotation(uuid)
    platform.add_pre_annotation(uuid, status="indexed")
    (made,) = (await caller.post("v1/inputs", {"sceneUuid": uuid, "project": "project-b"})).data
    pre_annotation = platform.input(made["uuid"]).pre_annotation
    assert pre_annotation is not None
    assert pre_annotation.id == latest


async def test_an_input_of_one_request(caller: Caller, platform: Platform) -> None:
    """A request that is named by its uuid gets one input, without a pre-annotation if none is named."""
    requests = platform.add_batch("project-b", "big", requests=3)
    made = (await caller.post("v2/inputs", {"sceneUuid": INPUT_UUIDS[0], "requestUuid": requests[1]})).data
    assert (made["requestUid"], made["sceneUuid"]) == (requests[1], INPUT_UUIDS[0])
    assert platform.input(made["uuid"]).pre_annotation is None
    found = (await caller.post("v2/inputs/query", {"project": "project-b", "batch": "big"})).data
    assert found == [made]


@pytest.mark.parametrize("batch", [{}, {"batchExtId": "batch-2"}])
@pytest.mark.parametrize("scene", [{}, {"sceneUuid": INPUT_UUIDS[0]}])
async def test_an_input_of_a_pre_annotation(
    caller: Caller, platform: Platform, batch: dict[str, str], scene: dict[str, str]
) -> None:
    """A pre-annotation tells which scene an input is of; the open batch need not be named."""
    body = {"preAnnotationUuid": PRE_ANNOTATION_ID, "projectExtId": "project-a", **batch, **scene}
    made = platform.input((await caller.post("v2/inputs", body)).data["uuid"])
    assert (made.scene.uuid, made.batch.batch) == (INPUT_UUIDS[0], "batch-2")
    assert made.pre_annotation is platform.pre_annotations.by_id[PRE_ANNOTATION_ID]


async def test_dry_run_of_one_input(caller: Caller, platform: Platform) -> None:
    """A dry run for one request validates, queued refusals too, and makes no input."""
    body = {"sceneUuid": INPUT_UUIDS[0], "projectExtId": "project-b"}
    assert (await caller.post("v2/inputs", body, dry_run=True)).data is None
    assert platform.summary()["inputs"] == 2
    assert (await caller.post("v2/inputs", {**body, "projectExtId": "p"}, dry_run=True)).status == 404
    platform.refuse("input", "seeded-1", "no more of these")
    assert (await caller.post("v2/inputs", body, dry_run=True)).message == "no more of these"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"projectExtId": "project-b"}, 400, "pass sceneUuid, preAnnotationUuid or both"),
        ({"sceneUuid": INPUT_UUIDS[0]}, 400, "pass either requestUuid or projectExtId"),
        (
            {"sceneUuid": INPUT_UUIDS[0], "requestUuid": "r", "projectExtId": "project-b"},
            400,
            "pass either requestUuid or projectExtId",
        ),
        ({"sceneUuid": INPUT_UUIDS[0], "requestUuid": "r"}, 404, "request 'r' is unknown"),
        ({"sceneUuid": "nobody", "projectExtId": "project-b"}, 404, "scene nobody is unknown"),
        ({"preAnnotationUuid": "p", "projectExtId": "project-b"}, 404, "pre-annotation 'p' is unknown"),
        ({"sceneUuid": INPUT_UUIDS[0], "projectExtId": "p"}, 404, "project 'p' is unknown"),
        (
            {"sceneUuid": INPUT_UUIDS[1], "preAnnotationUuid": PRE_ANNOTATION_ID, "projectExtId": "project-b"},
            400,
            f"pre-annotation {PRE_ANNOTATION_ID} belongs to scene {INPUT_UUIDS[0]}, not to {INPUT_UUIDS[1]}",
        ),
        (
            {"sceneUuid": INPUT_UUIDS[0], "projectExtId": "project-a", "batchExtId": "batch-1"},
            400,
            "batch 'batch-1' of project 'project-a' is completed, closed for new inputs",
        ),
    ],
)
async def test_bad_single_input(caller: Caller, body: dict[str, Any], status: int, message: str) -> None:
    """One input that breaks a rule is refused."""
    answer = await caller.post("v2/inputs", body)
    assert (answer.status, answer.message) == (status, message)


async def test_which_request(caller: Caller, platform: Platform) -> None:
    """A batch of several requests does not say which of them one input is for."""
    platform.add_batch("project-b", "big", requests=2)
    body = {"sceneUuid": INPUT_UUIDS[0], "projectExtId": "project-b", "batchExtId": "big"}
    answer = await caller.post("v2/inputs", body)
    message = "batch 'big' of project 'project-b' has 2 requests: name one with requestUuid"
    assert (answer.status, answer.message) == (400, message)


async def test_request_of_a_closed_batch(caller: Caller, platform: Platform) -> None:
    """A request takes inputs as long as its batch does."""
    (request_id,) = platform.add_batch("project-b", "closed", status="ready")
    answer = await caller.post("v2/inputs", {"sceneUuid": INPUT_UUIDS[0], "requestUuid": request_id})
    assert (answer.status, "closed for new inputs" in answer.message) == (400, True)


async def test_what_must_be_ready(caller: Caller, platform: Platform) -> None:
    """One input needs a scene that is created and a pre-annotation that is available."""
    pending = (await caller.create()).data["internalId"]
    answer = await caller.post("v2/inputs", {"sceneUuid": pending, "projectExtId": "project-b"})
    assert (answer.status, answer.message) == (400, f"scene {pending} is pending, not created")
    indexed = platform.add_pre_annotation(INPUT_UUIDS[0], status="indexed")
    answer = await caller.post("v2/inputs", {"preAnnotationUuid": indexed, "projectExtId": "project-b"})
    assert (answer.status, answer.message) == (400, f"pre-annotation {indexed} is indexed, not available")
    platform.invalidate_scene(INPUT_UUIDS[0])
    body = {"preAnnotationUuid": PRE_ANNOTATION_ID, "projectExtId": "project-b"}
    assert (await caller.post("v2/inputs", body)).status == 400


async def test_delete(caller: Caller) -> None:
    """A deleted input is gone, its scene stays."""
    path = f"v2/inputs/{INPUT_UUIDS[0]}"
    assert (await caller.delete(path)).status == 200
    found = (await caller.post("v2/inputs/query", {})).data
    assert [entry["uuid"] for entry in found] == [INPUT_UUIDS[1]]
    assert await caller.status(INPUT_UUIDS[0]) == "created"
    answer = await caller.delete(path)
    assert (answer.status, answer.message) == (404, f"input {INPUT_UUIDS[0]!r} is unknown")


async def test_replace_the_pre_annotation(caller: Caller, platform: Platform) -> None:
    """The pre-annotation of an input can be replaced as long as nobody works on the input."""
    path = f"v2/inputs/{INPUT_UUIDS[1]}/pre-annotation"
    first, second = [platform.add_pre_annotation(INPUT_UUIDS[1]) for _ in range(2)]
    assert (await caller.patch(path, {"uuid": first})).status == 200
    assert platform.input(INPUT_UUIDS[1]).pre_annotation is platform.pre_annotations.by_id[first]
    platform.start_task(TASK_ID)
    answer = await caller.patch(path, {"uuid": second})
    assert answer.status == 400
    assert answer.message.endswith("has started, its pre-annotation cannot be replaced")


@pytest.mark.parametrize(
    ("uuid", "body", "status", "message"),
    [
        ("nobody", {"uuid": PRE_ANNOTATION_ID}, 404, "input 'nobody' is unknown"),
        (INPUT_UUIDS[1], {"uuid": "p"}, 404, "pre-annotation 'p' is unknown"),
        (INPUT_UUIDS[1], {}, 400, "uuid is missing"),
        (
            INPUT_UUIDS[1],
            {"uuid": PRE_ANNOTATION_ID},
            400,
            f"pre-annotation {PRE_ANNOTATION_ID} belongs to scene {INPUT_UUIDS[0]}, not to {INPUT_UUIDS[1]}",
        ),
    ],
)
async def test_bad_replacement(caller: Caller, uuid: str, body: dict[str, Any], status: int, message: str) -> None:
    """An unknown pre-annotation, or that of another scene, replaces none."""
    answer = await caller.patch(f"v2/inputs/{uuid}/pre-annotation", body)
    assert (answer.status, answer.message) == (status, message)


async def fetch(caller: Caller, **filters: Any) -> dict[str, str]:
    """The status of what the older query lists of project-a, by external id."""
    answer = await caller.post("v1/inputs/fetch", {"project": "project-a", **filters})
    assert answer.status == 200, answer.text
    return {entry["externalId"]: entry["status"] for entry in answer.data}


async def test_older_query(caller: Caller) -> None:
    """The older query goes by the scene, and tells the batch, its annotation types and the scene's status."""
    uuid = await caller.make_scene("lidars-and-cameras", where="project/project-a/")
    *_, found = (await caller.post("v1/inputs/fetch", {"project": "project-a", "includeInvalidated": False})).data
    assert found.pop("created").endswith("Z")
    assert found == {
        "internalId": uuid,
        "externalId": "scene-1",
        "batchId": "batch-2",
        "inputType": "lidars_and_cameras",
        "status": "created",
        "annotationTypes": ["object-detection"],
        "calibrationId": "c0ffee00-0000-4000-8000-000000000001",
        "viewLink": f"https://app.kognic.com/view/scene/{uuid}",
    }
    assert (await caller.post("v1/inputs/query", {"uuids": [uuid, "nobody"]})).data == [{**found, "created": ANY}]


async def test_older_query_of_a_scene_on_its_way(caller: Caller, platform: Platform, clock: Clock) -> None:
    """The older query lists a scene from its creation in a project on, and a failed one with the reason."""
    platform.timing.processing_time = 5
    platform.refuse("processing", "scene-1", "broken")
    created = (await caller.create(where="project/project-a/")).data
    assert (await fetch(caller, externalIds=["scene-1"])) == {"scene-1": "pending"}
    await caller.upload_and_commit(created)
    assert (await fetch(caller, externalIds=["scene-1"])) == {"scene-1": "processing"}
    clock.advance(5)
    (found,) = (await caller.post("v1/inputs/query", {"uuids": [created["internalId"]]})).data
    assert (found["status"], found["errorMessage"]) == ("failed", "broken")


async def test_older_query_of_invalidated_scenes(caller: Caller) -> None:
    """The older query lists either what is invalidated or all the rest."""
    body = {"inputIds": [INPUT_UUIDS[0]], "invalidatedReason": "duplicate"}
    assert (await caller.post("v1/inputs/actions/invalidate", body)).status == 200
    assert await fetch(caller) == {"seeded-2": "created"}
    assert await fetch(caller, includeInvalidated=True) == {"seeded-1": "invalidated:duplicate"}
    (found,) = (await caller.post("v1/inputs/query", {"uuids": [INPUT_UUIDS[0]]})).data
    assert found["status"] == "invalidated:duplicate"


async def test_older_query_has_scenes_once(caller: Caller, platform: Platform) -> None:
    """The older query lists a scene once per batch, whatever its number of inputs, and no more when all are deleted."""
    platform.add_batch("project-a", "big", requests=2)
    inputs = platform.add_input(INPUT_UUIDS[0], "project-a", "big")
    query = {"project": "project-a", "externalIds": ["seeded-1"]}
    for expected in (["batch-2", "big"], ["batch-2", "big"], ["batch-2"]):
        found = (await caller.post("v1/inputs/fetch", query)).data
        assert [entry["batchId"] for entry in found] == expected
        if inputs:
            await caller.delete(f"v2/inputs/{inputs.pop(0).uuid}")
    assert len((await caller.post("v1/inputs/fetch", {**query, "batch": "batch-2"})).data) == 1


@pytest.mark.parametrize("filters", [{}, {"externalIds": ["bulk"]}])
async def test_pages_of_the_older_query(caller: Caller, platform: Platform, filters: dict[str, Any]) -> None:
    """The older query comes in pages, too."""
    platform.page_size = 3
    scenes = [platform.add_scene("bulk") for _ in range(7)]
    for scene in scenes:
        platform.add_input(scene, "project-b", "batch-1")
    pages = await caller.pages("POST", "v1/inputs/fetch", {"project": "project-b", **filters})
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [entry["internalId"] for page in pages for entry in page] == scenes


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("fetch", {}, 400, "project is missing"),
        ("fetch", {"project": "p"}, 404, "project 'p' is unknown"),
        ("fetch", {"project": "project-a", "batch": "b"}, 404, "batch 'b' of project 'project-a' is unknown"),
        ("fetch", {"project": "project-a", "includeInvalidated": "no"}, 400, "includeInvalidated must be true or"),
        ("fetch?cursorId=next", {"project": "project-a"}, 400, "cursorId 'next' is not valid"),
        ("query", {}, 400, "uuids is missing"),
        ("actions/invalidate", {"inputIds": ["nobody"], "invalidatedReason": "duplicate"}, 404, "scene nobody is"),
        ("actions/invalidate", {"inputIds": [], "invalidatedReason": "boring"}, 400, "reason must be one of"),
    ],
)
async def test_bad_older_call(caller: Caller, path: str, body: dict[str, Any], status: int, message: str) -> None:
    """The older calls refuse what the newer ones refuse."""
    answer = await caller.post(f"v1/inputs/{path}", body)
    assert answer.status == status
    assert answer.message.startswith(message)


class Watched(list[int]):
    """Items that count how often they are looked at."""

    looks = 0

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return super().__getitem__(index)


def test_paging_looks_at_each_item_once() -> None:
    """Going through all pages takes one look at each item, and one more per page; none are copied."""
    items = Watched(range(12_345))
    cursor: str | None = None
    seen: list[int] = []
    while cursor is not None or not seen:
        page = turn_to(items, cursor, 100, keep=lambda n: n % 5 > 0, to_json=lambda n: {"n": n})
        seen += [entry["n"] for entry in page.items]
        cursor = page.next_cursor
    assert seen == [n for n in range(12_345) if n % 5]
    assert items.looks <= 2 * 12_345 + 2 * 124
