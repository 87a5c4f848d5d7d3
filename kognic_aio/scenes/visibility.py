"""Treats "not found" as "not yet": the platform does not show a scene for a short time after its creation."""

import re
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from anyio import sleep

from kognic_aio._http.api import Api
from kognic_aio.errors import NotFoundError, ProjectNotFoundError

T = TypeVar("T")

FIRST_PAUSE = 0.15
"""Seconds before the first retry after a scene was not found."""

GROWTH = 1.5
"""Factor between two pauses."""

MAX_PAUSE = 2.0
"""The longest pause in seconds."""

UUID = re.compile("[0-9a-f]{32}")


class Visibility:
    """Knows which scenes the platform may not show yet, and retries requests about them.

    A scene has a grace period of `timeout` seconds from its creation on. Until it is over, a 404 counts as "not yet",
    and so does a list without the scene. After that, the scene is forgotten.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout = timeout
        self._clock = clock
        self._ends: dict[str, float] = {}

    def begin_grace_period(self, *names: str, timeout: float | None = None) -> None:
        """Begin the grace period of a scene that was created just now, under its uuid and perhaps its external id."""
        now = self._clock()
        self._forget(now)
        for name in map(_key, names):
            self._ends.pop(name, None)  # moves the scene to the end: the dict is in order of expiry, for `_forget`
            self._ends[name] = now + (self.timeout if timeout is None else timeout)

    def ensure_grace_period(self, scene_uuid: str, *, at_least: float = 0.0) -> None:
        """Begin the grace period of a scene that was created at an unknown time, unless it has one already."""
        if not self.is_expected(scene_uuid):
            self.begin_grace_period(scene_uuid, timeout=max(self.timeout, at_least))

    def end_grace_period(self, *scene_uuids: str) -> None:
        """End the grace period of scenes that were invalidated: from now on, "not found" is final."""
        for uuid in scene_uuids:
            self._ends.pop(_key(uuid), None)

    def is_expected(self, name: str) -> bool:
        """Return whether a scene is within its grace period."""
        return self._seconds_left([name]) > 0

    async def when_shown(self, names: Collection[str], ask: Callable[[], Awaitable[T]]) -> T:
        """Send a request about scenes, and retry it until the platform shows them.

        Raises:
            NotFoundError: If the platform does not show them, and their grace periods are over. Scenes of other clients
                have none.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await ask()
            except ProjectNotFoundError:  # the project is missing, not the scene: waiting does not help
                raise
            except NotFoundError:
                left = self._seconds_left(names)
                if left <= 0:
                    raise
            # Out here, because a 404 that is being handled would become the context of a cancellation.
            await sleep(min(pause, left))
            pause = min(pause * GROWTH, MAX_PAUSE)

    def _seconds_left(self, names: Collection[str]) -> float:
        """Seconds until the grace periods of all these scenes are over."""
        return max((self._ends.get(_key(name), 0.0) for name in names), default=0.0) - self._clock()

    def _forget(self, now: float) -> None:
        """Forget the scenes whose grace period is over."""
        # The dict is in order of expiry, or nearly so, as most grace periods are equally long. So this looks only at
        # scenes that it deletes, and memory stays bounded in an endless run.
        while self._ends and self._ends[oldest := next(iter(self._ends))] <= now:
            del self._ends[oldest]


def _key(name: str) -> str:
    """The key of a scene: the same for all spellings of its uuid. External ids have only one spelling."""
    plain = plain_uuid(name)
    return plain if UUID.fullmatch(plain) else name


def plain_uuid(uuid: str) -> str:
    """The canonical spelling of a uuid, for comparisons."""
    # Callers may write a uuid with or without dashes, in either case. The platform responds in its own spelling.
    return uuid.replace("-", "").lower()


def shown_id(api: Api, method: str, path: str, given: str) -> str:
    """The id that the platform gave to a new object; a MalformedAnswerError if it cannot be shown as it is."""
    # It goes into paths, logs and the journal. So it may contain no secret, and only printable characters.
    if api.redact(given) != given:
        raise api.malformed(method, path, f"an id that cannot be shown: {given!r}")
    return given


def check_is_about(api: Api, method: str, path: str, *, answered: str, asked: str) -> None:
    """Raise a MalformedAnswerError if the id in a response is not the one that was asked for."""
    if plain_uuid(answered) != plain_uuid(asked):
        raise api.malformed(method, path, f"it is about {answered!r} instead of {asked!r}")
