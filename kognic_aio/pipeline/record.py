"""What a run keeps of each scene on its way, in its journal if it has one."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene, Input
from kognic_aio.pipeline.content import CALIBRATION, Content, listed
from kognic_aio.pipeline.journal import Entry, Journal, Step, aside
from kognic_aio.pipeline.journal.facts import Change, Fact, Invalidated, Reached, Settled, reading
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
)
from kognic_aio.pipeline.source import Taken
from kognic_aio.scenes.abandon import SceneRecord

Key = Callable[[BaseScene], str]
"""Tells a scene from others."""

log = logging.getLogger("kognic_aio")

KEPT = (
    "scene %r is committed, and stays as it is: calibration_id %s; use the recorded calibration again, instead of one"
    " that is made anew in each run"
)

RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to try again what failed."""


@frozen
class Found:
    """What the journal has of a scene that has come again.

    Args:
        key: The key of its entry; that of a scene which was set aside is not the key by which it came.
        earlier: What an earlier run has recorded, None if the scene was never heard of.
        starts_afresh: Whether that is given up, as it failed, or is of another content.
        calibrations: How the calibration differs from the recorded one, None if it does not.
    """

    key: str | None = None
    earlier: Entry | None = None
    starts_afresh: bool = False
    calibrations: str | None = None


