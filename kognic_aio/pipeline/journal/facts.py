"""The facts that a journal keeps of its scenes, and what they come to when they are folded."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from attrs import evolve, field, fields, frozen

from kognic_aio.errors import JournalError
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage, InputCreationStatus

MAX_REFUSALS = 64
"""Refused contents that a journal keeps under one key. More come of a `key=` that does not tell scenes apart."""

KIN = "/"
"""Separates the two parts of a fingerprint: contents that differ only in their calibration share the second."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What Python raises when it reads something that is not as it should be."""


def kin_of(fingerprint: str) -> str:
    """The part of a fingerprint that does not depend on the calibration; all of it if the scene has none."""
    return fingerprint[fingerprint.find(KIN) + 1 :]


def aside(key: str, fingerprint: str) -> str:
    """The key of a scene that has become an input, and then made way for another content of its key."""
    return f"{key}\0{kin_of(fingerprint)}"


class Step(StrEnum):
    """The steps of a scene's life, in their order. Each is recorded before it is taken, or once it has been."""

    STARTING = "starting"
    COMMITTING = "committing"
    COMMITTED = "committed"
    PRE_ANNOTATING = "pre-annotating"
    PRE_ANNOTATED = "pre-annotated"
    CREATING_INPUT = "creating-input"
    SETTLED = "settled"

    def may_follow(self, other: "Step") -> bool:
        """Whether a scene may go from the other step to this one, or stays there. No step goes back."""
        return STEPS.index(self) >= STEPS.index(other)


STEPS = tuple(Step)
"""All steps, in their order."""


@frozen
class Destination:
    """Where the scenes of a journal go.

    Args:
        host: The URL of the input API.
        workspace: The id of the workspace.
        project: External id of the project.
        batch: External id of the batch, None for the only open one.
    """

    host: str
    workspace: str
    project: str
    batch: str | None

    def __str__(self) -> str:
        batch = "its latest open batch" if self.batch is None else f"batch {self.batch!r}"
        return f"project {self.project!r}, {batch}, workspace {self.workspace!r} at {self.host}"


@frozen(kw_only=True)
class Entry:
    """What is known of one scene.

    Args:
        key: Tells the scene from others.
        step: How far it has come.
        fingerprint: Tells its content from another.
        outline: What is kept of its content, to tell how another one differs.
        scene_uuid: The scene that the platform knows, None if there is none or it has been abandoned.
        preannotation_uuid: Its pre-annotation, if one was created.
        result: How it ended, if it is SETTLED.
        delivered: Whether the consumer has taken that result.
        refused: Other contents that were refused under this key, by their `kin_of`: whether to try each again.
    """

    key: str
    step: Step
    fingerprint: str | None = None
    outline: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None
    result: InputCreationResult | None = None
    delivered: bool = False
    refused: Mapping[str, bool] = field(factory=dict[str, bool])

    @property
    def status(self) -> InputCreationStatus | None:
        """How the scene ended, None if it has not."""
        return None if self.result is None else self.result.status


@frozen
class Failure:
    """Why a scene failed.

    Args:
        key: Tells the scene from others.
        stage: Where it failed.
        message: The platform's words, or what is wrong with what was given.
    """

    key: str
    stage: InputCreationStage
    message: str


@frozen(kw_only=True)
class Reached:
    """The scene has come to a step. STARTING starts it afresh; at any other step, None leaves a value as it is."""

    step: Step
    fingerprint: str | None = None
    outline: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None


@frozen(kw_only=True)
class Settled(Reached):
    """The scene has ended, CREATED or FAILED. The first result stays."""

    step: Step = Step.SETTLED
    result: InputCreationResult

    def __attrs_post_init__(self) -> None:
        if (self.result.error is None) != (self.result.status is InputCreationStatus.CREATED):
            raise ValueError("the result's error does not go with its status")


@frozen
class Delivered:
    """The consumer has taken the result."""


@frozen(kw_only=True)
class Refused:
    """A content other than the recorded one was refused. Without an error, it is to be tried again."""

    kin: str
    error: InputCreationError | None = None


