"""The facts that a journal keeps of its scenes, and what they come to when they are folded."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from attrs import evolve, field, fields, frozen

from kognic_aio._http.wire import decode, encode
from kognic_aio.errors import JournalError
from kognic_aio.pipeline.journal.entry import Entry, Step, aside, kin_of
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStatus

MAX_REFUSALS = 64
"""Refused contents that a journal keeps under one key. More come of a `key=` that does not tell scenes apart."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What Python raises when it reads something that is not as it should be."""


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


@frozen
class Abandoned:
    """What the platform has of the scene is given up."""


@frozen(kw_only=True)
class Refused:
    """A content other than the recorded one was refused. Without an error, it is to be tried again."""

    kin: str
    error: InputCreationError | None = None


@frozen
class Upheld:
    """The recorded content has come again. Those that were refused are no failures any more."""


@frozen
class Retried:
    """What failed is to be tried again: the scene itself, and each content that was refused."""


@frozen
class MadeWay:
    """The scene has made way for another content."""


@frozen(kw_only=True)
class Orphan:
    """A scene on the platform has to be invalidated."""

    scene_uuid: str


@frozen(kw_only=True)
class Invalidated:
    """An orphan has been invalidated."""

    scene_uuid: str


Fact: TypeAlias = Reached | Delivered | Abandoned | Refused | Upheld | Retried | MadeWay | Orphan | Invalidated

Written: TypeAlias = tuple[str, Fact, str]
"""The key of a scene, a fact about it, and that fact as `to_text` writes it."""

KINDS: Mapping[str, type[Fact]] = {
    **{step.value: Reached for step in Step if step is not Step.SETTLED},
    "created": Settled,
    "failed": Settled,
    "delivered": Delivered,
    "refused": Refused,
    "retried": Refused,
    "orphan": Orphan,
}
"""The facts that a journal stores. All others change these when they are written."""


@frozen
class Scene:
    """What is known of a scene: its entry, and why other contents were refused under its key, by their `kin_of`."""

    entry: Entry | None = None
    refused: Mapping[str, InputCreationError | None] = field(factory=dict[str, InputCreationError | None])

    @property
    def known(self) -> Entry | None:
        """The entry, with what was refused."""
        refused = {kin: error is None for kin, error in self.refused.items()}
        return None if self.entry is None else evolve(self.entry, refused=refused)


def fold(key: str, facts: Iterable[Fact], scene: Scene = Scene()) -> Scene:
    """What facts about a scene come to, in their order. A fact that comes too late changes nothing."""
    entry, refused = scene.entry, scene.refused
    for fact in facts:
        match fact:
            case Reached(step=Step.STARTING):
                entry = Entry(key=key, **_given(fact))
                refused = {kin: error for kin, error in refused.items() if kin != kin_of(fact.fingerprint or "")}
            case Reached() if entry is None:
                entry = Entry(key=key, **_given(fact))
            case Reached() if entry is not None and entry.result is None and fact.step.may_follow(entry.step):
                entry = evolve(entry, **_given(fact))
            case Delivered() if entry is not None:
                entry = evolve(entry, delivered=entry.result is not None)
            case Abandoned() if entry is not None:
                entry = evolve(entry, scene_uuid=None)
            case MadeWay():
                entry = None
            case Retried():
                entry = None if entry is not None and entry.status is InputCreationStatus.FAILED else entry
                refused = dict.fromkeys(refused)
            case Refused() if fact.kin in refused or len(refused) < MAX_REFUSALS:
                refused = {**refused, fact.kin: fact.error}
            case Upheld():
                refused = {kin: error for kin, error in refused.items() if error is None}
            case _:
                pass
    return Scene(entry, refused)


def compacted(scene: Scene) -> Iterator[Fact]:
    """The fewest facts that come to a scene."""
    if scene.entry is not None:
        known = _given(scene.entry)
        yield Settled(**known) if "result" in known else Reached(**known)
        if scene.entry.delivered:
            yield Delivered()
    for kin, error in scene.refused.items():
        yield Refused(kin=kin, error=error)


def looks_back(fact: Fact) -> bool:
    """Whether a fact has to be folded with what is known of its scene when it is written. Others are appended."""
    if isinstance(fact, Reached):
        return fact.step in (Step.STARTING, Step.SETTLED)
    return not isinstance(fact, Delivered | Invalidated)


def left_behind(before: Scene, fact: Fact, after: Scene) -> str | None:
    """The scene on the platform that a fact makes an orphan. An input is never one, unless it is abandoned."""
    if before.entry is None or (isinstance(fact, Reached) and fact.step is not Step.STARTING):
        return None
    if before.entry.status is InputCreationStatus.CREATED and not isinstance(fact, Abandoned):
        return None
    is_kept = after.entry is not None and after.entry.scene_uuid == before.entry.scene_uuid
    return None if is_kept else before.entry.scene_uuid


def set_aside(before: Scene, fact: Fact) -> dict[str, Scene]:
    """What has become an input and makes way: it stays known under a key of its own."""
    entry = before.entry
    if not isinstance(fact, MadeWay) or entry is None or entry.status is not InputCreationStatus.CREATED:
        return {}
    own_key = aside(entry.key, entry.fingerprint or "")
    return {own_key: Scene(evolve(entry, key=own_key))}


def kind_of(fact: Fact) -> str:
    """The kind of a fact, as it is stored."""
    match fact:
        case Settled():
            return fact.result.status.value
        case Reached():
            return fact.step.value
        case Refused(error=None):
            return "retried"
        case _:
            return type(fact).__name__.lower()


def to_text(fact: Fact) -> str:
    """A fact as it is stored, without its kind. It is ASCII: SQLite cannot keep every character of a string."""
    told = encode(fact)
    told.pop("step", None)
    return _JSON.encode(told)


def read_fact(kind: str, text: str) -> Fact:
    """The fact that is stored.

    Raises:
        One of UNREADABLE: If it is not as it would have been written.
    """
    text.encode("ascii")
    told = json.loads(text)
    fact: Fact = decode({"step": kind, **told} if KINDS[kind] is Reached else told, KINDS[kind])
    if kind_of(fact) != kind:
        raise ValueError(f"its kind is {kind_of(fact)!r:.50}")
    return fact


def read_key(text: str) -> str:
    """The key that is stored, as JSON.

    Raises:
        One of UNREADABLE: If it is not as it would have been written.
    """
    key = json.loads(text)
    if not isinstance(key, str) or json.dumps(key) != text:
        raise ValueError("it is no key")
    return key


@contextmanager
def reading(path: str, key: object) -> Generator[None, None, None]:
    """Turn what is raised while facts are read into an error that names the key of the scene."""
    try:
        yield
    except UNREADABLE as error:
        why = str(error)[:200] or type(error).__name__
        raise JournalError(f"journal {path}: what it has of {key!r:.100} is damaged: {why!r}", path=path) from error


_JSON = json.JSONEncoder(separators=(",", ":"))
_NAMES = tuple(each.name for each in fields(Settled))


def _given(known: Reached | Entry) -> dict[str, Any]:
    """What a fact tells, or what facts may tell of an entry."""
    values = ((name, getattr(known, name, None)) for name in _NAMES)
    return {name: value for name, value in values if value is not None}
