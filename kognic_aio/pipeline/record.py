"""The record of each scene in a run: kept in memory, and in the journal if there is one."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene, Input
from kognic_aio.pipeline.content import CALIBRATION, Content, Decision, Relation, decide, listed
from kognic_aio.pipeline.journal import Entry, Journal, Step, set_aside_key
from kognic_aio.pipeline.journal.facts import Change, Fact, Invalidated, Reached, Refused, reading, uncalibrated
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage, InputCreationStatus
from kognic_aio.pipeline.source import Taken
from kognic_aio.scenes.abandon import SceneRecord

Key = Callable[[BaseScene], str]
"""Returns the key of a scene, which distinguishes it from others."""

log = logging.getLogger("kognic_aio")

RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to retry what failed."""


@frozen
class Found:
    """The journal's entry of a scene that comes again, if there is one.

    Args:
        resumed: The entry from which the scene goes on.
        replaced: The entry that makes way for the scene, because it failed or has another content.
        calibrations: How the calibration differs from that of the resumed entry, None if it does not.
    """

    resumed: Entry | None = None
    replaced: Entry | None = None
    calibrations: str | None = None


class Record(SceneRecord):
    """The record of one scene in a run. Each step is recorded before it is taken, if the run has a journal."""

    def __init__(self, records: "Records", external_id: str | None) -> None:
        self.external_id = external_id
        self.found = Found()
        self.scene_uuid: str | None = None  # on the platform, once it is started
        self.preannotation_uuid: str | None = None
        self._records = records
        self._key: str | None = None
        self._entry_key: str | None = None  # differs from `_key` if the scene was set aside
        self._fingerprint = self._outline = ""  # not the content itself, which refers to the scene

    async def open(self, taken: Taken, annotation: bytes | None) -> None:
        """Find what an earlier run recorded. If another scene in flight has the same key, wait until it settles."""
        if self._records.journal is None:
            return
        content = Content(taken.scene, annotation)
        if self._key is None:
            self._key = await self._records.acquire_key(taken)
        self._fingerprint, self._outline = content.fingerprint, content.outline()
        self.found = await self._records.find(self._key, content)
        resumed, earlier = self.found.resumed, self.found.resumed or self.found.replaced
        self._entry_key = self._key if earlier is None else earlier.key
        if earlier is not None and earlier.scene_uuid is not None:  # otherwise the uuid of this run's last start stays
            self.scene_uuid = earlier.scene_uuid
        self.preannotation_uuid = None if resumed is None else resumed.preannotation_uuid

    def close(self) -> None:
        """End the scene's life in this run."""
        if self._key is not None:
            self._records.release_key(self._key)

    @property
    def has_journal(self) -> bool:
        """Whether a journal keeps the scene for a later run."""
        return self._records.journal is not None

    @property
    def earlier_result(self) -> InputCreationResult | None:
        """The result of an earlier run, if it stays."""
        return None if self.found.resumed is None else self.found.resumed.result

    @property
    def was_delivered(self) -> bool:
        """Whether an earlier run delivered that result."""
        return self.found.resumed is not None and self.found.resumed.delivered

    def was_about_to(self, step: Step) -> bool:
        """Whether an earlier run was about to take a step, and nobody knows whether it did."""
        return self.found.resumed is not None and self.found.resumed.step is step

    def result(self, status: InputCreationStatus, **more: Any) -> InputCreationResult:
        """Make the scene's result from its status, what is recorded, and more fields."""
        return InputCreationResult(
            status=status,
            external_id=self.external_id,
            scene_uuid=self.scene_uuid,
            preannotation_uuid=self.preannotation_uuid,
            **more,
        )

    async def settle_created(self, inputs: Sequence[Input]) -> InputCreationResult:
        """Record that the scene has become inputs, and return its result."""
        result = self.result(InputCreationStatus.CREATED, inputs=tuple(inputs))
        await self._settle(result)
        return result

    async def settle_failed(self, failure: InputCreationError) -> InputCreationResult:
        """Record that the scene has failed, and return its result."""
        result = self.result(InputCreationStatus.FAILED, error=failure)
        if self._key is not None:
            self._records.note_failure(self._key, uncalibrated(self._fingerprint))
        await self._settle(result)
        return result

    async def _settle(self, result: InputCreationResult) -> None:
        if self.found.replaced is None:  # until this scene starts, the entry belongs to the replaced one
            # An earlier entry keeps the recorded content: it is what the platform has.
            is_new = self.found.resumed is None
            fingerprint, outline = (self._fingerprint, self._outline) if is_new else (None, None)
            await self.add(Reached(Step.SETTLED, fingerprint, outline, result=result))

    async def add(self, fact: Fact) -> None:
        """Record a fact, if there is a journal. A killed process does not lose it."""
        if self._records.journal is not None and self._entry_key is not None:
            await self._records.journal.add(self._entry_key, fact)

    def warn_of_calibration(self) -> None:
        """Warn that a scene is kept although it comes with another calibration: once, then at INFO."""
        if self.found.calibrations is not None:
            level = logging.INFO if self._records.has_warned else logging.WARNING
            self._records.has_warned = True
            message = (
                "scene %r was committed with another calibration and is kept (calibration_id %s); reuse one calibration"
                " instead of creating one per run"
            )
            log.log(level, message, self._key, self.found.calibrations)

    async def make_way(self) -> None:
        """Discard the entry of an earlier run."""
        await self.add(Change.MADE_WAY)
        self.found = Found()
        self.scene_uuid = None

    async def starting(self, scene_uuid: str) -> None:
        """Record that the scene is about to be started."""
        self.found = Found()
        self.scene_uuid = scene_uuid
        await self.add(Reached(Step.STARTING, self._fingerprint, self._outline, scene_uuid))

    async def reached(self, step: Step, *, preannotation_uuid: str | None = None) -> None:
        """Record that the scene has come to a step."""
        self.preannotation_uuid = preannotation_uuid or self.preannotation_uuid
        await self.add(Reached(step, preannotation_uuid=preannotation_uuid))

    async def became_input(self, inputs: Sequence[Input]) -> None:
        """Record that an earlier run created the inputs of the scene that makes way."""
        # Its external id and pre-annotation may differ from those of this scene.
        replaced = self.found.replaced
        result = evolve(
            self.result(InputCreationStatus.CREATED, inputs=tuple(inputs)),
            external_id=inputs[0].scene_external_id,
            preannotation_uuid=None if replaced is None else replaced.preannotation_uuid,
        )
        await self.add(Reached(Step.SETTLED, result=result))

    async def abandoned(self, scene_uuid: str) -> None:  # noqa: ARG002  # the journal knows it
        """Record that the scene is about to be invalidated."""
        await self.add(Change.ABANDONED)

    async def invalidated(self, scene_uuid: str) -> None:
        """Record that the abandoned scene has been invalidated."""
        await self.add(Invalidated(scene_uuid))

    async def never_started(self, scene_uuid: str) -> None:
        """Record that the platform refused to start the scene."""
        await self.abandoned(scene_uuid)
        await self.invalidated(scene_uuid)
        self.scene_uuid = None


