"""Annotations and the links to their contents."""

from typing import Any

import aiohttp
import pytest

from kognic_aio.emulator import ANNOTATION_ID, INPUT_UUIDS, Emulator, Platform, PlatformError

from .support import Caller, Clock

pytestmark = pytest.mark.anyio

ANNOTATED, WAITING = INPUT_UUIDS
SEARCH = "v1/annotations/projects/project-a/annotation-type/object-detection/search"
OF_BATCH = "v1/annotations/projects/project-a/batch/batch-3/annotation-type/object-detection/search"


async def content(caller: Caller, url: str) -> Any:
    answer = await caller.request("GET", url)
    assert answer.status == 200, answer.text
    return answer.json


async def test_by_id(caller: Caller, platform: Platform) -> None:
    """An annotation that goes by its id names its input and its request, and has a link to its content."""
    found = (await caller.get(f"v1/annotations/{ANNOTATION_ID}")).data
    assert (await content(caller, found.pop("signedUrl")))["openlabel"]["metadata"] == {"schema_version": "1.0.0"}
    assert found.pop("created") < found.pop("expiresAt")
    request_id = platform.input(ANNOTATED).request.id
    assert found == {
        "id": ANNOTATION_ID,
        "sceneId": ANNOTATED,
        "requestId": request_id,
        "requestInputId": ANNOTATED,
        "requestUid": request_id,
        "isPreliminary": False,
    }


async def test_of_an_input(caller: Caller, platform: Platform) -> None:
    """The annotation of an input is the one that was delivered last."""
    annotation_id = platform.add_annotation(ANNOTATED, {"version": 2})
    found = (await caller.get(f"v2/inputs/{ANNOTATED}/annotation")).data
    assert await content(caller, found.pop("uri")) == {"version": 2}
    assert found.keys() == {"inputUuid", "sceneUuid", "requestUid", "created"}
    details = (await caller.get(f"v2/request-inputs/{ANNOTATED}")).data
    assert (details["status"], details["lastCompletedAnnotationId"]) == ("completed", annotation_id)


async def test_of_a_scene(caller: Caller, platform: Platform) -> None:
    """The annotations of a scene are those of all its inputs, one of each type."""
    (other,) = platform.add_input(ANNOTATED, "project-b", "batch-1")
    platform.add_annotation(ANNOTATED, {"n": 1}, annotation_type="lanes")
    platform.add_annotation(ANNOTATED, {"n": 2}, annotation_type="lanes")
    platform.add_annotation(other.uuid, {"n": 3})
    found = (await caller.get(f"v2/scenes/{ANNOTATED}/annotations")).data
    assert [each["inputUuid"] for each in found] == [ANNOTATED, ANNOTATED, other.uuid]
    assert [await content(caller, each["uri"]) for each in found[1:]] == [{"n": 2}, {"n": 3}]
    assert (await caller.get(f"v2/scenes/{WAITING}/annotations")).data == []


async def test_with_content(caller: Caller, platform: Platform) -> None:
    """The older call takes the scene for the input, and has the content of the latest annotation inside."""
    platform.add_annotation(ANNOTATED, {"n": 1}, annotation_type="lanes")
    (other,) = platform.add_input(ANNOTATED, "project-b", "batch-1")
    platform.add_annotation(other.uuid, {"n": 2}, annotation_type="lanes")
    found = (await caller.get(f"v1/annotations/inputs/{ANNOTATED}/annotation-type/lanes")).data
    assert found.pop("created").endswith("Z")
    assert found == {"inputUuid": ANNOTATED, "annotationType": "lanes", "content": {"n": 2}}


async def test_of_a_project(caller: Caller, platform: Platform) -> None:
    """The annotations of one type are found in a project and in each batch, and name the scene as their input."""
    in_batch = platform.add_scene("x")
    platform.add_annotation(platform.add_input(in_batch, "project-a", "batch-3")[0].uuid)
    platform.add_annotation(ANNOTATED, annotation_type="lanes")
    platform.add_annotation(platform.add_input(in_batch, "project-b", "batch-1")[0].uuid)
    found = (await caller.get(SEARCH)).data
    assert [each["inputUuid"] for each in found] == [ANNOTATED, in_batch]
    assert found[0].keys() == {"inputUuid", "annotationType", "created", "uri"}
    assert [each["inputUuid"] for each in (await caller.get(OF_BATCH)).data] == [in_batch]
    lanes = (await caller.get(SEARCH.replace("object-detection", "lanes"))).data
    assert [(each["inputUuid"], each["annotationType"]) for each in lanes] == [(ANNOTATED, "lanes")]
    assert (await caller.get(SEARCH.replace("object-detection", "signs"))).data == []


async def test_pages_of_a_project(caller: Caller, platform: Platform) -> None:
    """The annotations of a project come in pages, each once, also when one is replaced between them."""
    scenes = [platform.add_scene("bulk") for _ in range(7)]
    inputs = [platform.add_input(scene, "project-b", "batch-1")[0].uuid for scene in scenes]
    for uuid in inputs:
        platform.add_annotation(uuid)
    platform.add_annotation(inputs[2], {"version": 2})
    platform.page_size = 3
    pages = await caller.pages("GET", SEARCH.replace("project-a", "project-b"))
    assert [len(page) for page in pages] == [3, 3, 1]
    order = [*scenes[:2], *scenes[3:], scenes[2]]
    assert [each["inputUuid"] for page in pages for each in page] == order


