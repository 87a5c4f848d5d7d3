"""What kognic_aio costs beyond aiohttp: the protocol with bare aiohttp, without models, checks or retries.

It sends the requests that kognic_aio sends, for 32 scenes at once, except that each scene asks for its own status, when
it should be ready.
"""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from attrs import field, frozen
from yarl import URL

from benchmarks.cases import PROJECT, Plan
from benchmarks.contenders.order import Order
from benchmarks.contenders.protocol import AT_ONCE, PAUSE
from benchmarks.contenders.stopwatch import Stopwatch
from benchmarks.contenders.wire import Account, start_request


@frozen
class Prototype:
    """A client that can only create scenes of cameras and their inputs."""

    account: Account
    processing_time: float
    session: aiohttp.ClientSession
    stopwatch: Stopwatch
    places: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def create_all(self, order: Order) -> None:
        """Create all scenes and their inputs."""
        async with asyncio.TaskGroup() as tasks:
            for plan in order.plans:
                await self.places.acquire()
                tasks.create_task(self._create(plan))

    async def _create(self, plan: Plan) -> None:
        scene_uuid = await self._commit(plan)
        self.places.release()
        await asyncio.sleep(self.processing_time)
        while await self._status(scene_uuid) != "created":  # noqa: ASYNC110  # another process is waited for
            await asyncio.sleep(PAUSE)
        await self._post("v1/inputs", {"sceneUuid": scene_uuid, "project": PROJECT})
        self.stopwatch.created()

    async def _commit(self, plan: Plan) -> str:
        reserved = await self._post("v1/inputs/initialize", {"workspaceId": self.account.workspace})
        scene_uuid: str = reserved["sceneUuid"]
        started = await self._post(*start_request(self.account.workspace, scene_uuid, plan))
        await asyncio.gather(*(self._put(url, name) for name, url in started["files"].items()))
        await self._post(f"v1/inputs/{scene_uuid}/actions/commit")
        return scene_uuid

    async def _put(self, url: str, filename: str) -> None:
        with Path(filename).open("rb") as content:  # noqa: ASYNC230  # aiohttp reads it in its executor
            async with self.session.put(URL(url, encoded=True), data=content, raise_for_status=True):
                pass

    async def _status(self, scene_uuid: str) -> str:
        scenes = await self._post("v2/scenes/query", {"sceneUuids": [scene_uuid]})
        status: str = scenes[0]["status"]
        return status

    async def _post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        async with self.session.post(
            f"{self.account.host}/{path}", headers=self.account.headers, json=body, raise_for_status=True
        ) as response:
            return (await response.json())["data"]


async def run(order: Order) -> None:
    """Create all inputs."""
    stopwatch = Stopwatch(order.case.scenes)
    account = Account.log_in(order)
    connector = aiohttp.TCPConnector(limit=2 * AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        prototype = Prototype(account, order.case.platform.processing_time, session, stopwatch)
        stopwatch.opened()
        await prototype.create_all(order)
        stopwatch.stop()


if __name__ == "__main__":
    asyncio.run(run(Order.take()))
