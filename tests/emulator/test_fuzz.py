"""Whatever is sent, the emulator answers: never with a 500, and with a message where it refuses."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

import aiohttp
import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kognic_aio.emulator import (
    ANNOTATION_ID,
    INPUT_UUIDS,
    PRE_ANNOTATION_ID,
    PROJECT_IDS,
    TASK_ID,
    WORKSPACE_ID,
    Emulator,
    faults,
)
from kognic_aio.emulator.routes import ROUTES
from kognic_aio.emulator.state.calibrations import simple_sensor
from tests.waiting import GENEROUS

from .openlabels import everything, mutated
from .raw import Raw, RawAnswer, ask
from .support import Caller, imu_data, openlabel, scene_body
from .test_scene_requests import frame, request

pytestmark = pytest.mark.anyio

BOUNDED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
RIGHT_STATUSES = {200, 400, 401, 403, 404, 405, 409, 413, 421}
SCENE = "{scene}"
"""Where a body has the uuid of a scene that was reserved for it."""

ODD_NUMBERS = ["0", "-1", "+1", "1e5", "1.0", "01", " 5", "1_0", "٣", "²", "9" * 20, "9" * 5000, "NaN", "inf", "0x1"]
TEXT = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.sampled_from(ODD_NUMBERS))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([2**63, 2**64, 10**299, -(10**299), 1e300, -1e300, 5e-324, -0.0, 1e5, "\ud800", "", "\0"]),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)

ODD_IN_PATHS = st.sampled_from("%%%?\udc80\udcff")
TARGET = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF) | ODD_IN_PATHS, max_size=40)

PROJECT = "project-a"
KNOWN = {
    "project": [PROJECT, *PROJECT_IDS.values()],
    "batch": ["batch-2", "new"],
    "scene": list(INPUT_UUIDS),
    "input": list(INPUT_UUIDS),
    "annotation": [ANNOTATION_ID],
    "pre_annotation": [PRE_ANNOTATION_ID],
    "task": [TASK_ID],
    "type": ["object-detection"],
}
KEYS = [
    "workspaceId",
    "cursorId",
    "limit",
    "offset",
    "requestId",
    "projectId",
    "sceneId",
    "id",
    "externalId",
    "statuses",
    "includeInvalidated",
    "useDefaultCartesian",
    "isoBoxes",
    "anyRoleIn",
    "X-Expires",
    "X-Signature",
]
HEADERS = [
    "Content-Encoding",
    "Content-Type",
    "Authorization",
    "X-Dryrun",
    "Expect",
    "Upgrade",
    "Transfer-Encoding",
    "Range",
    "Cookie",
]
SENSORS = {"CAM": simple_sensor("camera"), "lidar": simple_sensor("lidar")}
FINDING = {
    "errorTypeId": "missing-object",
    "pin": {"x": 1, "y": 2.5, "z": 3, "worldCoordinates": True, "originFrame": "0"},
    "suggestedProperty": {"propertyName": "a", "suggestedPropertyValue": "b"},
    "metadata": {"a": "b"},
}
GOOD: dict[str, Any] = {
    **{
        f"v1/inputs/{path}?workspaceId={WORKSPACE_ID}": {"internalId": SCENE, **scene_body(path)}
        for path in ("cameras", "lidars", "lidars-and-cameras-sequence")
    },
    f"v1/imu?workspaceId={WORKSPACE_ID}": {"internalId": SCENE, "imuData": imu_data(0, 5)},
    "v2/scenes": request(frame(0), frame(1, external=True)),
    f"v1/calibrations?workspaceId={WORKSPACE_ID}": {"externalId": "new", "calibration": SENSORS},
    "v1/pre-annotations": {"sceneUuid": INPUT_UUIDS[0], "preAnnotation": openlabel(0, 100)},
    "v1/pre-annotations?": {"sceneUuid": INPUT_UUIDS[0], "externalId": "x", "preAnnotation": everything()},
    "v2/pre-annotations": {"sceneUuid": INPUT_UUIDS[0], "externalId": "y", "externalResourceId": "gs://a/b"},
    f"v1/annotations/{ANNOTATION_ID}/review": {"accepted": False, "feedbackItems": [FINDING], "workflow": "correct"},
    "v1/inputs": {"sceneUuid": INPUT_UUIDS[0], "project": PROJECT, "batch": "batch-2"},
    "v2/inputs": {"sceneUuid": INPUT_UUIDS[0], "projectExtId": PROJECT, "batchExtId": "batch-2"},
    "v2/inputs/query": {"project": PROJECT, "batch": "batch-2", "sceneUuids": list(INPUT_UUIDS), "externalIds": ["a"]},
    "v1/inputs/fetch": {"project": PROJECT, "externalIds": ["a"], "includeInvalidated": True},
    "v1/inputs/query": {"uuids": list(INPUT_UUIDS)},
    "v2/scenes/query": {"externalIds": ["seeded-1"]},
    "v1/projects/project-a/batches/new": {"publishPreviousBatches": False},
}


@pytest.fixture(autouse=True)
def no_tracebacks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that was sent is logged as an error."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@asynccontextmanager
async def called() -> AsyncIterator[Caller]:
    """Who calls an emulator of its own."""
    async with Emulator(keep_requests=10) as emulator, aiohttp.ClientSession() as session:
        caller = Caller(emulator, session)
        await caller.log_in()
        yield caller


async def sent(caller: Caller, method: str, target: str, body: Any = b"", *headers: str) -> RawAnswer:
    """Send what may be odd, and check that the answer is not."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = f"Authorization: {caller.headers['Authorization']}"
    answer = await ask(caller.emulator, Raw(method, target, headers=[token, *headers], body=content))
    assert answer.status in RIGHT_STATUSES, (answer.status, answer.body)
    if answer.status >= 400 and method != "HEAD":
        assert b"<Message>" in answer.body or json.loads(answer.body)["message"]
    return answer


