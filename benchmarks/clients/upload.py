"""Uploads large files with kognic_aio, one after another, and reads the memory."""

import asyncio

import psutil
from attrs import define, field

from benchmarks.child import give_answer
from benchmarks.clients.ours import make_scene
from benchmarks.order import Order
from kognic_aio import KognicIOClient

PAUSE = 0.005


@define
class Memory:
    """The resident memory of this process, in bytes, and its peak."""

    peak: int = 0
    _process: psutil.Process = field(factory=psutil.Process, init=False)

    def resident(self) -> int:
        """Read the resident memory, and update the peak."""
        resident: int = self._process.memory_info().rss
        self.peak = max(self.peak, resident)
        return resident

    async def watch(self) -> None:
        """Sample the memory until cancelled."""
        while True:
            self.resident()
            await asyncio.sleep(PAUSE)


async def run(order: Order) -> None:
    """Create the scenes, and answer with the resident memory before, and the peak meanwhile."""
    memory = Memory()
    async with KognicIOClient(**order.options) as client:
        before = memory.resident()
        watching = asyncio.create_task(memory.watch())
        for scene in order.scenes.items():
            await client.cameras.create(make_scene(*scene))
        watching.cancel()
    give_answer([before, memory.peak])


if __name__ == "__main__":
    asyncio.run(run(Order.take()))
