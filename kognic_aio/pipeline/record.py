"""The record of one scene in a run: kept in memory, and in the journal if there is one."""

import logging
from collections.abc import Callable, Mapping, Sequence

from attrs import evolve

from kognic_aio.errors import SceneFailedError
from kognic_aio.events import SceneAbandoned, SceneStarted
from kognic_aio.model import Input
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.content import Content
from kognic_aio.pipeline.journal import Entry, Step
from kognic_aio.pipeline.journal.facts import (
    STEPS,
    Change,
    Delivered,
    Fact,
    Invalidated,
    Reached,
    reopened,
    uncalibrated,
)
from kognic_aio.pipeline.outcomes import Made, added, by_place, ended, outcome_of, restricted, with_outcomes
from kognic_aio.pipeline.records import Found, Held, Records
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage, TargetOutcome
from kognic_aio.pipeline.source import Taken
from kognic_aio.pipeline.targets import Targets, may_be_same, place_of
from kognic_aio.scenes.abandon import SceneRecord
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.job import SceneJob

log = logging.getLogger("kognic_aio")


class Record(SceneRecord):
    """The record of one scene in a run. Each step is recorded before it is taken, if the run has a journal.

    Args:
        records: The records of the run.
        external_id: The scene's external id, if there is one.
        targets: Where its inputs go.
        backend: The platform for the requests of the scene.
        tell: Tells of an event of the scene, given its class and its values.
    """

    def __init__(
        self,
        records: Records,
        external_id: str | None,
        targets: Targets,
        *,
        backend: Backend,
        tell: Callable[..., object],
    ) -> None:
        self.external_id = external_id
        self.backend = backend
        self.tell = tell
        self.targets = targets
        self.found = Found()
        self.scene_uuid: str | None = None  # on the platform, once it is started
        self.is_abandoned = False
        self.preannotation_uuids: dict[str | None, str] = {}  # by name
        self.earlier_result: InputCreationResult | None = None  # of an earlier run, if it stays
        self._is_whole = True  # whether the result is all that is known of the scene
        self._reopened: InputCreationResult | None = None  # of an earlier run that had other targets, or failed at some
        self._records = records
        self._held: list[Held] = []
        self._key: str | None = None
        self._entry_key: str | None = None  # differs from `_key` if the scene was set aside
        self._fingerprint = self._outline = ""  # not the content itself, which refers to the scene

    async def open(self, taken: Taken, annotations: Mapping[str | None, bytes]) -> None:
        """Find what an earlier run recorded. Wait until other scenes with the same key or external id have settled."""
        if not self._held and (held := await self._records.acquire_external_id(taken)) is not None:
            self._held.append(held)
        if self._records.journal is None:
            return
        content = Content(taken.scene, annotations)
        if self._key is None:
            self._held.append(await self._records.acquire_key(taken))
            _, self._key = self._held[-1]
        self._fingerprint, self._outline = content.fingerprint, content.outline()
        self.found = await self._records.find(self._key, content)
        resumed, earlier = self.found.resumed, self.found.resumed or self.found.replaced
        self._entry_key = self._key if earlier is None else earlier.key
        if earlier is not None and earlier.scene_uuid is not None:  # otherwise the uuid of this run's last start stays
            self.scene_uuid = earlier.scene_uuid
        self.preannotation_uuids = {} if resumed is None else pre_annotations_of(resumed)
        if resumed is not None:
            await self._recall(resumed, self._records.journal.destination.target)

    async def _recall(self, entry: Entry, own: InputTarget | None) -> None:
        """Take the result of an earlier run, or reopen its scene if it lacks inputs of this run's targets.

        `own` is the target of the journal.
        """
        if entry.result is None:
            self._reopened = None if entry.earlier is None else with_outcomes(entry.earlier, own)
            return
        result = with_outcomes(entry.result, own)
        has_failed = result.error is not None and result.error.stage is InputCreationStage.SCENE
        is_lost = entry.scene_uuid is None or (has_failed and not entry.has_inputs)
        if is_lost or not self._left(result):
            self.earlier_result = self._restricted(result)
        else:
            await self.reopen(entry, result)

    async def reopen(self, entry: Entry, result: InputCreationResult | None) -> None:
        """Record that a scene of an earlier run, which had this result, goes on."""
        await self.add(Change.REOPENED)
        self._reopened = result
        self.scene_uuid = entry.scene_uuid
        self.preannotation_uuids = pre_annotations_of(entry)
        resumed = reopened(entry)
        if result is None:  # nobody knows which inputs it has
            resumed = evolve(resumed, targets=(*self.targets_of(entry), *self.targets.each))
        self.found = evolve(self.found, replaced=None, resumed=resumed)

    async def take_up(self, found: Mapping[InputTarget, Sequence[Input]]) -> None:
        """Take inputs that the platform has of the scene as those of an earlier run whose journal is lost."""
        outcomes = [outcome_of(target, inputs) for target, inputs in found.items()]
        inputs = [one for each in found.values() for one in each]
        self.scene_uuid = inputs[0].scene_uuid
        result = ended(self.result(InputCreationStatus.CREATED), outcomes, inputs)
        entry = Entry(key="", step=Step.CREATING_INPUT, scene_uuid=self.scene_uuid, targets=(*found,))
        self.found = Found(resumed=entry)
        if not self._left(result):
            self.earlier_result, self.found = result, Found(resumed=evolve(entry, delivered=True))
            return
        self._reopened = result
        fingerprint, outline = self._fingerprint, self._outline
        await self.add(
            Reached(entry.step, fingerprint, outline, entry.scene_uuid, targets=entry.targets, earlier=result)
        )

    def close(self) -> None:
        """End the scene's life in this run."""
        while self._held:
            self._records.release(self._held.pop())

    @property
    def has_journal(self) -> bool:
        """Whether a journal keeps the scene for a later run."""
        return self._records.journal is not None

    @property
    def is_known(self) -> bool:
        """Whether the result of the scene is known, or it has gone so far that it goes on."""
        resumed = self.found.resumed
        is_only_started = resumed is not None and resumed.step is Step.STARTING
        goes_on = self.found.replaced is None and self.scene_uuid is not None and not is_only_started
        return self.earlier_result is not None or goes_on

    @property
    def was_delivered(self) -> bool:
        """Whether earlier runs delivered its result, as far as it is about this run's targets."""
        entry = self.found.resumed
        if entry is None or self.earlier_result is None:
            return False
        delivered = {place_of(target) for target in entry.delivered_targets}
        return entry.delivered or all(place_of(target) in delivered for target in self.targets.each)

    @property
    def delivery(self) -> Delivered:
        """The fact that the consumer has taken the result, which may not be all that is known of the scene."""
        return Delivered() if self._is_whole else Delivered(self.targets.each)

    def has_come_to(self, step: Step) -> bool:
        """Whether an earlier run was about to take a step, so that it may have taken it."""
        resumed = self.found.resumed
        return resumed is not None and STEPS.index(resumed.step) >= STEPS.index(step)

    def may_have(self, target: InputTarget) -> bool:
        """Whether an earlier run may have created the input of a target."""
        return self.found.resumed is not None and any(
            may_be_same(target, other) for other in self.targets_of(self.found.resumed)
        )

    def targets_of(self, entry: Entry) -> Sequence[InputTarget]:
        """The targets that an earlier run may have created inputs of."""
        if entry.targets is not None:
            return entry.targets
        journal = self._records.journal
        own = None if journal is None else journal.destination.target
        return () if own is None or STEPS.index(entry.step) < STEPS.index(Step.CREATING_INPUT) else (own,)

    @property
    def targets_left(self) -> Sequence[InputTarget]:
        """The targets that have no outcome from an earlier run."""
        return self.targets.each if self._reopened is None else self._left(self._reopened)

    def _left(self, result: InputCreationResult) -> Sequence[InputTarget]:
        known = by_place(result, with_failed=not self.found.is_retried)
        return [target for target in self.targets.each if place_of(target) not in known]

    def result(self, status: InputCreationStatus, *, error: InputCreationError | None = None) -> InputCreationResult:
        """Make the scene's result from what is recorded. By default, its targets end as it does."""
        uuids = self.preannotation_uuids
        return InputCreationResult(
            status=status,
            external_id=self.external_id,
            scene_uuid=self.scene_uuid,
            preannotation_uuid=next(iter(uuids.values()), None),
            preannotation_uuids={name: uuid for name, uuid in uuids.items() if name is not None},
            outcomes=tuple(TargetOutcome(target=target, status=status, error=error) for target in self.targets.each),
            error=error,
        )

    async def settle(self, made: Mapping[InputTarget, Made]) -> InputCreationResult:
        """Record what became of the targets that were left, and return the scene's result."""
        outcomes = [outcome_of(target, each) for target, each in made.items()]
        inputs = [one for each in made.values() if not isinstance(each, InputCreationError) for one in each]
        result = added(self._reopened, ended(self.result(InputCreationStatus.CREATED), outcomes, inputs))
        await self._settle(result)
        return self._restricted(result)

    async def settle_failed(self, failure: InputCreationError) -> InputCreationResult:
        """Record that the scene has failed, and return its result. It keeps its inputs, unless it is lost itself."""
        if isinstance(failure.exception, SceneFailedError):
            self._reopened = None
        result = self._unended(InputCreationStatus.FAILED, failure)
        await self._settle(result)
        return self._restricted(result)

    def processing(self) -> InputCreationResult:
        """The result of a scene that is not ready in time."""
        return self._restricted(self._unended(InputCreationStatus.PROCESSING))

    def _unended(self, status: InputCreationStatus, error: InputCreationError | None = None) -> InputCreationResult:
        """The result of a scene whose targets that are left come to nothing."""
        return added(self._reopened, restricted(self.result(status, error=error), self.targets_left))

    def _restricted(self, result: InputCreationResult) -> InputCreationResult:
        """A result as far as it is about this run's targets. The consumer who gets it has not got all of the others."""
        own = restricted(result, self.targets.each)
        self._is_whole = len(own.outcomes) >= len(result.outcomes)
        return own

    async def _settle(self, result: InputCreationResult) -> None:
        if result.error is not None and self._key is not None:
            self._records.note_failure(self._key, uncalibrated(self._fingerprint))
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

    async def starting(self, job: SceneJob) -> None:
        """Record that the scene is about to be started."""
        self.found = Found()
        self.is_abandoned = False
        await self._start(job)

    async def started(self, job: SceneJob) -> None:
        """Record that the scene was started, if its uuid was not known before."""
        if self.scene_uuid is None:
            await self._start(job)
        self.tell(SceneStarted, scene_uuid=job.scene_uuid)

    async def _start(self, job: SceneJob) -> None:
        self.scene_uuid = job.scene_uuid or None
        others = (*(job.others or ()),) if self.scene_uuid is None else None
        await self.add(Reached(Step.STARTING, self._fingerprint, self._outline, self.scene_uuid, others=others))

    async def reached(self, step: Step) -> None:
        """Record that the scene has come to a step."""
        await self.add(Reached(step))

    async def pre_annotated(self, uuids: Mapping[str | None, str]) -> None:
        """Record that the scene has pre-annotations, by name."""
        self.preannotation_uuids |= uuids
        named = {name: uuid for name, uuid in self.preannotation_uuids.items() if name is not None}
        single = self.preannotation_uuids.get(None)
        await self.add(Reached(Step.PRE_ANNOTATED, preannotation_uuid=single, preannotation_uuids=named or None))

    async def found_committed(self, scene_uuid: str) -> None:
        """Record the uuid of a scene that an earlier run has started without coming to know it."""
        self.scene_uuid = scene_uuid
        await self.add(Reached(Step.COMMITTED, scene_uuid=scene_uuid))

    async def creating_inputs(self) -> None:
        """Record that the inputs of the targets that are left are about to be created."""
        resumed = self.found.resumed
        earlier = () if resumed is None else self.targets_of(resumed)
        targets = {place_of(target): target for target in (*earlier, *self.targets_left)}
        # An earlier entry keeps the recorded content, unless this one has more.
        fingerprint, outline = (self._fingerprint, self._outline) if self.found.is_extended else (None, None)
        await self.add(Reached(Step.CREATING_INPUT, fingerprint, outline, targets=(*targets.values(),)))

    async def became_input(self, replaced: Entry, inputs: Sequence[Input]) -> None:
        """Record that an earlier run created inputs of the scene that makes way."""
        # Its external id and pre-annotation may differ from those of this scene.
        result = InputCreationResult(
            status=InputCreationStatus.CREATED,
            external_id=inputs[0].scene_external_id,
            scene_uuid=replaced.scene_uuid,
            preannotation_uuid=replaced.preannotation_uuid,
            preannotation_uuids=replaced.preannotation_uuids or {},
            inputs=(*inputs,),
        )
        await self.add(Change.REOPENED)  # its result may say that it has failed
        await self.add(Reached(Step.SETTLED, result=result))

    async def abandoned(self, scene_uuid: str) -> None:
        """Record that the scene is about to be invalidated."""
        self.is_abandoned = True
        self.tell(SceneAbandoned, scene_uuid=scene_uuid)
        await self.add(Change.ABANDONED)

    async def invalidated(self, scene_uuid: str) -> None:
        """Record that the abandoned scene has been invalidated."""
        await self.add(Invalidated(scene_uuid))

    async def never_started(self, scene_uuid: str) -> None:
        """Record that the platform refused to start the scene."""
        await self.add(Change.ABANDONED)
        await self.invalidated(scene_uuid)
        self.scene_uuid = None


def pre_annotations_of(entry: Entry) -> dict[str | None, str]:
    """The uuids of a scene's pre-annotations, by name."""
    uuids: dict[str | None, str] = {} if entry.preannotation_uuid is None else {None: entry.preannotation_uuid}
    uuids.update(entry.preannotation_uuids or {})
    return uuids
