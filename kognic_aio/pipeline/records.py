"""The records of a run: which scenes are in flight, and what earlier runs recorded of them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from attrs import frozen

from kognic_aio.errors import DuplicateError, InvalidError
from kognic_aio.model import BaseScene
from kognic_aio.model.scene_request import SceneRequest
from kognic_aio.pipeline.content import CALIBRATION, Content, Decision, Relation, decide, listed
from kognic_aio.pipeline.journal import Entry, Journal, set_aside_key
from kognic_aio.pipeline.journal.facts import Change, Refused, reading
from kognic_aio.pipeline.result import InputCreationError, InputCreationStage
from kognic_aio.pipeline.source import Taken
from kognic_aio.scenes.job import AnyScene

Key: TypeAlias = Callable[[BaseScene], str] | Callable[[SceneRequest], str] | Callable[[AnyScene], str]
"""Returns the key of a scene, which distinguishes it from others."""

Held: TypeAlias = tuple[str, str]
"""A key or an external id that only one scene in flight may have."""

RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to retry what failed."""


@frozen
class Found:
    """The journal's entry of a scene that comes again, if there is one.

    Args:
        resumed: The entry from which the scene goes on.
        replaced: The entry that makes way for the scene, because it failed or has another content.
        calibrations: How the calibration differs from that of the resumed entry, None if it does not.
        is_same: Whether the replaced entry has the same content, perhaps with another calibration.
        is_retried: Whether targets that failed are tried again.
        is_extended: Whether the content has all that is recorded, and further named pre-annotations.
    """

    resumed: Entry | None = None
    replaced: Entry | None = None
    calibrations: str | None = None
    is_same: bool = False
    is_retried: bool = False
    is_extended: bool = False


class Records:
    """The records of a run. By default, the key of a scene is its external id."""

    def __init__(self, key: Key | None = None, *, retry_failed: bool = False, looks_up: bool = False) -> None:
        self.journal: Journal | None = None
        self.has_warned = False
        self._key = cast("Callable[[AnyScene], str]", key or _external_id)
        self._retry_failed = retry_failed
        self._looks_up = looks_up
        self._in_flight: dict[Held, asyncio.Event] = {}
        self._failed: set[tuple[str, str]] = set()

    async def orphans(self) -> list[str]:
        """The uuids of the scenes that earlier runs left to be invalidated."""
        return [] if self.journal is None else await self.journal.abandoned()

    async def acquire_key(self, taken: Taken) -> Held:
        """Acquire the key of a scene."""
        key = self._key(taken.scene)
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidError(f"key= returned {key!r}: expected a string that identifies this scene")
        return await self._acquire("key", key, taken)

    async def acquire_external_id(self, taken: Taken) -> Held | None:
        """Acquire the external id of a scene if it is looked up by that; None if it is not."""
        if not (self._looks_up or isinstance(taken.scene, SceneRequest)):
            return None
        return await self._acquire("external id", taken.scene.external_id, taken)

    async def _acquire(self, kind: str, name: str, taken: Taken) -> Held:
        """Wait until no other scene holds a key or an external id, and hold it until `release`."""
        held = kind, name
        while held in self._in_flight:
            taken.leave_room()  # it may be long
            await self._in_flight[held].wait()
        self._in_flight[held] = asyncio.Event()
        return held

    def release(self, held: Held) -> None:
        """Let the next scene with this key or external id go on."""
        self._in_flight.pop(held).set()

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
            return Found(replaced=earlier, is_same=relation in (Relation.SAME, Relation.OTHER_NAMES))
        return Found(
            resumed=earlier,
            calibrations=differences.get(CALIBRATION),
            is_retried=is_retried,
            is_extended=relation is Relation.OTHER_NAMES and all(map(_is_added, differences.values())),
        )

    async def _refused(
        self, journal: Journal, content: Content, entry: Entry, differences: Mapping[str, str]
    ) -> DuplicateError:
        """Record that a content is refused, and return the error that says why and what to do."""
        how = listed(differences) if differences else "it was recorded by an earlier version, without the details"
        what = "create it next to the recorded input" if entry.has_inputs else "replace the recorded scene"
        message = (
            f"the journal has different content for {entry.key!r}: {how}; pass the recorded content, a key= that"
            f" distinguishes them, or another journal; to {what}: {RETRY}"
        )
        error = DuplicateError(message, differences=differences)
        failure = InputCreationError(stage=InputCreationStage.SCENE, message=str(error))
        await journal.add(entry.key, Refused(content.uncalibrated, failure))
        self.note_failure(entry.key, content.uncalibrated)
        return error


def _external_id(scene: AnyScene) -> str:
    return scene.external_id


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
    if set(differences) == {CALIBRATION}:
        return Relation.OTHER_CALIBRATION, differences
    is_extended = bool(differences) and all(map(_is_about_names, differences.items()))
    return Relation.OTHER_NAMES if is_extended else Relation.OTHER, differences


def _is_about_names(difference: tuple[str, str]) -> bool:
    """Whether a named pre-annotation, or all of them, is in one content only."""
    path, change = difference
    return path.partition(".")[0] == "pre_annotations" and "none" in change.split(" -> ")


def _is_added(change: str) -> bool:
    return change.startswith("none -> ")
