"""The calibrations that scenes come with: each is created once per content."""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once
from kognic_aio._http.protocol import as_list
from kognic_aio._http.wire import encode
from kognic_aio._threads import in_thread
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.model.calibration import SensorCalibration, SensorCalibrationEntry

if TYPE_CHECKING:
    from filelock import AsyncFileLock

PATH = "v1/calibrations"

LONGEST_TURN = 60.0
"""Seconds after which another process that creates the same calibration is no longer waited for."""


class Calibrations:
    """Finds or creates calibrations. Their external ids tell their content.

    The processes of a machine create a calibration in turn, so that only the first one does. On two machines, both may
    succeed at the same moment. Then all use the one that was created first.
    """

    def __init__(self, client: KognicIOClient) -> None:
        self._backend = backend_of(client)
        self._ids: dict[str, str] = {}
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def find(self, calibration: SensorCalibration) -> str | None:
        """The id of a calibration on the platform, None if it is not there."""
        async with self._turns[calibration.external_id]:
            return await self._found(calibration.external_id)

    async def id_of(self, calibration: SensorCalibration) -> str:
        """The id of a calibration on the platform, which is created if it is not there.

        Endpoints: `GET v1/calibrations?externalId=`, `POST v1/calibrations`
        """
        name = calibration.external_id
        async with self._turns[name]:
            if await self._found(name) is None:
                self._ids[name] = (await self._create_in_turn(calibration)).id
            return self._ids[name]

    async def _found(self, external_id: str) -> str | None:
        """The id of the calibration with an external id, which is asked for until it is there."""
        if external_id not in self._ids:
            existing = await self._existing(self._backend.api, external_id)
            if existing is not None:
                self._ids[external_id] = existing.id
        return self._ids.get(external_id)

    async def _existing(self, api: Api, external_id: str) -> SensorCalibrationEntry | None:
        """The calibration that was created first with an external id."""
        query = {"externalId": external_id}
        found = await api.get(PATH, list[SensorCalibrationEntry], query=query, pick=as_list)
        own = [entry for entry in found if entry.external_id == external_id]
        return min(own, key=lambda entry: (entry.created, entry.id), default=None)

    async def _create_in_turn(self, calibration: SensorCalibration) -> SensorCalibrationEntry:
        api, name = self._backend.api, calibration.external_id
        async with _turn(f"{api.url(PATH)} {self._backend.workspace} {name}"):
            return await self._existing(api, name) or await self._created(calibration)

    async def _created(self, calibration: SensorCalibration) -> SensorCalibrationEntry:
        body, query = encode(calibration), self._backend.workspace

        async def create(api: Api) -> SensorCalibrationEntry:
            return await api.post(PATH, SensorCalibrationEntry, json=body, query=query)

        async def find(api: Api) -> SensorCalibrationEntry | None:
            return await self._existing(api, calibration.external_id)

        created = await at_most_once(self._backend.api, create, find)
        return await find(self._backend.api) or created  # another process may have been faster


@asynccontextmanager
async def _turn(what: str) -> AsyncGenerator[None, None]:
    """Do something while no other process of this machine does it, as far as there is a place for a lock."""
    path = Path(tempfile.gettempdir(), f"kognic-aio-{sha256(what.encode()).hexdigest()[:32]}.lock")
    async with AsyncExitStack() as stack:
        with suppress(OSError):  # it takes too long, is a lock of another user, or the file system has none
            lock = await in_thread(_lock_class)
            await stack.enter_async_context(lock(path, timeout=LONGEST_TURN))
        yield


def _lock_class() -> "type[AsyncFileLock]":
    """The class of locks. Its import is slow and reads files, and few runs create calibrations."""
    from filelock import AsyncFileLock  # noqa: PLC0415

    return AsyncFileLock
