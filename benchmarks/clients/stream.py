"""Creates a long stream of scenes with kognic_aio, and reads the memory."""

import asyncio
from collections.abc import AsyncIterator

import psutil

from benchmarks.cases import PROJECT
from benchmarks.child import give_answer
from benchmarks.clients.ours import make_scene
from benchmarks.order import Order
from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.model import Cameras


async def stream(order: Order) -> AsyncIterator[Cameras]:
    """Yield scenes of the same files, as many as the last sample."""
    (filenames,) = order.scenes.values()
    for number in range(order.samples[-1]):
        yield make_scene(f"scene-{number}", filenames)


async def run(order: Order) -> None:
    """Create the scenes, and answer with the resident memory in bytes after each sample."""
    process = psutil.Process()
    resident: list[int] = []
    created = 0
    async with KognicIOClient(**order.options) as client:
        async for result in create_inputs(client, stream(order), PROJECT):
            created += result.status is InputCreationStatus.CREATED
            if created in order.samples:
                resident.append(process.memory_info().rss)
    give_answer(resident)


if __name__ == "__main__":
    asyncio.run(run(Order.take()))