@frozen(kw_only=True)
class Orphan:
    """A scene on the platform has to be invalidated."""

    scene_uuid: str


@frozen(kw_only=True)
class Invalidated:
    """An orphan has been invalidated."""

    scene_uuid: str


class Change(Enum):
    """A fact that has no values. None is stored: what it comes to replaces the facts of its scene."""

    ABANDONED = "what the platform has of the scene is given up"
    UPHELD = "the recorded content has come again: those that were refused are no failures any more"
    RETRIED = "what failed is to be tried again: the scene itself, and each content that was refused"
    MADE_WAY = "the scene has made way for another content"


Fact: TypeAlias = Reached | Delivered | Refused | Orphan | Invalidated | Change


@frozen
class Known:
    """What is known of a scene: its entry, and why other contents were refused under its key, by their `kin_of`."""

    entry: Entry | None = None
    refused: Mapping[str, InputCreationError | None] = field(factory=dict[str, InputCreationError | None])


def fold(key: str, facts: Iterable[Fact], known: Known = Known()) -> Known:
    """What facts about a scene come to, in their order. A fact that comes too late changes nothing."""
    entry, refused = known.entry, known.refused
    for fact in facts:
        match fact:
            case Reached(step=Step.STARTING):
                entry = Entry(key=key, **_values(fact))
                refused = {kin: error for kin, error in refused.items() if kin != kin_of(fact.fingerprint or "")}
            case Reached() if entry is None or (entry.result is None and fact.step.may_follow(entry.step)):
                entry = evolve(entry or Entry(key=key, step=fact.step), **_values(fact))
            case Delivered() if entry is not None:
                entry = evolve(entry, delivered=entry.result is not None)
            case Refused() if fact.kin in refused or len(refused) < MAX_REFUSALS:
                refused = {**refused, fact.kin: fact.error}
            case Change.ABANDONED if entry is not None:
                entry = evolve(entry, scene_uuid=None)
            case Change.UPHELD:
                refused = {kin: error for kin, error in refused.items() if error is None}
            case Change.RETRIED:
                entry = None if entry is not None and entry.status is InputCreationStatus.FAILED else entry
                refused = dict.fromkeys(refused)
            case Change.MADE_WAY:
                entry = None
            case _:
                pass
    return Known(entry, refused)


def is_appended(fact: Fact) -> bool:
    """Whether a fact is appended to those of its scene. What any other comes to replaces them: they stay few."""
    return isinstance(fact, Delivered) or (isinstance(fact, Reached) and fact.step not in (Step.STARTING, Step.SETTLED))


def compacted(known: Known) -> Iterator[Fact]:
    """The fewest facts that come to what is known of a scene."""
    if known.entry is not None:
        values = _values(known.entry)
        yield Settled(**values) if "result" in values else Reached(**values)
        if known.entry.delivered:
            yield Delivered()
    for kin, error in known.refused.items():
        yield Refused(kin=kin, error=error)


def left_behind(before: Known, fact: Fact, after: Known) -> Entry | Orphan | None:
    """What a fact leaves of an entry that it replaces: an input, which gets a key of its own, or an orphan."""
    old, new = before.entry, after.entry
    if old is not None and old.status is InputCreationStatus.CREATED and fact is not Change.ABANDONED:
        return evolve(old, key=aside(old.key, old.fingerprint or "")) if fact is Change.MADE_WAY else None
    if old is None or old.scene_uuid is None or (new is not None and new.scene_uuid == old.scene_uuid):
        return None
    return Orphan(scene_uuid=old.scene_uuid)


def _values(known: Reached | Entry) -> dict[str, Any]:
    """What a fact tells, or what facts may tell of an entry."""
    values = ((each.name, getattr(known, each.name, None)) for each in fields(Settled))
    return {name: value for name, value in values if value is not None}


@contextmanager
def reading(path: str, key: object) -> Generator[None, None, None]:
    """Turn what is raised while facts are read into an error that names the key of the scene."""
    try:
        yield
    except UNREADABLE as error:
        why = str(error)[:200] or type(error).__name__
        raise JournalError(f"journal {path}: what it has of {key!r:.100} is damaged: {why!r}", path=path) from error
