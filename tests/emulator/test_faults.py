"""Faults: what goes wrong, where relative to the effect, and how often."""

import asyncio
import base64
import hashlib
import math
import socket
import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import anyio
import google_crc32c
import pytest

from kognic_aio.emulator import WORKSPACE_ID, Emulator, Platform, faults
from tests.waiting import GENEROUS, until

from .support import CSV, Caller, Clock, scene_body

pytestmark = pytest.mark.anyio

RESERVE = "POST v1/inputs/initialize"
LIST = "GET v1/projects"
BATCH = "v1/projects/project-a/batches/batch-9"
CREATE_BATCH = "POST v1/projects/{project}/batches/{batch}"

CONNECTION_LOST = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)


def made_batch(platform: Platform) -> bool:
    """Whether the effect of a request for a new batch took place."""
    return "batch-9" in platform.projects.project("project-a").batches


async def statuses(caller: Caller, count: int, path: str = "v1/projects") -> list[int]:
    return [(await caller.get(path)).status for _ in range(count)]


async def signed_url(caller: Caller) -> str:
    return str((await caller.create()).data["files"]["0.jpg"])


def raw_request(caller: Caller, method: str, path: str, *headers: str) -> bytes:
    """The head of a request with a token."""
    host = f"Host: {caller.emulator.url.removeprefix('http://')}"
    token = f"Authorization: {caller.headers['Authorization']}"
    return "\r\n".join([f"{method} /{path} HTTP/1.1", host, token, *headers, "", ""]).encode()


