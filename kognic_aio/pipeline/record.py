"""What a run keeps of each scene on its way, in its journal if it has one."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.content import CALIBRATION, Content, listed
from kognic_aio.pipeline.journal import Entry, Journal, Step, aside
from kognic_aio.pipeline.journal.facts import Change, Fact, Invalidated, Reached, reading
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
"""What to do about a scene that stays as it is, with another calibration."""

RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to try again what failed."""


class Record(Notes):
    """What is kept of one scene. Each step is added before it is taken; without a journal, nothing is kept.

    Args:
        records: Those of the run.
        name: The scene's key in this run, None as long as it has none.
        content: What the platform is told of it.
        key: The key of its entry; that of a scene which was set aside is not its name.
        earlier: What an earlier run has recorded, None if the scene was never heard of.
        starts_afresh: Whether that is given up, as it failed, or is of another content.
        calibrations: How the calibration differs from the recorded one, None if it does not.
    """

    def __init__(
        self,
        records: "Records",
        name: str | None = None,
        content: Content | None = None,
        *,
        key: str = "",
        earlier: Entry | None = None,
        starts_afresh: bool = False,
        calibrations: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.earlier = earlier
        self.starts_afresh = starts_afresh
        self.scene_uuid = None if earlier is None else earlier.scene_uuid
        self._records = records
        self._journal = None if name is None else records.journal
        self._key = key
        self._calibrations = calibrations
        self._is_recorded = earlier is not None
        # And not the content itself, which has the scene.
        self._kin = "" if content is None else content.kin
        self._told = {} if content is None else {"fingerprint": content.fingerprint, "outline": content.outline()}

    @property
    def earlier_result(self) -> InputCreationResult | None:
        """How the scene ended in an earlier run, if that is how it stays."""
        return None if self.earlier is None or self.starts_afresh else self.earlier.result

    async def add(self, fact: Fact) -> None:
        """Record a fact, if there is a journal. It is known from then on, even if the process is killed."""
        if self._journal is not None:
            await self._journal.add(self._key, fact)

    def take_up(self) -> None:
        """Leave the scene as an earlier run has committed it, with the calibration of then."""
        if self._calibrations is not None:
            self._records.warn_of_calibration(self.name, self._calibrations)

    async def make_way(self) -> None:
        """Give up what an earlier run has recorded."""
        await self.add(Change.MADE_WAY)
        self.earlier = self.scene_uuid = None
        self.starts_afresh = self._is_recorded = False

    async def settle(self, result: InputCreationResult) -> None:
        """Record how the scene has ended."""
        if self.name is not None and result.status is InputCreationStatus.FAILED:
            self._records.has_failed(self.name, self._kin)
        if self._journal is None or self.starts_afresh:  # and has not yet: the entry is that of another
            return
        # An entry that is there already has the content that the platform has, should that be another one.
        told = {} if self._is_recorded else self._told
        await self._journal.settle(self._key, result, **told)

    def close(self) -> None:
        """End the scene's life in this run."""
        if self.name is not None:
            self._records.close(self.name)

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        await super().starting(scene_uuid)
        self.is_taken_up = False
        await self.add(Reached(step=Step.STARTING, scene_uuid=scene_uuid, **self._told))
        self._is_recorded = True

    async def committing(self) -> None:
        """All files are there, and the scene is about to be committed."""
        await self.add(Reached(step=Step.COMMITTING))
        self.is_taken_up = self._journal is not None

    async def committed(self) -> None:
        """The scene is committed."""
        await self.add(Reached(step=Step.COMMITTED))

    async def abandoned(self, scene_uuid: str) -> None:  # noqa: ARG002 - the journal knows it
        """The scene cannot be finished, and is about to be invalidated."""
        await self.add(Change.ABANDONED)

    async def invalidated(self, scene_uuid: str) -> None:
        """The abandoned scene is invalidated, or was never there."""
        await self.add(Invalidated(scene_uuid=scene_uuid))


class Records:
    """The records of a run: opens that of each scene.

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
        self._in_flight: dict[str, asyncio.Event] = {}
        self._failed: set[tuple[str, str]] = set()
        self._has_warned = False

    async def open(self, scene: BaseScene, annotation: bytes | None, waits: Callable[[], object]) -> Record:
        """The record of a scene, with what is known of it. Another in flight under the same key is waited for.

        Args:
            scene: The scene.
            annotation: Its pre-annotation as JSON.
            waits: Called before such a wait.

        Raises:
            InvalidError: If its key is no string.
            DuplicateError: If another content goes by the same key.
        """
        if self.journal is None:
            return Record(self)
        key, content = self._key(scene), Content(scene, annotation)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= gave {key!r}: expected a string, which tells this scene from all others")
        while key in self._in_flight:
            waits()
            await self._in_flight[key].wait()
        self._in_flight[key] = asyncio.Event()
        try:
            return await self._found(self.journal, key, content)
        except BaseException:
            self.close(key)
            raise

    def close(self, key: str) -> None:
        """The life of a scene in this run is over."""
        self._in_flight.pop(key).set()

    def has_failed(self, key: str, kin: str) -> None:
        """A content has failed in this run, which so does not retry it, with whatever calibration it comes again."""
        if self._retry_failed:
            self._failed.add((key, kin))

    def warn_of_calibration(self, key: str | None, calibrations: str) -> None:
        """Tell that a scene stays with another calibration than it comes with: once aloud."""
        level = logging.INFO if self._has_warned else logging.WARNING
        self._has_warned = True
        log.log(level, "scene %r is committed, and stays as it is: calibration_id %s; %s", key, calibrations, REUSE)

    async def _found(self, journal: Journal, key: str, content: Content) -> Record:
        """The record of a scene with what its journal knows.

        Raises:
            DuplicateError: If another content goes by its key.
        """
        entry = await journal.recall(key)
        if entry is None:
            return Record(self, key, content, key=key)
        differences = {} if content.has(entry.fingerprint) else _differences(journal, key, content, entry)
        record = self._recorded(key, content, entry, differences) or await self._set_aside(journal, key, content)
        if record is not None:
            if not self._retry_failed and not all(entry.refused.values()):
                await journal.uphold(key)
            return record
        if self._takes_its_place(key, content, entry):
            return Record(self, key, content, key=key, earlier=entry, starts_afresh=True)
        raise await self._refused(journal, key, content, entry, differences)

    def _recorded(self, key: str, content: Content, entry: Entry, differences: Mapping[str, str]) -> Record | None:
        """The record, if the entry is that of this content, maybe with another calibration."""
        is_retried = _has_failed(entry) and self._is_retried(key, content)
        if content.has(entry.fingerprint):
            return Record(self, key, content, key=key, earlier=entry, starts_afresh=is_retried)
        if set(differences) != {CALIBRATION}:
            return None
        was_committed = entry.scene_uuid is not None  # of what failed before, the entry has none
        starts_afresh = is_retried or (_has_failed(entry) and not was_committed)
        calibrations = differences[CALIBRATION]
        return Record(
            self, key, content, key=key, earlier=entry, starts_afresh=starts_afresh, calibrations=calibrations
        )

    async def _set_aside(self, journal: Journal, key: str, content: Content) -> Record | None:
        """The record of a content that has become an input and then made way, by whichever rule it is known."""
        for fingerprint in (content.fingerprint, content.first_fingerprint):
            own_key = aside(key, fingerprint)
            if own := await journal.recall(own_key):
                calibrations = _differences(journal, key, content, own).get(CALIBRATION)
                return Record(self, key, content, key=own_key, earlier=own, calibrations=calibrations)
        return None

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
