"""The calibrations that scenes come with: each is created once per content."""

import asyncio
from collections import defaultdict

from kognic_aio._http.api import Api
from kognic_aio._http.once import at_most_once
from kognic_aio._http.protocol import as_list
from kognic_aio._http.wire import encode
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.model.calibration import SensorCalibration, SensorCalibrationEntry

PATH = "v1/calibrations"


class Calibrations:
    """Finds or creates calibrations. Their external ids tell their content.

    Two processes that create the same calibration at the same moment may both succeed. Then all use the one that was
    created first.
    """

    def __init__(self, client: KognicIOClient) -> None:
        self._backend = backend_of(client)
        self._ids: dict[str, str] = {}
        self._turns = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def id_of(self, calibration: SensorCalibration) -> str:
        """The id of a calibration on the platform, which is created if it is not there.

        Endpoints: `GET v1/calibrations?externalId=`, `POST v1/calibrations`
        """
        name = calibration.external_id
        async with self._turns[name]:
            if name not in self._ids:
                self._ids[name] = (await self._existing(self._backend.api, name) or await self._created(calibration)).id
        return self._ids[name]

    async def _existing(self, api: Api, external_id: str) -> SensorCalibrationEntry | None:
        """The calibration that was created first with an external id."""
        query = {"externalId": external_id}
        found = await api.get(PATH, list[SensorCalibrationEntry], query=query, pick=as_list)
        own = [entry for entry in found if entry.external_id == external_id]
        return min(own, key=lambda entry: (entry.created, entry.id), default=None)

    async def _created(self, calibration: SensorCalibration) -> SensorCalibrationEntry:
        body, query = encode(calibration), self._backend.workspace

        async def create(api: Api) -> SensorCalibrationEntry:
            return await api.post(PATH, SensorCalibrationEntry, json=body, query=query)

        async def find(api: Api) -> SensorCalibrationEntry | None:
            return await self._existing(api, calibration.external_id)

        created = await at_most_once(self._backend.api, create, find)
        return await find(self._backend.api) or created  # another process may have been faster
