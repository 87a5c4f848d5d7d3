"""The platform's wire, as far as the lower bounds and the prototype need it."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from attrs import frozen

from benchmarks.cases import Plan
from benchmarks.contenders.order import Order

FORM = "application/x-www-form-urlencoded"


@frozen
class Account:
    """What all requests to the APIs need.

    Args:
        host: Base URL of the APIs.
        headers: With the token.
        workspace: The id of the workspace to write to.
    """

    host: str
    headers: dict[str, str]
    workspace: str

    @classmethod
    def log_in(cls, order: Order) -> "Account":
        """Fetch a token, and find the workspace."""
        client_id, client_secret = order.options["auth"]
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        host: str = order.options["host"]
        connection = _connect(order)
        token = _call(connection, "POST", "v1/auth/oauth/token", urlencode(form), {"Content-Type": FORM})
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        workspaces = _call(connection, "GET", "v1/workspaces", None, headers)
        connection.close()
        return cls(host, headers, workspaces["data"][0]["id"])

    def start_scenes(self, order: Order) -> Iterator[tuple[str, str]]:
        """Start all scenes. Yield the filename and the signed URL of each file."""
        connection = _connect(order)
        reserve = json.dumps({"workspaceId": self.workspace})
        for plan in order.plans:
            reserved = _call(connection, "POST", "v1/inputs/initialize", reserve, self.headers)
            path, body = start_request(self.workspace, reserved["data"]["sceneUuid"], plan)
            yield from _call(connection, "POST", path, json.dumps(body), self.headers)["data"]["files"].items()
        connection.close()


def _connect(order: Order) -> HTTPConnection:
    netloc = urlsplit(order.options["host"]).netloc
    return HTTPConnection(netloc) if order.tls is None else HTTPSConnection(netloc, context=order.tls)


def start_request(workspace: str, scene_uuid: str, plan: Plan) -> tuple[str, dict[str, Any]]:
    """The path and the body of the request that starts a scene."""
    frames: list[dict[str, Any]] = [
        {"images": [{"filename": name, "resourceId": name, "sensorName": f"CAM{i}"} for i, name in enumerate(names)]}
        for names in plan.frames
    ]
    body: dict[str, Any] = {"internalId": scene_uuid, "externalId": plan.external_id}
    if len(frames) == 1:
        return f"v1/inputs/cameras?workspaceId={workspace}", body | {"frame": frames[0]}
    for number, frame in enumerate(frames):
        frame |= {"frameId": str(number), "relativeTimestamp": 100 * number}
    return f"v1/inputs/cameras-sequence?workspaceId={workspace}", body | {"frames": frames}


def _call(connection: HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
    connection.request(method, f"/{path}", body, headers)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise ConnectionError(f"{method} {path}: status {response.status}: {content!r}")
    return json.loads(content)
