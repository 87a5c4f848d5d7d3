"""A client without manners, a clock that stands still, and bodies of good scenes."""

import copy
from collections.abc import AsyncIterable
from typing import Any

import aiohttp
import attrs

from kognic_aio.emulator import CALIBRATION_ID, CLIENT_ID, CLIENT_SECRET, WORKSPACE_ID, Emulator

MISSING = object()
POSE = {"position": {"x": 0.0, "y": 0, "z": 1.5}, "rotation": {"w": 1, "x": 0, "y": 0, "z": 0}}
CSV = b"ts_gps,x,y,z,intensity\n1,2,3,4,5\n"


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@attrs.define
class Answer:
    """Status and JSON of an answer; `text` when it is not JSON."""

    status: int
    json: Any
    text: str

    @property
    def data(self) -> Any:
        assert self.status == 200, (self.status, self.text)
        return self.json["data"]

    @property
    def message(self) -> str:
        assert self.status >= 400, self.text
        return str(self.json["message"])


class Caller:
    """Sends requests to an emulator exactly as it is told to."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session
        self.headers: dict[str, str] = {}

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        url = path if path.startswith("http") else f"{self.emulator.url}/{path}"
        async with self.session.request(method, url, **options) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Answer(response.status, await response.json() if is_json else None, text)

    async def get(self, path: str) -> Answer:
        return await self.request("GET", path, headers=self.headers)

    async def post(self, path: str, body: Any = None, *, dry_run: bool = False) -> Answer:
        headers = {**self.headers, "X-Dryrun": ""} if dry_run else self.headers
        return await self.request("POST", path, json=body, headers=headers)

    async def patch(self, path: str, body: Any = None) -> Answer:
        return await self.request("PATCH", path, json=body, headers=self.headers)

    async def delete(self, path: str) -> Answer:
        return await self.request("DELETE", path, headers=self.headers)

    async def pages(self, method: str, path: str, body: Any = None) -> list[list[dict[str, Any]]]:
        """All pages of an answer, each page asked for with what the one before it gave."""
        pages: list[list[dict[str, Any]]] = []
        cursor = ""
        while True:
            url = f"{path}{'&' if '?' in path else '?'}cursorId={cursor}" if pages else path
            page = (await self.request(method, url, json=body, headers=self.headers)).json
            pages.append(page["data"])
            cursor = page["metadata"]["nextCursorId"]
            if cursor is None:
                return pages

    async def put(
        self, url: str, data: bytes | AsyncIterable[bytes] = b"some bytes", headers: dict[str, str] | None = None
    ) -> Answer:
        return await self.request("PUT", url, data=data, headers=headers)

    async def token(self, **fields: str) -> Answer:
        form = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "grant_type": "client_credentials",
            **fields,
        }
        return await self.request("POST", "v1/auth/oauth/token", data=form)

    async def log_in(self) -> None:
        answer = await self.token()
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}

    async def reserve(self) -> str:
        answer = await self.post("v1/inputs/initialize", {"workspaceId": WORKSPACE_ID})
        return str(answer.data["sceneUuid"])

    async def create(
        self, path: str = "cameras", body: dict[str, Any] | None = None, *, where: str = "", dry_run: bool = False
    ) -> Answer:
        """Reserve a scene and ask for its creation; `where` may name a project and a batch."""
        whole = {"internalId": await self.reserve(), **(body or scene_body(path))}
        url = f"v1/inputs/{where}{path}?workspaceId={WORKSPACE_ID}"
        return await self.post(url, whole, dry_run=dry_run)

    async def upload_and_commit(self, created: dict[str, Any], data: bytes = CSV) -> None:
        for url in created["files"].values():
            assert (await self.put(url, data)).status == 200
        assert (await self.post(f"v1/inputs/{created['internalId']}/actions/commit")).status == 200

    async def make_scene(self, path: str = "cameras", body: dict[str, Any] | None = None, *, where: str = "") -> str:
        """Take a scene all the way and return its uuid."""
        created = (await self.create(path, body, where=where)).data
        await self.upload_and_commit(created)
        return str(created["internalId"])

    async def status(self, scene_uuid: str) -> str:
        answer = await self.post("v2/scenes/query", {"sceneUuids": [scene_uuid]})
        return str(answer.data[0]["status"])


def image(name: str = "a.jpg", sensor: str = "CAM") -> dict[str, Any]:
    return {
        "filename": name,
        "clientFilename": name,
        "resourceId": name,
        "sensorName": sensor,
        "metadata": {"shutterTimeStartNs": 10, "shutterTimeEndNs": 20},
    }


def cloud(name: str = "a.csv", sensor: str = "lidar") -> dict[str, Any]:
    return {"filename": name, "clientFilename": name, "resourceId": name, "sensorName": sensor}


def scene_body(path: str, external_id: str = "scene-1") -> dict[str, Any]:
    """A good scene of a type, of two frames if it is a sequence; without its internal id."""
    body: dict[str, Any] = {
        "externalId": external_id,
        "metadata": {"region": "north", "wet": True, "lanes": 2, "limit": 13.9},
        "featureFlags": {"shouldMotionCompensate": True},
    }
    if "cameras" in path:
        body["sensorSpecification"] = {"sensorToPrettyName": {"CAM": "Front"}, "sensorOrder": ["CAM"]}
    if "cameras" in path and "lidars" in path:
        body["calibrationId"] = CALIBRATION_ID
    if path.endswith("sequence"):
        body["frames"] = [_frame(path, index) for index in range(2)]
    else:
        body["frame"] = _frame(path, 0)
    return body


def _frame(path: str, index: int) -> dict[str, Any]:
    frame: dict[str, Any] = {}
    if "cameras" in path:
        frame["images"] = [image(f"{index}.jpg")]
    if "lidars" in path:
        frame["pointClouds"] = [cloud(f"{index}.csv")]
        frame["unixTimestamp"] = 1_000_000_000 * (index + 1)
    if path.endswith("sequence"):
        frame.update(frameId=str(index), relativeTimestamp=100 * index, metadata={"tunnel": False})
        if "lidars" in path:
            frame["egoVehiclePose"] = copy.deepcopy(POSE)
    return frame


def patched(body: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    """A copy of a body with another value at a place such as `frames.0.images`; MISSING takes it out."""
    changed = copy.deepcopy(body)
    *parents, last = where.split(".")
    target: Any = changed
    for part in parents:
        target = target[_key(target, part)]
    if value is MISSING:
        del target[_key(target, last)]
    else:
        target[_key(target, last)] = value
    return changed


def _key(target: Any, part: str) -> str | int:
    return int(part) if isinstance(target, list) else part


def imu_data(*timestamps: int) -> list[dict[str, Any]]:
    position, rotation = POSE["position"], POSE["rotation"]
    return [{"position": position, "rotationQuaternion": rotation, "timestamp": t} for t in timestamps]


def openlabel(*timestamps: Any) -> dict[str, Any]:
    """OpenLABEL of the right version with a frame per timestamp."""
    frames = {str(i): {"frame_properties": {"timestamp": t}} for i, t in enumerate(timestamps)}
    return {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "frames": frames}}
