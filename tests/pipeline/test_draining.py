"""A run that drains takes nothing more, and finishes what it has."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, Limits, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras
from tests.scenes import cameras_scene

pytestmark = pytest.mark.anyio


async def test_an_endless_source(emulator: Emulator, client: KognicIOClient) -> None:
    """Of an endless source the scenes in flight settle, and the run ends; each scene that was taken has its result."""

    def endless() -> Iterator[Cameras]:
        number = 0
        while True:
            yield cameras_scene(f"scene-{number}")
            number += 1

    run = create_inputs(client, endless(), "project-a", sleep_time=0.01, limits=Limits(in_flight=20))
    results = []
    async for result in run:
        results.append(result)
        if len(results) == 5:
            run.drain()
    assert {result.status for result in results} == {InputCreationStatus.CREATED}
    assert 5 < len(results) == run.progress.taken <= 30
    assert emulator.platform.summary()["scenes"]["created"] == len(results) + 2  # and the two that it began with


async def test_a_source_that_waits(client: KognicIOClient) -> None:
    """A source that has nothing to give at the moment does not keep a draining run from ending."""
    left = asyncio.Event()

    async def waiting() -> AsyncIterator[Cameras]:
        try:
            yield cameras_scene("scene")
            await anyio.sleep_forever()
        finally:
            left.set()

    source = waiting()
    run = create_inputs(client, source, "project-a", sleep_time=0.01)
    first = await anext(run)
    run.drain()
    assert [result async for result in run] == []
    assert first.status == InputCreationStatus.CREATED
    assert left.is_set()


async def test_draining_before_the_first_result(emulator: Emulator, client: KognicIOClient) -> None:
    """A run that is drained before it has begun creates nothing."""
    run = create_inputs(client, [cameras_scene("scene")], "project-a")
    run.drain()
    assert [result async for result in run] == []
    assert not emulator.recorder.requests("POST", "/v1/inputs/initialize")
