"""Whether the server has what is on disk."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache

from attrs import frozen

from kognic_aio._regular import open_regular
from kognic_aio.cli.demo.outcome import Outcome
from kognic_aio.emulator import Platform


@frozen(kw_only=True)
class Arrival:
    """What the server has of the scenes that were created.

    Args:
        intact: How many files it has with the sha256 of the file on disk.
        different: How many different files these are.
        imu: How many lists of IMU data it has.
        faults: What is wrong with the others.
    """

    intact: int
    different: int
    imu: int
    faults: Sequence[str]


def compare(platform: Platform, outcomes: Iterable[Outcome]) -> Arrival:
    """Compare what a platform has received with what is on disk."""
    sha256 = cache(_sha256)
    intact: list[str] = []
    faults: list[str] = []
    imu = 0
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
