"""What a run keeps of each scene on its way, in its journal if it has one."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from anyio import move_on_after
from attrs import define, field

from kognic_aio._tasks import task_group
from kognic_aio._threads import in_thread
from kognic_aio.errors import DuplicateError, InvalidError, JournalError
from kognic_aio.model import BaseScene
from kognic_aio.pipeline.content import CALIBRATION, Content, listed
from kognic_aio.pipeline.journal import Destination, Entry, Journal, Step, aside, kin_of
from kognic_aio.pipeline.journal.facts import Change, Fact, Invalidated, Reached, reading
from kognic_aio.pipeline.orphans import Orphans
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
)
from kognic_aio.resources.finishing import Notes

if TYPE_CHECKING:
    from kognic_aio.pipeline.flow import Run

Key = Callable[[BaseScene], str]
"""Tells a scene from others."""

RETRY = "create_inputs(..., retry_failed=True) or Journal.retry_failed()"
"""How to try again what failed."""

TAKEN_UP = (
    "scene %r is committed, and stays as it is: calibration_id %s; use the recorded calibration again, instead of one"
    " that is made anew in each run"
)

log = logging.getLogger("kognic_aio")


@define(eq=False, slots=False)
class Record(Notes):
    """What is kept of one scene. Each step is added before it is taken; without a journal, nothing is kept.

    Args:
        name: The scene's key in this run.
        told: The fingerprint and the outline of its content. The content itself is not kept, as it has the scene.
        key: The key of its entry; that of a scene which was set aside is not its name.
        earlier: What an earlier run has recorded, None if the scene was never heard of.
        starts_afresh: Whether that is given up, as it failed, or is of another content.
        calibrations: How the calibration differs from the recorded one, None if it does not.
    """

    _records: "Records"
    _journal: Journal | None = None
    _name: str = ""
    _told: Mapping[str, str] = field(factory=dict[str, str])
    key: str = ""
    earlier: Entry | None = None
    starts_afresh: bool = False
    calibrations: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__init__()
        self.scene_uuid = None if self.earlier is None else self.earlier.scene_uuid

    @property
    def earlier_result(self) -> InputCreationResult | None:
        """How the scene ended in an earlier run, if that is how it stays."""
        return None if self.earlier is None or self.starts_afresh else self.earlier.result

    async def add(self, fact: Fact) -> None:
        """Record a fact, if there is a journal. It is known from then on, even if the process is killed."""
        if self._journal is not None:
            await self._journal.add(self.key, fact)

    def take_up(self) -> None:
        """Leave the scene as an earlier run has committed it. If it had another calibration, warn once aloud."""
        if self.calibrations is not None:
            level = logging.INFO if self._records.has_warned else logging.WARNING
            self._records.has_warned = True
            log.log(level, TAKEN_UP, self._name, self.calibrations)

    async def make_way(self) -> None:
        """Give up what an earlier run has recorded."""
        await self.add(Change.MADE_WAY)
        self.earlier, self.scene_uuid, self.starts_afresh = None, None, False

    async def settle(self, result: InputCreationResult) -> None:
        """Record how the scene has ended."""
        if self._journal is None:
            return
        if result.status is InputCreationStatus.FAILED:
            self._records.has_failed(self._name, self._told["fingerprint"])
        if not self.starts_afresh:  # as long as it does, the entry is that of another
            # An entry that is there already has the content that the platform has, should that be another one.
            told = {} if self.earlier is not None else self._told
            await self._journal.settle(self.key, result, **told)

    def close(self) -> None:
        """End the scene's life in this run."""
        if self._journal is not None:
            self._records.close(self._name)

    async def starting(self, scene_uuid: str) -> None:
        """The platform is about to be told of the scene."""
        await super().starting(scene_uuid)
        self.is_taken_up = False
        await self.add(Reached(step=Step.STARTING, scene_uuid=scene_uuid, **self._told))

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
    """

    def __init__(self, key: Key | None = None, *, retry_failed: bool = False) -> None:
        self.journal: Journal | None = None
        self._key: Key = key or (lambda scene: scene.external_id)
        self._retry_failed = retry_failed
        self._in_flight: dict[str, asyncio.Event] = {}
        self._failed: set[tuple[str, str]] = set()
        self.has_warned = False

    async def open(self, scene: BaseScene, annotation: bytes | None, waits: Callable[[], object]) -> Record:
        """The record of a scene and the JSON of its pre-annotation, with what is known of them.

        Another in flight under the same key is waited for; `waits` is called before that. A DuplicateError is raised if
        another content goes by the key.
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

    def has_failed(self, key: str, fingerprint: str) -> None:
        """A content has failed in this run, which so does not retry it, with whatever calibration it comes again."""
        if self._retry_failed:
            self._failed.add((key, kin_of(fingerprint)))

    async def _found(self, journal: Journal, key: str, content: Content) -> Record:
        """The record of a content, if the journal lets it go by its key."""
        told = {"fingerprint": content.fingerprint, "outline": content.outline()}
        record = partial(Record, self, journal, key, told)
        entry = await journal.recall(key)
        if entry is None:
            return record(key=key)
        has_failed = entry.status is InputCreationStatus.FAILED
        is_retried = self._retry_failed and (key, content.kin) not in self._failed
        differences = {} if content.has(entry.fingerprint) else _differences(journal, key, content, entry)
        if content.has(entry.fingerprint):
            found = record(key=key, earlier=entry, starts_afresh=has_failed and is_retried)
        elif set(differences) == {CALIBRATION}:
            starts_afresh = has_failed and (is_retried or entry.scene_uuid is None)  # that is, was never committed
            found = record(key=key, earlier=entry, starts_afresh=starts_afresh, calibrations=differences[CALIBRATION])
        elif (own := await _set_aside(journal, key, content)) is not None:
            differences = _differences(journal, key, content, own)
            found = record(key=own.key, earlier=own, calibrations=differences.get(CALIBRATION))
        elif entry.refused.get(content.kin) or (is_retried and (has_failed or content.kin in entry.refused)):
            return record(key=key, earlier=entry, starts_afresh=True)  # in the place of the other
        else:
            message = _refusal(key, entry, differences)
            failure = InputCreationError(stage=InputCreationStage.SCENE, message=message)
            await journal.refuse(key, content.fingerprint, failure)
            self.has_failed(key, content.fingerprint)
            raise DuplicateError(message, differences=differences)
        if not self._retry_failed and not all(entry.refused.values()):
            await journal.uphold(key)
        return found


