"""Which requests go first when a host takes fewer at once than there are."""

from math import inf

import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import UnavailableError
from tests.scenes import cameras_scene

pytestmark = pytest.mark.anyio

RESERVATION = "POST v1/inputs/initialize"
SCENES = 100


async def test_scenes_are_finished_before_new_ones_begin() -> None:
    """Though all scenes of a run may begin at once, the first of them are started before the last are reserved."""
    async with Emulator(api_latency=0.02) as emulator, KognicIOClient(**emulator.client_options()) as client:
        scenes = [cameras_scene(str(number)) for number in range(SCENES)]
        ends = [result.status async for result in create_inputs(client, scenes, "project-a")]
        assert ends == [InputCreationStatus.CREATED] * SCENES
        endpoints = [request.endpoint for request in emulator.recorder.requests("POST")]
        assert endpoints[: endpoints.index("POST v1/inputs/cameras")].count(RESERVATION) < SCENES / 2


async def test_what_was_refused_goes_before_what_is_new(emulator: Emulator) -> None:
    """On a host that refuses everything, the first requests come to their last attempt, and that ends the run."""
    emulator.faults.add(faults.Status(503), on="POST v1/inputs/*", times=inf)
    options = emulator.client_options() | {"max_retry_wait_time": 0.01, "max_retry_attempts": 3}
    async with KognicIOClient(**options) as client:
        with pytest.raises(UnavailableError):
            async for _ in create_inputs(client, [cameras_scene(str(n)) for n in range(SCENES)], "project-a"):
                pass
    assert emulator.recorder.requests_by_endpoint[RESERVATION] < SCENES
