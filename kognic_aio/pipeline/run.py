"""`create_inputs`: scenes in, one result per scene out, as each settles."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

import anyio

from kognic_aio._http.async_only import AsyncOnly
from kognic_aio._tasks import is_being_cancelled, take_note, task_group
from kognic_aio._threads import thread_hint
from kognic_aio._validation.converters import (
    argument,
    external_id,
    instance_of,
    optional,
    optional_external_id,
    seconds,
)
from kognic_aio.client import KognicIOClient
from kognic_aio.errors import ClosedError, InvalidError, JournalError, KognicError, RunError, StatusError
from kognic_aio.limits import DEFAULT_SLEEP_TIME, DEFAULT_WAIT_TIMEOUT, Limits
from kognic_aio.model import FeatureFlags
from kognic_aio.pipeline.arguments import check_item, check_source
from kognic_aio.pipeline.flow import Run, Settled, settle
from kognic_aio.pipeline.handoff import Handoff
from kognic_aio.pipeline.journal.facts import Delivered
from kognic_aio.pipeline.orphans import Orphans
from kognic_aio.pipeline.record import Key, Records, clear, recording
from kognic_aio.pipeline.release import Files, external_id_of
from kognic_aio.pipeline.result import InputCreationResult, Progress
from kognic_aio.pipeline.source import Item, Source, explain_failure, items
from kognic_aio.pipeline.tracebacks import from_source, without_traceback
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.resources.deprecation import named, warn_of_annotation_types
from kognic_aio.resources.limiters import Limiters, places

if TYPE_CHECKING:
    from anyio.abc import TaskGroup, TaskStatus

Results: TypeAlias = Handoff[InputCreationResult]

Given: TypeAlias = AsyncGenerator[Item, None]

ENDING_TIME = 1.0
"""Seconds that a run has to end when it is left."""


@named("dryrun", "feature_flags", "wait_timeout", "sleep_time")
def create_inputs(
    client: KognicIOClient,
    scenes_with_pre_annotations: Source,
    project: str,
    *,
    batch: str | None = None,
    dryrun: bool = False,
    feature_flags: FeatureFlags | None = None,
    wait_timeout: float = DEFAULT_WAIT_TIMEOUT,
    sleep_time: float = DEFAULT_SLEEP_TIME,
    scene_timeout: float | None = None,
    limits: Limits | None = None,
    journal: str | PathLike[str] | None = None,
    key: Key | None = None,
    retry_failed: bool = False,
    annotation_types: Sequence[str] | None = None,
) -> "InputCreation":
    """Create scenes, their pre-annotations and inputs, many at once, and yield a result for each scene as it settles.

    Iterate over what it returns with `async for`; enter it with `async with` to be sure that everything has ended when
    you leave early. One bad scene is one FAILED result.

    Args:
        client: An open client.
        scenes_with_pre_annotations: Scenes of any types, bare or with pre-annotations, from any iterable or async
            iterable. The next one is taken only when there is room for it.
        project: External id of the project.
        batch: External id of the batch. By default the open one, if there is only one.
        dryrun: Whether to validate only: the results are VALIDATED or FAILED, and nothing is created.
        feature_flags: By default `FeatureFlags.defaults()`, which turns motion compensation on.
        wait_timeout: Seconds to wait for scenes after the last one has been committed. Those that are not ready by then
            are PROCESSING.
        sleep_time: Seconds between two looks at the status of a scene.
        scene_timeout: Seconds to wait for each scene after its own commit, for endless sources. By default no bound.
        limits: How much this run does at once. By default it shares the client's limits with all that runs on it.
        journal: Path of a file in which each step is recorded before it is taken. A run with the same journal and
            source goes on where another was killed: results that were delivered do not come again, scenes that were
            committed are taken up, others are started afresh. A result is delivered when you come for the next one.
        key: Tells a scene from others in the journal; by default its external id.
        retry_failed: Whether to start afresh what failed in an earlier run with the same journal, and invalidate what
            is left of it. By default it is skipped, and counted in `progress.skipped_failed`.
        annotation_types: No longer used.

    Raises:
        InvalidError: At once, if an argument is wrong in itself.
        ClosedError: While iterating, if the client is not open, or is closed.
        CredentialsError: While iterating, if credentials are refused.
        JournalError: While iterating, if the journal is open elsewhere, or belongs to another destination, or cannot be
            written.
        UnknownProjectError, UnknownBatchError, BatchClosedError: While iterating, before the first upload. What earlier
            runs with the same journal have started and not committed is invalidated first, within a grace period.

    Endpoints: those of `client.<type>.create`, `POST v2/scenes/query`, `POST v1/pre-annotations`, `POST v1/inputs`
    """
    warn_of_annotation_types(annotation_types)
    check_source(scenes_with_pre_annotations)
    wait_timeout = argument("wait_timeout", wait_timeout, seconds)
    sleep_time = argument("sleep_time", sleep_time, seconds)
    scene_timeout = argument("scene_timeout", scene_timeout, optional(seconds))
    project, batch = argument("project", project, external_id), argument("batch", batch, optional_external_id)
    argument("client", client, instance_of(KognicIOClient))
    argument("feature_flags", feature_flags, optional(instance_of(FeatureFlags)))
    argument("limits", limits, optional(instance_of(Limits)))
    argument("journal", journal, optional(instance_of(str, PathLike)))
    if dryrun and journal is not None:
        raise InvalidError("journal: a dry run creates nothing that could be recorded")
    if retry_failed and journal is None:
        raise InvalidError("retry_failed: only a journal knows what failed before, pass journal= too")
    run = Run(
        client=client,
        project=project,
        batch=batch,
        dryrun=dryrun,
        feature_flags=feature_flags,
        wait_timeout=wait_timeout,
        limiters=client.limiters if limits is None else Limiters.of(limits, client.limiters.reading),
        undelivered=places((limits or client.limits).in_flight),
        watcher=Watcher(client.scene, client.visibility, sleep_time, scene_timeout),
        records=Records(key, retry_failed=retry_failed),
        progress=Progress(),
    )
    return InputCreation(run, scenes_with_pre_annotations, journal)


class InputCreation(AsyncOnly, AsyncIterator[InputCreationResult]):
    """A run of `create_inputs`: an async iterator over its results, and an async context manager that ends it.

    It begins with the first result asked for. It ends when the source has ended and all its scenes have settled, or at
    once when it is closed, left, or dropped, or its client closes. It is for one consumer: a result counts as delivered
    when anybody comes for the next one. One that is dropped unused has done nothing, and warns (ResourceWarning).
    """

    as_list: ClassVar[str] = "[result async for result in ...]"

    def __init__(self, run: Run, source: Source, journal: str | PathLike[str] | None) -> None:
        self._run = run
        self._source: Source = source
        self._journal = journal
        self._results = Results()
        self._task: asyncio.Task[Exception | None] | None = None
        self._used = self._closed = self._ended = False

    @property
    def progress(self) -> Progress:
        """How far the run has come, up to date at any time."""
        return self._run.progress

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> InputCreationResult:
        self._used = True
        if self._closed or self._ended:
            raise StopAsyncIteration
        if self._task is None:
            self._task = self._begin()
        result = await self._results.take()
        if result is not None:
            return result
        self._ended = True
        if not self._closed:
            _raise_failure(self._task)
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        self._used = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def drain(self) -> None:
        """Take no more scenes from the source, and finish those in flight. Iterate on until the last result.

        A scene that a blocking source gives later is lost to the run, and not counted.
        """
        self._run.drain()

    async def aclose(self) -> None:
        """End the run: cancel all its tasks and wait for them. Closing twice is harmless."""
        self._used = self._closed = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self._task], timeout=ENDING_TIME)

    def __del__(self) -> None:
        if not self._used:
            message = "create_inputs(...) has done nothing: write `async for result in create_inputs(...)`"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(task.cancel)  # the last reference may be dropped in any thread

    def _begin(self) -> "asyncio.Task[Exception | None]":
        """Start the run, in the loop that asks for the first result. Its task knows nothing of this object."""
        given, self._source = items(self._source), ()
        results = self._results
        task = asyncio.create_task(_drive(self._run, given, results, self._journal), name="create_inputs")
        task.add_done_callback(take_note)  # a run that was left has nobody to tell of its failure
        task.add_done_callback(lambda _: results.close())
        self._run.client.adopt(task)
        return task


async def _drive(run: Run, given: Given, results: Results, journal: str | PathLike[str] | None) -> Exception | None:
    """The run itself: see that it can succeed, let the scenes live, and see that none was lost.

    Returns:
        What the source raised.
    """
    try:
        await run.client.project.check_target(run.project, run.batch)
    except (RunError, StatusError):
        await clear(run, journal)
        raise
    async with recording(run, journal), task_group() as watching:
        watching.start_soon(_watch, run)
        async with task_group() as lives:
            await _take_orphans(run, lives)
            failure = await _feed(run, given, results, lives)
        watching.cancel_scope.cancel()
    if run.doomed_by is not None:
        raise run.doomed_by
    if failure is None and run.progress.taken != run.progress.settled:
        raise KognicError(f"scenes were lost: {run.progress}")
    return failure


async def _watch(run: Run) -> None:
    """Watch the scenes; if that is not possible any more, no scene can get past it."""
    with run.alive():
        await run.watcher.watch()


async def _take_orphans(run: Run, tasks: "TaskGroup") -> None:
    """Begin to invalidate what earlier runs have left, beside the scenes of this one."""
    run.orphans = Orphans(run, tasks)
    if run.records.journal is not None:
        for scene_uuid in await run.records.journal.abandoned():
            run.orphans.invalidate_inherited(scene_uuid)


async def _feed(run: Run, given: Given, results: Results, lives: "TaskGroup") -> Exception | None:
    """Take scenes from the source as there is room for them. If it fails, those that it gave still settle.

    Returns:
        What the source raised.
    """
    last: str | None = None
    try:
        async with aclosing(given), aclosing(run.wanted(given)) as wanted:
            async for item in wanted:
                await check_item(item)
                run.progress.taken += 1
                last = external_id_of(item)
                await lives.start(_live, item, run, results)
                del item
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
        failure: Exception = KognicError("the source of scenes was cancelled from elsewhere")
    except Exception as error:
        failure = from_source(error)
        if hint := thread_hint(error):
            error.add_note(f"scenes_with_pre_annotations{hint}")
    else:
        return None
    finally:
        run.source_has_ended()
    explain_failure(failure, run.progress.taken, last)
    return failure


async def _live(item: Item, run: Run, results: Results, *, task_status: "TaskStatus[None]") -> None:
    """Let a scene live and deliver its result. A consumer who does not come for it slows the feeder.

    What dooms the run ends all lives, but no delivery.
    """
    taken = _once(task_status.started)
    async with Files(item) as files, run.undelivered:
        life = _lived(item, files, run, taken)
        del item  # only its own life keeps a scene, and no longer than it has to
        settled = await life
        taken()  # at the latest
        if settled is None:
            return
        if settled.is_delivered:
            run.skip(settled.result)
            return
        run.progress.ended(settled.result.status)
        await results.give(settled.result)
        try:
            await settled.record.add(Delivered())
        except JournalError as error:
            run.doom(error)


async def _lived(item: Item, files: Files, run: Run, taken: Callable[[], object]) -> Settled | None:
    """How a scene's life has ended, None if the run is doomed."""
    with run.alive():
        async with run.limiters.in_flight:
            life = settle(item, files, run, taken)
            del item
            return await life
    return None


def _once(tell: Callable[[], object]) -> Callable[[], None]:
    """Something that tells when it is called first."""
    told = False

    def tell_once() -> None:
        nonlocal told
        if not told:
            told = True
            tell()

    return tell_once


def _raise_failure(task: "asyncio.Task[Exception | None]") -> None:
    """Raise what ended the run, if it has not come to its end, with a traceback that begins at the caller."""
    if task.cancelled():
        raise ClosedError("the client was closed before all scenes had settled")
    if (doom := task.exception()) is not None:
        raise without_traceback(doom) if isinstance(doom, KognicError) else doom
    if (failure := task.result()) is not None:
        raise failure
