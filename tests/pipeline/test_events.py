"""Events: what is told of each scene makes sense, and adds up to what is counted."""

import asyncio
import gc
import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve

from kognic_aio import (
    InputCreationStatus,
    InputTarget,
    KognicIOClient,
    Progress,
    SceneStage,
    create_inputs,
    events,
)
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import InvalidError, UnavailableError
from kognic_aio.events import Event, SceneEvent
from tests.faults.ingestion import BATCH, IMPATIENT, PROJECT, TARGETS, Ingestion
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED

NEXT: dict[type[Event] | None, set[type[Event]]] = {
    None: {events.SceneTaken},
    events.SceneTaken: {events.SceneChecked, events.SceneSettled},
    events.SceneChecked: {events.SceneStarted, events.SceneAbandoned, events.SceneCommitted, events.SceneSettled},
    events.SceneStarted: {events.FileSent, events.SceneAbandoned, events.SceneCommitted},
    events.FileSent: {events.FileSent, events.SceneAbandoned, events.SceneCommitted},
    events.SceneAbandoned: {events.SceneRestarted, events.SceneStarted, events.SceneSettled},
    events.SceneRestarted: {events.SceneChecked},
    events.SceneCommitted: {events.SceneCreated, events.SceneSettled},
    events.SceneCreated: {events.PreAnnotated, events.InputCreated, events.SceneSettled},
    events.PreAnnotated: {events.PreAnnotated, events.InputCreated, events.SceneSettled},
    events.InputCreated: {events.InputCreated, events.SceneSettled},
    events.SceneSettled: set(),
}
"""What may follow an event of a scene. Retries may come at any time."""


def check_sequences(told: Sequence[Event]) -> dict[int, list[type[Event]]]:
    """Check that each scene's events follow each other as they may, to the end, and return them by its number."""
    kinds = defaultdict[int, list[type[Event]]](list)
    for event in told:
        if isinstance(event, SceneEvent) and not isinstance(event, events.Retried):
            last = kinds[event.number][-1] if kinds[event.number] else None
            assert type(event) in NEXT[last], f"{type(event).__name__} after {last}"
            kinds[event.number].append(type(event))
    assert {sequence[-1] for sequence in kinds.values()} <= {events.SceneSettled}
    return kinds


def check_sums(told: Sequence[Event], progress: Progress) -> None:
    """Check that the events add up to what is counted."""
    counts = Counter(type(event) for event in told)
    files = [event for event in told if isinstance(event, events.FileSent)]
    ends = Counter(event.status for event in told if isinstance(event, events.SceneSettled) and not event.is_skipped)
    assert progress.taken == counts[events.SceneTaken]
    assert progress.committed == counts[events.SceneCommitted]
    assert (progress.files, progress.bytes) == (len(files), sum(file.size for file in files))
    assert progress.settled == counts[events.SceneSettled]
    assert {status: getattr(progress, status) for status in ends} == ends
    assert progress.events_dropped == 0
    assert set(progress.in_stage.values()) == {0}


def bad(scenes: Sequence[Any]) -> Iterator[Any]:
    """The scenes, of which one in ten has a file that cannot be read, or is none."""
    for number, item in enumerate(scenes):
        if number % 20 == 0:
            yield "no scene"
        elif number % 20 == 10:
            yield evolve(item, scene=cameras_scene(item.scene.external_id, callback=unreadable))
        else:
            yield item


def unreadable(_: str) -> bytes:
    raise OSError("the disk is gone")


@pytest.mark.parametrize("several", [False, True], ids=["project", "targets"])
@pytest.mark.timeout(240)
async def test_a_run_with_faults(several: bool, emulator: Emulator, tmp_path: Path) -> None:
    """Each scene's events are those of a life, whatever goes wrong, and their sums are the progress."""
    for number, endpoint in enumerate((faults.APIS, faults.UPLOADS)):
        for fault in (faults.Drop(after_effect=True), faults.Status(500)):
            emulator.faults.add(fault, on=endpoint, probability=0.02, seed=number)
        emulator.faults.add(faults.Status(503), on=endpoint, times=3, skip=50)  # more would slow down all that follows
    emulator.faults.add(faults.ExpiredUrl(), on="PUT *", times=3, skip=50)
    told: list[Event] = []
    ingestion = Ingestion(300, TARGETS if several else ())
    where: dict[str, Any] = {"targets": TARGETS} if several else {"project": PROJECT, "batch": BATCH}
    async with KognicIOClient(**emulator.client_options(), **IMPATIENT) as client:
        source = bad(ingestion.scenes)
        made = create_inputs(client, source, **where, sleep_time=0.05, on_event=told.append, journal=tmp_path / "j")
        with anyio.fail_after(200):
            results = [result async for result in made]
    assert Counter(result.status for result in results) == {CREATED: 270, FAILED: 30}
    sequences = check_sequences(told)
    check_sums(told, made.progress)
    assert sorted(sequences) == list(range(1, 301))
    assert all(event.time <= datetime.now(UTC) for event in told)
    inputs = Counter(event.number for event in told if isinstance(event, events.InputCreated))
    assert set(inputs.values()) == {3 if several else 1}
    retried = [event for event in told if isinstance(event, events.Retried)]
    assert {event.external_id for event in retried} & {item.scene.external_id for item in ingestion.scenes}
    assert all(event.what and event.why for event in retried)


