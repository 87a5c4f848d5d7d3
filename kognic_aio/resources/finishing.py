"""What was started is committed or invalidated: nothing is left lying about."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext

from anyio import Semaphore, get_cancelled_exc_class, move_on_after
from attrs import define, evolve, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.once import once
from kognic_aio._http.protocol import segment
from kognic_aio._tasks import for_each
from kognic_aio.errors import DOOM, ConflictError, KognicError, LeftOutError, NotFoundError
from kognic_aio.model import Scene, SceneInvalidatedReason, SceneStatus
from kognic_aio.resources.answers import plain_uuid
from kognic_aio.resources.visibility import Visibility

log = logging.getLogger("kognic_aio")

ABANDONING_TIME = 0.5
"""Seconds that a cancelled task takes at most to invalidate the scene that it leaves behind."""

MOST_STARTS = 8
"""How often a scene is started at most, and so how many orphans one call leaves, which are invalidated at once.

Of 100,000 scenes whose answers are lost one time in seven, none is given up.
"""

QUERY = "v2/scenes/query"


class Notes:
    """What is told of a scene on its way, before each step is taken. This one keeps only the scene's uuid."""

    scene_uuid: str | None = None
    """The scene that was started, None if the platform has refused to start it."""
    is_taken_up: bool = False
    """Whether a later run takes the scene up, should this one be cancelled."""

    def __init__(self) -> None:
        self.orphans: list[str] = []
        """Abandoned scenes that the platform does not show yet, to be invalidated when it does."""

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        self.scene_uuid = scene_uuid

    async def committing(self) -> None:
        """All files are there, and the scene is about to be committed."""

    async def committed(self) -> None:
        """The scene is committed."""

    async def abandoned(self, scene_uuid: str) -> None:
        """The scene cannot be finished, and is about to be invalidated."""

    async def invalidated(self, scene_uuid: str) -> None:
        """The abandoned scene is invalidated, or was never there."""


@define
class Start:
    """The start of one scene.

    Args:
        scene_uuid: The scene's uuid.
        may_exist: Whether the platform may have the scene.
    """

    scene_uuid: str
    may_exist: bool = False


