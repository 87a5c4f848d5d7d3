"""Sensor calibrations."""

from collections.abc import Awaitable

from kognic_aio._http.protocol import Query, as_list, given, identifier
from kognic_aio._http.wire import encode
from kognic_aio.errors import LeftOutError
from kognic_aio.model.calibration import SensorCalibration, SensorCalibrationEntry
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.visibility import plain_uuid


class CalibrationResource(ApiResource):
    """Calibrations, which scenes with lidars and cameras need."""

    async def get_calibration(self, id: str) -> SensorCalibrationEntry:  # noqa: A002  # the official client's name
        """Get a calibration.

        Args:
            id: Its id.

        Raises:
            NotFoundError: If there is no such calibration. A `LeftOutError` if the response lacks it.
            ApiError: If the platform refuses.

        Endpoint: `GET v1/calibrations?id=`
        """
        asked = identifier(id)
        found = await self._get({"id": asked})
        for calibration in found:
            if plain_uuid(calibration.id) == plain_uuid(asked):
                return calibration
        message = f"the platform has no calibration {asked!r} (missing from the response)"
        raise LeftOutError(message, missing=[asked], method="GET", url=self._api.url("v1/calibrations"))

    async def get_calibrations(self, external_id: str | None = None) -> list[SensorCalibrationEntry]:
        """List calibrations.

        Args:
            external_id: Only those with this external id. By default all.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v1/calibrations[?externalId=]`
        """
        return await self._get(given(externalId=external_id))

    def _get(self, query: Query) -> Awaitable[list[SensorCalibrationEntry]]:
        return self._api.get("v1/calibrations", list[SensorCalibrationEntry], query=query, pick=as_list)

    async def create_calibration(self, sensor_calibration: SensorCalibration) -> SensorCalibrationEntry:
        """Create a calibration.

        Args:
            sensor_calibration: The calibration of each sensor.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/calibrations`
        """
        query = self._backend.workspace
        return await self._api.post(
            "v1/calibrations", SensorCalibrationEntry, json=encode(sensor_calibration), query=query
        )
