"""The watcher: asks the platform for the status of all waiting scenes at once."""

import asyncio
import logging
import time
from math import inf
from typing import TYPE_CHECKING

import anyio
from attrs import define

from kognic_aio._http.hosts import asking_as_one
from kognic_aio._tasks import for_each
from kognic_aio.errors import DOOM, BadRequestError, KognicError, NotFoundError, SceneFailedError
from kognic_aio.model import Scene, SceneStatus

if TYPE_CHECKING:
    from kognic_aio.resources.scene import SceneResource

log = logging.getLogger("kognic_aio")

GATHERING = 0.02
"""Seconds before a look, in which further scenes may become due: they are asked for together."""

SCENES_PER_QUERY = 100
QUERIES_AT_ONCE = 4


@define
class _Waiting:
    settled: "asyncio.Future[Scene | None]"
    look_at: float


class Watcher:
    """Watches scenes until they are created.

    Args:
        scenes: Asked for the status.
        sleep_time: Seconds between two looks at a scene.
        scene_timeout: Seconds after which a scene is no longer waited for, None for ever.
    """

    def __init__(self, scenes: "SceneResource", sleep_time: float, scene_timeout: float | None) -> None:
        self._scenes = scenes
        self._sleep_time = sleep_time
        self._scene_timeout = scene_timeout
        self._waiting: dict[str, _Waiting] = {}
        self._newcomer = anyio.Event()
        self._clock: asyncio.TimerHandle | None = None
        self._has_given_up = False
        self._is_over = False

    async def created(self, scene_uuid: str) -> bool:
        """Wait for a committed scene; tell whether it was created in time.

        Raises:
            SceneFailedError: If it failed or was invalidated.
            ApiError: If the platform does not know it.
        """
        if self._has_given_up:
            return False
        future = asyncio.get_running_loop().create_future()
        self._waiting[scene_uuid] = _Waiting(future, look_at=time.monotonic())
        self._newcomer.set()
        scene: Scene | None = None
        try:
            with anyio.move_on_after(self._scene_timeout):
                scene = await future
        finally:
            del self._waiting[scene_uuid]
        if scene is not None and scene.status.is_lost:
            reason = scene.error_message or "the platform gives no reason"
            raise SceneFailedError(f"{scene.status.value}: {reason}", status=scene.status.value)
        return scene is not None

    def give_up_after(self, wait_timeout: float) -> None:
        """Stop waiting for any scene after so many seconds from the first time that this is called."""
        if not self._is_over and self._clock is None:
            self._clock = asyncio.get_running_loop().call_later(wait_timeout, self._give_up)

    async def watch(self) -> None:
        """Look at scenes when their time has come, until cancelled."""
        try:
            with asking_as_one():  # if only these fail, it is not the host that is broken
                while True:
                    with anyio.move_on_after(self._seconds_to_next_look()):
                        await self._newcomer.wait()
                    await anyio.sleep(GATHERING)
                    self._newcomer = anyio.Event()
                    await for_each(self._due(), self._look_at, workers=QUERIES_AT_ONCE)
        finally:
            self._is_over = True
            if self._clock is not None:
                self._clock.cancel()

    def _seconds_to_next_look(self) -> float:
        earliest = min((waiting.look_at for waiting in self._waiting.values()), default=inf)
        return earliest - time.monotonic()

    def _due(self) -> list[list[str]]:
        """The scenes to look at now, in groups of the size of a query."""
        now = time.monotonic()
        due = [uuid for uuid, waiting in self._waiting.items() if waiting.look_at <= now]
        return [due[i : i + SCENES_PER_QUERY] for i in range(0, len(due), SCENES_PER_QUERY)]

    async def _look_at(self, uuids: list[str]) -> None:
        try:
            scenes = await self._scenes.get_scenes_by_uuids(uuids)
        except (NotFoundError, BadRequestError) as error:
            await self._look_closer(uuids, error)
        except DOOM:
            raise
        except KognicError as error:
            log.warning("no status of %d scenes, asking again in %s s: %s", len(uuids), self._sleep_time, error)
            self._look_again(uuids)
        else:
            self._look_again(uuids)
            for scene in scenes:
                if scene.status is SceneStatus.Created or scene.status.is_lost:
                    self._settle(scene)

    async def _look_closer(self, uuids: list[str], error: KognicError) -> None:
        """Ask for halves, down to the one scene that the platform does not answer for."""
        middle = len(uuids) // 2
        if middle:
            await self._look_at(uuids[:middle])
            await self._look_at(uuids[middle:])
        elif waiting := self._unsettled(uuids[0]):
            waiting.settled.set_exception(error)

    def _look_again(self, uuids: list[str]) -> None:
        then = time.monotonic() + self._sleep_time
        for uuid in uuids:
            if uuid in self._waiting:
                self._waiting[uuid].look_at = then

    def _settle(self, scene: Scene) -> None:
        if waiting := self._unsettled(scene.uuid):
            waiting.settled.set_result(scene)

    def _give_up(self) -> None:
        self._has_given_up = True
        for uuid in self._waiting:
            if waiting := self._unsettled(uuid):
                waiting.settled.set_result(None)

    def _unsettled(self, uuid: str) -> _Waiting | None:
        waiting = self._waiting.get(uuid)
        return None if waiting is None or waiting.settled.done() else waiting
