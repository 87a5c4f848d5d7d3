"""A run of kognic_aio."""

import asyncio

from benchmarks.cases import PROJECT
from benchmarks.order import Order
from benchmarks.stopwatch import Stopwatch
from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.model import Cameras, Image


def make_scene(external_id: str, filenames: list[str]) -> Cameras:
    """Make a scene with one image per file, each of its own sensor."""
    images = [Image(filename=name, sensor_name=f"CAM{i}") for i, name in enumerate(filenames)]
    return Cameras(external_id=external_id, frame=Cameras.Frame(images=images))


async def run(order: Order) -> None:
    """Create all scenes and their inputs."""
    scenes = [make_scene(*scene) for scene in order.scenes.items()]
    stopwatch = Stopwatch()
    async with KognicIOClient(**order.options) as client:
        async for result in create_inputs(client, scenes, PROJECT):
            stopwatch.result(created=result.status is InputCreationStatus.CREATED)
    stopwatch.stop()


if __name__ == "__main__":
    asyncio.run(run(Order.take()))