async def test_one_scene(emulator: Emulator, client: KognicIOClient) -> None:
    """What is told of a scene, in its order, with all that it names."""
    told: list[Event] = []
    made = create_inputs(client, [cameras_scene("crossing")], "project-b", sleep_time=0.01, on_event=told.append)
    (result,) = [result async for result in made]
    match told:
        case [
            events.SceneTaken(),
            events.SceneChecked(),
            events.SceneStarted(scene_uuid=started),
            events.FileSent(name="0.jpg", size=size, seconds=sending),
            events.SceneCommitted(scene_uuid=committed),
            events.SceneCreated(scene_uuid=created, seconds=processing),
            events.InputCreated(target=target, input_uuid=input_uuid),
            events.SceneSettled(status="created", is_skipped=False, why=None),
        ]:
            pass
        case _:
            pytest.fail(str(told))
    assert {started, committed, created} == {result.scene_uuid}
    assert (target, input_uuid, size) == (result.outcomes[0].target, result.input_uuid, made.progress.bytes)
    assert (sending > 0, processing > 0) == (True, True)
    assert {(event.external_id, event.number) for event in told if isinstance(event, SceneEvent)} == {("crossing", 1)}
    assert [event.time for event in told] == sorted(event.time for event in told)


async def test_a_scene_that_is_known(client: KognicIOClient, tmp_path: Path) -> None:
    """One that an earlier run has delivered is skipped, and that is told."""
    told: list[Event] = []
    for is_skipped in (False, True):
        told.clear()
        options: dict[str, Any] = {"sleep_time": 0.01, "journal": tmp_path / "journal", "on_event": told.append}
        made = create_inputs(client, [cameras_scene("crossing")], "project-b", **options)
        assert len([result async for result in made]) == (not is_skipped)
        check_sequences(told)
        check_sums(told, made.progress)
    assert [type(event) for event in told] == [events.SceneTaken, events.SceneChecked, events.SceneSettled]
    last = told[-1]
    assert isinstance(last, events.SceneSettled)
    assert (last.status, last.is_skipped) == ("created", True)


async def test_a_scene_that_fails(client: KognicIOClient) -> None:
    """The reason is told with its end."""
    told: list[Event] = []
    scene = cameras_scene("crossing", callback=unreadable)
    (result,) = [each async for each in create_inputs(client, [scene], "project-b", on_event=told.append)]
    last = told[-1]
    assert isinstance(last, events.SceneSettled)
    assert result.error is not None
    assert (last.status, last.why) == ("failed", result.error.message)
    assert events.SceneAbandoned in map(type, told)


async def test_push_back(emulator: Emulator, client: KognicIOClient) -> None:
    """A host that pushes back is told of: each refusal, and what is made of it."""
    told: list[Event] = []
    emulator.faults.add(faults.Status(429, retry_after=0), on="POST v1/inputs/initialize", times=3)
    scenes = [cameras_scene(f"crossing-{number}") for number in range(30)]
    async for _ in create_inputs(client, scenes, "project-b", sleep_time=0.01, on_event=told.append):
        pass
    assert Counter(type(event) for event in told)[events.PushedBack] == 3
    tighter = [event for event in told if isinstance(event, events.LimitsChanged) and event.why]
    assert (tighter[0].is_first, tighter[0].why) == (True, "status 429")
    assert tighter[0].concurrency is not None
    assert {event.host for event in told if isinstance(event, events.HostEvent)} == {emulator.url}


@pytest.mark.parametrize("adaptive", [True, False])
async def test_hosts_that_are_well(adaptive: bool, emulator: Emulator) -> None:
    """Of hosts that refuse nothing, only what was found out about them is told. API and storage are told apart."""
    told: list[Event] = []
    async with KognicIOClient(**emulator.client_options(), adaptive=adaptive) as client:
        made = create_inputs(
            client, [cameras_scene(str(n), files=3) for n in range(100)], "project-b", on_event=told.append
        )
        async for _ in made:
            pass
        found = made.progress.concurrency
    assert made.progress.concurrency == found  # also now that the client is closed
    assert {type(event) for event in told if isinstance(event, events.HostEvent)} == (
        {events.LimitsChanged} if adaptive else set()
    )
    assert [*found] == ([emulator.url, f"{emulator.url} (storage)"] if adaptive else [])


