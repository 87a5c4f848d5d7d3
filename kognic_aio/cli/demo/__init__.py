"""`kognicutil demo`: uploads files to an emulator, and creates inputs of them."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from kognic_aio import KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.cli.demo.report import SceneOutcome, compare, print_report, showing_progress
from kognic_aio.cli.demo.sample_data import sample_folder
from kognic_aio.cli.demo.scenes import Files, find_files, make_scenes
from kognic_aio.cli.emulator import seconds_option
from kognic_aio.cli.output import say_wrapped
from kognic_aio.emulator import Emulator
from kognic_aio.model import BaseScene

PROJECT, BATCH = "project-a", "batch-2"


@click.command(epilog="Example: kognicutil demo recordings/ --processing-time 2")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--scenes", type=click.IntRange(min=1), help="Scenes to make. By default enough to use every file.")
@seconds_option("--api-latency", 0.02)
@seconds_option("--storage-latency", 0.03)
@seconds_option("--processing-time", 0.5)
def demo(folder: Path | None, scenes: int | None, **behaviour: Any) -> int:
    """Create inputs from the images and point clouds in FOLDER, on an emulator of the platform.

    Makes scenes of several types from the files, runs create_inputs on them, and compares what arrived with what is
    on disk. Without FOLDER it draws some files. The exit code is 0 only if every input was created and every file
    arrived as it is.
    """
    emulator = Emulator(**behaviour)
    with sample_folder() if folder is None else nullcontext(folder) as place:
        files = find_files(place)
        outcomes = asyncio.run(_create(files, make_scenes(files, scenes), emulator))
        arrival = compare(emulator.platform, outcomes)
    print_report(outcomes, arrival, len(files))
    return 0 if all(outcome.result.inputs for outcome in outcomes) and not arrival.faults else 1


async def _create(files: Files, scenes: Sequence[SceneWithPreAnnotation], emulator: Emulator) -> list[SceneOutcome]:
    # Printed in the loop: somebody who has read it may press Ctrl-C, which the loop handles.
    say_wrapped(f"{files}: {len(scenes)} scenes for {BATCH} of {PROJECT}")
    by_external_id = {item.scene.external_id: item.scene for item in scenes if isinstance(item.scene, BaseScene)}
    async with (
        emulator,
        KognicIOClient(**emulator.client_options(), trust_env=False) as client,  # no proxy leads to this process
        # Somebody is waiting, and the emulator can be polled often.
        create_inputs(client, scenes, PROJECT, batch=BATCH, sleep_time=0.2) as results,
        showing_progress(results.progress, len(scenes)),
    ):
        return [SceneOutcome(scene=by_external_id[str(result.external_id)], result=result) async for result in results]
