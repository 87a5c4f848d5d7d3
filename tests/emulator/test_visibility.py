"""Scenes that were created and are not to be seen yet, and status queries that leave out what they do not know."""

from typing import Any

import pytest

from kognic_aio.emulator import Emulator, Platform

from . import official
from .support import Caller, Clock, openlabel, scene_body
from .test_scene_requests import frame, request

pytestmark = pytest.mark.anyio

LAG = 5.0
UNKNOWN = "11111111-0000-4000-8000-000000000000"


@pytest.fixture
def lagging(platform: Platform) -> Platform:
    platform.timing.visibility_lag = LAG
    return platform


# What clients do with a scene: method, path and body, in which the scene's uuid stands for SCENE.
USES: list[tuple[str, str, Any]] = [
    ("POST", "v2/scenes/query", {"sceneUuids": ["SCENE"]}),
    ("POST", "v2/scenes/query", {"externalIds": ["scene-1"]}),
    ("GET", "v2/scenes/SCENE", None),
    ("GET", "v2/scenes/SCENE?includeInvalidated=true", None),
    ("GET", "v2/scenes/SCENE/ego-poses", None),
    ("GET", "v2/scenes/SCENE/annotations", None),
    ("PATCH", "v2/scenes/SCENE", {"status": "indexed"}),
    ("POST", "v1/inputs", {"sceneUuid": "SCENE", "project": "project-a", "batch": "batch-2"}),
    ("POST", "v2/inputs", {"sceneUuid": "SCENE", "projectExtId": "project-a", "batchExtId": "batch-2"}),
    ("POST", "v1/pre-annotations", {"sceneUuid": "SCENE", "preAnnotation": openlabel()}),
    ("POST", "v2/pre-annotations", {"sceneUuid": "SCENE", "externalId": "p", "externalResourceId": "s3://b/p"}),
    ("POST", "v2/scenes/actions/invalidate", {"sceneUuids": ["SCENE"], "reason": "duplicate"}),
    ("POST", "v1/inputs/actions/invalidate", {"inputIds": ["SCENE"], "invalidatedReason": "duplicate"}),
]


def named(value: Any, scene_uuid: str) -> Any:
    """A path or a body about a scene."""
    match value:
        case str():
            return value.replace("SCENE", scene_uuid)
        case list():
            return [named(item, scene_uuid) for item in value]
        case dict():
            return {key: named(item, scene_uuid) for key, item in value.items()}
        case _:
            return value


@pytest.mark.parametrize(("method", "path", "body"), USES)
async def test_unknown_for_a_while(
    caller: Caller, lagging: Platform, clock: Clock, method: str, path: str, body: Any
) -> None:
    """Until the lag is over, each use of a created scene is answered 404; from then on it works."""
    uuid = await caller.make_scene("lidars-sequence")

    async def use() -> int:
        url, content = named(path, uuid), named(body, uuid)
        return (await caller.request(method, url, json=content, headers=caller.headers)).status

    assert await use() == 404
    clock.advance(LAG - 0.1)
    assert await use() == 404
    assert lagging.scene(uuid).status == "created"
    clock.advance(0.2)
    assert await use() == 200


async def test_commit_works_at_once(caller: Caller, lagging: Platform) -> None:
    """Uploads and the commit do not wait for the lag, and the commit of an unknown scene is 404 as ever."""
    assert lagging.scene(await caller.make_scene()).status == "created"
    assert (await caller.post(f"v1/inputs/{UNKNOWN}/actions/commit")).status == 404


async def test_scenes_of_the_newer_kind(caller: Caller, lagging: Platform, clock: Clock) -> None:
    """What `POST v2/scenes` creates is hidden as long."""
    uuid = (await caller.post("v2/scenes", request(frame(0, external=True)))).data["id"]
    query = {"sceneUuids": [uuid]}
    assert (await caller.post("v2/scenes/query", query)).status == 404
    clock.advance(LAG)
    assert [scene["status"] for scene in (await caller.post("v2/scenes/query", query)).data] == ["created"]


async def test_the_official_client_creates(caller: Caller, lagging: Platform) -> None:
    """The official client creates a scene under a lag: it commits right after its uploads, and asks nothing before."""
    created = await official.drive(
        caller.emulator, lambda client: client.cameras.create(official.make_cameras(official.Files(None)))
    )
    assert lagging.scene(created.scene_uuid).status == "created"