async def test_a_host_that_breaks_down(emulator: Emulator) -> None:
    """The circuit opens, and that is the last that is told of the host."""
    told: list[Event] = []
    emulator.faults.add(faults.Status(500), on="POST v1/inputs/*", times=10_000)
    options: dict[str, Any] = {"max_retry_wait_time": 0, "max_retry_attempts": 2}
    scenes = [cameras_scene(f"crossing-{number}") for number in range(30)]
    async with KognicIOClient(**emulator.client_options(), **options) as client:
        with pytest.raises(UnavailableError):
            async for _ in create_inputs(client, scenes, "project-b", on_event=told.append):
                pass
    opened = [event for event in told if isinstance(event, events.CircuitOpened)]
    assert (opened[0].host, opened[0].failed) == (emulator.url, 3)


# The callback


def scenes_of(number: int) -> list[Any]:
    return [cameras_scene(f"crossing-{each}") for each in range(number)]


async def run(client: KognicIOClient, scenes: Sequence[Any], on_event: Callable[[Event], object]) -> Progress:
    made = create_inputs(client, scenes, "project-b", sleep_time=0.01, on_event=on_event)
    with anyio.fail_after(GENEROUS):
        assert [result.status async for result in made] == len(scenes) * [CREATED]
    return made.progress


async def test_a_thread_of_its_own(client: KognicIOClient) -> None:
    """All calls come in one thread, which is not that of the loop, one after another."""
    threads, running = set[int](), threading.Lock()

    def note(_: Event) -> None:
        assert running.acquire(blocking=False)
        threads.add(threading.get_ident())
        running.release()

    await run(client, scenes_of(20), note)
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


async def test_one_that_raises(client: KognicIOClient, caplog: pytest.LogCaptureFixture) -> None:
    """It is called with every event all the same, and its first error is logged."""
    told: list[Event] = []

    def fail(event: Event) -> None:
        told.append(event)
        raise ValueError("not understood")

    with caplog.at_level(logging.ERROR):
        progress = await run(client, scenes_of(10), fail)
    check_sums(told, progress)
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_one_that_is_slow(client: KognicIOClient) -> None:
    """It holds up nothing. What it is too slow for is dropped and counted, and the rest comes in order."""
    told: list[Event] = []
    done = threading.Event()

    def wait(event: Event) -> None:
        done.wait(HOUR)
        told.append(event)

    items: list[Any] = 6_000 * ["no scene"]
    made = create_inputs(client, items, "project-b", on_event=wait)
    with anyio.fail_after(GENEROUS):
        async for _ in made:
            if made.progress.settled == len(items):
                done.set()
    events_of_all = 2 * len(items)  # each is taken, and fails
    assert made.progress.events_dropped == events_of_all - 10_000
    await until(lambda: len(told) == 10_000)
    assert [event.time for event in told] == sorted(event.time for event in told)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_one_that_raises_what_ends_a_thread(error: type[BaseException], client: KognicIOClient) -> None:
    """It is called with every event all the same."""
    told: list[Event] = []

    def fail(event: Event) -> None:
        told.append(event)
        raise error

    check_sums(told, await run(client, scenes_of(5), fail))


async def test_a_slow_one_gets_all(client: KognicIOClient) -> None:
    """The end of the run waits for it. The results do not: they are there before."""
    told: list[Event] = []
    done = threading.Event()

    def wait(event: Event) -> None:
        done.wait(HOUR)
        time.sleep(0.01)
        told.append(event)

    made = create_inputs(client, scenes_of(10), "project-b", sleep_time=0.01, on_event=wait)
    with anyio.fail_after(GENEROUS):
        async for _ in made:
            if made.progress.settled == 10:
                done.set()
    check_sums(told, made.progress)


async def test_a_run_that_is_left(client: KognicIOClient) -> None:
    """It ends soon, though the callback hangs, which is called no more. What it was not told of is counted."""
    hangs, done, calls = threading.Event(), threading.Event(), 0

    def hang(_: Event) -> None:
        nonlocal calls
        calls += 1
        hangs.set()
        done.wait(HOUR)

    async with create_inputs(client, scenes_of(5), "project-b", sleep_time=0.01, on_event=hang) as made:
        with anyio.fail_after(GENEROUS):
            async for _ in made:
                break
            await until(hangs.is_set)
    assert made.progress.events_dropped > 0
    assert set(made.progress.in_stage.values()) == {0}
    done.set()
    await until(lambda: "kognic_aio events" not in {thread.name for thread in threading.enumerate()})
    assert calls == 1


