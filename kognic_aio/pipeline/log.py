"""What is kept of one scene on its way: in the journal of its run, or nowhere."""

import asyncio
import hashlib
from collections.abc import Callable

from kognic_aio._http.wire import encode, to_json
from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.journal import Entry, Journal, Step
from kognic_aio.pipeline.result import InputCreationResult
from kognic_aio.resources.finishing import Notes

Key = Callable[[BaseScene], str]
"""Tells a scene from others."""


class Log(Notes):
    """What is told of a scene before each step. This one forgets it."""

    earlier: Entry | None = None
    """What an earlier run has recorded of the scene."""

    async def pre_annotating(self) -> None:
        """The pre-annotation is about to be created."""

    async def pre_annotated(self, preannotation_uuid: str) -> None:
        """The pre-annotation was created."""

    async def creating_input(self) -> None:
        """The inputs are about to be created."""

    async def settled(self, result: InputCreationResult) -> None:
        """The scene has ended."""

    async def delivered(self) -> None:
        """The consumer has taken the result."""

    def close(self) -> None:
        """The scene's life in this run is over."""


class JournalLog(Log):
    """Keeps what is told of a scene in a journal, before it happens.

    Args:
        journal: The journal.
        key: Tells the scene from others.
        fingerprint: Tells its content from another.
        earlier: What the journal knows of it.
        closed: Called when the scene's life in this run is over.
    """

    def __init__(
        self, journal: Journal, key: str, fingerprint: str, earlier: Entry | None, closed: Callable[[], object]
    ) -> None:
        self.earlier = earlier
        self.scene_uuid = None if earlier is None else earlier.scene_uuid
        self._journal = journal
        self._key = key
        self._fingerprint = fingerprint
        self._closed = closed

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        await super().starting(scene_uuid)
        self.is_taken_up = False
        await self._journal.record(self._key, Step.STARTING, fingerprint=self._fingerprint, scene_uuid=scene_uuid)

    async def committing(self) -> None:
        """All files are there, and the scene is about to be committed."""
        await self._journal.record(self._key, Step.COMMITTING)
        self.is_taken_up = True

    async def committed(self) -> None:
        """The scene is committed."""
        await self._journal.record(self._key, Step.COMMITTED)

    async def abandoned(self, scene_uuid: str) -> None:  # noqa: ARG002 - the journal knows it
        """The scene cannot be finished, and is about to be invalidated."""
        await self._journal.abandon(self._key)

    async def invalidated(self, scene_uuid: str) -> None:
        """The abandoned scene is invalidated, or was never there."""
        await self._journal.invalidated([scene_uuid])

    async def pre_annotating(self) -> None:
        """The pre-annotation is about to be created."""
        await self._journal.record(self._key, Step.PRE_ANNOTATING)

    async def pre_annotated(self, preannotation_uuid: str) -> None:
        """The pre-annotation was created."""
        await self._journal.record(self._key, Step.PRE_ANNOTATED, preannotation_uuid=preannotation_uuid)

    async def creating_input(self) -> None:
        """The inputs are about to be created."""
        await self._journal.record(self._key, Step.CREATING_INPUT)

    async def settled(self, result: InputCreationResult) -> None:
        """The scene has ended."""
        await self._journal.settle(self._key, result, fingerprint=self._fingerprint)

    async def delivered(self) -> None:
        """The consumer has taken the result."""
        await self._journal.delivered(self._key)

    def close(self) -> None:
        """The scene's life in this run is over."""
        self._closed()


class Logbook:
    """Opens the log of each scene of a run.

    Args:
        key: Tells a scene from others; by default its external id.

    Attributes:
        journal: The journal, if the run has one.
    """

    def __init__(self, key: Key | None = None) -> None:
        self.journal: Journal | None = None
        self._key: Key = key or (lambda scene: scene.external_id)
        self._living: dict[str, asyncio.Event] = {}

    async def open(self, scene: BaseScene, annotation: bytes | None, waits: Callable[[], object]) -> Log:
        """The log of a scene, with what is known of it. Another in flight under the same key is waited for.

        Args:
            scene: The scene.
            annotation: Its pre-annotation as JSON.
            waits: Called before such a wait.

        Raises:
            InvalidError: If its key is no string.
            DuplicateError: If another content goes by the same key.
        """
        if self.journal is None:
            return Log()
        key, fingerprint = self._key(scene), _fingerprint(scene, annotation)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= gave {key!r}: expected a string, which tells this scene from all others")
        while key in self._living:
            waits()
            await self._living[key].wait()
        closed = self._living[key] = asyncio.Event()

        def close() -> None:
            del self._living[key]
            closed.set()

        try:
            earlier = await _known(self.journal, key, fingerprint)
        except BaseException:
            close()
            raise
        return JournalLog(self.journal, key, fingerprint, earlier, close)


async def _known(journal: Journal, key: str, fingerprint: str) -> Entry | None:
    """What the journal knows of a scene."""
    entry = await journal.recall(key)
    if entry is not None and entry.fingerprint not in (None, fingerprint):
        raise DuplicateError(f"{key!r} is in the journal with another content; pass key= to tell them apart")
    return entry


def _fingerprint(scene: BaseScene, annotation: bytes | None) -> str:
    """Tells contents apart by what the platform is told of them, which does not include the bytes of the files."""
    return hashlib.sha256(to_json(encode(scene)) + b"\n" + (annotation or b"")).hexdigest()
