"""However a process ends, the next one goes on where it was."""

import asyncio
import json
import math
import random
import resource
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define

from kognic_aio import InputTarget, Journal
from kognic_aio.emulator import Emulator, faults
from kognic_aio.pipeline.journal import Step
from tests.faults.ingestion import TARGETS, Ingestion
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

LOST_ANSWER = faults.Drop(after_effect=True)


@define
class Service:
    """Processes that ingest the same scenes with the same journal, one after another.

    Args:
        emulator: Where to.
        journal: Their journal.
        scenes: How many.
        targets: Where inputs of each scene go, none for one project.
    """

    emulator: Emulator
    journal: Path
    scenes: int
    targets: Sequence[InputTarget] = ()

    async def started(self, **how: Any) -> Process:
        """A process that begins, or goes on."""
        arguments = (
            json.dumps(self.emulator.client_options()),
            str(self.journal),
            str(self.scenes),
            *("several" for _ in self.targets[:1]),
        )
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.faults.child", *arguments, **how)

    async def busy(self, after: int, **how: Any) -> Process:
        """A process that has made so many requests, or has ended before."""
        target = self._requests() + after
        child = await self.started(**how)
        with anyio.fail_after(GENEROUS):
            while self._requests() < target and child.returncode is None:
                await anyio.sleep(0.001)
        return child

    async def finish(self) -> None:
        """Run to the end; nothing is lost, and nothing has happened twice."""
        child = await self.started(stdout=PIPE)
        with anyio.fail_after(120):
            said, _ = await child.communicate()
        assert said.decode().splitlines()[-1] == "done"
        assert b"failed" not in said
        Ingestion(self.scenes, self.targets).check_platform(self.emulator.platform)
        self._check_uploads()

    def _requests(self) -> int:
        return sum(self.emulator.recorder.requests_by_endpoint.values())

    def _check_uploads(self) -> None:
        """Once a scene is committed, nothing is uploaded for it again, neither to it nor to another in its stead."""
        names, committed = dict(self._scenes()), set[str]()
        for request in self.emulator.recorder.requests():
            uuid = next((part for part in request.path.split("/") if part in names), "")
            if request.method == "PUT":
                assert names[uuid] not in committed
            elif request.path.endswith("/commit") and (request.status == 200 or request.fault == LOST_ANSWER):
                committed.add(names[uuid])
        assert committed == set(names.values())

    def _scenes(self) -> Iterator[tuple[str, str]]:
        """The uuid and external id of every scene on the platform."""
        for number in range(self.scenes):
            for scene in self.emulator.platform.scenes.with_external_id(f"ingested-{number}"):
                yield scene.uuid, scene.external_id


@pytest.fixture
async def service(tmp_path: Path, pytestconfig: pytest.Config) -> AsyncIterator[Service]:
    async with Emulator(api_latency=0.002, storage_latency=0.002) as emulator:
        yield Service(emulator, tmp_path / "journal", 500 if pytestconfig.getoption("whole") else 200)


@pytest.mark.timeout(1200)  # a minute for six processes one after another, and `--whole` starts a hundred
@pytest.mark.parametrize("targets", [(), TARGETS], ids=["one", "several"])
async def test_killed_again_and_again(
    targets: Sequence[InputTarget], service: Service, pytestconfig: pytest.Config
) -> None:
    """Killed at random moments, half of the time with faults on, and started again: one input of each target."""
    service.targets = targets
    chance = random.Random(pytestconfig.getoption("seed"))
    kills = 100 if pytestconfig.getoption("whole") else 6
    planned = service.emulator.faults
    for number in range(kills):
        planned.clear()
        if number % 2:
            planned.add(LOST_ANSWER, on=faults.APIS, probability=0.02, seed=number)
        child = await service.busy(after=chance.randrange(1, 6 * service.scenes // kills), stdout=DEVNULL)
        if child.returncode is None:
            child.kill()
        with anyio.fail_after(GENEROUS):
            await child.wait()
    planned.clear()
    await service.finish()


@pytest.mark.parametrize(("told", "after"), [(signal.SIGINT, 100), (signal.SIGTERM, 400)])
async def test_told_to_end(told: signal.Signals, after: int, service: Service) -> None:
    """On Ctrl-C and SIGTERM all ends, whatever is awaited; what was started is invalidated or known to the journal."""
    recorder = service.emulator.recorder
    child = await service.busy(after, stdout=DEVNULL, stderr=PIPE)
    service.emulator.faults.add(faults.SlowAnswer(HOUR), on=faults.UPLOADS, times=math.inf)
    await until(lambda: recorder.in_flight["uploads"] > 1)
    child.send_signal(told)
    with anyio.fail_after(GENEROUS):
        _, complaints = await child.communicate()
    assert b"never retrieved" not in complaints
    await until(lambda: not recorder.connections_open)
    service.emulator.faults.clear()
    async with Journal(service.journal) as journal:
        known = (await journal.counts()).get(Step.COMMITTING, 0) + len(await journal.abandoned())
        assert recorder.in_flight["scene-jobs"] <= known
    await service.finish()
    async with Journal(service.journal) as journal:
        assert await journal.abandoned() == []


async def test_a_full_disk(service: Service) -> None:
    """When the journal cannot be written any more, the run ends with an error that says so."""
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))
    child = await service.started(stdout=DEVNULL, stderr=PIPE, preexec_fn=limit)
    with anyio.fail_after(GENEROUS):
        _, complaints = await child.communicate()
    last = complaints.decode().splitlines()[-1]
    assert last.startswith(f"kognic_aio.errors.JournalError: journal {service.journal}: ")
    assert child.returncode == 1
    await service.finish()
