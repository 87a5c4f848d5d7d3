"""What is read of a request, and when: nothing before it is let in, no more than a bound, and JSON strictly."""

import json

import pytest

from kognic_aio.emulator import WORKSPACE_ID, Emulator, Platform, faults
from kognic_aio.emulator.bodies import MAX_FORM, MAX_JSON, MAX_VALUES

from .raw import Raw, ask
from .support import Caller, scene_body

pytestmark = pytest.mark.anyio

INITIALIZE = "v1/inputs/initialize"
ENDLESS = "Content-Length: 4000000000"


def token(caller: Caller) -> str:
    return f"Authorization: {caller.headers['Authorization']}"


@pytest.mark.parametrize("fault", [None, faults.Status(503), faults.LateEffect(0), faults.ResetRequest(10**9)])
async def test_no_body_without_a_token(emulator: Emulator, fault: faults.RequestFault | None) -> None:
    """A request without a token is refused before its body comes, and uses no fault up."""
    if fault is not None:
        emulator.faults.add(fault)
    answer = await ask(emulator, Raw("POST", f"/{INITIALIZE}", headers=[ENDLESS], body=b"{"))
    assert answer.status == 401
    (request,) = emulator.recorder.requests()
    assert (request.content, request.size, request.fault) == (b"", 0, None)
    assert not emulator.faults.injected


async def test_no_body_without_a_signature(caller: Caller, emulator: Emulator, platform: Platform) -> None:
    """A file for a URL that was not signed is refused before it comes."""
    created = (await caller.create()).data
    emulator.faults.add(faults.Status(503), on=faults.UPLOADS)
    target = f"/storage/{WORKSPACE_ID}/{created['internalId']}/0.jpg?X-Expires=1&X-Signature=2"
    answer = await ask(emulator, Raw("PUT", target, headers=[ENDLESS], body=b"x"))
    assert (answer.status, b"SignatureDoesNotMatch" in answer.body) == (403, True)
    assert not platform.objects
    assert not emulator.faults.injected


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("fault", [None, faults.Status(503), faults.Status(503, after_effect=True)])
async def test_a_body_that_is_too_large(
    caller: Caller, emulator: Emulator, told: bool, fault: faults.RequestFault | None
) -> None:
    """A body has a bound, whether its length is told or not."""
    if fault is not None:
        emulator.faults.add(fault)
    body = b" " * (MAX_JSON + 1)
    headers = [token(caller)]
    if not told:
        headers.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    answer = await ask(emulator, Raw("POST", f"/{INITIALIZE}", headers=headers, body=body))
    if fault is None or not fault.after_effect:
        assert (answer.status, b"more than 16,777,216 bytes" in answer.body) == (413, True)
    assert len(emulator.recorder.requests()[-1].content) <= MAX_JSON


async def test_a_form_that_is_too_large(emulator: Emulator) -> None:
    """A request for a token, which anybody may send, is small."""
    answer = await ask(emulator, Raw("POST", "/v1/auth/oauth/token", body=b"a" * (MAX_FORM + 1)))
    assert (answer.status, b"more than 65,536 bytes" in answer.body) == (413, True)


async def test_a_packed_body(caller: Caller, emulator: Emulator) -> None:
    """A body is not unpacked, which could make any size of it."""
    headers = {**caller.headers, "Content-Encoding": "gzip"}
    answer = await caller.request("POST", INITIALIZE, data=b"\x1f\x8b", headers=headers)
    assert (answer.status, "the body is not JSON" in answer.message) == (400, True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"workspaceId": "a", "workspaceId": "b"}', "the key 'workspaceId' more than once"),
        (b'{"workspaceId": NaN}', "NaN is no JSON"),
        (b'{"workspaceId": -Infinity}', "-Infinity is no JSON"),
        (b'{"workspaceId": 1e999}', "the number 1e999 is too large"),
        (b'{"workspaceId": 1%b}' % (b"0" * 5000), "the body is not JSON"),
        (b'{"workspaceId": 1%b}' % (b"0" * 4000), "workspaceId must be a string"),
        (b'{"workspaceId": "\\ud800"}', "workspaceId must be valid Unicode"),
        (b'{"workspaceId": {"a": ["\\uDFFF"]}}', "workspaceId.a[0] must be valid Unicode"),
        (b'{"\\ud800": 1}', "a key of the body must be valid Unicode"),
        (b'{"workspaceId": "\xed\xa0\x80"}', "the body is not JSON"),
        (b'{"workspaceId": "\xff"}', "the body is not JSON"),
        ('{"workspaceId": "a"}'.encode("utf-16"), "the body is not JSON"),
        (b'{"workspaceId": %b%b}' % (b"[" * 200, b"]" * 200), "workspaceId is nested too deeply"),
        (b"[" * 200 + b"]" * 200, "the body is nested too deeply"),
        (b"[" * 10**5, "the body is not JSON"),
        (b'{"a":' * (MAX_VALUES + 1), "the body has more than 300,000 values"),
        (b"[" + b"[]," * MAX_VALUES + b"[]]", "the body has more than 300,000 values"),
        (b'{"workspaceId": "%b"}' % (b"x" * 10**6), "..."),
    ],
)
async def test_json_that_is_none(caller: Caller, emulator: Emulator, content: bytes, problem: str) -> None:
    """What is no JSON, or can be understood in two ways, is refused with a message of some length that says why."""
    answer = await ask(emulator, Raw("POST", f"/{INITIALIZE}", headers=[token(caller)], body=content))
    assert answer.status in (400, 404)
    assert problem in json.loads(answer.body)["message"]
    assert len(answer.body) < 20_000


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**299, 1.5, 1e5, True, "1", "\u0663", " 5"])
async def test_integers_of_a_body(caller: Caller, number: object) -> None:
    """An integer is one in JSON, and fits into 64 bits."""
    body = scene_body("cameras-sequence")
    body["frames"][0]["relativeTimestamp"] = number
    answer = await caller.create("cameras-sequence", body)
    assert answer.status == 400
    assert answer.message.startswith("frames[0].relativeTimestamp must ")