async def test_the_lag_begins_with_the_creation(caller: Caller, lagging: Platform, clock: Clock) -> None:
    """The time between the reservation of a uuid and the scene's creation is not of the lag; the upload's is."""
    internal_id = await caller.reserve()
    clock.advance(LAG)
    created = (await caller.create(body={**scene_body("cameras"), "internalId": internal_id})).data
    query = {"sceneUuids": [created["internalId"]]}
    assert (await caller.post("v2/scenes/query", query)).status == 404
    clock.advance(LAG)
    assert [scene["status"] for scene in (await caller.post("v2/scenes/query", query)).data] == ["pending"]


async def test_inputs_of_a_scene_that_is_not_visible(caller: Caller, lagging: Platform, clock: Clock) -> None:
    """Inputs that were asked for together with a scene are listed once the scene can be seen."""
    uuid = await caller.make_scene(where="project/project-a/batch/batch-2/")

    async def listed() -> list[int]:
        answers = [
            await caller.post("v2/inputs/query", {"sceneUuids": [uuid]}),
            await caller.post("v1/inputs/fetch", {"project": "project-a", "externalIds": ["scene-1"]}),
            await caller.post("v1/inputs/query", {"uuids": [uuid]}),
        ]
        return [len(answer.data) for answer in answers]

    assert await listed() == [0, 0, 0]
    clock.advance(LAG)
    assert await listed() == [1, 1, 1]


async def test_one_hidden_scene_among_others(caller: Caller, lagging: Platform, clock: Clock) -> None:
    """A list of scenes with one that is not visible yet is refused whole, and nothing of it is invalidated."""
    earlier = await caller.make_scene()
    clock.advance(LAG)
    uuids = [earlier, await caller.make_scene()]
    assert (await caller.post("v2/scenes/query", {"sceneUuids": uuids})).status == 404
    invalidation = {"sceneUuids": uuids, "reason": "duplicate"}
    assert (await caller.post("v2/scenes/actions/invalidate", invalidation)).status == 404
    assert {lagging.scene(uuid).status for uuid in uuids} == {"created"}


async def test_setting_up_knows_no_lag(caller: Caller, lagging: Platform) -> None:
    """Who sets a platform up sees and changes all scenes at once, and those added are visible to clients at once."""
    added = lagging.add_scene("added")
    assert await caller.status(added) == "created"
    uuid = await caller.make_scene()
    lagging.add_pre_annotation(uuid)
    lagging.add_input(uuid, "project-a", "batch-2")
    lagging.invalidate_scene(uuid)
    assert lagging.scene(uuid).status == "invalidated:incorrectly-created"


async def test_queries_that_leave_out(caller: Caller, lagging: Platform, clock: Clock) -> None:
    """With `omit`, a status query lists what is known and visible, in the order asked for, and refuses nothing."""
    lagging.scenes.unknown_scenes = "omit"
    known = [lagging.add_scene("b"), lagging.add_scene("a")]
    hidden = await caller.make_scene()

    async def query(**body: list[str]) -> list[str]:
        return [scene["externalId"] for scene in (await caller.post("v2/scenes/query", body)).data]

    assert await query(sceneUuids=[known[0], UNKNOWN, hidden, known[1]]) == ["b", "a"]
    assert await query(externalIds=["a", "nowhere", "scene-1", "b"]) == ["a", "b"]
    assert await query(sceneUuids=[UNKNOWN]) == []
    clock.advance(LAG)
    assert await query(sceneUuids=[hidden]) == ["scene-1"]


async def test_leaving_out_is_for_queries_only(caller: Caller, lagging: Platform) -> None:
    """With `omit`, an invalidation of what is unknown or not visible is answered 404, and so is a summary."""
    lagging.scenes.unknown_scenes = "omit"
    for uuid in (UNKNOWN, await caller.make_scene()):
        invalidation = {"sceneUuids": [uuid], "reason": "duplicate"}
        assert (await caller.post("v2/scenes/actions/invalidate", invalidation)).status == 404
        assert (await caller.get(f"v2/scenes/{uuid}")).status == 404


async def test_arguments_of_the_emulator() -> None:
    """Both are arguments of the emulator, and what is not given stays as the platform has it."""
    platform = Platform()
    async with Emulator(platform=platform, visibility_lag=2.5, unknown_scenes="omit"):
        pass
    async with Emulator(platform=platform):
        assert (platform.timing.visibility_lag, platform.scenes.unknown_scenes) == (2.5, "omit")
