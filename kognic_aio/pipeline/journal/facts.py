"""The facts that a journal keeps of its scenes, and how they fold into an entry."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from attrs import evolve, field, fields, frozen

from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage

MAX_REFUSALS = 64
"""Refused contents that a journal keeps under one key. A `key=` that does not tell scenes apart causes more."""

SEPARATOR = "/"
"""Separates the two parts of a fingerprint: contents that differ only in their calibration share the second."""


def uncalibrated(fingerprint: str) -> str:
    """The part of a fingerprint that does not depend on the calibration; all of it if the scene has none."""
    return fingerprint[fingerprint.find(SEPARATOR) + 1 :]


def set_aside_key(key: str, fingerprint: str) -> str:
    """The key of a scene that became an input, and then made way for another content of its key."""
    return f"{key}\0{uncalibrated(fingerprint)}"


class Step(StrEnum):
    """The steps of a scene's life, in order. Each is recorded before it is taken, or once it has been."""

    STARTING = "starting"
    COMMITTING = "committing"
    COMMITTED = "committed"
    PRE_ANNOTATING = "pre-annotating"
    PRE_ANNOTATED = "pre-annotated"
    CREATING_INPUT = "creating-input"
    SETTLED = "settled"


STEPS = tuple(Step)


@frozen
class Destination:
    """Where the scenes of a journal go: the URL of the input API and a workspace, by their ids.

    Runs with `project=` also go to a project and a batch, by default to the only open one; those with `targets=` say
    where each scene goes.
    """

    host: str
    workspace: str
    project: str | None = None
    batch: str | None = None

    def __str__(self) -> str:
        batch = "its only open batch" if self.batch is None else f"batch {self.batch!r}"
        place = "" if self.project is None else f"project {self.project!r}, {batch}, "
        return f"{place}workspace {self.workspace!r} at {self.host}"

    @property
    def target(self) -> InputTarget | None:
        """The target of its project, if it has one."""
        return None if self.project is None else InputTarget(self.project, self.batch)

    def admits(self, other: "Destination") -> bool:
        """Whether a run to another destination may use a journal of this one."""
        is_same = (self.host, self.workspace) == (other.host, other.workspace)
        return is_same and (self.target == other.target or None in (self.project, other.project))


@frozen
class Failure:
    """Why a scene failed: the message is the platform's, or says what is wrong with the scene."""

    key: str
    stage: InputCreationStage
    message: str


@frozen
class Reached:
    """The scene has come to a step. STARTING starts it afresh; at any other step, None leaves a value as it is.

    `targets` are those that it may have inputs of; without them, that of the journal's destination. `others` are the
    scenes that had its external id before: it tells them from one that was started without a reserved uuid. `earlier`
    is what was created before the scene was to get further inputs.
    """

    step: Step
    fingerprint: str | None = None
    outline: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None
    result: InputCreationResult | None = None
    preannotation_uuids: Mapping[str, str] | None = None
    targets: tuple[InputTarget, ...] | None = None
    others: tuple[str, ...] | None = None
    earlier: InputCreationResult | None = None

    def __attrs_post_init__(self) -> None:
        result = self.result
        is_sound = result is None or (result.error is None) == (result.status is InputCreationStatus.CREATED)
        if not is_sound or (result is None and self.step is Step.SETTLED):
            raise InvalidError("a scene settles with a result, which has an error if it failed")


@frozen
class Delivered:
    """The consumer has taken the result, or what it says of some targets."""

    targets: tuple[InputTarget, ...] = ()


@frozen
class Refused:
    """A content was refused; without an error, it is to be tried again. Files call its `uncalibrated` print `kin`."""

    kin: str
    error: InputCreationError | None = None


@frozen
class Orphan:
    """A scene on the platform has to be invalidated."""

    scene_uuid: str


class Invalidated(Orphan):
    """An orphan has been invalidated."""


class Change(Enum):
    """A fact without values. It is not stored itself: it is folded into the facts of its scene."""

    ABANDONED = "the scene on the platform is to be invalidated"
    UPHELD = "the recorded content has come again, so refused contents are no longer failures"
    RETRIED = "the scene, if it failed, and each refused content are to be tried again"
    MADE_WAY = "the scene has made way for another content"
    REOPENED = "the scene, which has settled, is to get further inputs"


Fact: TypeAlias = Reached | Delivered | Refused | Orphan | Invalidated | Change


@frozen(kw_only=True)
class Entry(Reached):
    """The state of one scene.

    Args:
        outline: A summary of its content, which shows how another one differs.
        scene_uuid: The scene on the platform, None if there is none or it was abandoned.
        delivered: Whether the consumer has taken the result.
        delivered_targets: Targets of which the consumer has taken what the result says, if not all of it.
        refused: By `uncalibrated` fingerprint, other contents that were refused under its key: whether to retry each.
    """

    key: str
    delivered: bool = False
    delivered_targets: tuple[InputTarget, ...] = ()
    refused: Mapping[str, bool] = field(factory=dict[str, bool])

    @property
    def status(self) -> InputCreationStatus | None:
        """How the scene ended, None if it has not."""
        return None if self.result is None else self.result.status

    @property
    def has_inputs(self) -> bool:
        """Whether the scene is known to have become an input."""
        return self.result is not None and (self.status is InputCreationStatus.CREATED or bool(self.result.inputs))


