"""An emulator on a clock that stands still, and someone who calls it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kognic_aio.emulator import Emulator, Platform, Timing

from .support import Caller, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(clock: Clock) -> Platform:
    return Platform.seeded(Timing(clock=clock))


@pytest.fixture
async def emulator(platform: Platform) -> AsyncIterator[Emulator]:
    async with Emulator(platform=platform) as running:
        yield running


@pytest.fixture
async def caller(emulator: Emulator) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        ready = Caller(emulator, session)
        await ready.log_in()
        yield ready
