"""The watcher: queries the status of all waiting scenes together."""

import asyncio
import logging

import anyio
from attrs import define, evolve, field

from kognic_aio._http.api import Api
from kognic_aio._http.retry import READ
from kognic_aio._tasks import for_each
from kognic_aio.errors import ENDS_RUN, BadRequestError, ConflictError, KognicError, NotFoundError, SceneFailedError
from kognic_aio.model import Scene, SceneStatus
from kognic_aio.pipeline.schedule import Schedule, Turn
from kognic_aio.scenes.job import import_indexed
from kognic_aio.scenes.lookup import find_scenes, left_out
from kognic_aio.scenes.visibility import FIRST_PAUSE, Visibility

log = logging.getLogger("kognic_aio")

GATHERING = 0.03
"""Seconds to wait before a query, in which more scenes may become due: one query then covers them all."""

QUERIES_AT_ONCE = 4
"""Concurrent queries."""


@define(eq=False)
class _Waiting(Turn):
    """A scene that is waited for.

    Args:
        scene_uuid: Its uuid.
        settled: Resolves to the scene when it is created or lost, and to None when the watcher gives up.
    """

    scene_uuid: str = field(kw_only=True)
    settled: "asyncio.Future[Scene | None]" = field(factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, scene: Scene | None) -> None:
        """End the wait, unless it has ended."""
        if not self.settled.done():
            self.settled.set_result(scene)

    def fail(self, error: KognicError) -> None:
        """End the wait with an error, unless it has ended."""
        if not self.settled.done():
            self.settled.set_exception(error)


