"""One run of `kognicutil upload`, from its options to its exit code."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import click
from attrs import define, field, frozen

from kognic_aio import InputCreationResult, InputCreationStatus, InputTarget, Journal, KognicIOClient, Limits, bulk
from kognic_aio._text import printable
from kognic_aio._threads import in_thread
from kognic_aio.bulk import Problem, Shard
from kognic_aio.cli import INTERRUPTED, program_name
from kognic_aio.cli.display import environment
from kognic_aio.cli.live import Story, showing
from kognic_aio.cli.output import counted, say
from kognic_aio.errors import (
    DuplicateError,
    JournalMismatchError,
    KognicError,
    RequestError,
    ServerError,
    TooManyRequestsError,
    UnavailableError,
)
from kognic_aio.pipeline.creation import OnFailure
from kognic_aio.pipeline.existing import Existing

NOT_RUN, SOME_FAILED, GO_ON = 1, 3, 4
"""Exit codes: the run could not begin or go on; some scenes failed; the same command goes on."""

TEMPORARY = (RequestError, ServerError, TooManyRequestsError, UnavailableError)
"""Errors after which the same command may go on."""

STANDARD_INPUT = "-"


@frozen(kw_only=True)
class Order:
    """What is to be uploaded, where to, and how."""

    sources: tuple[str, ...]
    project: str | None
    batch: str | None
    targets: tuple[InputTarget, ...]
    journal: str | None
    report: str | None
    dry_run: bool
    retry_failed: bool
    max_failures: int | None
    existing: Existing
    on_failure: OnFailure
    shard: Shard | None
    motion_compensation: bool
    workspace: str | None
    organization: int | None
    env: str | None
    as_json: bool
    limits: Limits

    def client(self) -> KognicIOClient:
        """Make a client, to be opened."""
        return KognicIOClient(
            env=environment(self.env),
            client_organization_id=self.organization,
            write_workspace_id=self.workspace,
            limits=self.limits,
        )


def run(
    sources: tuple[str, ...],
    targets: tuple[InputTarget, ...],
    journal: str | None,
    report: str | None,
    shard: Shard | None,
    bounds: Mapping[str, int | None],
    **given: object,
) -> int:
    """Run the command with its options, and return the exit code. `bounds` are limits; the rest is that of an order."""
    order = Order(
        sources=sources,
        targets=targets,
        journal=_in_shard(journal or _default_journal(sources, dry_run=bool(given["dry_run"])), shard),
        report=_in_shard(report, shard),
        shard=shard,
        limits=Limits(**{name: bound for name, bound in bounds.items() if bound is not None}),
        **given,  # type: ignore[arg-type]  # click has checked them
    )
    _check_files(order)
    return _Command(order).run()


def _default_journal(sources: Sequence[str], *, dry_run: bool) -> str | None:
    if dry_run or STANDARD_INPUT in sources:
        return None
    if len(sources) > 1:
        raise click.UsageError("several sources need --journal")
    return f"{os.path.abspath(sources[0])}.kognic-journal"  # noqa: PTH100  # `resolve` would follow links


def _check_files(order: Order) -> None:
    """Check that the report can be written, and overwrites nothing that is needed."""
    if order.report is None:
        return
    bulk.check_report(order.report)
    for what, path in [*(("source", source) for source in order.sources), ("journal", order.journal)]:
        if path is not None and Path(path).resolve() == Path(order.report).resolve():
            raise click.UsageError(f"the report {order.report} would replace the {what}")


def _in_shard(path: str | None, shard: Shard | None) -> str | None:
    return path if path is None or shard is None else shard.path(path)


@define
class _Command:
    """One run of the command."""

    order: Order
    story: Story = field(factory=Story, init=False)
    others: list[InputCreationResult] = field(factory=list[InputCreationResult], init=False)
    has_given_up: bool = field(default=False, init=False)
    changed: list[str] = field(factory=list[str], init=False)

    def run(self) -> int:
        """Run it to its exit code."""
        if self.order.journal is None and not self.order.dry_run:
            say("no journal is kept, so this run could not be continued; to keep one, pass --journal FILE", err=True)
        try:
            asyncio.run(self._run())
        except JournalMismatchError as error:
            say(f"Error: {error}; to upload there as well, pass another --journal", err=True)
            return NOT_RUN
        except KeyboardInterrupt:
            self._say_how_to_go_on("interrupted")
            return INTERRUPTED
        except asyncio.CancelledError:  # by SIGTERM
            self._say_how_to_go_on("terminated")
            return GO_ON
        except TEMPORARY as error:
            say(f"Error: {error}", err=True)
            self._say_how_to_go_on("the platform cannot be reached now")
            return GO_ON
        return self._ended()

    def _ended(self) -> int:
        now = self.story.progress
        for line in self.story.summary():
            say(line, err=self.order.as_json)
        if now.processing:
            self._say_how_to_go_on(f"{now.processing:,} scenes are still being processed")
            return GO_ON
        if self.has_given_up:
            say(f"stopped after {counted(now.failed, 'failure')}; scenes after these were not taken", err=True)
        if not (now.failed or now.skipped_failed or self.has_given_up):
            return 0
        if self.order.journal is not None:
            say(f"{self._how_to_mend()}, then run: {_command('--retry-failed')}", err=True)
        return SOME_FAILED

    def _how_to_mend(self) -> str:
        if not self.changed:
            return "mend them"
        first, more = printable(self.changed[0]), len(self.changed) - 1
        what = f"{first}{f' and {more:,} more' if more else ''} changed after an earlier run had created what was there"
        return f"{what}; to replace that, first invalidate it with `kognicutil invalidate --external-id {first}`"

    def _say_how_to_go_on(self, why: str) -> None:
        say(self.story.counts(), err=self.order.as_json)
        hint = f"; to go on, run: {_command()}" if self.order.journal is not None else ""
        say(f"{why}{hint}", err=True)

    async def _run(self) -> None:
        task = asyncio.current_task()
        if self.order.report is not None and self.order.existing == "skip":
            self.story.were_there = []
        with suppress(NotImplementedError):  # Windows has no SIGTERM
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel if task else print)
        counting = asyncio.create_task(self._count())
        async with self.order.client() as client:
            try:
                await self._upload(client)
            except KognicError:
                if self.story.progress.taken:  # or the earlier report stays
                    await self._report()
                raise
            finally:
                counting.cancel()
        await self._report()

    async def _count(self) -> None:
        """Find out how many scenes there are, for the display."""
        if self.order.shard is None and STANDARD_INPUT not in self.order.sources:
            with suppress(KognicError, OSError):  # the run will say so
                self.story.total = await in_thread(bulk.count_scenes, self.order.sources)

    async def _upload(self, client: KognicIOClient) -> None:
        order = self.order
        async with showing(self.story, as_json=order.as_json) as tell:
            run = bulk.upload(
                client,
                order.sources,
                order.project,
                batch=order.batch,
                targets=order.targets or None,
                journal=order.journal,
                dryrun=order.dry_run,
                motion_compensation=order.motion_compensation,
                shard=order.shard,
                retry_failed=order.retry_failed,
                on_failure=order.on_failure,
                existing=order.existing,
                on_event=tell,
                on_problem=self._note,
            )
            self.story.progress = run.progress
            async with run:
                async for result in run:
                    self._take(result)
                    self.story.only_checked = run.only_checked
                    if not self.has_given_up and 0 < (order.max_failures or 0) <= run.progress.failed:
                        self.has_given_up = True
                        run.drain()

    def _note(self, problem: Problem) -> None:
        self.story.warnings += not problem.is_error

    def _take(self, result: InputCreationResult) -> None:
        """Keep a result for the report that the journal may not have."""
        if self.order.report is not None and result.status is not InputCreationStatus.CREATED:
            self.others.append(result)
        if result.error is not None and isinstance(result.error.exception, DuplicateError):
            self.changed.append(result.external_id or "")

    async def _report(self) -> None:
        """Write the report, if there is to be one."""
        order = self.order
        if order.report is None:
            return
        targets = order.targets or (() if order.project is None else (InputTarget(order.project, order.batch),))
        async with AsyncExitStack() as stack:
            results = _nothing()
            if order.journal is not None and await in_thread(Path(order.journal).exists):
                results = (await stack.enter_async_context(Journal(order.journal))).results()
            created = InputCreationStatus.CREATED
            there = (InputCreationResult(status=created, external_id=name) for name in self.story.were_there or ())
            await bulk.write_report(order.report, results, [*self.others, *there], targets)


async def _nothing() -> AsyncGenerator[InputCreationResult, None]:
    """No results."""
    return
    yield


def _command(*more: str) -> str:
    """The command that was given, with more options."""
    return " ".join([program_name(), *map(shlex.quote, [*(each for each in sys.argv[1:] if each not in more), *more])])