@pytest.mark.parametrize("target", GOOD, ids=lambda target: target.partition("?")[0])
@BOUNDED
@given(value=JSON, seed=st.integers(0, 2**32))
async def test_a_good_body_with_something_odd(target: str, value: Any, seed: int) -> None:
    """A body of which one value is another is taken, or refused with a message."""
    dice = random.Random(seed)
    async with called() as caller:
        body = json.loads(json.dumps(GOOD[target]).replace(SCENE, await caller.reserve()))
        await sent(caller, "POST", f"/{target}", replaced(body, value, dice))
        await sent(caller, "POST", f"/{target}", mutated(body, dice))
        await answers_all(caller)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@BOUNDED
@given(data=st.data())
async def test_any_request_to_a_route(route: Any, data: st.DataObject) -> None:
    """A request of a route with any names, any query and any JSON is taken, or refused with a message."""
    names = {name: data.draw(st.sampled_from(values) | TEXT) for name, values in KNOWN.items()}
    path = "/".join(
        quote(names.get(part[1:-1]) or data.draw(TEXT), safe="") if part[0] == "{" else part
        for part in route.pattern.split("/")
    )
    query = data.draw(st.lists(st.tuples(st.sampled_from(KEYS), TEXT), max_size=4))
    target = f"/{path}?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in query)
    async with called() as caller:
        await sent(caller, route.method, target, data.draw(JSON))


@BOUNDED
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "M-SEARCH"]),
    target=TARGET,
    body=st.binary(max_size=40),
)
async def test_any_target(method: str, target: str, body: bytes) -> None:
    """A request for any target is refused, or finds something."""
    async with called() as caller:
        await sent(caller, method, f"/{printable(target)}", body)


@BOUNDED
@given(name=st.sampled_from(HEADERS), value=TEXT)
async def test_any_header(name: str, value: str) -> None:
    """A request with any value of a header is taken, or refused with a message."""
    async with called() as caller:
        await sent(caller, "POST", "/v2/scenes/query", b"{}", f"{name}: {printable(value)}")


@BOUNDED
@given(content=st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode(errors="surrogatepass")))
async def test_any_form(content: bytes) -> None:
    """A request for a token with any form is refused."""
    async with called() as caller:
        answer = await sent(caller, "POST", "/v1/auth/oauth/token", content)
    assert answer.status in (400, 401)


@BOUNDED
@given(content=st.binary(max_size=200))
async def test_any_bytes(content: bytes) -> None:
    """Bytes that are no HTTP harm nobody: the connection after them is answered."""
    async with called() as caller:
        with_host = b"POST /v2/scenes/query HTTP/1.1\r\nHost: localhost\r\n" + content
        for junk in (content, with_host):
            await throw(caller.emulator, junk)
        assert (await caller.get("v1/projects")).status == 200


@pytest.mark.parametrize("fault", [faults.Status(503), faults.TruncatedJson(), faults.LateEffect(0), faults.Html()])
async def test_odd_requests_under_faults(fault: faults.RequestFault) -> None:
    """A fault does what it does, whatever it strikes."""
    async with called() as caller:
        for content in (b"", b"\xff", b"[" * 10**5, b"{}"):
            caller.emulator.faults.add(fault, on=faults.STATUS_QUERY)
            token = f"Authorization: {caller.headers['Authorization']}"
            answer = await ask(caller.emulator, Raw("POST", "/v2/scenes/query", headers=[token], body=content))
            assert answer.status in (200, 400, 503, 504)


async def throw(emulator: Emulator, content: bytes) -> None:
    """Send bytes, say that there are no more, and wait until the emulator has closed."""
    with anyio.fail_after(GENEROUS), suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        writer.write(content)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        assert b" 500 " not in answer.partition(b"\r\n")[0]


async def answers_all(caller: Caller) -> None:
    """See that everything can be listed that was kept."""
    for target in ("v1/calibrations", "v2/pre-annotations", "v1/projects", "emulator/report"):
        await sent(caller, "GET", f"/{target}")
    for uuid in caller.emulator.platform.scenes.by_uuid:
        await sent(caller, "GET", f"/v2/scenes/{uuid}")
        await sent(caller, "GET", f"/v2/scenes/{uuid}/ego-poses")
        await sent(caller, "POST", "/v2/scenes/query", {"sceneUuids": [uuid]})


def replaced(body: Any, value: Any, dice: random.Random) -> Any:
    """A body with another value at a random place."""
    places = [(body, key) for key in body]
    for holder, key in places:
        inner = holder[key]
        if isinstance(inner, dict | list):
            places += [(inner, each) for each in (inner if isinstance(inner, dict) else range(len(inner)))]
    holder, key = dice.choice(places)
    holder[key] = value
    return body


def printable(text: str) -> str:
    """Text that does not end a line of a head."""
    return "".join(character for character in text if character not in "\r\n\0 {}")