@pytest.mark.parametrize(
    "number", ["-1", "+1", "1.0", "1e5", "%D9%A3", "%205", "5%20", "1_0", "9" * 19, "9" * 5000, "0x1"]
)
@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "v2/pre-annotations?offset={0}"),
        ("GET", "v2/pre-annotations?limit={0}"),
        ("POST", "v2/inputs/query?cursorId={0}"),
        ("GET", "v1/annotations/projects/project-a/annotation-type/object-detection/search?cursorId={0}"),
    ],
)
async def test_integers_of_a_query(caller: Caller, emulator: Emulator, method: str, target: str, number: str) -> None:
    """An integer in a query is digits of ASCII, and fits into 64 bits."""
    answer = await ask(emulator, Raw(method, f"/{target.format(number)}", headers=[token(caller)], body=b"{}"))
    assert answer.status == 400
    assert json.loads(answer.body)["message"]


@pytest.mark.parametrize("length", ["-1", "1e5", "\u0663", "5 5", "5,5", "9" * 30, "0x5", "1_0", "+5", ""])
async def test_length_of_a_body(caller: Caller, emulator: Emulator, length: str) -> None:
    """A length that is none, or larger than any, is refused."""
    headers = [token(caller), f"Content-Length: {length}"]
    answer = await ask(emulator, Raw("POST", f"/{INITIALIZE}", headers=headers, body=b"{}"))
    assert answer.status in (400, 413)
    assert json.loads(answer.body)["message"]


async def test_a_broken_chunk(caller: Caller, emulator: Emulator) -> None:
    """A body that breaks off in the middle of its chunks is refused."""
    headers = [token(caller), "Transfer-Encoding: chunked"]
    answer = await ask(emulator, Raw("POST", f"/{INITIALIZE}", headers=headers, body=b"zz\r\n{}\r\n0\r\n\r\n"))
    assert (answer.status, b"cannot be read" in answer.body) == (400, True)


@pytest.mark.parametrize("expires", ["9" * 5000, "-1", "1e5", "%D9%A3", "", "%FF"])
async def test_expiry_of_a_url(caller: Caller, emulator: Emulator, platform: Platform, expires: str) -> None:
    """An expiry that was not signed is refused, whatever it is."""
    url = (await caller.create()).data["files"]["0.jpg"]
    signature = url.partition("X-Signature=")[2]
    path = url.partition("?")[0].removeprefix(emulator.url)
    answer = await ask(emulator, Raw("PUT", f"{path}?X-Expires={expires}&X-Signature={signature}"))
    assert answer.status in (400, 403)
    assert not platform.objects


@pytest.mark.parametrize("path", ["%", "%2", "%zz", "%ff", "%ed%a0%80", "%c0%af", "\u00f6", "\udcff", "?a=%", "?a=%ff"])
async def test_escapes(caller: Caller, emulator: Emulator, path: str) -> None:
    """An escape that is none, or none of UTF-8, is refused."""
    answer = await ask(emulator, Raw("GET", f"/v2/scenes/{path}", headers=[token(caller)]))
    assert answer.status == 400
    assert json.loads(answer.body)["message"]


async def test_room_for_bodies(caller: Caller, platform: Platform) -> None:
    """What is kept of bodies has a bound; what keeps nothing goes on."""
    platform.room.max_kept = 3000
    statuses = [(await caller.create()).status for _ in range(10)]
    assert statuses[0] == 200
    assert set(statuses) == {200, 507}
    assert statuses == sorted(statuses)
    answer = await caller.create()
    assert "Emulator(max_kept=...)" in answer.message
    assert (await caller.create(dry_run=True)).status == 200
    assert (await caller.get("v1/projects")).status == 200


def test_room_as_an_option() -> None:
    """How much is kept is an option."""
    assert Emulator(max_kept=7).platform.room.max_kept == 7