class TestStatus:
    async def test_before_the_effect(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """An error status comes in place of the endpoint, and what was sent is recorded."""
        emulator.faults.add(faults.Status(503), on=CREATE_BATCH)
        answer = await caller.post(BATCH, {"publishPreviousBatches": False})
        assert (answer.status, answer.message) == (503, "status 503 was injected")
        assert not made_batch(platform)
        *_, request = emulator.recorder.requests()
        assert (request.status, request.fault) == (503, faults.Status(503))
        assert request.body == {"publishPreviousBatches": False}

    async def test_after_the_effect(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """An error status may hide that the endpoint ran."""
        emulator.faults.add(faults.Status(500, after_effect=True), on=CREATE_BATCH)
        assert (await caller.post(BATCH, {"publishPreviousBatches": False})).status == 500
        assert made_batch(platform)

    @pytest.mark.parametrize(
        ("retry_after", "header"),
        [
            (None, None),
            (7, "7"),
            (0.5, "0.5"),
            (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "Fri, 02 Jan 2026 03:04:05 GMT"),
        ],
    )
    async def test_retry_after(self, caller: Caller, emulator: Emulator, retry_after: Any, header: str | None) -> None:
        """Retry-After is a number of seconds or a date of HTTP, and missing unless it is asked for."""
        emulator.faults.add(faults.Status(429, retry_after=retry_after), on=LIST)
        async with caller.session.get(f"{emulator.url}/v1/projects", headers=caller.headers) as answer:
            assert (answer.status, answer.headers.get("Retry-After")) == (429, header)

    async def test_of_the_storage(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """Of a signed URL the error is in XML, and the file is not stored."""
        url = await signed_url(caller)
        emulator.faults.add(faults.Status(503), on=faults.UPLOADS)
        answer = await caller.put(url, b"x" * 1_000_000)
        assert (answer.status, answer.text[:5]) == (503, "<?xml")
        assert not platform.objects
        assert (await caller.put(url)).status == 200

    async def test_of_the_storage_after_the_effect(
        self, caller: Caller, emulator: Emulator, platform: Platform
    ) -> None:
        """A file may be stored though the storage says that it failed."""
        url = await signed_url(caller)
        emulator.faults.add(faults.Status(500, after_effect=True), on=faults.UPLOADS)
        assert (await caller.put(url)).status == 500
        assert len(platform.objects) == 1

    async def test_in_place_of_a_refusal(self, caller: Caller, emulator: Emulator) -> None:
        """What comes after the effect comes also if the endpoint refuses."""
        emulator.faults.add(faults.Status(502, after_effect=True), on="POST v1/inputs")
        assert (await caller.post("v1/inputs", {})).status == 502


class TestConnections:
    async def test_dropped_before_the_effect(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The client gets no answer, and nothing has changed."""
        emulator.faults.add(faults.Drop(), on=CREATE_BATCH)
        with pytest.raises(CONNECTION_LOST):
            await caller.post(BATCH, {"publishPreviousBatches": False})
        assert not made_batch(platform)
        *_, request = emulator.recorder.requests()
        assert (request.status, request.body) == (None, {"publishPreviousBatches": False})

    async def test_dropped_after_the_effect(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The client gets no answer, though the request took effect."""
        emulator.faults.add(faults.Drop(after_effect=True), on=CREATE_BATCH)
        with pytest.raises(CONNECTION_LOST):
            await caller.post(BATCH, {"publishPreviousBatches": False})
        assert made_batch(platform)

    async def test_upload_dropped_after_the_effect(
        self, caller: Caller, emulator: Emulator, platform: Platform
    ) -> None:
        """A file is stored whose client does not get to know."""
        url = await signed_url(caller)
        # aiohttp itself repeats what is not a POST, once.
        emulator.faults.add(faults.Drop(after_effect=True), on=faults.UPLOADS, times=2)
        with pytest.raises(CONNECTION_LOST):
            await caller.put(url)
        assert len(platform.objects) == 1

    async def test_a_drop_is_a_reset(self, caller: Caller, emulator: Emulator) -> None:
        """The connection ends with a reset, not in the orderly way."""
        emulator.faults.add(faults.Drop(), on=LIST)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        writer.write(raw_request(caller, "GET", "v1/projects"))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    async def test_reset_while_sending(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The connection of an upload is reset when so many bytes of its body were read; nothing is stored."""
        url = await signed_url(caller)
        emulator.faults.add(faults.ResetRequest(after=1000), on=faults.UPLOADS)
        endless = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"x" * 5000
            await endless.wait()

        with anyio.fail_after(GENEROUS), pytest.raises(CONNECTION_LOST):
            await caller.put(url, body())
        assert not platform.objects
        (request,) = emulator.recorder.requests("PUT")
        assert (request.size, request.status) == (1000, None)

    async def test_reset_after_a_short_body(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """A body that is shorter is read whole, but has no effect either."""
        emulator.faults.add(faults.ResetRequest(after=10**9), on=CREATE_BATCH)
        with pytest.raises(CONNECTION_LOST):
            await caller.post(BATCH, {"publishPreviousBatches": False})
        assert not made_batch(platform)

    async def test_stops_reading(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """So many bytes of an upload are read, then no more; the request waits until its client goes away."""
        url = await signed_url(caller)
        emulator.faults.add(faults.StopReading(after=1000), on=faults.UPLOADS)
        request = asyncio.create_task(caller.put(url, b"x" * 5000))
        await until(lambda: [record.size for record in emulator.recorder.requests("PUT")] == [1000])
        assert not request.done()
        assert emulator.recorder.in_flight["uploads"] == 1
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await until(lambda: emulator.recorder.in_flight["uploads"] == 0)
        assert not platform.objects

    async def test_stops_reading_until_a_reset(self, caller: Caller, emulator: Emulator) -> None:
        """A reset of a large request is heard of, though nothing is read any more."""
        emulator.faults.add(faults.StopReading(), on=CREATE_BATCH)
        _, writer = await asyncio.open_connection("127.0.0.1", int(emulator.url.rpartition(":")[2]))
        writer.write(raw_request(caller, "POST", BATCH, "Content-Length: 9000000") + bytes(9_000_000))
        await until(lambda: emulator.recorder.in_flight["api"] == 1)
        now = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        writer.transport.abort()
        await until(lambda: emulator.recorder.in_flight["api"] == 0)

    async def test_a_late_effect(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """A gateway gives up at once; what it was asked for happens later."""
        emulator.faults.add(faults.LateEffect(0.5), on=CREATE_BATCH)
        assert (await caller.post(BATCH, {"publishPreviousBatches": False})).status == 504
        assert not made_batch(platform)
        await until(lambda: made_batch(platform))

    async def test_reset_while_answering(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The client gets the head of a good answer and a part of its body; the request took effect."""
        emulator.faults.add(faults.ResetAnswer(), on=CREATE_BATCH)
        url, body = f"{emulator.url}/{BATCH}", {"publishPreviousBatches": False}
        async with caller.session.post(url, json=body, headers=caller.headers) as answer:
            assert answer.status == 200
            assert answer.content_length is not None
            assert await answer.content.readexactly(answer.content_length // 2)
            with pytest.raises(CONNECTION_LOST):
                await answer.content.read()
        assert made_batch(platform)

    async def test_reset_while_answering_an_upload(
        self, caller: Caller, emulator: Emulator, platform: Platform
    ) -> None:
        """An answer without a body is made to miss something as well."""
        url = await signed_url(caller)
        emulator.faults.add(faults.ResetAnswer(), on=faults.UPLOADS)
        with pytest.raises(CONNECTION_LOST):
            await caller.put(url)
        assert len(platform.objects) == 1

    async def test_the_next_request(self, caller: Caller, emulator: Emulator) -> None:
        """A client that was cut off finds everything in order when it comes again."""
        for fault in (faults.Drop(), faults.Drop(after_effect=True), faults.ResetRequest(), faults.ResetAnswer()):
            emulator.faults.add(fault, on=RESERVE)
            with pytest.raises(CONNECTION_LOST):
                await caller.reserve()
            assert await caller.reserve()
        await until(lambda: emulator.recorder.connections_open == 1)
        assert emulator.recorder.in_flight["api"] == 0


class TestAnswers:
    async def test_slow_answer(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The request has taken effect while the answer is still to come; a client that goes away ends it."""
        emulator.faults.add(faults.SlowAnswer(3600), on=CREATE_BATCH)
        request = asyncio.create_task(caller.post(BATCH, {"publishPreviousBatches": False}))
        await until(lambda: made_batch(platform))
        assert not request.done()
        request.cancel()
        await until(lambda: emulator.recorder.in_flight["api"] == 0)

    async def test_answer_that_is_late_at_last(self, caller: Caller, emulator: Emulator) -> None:
        """When the time is over the client gets its answer."""
        emulator.faults.add(faults.SlowAnswer(0.001), on=LIST)
        assert len((await caller.get("v1/projects")).data) == 2

    async def test_truncated_json(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """Half of the JSON comes as if it were all of it."""
        emulator.faults.add(faults.TruncatedJson(), on=CREATE_BATCH)
        url, body = f"{emulator.url}/{BATCH}", {"publishPreviousBatches": False}
        async with caller.session.post(url, json=body, headers=caller.headers) as answer:
            text = await answer.text()
            assert (answer.status, answer.content_type) == (200, "application/json")
        assert text.startswith('{"data": ')
        assert not text.endswith("}")
        assert made_batch(platform)

    @pytest.mark.parametrize("status", [200, 502])
    @pytest.mark.parametrize("after_effect", [False, True])
    async def test_html(
        self, caller: Caller, emulator: Emulator, platform: Platform, status: int, after_effect: bool
    ) -> None:
        """A page comes instead of JSON, with a good status or a bad one, before the effect or after it."""
        emulator.faults.add(faults.Html(status, after_effect=after_effect), on=CREATE_BATCH)
        answer = await caller.post(BATCH, {"publishPreviousBatches": False})
        assert (answer.status, answer.text[:15]) == (status, "<!DOCTYPE html>")
        assert made_batch(platform) is after_effect

    @pytest.mark.parametrize("status", [200, 502])
    @pytest.mark.parametrize("after_effect", [False, True])
    async def test_html_of_the_storage(
        self, caller: Caller, emulator: Emulator, platform: Platform, status: int, after_effect: bool
    ) -> None:
        """A page comes instead of the storage's empty answer, before the file is stored or after it."""
        url = await signed_url(caller)
        emulator.faults.add(faults.Html(status, after_effect=after_effect), on=faults.UPLOADS)
        answer = await caller.put(url)
        assert (answer.status, answer.text[:15]) == (status, "<!DOCTYPE html>")
        assert bool(platform.objects) is after_effect

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("after_effect", [False, True])
    async def test_redirect(
        self, caller: Caller, emulator: Emulator, platform: Platform, status: Any, after_effect: bool
    ) -> None:
        """The client is sent elsewhere, of an API as of the storage, before the effect or after it."""
        fault = faults.Redirect("https://login.invalid/?back=1", status, after_effect=after_effect)
        emulator.faults.add(fault, on=CREATE_BATCH)
        emulator.faults.add(fault, on=faults.UPLOADS)
        for method, url in (("POST", f"{emulator.url}/{BATCH}"), ("PUT", await signed_url(caller))):
            headers = caller.headers if method == "POST" else {}
            body = {"json": {"publishPreviousBatches": False}} if method == "POST" else {"data": CSV}
            call: Any = caller.session.request(method, url, headers=headers, allow_redirects=False, **body)
            async with call as answer:
                assert (answer.status, answer.headers["Location"]) == (status, "https://login.invalid/?back=1")
        assert made_batch(platform) is bool(platform.objects) is after_effect

    @pytest.mark.parametrize("after_effect", [False, True])
    async def test_long_header(
        self, caller: Caller, emulator: Emulator, platform: Platform, after_effect: bool
    ) -> None:
        """The good answer has a header of the length that was wished for, or an empty one with 503 does."""
        emulator.faults.add(faults.LongHeader(60_000, after_effect=after_effect), on=faults.UPLOADS)
        call = caller.session.put(await signed_url(caller), data=CSV, max_field_size=70_000)
        async with call as answer:
            assert (answer.status, len(answer.headers["X-Long"])) == (200 if after_effect else 503, 60_000)
        assert bool(platform.objects) is after_effect


class TestStorage:
    @pytest.mark.parametrize(("status", "code"), [(400, "ExpiredToken"), (403, "AccessDenied")])
    async def test_expired_url(self, caller: Caller, emulator: Emulator, status: Any, code: str) -> None:
        """A URL counts as expired and stays so; others do not."""
        first, second = [await signed_url(caller) for _ in range(2)]
        emulator.faults.add(faults.ExpiredUrl(status))
        for _ in range(2):
            answer = await caller.put(first)
            assert (answer.status, f"<Code>{code}</Code>" in answer.text) == (status, True)
        assert (await caller.put(second)).status == 200
        assert emulator.faults.injected == {"ExpiredUrl": 1}

    async def test_corrupt_upload(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """What is stored differs from what was sent, and only the checksum of the answer tells it."""
        url = await signed_url(caller)
        emulator.faults.add(faults.CorruptUpload())
        async with caller.session.put(url, data=CSV) as answer:
            assert answer.status == 200
            told = answer.headers["x-goog-hash"]
        (stored,) = platform.objects.values()
        sent = base64.b64encode(google_crc32c.value(CSV).to_bytes(4, "big")).decode()
        assert told == f"crc32c={stored.crc32c}" != f"crc32c={sent}"
        assert stored.size != len(CSV)
        assert stored.sha256 != hashlib.sha256(CSV).hexdigest()
        (request,) = emulator.recorder.requests("PUT")
        assert (request.size, request.sha256) == (len(CSV), hashlib.sha256(CSV).hexdigest())


class TestTokens:
    async def test_revoked_tokens(self, caller: Caller, emulator: Emulator, platform: Platform) -> None:
        """The request is refused with 401, those after it too, until the client has a new token."""
        emulator.faults.add(faults.RevokeTokens(), on=faults.APIS)
        assert (await caller.post(BATCH, {"publishPreviousBatches": False})).status == 401
        assert not made_batch(platform)
        assert await statuses(caller, 2) == [401, 401]
        await caller.log_in()
        assert await statuses(caller, 1) == [200]

    async def test_only_requests_with_a_token(self, caller: Caller, emulator: Emulator) -> None:
        """Requests that need no token do not use the fault up."""
        url = await signed_url(caller)
        revocation = emulator.faults.add(faults.RevokeTokens())
        await caller.log_in()
        await caller.put(url)
        assert (revocation.seen, revocation.injected) == (0, 0)
        assert await statuses(caller, 1) == [401]


class TestScenes:
    async def test_processing_fails(self, caller: Caller, emulator: Emulator) -> None:
        """The next scene that is committed becomes failed, with what the platform says to it."""
        emulator.faults.add(faults.FailProcessing("too dark"))
        first, second = [await caller.make_scene() for _ in range(2)]
        answer = await caller.post("v2/scenes/query", {"sceneUuids": [first, second]})
        assert [scene["status"] for scene in answer.data] == ["failed", "created"]
        assert answer.data[0]["errorMessage"] == "too dark"

    async def test_processing_never_ends(self, caller: Caller, emulator: Emulator, clock: Clock) -> None:
        """A scene stays in processing, however long one waits."""
        emulator.faults.add(faults.HangProcessing())
        uuid = await caller.make_scene()
        clock.advance(10**9)
        await caller.log_in()
        assert await caller.status(uuid) == "processing"

    async def test_some_scenes(self, caller: Caller, emulator: Emulator) -> None:
        """External ids tell which scenes are struck."""
        emulator.faults.add(faults.FailProcessing(), on="night-*", times=math.inf)
        made = {name: await caller.make_scene(body=scene_body("cameras", name)) for name in ("day-1", "night-1")}
        assert {name: await caller.status(uuid) for name, uuid in made.items()} == {
            "day-1": "created",
            "night-1": "failed",
        }

    @pytest.mark.parametrize("key", ["sceneUuids", "externalIds"])
    async def test_query_limit(self, caller: Caller, emulator: Emulator, key: str) -> None:
        """Every query for more scenes than the limit is refused, until the fault is cleared."""
        ids = {"sceneUuids": list(emulator.platform.scenes.by_uuid), "externalIds": ["seeded-1", "seeded-2"]}[key]
        emulator.faults.add(faults.QueryLimit(1))
        for _ in range(2):
            answer = await caller.post("v2/scenes/query", {key: ids})
            assert (answer.status, answer.message) == (400, "a query may name 1 scenes, not 2")
        assert len((await caller.post("v2/scenes/query", {key: ids[:1]})).data) == 1
        assert emulator.faults.injected == {"QueryLimit": 2}
        emulator.faults.clear()
        assert len((await caller.post("v2/scenes/query", {key: ids})).data) == 2


class TestWhen:
    async def test_nothing_by_default(self, caller: Caller, emulator: Emulator) -> None:
        """Nothing goes wrong unless it is asked for."""
        await caller.make_scene()
        assert not emulator.faults.injected
        assert not [request for request in emulator.recorder.requests() if request.fault or request.status != 200]

    async def test_once_by_default(self, caller: Caller, emulator: Emulator) -> None:
        """A fault strikes once unless it is told otherwise."""
        emulator.faults.add(faults.Status(500), on=LIST)
        assert await statuses(caller, 3) == [500, 200, 200]

    async def test_skip_and_times(self, caller: Caller, emulator: Emulator) -> None:
        """A fault lets so many requests pass, then strikes so many."""
        planned = emulator.faults.add(faults.Status(500), on=LIST, skip=2, times=2)
        assert await statuses(caller, 6) == [200, 200, 500, 500, 200, 200]
        assert (planned.seen, planned.injected, planned.exhausted) == (4, 2, True)

    async def test_always(self, caller: Caller, emulator: Emulator) -> None:
        """A fault may go on until it is cleared, and stays counted."""
        emulator.faults.add(faults.Status(500), on=LIST, times=math.inf)
        assert await statuses(caller, 5) == [500] * 5
        emulator.faults.clear()
        assert await statuses(caller, 1) == [200]
        assert emulator.faults.injected == {"Status": 5}

    async def test_queue(self, caller: Caller, emulator: Emulator) -> None:
        """Faults for one route strike one after the other, in the order in which they were added."""
        for status in (500, 503, 429):
            emulator.faults.add(faults.Status(status), on=LIST)
        assert await statuses(caller, 4) == [500, 503, 429, 200]

    @pytest.mark.parametrize(
        ("on", "struck"),
        [
            (faults.EVERYTHING, {"initialize", "cameras", "PUT", "commit", "query"}),
            (faults.APIS, {"initialize", "cameras", "commit", "query"}),
            (faults.SIGNED_URLS, {"PUT"}),
            (faults.UPLOADS, {"PUT"}),
            (faults.DOWNLOADS, set()),
            (faults.COMMIT, {"commit"}),
            (faults.STATUS_QUERY, {"query"}),
            ("POST v1/inputs/*", {"initialize", "cameras", "commit"}),
            ("POST v2/*", {"query"}),
        ],
    )
    async def test_patterns(self, caller: Caller, emulator: Emulator, on: str, struck: set[str]) -> None:
        """A fault strikes the routes whose names it is given by name or by pattern, and no others."""
        emulator.faults.add(faults.SlowAnswer(0), on=on, times=math.inf)
        await caller.status(await caller.make_scene())
        names = {"initialize", "cameras", "commit", "query"}
        found = {request.path.rpartition("/")[2] for request in emulator.recorder.requests() if request.fault}
        assert {name if name in names else "PUT" for name in found} == struck

    async def test_probability(self, caller: Caller, emulator: Emulator) -> None:
        """The same seed decides alike, another one otherwise."""

        async def decisions(seed: int) -> list[int]:
            emulator.faults.clear()
            emulator.faults.add(faults.Status(500), on=LIST, probability=0.5, seed=seed)
            return await statuses(caller, 20)

        first = await decisions(1)
        assert set(first) == {200, 500}
        assert await decisions(1) == first
        assert await decisions(2) != first

    async def test_other_requests_do_not_matter(self, caller: Caller, emulator: Emulator) -> None:
        """What a fault decides depends on none but the requests that match it, whatever other faults do."""
        emulator.faults.add(faults.Status(500), on=LIST, probability=0.5, seed=1)
        alone = await statuses(caller, 10)
        emulator.faults.clear()
        emulator.faults.add(faults.Status(503), on="GET v1/calibrations", probability=0.5, seed=1)
        emulator.faults.add(faults.Status(500), on=LIST, probability=0.5, seed=1)
        mixed: list[int] = []
        for _ in range(10):
            await caller.get("v1/calibrations")
            mixed += await statuses(caller, 1)
        assert mixed == alone

    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            (faults.Drop(), {"on": "POST v1/nowhere"}),
            (faults.RevokeTokens(), {"on": faults.TOKENS}),
            (faults.CorruptUpload(), {"on": LIST}),
            (faults.Drop(), {"times": 0}),
            (faults.Drop(), {"skip": -1}),
            (faults.Drop(), {"probability": 1.5}),
        ],
    )
    async def test_fault_that_could_never_strike(self, emulator: Emulator, fault: Any, options: Any) -> None:
        """A fault that names no route it can strike, or makes no sense, is an error at once."""
        with pytest.raises(ValueError, match=r"can strike no route|must be"):
            emulator.faults.add(fault, **options)

    async def test_report(self, caller: Caller, emulator: Emulator) -> None:
        """The report tells what was injected, and looking at it is never struck."""
        emulator.faults.add(faults.Status(500), on=LIST, times=2)
        emulator.faults.add(faults.Html(), skip=2, times=math.inf)
        assert await statuses(caller, 4) == [500, 500, 200, 200]
        report = (await caller.get("emulator/report")).json
        assert (report["faults"], report["rate_limited"]) == ({"Status": 2}, 0)


async def test_names_of_routes(emulator: Emulator) -> None:
    """The names that the module has for routes are names of routes."""
    for name in (faults.TOKENS, faults.COMMIT, faults.STATUS_QUERY):
        assert name in emulator.faults.routes
    assert WORKSPACE_ID not in emulator.faults.routes
