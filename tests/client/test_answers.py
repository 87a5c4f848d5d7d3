"""An answer that is not what was asked for is an error that says so: no wrong value, no error that is not ours."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from aiohttp import web

from kognic_aio import InputCreationStage, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.errors import LeftOutError, MalformedAnswerError, NotFoundError
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest
from tests.scenes import cameras_scene
from tests.scripted import Server, client_of, ok, serving
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

ONE, TWO, OTHER = (f"{digit * 8}-0000-4000-8000-aaaaaaaaaaaa" for digit in "123")
DATE = "2026-01-01T00:00:00Z"


def scene(uuid: str, **fields: Any) -> dict[str, Any]:
    about = {"uuid": uuid, "workspaceId": "w", "externalId": f"scene-{uuid[0]}", "sceneType": "cameras"}
    return about | {"status": "created", "created": DATE} | fields


def calibration(id_: str) -> dict[str, Any]:
    return {"id": id_, "externalId": "c", "created": DATE, "workspaceId": "w", "calibration": {}}


def an_input(scene_uuid: str) -> dict[str, Any]:
    of_scene = {"sceneUuid": scene_uuid, "sceneExternalId": "scene", "requestUid": "r"}
    return {"uuid": OTHER, "viewLink": "https://somewhere", **of_scene}


def summary(uuid: str) -> dict[str, Any]:
    kind = {"sceneType": "cameras", "isMultiSensor": False, "isMotionCompensated": False, "metadata": {}}
    return {"sceneUuid": uuid, "externalId": "s", "workspaceId": "w", "created": DATE, **kind}


def resolved(uuid: str) -> dict[str, Any]:
    return {"uuid": uuid, "sceneUuid": ONE, "externalId": "e", "created": DATE, "content": {}}


@asynccontextmanager
async def answering(answer: Any) -> AsyncIterator[tuple[Server, KognicIOClient]]:
    """A server that answers everything in the same way, and its client."""
    with anyio.fail_after(GENEROUS):
        async with serving() as server, client_of(server, attempts=2) as client:
            server.always = ok(answer)
            yield server, client


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([scene(ONE), scene(TWO)], [ONE, TWO]),
        ([scene(TWO), scene(ONE)], [TWO, ONE]),
        ([scene(ONE), scene(TWO), scene(OTHER)], [ONE, TWO]),
        ([scene(ONE), scene(TWO), scene(ONE)], [ONE, TWO]),
        ([scene(ONE.upper()), scene(TWO.replace("-", ""))], [ONE.upper(), TWO.replace("-", "")]),
    ],
)
async def test_scenes_that_were_asked_for(answer: Any, found: list[str]) -> None:
    """What was asked for is given, each scene once, however it is written; what was not asked for is passed over."""
    async with answering(answer) as (_, client):
        assert [each.uuid for each in await client.scene.get_scenes_by_uuids([ONE, TWO])] == found


@pytest.mark.parametrize("answer", [[], [scene(ONE)], [scene(OTHER), scene(ONE)], [scene(ONE), scene(ONE)]])
async def test_scenes_that_are_left_out(answer: Any) -> None:
    """What an answer lacks is not found, and the error says which scenes."""
    async with answering(answer) as (server, client):
        with pytest.raises(LeftOutError, match=TWO) as caught:
            await client.scene.get_scenes_by_uuids([ONE, TWO])
        assert caught.value.missing == ((ONE, TWO) if not answer else (TWO,))
        assert len(server.requests) == 1
        with pytest.raises(LeftOutError, match="scene-9"):
            await client.scene.get_scenes_by_external_ids(["scene-1", "scene-9"])


@pytest.mark.parametrize("answer", [None, {"data": None}, {}, "scenes", [None], [{"uuid": ONE}]])
async def test_no_list_of_scenes(answer: Any) -> None:
    """What is no list of scenes is malformed."""
    async with answering(answer) as (_, client):
        with pytest.raises(MalformedAnswerError):
            await client.scene.get_scenes_by_uuids([ONE])


@pytest.mark.parametrize("answer", [calibration(ONE), [calibration(ONE)], [calibration(TWO), calibration(ONE)]])
async def test_a_calibration(answer: Any) -> None:
    """A calibration is found, whether the platform answers it alone or in a list."""
    async with answering(answer) as (_, client):
        assert (await client.calibration.get_calibration(ONE)).id == ONE


@pytest.mark.parametrize("answer", [[], [calibration(TWO)], calibration(TWO)])
async def test_a_calibration_that_is_left_out(answer: Any) -> None:
    """A calibration that the answer lacks is not found."""
    async with answering(answer) as (_, client):
        with pytest.raises(NotFoundError, match=ONE):
            await client.calibration.get_calibration(ONE)


Call = Callable[[KognicIOClient], Any]
OTHERS: dict[str, tuple[Call, Any]] = {
    "summary": (lambda client: client.scene.get_scene_summary(ONE), summary(OTHER)),
    "resolved": (lambda client: client.pre_annotation.get_with_content(ONE), resolved(OTHER)),
    "input": (lambda client: client.input.create_from_scene(ONE, project="p"), an_input(OTHER)),
    "inputs": (lambda client: client.cameras.create_from_scene(ONE, "p"), [an_input(ONE), an_input(OTHER)]),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_an_answer_about_something_else(name: str) -> None:
    """An answer about something else is malformed, and the error names both."""
    call, answer = OTHERS[name]
    async with answering(answer) as (_, client):
        with pytest.raises(MalformedAnswerError, match=f"it is about '{OTHER}' instead of '{ONE}'"):
            await call(client)


@pytest.mark.parametrize(
    ("listed", "error"),
    [
        ([{"sceneUuid": ONE, "externalId": "e"}], MalformedAnswerError),
        ([{"id": 7, "sceneUuid": ONE, "externalId": "e"}], MalformedAnswerError),
        ([{"id": "a", "sceneUuid": OTHER, "externalId": "e"}], ValueError),
        ([{"id": "a", "sceneUuid": ONE, "externalId": "another"}], ValueError),
    ],
)
async def test_pre_annotations_of_others(listed: Any, error: type[Exception]) -> None:
    """No pre-annotation of another scene, or without an id, is taken for the one that was asked for."""
    async with answering({"data": listed, "hasNext": False}) as (server, client):
        with pytest.raises(error):
            await client.pre_annotation.get_with_content(scene_uuid=ONE, external_id="e")
        assert len(server.requests) == 1


async def test_pages_without_end() -> None:
    """A list that says there is more, and has nothing, does not go on for ever."""
    async with answering({"data": [], "hasNext": True}) as (server, client):
        with pytest.raises(MalformedAnswerError, match="an empty page"):
            await client.pre_annotation.list(scene_uuids=[ONE])
        assert len(server.requests) == 1


async def test_pages_in_a_circle() -> None:
    """Pages that lead back to an earlier one do not go on for ever."""

    def answer(request: web.BaseRequest) -> web.StreamResponse:
        after = {None: "a", "a": "b", "b": "a"}[request.query.get("cursorId")]
        return web.json_response({"data": [], "metadata": {"nextCursorId": after}})

    async with answering({}) as (server, client):
        server.always = answer
        with pytest.raises(MalformedAnswerError, match="its cursor 'a' was returned before: the pages form a cycle"):
            await client.input.query_inputs(project="p")
        assert len(server.requests) == 3


async def test_one_workspace_twice() -> None:
    """A workspace that is listed twice is one workspace."""
    workspace = {"created": DATE, "externalId": "w", "id": "w", "name": "W", "organization": {"name": "O"}}
    async with serving() as server:
        server.always = ok([workspace, workspace])
        auth, url = ("id", "secret"), server.url
        async with KognicIOClient(auth=auth, host=url, workspace_api_host=url, auth_host=url) as client:
            assert client.workspace_id == "w"


@asynccontextmanager
async def starting(accepted: dict[str, Any]) -> AsyncIterator[tuple[Server, KognicIOClient]]:
    """A server that starts scenes, and answers that with what it is given."""

    def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/initialize"):
            return web.json_response({"sceneUuid": ONE})
        return web.json_response(accepted if request.path.endswith(("/cameras", "/scenes")) else {})

    async with answering({}) as (server, client):
        server.always = answer
        yield server, client


def paths(server: Server) -> list[str]:
    return [path.partition("?")[0] for _, path, _, _ in server.requests]


URL = "http://127.0.0.1:1/file"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"0.jpg": URL}, r"no signed URL for \['1.jpg'\]"),
        ({"0.jpg": URL, "1.jpg": URL, "2.jpg": URL}, r"signed URLs for \['2.jpg'\], which the scene does not have"),
        ({"0.jpg": URL, "x.jpg": URL}, r"no signed URL for \['1.jpg'\], and signed URLs for \['x.jpg'\]"),
    ],
)
async def test_other_files(files: dict[str, str], words: str) -> None:
    """A platform that asks for other files than those of the scene gets none; the scene is invalidated."""
    async with starting({"internalId": ONE, "files": files}) as (server, client):
        with pytest.raises(MalformedAnswerError, match=words):
            await client.cameras.create(cameras_scene("one", files=2))
        assert paths(server)[1:] == ["/v1/inputs/cameras", "/v2/scenes/actions/invalidate"]


async def test_other_files_of_the_newer_kind() -> None:
    """The same for scenes of `create_scene`."""
    images = [ImageResource(sensor_name="cam", local_file=LocalFile(filename="a.jpg", data=b"jpg"))]
    frames = [Frame(frame_id="0", timestamp_ns=1_700_000_000_000_000_000, images=images)]
    request = SceneRequest(workspace_id="w", external_id="s", frames=frames)
    async with starting({"id": ONE, "signedUploadUrls": [["b.jpg", URL]]}) as (server, client):
        with pytest.raises(MalformedAnswerError, match=r"no signed URL for \['a.jpg'\]"):
            await client.scene.create_scene(request)
        assert paths(server) == ["/v2/scenes", "/v2/scenes/actions/invalidate"]


async def test_another_scene() -> None:
    """A platform that answers the start of a scene with another one is not believed."""
    async with starting({"internalId": OTHER, "files": {}}) as (server, client):
        with pytest.raises(MalformedAnswerError, match=f"it is about '{OTHER}' instead of '{ONE}'"):
            await client.cameras.create(cameras_scene("one"))
        assert paths(server)[-1] == "/v2/scenes/actions/invalidate"


async def test_no_input(emulator: Emulator) -> None:
    """A batch that makes no input of a scene is an error: the result does not say `created`."""
    emulator.platform.add_batch("project-a", "empty")
    emulator.platform.projects.batch("project-a", "empty").requests.clear()
    options = emulator.client_options() | {"max_retry_wait_time": 0.01}
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**options) as client:
            made = create_inputs(client, [cameras_scene("one")], "project-a", batch="empty", sleep_time=0.01)
            (result,) = [each async for each in made]
    assert result.error is not None
    assert result.error.stage is InputCreationStage.INPUT_FROM_SCENE
    assert f"no input of scene {result.scene_uuid}" in result.error.message
    assert emulator.recorder.requests_by_endpoint["POST v1/inputs"] == 1
