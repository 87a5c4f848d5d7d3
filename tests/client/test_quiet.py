"""A library prints nothing: what it has to say goes to the log `kognic_aio`, for those who have set up logging."""

import json
import logging
import subprocess
import sys

import anyio
import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator, faults

pytestmark = pytest.mark.anyio

PROJECT = "project-b"

CHILD = """
import asyncio, json, sys
from kognic_aio import FileData, KognicIOClient, create_inputs
from kognic_aio.model import Cameras, Image

def scenes():
    for number in range(20):
        image = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"image"))
        yield Cameras(external_id=str(number), frame=Cameras.Frame(images=[image]))

async def main():
    options = json.loads(sys.argv[1])
    async with KognicIOClient(**options | {"auth": tuple(options["auth"])}, max_retry_wait_time=0.01) as client:
        async for result in create_inputs(client, scenes(), sys.argv[2], sleep_time=0.05):
            assert result.error is None, result

asyncio.run(main())
"""


async def test_nothing_is_printed(emulator: Emulator) -> None:
    """A run under push-back, whose application has not set up logging, leaves standard output and error empty."""
    emulator.faults.add(faults.Status(503), on=faults.EVERYTHING, probability=0.2, seed=1)
    child = [sys.executable, "-c", CHILD, json.dumps(emulator.client_options()), PROJECT]
    done = await anyio.run_process(child, check=False, stderr=subprocess.PIPE)
    assert emulator.faults.injected["Status"] > 5
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


async def test_one_line_for_a_retry(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Each retry is one line, at INFO, of ours."""
    caplog.set_level(logging.INFO)
    emulator.faults.add(faults.Status(500), on="GET v1/projects", times=3)
    async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.01) as client:
        await client.project.get_projects()
    told = [record for record in caplog.records if record.name.partition(".")[0] in ("kognic_aio", "tenacity")]
    assert [record.levelname for record in told] == ["INFO"] * 3
    assert all("500" in record.getMessage() for record in told)