async def test_preliminary(caller: Caller, platform: Platform) -> None:
    """A preliminary annotation is found by its id only; its input is in progress."""
    annotation_id = platform.add_annotation(WAITING, {"n": 1}, preliminary=True)
    found = (await caller.get(f"v1/annotations/{annotation_id}")).data
    assert (found["isPreliminary"], await content(caller, found["signedUrl"])) == (True, {"n": 1})
    details = (await caller.get(f"v2/request-inputs/{WAITING}")).data
    assert (details["status"], details["lastCompletedAnnotationId"]) == ("in_progress", annotation_id)
    answer = await caller.get(f"v2/inputs/{WAITING}/annotation")
    assert (answer.status, answer.message) == (404, f"input {WAITING} has no annotation")
    assert (await caller.get(f"v2/scenes/{WAITING}/annotations")).data == []
    assert [each["inputUuid"] for each in (await caller.get(SEARCH)).data] == [ANNOTATED]


@pytest.mark.parametrize("how", ["invalidated", "deleted"])
async def test_gone_with_its_input(caller: Caller, platform: Platform, how: str) -> None:
    """An annotation is gone when its scene is invalidated or its input is deleted."""
    if how == "invalidated":
        platform.invalidate_scene(ANNOTATED)
    else:
        await caller.delete(f"v2/inputs/{ANNOTATED}")
    assert (await caller.get(f"v1/annotations/{ANNOTATION_ID}")).status == 404
    assert (await caller.get(f"v2/inputs/{ANNOTATED}/annotation")).status == 404
    assert (await caller.get(f"v1/annotations/inputs/{ANNOTATED}/annotation-type/object-detection")).status == 404
    assert (await caller.get(f"v2/scenes/{ANNOTATED}/annotations")).data == []
    assert (await caller.get(SEARCH)).data == []


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("v1/annotations/nobody", 404, "annotation 'nobody' is unknown"),
        ("v2/inputs/nobody/annotation", 404, "input 'nobody' is unknown"),
        ("v2/scenes/nobody/annotations", 404, "scene nobody is unknown"),
        ("v1/annotations/inputs/nobody/annotation-type/t", 404, "scene nobody is unknown"),
        (
            f"v1/annotations/inputs/{ANNOTATED}/annotation-type/t",
            404,
            f"scene {ANNOTATED} has no annotation of type 't'",
        ),
        ("v1/annotations/projects/p/annotation-type/t/search", 404, "project 'p' is unknown"),
        (SEARCH.replace("/annotation-type", "/batch/b/annotation-type"), 404, "batch 'b' of project 'project-a'"),
        (f"{SEARCH}?cursorId=next", 400, "cursorId 'next' is not valid"),
    ],
)
async def test_unknown(caller: Caller, path: str, status: int, message: str) -> None:
    """What is asked of an unknown annotation, input, scene, project or batch is refused."""
    answer = await caller.get(path)
    assert answer.status == status
    assert answer.message.startswith(message)


@pytest.mark.parametrize(
    ("path", "flag"),
    [
        (f"v1/annotations/{ANNOTATION_ID}", "isoBoxes"),
        (f"v2/inputs/{ANNOTATED}/annotation", "useDefaultCartesian"),
        (f"v2/scenes/{ANNOTATED}/annotations", "useDefaultCartesian"),
        (f"v1/annotations/inputs/{ANNOTATED}/annotation-type/object-detection", "useDefaultCartesian"),
        (SEARCH, "useDefaultCartesian"),
    ],
)
async def test_cuboids(caller: Caller, path: str, flag: str) -> None:
    """A convention for cuboids may be asked for, by true or false."""
    assert (await caller.get(f"{path}?{flag}=true")).status == 200
    answer = await caller.get(f"{path}?{flag}=yes")
    assert (answer.status, answer.message) == (400, f"{flag} must be true or false, got 'yes'")


async def test_one_annotation_per_id(platform: Platform) -> None:
    """An id serves for one annotation."""
    with pytest.raises(PlatformError, match="exists already"):
        platform.add_annotation(WAITING, id=ANNOTATION_ID)


async def link(caller: Caller) -> str:
    return str((await caller.get(f"v2/inputs/{ANNOTATED}/annotation")).data["uri"])


async def test_link_to_content(caller: Caller, emulator: Emulator) -> None:
    """A link needs no token, gives JSON, and counts as a download."""
    url = await link(caller)
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
    assert emulator.recorder.peak["downloads"] == 1
    assert emulator.recorder.peak["uploads"] == 0


async def test_link_with_a_token(caller: Caller) -> None:
    """A link that is followed with a token is refused, as real stores do."""
    assert (await caller.request("GET", await link(caller), headers=caller.headers)).status == 400


@pytest.mark.parametrize(("old", "new"), [("X-Signature=", "X-Signature=0"), ("annotation-", "annotation_")])
async def test_forged_link(caller: Caller, old: str, new: str) -> None:
    """A link in which anything was changed is refused."""
    answer = await caller.request("GET", (await link(caller)).replace(old, new))
    assert (answer.status, "SignatureDoesNotMatch" in answer.text) == (403, True)


async def test_link_is_for_reading(caller: Caller) -> None:
    """A link to read cannot be written to, nor a link to write read from."""
    assert (await caller.put(await link(caller))).status == 403
    upload = (await caller.create()).data["files"]["0.jpg"]
    assert (await caller.request("GET", upload)).status == 403


async def test_link_expires(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A link works until its lifetime is over."""
    url = await link(caller)
    clock.advance(platform.timing.url_lifetime)
    answer = await caller.request("GET", url)
    assert (answer.status, "ExpiredToken" in answer.text) == (400, True)


async def test_uploads_cannot_be_got(caller: Caller, platform: Platform) -> None:
    """Nothing is kept of an uploaded file that could be got, even with a good link."""
    scene = platform.scene(await caller.make_scene())
    answer = await caller.request("GET", platform.storage.signed_url(f"{scene.prefix}/0.jpg", "GET"))
    assert (answer.status, "NoSuchKey" in answer.text) == (404, True)
