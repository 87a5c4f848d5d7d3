"""The floor: the time of the protocol alone, with bare aiohttp and without models, checks or retries.

It sends the requests that kognic_aio sends, for 32 scenes concurrently, except that each scene queries its own status.
Its time to the first result means nothing: each input waits in a queue behind all scenes that are not started yet.
"""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from benchmarks.cases import PROJECT
from benchmarks.order import Order
from benchmarks.stopwatch import Stopwatch

AT_ONCE = 32
PAUSE = 0.05


class Floor:
    """A client that can only create `Cameras` scenes and their inputs.

    Args:
        session: Sends the requests.
        host: Base URL of all APIs.
    """

    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        self._session = session
        self._host = host
        self._headers: dict[str, str] = {}
        self._workspace = ""
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def log_in(self, client_id: str, client_secret: str) -> None:
        """Fetch a token and find the workspace."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        token = await self._call("POST", "v1/auth/oauth/token", data=form)
        self._headers = {"Authorization": f"Bearer {token['access_token']}"}
        self._workspace = (await self._call("GET", "v1/workspaces"))["data"][0]["id"]

    async def create(self, external_id: str, filenames: list[str]) -> None:
        """Create a scene and its input."""
        async with self._slots:
            scene_uuid = await self._commit(external_id, filenames)
        while await self._status(scene_uuid) != "created":  # noqa: ASYNC110  # another process is waited for
            await asyncio.sleep(PAUSE)
        async with self._slots:
            await self._call("POST", "v1/inputs", json={"sceneUuid": scene_uuid, "project": PROJECT})

    async def _commit(self, external_id: str, filenames: list[str]) -> str:
        workspace = {"workspaceId": self._workspace}
        reserved = await self._call("POST", "v1/inputs/initialize", json=workspace)
        scene_uuid: str = reserved["data"]["sceneUuid"]
        images = [{"filename": name, "resourceId": name, "sensorName": f"CAM{i}"} for i, name in enumerate(filenames)]
        body = {"internalId": scene_uuid, "externalId": external_id, "frame": {"images": images}}
        started = await self._call("POST", "v1/inputs/cameras", params=workspace, json=body)
        await asyncio.gather(*(self._put(url, name) for name, url in started["data"]["files"].items()))
        await self._call("POST", f"v1/inputs/{scene_uuid}/actions/commit")
        return scene_uuid

    async def _put(self, url: str, filename: str) -> None:
        content = Path(filename).read_bytes()  # noqa: ASYNC240  # the floor reads without a thread
        async with self._session.put(URL(url, encoded=True), data=content, raise_for_status=True):
            pass

    async def _status(self, scene_uuid: str) -> str:
        scenes = await self._call("POST", "v2/scenes/query", json={"sceneUuids": [scene_uuid]})
        status: str = scenes["data"][0]["status"]
        return status

    async def _call(self, method: str, path: str, **arguments: Any) -> Any:
        async with self._session.request(
            method, f"{self._host}/{path}", headers=self._headers, raise_for_status=True, **arguments
        ) as response:
            return await response.json()


async def run(order: Order) -> None:
    """Create all scenes and their inputs."""
    stopwatch = Stopwatch()
    connector = aiohttp.TCPConnector(limit=2 * AT_ONCE)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        floor = Floor(session, order.options["host"])
        await floor.log_in(*order.options["auth"])
        for created in asyncio.as_completed([floor.create(*scene) for scene in order.scenes.items()]):
            await created
            stopwatch.result(created=True)
    stopwatch.stop()


if __name__ == "__main__":
    asyncio.run(run(Order.take()))
