"""`create_inputs`: takes scenes, and yields one result per scene as each settles."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, nullcontext
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypeAlias, get_args

import anyio

from kognic_aio._frames import without_frames
from kognic_aio._http.paging import AsyncOnly
from kognic_aio._tasks import is_being_cancelled, retrieve_exception, task_group
from kognic_aio._threads import thread_hint
from kognic_aio._validation.converters import (
    argument,
    instance_of,
    one_of,
    optional,
    seconds,
)
from kognic_aio._validation.official import named, without_annotation_types
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.config import DEFAULT_WAIT_TIMEOUT, Limits
from kognic_aio.errors import ClosedError, InvalidError, JournalError, KognicError, RunError, StatusError
from kognic_aio.events import Event, SceneSettled, SceneTaken
from kognic_aio.model import FeatureFlags
from kognic_aio.model.target import InputTarget
from kognic_aio.pipeline.callback import Callback, OnEvent
from kognic_aio.pipeline.existing import SCENES_AHEAD, Existing, Lookup
from kognic_aio.pipeline.handoff import Handoff
from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.progress import Progress
from kognic_aio.pipeline.record import Record
from kognic_aio.pipeline.records import Key, Records
from kognic_aio.pipeline.result import InputCreationResult
from kognic_aio.pipeline.run import Run
from kognic_aio.pipeline.scene import settle_scene
from kognic_aio.pipeline.source import (
    Item,
    SceneSource,
    Taken,
    check_item,
    check_source,
    explain_failure,
    items,
    scenes_ahead,
)
from kognic_aio.pipeline.targets import Targets
from kognic_aio.pipeline.watch import Watcher
from kognic_aio.scenes.backend import Limiters, places

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

Results: TypeAlias = Handoff[InputCreationResult]

OnFailure: TypeAlias = Literal["keep", "invalidate"]
"""What becomes of a scene that fails and has no input."""

Given: TypeAlias = AsyncGenerator[Item, None]

ENDING_TIME = 1.0
"""Seconds that a run has to end when it is closed."""


@named("dryrun", "feature_flags", "wait_timeout", "sleep_time")
@without_annotation_types
def create_inputs(
    client: KognicIOClient,
    scenes_with_pre_annotations: SceneSource,
    project: str | None = None,
    *,
    batch: str | None = None,
    targets: Iterable[InputTarget] | None = None,
    dryrun: bool = False,
    feature_flags: FeatureFlags | None = None,
    wait_timeout: float = DEFAULT_WAIT_TIMEOUT,
    sleep_time: float | None = None,
    scene_timeout: float | None = None,
    limits: Limits | None = None,
    journal: str | PathLike[str] | None = None,
    key: Key | None = None,
    retry_failed: bool = False,
    on_failure: OnFailure = "keep",
    existing: Existing = "create",
    on_event: Callable[[Event], object] | None = None,
    annotation_types: Sequence[str] | None = None,  # noqa: ARG001  # whoever gives some is warned
) -> "InputCreation":
    """Create scenes, their pre-annotations and inputs concurrently, and yield a result for each scene as it settles.

    Iterate over the result with `async for`. To leave early and be certain that the run has ended, enter it with `async
    with`. One bad scene is one FAILED result.

    Args:
        client: An open client.
        scenes_with_pre_annotations: Scenes of any types, with or without pre-annotations, from any iterable or async
            iterable. The next scene is taken only when there is room for it.
        project: External id of the project that gets an input of each scene, with the scene's pre-annotation. Pass
            either this or `targets`.
        batch: External id of the batch. By default the open one, if there is only one.
        targets: Several projects or batches, each of which gets an input of each scene, with the pre-annotation that it
            names or without one. A scene is uploaded once, and may have targets of its own.
        dryrun: Whether to validate only: the results are VALIDATED or FAILED, and nothing is created.
        feature_flags: By default `FeatureFlags.defaults()`, which turns motion compensation on.
        wait_timeout: Seconds to wait for scenes after the last commit. Scenes that are not ready by then are
            PROCESSING.
        sleep_time: The longest pause in seconds between two status queries for a scene. Pauses are shorter at first,
            and adapt to how long the scenes of the run take. By default a second; if more than 400 scenes wait, those
            that are unlikely to be ready have longer pauses.
        scene_timeout: Seconds to wait for each scene after its own commit, for endless sources. By default no bound.
        limits: Bounds of concurrency for this run alone. By default it shares the client's limits.
        journal: Path of a file that records each step before it is taken. After a crash, the same call resumes the
            run: delivered results are skipped, committed scenes are resumed, others are started afresh. A result counts
            as delivered when you ask for the next one.
        key: Returns the key of a scene in the journal. By default its external id.
        retry_failed: Whether to start scenes afresh that failed in an earlier run with the same journal, and invalidate
            what is left of them. By default they are skipped, and counted in `progress.skipped_failed`.
        on_failure: `invalidate` to invalidate scenes that fail and have no input, so that you can use their external
            ids again. By default the platform keeps what was committed.
        existing: What to do with a scene if the batch of a target, or its project if it names no batch, already has an
            input with the scene's external id: `create` another one, `skip` the scene, or `fail` it. For runs whose
            journal is lost. Scenes are looked up by the hundred, so up to 200 are taken ahead. A skipped scene is
            counted in `progress.skipped` and has no result. One that lacks inputs of some targets gets those, from the
            scene that is there; with `fail`, one input is enough for it to fail.
        on_event: Called with each event of the run, in order, in a thread of its own: see `kognic_aio.events`. All runs
            on a client are told of its hosts. Up to 10,000 events wait for the callback; further ones are dropped and
            counted in `progress.events_dropped`. A run that has ended by itself waits up to 10 seconds for it, as long
            as no call takes a second; one that is left drops the rest.
        annotation_types: No longer used.

    Raises:
        InvalidError: At once, if an argument is invalid.
        ClosedError: While iterating, if the client is not open, or is closed.
        CredentialsError: While iterating, if credentials are refused.
        JournalError: While iterating, if the journal is open elsewhere, belongs to another destination, or cannot be
            written.
        UnknownProjectError, UnknownBatchError, BatchClosedError: While iterating, before the first upload. Scenes that
            earlier runs with the same journal started and did not commit are invalidated first, within a grace period.

    Endpoints: those of `client.<type>.create`, `POST v2/scenes/query`, `POST v1/pre-annotations`, `POST v1/inputs`,
    `POST v2/inputs`
    """
    check_source(scenes_with_pre_annotations)
    wait_timeout = argument("wait_timeout", wait_timeout, seconds)
    sleep_time = argument("sleep_time", sleep_time, optional(seconds))
    scene_timeout = argument("scene_timeout", scene_timeout, optional(seconds))
    wanted = _targets(project, batch, targets)
    argument("client", client, instance_of(KognicIOClient))
    argument("feature_flags", feature_flags, optional(instance_of(FeatureFlags)))
    argument("limits", limits, optional(instance_of(Limits)))
    argument("on_failure", on_failure, one_of(*get_args(OnFailure)))
    argument("existing", existing, one_of(*get_args(Existing)))
    _check_journal(journal, dryrun=dryrun, retry_failed=retry_failed)
    backend, bounds = backend_of(client), limits or client.limits
    # The client's `read_pool` is passed on, so that callbacks of all its runs take turns: they may share objects.
    limiters = backend.limiters if limits is None else Limiters(limits, backend.limiters.read_pool)
    run = Run(
        backend=backend,
        targets=wanted,
        dryrun=dryrun,
        feature_flags=feature_flags,
        wait_timeout=wait_timeout,
        limiters=limiters,
        undelivered=places(bounds.in_flight),
        records=Records(key, retry_failed=retry_failed, looks_up=existing != "create"),
        journal=journal,
        room=places(scenes_ahead(scenes_with_pre_annotations, bounds) if existing == "create" else SCENES_AHEAD),
        lookup=None if existing == "create" else Lookup(backend, fails=existing == "fail"),
        discards_failed=on_failure == "invalidate",
    )
    run.backend = backend.telling(run.tell)
    run.watcher = Watcher(run.backend.api, backend.visibility, sleep_time, scene_timeout)
    return InputCreation(run, scenes_with_pre_annotations, None if on_event is None else OnEvent(on_event))


def _targets(project: str | None, batch: str | None, targets: Iterable[InputTarget] | None) -> Targets:
    if targets is None:
        if project is None:
            raise InvalidError("project: expected an external id, got None; for several projects, pass targets=")
        return Targets.of_project(project, batch)
    if project is not None or batch is not None:
        raise InvalidError("targets: pass these or project= and batch=, not both")
    return Targets.of(targets)


def _check_journal(journal: str | PathLike[str] | None, *, dryrun: bool, retry_failed: bool) -> None:
    argument("journal", journal, optional(instance_of(str, PathLike)))
    if dryrun and journal is not None:
        raise InvalidError("journal: a dry run creates nothing that could be recorded")
    if retry_failed and journal is None:
        raise InvalidError("retry_failed: requires journal=, which records what failed before")


class InputCreation(AsyncOnly, AsyncIterator[InputCreationResult]):
    """A run of `create_inputs`: an async iterator over its results, and an async context manager that ends it.

    The run begins when the first result is asked for. It ends when the source has ended and all scenes have settled. It
    is cancelled when it is closed, left or dropped, or when its client closes. It is for one consumer: a result counts
    as delivered when anybody asks for the next one. A run that is dropped unused has done nothing, and warns
    (ResourceWarning).
    """

    as_list: ClassVar[str] = "[result async for result in ...]"

    def __init__(self, run: Run, source: SceneSource, on_event: OnEvent | None = None) -> None:
        self._run = run
        self._on_event = on_event  # the only strong reference to it
        run.callback = None if on_event is None else Callback(on_event)
        self._source: SceneSource = source
        self._results = Results()
        self._task: asyncio.Task[Exception | None] | None = None
        self._used = self._closed = self._ended = False

    @property
    def progress(self) -> Progress:
        """The live progress of the run."""
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
        """Take no more scenes from the source, and finish those in flight. Keep iterating until the last result.

        A scene that a blocking source returns later is not part of the run, and is not counted. Any thread may call
        this, for example `on_event`.
        """
        if self._task is None:
            self._run.drain()
        else:
            _call_in_loop(self._task.get_loop(), self._run.drain)

    async def aclose(self) -> None:
        """End the run: cancel all its tasks and wait for them. Closing twice is harmless."""
        self._used = self._closed = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
            # Shielded, because `aclose` is often called while its own task is being cancelled. Bounded, because a
            # source or a file may block in a thread that nobody can stop.
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self._task], timeout=ENDING_TIME)

    def __del__(self) -> None:
        if not self._used:
            message = "create_inputs(...) has done nothing: write `async for result in create_inputs(...)`"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            # The last reference may be dropped in any thread, and a task may only be cancelled in that of its loop.
            task.get_loop().call_soon_threadsafe(task.cancel)

    def _begin(self) -> "asyncio.Task[Exception | None]":
        """Start the run, in the loop that asks for the first result."""
        # The task must not refer to this object: a run whose iterator is dropped would never be cancelled. Nor may this
        # object refer to the source, which ends with the run.
        given, self._source = items(self._source, self._run.room), ()
        results = self._results
        task = asyncio.create_task(_drive(self._run, given, results), name="create_inputs")
        task.add_done_callback(retrieve_exception)  # nobody asks for the failure of a run that was left
        task.add_done_callback(lambda _: results.close())
        self._run.backend.cancel_on_close(task)
        return task


async def _drive(run: Run, given: Given, results: Results) -> Exception | None:
    """Drive a run to its end: check its target, run its scenes, and check that none was lost.

    Returns:
        The error that the source raised.
    """
    async with run.telling():
        return await _run(run, given, results)


async def _run(run: Run, given: Given, results: Results) -> Exception | None:
    try:
        await run.check_targets(run.targets)
    except (RunError, StatusError):
        # If the project is gone for good, no later run gets further than this. So its orphans are invalidated now.
        await run.clear_journal()
        raise
    journal = nullcontext() if run.journal is None else Journal(run.journal, run.destination)
    # Two groups: the scenes wait for the watcher, so it has to outlive them.
    async with journal as run.records.journal, task_group() as watching:
        watching.start_soon(_watch, run)
        if run.lookup is not None:
            watching.start_soon(run.lookup.serve)
        async with task_group() as scenes:
            run.orphans = run.orphans_of(run.records.journal, scenes)
            for scene_uuid in await run.records.orphans():
                run.orphans.invalidate_inherited(scene_uuid)
            failure = await _feed(run, given, results, scenes)
        watching.cancel_scope.cancel()
    if run.failure is not None:
        raise run.failure
    if failure is None and run.progress.taken != run.progress.settled:
        raise KognicError(f"scenes were lost: {run.progress}")  # a bug here, which must not look like success
    return failure


async def _watch(run: Run) -> None:
    """Watch the scenes. If the watcher fails, so does the run: no scene could settle without it."""
    with run.cancelled_on_failure():
        await run.watcher.watch()


async def _feed(run: Run, given: Given, results: Results, scenes: "TaskGroup") -> Exception | None:
    """Feed scenes from the source as there is room for them. If the source fails, scenes in flight still settle.

    Returns:
        The error that the source raised.
    """
    last: str | None = None
    try:
        async with aclosing(given):
            with run.cancelled_on_drain():
                async for item in given:
                    await check_item(item)
                    taken = Taken(item, run.progress.taken + 1, run.room)
                    run.tell(SceneTaken(external_id=taken.external_id, number=taken.number))
                    last = taken.external_id
                    scenes.start_soon(_run_and_deliver, taken, run, results)
                    del item, taken  # or the scene would live until the next one comes, with its files in memory
    except asyncio.CancelledError:
        # Unless somebody cancels this task, it is the source that raises: it may wait for a task that was cancelled.
        if is_being_cancelled():
            raise
        failure: Exception = KognicError("the source of scenes was cancelled by other code")
    except Exception as error:
        failure = error
        if hint := thread_hint(error):
            error.add_note(f"scenes_with_pre_annotations{hint}")
    else:
        return None
    finally:
        run.source_has_ended()
    explain_failure(failure, run.progress.taken, last)
    return failure


async def _run_and_deliver(taken: Taken, run: Run, results: Results) -> None:
    """Run a scene, and deliver its result. A failure of the run cancels the scene, but not the delivery."""
    # Held until the consumer has come for the result: this is the back-pressure from consumer to feeder.
    async with taken, run.undelivered:
        settled = await _settle(taken, run)
        if settled is None:
            return
        result, record = settled
        why = None if result.error is None else result.error.message
        record.tell(SceneSettled, status=result.status, is_skipped=record.was_delivered, why=why)
        if record.was_delivered:
            run.warn_of_failed(result)
            return
        await results.give(result)
        # Recorded after the delivery, not before: after a crash, a result may come twice, but none is lost.
        try:
            await record.add(record.delivery)
        except JournalError as error:
            run.fail(error)


async def _settle(taken: Taken, run: Run) -> tuple[InputCreationResult, Record] | None:
    """Run a scene to its result; None if the run fails."""
    with run.cancelled_on_failure():
        async with run.limiters.in_flight:
            return await settle_scene(taken, run)
    return None


def _call_in_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call a function in the thread of a loop: at once in this one, soon in another."""
    try:
        is_here = asyncio.get_running_loop() is loop
    except RuntimeError:
        is_here = False
    if is_here:
        function()
    else:
        loop.call_soon_threadsafe(function)


def _raise_failure(task: "asyncio.Task[Exception | None]") -> None:
    """Raise the error that ended the run, if any, with a traceback that begins at the caller."""
    if task.cancelled():  # not by the consumer: `__anext__` does not ask once the run is closed
        raise ClosedError("the client was closed before all scenes had settled")
    if (error := task.exception()) is not None:
        raise without_frames(error) if isinstance(error, KognicError) else error  # our frames help nobody
    if (failure := task.result()) is not None:
        raise failure
