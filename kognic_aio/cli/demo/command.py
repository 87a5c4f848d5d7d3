"""The command: the whole demo from above."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console

from kognic_aio import KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.cli.demo.progress import Meter, shown
from kognic_aio.cli.demo.report import Outcome, compare, print_report
from kognic_aio.cli.demo.sample_data import sample_folder
from kognic_aio.cli.demo.scenes import find_files, make_scenes
from kognic_aio.cli.emulator import slowness
from kognic_aio.cli.output import open_console, say
from kognic_aio.emulator import Emulator

PROJECT, BATCH = "project-a", "batch-2"

POLL_SECONDS = 0.2
"""Seconds between two looks at the status of a scene. The emulator does not mind, and somebody is waiting."""


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--scenes", "count", type=click.IntRange(min=1), help="How many to make, instead of enough for all files."
)
@slowness(api_latency=0.02, storage_latency=0.03, processing_time=0.5)
def demo(folder: Path | None, count: int | None, **seconds: float) -> int:
    """Create inputs from the images and point clouds in FOLDER, on an emulator of the platform.

    Makes scenes of several types from the files, runs create_inputs on them, and compares what arrived with what is
    on disk. Without FOLDER it draws some files. The exit code is 0 only if every input was created and every file
    arrived as it is.
    """
    console, emulator = open_console(), Emulator(**seconds)
    with sample_folder() if folder is None else nullcontext(folder) as place:
        files = find_files(place)
        scenes = make_scenes(files, count)
        heading = f"{files}: {len(scenes)} scenes for {BATCH} of {PROJECT}"
        outcomes, meter = asyncio.run(_create(scenes, heading, emulator, console))
        arrival = compare(emulator.platform, outcomes)
    return 0 if print_report(outcomes, meter, arrival, files, console.width) else 1


async def _create(
    scenes: Sequence[SceneWithPreAnnotation], heading: str, emulator: Emulator, console: Console
) -> tuple[list[Outcome], Meter]:
    say(heading)  # in the loop, which knows how to end on the first Ctrl-C of somebody who reads it
    by_external_id = {item.scene.external_id: item.scene for item in scenes}
    async with (
        emulator,
        KognicIOClient(**emulator.client_options(), trust_env=False) as client,  # no proxy leads to this process
        create_inputs(client, scenes, PROJECT, batch=BATCH, sleep_time=POLL_SECONDS) as results,
    ):
        meter = Meter(progress=results.progress, scenes=len(scenes))
        async with shown(meter, console):
            outcomes = [
                Outcome(scene=by_external_id[str(result.external_id)], result=result) async for result in results
            ]
    return outcomes, meter
