"""A run of kognic_aio."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.cases import PROJECT, Plan
from benchmarks.contenders.order import Order
from benchmarks.contenders.stopwatch import Stopwatch
from kognic_aio import InputCreationStatus, KognicIOClient, Limits, create_inputs
from kognic_aio.model import Cameras, CamerasSequence, Image


def make_scene(plan: Plan) -> Cameras | CamerasSequence:
    """Make the scene of a plan."""
    frames = [
        [Image(filename=name, sensor_name=f"CAM{i}") for i, name in enumerate(filenames)] for filenames in plan.frames
    ]
    if len(frames) == 1:
        return Cameras(external_id=plan.external_id, frame=Cameras.Frame(images=frames[0]))
    return CamerasSequence(
        external_id=plan.external_id,
        frames=[
            CamerasSequence.Frame(frame_id=str(number), relative_timestamp=100 * number, images=images)
            for number, images in enumerate(frames)
        ],
    )


def make_limits(limits: tuple[int, int, int]) -> Limits:
    """Make limits of the scene jobs, uploads and inputs."""
    scene_jobs, uploads, inputs = limits
    return Limits(scene_jobs=scene_jobs, uploads=uploads, inputs=inputs)


async def run(order: Order, scratch: str) -> None:
    """Create all inputs. A folder may be used for the journal."""
    settings, plans = order.settings, order.plans
    scenes = map(make_scene, plans) if order.case.is_streamed else [make_scene(plan) for plan in plans]
    limits = None if settings.limits is None else make_limits(settings.limits)
    journal = Path(scratch, "journal") if settings.journal else None
    stopwatch = Stopwatch(order.case.scenes)
    async with KognicIOClient(**order.options, limits=limits, adaptive=limits is None, ssl=order.tls) as client:
        stopwatch.opened()
        async for result in create_inputs(client, scenes, PROJECT, journal=journal):
            stopwatch.created(result.status is InputCreationStatus.CREATED)
        stopwatch.stop()


def main() -> None:
    """Carry out the order, on the event loop that it names."""
    order = Order.take()
    loop = uvloop.new_event_loop if order.settings.uvloop else None
    with TemporaryDirectory(prefix="benchmark-") as scratch, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run(order, scratch))


if __name__ == "__main__":
    main()
