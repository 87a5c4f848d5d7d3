"""What became of the scenes, and whether the server has what is on disk."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import click
from attrs import frozen

from kognic_aio import InputCreationResult, InputCreationStatus
from kognic_aio._regular import open_regular
from kognic_aio._text import printable
from kognic_aio.cli.demo.progress import Meter
from kognic_aio.cli.demo.scenes import Files, counted
from kognic_aio.cli.output import MAX_CELL, say
from kognic_aio.emulator import Platform
from kognic_aio.model import BaseScene

WIDE = 110
"""Columns from which a scene and its input fit in one line."""

MAX_CREATED = 40
"""Rows of created inputs that are shown. Whatever failed is always shown."""


@frozen(kw_only=True)
class Outcome:
    """A scene and its result."""

    scene: BaseScene
    result: InputCreationResult

    @property
    def is_created(self) -> bool:
        """Whether it became an input."""
        return self.result.status is InputCreationStatus.CREATED

    def row(self, *, is_wide: bool) -> str:
        """The scene, its status, and the input's uuid or what went wrong, in one line or two."""
        error, scene, status = self.result.error, self.scene, self.result.status.value
        verdict = f"{error.stage.value}: {error.message}" if error else self.result.input_uuid or "not ready in time"
        cells = (scene.external_id, scene.path, str(len(scene.resources)), status)
        head = "{:10}{:40}{:>5}  {:11}".format(*cells) if is_wide else " ".join(cells) + "\n  "
        return head + printable(verdict, MAX_CELL)


@frozen(kw_only=True)
class Arrival:
    """What the server has of the scenes that were created.

    Args:
        intact: How many files have the sha256 of the file on disk.
        different: How many different files these are.
        imu: How many lists of IMU data there are.
        faults: What is wrong with the other files.
    """

    intact: int
    different: int
    imu: int
    faults: Sequence[str]


def compare(platform: Platform, outcomes: Iterable[Outcome]) -> Arrival:
    """Compare what a platform has received with what is on disk."""
    sha256 = cache(_sha256)
    intact, faults, imu = list[str](), list[str](), 0
    for outcome in outcomes:
        if not outcome.is_created or outcome.result.scene_uuid is None:
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


def print_report(outcomes: Sequence[Outcome], meter: Meter, arrival: Arrival, files: Files, width: int) -> bool:
    """Print a row for each scene, the rate, and what has arrived.

    Returns:
        Whether everything was created and arrived as it is.
    """
    created = [outcome for outcome in outcomes if outcome.is_created]
    failed = [outcome for outcome in outcomes if not outcome.is_created]
    say("")
    for outcome in sorted([*failed, *created[:MAX_CREATED]], key=lambda outcome: outcome.scene.external_id):
        for line in outcome.row(is_wide=width >= WIDE).split("\n"):
            click.secho(line, fg=None if outcome.is_created else "red")
    if len(created) > MAX_CREATED:
        say(f"and {len(created) - MAX_CREATED:,} more that were created")
    scenes, seconds = counted(len(outcomes), "scene"), meter.seconds
    rate = f"{len(created):,} of {scenes} created in {seconds:.1f} s ({len(outcomes) / seconds:.1f} scenes/s)"
    say("", f"{rate}, {meter.sent}", *_arrived(arrival, len(files)) if created else [NOTHING])
    return not failed and not arrival.faults


NOTHING = "No input was created, so there is no file to compare."


def _arrived(arrival: Arrival, number: int) -> Iterator[str]:
    intact = counted(arrival.intact, "file")
    if arrival.faults:
        yield f"{intact} arrived with their sha256, {len(arrival.faults):,} did not:"
        yield from arrival.faults
        return
    is_all = arrival.different == number
    coverage = f"each of the {number:,} at least once" if is_all else f"{arrival.different:,} of the {number:,}"
    imu = f"; and {counted(arrival.imu, 'list')} of IMU data" if arrival.imu else ""
    yield f"{intact} arrived, all with their sha256: {coverage}{imu}"
