"""Ingest for a long time while everything goes wrong now and then: is anything lost, and does anything grow?

python -m tests.faults.soak --minutes 30
"""

import argparse
import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from attrs import evolve, frozen

from benchmarks.child import client_options
from kognic_aio import InputCreation, KognicIOClient, Limits, SceneWithPreAnnotation, create_inputs
from kognic_aio.model import Image
from tests.faults import chaos
from tests.faults.ingestion import BATCH, OPENLABEL, PROJECT
from tests.scenes import KINDS, SOURCES, build, cameras_scene

LIMITS = Limits(in_flight=200)
SAMPLES = 600
"""How often to look: what is open at a moment varies, and medians of a few looks vary with it."""

LARGE = 2 << 20
"""Bytes of a file that is streamed."""

MAX_GROWTH = {"MB": 1.1, "files": 1.1, "tasks": 1.5}
"""By which factor each may have grown from the second sixth of the time to the last."""


@frozen
class Sample:
    """What a process holds after some time.

    Args:
        seconds: The time.
        settled: Scenes that have ended.
        values: Megabytes of resident memory, open files and sockets, tasks.
    """

    seconds: float
    settled: int
    values: dict[str, float]

    @classmethod
    def take(cls, seconds: float, run: InputCreation) -> "Sample":
        """Look at this process."""
        process = psutil.Process()
        files, tasks = process.num_fds(), len(asyncio.all_tasks())
        values = {"MB": process.memory_info().rss / 1e6, "files": files, "tasks": tasks}
        return cls(seconds, run.progress.settled, values)

    def __str__(self) -> str:
        values = "  ".join(f"{value:8.1f} {name}" for name, value in self.values.items())
        return f"{self.seconds:7.0f} s  {self.settled:9,} settled  {values}"


def scenes(folder: Path) -> Iterator[SceneWithPreAnnotation]:
    """Scenes of all seven types without end, every third with a pre-annotation, some of a file that is streamed."""
    large = folder / "large.jpg"
    large.write_bytes(bytes(LARGE))
    scene = cameras_scene("large")
    templates = [build(kind, SOURCES["local-file"], folder).scene for kind in KINDS]
    templates.append(evolve(scene, frame=evolve(scene.frame, images=[Image(filename=str(large))])))
    for number in count():
        scene = evolve(templates[number % len(templates)], external_id=f"soaked-{number}")
        yield SceneWithPreAnnotation(scene, OPENLABEL if number % 3 == 0 else None)


async def ingest(options: dict[str, Any], folder: Path, seconds: float) -> tuple[list[Sample], Counter[str]]:
    """Ingest for so long, then finish; tell what was held meanwhile, and how many scenes ended how."""
    ends, samples = Counter[str](), list[Sample]()
    given = client_options(options) | {"timeout": 1.0, "max_retry_wait_time": 1.0}
    async with KognicIOClient(**given) as client:
        made = create_inputs(
            client, scenes(folder), PROJECT, batch=BATCH, sleep_time=0.1, limits=LIMITS, journal=folder / "journal"
        )
        watching = asyncio.create_task(_watch(made, seconds, samples))
        async for result in made:
            ends[result.status.value if result.error is None else result.error.message] += 1
        await watching
    return samples, ends


async def _watch(made: InputCreation, seconds: float, samples: list[Sample]) -> None:
    """Take samples, then have the run finish what it has begun."""
    began = time.monotonic()
    for number in range(1, SAMPLES + 1):
        await asyncio.sleep(began + seconds * number / SAMPLES - time.monotonic())
        samples.append(Sample.take(time.monotonic() - began, made))
        if number % (SAMPLES // 12) == 0:
            print(samples[-1], flush=True)
    made.drain()


def growth(samples: list[Sample]) -> dict[str, float]:
    """By which factor each value has grown from the second sixth of the samples to the last."""
    sixth = len(samples) // 6
    early, late = samples[sixth : 2 * sixth], samples[-sixth:]
    return {name: _median(late, name) / _median(early, name) for name in samples[0].values}


def _median(samples: list[Sample], name: str) -> float:
    return median(sample.values[name] for sample in samples)


def soak(seconds: float, seed: int) -> list[str]:
    """Soak for so long, print what was seen, and return what is wrong."""
    with TemporaryDirectory(prefix="soak-") as folder, chaos.platform(seed) as server:
        seeded = server.report()["inputs"]
        samples, ends = asyncio.run(ingest(server.options, Path(folder), seconds))
        journal = Path(folder, "journal").stat().st_size
        report = server.report()
    settled, grown = sum(ends.values()), growth(samples)
    print(f"results   {dict(ends)}")
    print(f"platform  scenes {report['scenes']}, inputs {report['inputs']}, stored {report['stored_bytes']:,} bytes")
    print(f"faults    {report['faults']}")
    print(f"journal   {journal / settled:.0f} bytes a scene")
    print("growth   ", {name: round(factor, 3) for name, factor in grown.items()})
    return [
        *(f"{name} grew by {factor:.2f}" for name, factor in grown.items() if factor > MAX_GROWTH[name]),
        *(f"{number} scenes: {end}" for end, number in ends.items() if end != "created"),
        *(f"{number} scenes are {status}" for status, number in report["scenes"].items() if _is_left(status)),
        *([] if report["inputs"] - seeded == settled else [f"{report['inputs'] - seeded} inputs of {settled} scenes"]),
    ]


def _is_left(status: str) -> bool:
    return status not in ("created", "invalidated:incorrectly-created")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ingest while everything goes wrong now and then.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.getLogger("kognic_aio").setLevel(logging.CRITICAL)  # which has much to say of so many faults
    sys.exit("\n".join(soak(arguments.minutes * 60, arguments.seed)) or None)