class Record(SceneRecord):
    """What is known of one scene in a run. Each step is recorded before it is taken, if the run has a journal.

    Args:
        records: Those of the run.
        external_id: The scene's external id, None if the source gave no scene.

    Attributes:
        found: What the journal has of the scene.
        scene_uuid: The scene on the platform, None if it was not started.
        preannotation_uuid: Its pre-annotation, if there is one.
    """

    def __init__(self, records: "Records", external_id: str | None) -> None:
        self.external_id = external_id
        self.found = Found()
        self.scene_uuid: str | None = None
        self.preannotation_uuid: str | None = None
        self._records = records
        self._name: str | None = None
        self._is_recorded = False
        self._kin = ""
        self._told: dict[str, str] = {}  # and not the content itself, which has the scene

    async def open(self, taken: Taken, annotation: bytes | None) -> None:
        """Find what an earlier run has recorded. If another scene in flight has the same key, wait until it settles.

        Args:
            taken: The scene.
            annotation: Its pre-annotation as JSON.

        Raises:
            InvalidError: If its key is no string.
            DuplicateError: If another content goes by the same key.
        """
        if self._records.journal is None:
            return
        content = Content(taken.scene, annotation)
        if self._name is None:
            self._name = await self._records.occupy(taken)
        self._kin, self._told = content.kin, {"fingerprint": content.fingerprint, "outline": content.outline()}
        self.found = await self._records.find(self._name, content)
        earlier = self.found.earlier
        self._is_recorded = earlier is not None
        if earlier is not None and earlier.scene_uuid is not None:  # else it is that of this run's last start
            self.scene_uuid = earlier.scene_uuid
        self.preannotation_uuid = None if earlier is None or self.found.starts_afresh else earlier.preannotation_uuid

    def close(self) -> None:
        """End the scene's life in this run."""
        if self._name is not None:
            self._records.leave(self._name)

    @property
    def is_kept(self) -> bool:
        """Whether a later run will know of the scene."""
        return self.found.key is not None

    @property
    def earlier_result(self) -> InputCreationResult | None:
        """How the scene ended in an earlier run, if that is how it stays."""
        earlier = self.found.earlier
        return None if earlier is None or self.found.starts_afresh else earlier.result

    @property
    def was_delivered(self) -> bool:
        """Whether an earlier run has delivered that result."""
        return self.earlier_result is not None and self.found.earlier is not None and self.found.earlier.delivered

    def was_about_to(self, step: Step) -> bool:
        """Whether an earlier run was about to take a step, and nobody knows whether it did."""
        return self.found.earlier is not None and self.found.earlier.step is step

    def result(self, status: InputCreationStatus, **more: Any) -> InputCreationResult:
        """The scene's result.

        Args:
            status: How it ended.
            more: Fields of the result beside those that are known.
        """
        return InputCreationResult(
            status=status,
            external_id=self.external_id,
            scene_uuid=self.scene_uuid,
            preannotation_uuid=self.preannotation_uuid,
            **more,
        )

    async def created(self, inputs: Sequence[Input]) -> InputCreationResult:
        """Record that the scene has become inputs."""
        result = self.result(InputCreationStatus.CREATED, inputs=tuple(inputs))
        await self._settle(result)
        return result

    async def failed(self, stage: InputCreationStage, error: BaseException) -> InputCreationResult:
        """Record that the scene has failed."""
        failure = InputCreationError(stage=stage, message=str(error) or type(error).__name__)
        result = self.result(InputCreationStatus.FAILED, error=failure)
        if self._name is not None:
            self._records.has_failed(self._name, self._kin)
        await self._settle(result)
        return result

    async def _settle(self, result: InputCreationResult) -> None:
        if self._records.journal is None or self.found.key is None:
            return
        if self.found.starts_afresh:  # and has not yet: the entry is that of another
            return
        # An entry that is there already has the content that the platform has, should that be another one.
        told = {} if self._is_recorded else self._told
        await self._records.journal.settle(self.found.key, result, **told)

    async def add(self, fact: Fact) -> None:
        """Record a fact, if there is a journal. It is known from then on, even if the process is killed."""
        if self._records.journal is not None and self.found.key is not None:
            await self._records.journal.add(self.found.key, fact)

    def warn_of_calibration(self) -> None:
        """Warn once in a run that a scene is kept although it comes with another calibration."""
        if self.found.calibrations is not None:
            level = logging.INFO if self._records.has_warned else logging.WARNING
            self._records.has_warned = True
            log.log(level, KEPT, self._name, self.found.calibrations)

    async def make_way(self) -> None:
        """Give up what an earlier run has recorded."""
        await self.add(Change.MADE_WAY)
        self.found = Found(self.found.key)
        self.scene_uuid = None
        self._is_recorded = False

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        self.found = Found(self.found.key)
        self.scene_uuid = scene_uuid
        await self.add(Reached(step=Step.STARTING, scene_uuid=scene_uuid, **self._told))
        self._is_recorded = True

    async def reached(self, step: Step, *, preannotation_uuid: str | None = None) -> None:
        """The scene has come to a step, which is about to be taken or has been."""
        self.preannotation_uuid = preannotation_uuid or self.preannotation_uuid
        await self.add(Reached(step=step, preannotation_uuid=preannotation_uuid))

    async def became_input(self, inputs: Sequence[Input]) -> None:
        """An earlier run has created the inputs of a scene that makes way."""
        # Of the earlier scene, not of this one: they may differ in external id, and only that one is pre-annotated.
        earlier = self.found.earlier
        result = evolve(
            self.result(InputCreationStatus.CREATED, inputs=tuple(inputs)),
            external_id=inputs[0].scene_external_id,
            preannotation_uuid=None if earlier is None else earlier.preannotation_uuid,
        )
        await self.add(Settled(result=result))

    async def abandoned(self, scene_uuid: str) -> None:  # noqa: ARG002  # the journal knows it
        """The scene is about to be invalidated."""
        await self.add(Change.ABANDONED)

    async def invalidated(self, scene_uuid: str) -> None:
        """The abandoned scene has been invalidated."""
        await self.add(Invalidated(scene_uuid=scene_uuid))

    async def never_started(self, scene_uuid: str) -> None:
        """The platform has refused to start the scene."""
        await self.abandoned(scene_uuid)
        await self.invalidated(scene_uuid)
        self.scene_uuid = None


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
        self.has_warned = False

    async def orphans(self) -> list[str]:
        """The uuids of the scenes that earlier runs have left to be invalidated."""
        return [] if self.journal is None else await self.journal.abandoned()

    async def occupy(self, taken: Taken) -> str:
        """Find the key of a scene, and keep others with the same key waiting until `leave`.

        Raises:
            InvalidError: If the key is no string.
        """
        key = self._key(taken.scene)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= gave {key!r}: expected a string, which tells this scene from all others")
        while key in self._in_flight:
            taken.leave_room()  # it may be long
            await self._in_flight[key].wait()
        self._in_flight[key] = asyncio.Event()
        return key

    def leave(self, key: str) -> None:
        """Let the next scene with this key go on."""
        self._in_flight.pop(key).set()

    def has_failed(self, key: str, kin: str) -> None:
        """A content has failed in this run, which so does not retry it, with whatever calibration it comes again."""
        if self._retry_failed:
            self._failed.add((key, kin))

    async def find(self, key: str, content: Content) -> Found:
        """Find what the journal has of a scene.

        Raises:
            DuplicateError: If another content is recorded under its key.
        """
        journal = self.journal
        if journal is None or (entry := await journal.recall(key)) is None:
            return Found(key)
        has_failed = entry.status is InputCreationStatus.FAILED
        is_retried = self._retry_failed and (key, content.kin) not in self._failed
        differences = {} if content.has(entry.fingerprint) else _differences(journal, key, content, entry)
        if content.has(entry.fingerprint):
            found = Found(key, entry, starts_afresh=has_failed and is_retried)
        elif set(differences) == {CALIBRATION}:
            starts_afresh = has_failed and (is_retried or entry.scene_uuid is None)  # that is, was never committed
            found = Found(key, entry, starts_afresh=starts_afresh, calibrations=differences[CALIBRATION])
        elif (own := await _set_aside(journal, key, content)) is not None:
            found = Found(own.key, own, calibrations=_differences(journal, key, content, own).get(CALIBRATION))
        elif entry.refused.get(content.kin) or (is_retried and (has_failed or content.kin in entry.refused)):
            return Found(key, entry, starts_afresh=True)  # in the place of the other
        else:
            raise await self._refused(journal, key, content, entry, differences)
        if not self._retry_failed and not all(entry.refused.values()):
            await journal.uphold(key)
        return found

    async def _refused(
        self, journal: Journal, key: str, content: Content, entry: Entry, differences: Mapping[str, str]
    ) -> DuplicateError:
        """Record that a content is refused. Return the error that says so."""
        error = DuplicateError(_refusal(key, entry, differences), differences=differences)
        failure = InputCreationError(stage=InputCreationStage.SCENE, message=str(error))
        await journal.refuse(key, content.fingerprint, failure)
        self.has_failed(key, content.kin)
        return error


async def _set_aside(journal: Journal, key: str, content: Content) -> Entry | None:
    """Find the entry of a content that has become an input and then made way, by whichever rule it is known."""
    own = await journal.recall(aside(key, content.fingerprint))
    return own or await journal.recall(aside(key, content.first_fingerprint))


def _differences(journal: Journal, key: str, content: Content, entry: Entry) -> Mapping[str, str]:
    """How a content differs from the recorded one, by what a journal has of that."""
    with reading(journal.path, key):
        return content.differences(entry.outline)


def _refusal(key: str, entry: Entry, differences: Mapping[str, str]) -> str:
    """Why a content is refused, and what to do."""
    how = listed(differences) if differences else "an earlier version recorded it, and not how it differs"
    is_created = entry.status is InputCreationStatus.CREATED
    where = "beside the input that is there" if is_created else "in the place of the other"
    return (
        f"{key!r} is in the journal with another content: {how}; give it the recorded content, tell the two apart with"
        f" key=, or use another journal; to start it {where}: {RETRY}"
    )
