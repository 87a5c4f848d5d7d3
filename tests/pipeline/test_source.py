"""How scenes are taken from a source: in time, and not before there is room for them."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest

from kognic_aio import InputCreationStatus, KognicIOClient, Limits, SceneWithPreAnnotation, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras
from tests.scenes import cameras_scene
from tests.waiting import until

pytestmark = pytest.mark.anyio

CREATED = InputCreationStatus.CREATED


class Taken:
    """Counts the scenes that are taken from sources of any form. Their files give no bytes, so that none settles."""

    def __init__(self) -> None:
        self.count = 0

    def __iter__(self) -> Iterator[Cameras]:
        while True:
            self.count += 1
            yield cameras_scene(str(self.count), callback=self._hang)

    async def __call__(self) -> AsyncIterator[Cameras]:
        for scene in self:
            yield scene

    @staticmethod
    async def _hang(filename: str) -> bytes:
        await anyio.sleep_forever()
        return filename.encode()


class InMemory(deque[Cameras]):
    """Scenes in memory of which it is seen how many are taken."""

    def __init__(self, taken: Taken) -> None:
        super().__init__()
        self._taken = taken

    def __iter__(self) -> Iterator[Cameras]:
        return iter(self._taken)


FORMS: dict[str, Callable[[Taken], Any]] = {
    "iterator": iter,
    "async-iterator": lambda taken: taken(),
    "in-memory": InMemory,
}


@pytest.mark.parametrize(
    ("form", "limits", "ahead"),
    [
        ("iterator", Limits(scene_jobs=1), 1),
        ("iterator", Limits(scene_jobs=16), 4),
        ("iterator", Limits(scene_jobs=96), 16),
        ("iterator", Limits(scene_jobs=16, in_flight=4), 1),
        ("async-iterator", Limits(scene_jobs=16), 1),
        ("in-memory", Limits(scene_jobs=16), 1),
    ],
    ids=["one-job", "few-jobs", "many-jobs", "few-in-flight", "async", "in-memory"],
)
async def test_scenes_ahead(form: str, limits: Limits, ahead: int, emulator: Emulator) -> None:
    """Besides the scenes that have a place, only a few are taken: one, or a quarter of the places by a thread."""
    taken, places = Taken(), min(limits.scene_jobs, limits.in_flight)
    async with (
        KognicIOClient(**emulator.client_options(), limits=limits) as client,
        create_inputs(client, FORMS[form](taken), "project-a") as made,
    ):
        waiting = asyncio.ensure_future(anext(made))
        await until(lambda: taken.count >= places + ahead and emulator.recorder.in_flight["scene-jobs"] == places)
        await anyio.sleep(0.1)
        assert made.progress.taken == taken.count == places + ahead
    with pytest.raises(StopAsyncIteration):
        await waiting


class Eight:
    """A source of eight scenes, which waits for a signal before the first one."""

    def __init__(self, release: Callable[[int], Any] | None = None) -> None:
        self._release = release
        self._begun, self._go, self._read = threading.Event(), threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[SceneWithPreAnnotation]:
        self._begun.set()
        assert self._go.wait(10)
        for number in range(8):
            if number == 7:
                self._read.set()
            release = None if self._release is None else partial(self._release, number)
            yield SceneWithPreAnnotation(cameras_scene(str(number)), release=release)

    async def read_at_once(self) -> None:
        """Have all scenes read while the event loop stands still."""
        await until(self._begun.is_set)
        self._go.set()
        assert self._read.wait(10)


async def test_several_are_read_at_a_time(client: KognicIOClient) -> None:
    """A thread reads several scenes in a row, without the event loop in between."""
    source = Eight()
    made = create_inputs(client, source, "project-a", sleep_time=0.01, limits=Limits(scene_jobs=64))
    first = asyncio.ensure_future(anext(made))
    await source.read_at_once()
    with anyio.fail_after(10):
        assert (await first).status is CREATED
        assert [result.status async for result in made] == [CREATED] * 7


async def test_a_source_that_takes_long(client: KognicIOClient) -> None:
    """What a source has given settles while it is busy with the next scene."""
    settled = threading.Event()

    def scenes() -> Iterator[Cameras]:
        for number in range(9):
            yield cameras_scene(str(number))
            assert settled.wait(10)
            settled.clear()

    made = create_inputs(client, scenes(), "project-a", sleep_time=0.01, limits=Limits(scene_jobs=64))
    with anyio.fail_after(30):
        async for result in made:
            assert result.status is CREATED
            settled.set()
    assert made.progress.created == 9


async def test_several_that_come_too_late(client: KognicIOClient) -> None:
    """Scenes that were read and not yet taken when a run is closed are all released, though the first hangs in it."""
    released = list[int]()

    async def release(number: int) -> None:
        released.append(number)
        if number == 0:
            await anyio.sleep_forever()

    source = Eight(release)
    made = create_inputs(client, source, "project-a", limits=Limits(scene_jobs=64))
    first = asyncio.ensure_future(anext(made))
    await source.read_at_once()
    await made.aclose()
    await until(lambda: len(released) == 8)
    assert made.progress.taken == 0
    with pytest.raises(StopAsyncIteration):
        await first
