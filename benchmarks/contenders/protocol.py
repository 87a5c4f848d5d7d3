"""The protocol floor: the whole protocol over 32 bare connections, and nothing else.

Each scene is created on its own. It asks for its status when it should be ready, so that it asks once. There are no
models, checks, retries or checksums. A client with more connections can be faster where latency is what takes time.
"""

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from benchmarks.cases import PROJECT, Plan
from benchmarks.contenders.order import Order
from benchmarks.contenders.sockets import Http, Script, Sockets
from benchmarks.contenders.stopwatch import Stopwatch
from benchmarks.contenders.wire import Account, start_request

AT_ONCE = 32
"""Connections, and scenes between start and commit."""

PAUSE = 0.005
"""Seconds until a scene that is not ready is asked for again."""


@frozen
class Protocol:
    """Scripts that create scenes and their inputs."""

    account: Account
    http: Http
    processing_time: float
    stopwatch: Stopwatch

    def create(self, plan: Plan) -> Script:
        """Create a scene and its input."""
        reserved = yield [self._post("v1/inputs/initialize", {"workspaceId": self.account.workspace})]
        scene_uuid: str = _data(reserved)["sceneUuid"]
        started = yield [self._post(*start_request(self.account.workspace, scene_uuid, plan))]
        yield [self.http.put(url, name) for name, url in _data(started)["files"].items()]
        yield [self.http.post(f"v1/inputs/{scene_uuid}/actions/commit")]
        yield self.processing_time
        while _data((yield [self._post("v2/scenes/query", {"sceneUuids": [scene_uuid]})]))[0]["status"] != "created":
            yield PAUSE
        yield [self._post("v1/inputs", {"sceneUuid": scene_uuid, "project": PROJECT})]
        self.stopwatch.created()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self.http.post(path, json.dumps(body).encode())


def _data(responses: list[bytes]) -> Any:
    return json.loads(responses[0])["data"]


def run(order: Order) -> None:
    """Create all inputs."""
    stopwatch = Stopwatch(order.case.scenes)
    account = Account.log_in(order)
    http = Http(account.host, account.headers)
    protocol = Protocol(account, http, order.case.platform.processing_time, stopwatch)
    sockets = Sockets(http.address, AT_ONCE)
    plans: Iterator[Plan] = order.plans if order.case.is_streamed else iter([*order.plans])
    stopwatch.opened()
    sockets.run(map(protocol.create, plans), AT_ONCE)
    stopwatch.stop()


if __name__ == "__main__":
    run(Order.take())
