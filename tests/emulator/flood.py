"""Floods an emulator, and prints its peak memory in MiB and the seconds of the most work: `python -m ... KIND`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import attrs

from kognic_aio.emulator import CLIENT_ID, CLIENT_SECRET, INPUT_UUIDS, WORKSPACE_ID, Emulator
from kognic_aio.emulator.bodies import MAX_VALUES
from tests.cost import peak_memory, worked

TOKEN = "/v1/auth/oauth/token"
FORM = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
ANNOTATE = "/v1/pre-annotations"
CALIBRATE = f"/v1/calibrations?workspaceId={WORKSPACE_ID}"
QUERY = "/v2/scenes/query"
MANY = range(MAX_VALUES - 100)
TEXTS = list(map(str, MANY))
SENSORS = {"externalId": "a", "calibration": {text: {} for text in TEXTS[::2]}}


@attrs.frozen
class Flood:
    """Requests that are all alike; the path has a number at its end if it has a query."""

    method: str
    path: str
    count: int
    body: Any = None
    headers: dict[str, str] = attrs.field(factory=dict)
    with_token: bool = False


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(160):
        yield b"x" * 65536


def as_json(value: Any) -> BytesIO:
    return BytesIO(json.dumps(value).encode())


def pre_annotation(content: Any) -> BytesIO:
    return as_json({"sceneUuid": INPUT_UUIDS[0], "preAnnotation": content})


def polygon() -> BytesIO:
    lines = {"name": "a", "closed": False, "val": [1.5 for _ in MANY]}
    element = {"name": "a", "type": "b", "object_data": {"poly3d": [lines]}}
    return pre_annotation({"openlabel": {"metadata": {"schema_version": "1.0.0"}, "objects": {"1": element}}})


FLOODS = {
    "headers": Flood("GET", "/v1/projects?", 3000, headers={f"X-{n}": "x" * 8000 for n in range(10)}),
    "queries": Flood("GET", "/v1/projects?" + "a&" * 3000, 500),
    "forms": Flood("POST", f"{TOKEN}?", 4000, lambda: b"x" * 60_000),
    "large forms": Flood("POST", f"{TOKEN}?", 300, lambda: b"x" * 1_000_000),
    "bodies": Flood("POST", "/v1/inputs?", 50, chunks),
    "files": Flood("PUT", "/storage/a/b/c?", 50, chunks),
    "tokens": Flood("POST", f"{TOKEN}?", 5000, lambda: FORM),
    "lists": Flood("POST", ANNOTATE, 1, lambda: pre_annotation([[] for _ in MANY[::2]]), with_token=True),
    "numbers": Flood("POST", ANNOTATE, 1, polygon, with_token=True),
    "objects": Flood("POST", CALIBRATE, 1, lambda: as_json(SENSORS), with_token=True),
    "texts": Flood("POST", QUERY, 1, lambda: as_json({"sceneUuids": TEXTS}), with_token=True),
    "keys": Flood("POST", QUERY, 1, lambda: as_json(dict.fromkeys(TEXTS, 1)), with_token=True),
}


async def flood(kind: str) -> float:
    """Send all requests of a flood, and return the seconds of work for the answer that takes most."""
    flood, most = FLOODS[kind], 0.0
    async with Emulator(unknown_scenes="omit") as emulator, aiohttp.ClientSession(emulator.url) as session:
        headers = dict(flood.headers)
        if flood.with_token:
            async with session.post(TOKEN, data=FORM) as answer:
                headers["Authorization"] = f"Bearer {(await answer.json())['access_token']}"
        for index in range(flood.count):
            path = f"{flood.path}{index}" if flood.path.endswith(("?", "&")) else flood.path
            data = None if flood.body is None else flood.body()
            before = worked()
            async with session.request(flood.method, path, data=data, headers=headers) as answer:
                assert answer.status < 500, answer.status
                await answer.read()
            most = max(most, worked() - before)
    return most


if __name__ == "__main__":
    seconds = asyncio.run(flood(sys.argv[1]))
    sys.stdout.write(f"{peak_memory()} {seconds}")
