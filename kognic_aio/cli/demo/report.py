"""The progress of a run, its results, and whether the server has the same files as the disk."""

import hashlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from time import monotonic

import anyio
from attrs import frozen
from rich.console import Group
from rich.filesize import decimal
from rich.live import Live
from rich.progress_bar import ProgressBar

from kognic_aio import InputCreationResult, Progress
from kognic_aio._regular import open_regular
from kognic_aio._tasks import task_group
from kognic_aio._text import printable
from kognic_aio.cli.output import MAX_CELL, counted, open_console, say_wrapped
from kognic_aio.emulator import Platform
from kognic_aio.model import BaseScene

MAX_CREATED = 40
"""Rows of created inputs that are shown. Whatever failed is always shown."""


@asynccontextmanager
async def showing_progress(now: Progress, scenes: int) -> AsyncGenerator[None]:
    """Show progress until the end of the block: live in a terminal, elsewhere a line per second."""
    console, started = open_console(), monotonic()

    def line() -> str:
        seconds = monotonic() - started
        counts = f"{now.taken} of {scenes} scenes taken, {now.committed} committed, {now.settled} settled"
        sent = f"{now.files:,} uploads, {decimal(now.bytes)} ({decimal(int(now.bytes / seconds))}/s)"
        return f"{seconds:.1f} s: {counts}; {sent}"

    async def say_lines() -> None:
        while True:
            await anyio.sleep(1)
            say_wrapped(line())

    if console.is_interactive:
        with Live(get_renderable=lambda: Group(line(), ProgressBar(scenes, now.settled)), console=console):
            yield
        return
    async with task_group() as group:
        group.start_soon(say_lines)
        yield
        group.cancel_scope.cancel()
    say_wrapped(line())


@frozen(kw_only=True)
class SceneOutcome:
    """A scene and its result."""

    scene: BaseScene
    result: InputCreationResult

    def __str__(self) -> str:
        """The scene, its status, and the input's uuid or what went wrong."""
        scene, result, error = self.scene, self.result, self.result.error
        verdict = f"{error.stage.value}: {error.message}" if error else result.input_uuid or "not ready in time"
        head = f"{scene.external_id:10}{scene.path:40}{len(scene.resources):>5}  {result.status.value:11}"
        return head + printable(verdict, MAX_CELL)


@frozen(kw_only=True)
class Arrival:
    """The number of intact files, of different ones among them, and of lists of IMU data; faults of other files."""

    intact: int
    different: int
    imu: int
    faults: Sequence[str]


def compare(platform: Platform, outcomes: Iterable[SceneOutcome]) -> Arrival:
    """Compare the files of created scenes on a platform with those on disk."""
    sha256 = cache(_sha256)  # a file may be in many scenes
    intact, faults, imu = list[str](), list[str](), 0
    for outcome in outcomes:
        if outcome.result.input_uuid is None or outcome.result.scene_uuid is None:
            continue
        stored = platform.scene(outcome.result.scene_uuid).files
        imu += len(stored.keys() - outcome.scene.resources.keys())
        for resource_id, file in outcome.scene.resources.items():
            found = stored.get(resource_id)
            if found is not None and found.sha256 == sha256(file.filename):
                intact.append(file.filename)
            else:
                problem = "is missing" if found is None else "arrived with another sha256"
                faults.append(f"{file.filename} of {outcome.scene.external_id} {problem}")
    return Arrival(intact=len(intact), different=len(set(intact)), imu=imu, faults=faults)


def _sha256(path: str) -> str:
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def print_report(outcomes: Iterable[SceneOutcome], arrival: Arrival, files: int) -> None:
    """Print each scene, how many became inputs, and how many of the files have arrived."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.scene.external_id)
    created = [outcome for outcome in outcomes if outcome.result.inputs]
    hidden = created[MAX_CREATED:]
    say_wrapped("")
    for outcome in outcomes:
        if outcome not in hidden:
            say_wrapped(outcome, style="" if outcome.result.inputs else "red")
    if hidden:
        say_wrapped(f"and {len(hidden):,} more that were created")
    say_wrapped("", f"{len(created):,} of {counted(len(outcomes), 'scene')} created", *_arrived(arrival, files))


def _arrived(arrival: Arrival, files: int) -> Iterator[str]:
    intact = counted(arrival.intact, "file")
    if arrival.faults:
        yield f"{intact} arrived with their sha256, {len(arrival.faults):,} did not:"
        yield from arrival.faults
    elif not arrival.intact:
        yield "No input was created, so there is no file to compare."
    else:
        is_all = arrival.different == files
        coverage = f"each of the {files:,} at least once" if is_all else f"{arrival.different:,} of the {files:,}"
        imu = f"; and {counted(arrival.imu, 'list')} of IMU data" if arrival.imu else ""
        yield f"{intact} arrived, all with their sha256: {coverage}{imu}"
