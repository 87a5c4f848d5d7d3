"""Runs a case: the clients take turns to create the same scenes, round after round."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import fields, frozen

from benchmarks.cases import CASES, Case, Scenes
from benchmarks.child import child
from benchmarks.server import emulator

CLIENTS = ("ours", "official", "floor")
"""The modules in `benchmarks.clients` that create scenes."""


class IncompleteError(Exception):
    """A client did not create all inputs."""


@frozen(kw_only=True)
class Figures:
    """The figures of one run, or the medians of several.

    Args:
        wall: Seconds from the creation of the client until it is closed.
        first: Seconds from the creation of the client to the first result.
        cpu: CPU seconds of the client's process in that time, user and system.
        server_cpu: CPU seconds of the emulator's process.
        uploads: Peak of concurrent uploads, as the emulator saw it.
        scene_jobs: Peak of scenes between start and commit.
        api: Peak of concurrent API requests.
        connections: How many connections were opened.
    """

    wall: float
    first: float
    cpu: float
    server_cpu: float
    uploads: float
    scene_jobs: float
    api: float
    connections: float


def compare(name: str, clients: Sequence[str], rounds: int) -> Mapping[str, Figures]:
    """Run a case with each client. Each run gets a fresh emulator and a fresh client process.

    Args:
        name: The name of the case.
        clients: The clients to run.
        rounds: How often each client runs.

    Returns:
        The medians of each client.

    Raises:
        ChildFailedError: If a run fails.
        IncompleteError: If a client does not create all inputs.
    """
    case = CASES[name]
    runs: dict[str, list[Figures]] = {client: [] for client in clients}
    with TemporaryDirectory(prefix="benchmark-") as folder:
        scenes = case.write_files(Path(folder))
        for number in range(1, rounds + 1):
            for client in clients:
                figures = _run(case, scenes, client)
                print(f"{name} {number}/{rounds} {client}: {figures.wall:.2f} s", file=sys.stderr, flush=True)
                runs[client].append(figures)
    return {client: _medians(figures) for client, figures in runs.items()}


def _run(case: Case, scenes: Scenes, client: str) -> Figures:
    with emulator(case.slowness) as server:
        order = {"options": server.options, "scenes": scenes}
        with child(f"benchmarks.clients.{client}", order) as finished:
            timing = finished.answer
        report = server.report()
    if timing["created"] != case.scenes:
        raise IncompleteError(f"{client} created {timing['created']} of {case.scenes} inputs")
    peak = report["peak"]
    return Figures(
        wall=timing["wall"],
        first=timing["first"],
        cpu=timing["cpu"],
        server_cpu=report["cpu"],
        uploads=peak["uploads"],
        scene_jobs=peak["scene-jobs"],
        api=peak["api"],
        connections=report["connections_opened"],
    )


def _medians(runs: Sequence[Figures]) -> Figures:
    return Figures(**{field.name: median(getattr(run, field.name) for run in runs) for field in fields(Figures)})
