"""What all scenes of a run share."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from anyio import CancelScope, Semaphore
from attrs import define, field

from kognic_aio.errors import DOOM
from kognic_aio.model import FeatureFlags
from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.orphans import Orphans
from kognic_aio.pipeline.record import RETRY, Record, Records
from kognic_aio.pipeline.result import InputCreationResult, Progress
from kognic_aio.pipeline.taken import Taken
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.scenes.abandon import Reserved, abandoned_on_failure
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.limiters import Limiters, places

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")

log = logging.getLogger("kognic_aio")


@define(kw_only=True, eq=False)
class Run:
    """One run of `create_inputs`.

    Args:
        backend: The platform.
        project: External id of the project.
        batch: External id of the batch, None for the only open one.
        dryrun: Whether to validate only.
        feature_flags: For the creation of scenes.
        wait_timeout: Seconds to wait for scenes after the last of them has been committed.
        limiters: Hold the scenes back.
        undelivered: Holds back the scenes of a run whose consumer does not come for their results, and those alone.
        watcher: Knows when scenes are created.
        records: Keep what is known of each scene.
        progress: How far the run has come.
        room: Has a place for the one scene that is taken from the source and not yet among the scene jobs.
        failure: What ends the whole run.

    Attributes:
        orphans: Invalidates what this run or earlier ones have left behind, from the first scene on.
    """

    backend: Backend
    project: str
    batch: str | None
    dryrun: bool
    feature_flags: FeatureFlags | None
    wait_timeout: float
    limiters: Limiters
    undelivered: Semaphore
    watcher: Watcher
    records: Records
    orphans: Orphans = field(init=False)
    progress: Progress = field(factory=Progress)
    room: Semaphore = field(factory=lambda: places(1))
    failure: Exception | None = None
    _scopes: set[CancelScope] = field(factory=set[CancelScope])
    _draining: bool = False
    _pulling: CancelScope | None = None
    _uncommitted: set[Taken] = field(factory=set[Taken])
    _source_ended: bool = False

    @asynccontextmanager
    async def scene_job(self, taken: Taken) -> AsyncGenerator[None, None]:
        """Hold a place among the scenes between start and commit. The next scene may then come from the source."""
        async with self.limiters.scene_jobs:
            self._uncommitted.add(taken)
            taken.leave_room()
            try:
                yield
            except DOOM as error:
                self.fail(error)  # before another scene gets the place
                raise

    def abandoning(
        self, reserved: Reserved, record: Record, *, if_cancelled: bool = True
    ) -> AbstractAsyncContextManager[None]:
        """Abandon a scene of this run if what is done in here fails: see `abandoned_on_failure`."""
        return abandoned_on_failure(self.backend, reserved, record, self.orphans.invalidate, if_cancelled=if_cancelled)

    def orphans_of(self, journal: Journal | None, tasks: "TaskGroup") -> Orphans:
        """What invalidates the orphans of this run and of earlier ones, in tasks of a group."""
        return Orphans(self.backend, self.limiters.inputs, journal, tasks, self.cancelled_on_failure)

    async def committed(self, taken: Taken) -> None:
        """Count a scene that is committed, and release it."""
        self.progress.committed += 1
        self.left_jobs(taken)
        await taken.release()

    def left_jobs(self, taken: Taken) -> None:
        """Note that a scene is committed, or will not be. After the last one, the time to wait begins."""
        self._uncommitted.discard(taken)
        self._start_clock_after_last_commit()

    def source_has_ended(self) -> None:
        """Note that no further scene will come."""
        self._source_ended = True
        self._start_clock_after_last_commit()

    def _start_clock_after_last_commit(self) -> None:
        if self._source_ended and not self._uncommitted:
            self.watcher.give_up_after(self.wait_timeout)

    @contextmanager
    def cancelled_on_failure(self) -> Generator[None, None, None]:
        """Cancel what is done in here when the run fails. An error in here that no scene can get past fails the run."""
        with CancelScope() as scope:
            if self.failure is not None:
                scope.cancel()
            self._scopes.add(scope)
            try:
                yield
            except DOOM as error:
                self.fail(error)
            finally:
                self._scopes.discard(scope)

    def fail(self, error: Exception) -> None:
        """End the run. Results of scenes that have settled are still delivered."""
        self.failure = self.failure or error
        self.drain()
        for scope in self._scopes:
            scope.cancel()

    def drain(self) -> None:
        """Take nothing more from the source, though it may be about to give something."""
        self._draining = True
        if self._pulling is not None:
            self._pulling.cancel()

    async def wanted(self, items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """Give what the source gives, as long as there is room for it and anything is wanted."""
        while True:
            await self.room.acquire()
            if self._draining:
                return
            taken: list[T] = []
            with CancelScope() as self._pulling, suppress(StopAsyncIteration):
                taken.append(await anext(items))
            if not taken:
                return
            yield taken.pop()

    def skip(self, result: InputCreationResult) -> None:
        """Count a scene whose result an earlier run has delivered, and warn once of those that failed then."""
        self.progress.skip(result.status)
        if self.progress.skipped_failed == 1 and result.error is not None:
            problem = "failed in an earlier run, and is skipped, as are others that failed"
            log.warning("%r %s: %s; to try them again: %s", result.external_id, problem, result.error.message, RETRY)
