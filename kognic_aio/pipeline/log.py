"""What is kept of one scene on its way: in the journal of its run, or nowhere."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from attrs import frozen

from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.content import CALIBRATION, Content, listed
from kognic_aio.pipeline.journal import Entry, Journal, Step, aside
from kognic_aio.pipeline.journal.rows import reading
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
)
from kognic_aio.resources.finishing import Notes

Key = Callable[[BaseScene], str]
"""Tells a scene from others."""

log = logging.getLogger("kognic_aio")

REUSE = "use the recorded calibration again, instead of one that is made anew in each run"
RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to try again what failed."""


class Log(Notes):
    """What is told of a scene before each step. This one forgets it."""

    earlier: Entry | None = None
    """What an earlier run has recorded of the scene."""

    starts_afresh: bool = False
    """Whether that is to be given up, as it failed, or is of another content."""

    @property
    def earlier_result(self) -> InputCreationResult | None:
        """How the scene ended in an earlier run, if that is how it stays."""
        return None if self.earlier is None or self.starts_afresh else self.earlier.result

    def taken_up(self) -> None:
        """The scene stays as an earlier run has committed it."""

    async def became_input(self, result: InputCreationResult) -> None:
        """What an earlier run has recorded has become an input, though that is not recorded."""

    async def making_way(self) -> None:
        """What an earlier run has recorded is given up."""

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


@frozen
class Known:
    """What the journal knows of a scene.

    Args:
        key: The key of its entry.
        entry: What an earlier run has recorded, None if the scene was never heard of.
        starts_afresh: Whether that is to be given up.
        calibrations: How the calibration differs from the recorded one, None if it does not.
    """

    key: str
    entry: Entry | None
    starts_afresh: bool = False
    calibrations: str | None = None


class JournalLog(Log):
    """Keeps what is told of a scene in a journal, before it happens.

    Args:
        journal: The journal.
        logbook: That of the run.
        name: The scene's key in this run.
        content: What it is told.
        known: What the journal knows of it.
    """

    def __init__(self, journal: Journal, logbook: "Logbook", name: str, content: Content, known: Known) -> None:
        super().__init__()
        self.earlier = known.entry
        self.starts_afresh = known.starts_afresh
        self.scene_uuid = None if known.entry is None else known.entry.scene_uuid
        self._journal = journal
        self._logbook = logbook
        self._name = name
        self._key = known.key
        self._calibrations = known.calibrations
        self._kin, self._fingerprint = content.kin, content.fingerprint
        self._outline = content.outline()  # and not the scene, which is large
        self._is_recorded = known.entry is not None

    def taken_up(self) -> None:
        """The scene stays as an earlier run has committed it, with the calibration of then."""
        if self._calibrations is not None:
            self._logbook.warn_of_calibration(self._name, self._calibrations)

    async def became_input(self, result: InputCreationResult) -> None:
        """What an earlier run has recorded has become an input, though that is not recorded."""
        await self._journal.settle(self._key, result)

    async def making_way(self) -> None:
        """What an earlier run has recorded is given up."""
        await self._journal.make_way(self._key)
        self.earlier = self.scene_uuid = None
        self.starts_afresh = self._is_recorded = False

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        await super().starting(scene_uuid)
        self.is_taken_up = False
        await self._journal.record(
            self._key, Step.STARTING, fingerprint=self._fingerprint, outline=self._outline, scene_uuid=scene_uuid
        )
        self._is_recorded = True

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
        if result.status is InputCreationStatus.FAILED:
            self._logbook.has_failed(self._name, self._kin)
        if self.starts_afresh:  # and has not yet: the entry is still that of the other
            return
        if self._is_recorded:  # with the content that the platform has, should that be another one
            await self._journal.settle(self._key, result)
        else:
            await self._journal.settle(self._key, result, fingerprint=self._fingerprint, outline=self._outline)

    async def delivered(self) -> None:
        """The consumer has taken the result."""
        await self._journal.delivered(self._key)

    def close(self) -> None:
        """The scene's life in this run is over."""
        self._logbook.close(self._name)