@frozen
class Known:
    """The entry of a scene, and by `uncalibrated` fingerprint why other contents were refused under its key."""

    entry: Entry | None = None
    refused: Mapping[str, InputCreationError | None] = field(factory=dict[str, InputCreationError | None])


def fold(key: str, facts: Iterable[Fact], known: Known = Known()) -> Known:
    """Fold facts about a scene, in their order, into what is known of it. A late fact changes nothing."""
    entry, refused = known.entry, known.refused
    for fact in facts:
        match fact:
            case Reached(step=Step.STARTING):
                entry = Entry(key=key, **_values(fact))
                refused = {kin: error for kin, error in refused.items() if kin != uncalibrated(fact.fingerprint or "")}
            case Reached() if not _is_late(fact, entry):
                entry = _moved_on(key, entry, fact)
            case Delivered() if entry is not None:
                entry = _delivered(entry, fact)
            case Refused() if fact.kin in refused or len(refused) < MAX_REFUSALS:
                refused = {**refused, fact.kin: fact.error}
            case Change.ABANDONED if entry is not None:
                entry = evolve(entry, scene_uuid=None, others=None)
            case Change.UPHELD:
                refused = {kin: error for kin, error in refused.items() if error is None}
            case Change.RETRIED:
                if entry is not None and entry.status is InputCreationStatus.FAILED:
                    entry = reopened(entry) if entry.has_inputs else None
                refused = dict.fromkeys(refused)
            case Change.REOPENED if entry is not None and entry.result is not None:
                entry = reopened(entry)
            case Change.MADE_WAY:
                entry = None
            case _:
                pass
    return Known(entry, refused)


def _is_late(fact: Reached, entry: Entry | None) -> bool:
    """Whether the scene has settled, or has come further than this step."""
    return entry is not None and (entry.result is not None or STEPS.index(fact.step) < STEPS.index(entry.step))


def _moved_on(key: str, entry: Entry | None, fact: Reached) -> Entry:
    """The entry of a scene that has come to a step."""
    if entry is None:
        return Entry(key=key, **_values(fact))
    earlier = entry.earlier if fact.result is None else None  # the result has it
    return evolve(entry, **{"earlier": earlier, **_values(fact)})


def _delivered(entry: Entry, fact: Delivered) -> Entry:
    """The entry of a scene whose result, or a part of it, was delivered."""
    if not fact.targets:
        return evolve(entry, delivered=entry.result is not None)
    return evolve(entry, delivered_targets=_united(entry.delivered_targets, fact.targets))


def reopened(entry: Entry) -> Entry:
    """The entry of a scene that is to get further inputs. It keeps what was created and delivered."""
    delivered = entry.delivered_targets
    if entry.delivered and entry.result is not None:
        delivered = _united(delivered, [outcome.target for outcome in entry.result.outcomes])
    return evolve(
        entry,
        step=Step.CREATING_INPUT,
        result=None,
        earlier=entry.earlier if entry.result is None else _created(entry.result),
        delivered=False,
        delivered_targets=delivered,
    )


def _created(result: InputCreationResult) -> InputCreationResult:
    """The part of a result that is not to be repeated."""
    created = InputCreationStatus.CREATED
    outcomes = tuple(each for each in result.outcomes if each.status is created)
    return evolve(result, status=created, outcomes=outcomes, error=None)


def _united(targets: Iterable[InputTarget], others: Iterable[InputTarget]) -> tuple[InputTarget, ...]:
    return tuple(dict.fromkeys([*targets, *others]))


def compacted(known: Known) -> Iterator[Fact]:
    """The fewest facts that fold into what is known of a scene."""
    if known.entry is not None:
        yield Reached(**_values(known.entry))
        if known.entry.delivered:
            yield Delivered()
        if known.entry.delivered_targets:
            yield Delivered(known.entry.delivered_targets)
    for kin, error in known.refused.items():
        yield Refused(kin, error)


def left_behind(old: Entry, fact: Fact, new: Entry | None) -> Entry | Orphan | None:
    """The scene to be invalidated that an entry leaves behind, or the entry set aside of an input that makes way."""
    if old.has_inputs and fact is not Change.ABANDONED:
        aside = evolve(old, key=set_aside_key(old.key, old.fingerprint or ""))
        return aside if fact is Change.MADE_WAY else None
    is_kept = new is not None and new.scene_uuid == old.scene_uuid
    return None if is_kept or old.scene_uuid is None else Orphan(old.scene_uuid)


def _values(known: Reached) -> dict[str, Any]:
    """The non-empty fields of a fact or entry."""
    values = ((each.name, getattr(known, each.name)) for each in fields(Reached))
    return {name: value for name, value in values if value is not None}


@contextmanager
def reading(path: str, key: object) -> Generator[None, None, None]:
    """Turn errors in reading facts into a JournalError that names the key of the scene."""
    try:
        yield
    except Exception as error:  # whatever Python raises when it reads malformed data
        why = str(error)[:200] or type(error).__name__
        message = f"journal {path} is damaged: the entry of {key!r:.100} cannot be read: {why!r}"
        raise JournalError(message, path=path) from error