class Records:
    """The records of a run. By default, the key of a scene is its external id."""

    def __init__(self, key: Key | None = None, *, retry_failed: bool = False) -> None:
        self.journal: Journal | None = None
        self.has_warned = False
        self._key: Key = key or (lambda scene: scene.external_id)
        self._retry_failed = retry_failed
        self._in_flight: dict[str, asyncio.Event] = {}
        self._failed: set[tuple[str, str]] = set()

    async def orphans(self) -> list[str]:
        """The uuids of the scenes that earlier runs left to be invalidated."""
        return [] if self.journal is None else await self.journal.abandoned()

    async def acquire_key(self, taken: Taken) -> str:
        """Return the key of a scene. Others with the same key wait until `release_key`."""
        key = self._key(taken.scene)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= returned {key!r}: expected a string that identifies this scene")
        while key in self._in_flight:
            taken.leave_room()  # it may be long
            await self._in_flight[key].wait()
        self._in_flight[key] = asyncio.Event()
        return key

    def release_key(self, key: str) -> None:
        """Let the next scene with this key go on."""
        self._in_flight.pop(key).set()

    def note_failure(self, key: str, uncalibrated: str) -> None:
        """Note that a content failed. This run does not retry it, whatever its calibration."""
        if self._retry_failed:
            self._failed.add((key, uncalibrated))

    async def find(self, key: str, content: Content) -> Found:
        """Find the entry of a scene, and decide whether it is resumed or replaced, or the scene refused."""
        journal = self.journal
        if journal is None or (entry := await journal.recall(key)) is None:
            return Found()
        relation, differences = _compared(journal, key, content, entry)
        earlier = entry
        if relation is Relation.OTHER and (own := await _set_aside(journal, key, content)) is not None:
            earlier, relation = own, Relation.SET_ASIDE
            _, differences = _compared(journal, key, content, own)
        is_retried = self._retry_failed and (key, content.uncalibrated) not in self._failed
        decision = decide(relation, entry, content.uncalibrated, is_retried=is_retried)
        if decision is Decision.REFUSE:
            raise await self._refused(journal, content, entry, differences)
        if relation is not Relation.OTHER and not self._retry_failed and not all(entry.refused.values()):
            await journal.add(key, Change.UPHELD)
        if decision is Decision.REPLACE:
            return Found(replaced=earlier)
        return Found(resumed=earlier, calibrations=differences.get(CALIBRATION))

    async def _refused(
        self, journal: Journal, content: Content, entry: Entry, differences: Mapping[str, str]
    ) -> DuplicateError:
        """Record that a content is refused, and return the error that says why and what to do."""
        how = listed(differences) if differences else "it was recorded by an earlier version, without the details"
        is_created = entry.status is InputCreationStatus.CREATED
        what = "create it next to the recorded input" if is_created else "replace the recorded scene"
        message = (
            f"the journal has different content for {entry.key!r}: {how}; pass the recorded content, a key= that"
            f" distinguishes them, or another journal; to {what}: {RETRY}"
        )
        error = DuplicateError(message, differences=differences)
        failure = InputCreationError(stage=InputCreationStage.SCENE, message=str(error))
        await journal.add(entry.key, Refused(content.uncalibrated, failure))
        self.note_failure(entry.key, content.uncalibrated)
        return error


async def _set_aside(journal: Journal, key: str, content: Content) -> Entry | None:
    """Find the entry of a content that became an input and then made way, whichever rule made its fingerprint."""
    own = await journal.recall(set_aside_key(key, content.fingerprint))
    return own or await journal.recall(set_aside_key(key, content.first_fingerprint))


def _compared(journal: Journal, key: str, content: Content, entry: Entry) -> tuple[Relation, Mapping[str, str]]:
    """Compare a content with the recorded one, and return how they differ."""
    if content.has(entry.fingerprint):
        return Relation.SAME, {}
    with reading(journal.path, key):
        differences = content.differences(entry.outline)
    return Relation.OTHER_CALIBRATION if set(differences) == {CALIBRATION} else Relation.OTHER, differences