class Logbook:
    """Opens the log of each scene of a run.

    Args:
        key: Tells a scene from others; by default its external id.
        retry_failed: Whether to start afresh what failed in an earlier run.

    Attributes:
        journal: The journal, if the run has one.
    """

    def __init__(self, key: Key | None = None, *, retry_failed: bool = False) -> None:
        self.journal: Journal | None = None
        self._key: Key = key or (lambda scene: scene.external_id)
        self._retry_failed = retry_failed
        self._living: dict[str, asyncio.Event] = {}
        self._failed: set[tuple[str, str]] = set()
        self._has_warned = False

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
        key, content = self._key(scene), Content(scene, annotation)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= gave {key!r}: expected a string, which tells this scene from all others")
        while key in self._living:
            waits()
            await self._living[key].wait()
        self._living[key] = asyncio.Event()
        try:
            return JournalLog(self.journal, self, key, content, await self._known(self.journal, key, content))
        except BaseException:
            self.close(key)
            raise

    def close(self, key: str) -> None:
        """The life of a scene in this run is over."""
        self._living.pop(key).set()

    def has_failed(self, key: str, kin: str) -> None:
        """A content has failed in this run, which so does not retry it, with whatever calibration it comes again."""
        if self._retry_failed:
            self._failed.add((key, kin))

    def warn_of_calibration(self, key: str, calibrations: str) -> None:
        """Tell that a scene stays with another calibration than it comes with: once aloud."""
        level = logging.INFO if self._has_warned else logging.WARNING
        self._has_warned = True
        log.log(level, "scene %r is committed, and stays as it is: calibration_id %s; %s", key, calibrations, REUSE)

    async def _known(self, journal: Journal, key: str, content: Content) -> Known:
        """What the journal knows of a scene.

        Raises:
            DuplicateError: If another content goes by its key.
        """
        entry = await journal.recall(key)
        if entry is None:
            return Known(key, None)
        differences = {} if content.has(entry.fingerprint) else _differences(journal, key, content, entry)
        known = self._recorded(key, content, entry, differences) or await _set_aside(journal, key, content)
        if known is not None:
            if not self._retry_failed and not all(entry.refused.values()):
                await journal.uphold(key)
            return known
        if self._takes_its_place(key, content, entry):
            return Known(key, entry, starts_afresh=True)
        raise await self._refused(journal, key, content, entry, differences)

    def _recorded(self, key: str, content: Content, entry: Entry, differences: Mapping[str, str]) -> Known | None:
        """The entry, if it is that of this content, maybe with another calibration."""
        is_retried = _has_failed(entry) and self._is_retried(key, content)
        if content.has(entry.fingerprint):
            return Known(key, entry, is_retried)
        if set(differences) != {CALIBRATION}:
            return None
        was_committed = entry.scene_uuid is not None  # of what failed before, the entry has none
        starts_afresh = is_retried or (_has_failed(entry) and not was_committed)
        return Known(key, entry, starts_afresh, calibrations=differences[CALIBRATION])

    def _takes_its_place(self, key: str, content: Content, entry: Entry) -> bool:
        """Whether a content starts afresh though another is recorded: that one or this one failed, and is retried."""
        is_failure = _has_failed(entry) or content.kin in entry.refused
        return entry.refused.get(content.kin, False) or (is_failure and self._is_retried(key, content))

    async def _refused(
        self, journal: Journal, key: str, content: Content, entry: Entry, differences: Mapping[str, str]
    ) -> DuplicateError:
        """Record that a content is refused; the error that says so."""
        error = DuplicateError(_refusal(key, entry, differences), differences=differences)
        failure = InputCreationError(stage=InputCreationStage.SCENE, message=str(error))
        await journal.refuse(key, content.fingerprint, failure)
        self.has_failed(key, content.kin)
        return error

    def _is_retried(self, key: str, content: Content) -> bool:
        return self._retry_failed and (key, content.kin) not in self._failed


async def _set_aside(journal: Journal, key: str, content: Content) -> Known | None:
    """The entry of a content that has become an input and then made way for another, by whichever rule it is known."""
    for fingerprint in (content.fingerprint, content.first_fingerprint):
        own_key = aside(key, fingerprint)
        if own := await journal.recall(own_key):
            return Known(own_key, own, calibrations=_differences(journal, key, content, own).get(CALIBRATION))
    return None


def _differences(journal: Journal, key: str, content: Content, entry: Entry) -> Mapping[str, str]:
    """How a content differs from the recorded one, by what a journal has of that."""
    with reading(journal.path, key):
        return content.differences(entry.outline)


def _has_failed(entry: Entry) -> bool:
    return entry.status is InputCreationStatus.FAILED


def _refusal(key: str, entry: Entry, differences: Mapping[str, str]) -> str:
    """Why a content is refused, and what to do."""
    how = listed(differences) if differences else "an earlier version recorded it, and not how it differs"
    is_created = entry.status is InputCreationStatus.CREATED
    where = "beside the input that is there" if is_created else "in the place of the other"
    return (
        f"{key!r} is in the journal with another content: {how}; give it the recorded content, tell the two apart with"
        f" key=, or use another journal; to start it {where}: {RETRY}"
    )