class Watcher:
    """Watches scenes until they are created.

    A scene that the platform does not know counts as "not yet" until its grace period is over.

    Args:
        api: The input API.
        visibility: Knows which scenes the platform may not show yet.
        sleep_time: The longest pause, in seconds, between two queries of a scene; None for that of `Schedule`.
        scene_timeout: Seconds to wait for a scene; None for no bound.
    """

    def __init__(self, api: Api, visibility: Visibility, sleep_time: float | None, scene_timeout: float | None) -> None:
        # These queries have a failure count of their own: if only they fail, the host is not broken, and other requests
        # go on.
        self._api = api.with_policy(evolve(READ, breaker_key=self))
        self._visibility = visibility
        self._scene_timeout = scene_timeout
        self._schedule = Schedule[_Waiting](sleep_time)
        self._newcomer = anyio.Event()
        self._clock: asyncio.TimerHandle | None = None
        self._has_given_up = False
        self._is_over = False

    async def wait_until_created(self, scene_uuid: str) -> bool:
        """Wait for a committed scene. Return whether it was created in time. One that is only indexed is imported.

        Raises:
            SceneFailedError: If it failed or was invalidated.
            NotFoundError: If the platform does not know it when its grace period is over.
        """
        # A resumed scene is known to the journal only, and has no grace period yet.
        self._visibility.ensure_grace_period(scene_uuid)
        scene: Scene | None = None
        with anyio.move_on_after(self._scene_timeout):
            scene = await self._settled(scene_uuid)
            if scene is not None and scene.status is SceneStatus.Indexed:
                scene = await self._import(scene_uuid)
        if scene is not None and scene.status.is_lost:
            reason = scene.error_message or "the platform gives no reason"
            raise SceneFailedError(f"{scene.status.value}: {reason}", status=scene.status.value)
        return scene is not None

    async def _import(self, scene_uuid: str) -> Scene | None:
        """Have a scene imported that is only indexed, and wait until it is created or lost."""
        refusal: KognicError | None = None
        while True:
            try:
                await import_indexed(self._api, scene_uuid)
            except (BadRequestError, ConflictError) as error:
                if refusal is not None:  # not for an earlier request that had its effect: the scene is still indexed
                    raise
                refusal = error
            scene = await self._settled(scene_uuid, pause=self._schedule.sleep_time)
            if scene is None or scene.status is not SceneStatus.Indexed:
                return scene

    async def _settled(self, scene_uuid: str, pause: float = 0.0) -> Scene | None:
        """Wait until a scene is created, lost or indexed; None if the watcher gives up."""
        if self._has_given_up:
            return None
        waiting = _Waiting(scene_uuid=scene_uuid)
        self._schedule.add(waiting, pause)
        self._newcomer.set()
        try:
            return await waiting.settled
        finally:
            self._schedule.remove(waiting)

    def give_up_after(self, wait_timeout: float) -> None:
        """Give up on all scenes after `wait_timeout` seconds. Later calls do nothing."""
        if not self._is_over and self._clock is None:
            self._clock = asyncio.get_running_loop().call_later(wait_timeout, self._give_up)

    async def watch(self) -> None:
        """Query scenes when they are due, until cancelled."""
        try:
            while True:
                with anyio.move_on_after(self._schedule.seconds_left()):
                    await self._newcomer.wait()
                await anyio.sleep(GATHERING)
                self._newcomer = anyio.Event()
                await for_each(self._schedule.take(), self._query, workers=QUERIES_AT_ONCE)
        finally:
            self._is_over = True
            if self._clock is not None:
                self._clock.cancel()

    async def _query(self, group: list[_Waiting]) -> bool:
        """Query a group of scenes. Return False if the platform does not know all of them."""
        try:
            found = await find_scenes(self._api, [waiting.scene_uuid for waiting in group])
        except (NotFoundError, BadRequestError) as error:
            return await self._bisect(group, error)
        except ENDS_RUN:
            raise
        except KognicError as error:
            # Not an error of these scenes: they are being processed all the same, and may be waited for.
            pause = self._schedule.sleep_time
            log.warning("status query for %d scenes failed, retrying in %g s: %s", len(group), pause, error)
            self._postpone(group, pause)
            return True
        for waiting in group:
            if scene := found.get(waiting.scene_uuid):
                self._take(waiting, scene)
            else:
                self._miss(waiting, left_out(self._api, [waiting.scene_uuid]))
        return len(found) == len(group)

    async def _bisect(self, group: list[_Waiting], error: BadRequestError | NotFoundError) -> bool:
        """Bisect a group that the platform refuses, down to the one scene that is refused."""
        middle = len(group) // 2
        if not middle:
            self._refused(group[0], error)
            return False
        is_known = await self._query(group[:middle])
        # The group is in the order of commits. If a scene is not shown yet, later ones may not be either, so they wait
        # for the next query: a hundred new scenes cost seven queries, not two hundred.
        if isinstance(error, NotFoundError) and not is_known:
            self._postpone(group[middle:], min(self._schedule.sleep_time, FIRST_PAUSE))
            return False
        return await self._query(group[middle:]) and is_known

    def _refused(self, waiting: _Waiting, error: BadRequestError | NotFoundError) -> None:
        """Handle the refusal of a query for a single scene."""
        if isinstance(error, NotFoundError):
            waiting.is_alone = True  # or it would make the platform refuse its next group, and delay the others
            self._miss(waiting, error)
        else:
            waiting.fail(error)

    def _miss(self, waiting: _Waiting, error: NotFoundError) -> None:
        """Handle a scene that the platform does not know, or not yet."""
        if self._visibility.is_expected(waiting.scene_uuid):
            self._schedule.ask_again(waiting)
        else:
            error.explain(f"scene {waiting.scene_uuid} did not appear within {self._visibility.timeout:g} s")
            waiting.fail(error)

    def _take(self, waiting: _Waiting, scene: Scene) -> None:
        """Handle the status of a scene."""
        waiting.is_alone = False
        if scene.status in (SceneStatus.Created, SceneStatus.Indexed) or scene.status.is_lost:
            self._schedule.ready(waiting)
            waiting.settle(scene)
        else:
            self._schedule.ask_again(waiting)

    def _postpone(self, group: list[_Waiting], seconds: float) -> None:
        for waiting in group:
            self._schedule.postpone(waiting, seconds)

    def _give_up(self) -> None:
        self._has_given_up = True
        for waiting in self._schedule:
            waiting.settle(None)
