"""A process that is killed at any moment goes on where it was."""

import asyncio
import json
import random
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from kognic_aio.emulator import Emulator, faults
from tests.faults.ingestion import Ingestion

pytestmark = pytest.mark.anyio

SCENES = 500


async def test_killed_again_and_again(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Killed at random moments, half of the time with faults on, and started again: one input of each scene."""
    chance = random.Random(pytestconfig.getoption("seed"))
    kills = 100 if pytestconfig.getoption("whole") else 6
    async with Emulator(api_latency=0.002, storage_latency=0.002) as emulator:
        arguments = (json.dumps(emulator.client_options()), str(tmp_path / "journal"), str(SCENES))
        for number in range(kills):
            emulator.faults.clear()
            if number % 2:
                emulator.faults.add(faults.Drop(after_effect=True), on=faults.APIS, probability=0.02, seed=number)
            await _started_and_killed(emulator, arguments, after=chance.randrange(1, 6 * SCENES // kills))
        emulator.faults.clear()
        said = await _run_to_its_end(arguments)
        assert said[-1] == "done"
        assert not [line for line in said if "failed" in line]
        Ingestion(SCENES).check_platform(emulator.platform)


async def _started_and_killed(emulator: Emulator, arguments: tuple[str, ...], *, after: int) -> None:
    """Start a process, and kill it after so many of its requests, wherever it is then."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.child", *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    begun = emulator.recorder.summary()["requests"]
    target = sum(begun.values()) + after
    with anyio.fail_after(60):
        while sum(emulator.recorder.summary()["requests"].values()) < target and child.returncode is None:
            await anyio.sleep(0.001)
    if child.returncode is None:
        child.kill()
    await child.wait()


async def _run_to_its_end(arguments: tuple[str, ...]) -> list[str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.child", *arguments, stdout=asyncio.subprocess.PIPE
    )
    with anyio.fail_after(120):
        said, _ = await child.communicate()
    return said.decode().splitlines()