@frozen
class Lifecycle:
    """What all scenes go through, whatever their type: they are looked at, committed, and invalidated.

    Args:
        api: The input API.
        visibility: Knows which scenes the platform may not show yet.
    """

    _api: Api
    visibility: Visibility

    async def find(self, scene_uuids: Sequence[str]) -> dict[str, Scene]:
        """What the platform tells of some scenes, by the uuid that was asked for; without those that it leaves out.

        Raises:
            NotFoundError: If it does not know one of them, and does not leave it out.
        """
        asked = {plain_uuid(uuid): uuid for uuid in scene_uuids}
        scenes = await self._api.ask(QUERY, list[Scene], json={"sceneUuids": list(scene_uuids)})
        return {asked[plain_uuid(each.uuid)]: each for each in scenes if plain_uuid(each.uuid) in asked}

    async def get(self, scene_uuids: Sequence[str]) -> list[Scene]:
        """What the platform tells of some scenes, as soon as it shows them.

        Raises:
            NotFoundError: If it does not know one of them.
        """

        async def ask() -> list[Scene]:
            found = await self.find(scene_uuids)
            known = {plain_uuid(uuid) for uuid in found}
            if missing := [uuid for uuid in scene_uuids if plain_uuid(uuid) not in known]:
                raise self.left_out(missing)
            return list(found.values())

        return await self.visibility.wait(scene_uuids, ask)

    def left_out(self, scene_uuids: Sequence[str]) -> LeftOutError:
        """The error of an answer that leaves out some of the scenes that were asked for."""
        message = f"the platform does not know the scenes {', '.join(scene_uuids)}: its answer leaves them out"
        return LeftOutError(message, missing=scene_uuids, method="POST", url=self._api.url(QUERY))

    async def status(self, scene_uuid: str) -> SceneStatus | None:
        """The status of a scene, None if the platform does not know it."""
        try:
            (scene,) = await self.get([scene_uuid])
        except NotFoundError:
            return None
        return scene.status

    async def appear(self, scene_uuids: Sequence[str]) -> bool:
        """Whether some scenes have appeared that may have been unknown just now: those within their grace period.

        An answer about them that knows nothing may have come too early; it is to be asked for again.
        """
        expected = [uuid for uuid in scene_uuids if self.visibility.is_expected(uuid)]
        try:
            return bool(expected and await self.get(expected))
        except NotFoundError:
            return False

    async def is_shown(self, scene_uuid: str) -> bool:
        """Whether the platform shows a scene already."""
        try:
            return bool(await self.find([scene_uuid]))
        except NotFoundError:
            return False

    async def commit(self, scene_uuid: str) -> None:
        """Tell the platform that all files of a scene are there."""

        async def look(api: Api) -> bool | None:
            return await evolve(self, api=api).status(scene_uuid) not in (SceneStatus.Pending, None) or None

        async def act(api: Api) -> bool:
            path = f"v1/inputs/{segment(scene_uuid)}/actions/commit"
            await self.visibility.wait([scene_uuid], lambda: api.command(path))
            return True

        try:
            await once(self._api, act, look)
        except ConflictError:
            if not await look(self._api):
                raise

    async def discard(self, scene_uuid: str, limiter: Semaphore | None = None, *, waits: bool = True) -> bool | None:
        """Invalidate a scene that will not be finished. If that fails, it is logged.

        Args:
            scene_uuid: The scene's uuid.
            limiter: Bounds the requests, but not the pauses between them.
            waits: Whether to ask again for a scene that the platform may not show yet.

        Returns:
            Whether it is invalidated, None if the platform does not know the scene.
        """
        body = {"sceneUuids": [scene_uuid], "reason": SceneInvalidatedReason.INCORRECTLY_CREATED.value}

        async def invalidate() -> None:
            async with limiter or nullcontext():
                await self._api.command("v2/scenes/actions/invalidate", json=body, repeatable=True)

        try:
            await self.visibility.wait([scene_uuid] if waits else [], invalidate)
        except NotFoundError:
            return None
        except KognicError as error:
            log.warning("scene %s was not finished, and could not be invalidated: %s", scene_uuid, error)
            return False
        self.visibility.invalidated(scene_uuid)
        return True

    async def abandon(self, scene_uuid: str, notes: Notes) -> None:
        """Give up a scene that may have been started. One that the platform does not show yet becomes an orphan.

        Args:
            scene_uuid: The scene's uuid.
            notes: Told before it is invalidated, and after; gets the orphan.
        """
        await notes.abandoned(scene_uuid)
        gone = await self.discard(scene_uuid, waits=False)
        if gone is None and self.visibility.is_expected(scene_uuid):
            notes.orphans.append(scene_uuid)
        elif gone is not False:
            await notes.invalidated(scene_uuid)

    async def discard_orphan(self, scene_uuid: str, limiter: Semaphore | None = None) -> bool:
        """Invalidate an orphan as soon as the platform shows it, and tell whether it is gone. If cancelled, be quick.

        Args:
            scene_uuid: The scene's uuid.
            limiter: Bounds the requests, but not the pauses between them.
        """
        try:
            return await self.discard(scene_uuid, limiter) is not False
        except get_cancelled_exc_class():
            await self._discard_at_once(scene_uuid)
            raise

    @asynccontextmanager
    async def leaving_no_orphans(self) -> AsyncGenerator[Notes, None]:
        """The notes of scenes that belong to no run. In the end, their orphans are invalidated."""
        notes = Notes()
        try:
            yield notes
        except Exception:
            await for_each(notes.orphans, self.discard_orphan, workers=MOST_STARTS)
            raise
        except BaseException:  # cancelled: there is no time
            await for_each(notes.orphans, self._discard_at_once, workers=MOST_STARTS)
            raise
        await for_each(notes.orphans, self.discard_orphan, workers=MOST_STARTS)

    async def _discard_at_once(self, scene_uuid: str) -> None:
        with move_on_after(ABANDONING_TIME, shield=True) as time:
            await self.discard(scene_uuid)
        if time.cancelled_caught:
            _warn_of_cut_off(scene_uuid)

    async def _cut_off(self, start: Start, notes: Notes) -> None:
        """Give up a scene at once, as there is no time. It may still come into being, which the notes are to know."""
        scene_uuid = start.scene_uuid
        with move_on_after(ABANDONING_TIME, shield=True) as time:
            if start.may_exist:
                self.visibility.expect(scene_uuid, at_least=2 * ABANDONING_TIME)
                await notes.abandoned(scene_uuid)
                if await self.discard(scene_uuid) is not False:
                    await notes.invalidated(scene_uuid)
            else:
                await _forget(scene_uuid, notes)
        if time.cancelled_caught:
            _warn_of_cut_off(scene_uuid)

    @asynccontextmanager
    async def finishing(self, scene_uuid: str, notes: Notes, *, exists: bool = False) -> AsyncGenerator[Start, None]:
        """What brings a scene from its start to its commit. If it fails or is cancelled, the scene is abandoned.

        A scene that the platform has refused to start needs no invalidation. One that is left while nobody knows
        whether it is committed is left to a later run, if that will look.

        Args:
            scene_uuid: The scene's uuid.
            notes: Told of an abandoned scene.
            exists: Whether the platform has the scene already.
        """
        start = Start(scene_uuid, may_exist=exists)
        is_seen_to = False
        try:
            yield start
            is_seen_to = True
        except DOOM:
            raise
        except Exception:
            await (self.abandon if start.may_exist else _forget)(scene_uuid, notes)
            is_seen_to = True
            raise
        finally:
            if not is_seen_to and not notes.is_taken_up:
                await self._cut_off(start, notes)


def _warn_of_cut_off(scene_uuid: str) -> None:
    log.warning(
        "scene %s was cut off, and could not be invalidated in %s s; the next run with the same journal "
        "invalidates it, without a journal look for it yourself",
        scene_uuid,
        ABANDONING_TIME,
    )


async def _forget(scene_uuid: str, notes: Notes) -> None:
    """Note that a scene was never started."""
    await notes.abandoned(scene_uuid)
    await notes.invalidated(scene_uuid)
    notes.scene_uuid = None
