"""The state that all scenes of a run share."""

import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, Lock, Semaphore, move_on_after
from attrs import Factory, define, evolve, field

from kognic_aio._event_log import log_event
from kognic_aio._tasks import task_group
from kognic_aio._threads import in_thread
from kognic_aio.errors import ENDS_RUN, JournalError
from kognic_aio.events import Event, Retried, SceneEvent
from kognic_aio.model import FeatureFlags
from kognic_aio.pipeline.callback import Callback
from kognic_aio.pipeline.existing import Lookup
from kognic_aio.pipeline.journal import Destination, Journal
from kognic_aio.pipeline.orphans import Orphans
from kognic_aio.pipeline.progress import Progress, Tally
from kognic_aio.pipeline.records import RETRY, Records
from kognic_aio.pipeline.result import InputCreationResult
from kognic_aio.pipeline.source import Taken
from kognic_aio.pipeline.targets import Place, Targets, place_of
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.scenes.backend import Backend, Limiters, places
from kognic_aio.scenes.target import check_target

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

log = logging.getLogger("kognic_aio")

CLEARING_TIME = 5.0
"""Seconds beyond a grace period that it takes at most to clear a journal."""


@define(kw_only=True, eq=False)
class Run:
    """One run of `create_inputs`.

    Args:
        backend: The platform.
        targets: Where its scenes go that have no targets of their own.
        dryrun: Whether to validate only.
        feature_flags: How the platform processes point clouds.
        wait_timeout: Seconds to wait for scenes after the last commit.
        limiters: Bound concurrency.
        undelivered: Bounds the scenes whose results the consumer has not come for.
        records: The records of its scenes.
        journal: Path of the journal, None if the run has none.
        callback: Is called with the events, None if nobody asks for them.
        room: The places of the scenes that are taken from the source and not yet among the scene jobs.
        lookup: Finds the inputs that scenes have already, None if nobody asks.
        discards_failed: Whether to invalidate scenes that fail and have no input.
        failure: The error that ends the whole run.

    Attributes:
        watcher: Knows when scenes are created. Set before the run begins, like the next.
        orphans: Invalidates what this run and earlier ones left behind. Set before the first scene.
    """

    backend: Backend
    targets: Targets
    dryrun: bool
    feature_flags: FeatureFlags | None
    wait_timeout: float
    limiters: Limiters
    # Not `limiters.in_flight`, which other runs on the client may share: a slow consumer must only hold up its own run.
    undelivered: Semaphore
    records: Records
    journal: str | os.PathLike[str] | None
    watcher: Watcher = field(init=False)
    orphans: Orphans = field(init=False)
    _tally: Tally = field(init=False, default=Factory(lambda run: Tally(run.backend.concurrency), takes_self=True))
    callback: Callback | None = None
    room: Semaphore = field(factory=lambda: places(1))
    lookup: Lookup | None = None
    discards_failed: bool = False
    failure: Exception | None = None
    _scopes: set[CancelScope] = field(factory=set[CancelScope])
    _is_draining: bool = False
    _feeding: CancelScope | None = None
    _checking: Lock = field(factory=Lock)
    _checked: set[Place] = field(factory=set[Place])
    _uncommitted: set[Taken] = field(factory=set[Taken])
    _source_ended: bool = False

    @property
    def progress(self) -> Progress:
        """How far the run has come."""
        return self._tally.progress

    def tell(self, event: Event) -> None:
        """Count and log an event of this run, and pass it on."""
        self._tally.count(event)
        log_event(event)
        self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        if self.callback is not None and not self.callback.put(event):
            self.progress.events_dropped += 1

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[None, None]:
        """Call the callback, if there is one, with the events of the body of this context, and with those of hosts."""
        listeners = self.backend.listeners
        try:
            if self.callback is None:
                yield
                return
            async with self.callback.calling(self._note_dropped):
                listeners.add(self._pass_on)
                try:
                    yield
                finally:
                    listeners.discard(self._pass_on)
        finally:
            self._tally.end()

    def _note_dropped(self, number: int) -> None:
        self.progress.events_dropped += number

    def teller(self, taken: Taken) -> Callable[..., None]:
        """Return a function that tells of an event of a scene, given its class and its values."""
        external_id, number = taken.external_id, taken.number  # not the scene itself

        def tell(kind: Callable[..., SceneEvent], **values: Any) -> None:
            self.tell(kind(external_id=external_id, number=number, **values))

        return tell

    def backend_for(self, taken: Taken) -> Backend:
        """The platform for the requests of a scene, whose retries are told as events of it."""
        external_id, number = taken.external_id, taken.number

        def tell(event: Retried) -> None:
            self.tell(evolve(event, external_id=external_id, number=number))

        return self.backend.telling(tell)

    @property
    def destination(self) -> Destination:
        """Where the scenes of this run go."""
        host = self.backend.api.url("").rstrip("/")
        place = place_of(self.targets.each[0]) if self.targets.is_project else ()
        return Destination(host, self.backend.workspace_id(), *place)

    async def check_targets(self, targets: Targets) -> None:
        """Check that the projects and batches of targets take inputs, each once in a run.

        Raises:
            RunError: If one does not.
        """
        for target in targets.each:
            async with self._checking:
                if place_of(target) not in self._checked:
                    await check_target(self.backend.api, *place_of(target))
                    self._checked.add(place_of(target))

    async def clear_journal(self) -> None:
        """Invalidate the scenes left by earlier runs, because neither this run nor a later one can go on.

        Committed scenes stay. Scenes that cannot be invalidated in time stay in the journal. A missing journal is not
        created: it would belong to a destination that may be misspelt.
        """
        if self.journal is None or not await in_thread(os.path.exists, self.journal):
            return
        timeout = self.backend.visibility.timeout + CLEARING_TIME
        with move_on_after(timeout) as time:
            try:
                async with Journal(self.journal, self.destination) as journal, task_group() as tasks:
                    orphans = self.orphans_of(journal, tasks)
                    for scene_uuid in await journal.abandoned():
                        orphans.invalidate_inherited(scene_uuid)
                    for entry in await journal.unfinished():
                        orphans.give_up(entry)
            except JournalError as error:
                log.warning("scenes left by earlier runs could not be invalidated: %s", error)
        if time.cancelled_caught:
            problem = "not all scenes left by earlier runs could be invalidated within"
            log.warning("journal %s: %s %g s; the journal keeps them", self.journal, problem, timeout)

    @asynccontextmanager
    async def scene_job(self, taken: Taken) -> AsyncGenerator[None, None]:
        """Hold a place among the scenes between start and commit. Release the scene when it is committed."""
        async with self.limiters.scene_jobs:
            self._uncommitted.add(taken)
            taken.leave_room()
            try:
                yield
            except ENDS_RUN as error:
                self.fail(error)  # before another scene gets the place
                raise
        # The place is free from here on: processing takes much longer than uploading.
        self.left_jobs(taken)
        await taken.release()

    def orphans_of(self, journal: Journal | None, tasks: "TaskGroup") -> Orphans:
        """Make the object that invalidates the orphans of this run and of earlier ones, in tasks of a group."""
        return Orphans(self.backend, self.limiters.inputs, journal, tasks, self.cancelled_on_failure)

    def left_jobs(self, taken: Taken) -> None:
        """Note that a scene is committed, or never will be. After the last one, `wait_timeout` begins."""
        self._uncommitted.discard(taken)
        self._start_clock_after_last_commit()

    def source_has_ended(self) -> None:
        """Note that no more scenes will come."""
        self._source_ended = True
        self._start_clock_after_last_commit()

    def _start_clock_after_last_commit(self) -> None:
        if self._source_ended and not self._uncommitted:
            self.watcher.give_up_after(self.wait_timeout)

    @contextmanager
    def cancelled_on_failure(self) -> Generator[None, None, None]:
        """Cancel the body of this context when the run fails. An error in it that no scene can get past fails the run.

        Not the task group's own cancellation, which would also cancel the delivery of settled results.
        """
        with CancelScope() as scope:
            if self.failure is not None:
                scope.cancel()
            self._scopes.add(scope)
            try:
                yield
            except ENDS_RUN as error:
                self.fail(error)  # raised once, at the end of the run
            finally:
                self._scopes.discard(scope)

    def fail(self, error: Exception) -> None:
        """End the run. Settled results are still delivered."""
        self.failure = self.failure or error  # the first one is the cause, the others may follow from it
        self.drain()
        for scope in self._scopes:
            scope.cancel()

    def drain(self) -> None:
        """Take no more scenes from the source, even if one is being waited for."""
        self._is_draining = True
        if self._feeding is not None:
            self._feeding.cancel()

    @contextmanager
    def cancelled_on_drain(self) -> Generator[None, None, None]:
        """Cancel the body of this context, which takes scenes from the source, when the run drains."""
        with CancelScope() as self._feeding:
            if self._is_draining:
                self._feeding.cancel()
            yield

    def warn_of_failed(self, result: InputCreationResult) -> None:
        """Warn once if a scene failed whose result an earlier run has delivered."""
        # Once, because a run that is repeated every night may skip thousands.
        if self.progress.skipped_failed == 1 and result.error is not None:
            message = "skipping %r, which failed in an earlier run: %s; to retry all such scenes: %s"
            log.warning(message, result.external_id, result.error.message, RETRY)
