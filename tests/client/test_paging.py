"""What pages is fetched as it is consumed, and comes whole and in order."""

import gc
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kognic_aio import KognicIOClient, Limits
from kognic_aio.emulator import INPUT_UUIDS, Emulator
from kognic_aio.errors import MalformedAnswerError, NotFoundError, StorageError
from kognic_aio.model import Input
from tests.scripted import client_of, ok, serving

pytestmark = pytest.mark.anyio

MANY, PAGE = 12_345, 100
QUERY = "/v2/inputs/query"


def fill(emulator: Emulator, count: int, page_size: int) -> list[str]:
    """Give project-b inputs, and return their uuids."""
    platform = emulator.platform
    platform.page_size = page_size
    scenes = [platform.add_scene(f"scene-{number}") for number in range(count)]
    return [made.uuid for scene in scenes for made in platform.add_input(scene, "project-b", "batch-1")]


async def test_all_items_arrive_in_order(emulator: Emulator, client: KognicIOClient) -> None:
    """12,345 inputs in pages of 100 arrive once each, in order, and no more than two pages are held at a time."""
    uuids = fill(emulator, MANY, PAGE)
    arrived = []
    held = 0
    async for found in client.input.query_inputs(project="project-b"):
        arrived.append(found.uuid)
        if len(arrived) % 2050 == 0:
            held = max(held, sum(type(thing) is Input for thing in gc.get_objects()))
    assert arrived == uuids
    assert 0 < held <= 2 * PAGE
    assert len(emulator.recorder.requests("POST", QUERY)) == -(-MANY // PAGE)


async def test_stopping_early_fetches_no_more(emulator: Emulator, client: KognicIOClient) -> None:
    """Who stops after ten items has fetched one page; before the first item nothing is fetched."""
    fill(emulator, 500, PAGE)
    listing = client.input.query_inputs(project="project-b")
    assert not emulator.recorder.requests("POST", QUERY)
    taken = 0
    async for _ in listing:
        taken += 1
        if taken == 10:
            break
    assert len(emulator.recorder.requests("POST", QUERY)) == 1


async def test_awaiting_gives_the_whole_list(emulator: Emulator, client: KognicIOClient) -> None:
    """Awaited, a listing is a list; page by page, it is its pages; each time it is asked for anew."""
    uuids = fill(emulator, 25, 10)
    listing = client.input.query_inputs(project="project-b")
    assert [found.uuid for found in await listing] == uuids
    assert [len(page) async for page in listing.pages()] == [10, 10, 5]
    assert len(emulator.recorder.requests("POST", QUERY)) == 6


async def test_an_error_comes_where_it_happens(emulator: Emulator, client: KognicIOClient) -> None:
    """What the platform refuses is raised by the iteration, not before."""
    listing = client.input.query_inputs(project="no such project")
    with pytest.raises(NotFoundError, match="no such project"):
        await listing


LISTINGS: dict[str, Callable[[KognicIOClient], Any]] = {
    "query_inputs": lambda client: client.input.query_inputs(project="project-a"),
    "get_request_inputs": lambda client: client.input.get_request_inputs(request_id="1"),
    "get_project_annotations": lambda client: client.annotation.get_project_annotations("project-a", "lane"),
}


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"data": [], "metadata": {"nextCursorId": "1"}}, "its cursor '1' was returned before"),
        ({"data": [{"viewLink": 1}], "metadata": {"nextCursorId": None}}, "@ $.data[0]"),
        ({"metadata": {"nextCursorId": None}}, "required field missing @ $.data"),
        ({"data": [], "metadata": {"nextCursorId": [1]}}, "$.metadata.next_cursor_id"),
    ],
)
async def test_pages_that_are_none(name: str, answer: Any, problem: str) -> None:
    """A page that leads to itself, or is not what the contract says, is an error that says where."""
    async with serving() as server, client_of(server) as client:
        server.steps = [ok(answer)] * 5
        with pytest.raises(MalformedAnswerError) as caught:
            await LISTINGS[name](client)
    assert problem in str(caught.value)


def annotate(emulator: Emulator, count: int, page_size: int) -> None:
    """Give project-b annotated inputs, numbered in their contents."""
    for number, uuid in enumerate(fill(emulator, count, page_size)):
        emulator.platform.add_annotation(uuid, {"number": number})


async def test_contents_come_in_order() -> None:
    """Contents are downloaded several at once, no more than the limit says, and come in order."""
    async with Emulator(storage_latency=0.005) as emulator:
        annotate(emulator, 60, 25)
        async with KognicIOClient(**emulator.client_options(), limits=Limits(downloads=7)) as client:
            listing = client.annotation.get_project_annotations("project-b", "object-detection")
            contents = [found.content async for found in listing]
    assert contents == [{"number": number} for number in range(60)]
    assert emulator.recorder.peak["downloads"] == 7


async def test_contents_are_downloaded_as_they_are_consumed(emulator: Emulator) -> None:
    """Who stops early has downloaded no more contents than are on their way at once."""
    annotate(emulator, 60, 25)
    async with KognicIOClient(**emulator.client_options(), limits=Limits(downloads=5)) as client:
        async for found in client.annotation.get_project_annotations("project-b", "object-detection"):
            assert found.content == {"number": 0}
            break
    endpoints = Counter(request.endpoint.partition(" ")[2] for request in emulator.recorder.requests("GET"))
    assert endpoints["v1/annotations/projects/{project}/annotation-type/{type}/search"] == 1
    assert len(emulator.recorder.requests("GET", "/storage/")) == 5


@pytest.mark.parametrize(
    "uri", ["", "/relative?X-Signature=secret", "gs://b/x?X-Signature=secret", "http://[x/?a=secret"]
)
async def test_a_signed_url_that_is_none(uri: str) -> None:
    """A signed URL that is none is an error at once, without the signature anywhere."""
    partial = {"inputUuid": "1", "sceneUuid": "2", "requestUid": "3", "created": "2026-01-01T00:00:00Z", "uri": uri}
    async with serving() as server, client_of(server) as client:
        server.steps = [ok({"data": partial})]
        with pytest.raises(MalformedAnswerError, match="returned an invalid signed URL") as caught:
            await client.annotation.get_annotation_for_input("1")
    assert "secret" not in "".join(traceback.format_exception(caught.value))


async def test_a_content_that_cannot_be_had(emulator: Emulator, client: KognicIOClient) -> None:
    """A content whose signed URL has expired is an error of the storage, without the signature."""
    emulator.platform.timing.url_lifetime = 0.0
    with pytest.raises(StorageError, match=r"download was refused: ExpiredToken") as caught:
        await client.annotation.get_annotation_for_input(INPUT_UUIDS[0])
    assert "Signature" not in str(caught.value)
