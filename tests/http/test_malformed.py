"""Whatever a server answers, what comes of it is a result or an error of our tree, and memory stays bounded."""

import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from operator import attrgetter
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Platform
from kognic_aio.errors import KognicError
from tests.client.calls import CALLS, OUR_WORDS, Call
from tests.http.models import JSON
from tests.scripted import Step, client_of, serving

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

METHODS = list({call.method: call for call in CALLS}.values())
MIB = 1 << 20
MAX_MEMORY = 200 * MIB


def answering(body: bytes, **headers: str) -> Step:
    return lambda _: web.Response(body=body, content_type="application/json", headers=headers)


NASTY: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a string": b'"text"',
    "a number": b"1" * 5000,
    "no number": b"[NaN, Infinity]",
    "objects in objects": b'{"data":' * 20_000 + b"1" + b"}" * 20_000,
    "lists in lists": b"[" * 100_000 + b"]" * 100_000,
    "half a letter": b'{"data": "\xc3"}',
    "half a surrogate": b'{"data": {"id": "\\ud800", "uuid": "\\ud800", "sceneUuid": "\\ud800"}}',
    "HTML": b"<!DOCTYPE html><html><body>Sign in</body></html>",
    "lists of nulls": b'{"data": [null, null], "metadata": {"nextCursorId": null}}',
    "a cursor that is none": b'{"data": [], "metadata": {"nextCursorId": {}}}',
    "metadata that is none": b'{"data": [], "metadata": 7}',
    "ids that are none": b'{"data": {"id": {}, "uuid": [], "sceneUuid": 1, "internalId": null, "files": "all"}}',
}


async def called(call: Call, client: KognicIOClient) -> None:
    given = call.arguments(Platform.seeded(), OUR_WORDS)
    with suppress(KognicError):
        await attrgetter(call.method)(client)(*given.args, **given.kwargs)


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("call", METHODS, ids=lambda call: call.method)
async def test_nasty_answers(call: Call, nasty: str) -> None:
    """Each method has a result or an error of our tree, whatever the server answers."""
    async with serving() as server, client_of(server, attempts=2) as client:
        server.always = answering(NASTY[nasty])
        await called(call, client)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(answer=JSON)
@pytest.mark.parametrize("call", METHODS, ids=lambda call: call.method)
async def test_any_json(call: Call, answer: Any) -> None:
    """Each method has a result or an error of our tree, whatever JSON the server answers."""
    async with serving() as server, client_of(server, attempts=2) as client:
        server.always = lambda _: web.json_response(answer)
        await called(call, client)


@cache
def packed_zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # gzip
    return b"".join(packer.compress(bytes(MIB)) for _ in range(mebibytes)) + packer.flush()


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_MEMORY


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_a_bomb(status: int) -> None:
    """An answer of a gigabyte of zeros, packed into a megabyte, is not unpacked to its end."""
    bomb = packed_zeros(1024)
    async with serving() as server, client_of(server, attempts=1) as client:
        server.always = lambda _: web.Response(status=status, body=bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(KognicError):
            await client.project.get_projects()


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_an_endless_answer(status: int) -> None:
    """An answer that does not end is not read for ever."""

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while True:
            await response.write(bytes(MIB))

    async with serving() as server, client_of(server, attempts=1) as client:
        server.streaming = endless
        with pytest.raises(KognicError):
            await client.project.get_projects()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A redirect to another host is an error, and the other host hears nothing, least of all the token."""
    async with serving() as other, serving() as server, client_of(server, attempts=1) as client:
        target = f"{other.url}/v1/projects".replace("127.0.0.1", "localhost")
        server.always = lambda _: web.Response(status=status, headers={"Location": target})
        with pytest.raises(KognicError, match=str(status)):
            await client.project.get_projects()
        with pytest.raises(KognicError, match=str(status)):
            await client.project.create_batch("project-a", "batch")
        assert other.requests == []