async def test_a_run_that_is_dropped(emulator: Emulator, client: KognicIOClient) -> None:
    """A callback that refers to its run does not keep it alive."""
    emulator.platform.timing.processing_time = HOUR
    task: asyncio.Task[Any] | None = None

    async def begin() -> None:
        nonlocal task
        made = create_inputs(client, scenes_of(3), "project-b", on_event=lambda _: made.progress.taken)
        with anyio.move_on_after(0.1):
            await anext(made)
        (task,) = (each for each in asyncio.all_tasks() if each.get_name() == "create_inputs")

    def is_over() -> bool:
        gc.collect()
        return task is not None and task.done()

    await begin()
    await until(is_over)


async def test_one_that_drains(client: KognicIOClient) -> None:
    """A callback may ask its run to take no more scenes."""

    def drain(event: Event) -> None:
        if isinstance(event, events.SceneSettled):
            made.drain()

    made = create_inputs(client, (scene for scene in scenes_of(2_000)), "project-b", sleep_time=0.01, on_event=drain)
    with anyio.fail_after(GENEROUS):
        results = [result async for result in made]
    assert 0 < len(results) < 2_000


async def test_its_context(client: KognicIOClient) -> None:
    """It sees the context variables of the call, whoever else uses the client."""
    name: ContextVar[str] = ContextVar("name")
    seen: dict[str, set[str]] = {"north": set(), "south": set()}

    async def ingest(own: str) -> None:
        name.set(own)
        await run(client, scenes_of(20), lambda _: seen[own].add(name.get()))

    async with anyio.create_task_group() as tasks:
        for own in seen:
            tasks.start_soon(ingest, own)
    assert seen == {"north": {"north"}, "south": {"south"}}


async def test_other_calls_are_not_told(emulator: Emulator, client: KognicIOClient) -> None:
    """A retry of a call beside the run is no event of the run; a host that pushes back is one of all runs."""
    told: list[Event] = []
    emulator.faults.add(faults.Status(429, retry_after=0), on="GET v1/projects", times=1)

    async def scenes() -> Any:
        await client.project.get_projects()
        yield cameras_scene("crossing")

    made = create_inputs(client, scenes(), "project-b", sleep_time=0.01, on_event=told.append)
    assert [result.status async for result in made] == [CREATED]
    assert not [event for event in told if isinstance(event, events.Retried)]
    assert [event.why for event in told if isinstance(event, events.PushedBack)] == ["status 429"]


async def test_an_input_is_told_of_when_it_is_there(emulator: Emulator, client: KognicIOClient) -> None:
    """Another target that takes longer, or fails, does not matter."""
    emulator.faults.add(faults.SlowAnswer(0.5), on="POST v2/inputs", times=1)
    emulator.platform.refuse("input", "crossing", "not here", only="project-a")
    told: list[Event] = []
    targets = [InputTarget("project-a", batch="batch-2"), InputTarget("project-b")]
    made = create_inputs(client, [cameras_scene("crossing")], targets=targets, sleep_time=0.01, on_event=told.append)
    assert [result.status async for result in made] == [FAILED]
    (created,) = (event for event in told if isinstance(event, events.InputCreated))
    assert created.target == targets[1]


def generator(event: Event) -> Iterator[Event]:
    yield event


@pytest.mark.parametrize("wrong", ["print", 3, generator], ids=["text", "number", "generator"])
def test_no_function(wrong: Any) -> None:
    """What cannot be called is an error at once."""
    with pytest.raises(InvalidError, match="on_event: expected a function, neither async nor a generator"):
        create_inputs(KognicIOClient(), [], "project-b", on_event=wrong)


def test_an_async_function() -> None:
    """A coroutine function would never be awaited."""

    async def wait(_: Event) -> None:
        await anyio.lowlevel.checkpoint()

    with pytest.raises(InvalidError, match="on_event: expected a function, neither async nor a generator"):
        create_inputs(KognicIOClient(), [], "project-b", on_event=wait)


# Progress


async def test_stages(emulator: Emulator, client: KognicIOClient) -> None:
    """At every moment the progress tells how many scenes are where."""
    emulator.platform.timing.processing_time = HOUR
    seen = Counter[SceneStage]()

    async def scenes() -> Any:
        for scene in scenes_of(10):
            yield scene
        with anyio.fail_after(GENEROUS):
            while made.progress.in_stage[SceneStage.PROCESSING] < 10:
                await anyio.sleep(0.01)
        seen.update(made.progress.in_stage)

    made = create_inputs(client, scenes(), "project-b", sleep_time=0.05, wait_timeout=0.1)
    with anyio.fail_after(GENEROUS):
        assert len([result async for result in made]) == 10
    assert +seen == {SceneStage.PROCESSING: 10}
    assert set(made.progress.in_stage.values()) == {0}
    assert made.progress.bytes / 10 <= made.progress.bytes_per_second <= made.progress.bytes