async def _set_aside(journal: Journal, key: str, content: Content) -> Entry | None:
    """The entry of a content that has become an input and then made way, by whichever rule it is known."""
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


@asynccontextmanager
async def recording(run: "Run", path: str | os.PathLike[str] | None) -> AsyncGenerator[None, None]:
    """Have the run record its steps in the journal, if it has one."""
    if path is None:
        yield
        return
    async with Journal(path, _destination(run)) as run.records.journal:
        yield


async def clear(run: "Run", path: str | os.PathLike[str] | None) -> None:
    """Invalidate what earlier runs have left behind, as this one cannot go on, and no later one may.

    What is committed stays. What cannot be invalidated in time stays in the journal. If there is no journal yet, none
    is created: it would belong to a destination that may be misspelt.
    """
    if path is None or not await in_thread(os.path.exists, path):
        return
    timeout = run.client.visibility.timeout + 5.0  # which the requests take, beyond the grace period
    with move_on_after(timeout) as time:
        try:
            async with Journal(path, _destination(run)) as journal, task_group() as tasks:
                run.records.journal, orphans = journal, Orphans(run, tasks)
                for scene_uuid in await journal.abandoned():
                    orphans.invalidate_inherited(scene_uuid)
                for entry in await journal.unfinished():
                    orphans.give_up(entry)
        except JournalError as error:
            log.warning("what earlier runs have left could not be invalidated: %s", error)
    if time.cancelled_caught:
        log.warning("journal %s: some of what earlier runs have left is not invalidated after %g s", path, timeout)


def _destination(run: "Run") -> Destination:
    return Destination(run.client.hosts.input.rstrip("/"), run.client.workspace_id, run.project, run.batch)
