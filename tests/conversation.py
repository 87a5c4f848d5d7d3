"""What clients say to an emulator, in a form in which what two of them say can be compared."""

import dataclasses
import json
import re
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any

import attrs
from anyio import to_thread
from kognic.io.client import KognicIOClient as OfficialClient
from pydantic import BaseModel

from kognic_aio.emulator import Emulator, RecordedRequest

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*Z")
OPENING = ("/v1/auth/oauth/token", "/v1/workspaces")
HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "X-Dryrun", "X-Organization-Id")
"""The headers of the contract. Of the token it matters that it is there; the User-Agent is each client's own."""


class Conversation:
    """What one client said: every uuid by the order of its first appearance, uploads and downloads by name."""

    def __init__(self, requests: list[RecordedRequest]) -> None:
        self._uuids: dict[str, str] = {}
        self.requests = [request for request in requests if request.path not in OPENING]
        to_api = [request for request in self.requests if not request.path.startswith("/storage/")]
        signed = [request for request in self.requests if request.path.startswith("/storage/")]
        self.calls = [self._call(request) for request in to_api]
        self.uploads = sorted(self._upload(request) for request in signed if request.method == "PUT")
        self.downloads = sorted(self._download(request) for request in signed if request.method == "GET")
        self.headers = [request.headers for request in to_api]

    def _call(self, request: RecordedRequest) -> dict[str, Any]:
        body = self._numbered(request.content.decode())
        return {
            "request": f"{request.method} {self._numbered(request.path)}",
            "query": sorted((key, self._numbered(value)) for key, value in request.query.items()),
            "body": json.loads(body) if body else None,
            "authorized": request.headers.get("Authorization", "").startswith("Bearer "),
            "headers": {name: request.headers.get(name) for name in HEADERS},
        }

    def _upload(self, request: RecordedRequest) -> tuple[str, str, bool]:
        """IMU data is one upload too; that of each client has white space of its own."""
        name = request.path.rpartition("/")[2]
        is_file = name.endswith((".jpg", ".csv"))
        shown = (UUID.sub("", name), request.sha256 or "") if is_file else ("imu", "")
        return *shown, "Authorization" in request.headers

    def _download(self, request: RecordedRequest) -> tuple[str, bool]:
        return UUID.sub("", request.path), "Authorization" in request.headers

    def _numbered(self, text: str) -> str:
        return UUID.sub(lambda match: self._uuids.setdefault(match[0], f"uuid-{len(self._uuids)}"), text)

    def plain(self, result: Any) -> Any:
        """A result as plain data, with its uuids numbered as in the requests, and dates just as such."""
        if isinstance(result, Mapping):
            return {self.plain(key): self.plain(value) for key, value in result.items()}
        if isinstance(result, list | tuple):
            return [self.plain(item) for item in result]
        if isinstance(result, set | frozenset):
            return sorted(self.plain(item) for item in result)
        if isinstance(result, str):
            return DATE.sub("date", self._numbered(result))
        names = _field_names(result)
        return {name: self.plain(getattr(result, name)) for name in names} if names else _date(result)


def _field_names(result: object) -> list[str]:
    """The fields of a model of either client, none of anything else."""
    if isinstance(result, BaseModel):
        return list(type(result).model_fields)
    if is_dataclass(result):
        return [field.name for field in dataclasses.fields(result)]
    kind: type[Any] = type(result)
    return [field.name for field in attrs.fields(kind)] if attrs.has(kind) else []


def _date(result: object) -> object:
    return "date" if isinstance(result, datetime) else result


async def theirs(emulator: Emulator, work: Callable[[OfficialClient], Any], **options: Any) -> tuple[Conversation, Any]:
    """What the official client says and gets. It blocks and runs event loops of its own, so it works in a thread."""

    def drive() -> Any:
        client = OfficialClient(**emulator.client_options(), **options)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of names that it deprecates, which we check on our side
                return work(client)
        finally:
            client._auth_session.oauth_session.close()

    return await listened(emulator, lambda: to_thread.run_sync(drive))


async def listened(emulator: Emulator, work: Callable[[], Awaitable[Any]]) -> tuple[Conversation, Any]:
    """What is said to an emulator in the meantime, and what the work results in."""
    before = len(emulator.recorder.requests())
    result = await work()
    return Conversation(emulator.recorder.requests()[before:]), result
